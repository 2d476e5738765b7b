"""The world that engine tests run in."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatch_to_pipedrive_tests.migration.world import World, prepared
from dispatch_to_pipedrive_tests.postgres import Postgres, running_postgres
from dispatch_to_pipedrive_tests.sandbox_process import start_sandbox


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A sandbox account without limits, its schema made; reset it by `control("load", …)`."""
    memory = Path("/dev/shm")
    folder = tmp_path_factory.mktemp("world")
    if memory.is_dir():
        folder = Path(tempfile.mkdtemp(prefix="world-", dir=memory))
    with start_sandbox(customers=3, seed=7, no_limits=True, plan="premium") as sandbox:
        yield prepared(sandbox.pipedrive_url, sandbox.env["PIPEDRIVE_API_TOKEN"], folder, grace=0.05)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def world_on_postgres(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The same world with its ledger in a PostgreSQL database."""
    folder = tmp_path_factory.mktemp("world")
    with start_sandbox(customers=3, seed=7, no_limits=True, plan="premium") as sandbox:
        token = sandbox.env["PIPEDRIVE_API_TOKEN"]
        yield prepared(sandbox.pipedrive_url, token, folder, ledger_url=postgres.create(), grace=0.05)
