"""Starts the sandbox as its users do, in a process of its own, and talks to its control endpoints."""

import atexit
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120


class SandboxError(RuntimeError):
    """The sandbox did not start; carries its exit code and what it said."""

    def __init__(self, code: int | None, stderr: str) -> None:
        super().__init__(f"the sandbox did not start (exit code {code}): {stderr.strip()}")
        self.code = code
        self.stderr = stderr


@dataclass
class Sandbox:
    """A running sandbox. `env` holds what it printed, ready to be a program's environment."""

    env: dict[str, str]
    process: subprocess.Popen[str]
    _http: httpx.Client

    @property
    def dispatch_url(self) -> str:
        return self.env["DISPATCH_PRO_API_URL"]

    @property
    def pipedrive_url(self) -> str:
        return self.env["PIPEDRIVE_API_URL"]

    def control(self, server: str, path: str, json: Any = None) -> Any:
        """GET, or POST if `json` is given, `/_control/{path}` of server "dispatch" or "pipedrive"."""
        base = {"dispatch": self.dispatch_url, "pipedrive": self.pipedrive_url}[server]
        url = f"{base}/_control/{path.removeprefix('/_control').strip('/')}"
        answer = self._http.get(url) if json is None else self._http.post(url, json=json)
        if answer.is_error:
            raise AssertionError(f"{url}: {answer.status_code} {answer.text}")
        return answer.json()

    def change(self, action: str, **parameters: Any) -> Any:
        """Change the Dispatch Pro tenant; answers the record as it is then."""
        return self.control("dispatch", "tenant", {"action": action, **parameters})["record"]

    def advance(self, seconds: float) -> None:
        """Move the clock of both servers on."""
        self.control("dispatch", "clock", {"advance": seconds})

    def token(self) -> str:
        """A fresh Dispatch Pro token."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.env["DISPATCH_PRO_CLIENT_ID"],
            "client_secret": self.env["DISPATCH_PRO_CLIENT_SECRET"],
        }
        answer = self._http.post(f"{self.env['DISPATCH_PRO_AUTH_URL']}/connect/token", data=form)
        return str(answer.raise_for_status().json()["access_token"])

    def source(self) -> httpx.Client:
        """A client of the Dispatch Pro API with token and app key; `{t}` in no path: use `tenant_path`."""
        headers = {"Authorization": f"Bearer {self.token()}", "ST-App-Key": self.env["DISPATCH_PRO_APP_KEY"]}
        return httpx.Client(base_url=self.dispatch_url, headers=headers, timeout=30)

    def tenant_path(self, module: str, rest: str) -> str:
        """`/crm/v2/tenant/{id}/customers` of ("crm/v2", "customers")."""
        return f"/{module}/tenant/{self.env['DISPATCH_PRO_TENANT_ID']}/{rest}"

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it; answers the exit code."""
        self._http.close()
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            code = self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        atexit.unregister(self.process.kill)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_sandbox(customers: int = 20, seed: int = 1, **options: Any) -> Sandbox:
    """Start a sandbox on free ports and wait until it is READY.

    Options are those of its command line with underscores: `plan`, `seats`, `latency_ms`, `now`, `export_lag`,
    `load`, `dispatch_port`, …; a flag such as `no_limits` is True or False.
    """
    arguments = ["--customers", str(customers), "--seed", str(seed)]
    for name, value in {"dispatch_port": 0, "pipedrive_port": 0, **options}.items():
        option = "--" + name.replace("_", "-")
        if value is True:
            arguments.append(option)
        elif value is not False and value is not None:
            arguments += [option, str(value)]
    process = subprocess.Popen(
        [sys.executable, "-m", "dispatch_to_pipedrive.sandbox", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    atexit.register(process.kill)
    lines, errors = _follow(process)
    env: dict[str, str] = {}
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            line = lines.get(timeout=max(deadline - time.monotonic(), 0.01))
        except queue.Empty:
            process.kill()
            raise SandboxError(None, f"not READY after {START_SECONDS} s") from None
        if line is None:
            code = process.wait()
            errors.join()
            raise SandboxError(code, "".join(errors.said))
        if line == "READY":
            if options.get("no_limits"):
                env["DISPATCH_PRO_CALLS_PER_SECOND"] = "2000"
            return Sandbox(env, process, httpx.Client(timeout=30))
        key, _, value = line.partition("=")
        env[key] = value


class _Errors(threading.Thread):
    """Reads stderr, so that the process never waits for us."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        super().__init__(daemon=True)
        self._stream = process.stderr
        self.said: list[str] = []

    def run(self) -> None:
        try:
            for line in self._stream or ():
                self.said.append(line)
        except ValueError:
            return


def _follow(process: subprocess.Popen[str]) -> tuple["queue.Queue[str | None]", _Errors]:
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        try:
            for line in process.stdout or ():
                lines.put(line.rstrip("\n"))
        except ValueError:
            return
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    errors = _Errors(process)
    errors.start()
    return lines, errors
