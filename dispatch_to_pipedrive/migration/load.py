"""How a batch brings the account's records to what its roots want: create, update, retire, and nothing else.

Equal payloads cost nothing; the newer generation wins, record by record; a PATCH carries only what changed at the
source, and never what others have edited since. So batches may run in any order, twice, or crash half-way. A file or a
note that hangs on another record now is made there, and the one that it replaces is retired afterwards.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from dispatch_to_pipedrive.mapping.model import EntityMap
from dispatch_to_pipedrive.migration import faults
from dispatch_to_pipedrive.migration.capabilities import Capabilities, probe
from dispatch_to_pipedrive.migration.changes import consider, considered, draft_updates, take_back
from dispatch_to_pipedrive.migration.compare import without_nulls
from dispatch_to_pipedrive.migration.errors import RunStopped
from dispatch_to_pipedrive.migration.files import spooled
from dispatch_to_pipedrive.migration.hosted import Hosted, hosted_files
from dispatch_to_pipedrive.migration.loading import Load, LoadReport, Step
from dispatch_to_pipedrive.migration.resolve import Owners, Resolver, Wanted, parent_keys
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.settle import AMBIGUOUS, look_again, settle
from dispatch_to_pipedrive.migration.values import (
    ALIVE,
    GONE,
    OVERWRITTEN,
    Body,
    Link,
    Quarantined,
)
from dispatch_to_pipedrive.migration.window import Draft, Sent, send_all
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema, NotInSchema

log = logging.getLogger(__name__)

ROUNDS = 8
"""So often a record is looked at again in one load (lost answers, second halves) before it is left to the next."""
HELD, UNFETCHABLE = "held", "unfetchable"


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
        take_back(load, step.overwritten, sent, absent, report)
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
    gone: dict[str, Link] = {}
    for entity, keys in parent_keys(entity_map, frame).items():
        links = ledger.links(scope, entity, sorted(keys))
        parents.update({k: link.pipedrive_id for k, link in links.items() if link.state in ALIVE})
        if lost := {k: link for k, link in links.items() if link.state == GONE}:
            shared = ledger.shared(scope, entity, lost)
            parents.update({k: lost[k].pipedrive_id for k in shared})
            gone.update({k: link for k, link in lost.items() if k not in shared})
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
        gone=gone,
    )
    try:
        return list(resolver.wanted(entity_map, frame))
    except NotInSchema as missing:
        raise RunStopped(f"{missing}: materialize pipedrive_schema again") from None


async def _decide(
    load: Load,
    todo: Sequence[Wanted],
    capabilities: Capabilities,
    told: Mapping[str, Body],
    report: LoadReport,
) -> Step:
    """What each wanted record needs now: nothing, a create, an update, to wait."""
    session, entity, generation = load.session, load.entity_map.entity, load.manifest.generation_to
    links = session.ledger.links(session.scope, entity, [w.source_key for w in todo])
    newer = newer_roots(session, todo, links, generation)
    set_aside = {q.source_key: q for q in session.ledger.quarantined(session.scope) if q.entity == entity}
    step = Step()
    lost, overdue = _theirs(load, links)
    compared: list[str] = []
    elsewhere: list[Link] = []
    changed: list[tuple[Wanted, Link]] = []
    for want in todo:
        link = links.get(want.source_key)
        aside = set_aside.get(want.source_key)
        if link is not None and (link.state == "gone" or want.source_key in lost):
            report.gone += 1
        elif link.generation > generation if link is not None else want.root in newer:
            report.newer += 1
        elif (
            link is not None
            and link.state != "retired"
            and link.digest == want.digest
            and want.source_key not in overdue
        ):
            report.equal += 1
            if link.root == want.root and aside is None:
                compared.append(want.source_key)
            else:  # a batch of the root that it has left must not retire it
                elsewhere.append(considered(load, want, link, link.state))
        elif want.held is not None:
            step.held.append(want)
        elif aside is not None and _still_aside(aside, want, load.retry_quarantined):
            report.quarantined.append(aside)
        elif link is None or link.state == "retired":
            _draft_create(load, want, capabilities, step)
        else:
            changed.append((want, link))
    session.ledger.compared(session.scope, entity, compared, generation, session.fence)
    consider(session, elsewhere)
    if lost:
        session.ledger.record(session.scope, session.fence, links=list(lost.values()))
    await draft_updates(load, changed, capabilities, told, step, report)
    return step


def _theirs(load: Load, links: Mapping[str, Link]) -> tuple[dict[str, Link], set[str]]:
    """What reading back has seen: links whose record is gone, and records with edits that the source overwrites."""
    entity, wins = load.entity_map.entity, load.source_wins()
    lost: dict[str, Link] = {}
    overdue: set[str] = set()
    for edit in load.session.ledger.kept_edits(load.session.scope, entity, links):
        link = links[edit.source_key]
        if edit.verdict == GONE and link.state in ALIVE and link.pipedrive_id == edit.pipedrive_id:
            lost[edit.source_key] = link._replace(state=GONE)
        elif edit.verdict != OVERWRITTEN and edit.field in wins:
            overdue.add(edit.source_key)
    return lost, overdue


def newer_roots(
    session: Session, todo: Sequence[Wanted], links: Mapping[str, Link], generation: int
) -> set[int]:
    """Roots of unlinked records that a newer batch has brought: what it did not bring is deleted at the source."""
    unlinked = {w.root for w in todo if w.source_key not in links}
    if not unlinked:
        return set()
    ledger, scope = session.ledger, session.scope
    # A root of which nothing is left, as after a merge at the source, has no link that says so: its batch does.
    newer = [one for one in ledger.manifests() if one.generation_to > generation]
    reports = ledger.batch_reports(scope.account) if newer else {}
    brought = {root for one in newer if (one.key, "retired") in reports for root in one.roots}
    return ledger.newer_roots(scope, unlinked, generation) | (unlinked & brought)


def _still_aside(aside: Quarantined, want: Wanted, retry: bool) -> bool:
    if aside.reason == AMBIGUOUS:  # one of the records there may be it: a new one would be one too many
        return True
    return not retry and aside.reason != HELD and aside.digest == want.digest


def _draft_create(load: Load, want: Wanted, capabilities: Capabilities, step: Step) -> None:
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
            d.intent.root,
        )
        for d, reason, words in aside
    ]
    if rows:
        load.session.ledger.record(load.session.scope, load.session.fence, quarantine=rows)
    report.quarantined.extend([*rows, *ambiguous])


def _hold(load: Load, held: Sequence[Wanted], report: LoadReport) -> None:
    """Set children aside whose parent is not there; they are looked at again with every load."""
    rows = [
        Quarantined(w.entity, w.source_key, HELD, w.held or "", w.digest, load.manifest.key, w.root)
        for w in held
    ]
    if rows:
        load.session.ledger.record(load.session.scope, load.session.fence, quarantine=rows)
    report.quarantined.extend(rows)
