"""What every test may lean on: a sandbox shared by readers, and sandboxes of one's own."""

import gc
import os
import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from .promises import Collector
from .sandbox_process import Sandbox, start_sandbox

DEAR = re.compile(r"\b(migrated|running|verdicts): ")
"""Fixtures that take long to make, as parameters of tests."""
FIRST = ("acceptance", "migration", "cli", "bench", "totals")
"""Folders whose tests take long: what begins last should be short."""
ROOT = Path(__file__).parent


MEMORY = Path("/dev/shm")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--promises", metavar="FILE", help="write there which tests prove which promise")


def pytest_configure(config: pytest.Config) -> None:
    """Homes in memory, where there is enough of it: SQLite waits for the disk with every commit."""
    config.pluginmanager.register(Collector(config.getoption("promises")), "promises")
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2 << 30:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long."""
    items.sort(key=lambda item: (*FIRST, item.path.parent.name).index(item.path.parent.name))


def pytest_collection_finish() -> None:
    """What is loaded stays: to look through it for garbage again and again takes a tenth of the time."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """At the end everything goes, in order."""
    gc.unfreeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Which tests run in one process: xdist's own groups have no effect with this pytest."""
    return _Shared(config, log)


class _Shared(LoadScopeScheduling):
    """Tests of a folder that lean on a dear fixture go together, long ones alone, others by file."""

    def _split_scope(self, nodeid: str) -> str:
        path = Path(nodeid.partition("::")[0])
        if _leans_on_a_dear_fixture(path):
            return path.parent.name
        return nodeid if path.parent.name in FIRST else str(path)


@cache
def _leans_on_a_dear_fixture(path: Path) -> bool:
    return bool(DEAR.search((ROOT.parent / path).read_text(encoding="utf-8")))


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
