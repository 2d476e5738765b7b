"""How a batch brings the account's records to what its roots want: create, update, retire, and nothing else.

Equal payloads cost nothing; the newer generation wins, record by record; a PATCH carries only what changed at the
source, and never what others have edited since. So batches may run in any order, twice, or crash half-way. A file or a
note that hangs on another record now is made there, and the one that it replaces is retired afterwards.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from dispatch_to_pipedrive.mapping.model import EntityMap
from dispatch_to_pipedrive.migration import faults
from dispatch_to_pipedrive.migration.capabilities import Capabilities, probe
from dispatch_to_pipedrive.migration.compare import changed_names, edited_names, flat, part, without_nulls
from dispatch_to_pipedrive.migration.conflicts import current_record, current_records
from dispatch_to_pipedrive.migration.errors import RunStopped
from dispatch_to_pipedrive.migration.files import PARENTS, Fetch, spooled
from dispatch_to_pipedrive.migration.hosted import Hosted, hosted_files
from dispatch_to_pipedrive.migration.past import Past
from dispatch_to_pipedrive.migration.resolve import (
    ALIVE,
    Owners,
    Resolver,
    Wanted,
    parent_keys,
)
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.settle import AMBIGUOUS, look_again, settle
from dispatch_to_pipedrive.migration.values import Body, Link, Manifest, Quarantined
from dispatch_to_pipedrive.migration.window import Draft, Sent, send_all
from dispatch_to_pipedrive.pipedrive.notes import PINS
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema, NotInSchema

log = logging.getLogger(__name__)

ROUNDS = 8
"""So often a record is looked at again in one load (lost answers, second halves) before it is left to the next."""
HELD, UNFETCHABLE = "held", "unfetchable"
NEVER_CLEARED = {("persons", "org_id"), ("activities", "org_id"), ("notes", "user_id")}
"""Pipedrive takes no null there: a person or activity stays linked to an organization that was retired."""
_REPLACED = ("files", "notes")
"""Entities whose records are made anew where they are to hang on another record: v1 moves a file nowhere."""


@dataclass
class LoadReport:
    """What one entity of one batch came to; `kept` counts fields that people had edited and that stayed theirs."""

    entity: str
    wanted: int
    created: int = 0
    updated: int = 0
    equal: int = 0
    newer: int = 0
    gone: int = 0
    kept: int = 0
    settled: int = 0
    quarantined: list[Quarantined] = field(default_factory=list)


@dataclass(frozen=True)
class Load:
    """One entity of one batch, with all that its records need to become wire bodies."""

    session: Session
    schema: AccountSchema
    entity_map: EntityMap
    owners: Owners
    manifest: Manifest
    retry_quarantined: bool = False
    on_progress: Callable[[int, int], None] = lambda _done, _all: None
    fetch: Fetch | None = None
    """Where the bytes of files come from; needed where files are wanted."""


async def load_entity(load: Load, frame: pd.DataFrame) -> LoadReport:
    """Bring one entity's records of a batch to what the mapped frame says."""
    session, entity = load.session, load.entity_map.entity
    report = LoadReport(entity, wanted=len(frame))
    if frame.empty:  # what is in doubt is settled before the batch's next write
        faults.point("entity_loaded")
        return report
    settled_before = await settle(session, load.schema, session.ledger.open_intents(session.scope.account))
    if load.retry_quarantined:
        report.settled += await look_again(session, load.schema, entity)
    todo = resolved(session, load.schema, load.entity_map, load.owners, frame)
    report.settled += settled_before.linked
    capabilities = Capabilities(session.ledger.capabilities(session.scope.account))
    progress = _Progress(len(frame), load.on_progress)
    held: list[Wanted] = []
    told: dict[str, Body] = {}
    for _ in range(ROUNDS):
        step = await _decide(load, todo, capabilities, told, report)
        held.extend(step.held)
        progress.add(len(todo) - len(step.drafts) - len(step.unproven))
        if step.unproven:
            capabilities, proven = await probe(
                session, load.schema, step.unproven, load.manifest.generation_to, capabilities
            )
            report.created += proven
        sent = await _send(load, step.drafts, progress.add)
        report.created += sent.done["create"]
        report.updated += sent.done["update"]
        report.gone += len(sent.gone)
        settled = await settle(session, load.schema, sent.in_doubt)
        absent = {x.source_key for x in settled.absent}
        made = (d.intent for d in step.drafts if d.intent.verb == "create")
        told.update({x.source_key: x.body or {} for x in made if x.source_key not in absent})
        report.settled += settled.linked
        report.created += settled.linked
        _set_aside(load, todo, sent, settled.ambiguous, report)
        again = (
            step.unfinished | {x.source_key for x in sent.in_doubt} | {w.source_key for w in step.unproven}
        )
        again -= {q.source_key for q in report.quarantined}
        todo = [w for w in todo if w.source_key in again]
        if not todo:
            break
    else:
        raise RunStopped(
            f"{len(todo)} {entity} still have no settled outcome after {ROUNDS} rounds: run again"
        )
    _hold(load, held, report)
    faults.point("entity_loaded")
    return report


async def _send(load: Load, drafts: Sequence[Draft], on_progress: Callable[[int], None]) -> Sent:
    if load.entity_map.entity != "files" or not drafts:
        return await send_all(load.session, drafts, on_progress)
    if load.fetch is None:
        raise ValueError("files without anything that fetches them")
    async with spooled(load.session, load.fetch, drafts) as spool:
        sent = await send_all(load.session, spool.groups(), on_progress)
        sent.unfetchable.extend(spool.unfetchable)
    on_progress(len(sent.unfetchable))
    return sent


class _Progress:
    def __init__(self, total: int, tell: Callable[[int, int], None]) -> None:
        self._done, self._total, self._tell = 0, total, tell

    def add(self, count: int) -> None:
        self._done = min(self._total, self._done + count)
        self._tell(self._done, self._total)


def resolved(
    session: Session, schema: AccountSchema, entity_map: EntityMap, owners: Owners, frame: pd.DataFrame
) -> list[Wanted]:
    """The rows of a mapped frame as this account's wire bodies, parents, files and authors looked up in the ledger."""
    ledger, scope = session.ledger, session.scope
    parents: dict[str, int] = {}
    hosted: dict[str, Hosted] = {}
    for entity, keys in parent_keys(entity_map, frame).items():
        links = ledger.links(scope, entity, sorted(keys))
        parents.update({k: link.pipedrive_id for k, link in links.items() if link.state in ALIVE})
        if entity == "files":
            hosted = hosted_files(keys, links, ledger.quarantined(scope), session.company_domain)
    named = any(field.type == "author" for field in entity_map.fields.values())
    resolver = Resolver(
        schema,
        owners,
        parents,
        authors=ledger.authors(scope.account) if named else {},
        plan=session.client.budget.plan.name,
        hosted=hosted,
    )
    try:
        return list(resolver.wanted(entity_map, frame))
    except NotInSchema as missing:
        raise RunStopped(f"{missing}: materialize pipedrive_schema again") from None


@dataclass
class _Step:
    drafts: list[Draft] = field(default_factory=list)
    unproven: list[Wanted] = field(default_factory=list)
    held: list[Wanted] = field(default_factory=list)
    unfinished: set[str] = field(default_factory=set)


async def _decide(
    load: Load,
    todo: Sequence[Wanted],
    capabilities: Capabilities,
    told: Mapping[str, Body],
    report: LoadReport,
) -> _Step:
    """What each wanted record needs now: nothing, a create, an update, to wait."""
    session, entity, generation = load.session, load.entity_map.entity, load.manifest.generation_to
    links = session.ledger.links(session.scope, entity, [w.source_key for w in todo])
    newer = newer_roots(session, todo, links, generation)
    set_aside = {q.source_key: q for q in session.ledger.quarantined(session.scope) if q.entity == entity}
    step = _Step()
    compared: list[str] = []
    elsewhere: list[Link] = []
    changed: list[tuple[Wanted, Link]] = []
    for want in todo:
        link = links.get(want.source_key)
        aside = set_aside.get(want.source_key)
        if link is not None and link.state == "gone":
            report.gone += 1
        elif link.generation > generation if link is not None else want.root in newer:
            report.newer += 1
        elif link is not None and link.state != "retired" and link.digest == want.digest:
            report.equal += 1
            if link.root == want.root and aside is None:
                compared.append(want.source_key)
            else:  # a batch of the root that it has left must not retire it
                elsewhere.append(_considered(load, want, link, link.state))
        elif want.held is not None:
            step.held.append(want)
        elif aside is not None and _still_aside(aside, want, load.retry_quarantined):
            report.quarantined.append(aside)
        elif link is None or link.state == "retired":
            _draft_create(load, want, capabilities, step)
        else:
            changed.append((want, link))
    session.ledger.compared(session.scope, entity, compared, generation, session.fence)
    _consider(session, elsewhere)
    await _draft_updates(load, changed, capabilities, told, step, report)
    return step


def newer_roots(
    session: Session, todo: Sequence[Wanted], links: Mapping[str, Link], generation: int
) -> set[int]:
    """Roots of unlinked records that a newer batch has brought: what it did not bring is deleted at the source."""
    unlinked = {w.root for w in todo if w.source_key not in links}
    return session.ledger.newer_roots(session.scope, unlinked, generation) if unlinked else set()


def _still_aside(aside: Quarantined, want: Wanted, retry: bool) -> bool:
    if aside.reason == AMBIGUOUS:  # one of the records there may be it: a new one would be one too many
        return True
    return not retry and aside.reason != HELD and aside.digest == want.digest


def _draft_create(load: Load, want: Wanted, capabilities: Capabilities, step: _Step) -> None:
    body = without_nulls(want.body)
    if capabilities.unproven(want.entity, body):
        step.unproven.append(want)
        return
    now, later = capabilities.split(want.entity, body)
    intent = load.session.intent(
        "create", want.entity, want.source_key, root=want.root, generation=load.manifest.generation_to
    )
    step.drafts.append(Draft(replace(intent, body=now), "" if later else want.digest))
    if later:
        step.unfinished.add(want.source_key)


async def _draft_updates(
    load: Load,
    changed: Sequence[tuple[Wanted, Link]],
    capabilities: Capabilities,
    told: Mapping[str, Body],
    step: _Step,
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
    others = [
        (link, past[want.source_key].server_date)
        for want, link, body in differing
        if body and want.source_key in past
    ]
    records = await current_records(session, entity, others)
    same: list[Link] = []
    for want, link, difference in differing:
        record = records.get(link.pipedrive_id)
        base = (
            flat(past[want.source_key].base)
            if want.source_key in past
            else flat(told.get(want.source_key, {}))
        )
        names = list(flat(difference))
        kept = edited_names(load.schema, entity, names, base, flat(record)) if record is not None else []
        if record is not None and edited_names(load.schema, entity, PARENTS, base, flat(record)):
            # People hung a note on something else: to pin it where it was would put it back there.
            kept += [name for name in PINS if name in names and name not in kept]
        body = part(difference, [name for name in names if name not in kept])
        report.kept += len(kept)
        state = "kept" if kept else link.state
        now, later = capabilities.split(entity, body)
        if not now and not later:
            same.append(_considered(load, want, link, state))
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
    _consider(session, same)


def _consider(session: Session, links: Sequence[Link]) -> None:
    """Keep links to which nothing was sent; what stands there as it is wanted is not set aside any more."""
    if links:
        free = [(link.entity, link.source_key) for link in links]
        session.ledger.record(session.scope, session.fence, links=links, release=free)


async def _draft_replacements(
    load: Load,
    moved: Sequence[tuple[Wanted, Link]],
    capabilities: Capabilities,
    step: _Step,
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


def _considered(load: Load, want: Wanted, link: Link, state: str) -> Link:
    return link._replace(
        digest=want.digest, root=want.root, generation=load.manifest.generation_to, state=state
    )


def _difference(load: Load, want: Wanted, before: Body) -> Body:
    """The fields of a wanted body that differ from what the account was last told."""
    once = {name for name, f in load.entity_map.fields.items() if f.create_only}
    body = flat(want.body)
    names = [
        name
        for name, value in body.items()
        if name not in once and not (value is None and (want.entity, name) in NEVER_CLEARED)
    ]
    return part(want.body, changed_names(load.schema, want.entity, names, flat(before), body))


def _set_aside(
    load: Load, todo: Sequence[Wanted], sent: Sent, ambiguous: Sequence[Quarantined], report: LoadReport
) -> None:
    """Quarantine what was refused for its own sake, with the vendor's words, and files that the source keeps back."""
    digests = {w.source_key: w.digest for w in todo}
    aside = [(d, "rejected", words) for d, words in sent.rejected]
    aside += [(d, UNFETCHABLE, words) for d, words in sent.unfetchable]
    rows = [
        Quarantined(
            d.intent.entity,
            d.intent.source_key,
            reason,
            words,
            digests[d.intent.source_key],
            load.manifest.key,
        )
        for d, reason, words in aside
    ]
    if rows:
        load.session.ledger.record(load.session.scope, load.session.fence, quarantine=rows)
    report.quarantined.extend([*rows, *ambiguous])


def _hold(load: Load, held: Sequence[Wanted], report: LoadReport) -> None:
    """Set children aside whose parent is not there; they are looked at again with every load."""
    rows = [
        Quarantined(w.entity, w.source_key, HELD, w.held or "", w.digest, load.manifest.key) for w in held
    ]
    if rows:
        load.session.ledger.record(load.session.scope, load.session.fence, quarantine=rows)
    report.quarantined.extend(rows)
