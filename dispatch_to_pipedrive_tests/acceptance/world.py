"""A migration as a person runs it: a sandbox, a home, the command line, and looks into the account."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dispatch_to_pipedrive_tests.launcher import ROOT, Ended, Launcher, Running
from dispatch_to_pipedrive_tests.program import maps_beside
from dispatch_to_pipedrive_tests.sandbox_process import Sandbox

BRISK = {"MIGRATION_LEASE": "2", "MIGRATION_GRACE": "1.5", "MIGRATION_REQUEST_TIMEOUT": "1"}
APPROVED = ("--approve-as", "me")
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "TZ")


@dataclass
class Migration:
    """One home against one sandbox."""

    launcher: Launcher
    sandbox: Sandbox
    home: Path
    env: dict[str, str] = field(default_factory=dict)

    def environment(self, changes: Mapping[str, str] | None = None) -> dict[str, str]:
        """What the program sees: nothing of the tests' own settings. '' takes a variable away."""
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        home = {"MIGRATION_HOME": str(self.home), "FALLBACK_OWNER_EMAIL": "admin@company.example"}
        if self.home.parent.is_dir():
            home["MAPPINGS_DIR"] = str(maps_beside(self.home))
        together = {**inherited, **BRISK, **home, **self.sandbox.env, **self.env, **(changes or {})}
        return {name: value for name, value in together.items() if value}

    def start(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        kill_at: tuple[str, int] | None = None,
    ) -> Running:
        """Start the program and come back at once."""
        return self.launcher.start(list(arguments), self.environment(env), ROOT, kill_at)

    def run(self, *arguments: str, **options: Any) -> Ended:
        """Run the program to its end."""
        return self.start(*arguments, **options).wait()

    def sample(self, *arguments: str, **options: Any) -> Ended:
        """`migrate --through sample`, to its end: the whole of a tenant so small that it is its own sample."""
        return self.run("migrate", "--through", "sample", *APPROVED, *arguments, **options)

    def migrate(self, *arguments: str, **options: Any) -> Ended:
        """`migrate --through full`, to its end."""
        return self.run("migrate", "--through", "full", *APPROVED, *arguments, **options)

    def account(self, path: str, body: Any = None) -> Any:
        """A control endpoint of the Pipedrive account."""
        return self.sandbox.control("pipedrive", path, body)

    @property
    def writes(self) -> int:
        """Accepted writes since the last reset."""
        return int(self.account("stats")["writes"])


@dataclass(frozen=True)
class Migrated:
    """A migration that is done: its sandbox, dumps of the account after it and before, and the home as it was then."""

    launcher: Launcher
    sandbox: Sandbox
    home: Path
    dump: dict[str, Any]
    env: dict[str, str]
    before: dict[str, Any] = field(default_factory=dict, repr=False)

    def fresh(self, home: Path) -> Migration:
        """The account as it was then, and a home that knows nothing: for commands that are refused."""
        migration = Migration(self.launcher, self.sandbox, home, dict(self.env))
        migration.account("faults", {"clear": True})
        migration.account("load", self.dump)
        migration.account("stats/reset", {})
        return migration

    def again(self, home: Path) -> Migration:
        """The account and the home as they were when the migration had ended."""
        shutil.copytree(self.home, home, symlinks=True)
        shutil.copytree(maps_beside(self.home), f"{home}.maps")
        return self.fresh(home)
