"""Who works on both sides while a migration goes on? The tenant's office and the account's users, beside a test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from dispatch_to_pipedrive_tests.sandbox_process import Sandbox
from dispatch_to_pipedrive_tests.writers.office import Office
from dispatch_to_pipedrive_tests.writers.users import Users

__all__ = ["Office", "Users", "Worker", "at_work"]

PER_SECOND = 2.0
"""Changes in a second of the sandbox's clock."""


class Worker(Protocol):
    """Somebody who makes one change at a time."""

    sandbox: Sandbox

    def change(self) -> str:
        """Make one change; answers its kind."""


@contextmanager
def at_work(worker: Worker, per_second: float = PER_SECOND) -> Iterator[None]:
    """Let somebody work beside the test, so many changes a second of the sandbox's clock; their trouble is ours."""
    over = threading.Event()
    trouble: list[BaseException] = []

    def now() -> float:
        shown = worker.sandbox.control("dispatch", "clock")["now"]
        return datetime.fromisoformat(shown).timestamp()

    start = now()

    def work() -> None:
        try:
            made = 0
            while not over.is_set():
                if made < (now() - start) * per_second:
                    worker.change()
                    made += 1
                else:
                    over.wait(0.05)
        except BaseException as error:
            trouble.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(60)
    if trouble:
        raise AssertionError("the work beside the test came to grief") from trouble[0]
