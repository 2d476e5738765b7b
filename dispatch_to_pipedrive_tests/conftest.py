"""What every test may lean on: a sandbox shared by readers, and sandboxes of one's own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .sandbox_process import Sandbox, start_sandbox


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """A sandbox of 20 customers without limits, for tests that only read from it."""
    with start_sandbox(customers=20, seed=1, no_limits=True) as sandbox:
        yield sandbox


@pytest.fixture
def new_sandbox() -> Iterator[Callable[..., Sandbox]]:
    """Starts sandboxes that this test may change; all are stopped when it ends."""
    started: list[Sandbox] = []

    def start(**options: Any) -> Sandbox:
        started.append(start_sandbox(**options))
        return started[-1]

    yield start
    for sandbox in started:
        sandbox.stop()
