"""One whole migration that several tests look at; each leaves the account as it found it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..program import environment, run
from ..sandbox_process import Sandbox, start_sandbox


@dataclass(frozen=True)
class Migrated:
    """A sandbox whose tenant has been moved, and the settings that did it."""

    sandbox: Sandbox
    settings: dict[str, str]
    home: Path
    said: str


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Migrated]:
    """8 customers, sample and waves, reconciled."""
    home = tmp_path_factory.mktemp("migrated")
    with start_sandbox(customers=8, seed=1, no_limits=True) as sandbox:
        settings = environment(sandbox, home, WAVE_RECORDS="40")
        ended = run(settings, "migrate", "--through", "full", "--approve-as", "Ada Lovelace")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        yield Migrated(sandbox, settings, home, ended.stdout)
