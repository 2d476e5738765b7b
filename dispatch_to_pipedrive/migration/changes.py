"""What is written to records that stand in the account already, when they are to change?

A PATCH carries only what changed at the source, and never what others have edited since, but where the map lets the
source win. A file or a note that hangs on another record now is made there, and the one that it replaces is retired
afterwards.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from dispatch_to_pipedrive.migration.capabilities import Capabilities
from dispatch_to_pipedrive.migration.compare import changed_names, flat, part, without_nulls
from dispatch_to_pipedrive.migration.conflicts import Weighed, current_record, current_records, weigh
from dispatch_to_pipedrive.migration.files import PARENTS
from dispatch_to_pipedrive.migration.loading import Load, LoadReport, Step
from dispatch_to_pipedrive.migration.past import Past
from dispatch_to_pipedrive.migration.resolve import Wanted
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.values import KEPT, OVERWRITTEN, Body, KeptEdit, Link
from dispatch_to_pipedrive.migration.window import Draft, Sent
from dispatch_to_pipedrive.pipedrive.notes import PINS

NEVER_CLEARED = {
    *(("persons", "org_id"), ("notes", "user_id")),
    *(("activities", "org_id"), ("activities", "location")),
}
"""Pipedrive takes no null there, and would refuse all else with it.

A person or activity stays linked to an organization that was retired, a visit keeps the place that it had.
"""
_REPLACED = ("files", "notes")
"""Entities whose records are made anew where they are to hang on another record: v1 moves a file nowhere."""


async def draft_updates(
    load: Load,
    changed: Sequence[tuple[Wanted, Link]],
    capabilities: Capabilities,
    told: Mapping[str, Body],
    step: Step,
    report: LoadReport,
) -> None:
    """Updates for records whose digest differs: only what changed at the source, and not what others edited."""
    if not changed:
        return
    session, entity = load.session, load.entity_map.entity
    # What this very load has just made needs no look at the ledger, nor at what others did.
    past = session.ledger.past(
        session.scope, entity, [w.source_key for w, _ in changed if w.source_key not in told]
    )
    differing, moved = [], []
    for want, link in changed:
        difference = _difference(load, want, _told(want, told, past))
        if entity in _REPLACED and PARENTS.keys() & difference.keys():
            moved.append((want, link))
        else:
            differing.append((want, link, difference))
    await _draft_replacements(load, moved, capabilities, step, report)
    wins = load.source_wins()
    others = [
        (link, past[want.source_key].server_date)
        for want, link, body in differing
        if (body or wins) and want.source_key in past
    ]
    records = await current_records(session, entity, others)
    same: list[Link] = []
    edits: list[KeptEdit] = []
    for want, link, difference in differing:
        record = records.get(link.pipedrive_id)
        before = past.get(want.source_key)
        base = flat(before.base) if before is not None else flat(told.get(want.source_key, {}))
        found = (
            Weighed(list(flat(difference)))
            if record is None
            else weigh(load.schema, entity, _sendable(load, want), flat(difference), base, flat(record), wins)
        )
        kept, body = found.kept, part(want.body, found.send)
        if record is not None:
            edits += [load.reader.edit(link, name, before, record) for name in kept]
            lost = [load.reader.edit(link, name, before, record, OVERWRITTEN) for name in found.overwritten]
            step.overwritten += lost
            report.overwritten += len(lost)
        report.kept += len(kept)
        state = "kept" if kept else link.state
        now, later = capabilities.split(entity, body)
        if not now and not later:
            same.append(considered(load, want, link, state))
            report.equal += 1
            continue
        if now.keys() & set(PINS):
            # A pin is set together with what the note is pinned to.
            now = {**now, **part(want.body, [name for name in PARENTS if want.body.get(name)])}
        intent = session.intent(
            "update", entity, want.source_key, root=want.root, generation=load.manifest.generation_to
        )
        held = flat(record) if record is not None else base
        image = {name: held.get(name) for name in flat(now)}
        step.drafts.append(
            Draft(
                replace(intent, pipedrive_id=link.pipedrive_id, body=now, before=image),
                "" if later else want.digest,
                state,
            )
        )
        if later:
            step.unfinished.add(want.source_key)
    session.ledger.keep_edits(session.scope, [*edits, *step.overwritten])
    session.ledger.forget_edits(session.scope, [edit._replace(verdict=KEPT) for edit in step.overwritten])
    consider(session, same)


async def _draft_replacements(
    load: Load,
    moved: Sequence[tuple[Wanted, Link]],
    capabilities: Capabilities,
    step: Step,
    report: LoadReport,
) -> None:
    """Make them anew on their new parents. What people deleted meanwhile stays deleted."""
    session, entity, generation = load.session, load.entity_map.entity, load.manifest.generation_to
    records = await asyncio.gather(*(current_record(session, entity, link.pipedrive_id) for _, link in moved))
    gone: list[Link] = []
    for (want, link), record in zip(moved, records, strict=True):
        if record is None or record.get("is_deleted"):
            gone.append(link._replace(state="gone"))
            continue
        intent = session.intent("create", entity, want.source_key, root=want.root, generation=generation)
        body, _ = capabilities.split(entity, without_nulls(want.body))
        step.drafts.append(Draft(replace(intent, body=body, before=without_nulls(record)), want.digest))
    if gone:
        session.ledger.record(session.scope, session.fence, links=gone)
        report.gone += len(gone)


def _told(want: Wanted, told: Mapping[str, Body], past: Mapping[str, Past]) -> Body:
    if want.source_key in told:
        return told[want.source_key]
    return past[want.source_key].told if want.source_key in past else {}


def take_back(
    load: Load, overwritten: Sequence[KeptEdit], sent: Sent, absent: Collection[str], report: LoadReport
) -> None:
    """What was not written after all was not overwritten either."""
    failed = {d.intent.source_key for d in [*(d for d, _ in sent.rejected), *sent.gone]} | set(absent)
    edits = [edit for edit in overwritten if edit.source_key in failed]
    load.session.ledger.forget_edits(load.session.scope, edits)
    report.overwritten -= len(edits)


def _difference(load: Load, want: Wanted, before: Body) -> Body:
    """The fields of a wanted body that differ from what the account was last told."""
    body = _sendable(load, want)
    return part(want.body, changed_names(load.schema, want.entity, body, flat(before), body))


def _sendable(load: Load, want: Wanted) -> Body:
    """The fields of a wanted body, flat, that a change of the record may carry."""
    once = {name for name, f in load.entity_map.fields.items() if f.create_only}
    return {
        name: value
        for name, value in flat(want.body).items()
        if name not in once and not (value is None and (want.entity, name) in NEVER_CLEARED)
    }


def considered(load: Load, want: Wanted, link: Link, state: str) -> Link:
    """The link once this batch has looked at it."""
    return link._replace(
        digest=want.digest, root=want.root, generation=load.manifest.generation_to, state=state
    )


def consider(session: Session, links: Sequence[Link]) -> None:
    """Keep links to which nothing was sent; what stands there as it is wanted is not set aside any more."""
    if links:
        free = [(link.entity, link.source_key) for link in links]
        session.ledger.record(session.scope, session.fence, links=links, release=free)
