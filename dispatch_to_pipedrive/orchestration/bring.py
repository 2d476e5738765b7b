"""How does the shell bring batches? Job by job, in its own process, on the instance that the UI opens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.migration.plan import waiting
from dispatch_to_pipedrive.orchestration.assets.common import ENTITIES
from dispatch_to_pipedrive.orchestration.homes import frame_path
from dispatch_to_pipedrive.orchestration.io_managers import from_parquet
from dispatch_to_pipedrive.orchestration.partitions import add_batches
from dispatch_to_pipedrive.orchestration.prepared import preparing_is_due
from dispatch_to_pipedrive.orchestration.run import execute
from dispatch_to_pipedrive.settings import Settings

_LOADS = (*(f"pipedrive__{entity}" for entity in ENTITIES), "pipedrive__retired")


@dataclass(frozen=True)
class Wish:
    """What was asked for; `through` is assess, sample, full, delta or signoff."""

    through: str
    approved_by: str = ""
    retry_quarantined: bool = False
    wait: bool = True


@dataclass(frozen=True)
class Road:
    """The jobs in their order, on one home."""

    settings: Settings
    wish: Wish
    ledger: Ledger
    instance: dg.DagsterInstance

    def run(
        self, job: str, batch: str | None = None, config: Mapping[str, Mapping[str, object]] | None = None
    ) -> bool:
        """Run a job; whether it succeeded, its blocking checks included."""
        tags = {"dispatch/approved_by": self.wish.approved_by} if self.wish.approved_by else {}
        return execute(self.instance, job, batch=batch, config=config, tags=tags)

    def prepare(self) -> None:
        """Make the account's schema, and match technicians."""
        self.run("prepare", config={"pipedrive_schema": {"wait": self.wish.wait}})

    def bring(self, keys: Sequence[str], began: str) -> list[str]:
        """Load batches and read them back; why that is not done."""
        ends: list[str] = []
        for key in keys:
            if closed := self.load(key):
                return [*ends, *closed]
        for key in keys:
            ends += self.reconcile(key, began)
        return ends

    def load(self, key: str) -> list[str]:
        """Load a batch; the gates that kept it from being loaded."""
        return [] if self.run("load", key, self._how_to_load()) else self._closed(key)

    def reconcile(self, key: str, began: str) -> list[str]:
        """Read a batch back from a listing begun later than `began` (ISO, UTC); why it is not as it should be."""
        if self.run("reconcile", key, {"reconciliation": {"begun_after": began}}):
            return []
        return [f"batch {key} differs from what the account holds: see `verify`"]

    def deltas(self, began: str) -> list[str]:
        """Advance once and plan, and bring what waits until nothing does; why that is not done."""
        self.run("advance_and_plan")
        account = self.scope().account
        while batches := waiting(self.ledger, account):
            add_batches(self.instance, [manifest.key for manifest in batches])
            for manifest in batches:
                if ends := self._deliver(manifest.key, began):
                    return ends
            self.run("plan_batches")  # what had arrived while a delta waited
        if preparing_is_due(self.ledger, account):
            self.prepare()
        return []

    def scope(self) -> Scope:
        """The account and the tenant."""
        scope = self.ledger.bound_scope()
        if scope is None:
            raise RuntimeError("the account was met by `technician_owners`")
        return scope

    def _deliver(self, key: str, began: str) -> list[str]:
        config = {
            **self._how_to_load(),
            "pipedrive_schema": {"wait": self.wish.wait},
            "reconciliation": {"begun_after": began},
        }
        if self.run("deliver", key, config):
            return []
        return self._closed(key) or [f"batch {key} differs from what the account holds: see `verify`"]

    def _how_to_load(self) -> dict[str, Mapping[str, object]]:
        how = {"retry_quarantined": self.wish.retry_quarantined, "wait": self.wish.wait}
        return dict.fromkeys(_LOADS, how)

    def _closed(self, key: str) -> list[str]:
        """The gates that kept a batch from being loaded."""
        rows = from_parquet(frame_path(self.settings, self.ledger, "clearance", key).read_bytes())
        closed = rows[~rows["passed"].astype(bool)]
        words = zip(closed["name"], closed["words"], strict=True)
        return [f"batch {key} was not loaded: {name}: {why}" for name, why in words]
