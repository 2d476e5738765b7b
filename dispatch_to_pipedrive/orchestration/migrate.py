"""In which order `migrate` runs the jobs, where it waits for a person, and what is left open at its end.

Every step may be killed and run again: what is planned stays planned, batches that are whole are passed over until all
are, what was approved stays approved while it means the same. All waves are loaded before one listing reads them all
back. A delta is brought and read back in one run, as the sensor does it.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import dagster as dg

from dispatch_to_pipedrive.mapping.meaning import digest, meaning
from dispatch_to_pipedrive.migration.approval import MAP, SAMPLE
from dispatch_to_pipedrive.migration.clearance import APPROVE, CONFIRM, Gate, map_gate, owners_gate
from dispatch_to_pipedrive.migration.decisions import TO_FALLBACK
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.migration.ledger.approvals import signature
from dispatch_to_pipedrive.migration.lifecycle import signed_off
from dispatch_to_pipedrive.migration.owners import undecided
from dispatch_to_pipedrive.migration.plan import is_unplanned, waiting
from dispatch_to_pipedrive.migration.preflight import failing
from dispatch_to_pipedrive.migration.sign_off import accepted_quarantine, undecided_quarantine
from dispatch_to_pipedrive.orchestration.asking import keep_spent, kept_checks, require_account
from dispatch_to_pipedrive.orchestration.assets.common import ENTITIES
from dispatch_to_pipedrive.orchestration.decided_by import decided_by
from dispatch_to_pipedrive.orchestration.drain import frozen_at, held_back, lag
from dispatch_to_pipedrive.orchestration.finish import finish
from dispatch_to_pipedrive.orchestration.homes import frame_path, home_of
from dispatch_to_pipedrive.orchestration.io_managers import from_parquet
from dispatch_to_pipedrive.orchestration.partitions import add_batches
from dispatch_to_pipedrive.orchestration.prepared import preparing_is_due
from dispatch_to_pipedrive.orchestration.present import decisions_of, open_proposals, present
from dispatch_to_pipedrive.orchestration.progress import Listener, listening
from dispatch_to_pipedrive.orchestration.resources import Migration, open_ledger, reading, require_may_begin
from dispatch_to_pipedrive.orchestration.road import maps_of
from dispatch_to_pipedrive.orchestration.run import execute, open_instance
from dispatch_to_pipedrive.orchestration.sign_off import batch_facts
from dispatch_to_pipedrive.orchestration.tell import status
from dispatch_to_pipedrive.reports.status import Status
from dispatch_to_pipedrive.settings import Settings

_TO_THE_END = ("delta", "signoff")
_LOADS = (*(f"pipedrive__{entity}" for entity in ENTITIES), "pipedrive__retired")
PAGES = {
    "the assessment": "reports/assessment/assessment.html",
    "what becomes of every field": "reports/inventory/inventory.html",
    "what to rebuild by hand": "reports/checklist/checklist.html",
    "the sample's diff": "reports/sample/diff.html",
}
"""Pages below MIGRATION_HOME that a person looks at before saying yes."""


@dataclass(frozen=True)
class Wish:
    """What was asked for; `through` is assess, sample, full, delta or signoff."""

    through: str
    approved_by: str = ""
    retry_quarantined: bool = False
    wait: bool = True


@dataclass(frozen=True)
class Outcome:
    """How it ended; `open_ends` are reasons why it is not done, `notes` what a person may want to look at."""

    status: Status
    open_ends: Sequence[str]
    notes: Sequence[str] = field(default=())


def run_migration(settings: Settings, wish: Wish, listener: Listener) -> Outcome:
    """Advance and plan once, assess, prepare, load, reconcile; as far as asked and as far as people have said yes."""
    # A name that cannot stand on record, a mistake in a map or the owner file: told before anything is opened.
    if wish.approved_by:
        signature(wish.approved_by)
    maps_of(settings)
    decisions_of(settings)
    ledger = open_ledger(settings)
    try:
        with open_instance(settings) as instance, listening(listener):
            road = Road(settings, wish, ledger, instance)
            ends = road.go()
        return outcome_of(settings, ledger, ends, road.pages())
    finally:
        ledger.close()


def outcome_of(settings: Settings, ledger: Ledger, ends: Sequence[str], notes: Sequence[str]) -> Outcome:
    """How it ended, records that are set aside included."""
    told = status(ledger, settings)
    aside = [f"{count} records are set aside: see `status`"] if (count := _undecided(ledger)) else []
    return Outcome(told, [*ends, *aside], notes)


def _undecided(ledger: Ledger) -> int:
    """How many records are set aside without that anybody has accepted it."""
    scope = ledger.bound_scope()
    if scope is None:
        return 0
    return len(undecided_quarantine(ledger.quarantined(scope), accepted_quarantine(ledger, scope)))


@dataclass(frozen=True)
class Road:
    """The jobs in their order, on one home."""

    settings: Settings
    wish: Wish
    ledger: Ledger
    instance: dg.DagsterInstance

    def go(self) -> list[str]:
        """Go as far as asked; why it ended before."""
        began = datetime.now(UTC).isoformat(timespec="microseconds")
        if self._is_over():
            return []
        if not self.ledger.manifests():
            require_account(self.settings)  # a wrong token is told before anything is read from the source
            self.run("advance_source")
            self.run("plan_batches")
        manifests = self.ledger.manifests()
        add_batches(self.instance, [manifest.key for manifest in manifests])
        if failed := self._assess():
            return failed
        if self.wish.through == "assess":
            return []
        if closed := self._decide():
            return [closed]
        first = [m.key for m in manifests if m.kind == "sample"]
        waves = [m.key for m in manifests if m.kind == "wave" and self.wish.through != "sample"]
        todo = self._to_bring([*first, *waves])
        if todo:
            self.prepare()
        if ends := self.bring([key for key in first if key in todo], began):
            return ends
        if self.wish.through == "sample":
            return []
        waves = [key for key in waves if key in todo]
        if waves and (closed := self.approve()):
            return [closed]
        if ends := self.bring(waves, began):
            return ends
        self._sign()
        keep_spent(self.ledger, self.scope().account)
        return self._cut_over(began)

    def pages(self) -> list[str]:
        """Where the pages are that a person looks at, and how much is open."""
        home = home_of(self.settings, self.ledger)
        lines = [f"{what}: {home / page}" for what, page in PAGES.items() if self._has(page)]
        if open_ := open_proposals(self.settings):
            lines.append(
                f"{len(open_)} proposals are open, so what they name is not moved: {self.settings.maps / 'proposed'}"
            )
        return [*lines, *self._lag()] if self.wish.through in _TO_THE_END else lines

    def bring(self, keys: Sequence[str], began: str) -> list[str]:
        """Load batches and read them back; why that is not done."""
        ends: list[str] = []
        for key in keys:
            if closed := self.load(key):
                return [*ends, *closed]
        for key in keys:
            ends += self.reconcile(key, began)
        return ends

    def run(
        self, job: str, batch: str | None = None, config: Mapping[str, Mapping[str, object]] | None = None
    ) -> bool:
        """Run a job; whether it succeeded, its blocking checks included."""
        tags = {"dispatch/approved_by": self.wish.approved_by} if self.wish.approved_by else {}
        return execute(self.instance, job, batch=batch, config=config, tags=tags)

    def _cut_over(self, began: str) -> list[str]:
        """What follows the waves, as far as asked; why that is not done."""
        if self.wish.through == "signoff":
            return finish(self, began)
        return self.deltas(began) if self.wish.through == "delta" else []

    def _is_over(self) -> bool:
        """Whether the sign-off that was asked for stands; GateClosed where nothing may be written, told at once."""
        scope = self.ledger.bound_scope()
        if scope is None or self.wish.through == "assess":
            return False
        if self.wish.through == "signoff" and signed_off(self.ledger, scope.account):
            return True
        require_may_begin(self.ledger, scope.account)
        return False

    def _has(self, page: str) -> bool:
        return (home_of(self.settings, self.ledger) / page).is_file()

    def _assess(self) -> list[str]:
        """Before people have confirmed anything they get to see the tenant, later only when they ask; what fails."""
        scope = self.ledger.bound_scope()
        asked = self.wish.through == "assess"
        if scope is None or asked or self.ledger.latest_approval(scope.account, MAP) is None:
            self.run("assess")
            if asked:
                self.run("take_inventory")
            return [f"preflight, {check}" for check in failing(kept_checks(self.ledger))]
        if not self._owners(scope).passed:
            self.run("match_technicians")
        return []

    def _decide(self) -> str:
        """What a person has to decide before anything is written; '' if nothing is open, or was approved just now."""
        scope = self.scope()
        found = digest(meaning(maps_of(self.settings)))
        confirmed = self.ledger.approval_of(scope.account, MAP, found) is not None
        open_ = undecided(self.ledger.owners(scope.account))
        if self.wish.approved_by:
            left = {
                str(row.technician_id): TO_FALLBACK for row in open_ if self.settings.fallback_owner_email
            }
            if left or not confirmed:
                config = {"approver": self.wish.approved_by, "technicians": left}
                self.run("confirm_map", config={"map_confirmation": config})
        elif self.ledger.latest_approval(scope.account, MAP) is None:
            return f"map_confirmed: nobody has confirmed the map: {CONFIRM}"
        elif not confirmed and not (gate := self._map(scope)).passed:
            return f"{gate.name}: {gate.words}"
        gate = self._owners(scope)
        return "" if gate.passed else f"{gate.name}: {gate.words}"

    def approve(self) -> str:
        """Why no wave may be loaded yet; '' if the sample is approved, or was just now."""
        scope = self.scope()
        approved = self.ledger.latest_approval(scope.account, SAMPLE)
        report = self.ledger.batch_reports(scope.account).get((SAMPLE, "reconciliation"), {})
        if approved is not None and approved.digest == report.get("rendering"):
            return ""
        if self.wish.approved_by:
            self.run("approve_sample", config={"sample_approval": {"approver": self.wish.approved_by}})
        elif approved is None:
            return f"sample_approved: nobody has approved the sample: {APPROVE}"
        return ""  # what has changed since is told by the gates of the first wave

    def load(self, key: str) -> list[str]:
        """Load a batch; the gates that kept it from being loaded."""
        return [] if self.run("load", key, self._how_to_load()) else self._closed(key)

    def _how_to_load(self) -> dict[str, Mapping[str, object]]:
        how = {"retry_quarantined": self.wish.retry_quarantined, "wait": self.wish.wait}
        return dict.fromkeys(_LOADS, how)

    def _closed(self, key: str) -> list[str]:
        """The gates that kept a batch from being loaded."""
        rows = from_parquet(frame_path(self.settings, self.ledger, "clearance", key).read_bytes())
        closed = rows[~rows["passed"].astype(bool)]
        words = zip(closed["name"], closed["words"], strict=True)
        return [f"batch {key} was not loaded: {name}: {why}" for name, why in words]

    def reconcile(self, key: str, began: str) -> list[str]:
        """Read a batch back from a listing begun later than `began` (ISO, UTC); why it is not as it should be."""
        if self.run("reconcile", key, {"reconciliation": {"begun_after": began}}):
            return []
        return [f"batch {key} differs from what the account holds: see `verify`"]

    def _to_bring(self, keys: Sequence[str]) -> Collection[str]:
        """The batches that are not whole; where all are and no delta was asked for, every one once more."""
        if self.wish.retry_quarantined and self.wish.through not in _TO_THE_END:
            return keys
        account = self.scope().account
        reports, writes = self.ledger.batch_reports(account), self.ledger.last_writes(account)
        basis = decided_by(self.ledger, self.settings, maps_of(self.settings))
        left = {key for key in keys if not batch_facts(reports, key, writes.get(key, ""), basis).whole}
        return left or (() if self.wish.through in _TO_THE_END else keys)

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

    def _deliver(self, key: str, began: str) -> list[str]:
        config = {
            **self._how_to_load(),
            "pipedrive_schema": {"wait": self.wish.wait},
            "reconciliation": {"begun_after": began},
        }
        if self.run("deliver", key, config):
            return []
        return self._closed(key) or [f"batch {key} differs from what the account holds: see `verify`"]

    def prepare(self) -> None:
        """Make the account's schema, and match technicians."""
        self.run("prepare", config={"pipedrive_schema": {"wait": self.wish.wait}})

    def _lag(self) -> list[str]:
        """How far behind the source the account may be."""
        if frozen_at(self.ledger) is not None:
            back = held_back(self.ledger)
            return [
                f"{len(back)} feeds may hold something back from before the freeze: {one.feed} {one.words}"
                for one in back[:1]
            ] or ["everything up to the freeze has arrived", *self._unplanned()]
        seconds = lag(self.ledger)
        return (
            []
            if seconds is None
            else [
                f"changes younger than {seconds / 60:.0f} minutes may not have arrived",
                *self._unplanned(),
            ]
        )

    def _unplanned(self) -> list[str]:
        """That something has arrived which no batch brings yet."""
        scope = self.ledger.bound_scope()
        if scope is None or not is_unplanned(self.ledger, scope.account):
            return []
        return ["what arrived since the batch planned last is in no batch yet: `migrate --through delta`"]

    def _sign(self) -> None:
        if self.wish.approved_by:
            generation = max((m.generation_to for m in self.ledger.manifests()), default=0)
            self.ledger.sign(self.scope().account, "full", generation, self.wish.approved_by)

    def scope(self) -> Scope:
        """The account and the tenant."""
        scope = self.ledger.bound_scope()
        if scope is None:
            raise RuntimeError("the account was met by `technician_owners`")
        return scope

    def _owners(self, scope: Scope) -> Gate:
        return owners_gate(self.ledger, scope.account, decisions_of(self.settings).digest)

    def _map(self, scope: Scope) -> Gate:
        async def ask() -> Gate:
            migration = Migration.over(self.settings, self.ledger)
            async with reading(self.ledger, self.settings, purpose="look at the map") as session:
                return map_gate(self.ledger, scope.account, await present(migration, session))

        return asyncio.run(ask())
