"""How an undo is carried out: backwards, children first, each write an intent and an outcome like any other.

Roots are taken a few at a time: looked at, and written at once, so that little time passes in which people could touch
a record that is about to go; and a hundred at a time the records are looked at once more right before they are written:
what people have touched by then waits for the next look. Whatever ends the
process, the next one finds in the ledger what is in force still and goes on from there; a run that finds nothing to do
writes nothing. The batches count as rolled back before the first write: none of them is ever taken for loaded while
some of its records are gone.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from dispatch_to_pipedrive.migration import faults
from dispatch_to_pipedrive.migration.capabilities import Capabilities
from dispatch_to_pipedrive.migration.compare import flat, without_nulls
from dispatch_to_pipedrive.migration.errors import RunStopped
from dispatch_to_pipedrive.migration.past import Past
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.settle import AMBIGUOUS, settle
from dispatch_to_pipedrive.migration.undo.gather import histories_of
from dispatch_to_pipedrive.migration.undo.look import Ask, Found, Going, Holders, Returning, holders_of, look
from dispatch_to_pipedrive.migration.undo.plan import UndoPlan, groups
from dispatch_to_pipedrive.migration.undo.reach import Key
from dispatch_to_pipedrive.migration.undo.reading import COUNTS, IDS, Once, others_on, read_now, read_once
from dispatch_to_pipedrive.migration.undo.report import UndoReport
from dispatch_to_pipedrive.migration.undo.touched import touched_fields
from dispatch_to_pipedrive.migration.values import ENTITIES, Intent, Link
from dispatch_to_pipedrive.migration.window import Draft, send_all
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

__all__ = ["UndoReport", "undo"]

log = logging.getLogger(__name__)

ROUNDS = 8
"""So often the same roots are looked at again (lost answers, children that went late) before the undo stops."""


async def undo(
    session: Session,
    schema: AccountSchema,
    plan: UndoPlan,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> UndoReport:
    """Undo the batches of a plan, under the session's lease.

    What the plan saw is looked at again: records that people have touched since are kept. A plan without steps will do.
    on_progress: records done, records that the plan names. Raises what stops the window (see `send_all`); run again, it
    goes on.
    """
    ledger, account = session.ledger, session.scope.account
    before = sum(session.client.budget.by_kind.values())
    await settle(session, schema, ledger.open_intents(account))
    faults.point("undo_begun")
    undone = _Undoing(session, schema, plan.ask, on_progress, len(plan.deletes) + len(plan.restores))
    undone.roll_back(plan.undone)
    done: set[int] = set()
    every_root = ledger.roots_of_batches(account, plan.batches)
    if every_root:
        undone.once, undone.holders = await read_once(session), holders_of(session)
    for roots in groups(every_root, done):
        done |= await undone.roots(roots)
    report = undone.report
    report.tokens = sum(session.client.budget.by_kind.values()) - before
    counts = {name: getattr(report, name) for name in ("deleted", "restored", "kept", "gone")}
    for batch in undone.marked:
        ledger.roll_back_batch(account, batch, session.run, counts, fence=session.fence)
    return report


class _Undoing:
    def __init__(
        self,
        session: Session,
        schema: AccountSchema,
        ask: Ask,
        on_progress: Callable[[int, int], None],
        expected: int,
    ) -> None:
        self.session, self.schema, self.ask = session, schema, ask
        self.once = Once()
        self.holders: Holders = {}
        self.report = UndoReport()
        self.marked: list[str] = []
        self._tell, self._done, self._expected = on_progress, 0, expected
        self._refused: dict[Key, str] = {}
        self._capabilities = Capabilities(session.ledger.capabilities(session.scope.account))

    def roll_back(self, batches: Sequence[str]) -> None:
        """Let batches count as rolled back, and free what they had set aside."""
        session = self.session
        fresh = [batch for batch in batches if batch not in self.marked]
        for batch in fresh:
            session.ledger.roll_back_batch(session.scope.account, batch, session.run, {}, fence=session.fence)
        session.ledger.free_batches(session.scope, session.fence, fresh, but=AMBIGUOUS)
        self.marked += fresh

    async def roots(self, roots: Sequence[int]) -> set[int]:
        """Undo what the batches did to some roots; which roots that were in the end."""
        session = self.session
        for _ in range(ROUNDS):
            found = await look(session, self.schema, self.ask, roots, self.once, self.holders, self._refused)
            faults.point("undo_looked")
            self.roll_back(found.cuts)
            again = await self._write(found)
            if found.links:
                session.ledger.record(session.scope, session.fence, links=found.links)
            put_back = histories_of(session, self.ask.batches, roots).put_back
            if put_back:
                session.ledger.put_back(session.scope, session.fence, put_back)
            faults.point("undo_recorded")
            if not again:
                self.report.keeps += found.keeps
                self.report.gone += found.gone
                return found.roots
        raise RunStopped(
            f"records of root {roots[0]} and others are not settled after {ROUNDS} rounds: run again"
        )

    async def _write(self, found: Found) -> bool:
        """Send all that is to be sent, children first; whether the records have to be looked at once more."""
        again = False
        for entity in reversed(ENTITIES):
            ours = [one for one in found.writes if one.history.link.entity == entity]
            for start in range(0, len(ours), IDS):
                some = ours[start : start + IDS]
                left = await self._untouched(entity, some)
                again = not await self._write_some(entity, left) or len(left) < len(some) or again
        return again

    async def _untouched(self, entity: str, ours: Sequence[Going | Returning]) -> list[Going | Returning]:
        """Those that nobody has touched since the look; of those to be deleted only what nothing hangs on any more."""
        seen = await read_now(self.session, entity, [one.history.link.pipedrive_id for one in ours])
        mapped = self.ask.mapped.get(entity, ())
        left: list[Going | Returning] = []
        for one in ours:
            record = seen[one.history.link.pipedrive_id].record
            if record is None:
                continue
            if isinstance(one, Returning):
                looked_at = Past({}, dict(one.record), {}, None)
                if not touched_fields(self.schema, entity, mapped, looked_at, record):
                    left.append(one)
            elif not await others_on(self.session, one.history.place, record, {}, self.once) and (
                self.ask.force or not touched_fields(self.schema, entity, mapped, one.history.now, record)
            ):
                left.append(replace(one, record=record))
        return left

    async def _write_some(self, entity: str, ours: Sequence[Going | Returning]) -> bool:
        """Send what is to be sent for some records of an entity; whether all of it has arrived."""
        if not ours:
            return True
        deletes = [one for one in ours if isinstance(one, Going)]
        halves = [self._halves(one) for one in ours if isinstance(one, Returning)]
        first = [half[0] for half in halves]
        deletions = [self._deletion(one) for one in deletes]
        sent = await self._send([*deletions, *first])
        second = [half[1] for half in halves if len(half) > 1 and half[0].intent.source_key in sent]
        sent_too = await self._send(second)
        whole = {half[-1].intent.source_key for half in halves}
        arrived = (sent - {half[0].intent.source_key for half in halves if len(half) > 1}) | sent_too
        self.report.deleted += len(arrived - whole)
        self.report.restored += len(arrived & whole)
        links = [one.history.link for one in deletes if one.history.link.source_key in arrived]
        self.session.ledger.forget_records(self.session.scope, self.session.fence, entity, links)
        self._done += len(arrived)
        self._tell(self._done, max(self._done, self._expected))
        faults.point("undo_sent")
        return {draft.intent.source_key for draft in (*deletions, *first)} <= arrived

    async def _send(self, drafts: Sequence[Draft]) -> set[str]:
        """Source keys of what was carried out."""
        if not drafts:
            return set()
        session = self.session
        sent = await send_all(session, drafts)
        settled = await settle(session, self.schema, sent.in_doubt)
        refused = {draft.intent.source_key for draft, _ in sent.rejected}
        absent = {intent.source_key for intent in settled.absent}
        vanished = {draft.intent.source_key for draft in sent.gone if draft.intent.verb == "update"}
        for draft, words in sent.rejected:
            self._refused[draft.intent.entity, draft.intent.source_key] = f"Pipedrive refuses: {words}"
            self.report.refused.append(f"{draft.intent.source_key}: {draft.intent.verb} refused: {words}")
        return {draft.intent.source_key for draft in drafts} - refused - absent - vanished

    def _deletion(self, one: Going) -> Draft:
        link, first = one.history.link, one.history.ops[0].op
        counts = COUNTS.get(link.entity, {})
        before = {name: value for name, value in without_nulls(one.record).items() if name not in counts}
        intent = self._intent("delete", link._replace(generation=0), first.batch)
        return Draft(replace(intent, before=before, undoes=first.number), "")

    def _halves(self, one: Returning) -> list[Draft]:
        """The one or two writes that restore a record; the last one takes the operations back."""
        first = one.history.ops[one.remain].op
        now, later = self._capabilities.split(one.history.link.entity, one.how.body)
        bodies = [body for body in (now, later) if body]
        drafts = []
        for number, body in enumerate(bodies, start=1):
            last = number == len(bodies)
            link = one.link if last else one.history.link
            intent = self._intent("update", link, first.batch)
            held = flat(one.record)
            image = {name: held.get(name) for name in flat(body)}
            undoes = first.number if last else None
            drafts.append(Draft(replace(intent, body=body, before=image, undoes=undoes), "", link.state))
        return drafts

    def _intent(self, verb: str, link: Link, batch: str) -> Intent:
        intent = self.session.intent(
            verb, link.entity, link.source_key, root=link.root, generation=link.generation
        )
        return replace(intent, pipedrive_id=link.pipedrive_id, batch=batch)
