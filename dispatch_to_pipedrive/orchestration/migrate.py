"""In which order `migrate` runs the jobs, and what is left open at its end.

Every step may be killed and run again: what is planned stays planned, what is loaded costs nothing a second time.
All waves are loaded before one listing reads them all back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from dispatch_to_pipedrive.migration.clearance import gates
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.orchestration.assets.common import ENTITIES
from dispatch_to_pipedrive.orchestration.partitions import add_batches
from dispatch_to_pipedrive.orchestration.progress import Listener, listening
from dispatch_to_pipedrive.orchestration.resources import open_ledger
from dispatch_to_pipedrive.orchestration.road import maps_of
from dispatch_to_pipedrive.orchestration.run import execute, open_instance
from dispatch_to_pipedrive.orchestration.tell import status
from dispatch_to_pipedrive.reports.status import Status
from dispatch_to_pipedrive.settings import Settings

_LOADS = (*(f"pipedrive__{entity}" for entity in ENTITIES), "pipedrive__retired")


@dataclass(frozen=True)
class Wish:
    """What was asked for; `through` is sample or full."""

    through: str
    approved_by: str = ""
    retry_quarantined: bool = False
    wait: bool = True


@dataclass(frozen=True)
class Outcome:
    """How it ended; `open_ends` are reasons why it is not done."""

    status: Status
    open_ends: Sequence[str]


def run_migration(settings: Settings, wish: Wish, listener: Listener) -> Outcome:
    """Advance and plan once, prepare, load, reconcile."""
    ledger = open_ledger(settings)
    try:
        with open_instance(settings) as instance, listening(listener):
            failed = _Road(settings, wish, ledger, instance).go()
        told = status(ledger, settings)
    finally:
        ledger.close()
    ends = list(failed)
    if told.quarantined:
        ends.append(f"{len(told.quarantined)} records are set aside: see `status`")
    return Outcome(told, ends)


@dataclass(frozen=True)
class _Road:
    settings: Settings
    wish: Wish
    ledger: Ledger
    instance: dg.DagsterInstance

    def go(self) -> list[str]:
        maps_of(self.settings)  # a mistake in a map is told before anything is asked or written
        began = datetime.now(UTC).isoformat(timespec="microseconds")
        if not self.ledger.manifests():
            self._run("advance_source")
            self._run("plan_batches")
        manifests = self.ledger.manifests()
        add_batches(self.instance, [manifest.key for manifest in manifests])
        self._run("prepare", config={"pipedrive_schema": {"wait": self.wish.wait}})
        ends: list[str] = []
        for kind in ("sample", "wave") if self.wish.through == "full" else ("sample",):
            keys = [manifest.key for manifest in manifests if manifest.kind == kind]
            ends += [end for key in keys for end in self._load(key)]
            ends += [end for key in keys for end in self._reconcile(key, began)]
            if ends:
                break
            self._sign("sample" if kind == "sample" else "full")
        return ends

    def _load(self, key: str) -> list[str]:
        config = {
            step: {"retry_quarantined": self.wish.retry_quarantined, "wait": self.wish.wait}
            for step in _LOADS
        }
        if self._run("load", key, config):
            return []
        found = gates(self.ledger, maps_of(self.settings), self.ledger.manifest(key))
        return [f"batch {key} was not loaded: {gate.words}" for gate in found if not gate.passed]

    def _reconcile(self, key: str, began: str) -> list[str]:
        if self._run("reconcile", key, {"reconciliation": {"begun_after": began}}):
            return []
        return [f"batch {key} differs from what the account holds: see `verify`"]

    def _sign(self, stage: str) -> None:
        scope = self.ledger.bound_scope()
        if self.wish.approved_by and scope is not None:
            generation = max((m.generation_to for m in self.ledger.manifests()), default=0)
            self.ledger.sign(scope.account, stage, generation, self.wish.approved_by)

    def _run(
        self, job: str, batch: str | None = None, config: Mapping[str, Mapping[str, object]] | None = None
    ) -> bool:
        tags = {"dispatch/approved_by": self.wish.approved_by} if self.wish.approved_by else {}
        return execute(self.instance, job, batch=batch, config=config, tags=tags)
