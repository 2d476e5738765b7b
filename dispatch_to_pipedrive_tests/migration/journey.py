"""A migration that is driven job by job, in this process: a sandbox, a home, the road's own jobs."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dispatch_to_pipedrive.migration.approval import SAMPLE
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.plan import waiting
from dispatch_to_pipedrive.migration.values import Manifest
from dispatch_to_pipedrive.orchestration.partitions import add_batches
from dispatch_to_pipedrive.orchestration.present import sample_rendering
from dispatch_to_pipedrive.orchestration.resources import Migration, open_ledger, reading
from dispatch_to_pipedrive.orchestration.run import execute, open_instance
from dispatch_to_pipedrive.settings import Settings, load_settings
from dispatch_to_pipedrive_tests.program import environment
from dispatch_to_pipedrive_tests.sandbox_process import Sandbox

HORIZON = 16 * 60
"""Seconds after which every change shows in its feed."""


@dataclass(frozen=True)
class Journey:
    """One home against one sandbox, with the instance and the ledger open."""

    sandbox: Sandbox
    settings: Settings
    instance: dg.DagsterInstance
    ledger: Ledger

    @property
    def account(self) -> str:
        scope = self.ledger.bound_scope()
        assert scope is not None
        return scope.account

    def run(
        self, job: str, batch: str | None = None, config: Mapping[str, Mapping[str, Any]] | None = None
    ) -> bool:
        """Run a job to its end; whether it succeeded."""
        return execute(self.instance, job, batch=batch, config=config)

    def advance(self, seconds: float = HORIZON) -> list[Manifest]:
        """Let the sandbox's clock go on, read the source on and plan; the batches that wait now."""
        if seconds:
            self.sandbox.advance(seconds)
        assert self.run("advance_and_plan")
        return self.waiting()

    def waiting(self) -> list[Manifest]:
        return waiting(self.ledger, self.account)

    def begin(self, *, approve: bool = True) -> list[str]:
        """Plan, confirm the map, prepare the account and approve the sample unseen; the keys of the waves."""
        self.sandbox.advance(HORIZON)
        assert self.run("advance_and_plan")
        manifests = self.ledger.manifests()
        add_batches(self.instance, [manifest.key for manifest in manifests])
        everybody = {str(one["id"]): "fallback" for one in rows(self.sandbox, "settings/v2", "technicians")}
        config = {"approver": "Ada", "technicians": everybody}
        assert self.run("confirm_map", config={"map_confirmation": config})
        assert self.run("prepare")
        if approve:
            asyncio.run(self._approve())
        return [manifest.key for manifest in manifests if manifest.kind == "wave"]

    async def _approve(self) -> None:
        migration = Migration.over(self.settings, self.ledger)
        async with reading(self.ledger, self.settings, purpose="a test") as session:
            schema = await migration.account_schema(session)
            found = sample_rendering(migration, session, schema)
        document = {"rendering": found.document(), "records": found.count}
        self.ledger.approve(self.account, SAMPLE, found.digest, name="Ada", document=document)

    def dump(self) -> dict[str, Any]:
        """The account as it is."""
        found: dict[str, Any] = self.sandbox.control("pipedrive", "dump")
        return found

    def writes(self) -> int:
        """Accepted writes since the last time that it was asked."""
        found = int(self.sandbox.control("pipedrive", "stats")["writes"])
        self.sandbox.control("pipedrive", "stats/reset", {})
        return found


def rows(sandbox: Sandbox, module: str, feed: str) -> list[dict[str, Any]]:
    """All records of a list of the tenant, inactive ones too."""
    with sandbox.source() as source:
        answer = source.get(sandbox.tenant_path(module, feed), params={"active": "Any", "pageSize": "5000"})
    found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
    return found


@contextmanager
def journey(sandbox: Sandbox, home: Path, **settings: str) -> Iterator[Journey]:
    """A migration from and to a sandbox; `settings` are environment variables of the program."""
    with pytest.MonkeyPatch.context() as patch:
        for name in Settings.model_fields:
            patch.delenv(name.upper(), raising=False)
        for name, value in environment(sandbox, home, **settings).items():
            patch.setenv(name, value)
        patch.setenv("DAGSTER_HOME", "to be set by the program")
        chosen = load_settings()
        ledger = open_ledger(chosen)
        try:
            with open_instance(chosen) as instance:
                yield Journey(sandbox, chosen, instance, ledger)
        finally:
            ledger.close()
