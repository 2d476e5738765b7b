"""The world that the stories play in."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dispatch_to_pipedrive_tests.acceptance.world import Migrated, Migration
from dispatch_to_pipedrive_tests.launcher import Launcher, warm
from dispatch_to_pipedrive_tests.sandbox_process import Sandbox, start_sandbox

CUSTOMERS, SEED = 10, 3
EXCHANGES = "exchanges.jsonl"
"""Beside the home of `migrated`: every request that its migration made, with the account's answer."""


@pytest.fixture(scope="session")
def launcher() -> Launcher:
    """Starts the program."""
    return warm()


@pytest.fixture
def migration(
    launcher: Launcher, new_sandbox: Callable[..., Sandbox], tmp_path: Path
) -> Callable[..., Migration]:
    """Starts a sandbox (10 customers, premium, two seats, limits off unless told) and gives it a fresh home.

    `env` are the program's settings; all else are options of the sandbox.
    """
    count = 0

    def start(env: dict[str, str] | None = None, **options: Any) -> Migration:
        nonlocal count
        count += 1
        chosen = {"customers": CUSTOMERS, "seed": SEED, "plan": "premium", "seats": 2, "no_limits": True}
        chosen |= options
        plan = {"PIPEDRIVE_PLAN": str(chosen["plan"]), "PIPEDRIVE_SEATS": str(chosen["seats"])}
        return Migration(launcher, new_sandbox(**chosen), tmp_path / f"home-{count}", {**plan, **(env or {})})

    return start


@pytest.fixture(scope="session")
def migrated(launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Migrated]:
    """A small tenant's migration that ended well; every test takes `migrated.again(home)`."""
    home = tmp_path_factory.mktemp("migrated") / "home"
    env = {"PIPEDRIVE_PLAN": "premium", "PIPEDRIVE_SEATS": "2"}
    with start_sandbox(customers=CUSTOMERS, seed=SEED, plan="premium", seats=2, no_limits=True) as sandbox:
        first = Migration(launcher, sandbox, home, env)
        before = first.account("dump")
        first.account("record", {"path": str(home.parent / EXCHANGES)})
        ended = first.migrate()
        assert ended.code == 0, ended.said
        first.account("record", {"stop": True})
        yield Migrated(launcher, sandbox, home, first.account("dump"), env, before)
