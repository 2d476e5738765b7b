"""What became of the requests whose answer nobody saw?

Before a record is written again its open intents are settled. A POST is looked for by listing: an unlinked record
that bears the stamp and, where the entity has one, our user as its maker; for files see `settle_files`. What is found
is linked at once; only "absent" waits for the grace period, which is longer than the vendor's longest request, and for
a second reading.
A PATCH is settled by one GET, and a DELETE that finds nothing is done. What stays ambiguous is quarantined.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dispatch_to_pipedrive.migration import faults
from dispatch_to_pipedrive.migration.compare import shows, without_nulls
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.settle_files import file_candidates
from dispatch_to_pipedrive.migration.stamps import stamp_of
from dispatch_to_pipedrive.migration.values import ENTITIES, RELINK, Intent, Link, Outcome, Quarantined
from dispatch_to_pipedrive.pipedrive.errors import NotFound
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

log = logging.getLogger(__name__)

MARGIN = timedelta(seconds=5)
"""Listed from so long before the server's date that the intent knew: its clock has whole seconds."""
SECOND_READING = 0.2
"""Seconds between two readings where the grace period is over already."""
AMBIGUOUS = "ambiguous"
DEAL_STATUSES = ("open", "won", "lost", "deleted")


@dataclass
class Settled:
    """What was found out."""

    linked: int = 0
    absent: list[Intent] = field(default_factory=list)
    ambiguous: list[Quarantined] = field(default_factory=list)


async def settle(session: Session, schema: AccountSchema, intents: Sequence[Intent]) -> Settled:
    """Find out what became of the intents and commit it; none of them is open afterwards."""
    settled = Settled()
    for entity in ENTITIES:
        of_entity = [x for x in intents if x.entity == entity]
        await _settle_creates(session, schema, entity, [x for x in of_entity if x.verb == "create"], settled)
        changes = [x for x in of_entity if x.verb not in ("create", RELINK)]
        await _settle_changes(session, schema, changes, settled)
        _commit_absent(session, [x for x in of_entity if x.verb == RELINK], settled)
    faults.point("settled")
    return settled


async def look_again(session: Session, schema: AccountSchema, entity: str) -> int:
    """Settle once more what was ambiguous: people may have left one record, or none. How many were linked."""
    ledger, scope = session.ledger, session.scope
    aside = [q.source_key for q in ledger.quarantined(scope) if q.entity == entity and q.reason == AMBIGUOUS]
    if not aside:
        return 0
    settled = await settle(session, schema, ledger.ambiguous_intents(scope.account, entity, aside))
    free = [(entity, intent.source_key) for intent in settled.absent]
    ledger.record(scope, session.fence, release=free)
    return settled.linked


async def _settle_creates(
    session: Session, schema: AccountSchema, entity: str, intents: Sequence[Intent], settled: Settled
) -> None:
    if not intents:
        return
    log.info("settling %d %s whose answer was lost", len(intents), entity)
    waiting = await _link_found(session, schema, entity, intents, settled)
    if waiting:
        await asyncio.sleep(max(session.grace_left(waiting), SECOND_READING))
        waiting = await _link_found(session, schema, entity, waiting, settled)
    _commit_absent(session, waiting, settled)


def _commit_absent(session: Session, intents: Sequence[Intent], settled: Settled) -> None:
    if intents:
        outcomes = [Outcome(x, "absent", 0) for x in intents]
        session.ledger.record(session.scope, session.fence, outcomes=outcomes)
        settled.absent.extend(intents)


async def _link_found(
    session: Session, schema: AccountSchema, entity: str, intents: Sequence[Intent], settled: Settled
) -> list[Intent]:
    """Link what is there, set aside what is there twice; the intents that are still absent."""
    by_key = {x.source_key: x for x in intents}
    candidates = (
        await file_candidates(session, intents, MARGIN)
        if entity == "files"
        else await _bearing_a_stamp(session, schema, entity, intents)
    )
    ids = [i for records in candidates.values() for i in records]
    linked = session.ledger.linked_ids(session.scope, entity, ids)
    # What an earlier intent has made is not the answer to this one: a record made again still stands there as deleted.
    linked |= session.ledger.ids_made(session.scope.account, entity, by_key)
    outcomes: list[Outcome] = []
    links: list[Link] = []
    for key, records in candidates.items():
        free = {i: r for i, r in records.items() if i not in linked}
        if not free:
            continue
        intent = by_key.pop(key)
        if len(free) > 1:
            bear = "may be it" if entity == "files" else "bear its stamp"
            words = f"{len(free)} records {bear}: {', '.join(map(str, sorted(free)))}"
            outcomes.append(Outcome(intent, AMBIGUOUS, 0, words=words))
            settled.ambiguous.append(
                Quarantined(entity, key, AMBIGUOUS, words, "", intent.batch, intent.root)
            )
            continue
        ((pipedrive_id, record),) = free.items()
        outcome = Outcome(intent, "settled", 0, pipedrive_id, without_nulls(record))
        state = "gone" if record.get("is_deleted") else "live"
        link = Link(entity, key, pipedrive_id, state, intent.root, intent.generation, "")
        outcomes.append(outcome)
        links += [link] if intent.replaced is None else [link, intent.replaced]
        settled.linked += 1
    session.ledger.record(
        session.scope,
        session.fence,
        outcomes=outcomes,
        links=links,
        release=[(entity, link.source_key) for link in links],
        quarantine=[q for q in settled.ambiguous if q.entity == entity],
    )
    return list(by_key.values())


async def _bearing_a_stamp(
    session: Session, schema: AccountSchema, entity: str, intents: Sequence[Intent]
) -> dict[str, dict[int, dict[str, Any]]]:
    keys = {x.source_key for x in intents}
    candidates: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    async for record in _listed_since(session, entity, intents):
        key = stamp_of(schema, entity, record)
        made_by_us = record.get("creator_user_id", session.user_id) == session.user_id
        if key in keys and made_by_us:
            candidates[str(key)][int(record["id"])] = record
    return candidates


async def _listed_since(
    session: Session, entity: str, intents: Sequence[Intent]
) -> AsyncIterator[dict[str, Any]]:
    dates = [datetime.fromisoformat(x.server_date) for x in intents if x.server_date]
    since = min(dates) - MARGIN if len(dates) == len(intents) else None
    for archived in (False, True) if entity == "deals" else (False,):
        status = DEAL_STATUSES if entity == "deals" and not archived else None
        async for page in session.client.list(
            entity,  # type: ignore[arg-type]
            updated_since=since,
            status=status,
            archived=archived,
        ):
            for record in page.records:
                yield record


async def _settle_changes(
    session: Session, schema: AccountSchema, intents: Sequence[Intent], settled: Settled
) -> None:
    """Settle PATCHes and DELETEs by reading their records: at once, and once more after the grace period."""
    waiting = [x for x in intents if not await _carried_out(session, schema, x)]
    absent = waiting
    if waiting:
        await asyncio.sleep(max(session.grace_left(waiting), SECOND_READING))
        absent = [x for x in waiting if not await _carried_out(session, schema, x)]
    settled.linked += len(intents) - len(absent)
    _commit_absent(session, absent, settled)


async def _carried_out(session: Session, schema: AccountSchema, intent: Intent) -> bool:
    """Whether the record shows the change; if so, the outcome is committed."""
    if intent.pipedrive_id is None:
        raise ValueError(f"{intent.verb} of {intent.source_key} names no record")
    record: dict[str, Any] | None
    try:
        record = (await session.client.get(intent.entity, intent.pipedrive_id)).record  # type: ignore[arg-type]
    except NotFound:
        record = None
    deleted = record is None or bool(record.get("is_deleted"))
    if intent.verb == "delete":
        if not deleted:
            return False
        state = "retired"
    elif deleted or record is None:
        state = "gone"
    elif shows(schema, intent.entity, intent.body or {}, record):
        state = "live"
    else:
        return False
    echo = None if record is None else without_nulls(record)
    outcome = Outcome(intent, "settled", 0, intent.pipedrive_id, echo)
    link = Link(
        intent.entity,
        intent.source_key,
        intent.pipedrive_id,
        state,
        intent.root,
        intent.generation,
        "",
    )
    known = session.ledger.links(session.scope, link.entity, [link.source_key]).get(link.source_key)
    # Where people have said meanwhile which record stands for the key, that holds.
    links = [link] if known is None or known.pipedrive_id == link.pipedrive_id else []
    free = [(one.entity, one.source_key) for one in links]
    session.ledger.record(session.scope, session.fence, outcomes=[outcome], links=links, release=free)
    return True
