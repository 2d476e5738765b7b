"""Runs the program many times at the price of one start: a warm interpreter that forks for each command.

Each command is a process of its own, from `main()` on, with its own arguments, environment and output; it can be
interrupted, stopped and killed like any other. One JSON line in (`start` or `poll`), one JSON line out.
"""

import atexit
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from dispatch_to_pipedrive.demo import program

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 300
"""A command that takes longer hangs."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (-9 for SIGKILL) and all it said."""

    code: int
    said: str


@dataclass
class Running:
    """A command under way."""

    launcher: "Launcher"
    pid: int
    output: Path
    ended: Ended | None = None

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def signal(self, which: signal.Signals) -> None:
        os.kill(self.pid, which)

    def poll(self) -> Ended | None:
        if self.ended is None:
            code = self.launcher.ask({"poll": self.pid})["code"]
            self.ended = None if code is None else Ended(code, self.said())
        return self.ended

    def wait(self, seconds: float = SECONDS) -> Ended:
        deadline = time.monotonic() + seconds
        while (ended := self.poll()) is None:
            if time.monotonic() > deadline:
                self.signal(signal.SIGKILL)
                raise AssertionError(f"still running after {seconds} s:\n{self.said()}")
            time.sleep(0.03)
        return ended

    def wait_for(self, words: str, seconds: float = SECONDS) -> None:
        """Until the command has said the words."""
        deadline = time.monotonic() + seconds
        while words not in self.said():
            if self.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"never said {words!r}:\n{self.said()}")
            time.sleep(0.03)


@dataclass
class Launcher:
    """Starts commands."""

    folder: Path
    count: int = 0
    process: "subprocess.Popen[str]" = field(init=False)

    def __post_init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", __spec__.name if __spec__ else __name__],
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "400", "NO_COLOR": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def ask(self, request: Mapping[str, Any]) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def start(
        self,
        arguments: list[str],
        env: Mapping[str, str],
        cwd: Path,
        kill_at: tuple[str, int] | None = None,
        errors: Path | None = None,
    ) -> Running:
        """Start `dispatch-to-pipedrive *arguments`; `kill_at`: it kills itself at the nth pass of a fault point.

        What it says as errors goes to `errors`, or without it where all else goes.
        """
        self.count += 1
        output = self.folder / f"{self.count:04d}.txt"
        output.touch()
        request = {"start": arguments, "env": dict(env), "cwd": str(cwd), "output": str(output)}
        pid = self.ask({**request, "errors": str(errors or output), "kill_at": kill_at})["pid"]
        return Running(self, pid, output)

    def stop(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait(timeout=30)
        if self.process.stdout is not None:
            self.process.stdout.close()


@cache
def warm() -> Launcher:
    """The launcher of this process's tests; it ends with them."""
    folder = Path(tempfile.mkdtemp(prefix="output-"))
    launcher = Launcher(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(launcher.stop)
    return launcher


def _serve() -> None:
    program.start()
    gc.freeze()  # what is loaded stays: no child needs to look through it for garbage
    for line in sys.stdin:
        request = json.loads(line)
        if "poll" in request:
            pid, status = os.waitpid(request["poll"], os.WNOHANG)
            answer: dict[str, Any] = {"code": os.waitstatus_to_exitcode(status) if pid else None}
        else:
            pid = os.fork()
            if pid == 0:
                program.become(request["start"], partial(_prepare, request))
            answer = {"pid": pid}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    gc.unfreeze()


def _prepare(request: Mapping[str, Any]) -> None:
    """What the child sees of the world: as the request says, and nothing of ours."""
    output, errors = (
        os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND) for name in ("output", "errors")
    )
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (output, 1), (errors, 2)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    if request["kill_at"]:
        _kill_at(*request["kill_at"])


def _kill_at(name: str, nth: int) -> None:
    from dispatch_to_pipedrive.migration import faults

    passed = 0

    def hook(point: str) -> None:
        nonlocal passed
        passed += point == name
        if passed == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    faults.install(hook)


if __name__ == "__main__":
    _serve()
