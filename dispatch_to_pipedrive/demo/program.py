"""How the demo runs the program: each command in a process of its own, forked from one that has started already.

What a command does is its own affair; only the seconds that an interpreter takes to start are paid once.
"""

import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

_MODULES = (
    "anyio._backends._asyncio",
    "dispatch_to_pipedrive.cli",
    "dispatch_to_pipedrive.orchestration.migrate",
    "dispatch_to_pipedrive.orchestration.storage",
    "dispatch_to_pipedrive.orchestration.verify",
    "dispatch_to_pipedrive.reports.bars",
    "dispatch_to_pipedrive.reports.tables",
    "pandera.backends.pandas.builtin_checks",
)
"""What a command imports, some of it only when it gets there."""


def start() -> None:
    """Read the program's modules in; what is forked afterwards has them."""
    for name in _MODULES:
        import_module(name)


def run(environment: Mapping[str, str], *arguments: str) -> int:
    """Run `dispatch-to-pipedrive` to its end; its exit code. Ctrl-C is its own affair."""
    return _forked(environment, arguments, None)


def answer(environment: Mapping[str, str], *arguments: str) -> Any:
    """What a command says in JSON; RuntimeError if it ends otherwise than with 0."""
    with tempfile.TemporaryFile() as said:
        code = _forked(environment, arguments, said.fileno())
        if code:
            raise RuntimeError(f"dispatch-to-pipedrive {' '.join(arguments)} ended with {code}")
        said.seek(0)
        return json.loads(said.read())


def _forked(environment: Mapping[str, str], arguments: tuple[str, ...], output: int | None) -> int:
    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if output is not None:
            os.dup2(output, 1)
        os.environ.update(environment)

    sys.stdout.flush()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        become(arguments, prepare)
    ended = False
    try:
        _, status = os.waitpid(pid, 0)
        ended = True
        return os.waitstatus_to_exitcode(status)
    finally:
        if not ended:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
                os.waitpid(pid, 0)
        signal.signal(signal.SIGINT, before)


def become(arguments: Sequence[str], prepare: Callable[[], None]) -> NoReturn:
    """The child: make ready, go through the program's front door as the shell would, and end."""
    code = 1
    try:
        prepare()
        sys.argv = ["dispatch-to-pipedrive", *arguments]
        from dispatch_to_pipedrive.cli import main

        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
