"""What is missing until the migration can be signed off, and in which order is it done?

The freeze, the last changes, a second run of all batches that must write nothing, a last reading back, the gates, and
the name. Started again it does what is left.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta

from dispatch_to_pipedrive.migration.lifecycle import standing
from dispatch_to_pipedrive.migration.plan import waiting
from dispatch_to_pipedrive.migration.sign_off import closed_gates, not_run_since
from dispatch_to_pipedrive.orchestration import cutover
from dispatch_to_pipedrive.orchestration.bring import Road
from dispatch_to_pipedrive.orchestration.drain import frozen_at, held_back
from dispatch_to_pipedrive.orchestration.homes import frame_path
from dispatch_to_pipedrive.orchestration.readback import without_repetition
from dispatch_to_pipedrive.orchestration.sign_off import facts_of, gates_of, signed

_PASSES = 2
"""So often batches are run again: what the first one still wrote, the next one must not."""


def finish(road: Road, began: str) -> list[str]:
    """Freeze, bring the last changes, run everything again, read it back, sign; why it is not signed off."""
    if frozen_at(road.ledger) is None:
        cutover.freeze(road.settings, road.wish.approved_by or "migrate --through signoff")
    if (held_back(road.ledger) or _unplanned(road)) and (ends := road.deltas(began)):
        return ends
    if words := _not_drained(road):
        return [words]
    if undone := sorted(road.ledger.rolled_back(road.scope().account)):
        return [f"nothing_rolled_back: {', '.join(undone)}: `reapply --as NAME` brings them again"]
    if ends := _second_pass(road):
        return ends
    if ends := _read_back(road):
        return ends
    if closed := closed_gates(gates_of(road.ledger, road.settings)):
        return closed
    if not road.wish.approved_by:
        return ["signed_off: every gate is open, and nobody has signed: `sign-off --as NAME`"]
    signed(road.ledger, road.settings, road.wish.approved_by, accept={}, wait=road.wish.wait)
    return []


def _unplanned(road: Road) -> bool:
    """Whether anything has arrived that is not in the account."""
    facts = facts_of(road.ledger, road.settings, chain=False)
    return bool(facts.unplanned_roots or facts.preparing_due or waiting(road.ledger, road.scope().account))


def _not_drained(road: Road) -> str:
    """For how long the last changes have to be waited for; '' once they are here."""
    moment, back = frozen_at(road.ledger), held_back(road.ledger)
    if moment is None or not back:
        return ""
    wait = cutover.drained_from(moment) - asyncio.run(cutover.source_time(road.settings))
    if wait > timedelta(0):
        minutes, seconds = divmod(int(wait.total_seconds()) + 1, 60)
        return (
            f"export_drained: a feed shows a change late, so the last reading may begin {minutes} min {seconds} s "
            f"from now, after {cutover.drained_from(moment):%H:%M:%S} by Dispatch Pro's clock: run this again then"
        )
    return f"export_drained: {back[0].feed} {back[0].words}: run this again"


def _second_pass(road: Road) -> list[str]:
    """Run what was not run since the last write, until a run of all writes nothing; why that is not done."""
    quietly = replace(road, wish=replace(road.wish, retry_quarantined=False))
    # Records that were set aside are tried again at most once: a refused write is a write, too.
    for again in (road, *[quietly] * _PASSES):
        facts = facts_of(road.ledger, road.settings, chain=False)
        retries = again.wish.retry_quarantined
        for key in (
            [batch.key for batch in facts.batches if batch.loaded] if retries else not_run_since(facts)
        ):
            if closed := again.load(key):
                return closed
    return []  # what went on being written is told by its gate


def _read_back(road: Road) -> list[str]:
    """Read back what was not since the freeze and the last write, from one listing; why that is not done."""
    facts = facts_of(road.ledger, road.settings, chain=False)
    freeze = standing(road.ledger.milestones(road.scope().account)).freeze
    since = max(facts.last_write, freeze.at if freeze is not None else "")
    begun = {batch.key: batch.listing_begun for batch in facts.batches}
    loaded = [m for m in road.ledger.manifests() if any(b.key == m.key and b.loaded for b in facts.batches)]
    last = {m.key for m in without_repetition(loaded)}
    stale = {
        batch.key
        for batch in facts.batches
        if batch.listing_begun < batch.last_write
        or not batch.compared_as_decided
        or not frame_path(road.settings, road.ledger, "reconciliation", batch.key).is_file()
    }
    ends: list[str] = []
    for manifest in loaded:
        if manifest.key in stale or (manifest.key in last and begun[manifest.key] < since):
            ends += road.reconcile(manifest.key, since)
    return ends
