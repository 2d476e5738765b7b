"""What goes when the source no longer wants it: children first, and never what holds people's work.

That is a record with any field that they edited, whether the map fills it or not, or with something of theirs on it;
one that they linked by hand, or that has the place of another one; one that we may not see. What a record hangs on
that stayed for their sake stays with it. What this cannot see is told in `undo.reading`, which looks for it.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dispatch_to_pipedrive.migration import faults
from dispatch_to_pipedrive.migration.kept import Reader
from dispatch_to_pipedrive.migration.ledger import utc_now
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.settle import AMBIGUOUS, settle
from dispatch_to_pipedrive.migration.undo.history import Place, references
from dispatch_to_pipedrive.migration.undo.reading import IDS, Once, Seen, read_now, read_once, strangers_on
from dispatch_to_pipedrive.migration.undo.touched import touched_fields
from dispatch_to_pipedrive.migration.values import ALIVE, ENTITIES, KEPT, KeptEdit, Link, Manifest
from dispatch_to_pipedrive.migration.window import Draft, send_all
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

log = logging.getLogger(__name__)

_OF_LEADS = ("persons", "organizations")
"""Entities on which leads hang; no count tells of them."""


@dataclass
class RetireReport:
    """Records deleted, and records that stayed for people's sake."""

    retired: int = 0
    kept: int = 0


async def retire(
    session: Session,
    schema: AccountSchema,
    manifest: Manifest,
    wanted: Mapping[str, set[str]],
    mapped_fields: Mapping[str, list[str]],
) -> RetireReport:
    """Delete the live records of the batch's roots that no wanted source key stands for.

    What was set aside and is wanted no more is not set aside any more, either.
    mapped_fields: entity → wire names (native names and field codes) that the map fills.
    """
    report = RetireReport()
    held: set[Place] = set()
    await settle(session, schema, session.ledger.open_intents(session.scope.account))
    for entity in reversed(ENTITIES):
        links = session.ledger.links_of_roots(session.scope, entity, manifest.roots)
        going = [
            link
            for key, link in links.items()
            if key not in wanted[entity] and link.state in ALIVE and link.generation <= manifest.generation_to
        ]
        faults.point("retiring")
        if not going:
            continue
        fields = mapped_fields[entity]
        once = await read_once(session) if entity in _OF_LEADS else Once()
        for start in range(0, len(going), IDS):  # a look goes just before the writes: people work meanwhile
            some = going[start : start + IDS]
            held |= await _retire_some(session, schema, manifest, entity, some, fields, held, once, report)
    _release(session, manifest, wanted)
    return report


def _release(session: Session, manifest: Manifest, wanted: Mapping[str, set[str]]) -> None:
    ledger, scope = session.ledger, session.scope
    newer = {one.key for one in ledger.manifests() if one.generation_to > manifest.generation_to}
    roots = set(manifest.roots)
    free = [
        (q.entity, q.source_key)
        for q in ledger.quarantined(scope)
        if q.reason != AMBIGUOUS  # what stands there twice is nobody's yet
        and q.root in roots
        and q.source_key not in wanted[q.entity]
        and q.batch not in newer
    ]
    if free:
        ledger.record(scope, session.fence, release=free)


async def _retire_some(
    session: Session,
    schema: AccountSchema,
    manifest: Manifest,
    entity: str,
    going: list[Link],
    fields: list[str],
    held: set[Place],
    once: Once,
    report: RetireReport,
) -> set[Place]:
    """Delete but for what stays, `held` among it; the records on which that hangs."""
    past = session.ledger.past(session.scope, entity, [link.source_key for link in going])
    ledger, scope = session.ledger, session.scope
    theirs = ledger.relinked(scope, entity, [link.source_key for link in going])
    theirs |= ledger.stand_ins(scope, entity, [link.source_key for link in going])
    now = await read_now(session, entity, [link.pipedrive_id for link in going])
    others = await _strangers(session, entity, now, once)
    reader = Reader(schema, ledger.user_names(scope.account), manifest.key, utc_now())
    drafts: list[Draft] = []
    places: set[Place] = set()
    kept: list[Link] = []
    edits: list[KeptEdit] = []
    for link in going:
        known = past.get(link.source_key)
        base = known.base if known else {}
        place = (entity, link.pipedrive_id)
        record, hidden = now[link.pipedrive_id]
        names = [] if record is None else touched_fields(schema, entity, fields, known, record)
        edits += [reader.edit(link, name, known, record or {}) for name in names]
        if words := others.get(link.pipedrive_id):
            edits.append(reader.bears(link, words))
        if names or words or hidden or link.source_key in theirs or place in held:
            places |= references(record or base)
            kept.append(link._replace(state="kept", generation=manifest.generation_to))
            continue
        intent = session.intent(
            "delete", entity, link.source_key, root=link.root, generation=manifest.generation_to
        )
        before = base if record is None else dict(record)
        drafts.append(Draft(replace(intent, pipedrive_id=link.pipedrive_id, before=before), ""))
    found = {(edit.source_key, edit.field) for edit in edits}
    listed = ledger.kept_edits(scope, entity, [link.source_key for link in going])
    over = [e for e in listed if e.verdict == KEPT and e.field and (e.source_key, e.field) not in found]
    ledger.forget_edits(scope, over)
    if kept:
        ledger.keep_edits(scope, edits)
        ledger.record(scope, session.fence, links=kept)
        report.kept += len(kept)
    while drafts:
        sent = await send_all(session, drafts)
        report.retired += sent.done["delete"]
        settled = await settle(session, schema, sent.in_doubt)
        report.retired += settled.linked
        absent = {x.source_key for x in settled.absent}
        drafts = [d for d in drafts if d.intent.source_key in absent]
    return places


async def _strangers(session: Session, entity: str, now: Mapping[int, Seen], once: Once) -> dict[int, str]:
    """Pipedrive id → what people hung on the record, in words."""
    records = {number: seen.record for number, seen in now.items() if seen.record is not None}
    words = await asyncio.gather(
        *(strangers_on(session, (entity, number), record, once) for number, record in records.items())
    )
    return dict(zip(records, words, strict=True))
