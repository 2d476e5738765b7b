"""How the schema that was made for the migration goes again, last of all: what nobody else uses.

Each deletion is a write with an intent before and an outcome after it, and the ledger forgets the thing with its
outcome, so that a schema that is made again starts from nothing. Killed at any point it goes on where it was.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from dispatch_to_pipedrive.migration import faults
from dispatch_to_pipedrive.migration.prepare import settle_open
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.settle import SECOND_READING
from dispatch_to_pipedrive.migration.undo.schema_plan import (
    SchemaUndo,
    Staying,
    plan_schema_undo,
    rows_of,
    standing_schema,
)
from dispatch_to_pipedrive.migration.values import Intent, Outcome
from dispatch_to_pipedrive.pipedrive.account import read_structure
from dispatch_to_pipedrive.pipedrive.errors import Ambiguous, Forbidden, NotFound, Rejected
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema
from dispatch_to_pipedrive.pipedrive.unmaking import Removal, Removed, is_gone, remove

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SchemaUndone:
    """What went, what stays and why, and the tokens that it took."""

    removed: tuple[Removal, ...] = ()
    stays: tuple[Staying, ...] = ()
    tokens: int = 0


async def schema_to_undo(session: Session) -> AccountSchema:
    """The account's schema as far as it stands, every open write to it settled first where the session may write."""
    structure = await read_structure(session.client)
    ledger, account = session.ledger, session.scope.account
    open_ = any(intent.entity == "schema" for intent in ledger.open_intents(account))
    if session.lease is None or not open_:
        return standing_schema(ledger, account, structure)
    await settle_open(session, standing_schema(ledger, account, structure))
    for intent in ledger.open_intents(account):
        if intent.entity == "schema":
            await _settle(session, intent)
    return standing_schema(ledger, account, await read_structure(session.client))


async def undo_schema(
    session: Session, on_progress: Callable[[int, int], None] = lambda _done, _of: None
) -> SchemaUndone:
    """Delete what the program made and nobody else uses: labels and options, fields, stages, pipelines, in this order.

    Goes last: values in records that still stand keep what they are in. What Pipedrive refuses stays, with its words.
    on_progress: how many of how many deletions are done. Raises what ends a session's work: Ctrl-C, a pause.
    """
    before = sum(session.client.budget.by_kind.values())
    schema = await schema_to_undo(session)
    plan = await plan_schema_undo(session, schema.structure)
    removed: list[Removal] = []
    refused: list[Staying] = []
    for removal in plan.removals:
        if (why := session.why_stop()) is not None:
            raise why
        if refusal := await _remove(session, removal):
            refused.append(Staying(_named(removal), f"Pipedrive refuses: {refusal}"))
        else:
            removed.append(removal)
        on_progress(len(removed) + len(refused), len(plan.removals))
    if plan.forget:
        session.ledger.record(session.scope, session.fence, forget=plan.forget)
    session.tell_tokens()
    tokens = sum(session.client.budget.by_kind.values()) - before
    return SchemaUndone(tuple(removed), (*plan.stays, *refused), tokens)


async def _remove(session: Session, removal: Removal) -> str:
    """Delete one thing, surely; the vendor's words where it refuses."""
    while True:
        name = f"{removal.kind}:{removal.entity}:{removal.name}"
        intent = replace(session.intent("delete", "schema", name), body=removal.as_dict())
        (intent,), _ = session.ledger.record(session.scope, session.fence, intents=[intent])
        faults.point("schema_intent_committed")
        try:
            done = await remove(session.client, removal)
        except Ambiguous:
            if await _settle(session, intent):
                return ""
            continue
        except NotFound:
            _commit(session, intent, removal, Removed({}, 0, None), "done")
            return ""
        except (Rejected, Forbidden) as error:
            # Of options that go together one may be gone already, which refuses them all.
            if is_gone(await read_structure(session.client), removal):
                _commit(session, intent, removal, Removed({}, 0, None), "done")
                return ""
            rejected = Outcome(intent, "rejected", 0, words=error.words)
            session.ledger.record(session.scope, session.fence, outcomes=[rejected])
            return error.words
        faults.point("schema_step_sent")
        _commit(session, intent, removal, done, "done")
        return ""


async def _settle(session: Session, intent: Intent) -> bool:
    """Whether a deletion without an answer was carried out; if not, nothing of it can come any more."""
    removal = Removal.from_dict(intent.body or {})
    for pause in (0.0, max(session.grace_left([intent]), SECOND_READING)):
        await asyncio.sleep(pause)
        if is_gone(await read_structure(session.client), removal):
            _commit(session, intent, removal, Removed({}, 0, None), "settled")
            return True
    session.ledger.record(session.scope, session.fence, outcomes=[Outcome(intent, "absent", 0)])
    return False


def _commit(session: Session, intent: Intent, removal: Removal, done: Removed, status: str) -> None:
    outcome = Outcome(
        intent,
        status,
        done.tokens,
        echo=dict(done.record),
        server_date=done.date.isoformat(timespec="seconds") if done.date else None,
    )
    forget = rows_of(removal, session.ledger.schema_objects(session.scope.account))
    day, tokens = session.untold_tokens()
    session.ledger.record(
        session.scope, session.fence, outcomes=[outcome], forget=forget, day=day, tokens=tokens
    )
    faults.point("schema_outcome_committed")


def _named(removal: Removal) -> str:
    if not removal.options:
        return f"{removal.kind} {removal.name!r}"
    labels = ", ".join(repr(label) for _, label in removal.options)
    what = "labels" if removal.kind == "labels" else f"options of {removal.name!r}"
    return f"{what} of {removal.entity}: {labels}"


__all__ = ["SchemaUndo", "SchemaUndone", "Staying", "schema_to_undo", "undo_schema"]
