"""What every test may lean on: a sandbox shared by readers, and sandboxes of one's own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .sandbox_process import Sandbox, start_sandbox

DEAR = ("migrated", "verdicts")
"""Fixtures that take long to make: all tests that lean on one run in one process."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group the tests that share a dear fixture, and begin with what takes long."""
    for item in items:
        for name in set(DEAR) & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group(f"{name} of {item.path.parent.name}"))
    items.sort(key=lambda item: not (item.get_closest_marker("xdist_group") or "invariant" in item.path.name))


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
