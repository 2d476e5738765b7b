"""What does a step cost in a process of its own: seconds, peak memory, bytes read?

`in_own_process(function, **arguments)` runs a function of a module there; arguments and result are JSON.
"""

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class StepFailed(RuntimeError):
    """The step's process ended badly; it has said why on stderr."""


@dataclass(frozen=True)
class Took:
    """A step's result; the peak of its resident memory, and what it read through the system, in bytes.

    `cpu` are the seconds that its own threads were computing: on a busy machine they say more than `seconds`.
    """

    result: Any
    seconds: float
    cpu: float
    peak: int
    read: int


def in_own_process(step: Callable[..., Any], **arguments: Any) -> Took:
    """Run a module's function in a fresh Python."""
    name = f"{step.__module__}:{step.__qualname__}"
    done = subprocess.run(
        [sys.executable, "-m", "dispatch_to_pipedrive_tests.bench.child", name],
        input=json.dumps(arguments, default=str),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        raise StepFailed(f"{name} ended with {done.returncode}")
    return Took(**json.loads(done.stdout.splitlines()[-1]))


def bytes_read() -> int:
    """What this process has read so far, from disk or from the page cache."""
    return _number(Path("/proc/self/io"), "rchar:")


def peak_memory() -> int:
    """The most memory this program ever held, not counting what its parent held before it began."""
    return 1024 * _number(Path("/proc/self/status"), "VmHWM:")


def _number(file: Path, key: str) -> int:
    for line in file.read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    raise KeyError(f"{key} in {file}: this system does not tell")


def main() -> None:
    """Run what the command line names."""
    module, function = sys.argv[1].split(":")
    step = getattr(importlib.import_module(module), function)
    arguments = json.load(sys.stdin)
    read, began = bytes_read(), time.perf_counter()
    result = step(**arguments)
    took = {
        "result": result,
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time(),
        "read": bytes_read() - read,
        "peak": peak_memory(),
    }
    print(json.dumps(took))


if __name__ == "__main__":
    main()
