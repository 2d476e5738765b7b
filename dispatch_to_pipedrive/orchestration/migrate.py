"""In which order `migrate` runs the jobs, where it waits for a person, and what is left open at its end.

Every step may be killed and run again: what is planned stays planned, batches that are whole are passed over until all
are, what was approved stays approved while it means the same. All waves are loaded before one listing reads them all
back. A delta is brought and read back in one run, as the sensor does it.
"""

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from dispatch_to_pipedrive.mapping.meaning import digest, meaning
from dispatch_to_pipedrive.migration.approval import MAP, SAMPLE
from dispatch_to_pipedrive.migration.clearance import APPROVE, CONFIRM, Gate, map_gate, owners_gate
from dispatch_to_pipedrive.migration.decisions import TO_FALLBACK
from dispatch_to_pipedrive.migration.ledger import Scope
from dispatch_to_pipedrive.migration.ledger.approvals import signature
from dispatch_to_pipedrive.migration.lifecycle import signed_off
from dispatch_to_pipedrive.migration.owners import undecided
from dispatch_to_pipedrive.migration.preflight import failing
from dispatch_to_pipedrive.orchestration.asking import keep_spent, kept_checks, require_account
from dispatch_to_pipedrive.orchestration.bring import Road, Wish
from dispatch_to_pipedrive.orchestration.decided_by import decided_by
from dispatch_to_pipedrive.orchestration.finish import finish
from dispatch_to_pipedrive.orchestration.homes import frame_path
from dispatch_to_pipedrive.orchestration.outcome import Outcome, behind, outcome_of, pages
from dispatch_to_pipedrive.orchestration.partitions import add_batches
from dispatch_to_pipedrive.orchestration.present import decisions_of, present
from dispatch_to_pipedrive.orchestration.progress import Listener, listening
from dispatch_to_pipedrive.orchestration.resources import Migration, open_ledger, reading, require_may_begin
from dispatch_to_pipedrive.orchestration.road import maps_of
from dispatch_to_pipedrive.orchestration.run import open_instance
from dispatch_to_pipedrive.orchestration.sign_off import batch_facts
from dispatch_to_pipedrive.settings import Settings

_TO_THE_END = ("delta", "signoff")


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
            ends = _go(road)
        notes = [*pages(settings, ledger), *(behind(ledger) if wish.through in _TO_THE_END else [])]
        return outcome_of(settings, ledger, ends, notes)
    finally:
        ledger.close()


def _go(road: Road) -> list[str]:
    """Go as far as asked; why it ended before."""
    began = datetime.now(UTC).isoformat(timespec="microseconds")
    if _is_over(road):
        return []
    if not road.ledger.manifests():
        require_account(road.settings)  # a wrong token is told before anything is read from the source
        road.run("advance_source")
    if not frame_path(road.settings, road.ledger, "batches").is_file():  # also killed while it was planned
        road.run("plan_batches")
    manifests = road.ledger.manifests()
    add_batches(road.instance, [manifest.key for manifest in manifests])
    if failed := _assess(road):
        return failed
    if road.wish.through == "assess":
        return []
    if closed := _decide(road):
        return [closed]
    first = [m.key for m in manifests if m.kind == "sample"]
    waves = [m.key for m in manifests if m.kind == "wave" and road.wish.through != "sample"]
    todo = _to_bring(road, [*first, *waves])
    if todo:
        road.prepare()
    if ends := road.bring([key for key in first if key in todo], began):
        return ends
    if road.wish.through == "sample":
        return []
    waves = [key for key in waves if key in todo]
    if waves and (closed := _approve(road)):
        return [closed]
    if ends := road.bring(waves, began):
        return ends
    _sign(road)
    keep_spent(road.ledger, road.scope().account)
    return _cut_over(road, began)


def _is_over(road: Road) -> bool:
    """Whether the sign-off that was asked for stands; GateClosed where nothing may be written, told at once."""
    scope = road.ledger.bound_scope()
    if scope is None or road.wish.through == "assess":
        return False
    if road.wish.through == "signoff" and signed_off(road.ledger, scope.account):
        return True
    require_may_begin(road.ledger, scope.account)
    return False


def _assess(road: Road) -> list[str]:
    """Before people have confirmed anything they get to see the tenant, later only when they ask; what fails."""
    scope = road.ledger.bound_scope()
    asked = road.wish.through == "assess"
    if scope is None or asked or road.ledger.latest_approval(scope.account, MAP) is None:
        road.run("assess")
        if asked:
            road.run("take_inventory")
        return [f"preflight, {check}" for check in failing(kept_checks(road.ledger))]
    if not _owners(road, scope).passed:
        road.run("match_technicians")
    return []


def _decide(road: Road) -> str:
    """What a person has to decide before anything is written; '' if nothing is open, or was approved just now."""
    scope = road.scope()
    found = digest(meaning(maps_of(road.settings)))
    confirmed = road.ledger.approval_of(scope.account, MAP, found) is not None
    open_ = undecided(road.ledger.owners(scope.account))
    if road.wish.approved_by:
        left = {str(row.technician_id): TO_FALLBACK for row in open_ if road.settings.fallback_owner_email}
        if left or not confirmed:
            config = {"approver": road.wish.approved_by, "technicians": left}
            road.run("confirm_map", config={"map_confirmation": config})
    elif road.ledger.latest_approval(scope.account, MAP) is None:
        return f"map_confirmed: nobody has confirmed the map: {CONFIRM}"
    elif not confirmed and not (gate := _map(road, scope)).passed:
        return f"{gate.name}: {gate.words}"
    gate = _owners(road, scope)
    return "" if gate.passed else f"{gate.name}: {gate.words}"


def _owners(road: Road, scope: Scope) -> Gate:
    return owners_gate(road.ledger, scope.account, decisions_of(road.settings).digest)


def _map(road: Road, scope: Scope) -> Gate:
    async def ask() -> Gate:
        migration = Migration.over(road.settings, road.ledger)
        async with reading(road.ledger, road.settings, purpose="look at the map") as session:
            return map_gate(road.ledger, scope.account, await present(migration, session))

    return asyncio.run(ask())


def _to_bring(road: Road, keys: Sequence[str]) -> Collection[str]:
    """The batches that are not whole; where all are and no delta was asked for, every one once more."""
    if road.wish.retry_quarantined and road.wish.through not in _TO_THE_END:
        return keys
    account = road.scope().account
    reports, writes = road.ledger.batch_reports(account), road.ledger.last_writes(account)
    basis = decided_by(road.ledger, road.settings, maps_of(road.settings))
    left = {key for key in keys if not batch_facts(reports, key, writes.get(key, ""), basis).whole}
    return left or (() if road.wish.through in _TO_THE_END else keys)


def _approve(road: Road) -> str:
    """Why no wave may be loaded yet; '' if the sample is approved, or was just now."""
    scope = road.scope()
    approved = road.ledger.latest_approval(scope.account, SAMPLE)
    report = road.ledger.batch_reports(scope.account).get((SAMPLE, "reconciliation"), {})
    if approved is not None and approved.digest == report.get("rendering"):
        return ""
    if road.wish.approved_by:
        road.run("approve_sample", config={"sample_approval": {"approver": road.wish.approved_by}})
    elif approved is None:
        return f"sample_approved: nobody has approved the sample: {APPROVE}"
    return ""  # what has changed since is told by the gates of the first wave


def _cut_over(road: Road, began: str) -> list[str]:
    """What follows the waves, as far as asked; why that is not done."""
    if road.wish.through == "signoff":
        return finish(road, began)
    return road.deltas(began) if road.wish.through == "delta" else []


def _sign(road: Road) -> None:
    if road.wish.approved_by:
        generation = max((m.generation_to for m in road.ledger.manifests()), default=0)
        road.ledger.sign(road.scope().account, "full", generation, road.wish.approved_by)
