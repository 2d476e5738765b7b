"""How batches are undone: the same functions behind the command and the jobs.

First the plan, read from ledger and account; then, under the lease, backwards through the ledger. What was begun is on
record before the first deletion: until it has ended nothing else writes to the account, and whoever calls again goes on
with the same batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import dagster as dg

from dispatch_to_pipedrive.migration.errors import GateClosed, MigrationError
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.migration.ledger.approvals import signature
from dispatch_to_pipedrive.migration.lifecycle import UNDONE, require_may_mark, standing
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.undo.carry_out import undo
from dispatch_to_pipedrive.migration.undo.plan import UndoPlan, batches_to_undo, undo_plan
from dispatch_to_pipedrive.migration.undo.report import UndoReport
from dispatch_to_pipedrive.migration.undo.schema import SchemaUndone, schema_to_undo, undo_schema
from dispatch_to_pipedrive.migration.undo.schema_plan import SchemaUndo, plan_schema_undo
from dispatch_to_pipedrive.migration.values import Milestone
from dispatch_to_pipedrive.orchestration.assets.common import ENTITIES
from dispatch_to_pipedrive.orchestration.lifecycle import STATE, about
from dispatch_to_pipedrive.orchestration.prepared import forget_prepared
from dispatch_to_pipedrive.orchestration.progress import Stage
from dispatch_to_pipedrive.orchestration.resources import Migration, reading, writing
from dispatch_to_pipedrive.orchestration.road import wire_names
from dispatch_to_pipedrive.orchestration.rollback_view import schema_frame, steps_frame, view_of
from dispatch_to_pipedrive.orchestration.tell import stands_of
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema
from dispatch_to_pipedrive.reports.rollback import (
    RollbackOutcome,
    RollbackView,
    write_outcome,
    write_plan,
    write_schema,
)

FOLDER = "reports/rollback"
"""Below the account's home: a folder a rollback, by the number under which its beginning stands on record."""
ASSETS = (*(["pipedrive", what] for what in (*ENTITIES, "retired")), ["reconciliation"])
"""What a batch has made, and what nothing is left of when it is undone."""
Events = Callable[[dg.AssetMaterialization], None]


@dataclass(frozen=True)
class Undoing:
    """What is asked: batches (none: all that were loaded), the schema, too, and whether people's edits go with it."""

    batches: tuple[str, ...] = ()
    schema: bool = False
    force: bool = False


@dataclass(frozen=True)
class Foreseen:
    """What undoing comes to now; `begun` is the rollback that this goes on with."""

    plan: UndoPlan
    schema: SchemaUndo | None
    view: RollbackView
    begun: Milestone | None = None


@dataclass(frozen=True)
class Undone:
    """What was undone; `batches` are all that count as rolled back now."""

    foreseen: Foreseen
    report: UndoReport
    schema: SchemaUndone | None
    batches: tuple[str, ...]
    folder: Path
    outcome: RollbackOutcome = field(repr=False)


async def foresee(migration: Migration, asked: Undoing) -> Foreseen:
    """The plan of a rollback, of that which has begun where one has; nothing is written.

    Raises MigrationError for batches that cannot be undone, GateClosed where another rollback has begun.
    """
    ledger = migration.ledger
    async with reading(ledger, migration.settings, purpose="plan a rollback") as session:
        asked, begun = _asked(ledger, session.scope, asked)
        return await _foresee(migration, session, await schema_to_undo(session), asked, begun)


async def roll_back(
    migration: Migration,
    asked: Undoing,
    *,
    by: str,
    run: str = "",
    wait: bool = True,
    on_plan: Callable[[Foreseen], None] = lambda _plan: None,
    tell: Events = lambda _event: None,
) -> Undone:
    """Undo batches, and the schema if asked; a rollback that has begun is gone on with, and not planned again.

    on_plan: sees the plan before anything is written; one without steps where a rollback is gone on with. tell: is
    given what Dagster is to know. Raises MigrationError for batches that cannot be undone, GateClosed where the account
    may not be written to or another rollback has begun.
    """
    by, _ = signature(by)
    ledger, settings = migration.ledger, migration.settings
    async with writing(ledger, settings, purpose="rollback", run=run, wait=wait, undoing=True) as session:
        account = session.scope.account
        asked, begun = _asked(ledger, session.scope, asked)
        schema = await schema_to_undo(session)
        if begun is None:
            foreseen = await _foresee(migration, session, schema, asked, None)
            on_plan(foreseen)
            require_may_mark(ledger, account, "rollback_begun")
            details = _details(asked, foreseen.plan)
            begun = ledger.mark(account, "rollback_begun", by, details, fence=session.fence)
            write_plan(_folder(migration, begun), foreseen.view)
        else:
            # Where it ran out of tokens, planning it again each day would leave none for it.
            plan = UndoPlan(asked.batches, force=asked.force, maps_fields=_mapped(migration, schema))
            foreseen = Foreseen(plan, None, view_of(plan, None, migration.tokens_per_day, begun), begun)
            on_plan(foreseen)
        front = _Front(_folder(migration, begun), by, tell)
        return await _carry_out(session, schema, foreseen, begun, front)


@dataclass(frozen=True)
class _Front:
    """Who asked, who is told, and the folder for what came of it."""

    folder: Path
    by: str
    tell: Events


async def _carry_out(
    session: Session, schema: AccountSchema, foreseen: Foreseen, begun: Milestone, front: _Front
) -> Undone:
    ledger, account = session.ledger, session.scope.account
    done = await undo(session, schema, foreseen.plan, Stage("", "roll back"))
    folder, undone, frame = front.folder, None, None
    if begun.details.get("schema"):
        undone = await undo_schema(session, Stage("", "schema"))
        forget_prepared(ledger, account)
        frame = schema_frame(undone.removed, undone.stays)
        write_schema(folder, frame)
    batches = _undone_since(ledger, account, begun)
    _tell(front, batches, undone is not None)
    back = ledger.taken_back(account, begun.at)
    counts = {"deleted": back["delete"], "restored": back["update"], "kept": done.kept, "gone": done.gone}
    tokens = done.tokens + (undone.tokens if undone else 0)
    details = {**counts, "batches": list(batches), "refused": len(done.refused), "tokens": tokens}
    ledger.mark(account, "rollback_ended", front.by, details, fence=session.fence)
    front.tell(dg.AssetMaterialization(STATE, metadata=about(stands_of(ledger, account))))
    outcome = RollbackOutcome(
        batches,
        **counts,
        tokens=tokens,
        folder=str(folder),
        refused=tuple(done.refused),
        schema=frame,
        keeps=steps_frame(done.keeps).drop(columns="action"),
    )
    write_outcome(folder, outcome)
    return Undone(foreseen, done, undone, batches, folder, outcome)


def _undone_since(ledger: Ledger, account: str, begun: Milestone) -> tuple[str, ...]:
    """The batches that a rollback has undone, cut off and gone on with or not; in the order of planning."""
    reports = ledger.batch_reports(account)
    at = {batch: told["at"] for (batch, stage), told in reports.items() if stage == UNDONE}
    return tuple(m.key for m in ledger.manifests() if at.get(m.key, "") >= begun.at)


async def _foresee(
    migration: Migration, session: Session, schema: AccountSchema, asked: Undoing, begun: Milestone | None
) -> Foreseen:
    batches = asked.batches or tuple(batches_to_undo(session.ledger, session.scope))
    plan = UndoPlan(())
    if batches:
        plan = await undo_plan(session, schema, _mapped(migration, schema), batches, force=asked.force)
    undoing = None
    if asked.schema:
        leaving = {
            entity: frozenset(step.pipedrive_id for step in plan.deletes if step.entity == entity)
            for entity in ENTITIES
        }
        undoing = await plan_schema_undo(session, schema.structure, leaving)
    return Foreseen(plan, undoing, view_of(plan, undoing, migration.tokens_per_day, begun), begun)


def _mapped(migration: Migration, schema: AccountSchema) -> dict[str, list[str]]:
    return {entity: wire_names(schema, migration.maps, entity) for entity in ENTITIES}


def _asked(ledger: Ledger, scope: Scope, asked: Undoing) -> tuple[Undoing, Milestone | None]:
    """What is to be undone: what a rollback that has begun was asked for, else what can be undone of what is asked."""
    account = scope.account
    begun = standing(ledger.milestones(account)).rollback
    if begun is not None:
        details = begun.details
        told = Undoing(tuple(details["batches"]), bool(details.get("schema")), bool(details.get("force")))
        others = asked.batches and set(asked.batches) != set(told.batches)
        if others or (asked.schema and not told.schema) or (asked.force and not told.force):
            raise GateClosed(
                f"a rollback of {_named(told)} begun by {begun.by} at {begun.at[:16]} has not ended: "
                "`rollback --as NAME` goes on with it, and another may begin after it"
            )
        return told, begun
    if asked.batches and asked.schema:
        raise MigrationError(
            "the schema can only go when all batches do: leave the batches out, or leave the schema alone"
        )
    left, undone = batches_to_undo(ledger, scope), ledger.rolled_back(account)
    for batch in asked.batches:
        ledger.manifest(batch)
        if batch in left:
            continue
        if batch in undone:
            raise MigrationError(
                f"batch {batch} was rolled back already, and nothing is left of it: `reapply --as NAME` brings it again"
            )
        raise MigrationError(f"batch {batch} was not loaded, so there is nothing to undo: see `status`")
    if not left and not (asked.schema and ledger.schema_objects(account)):
        raise MigrationError("no batch is loaded, so there is nothing to undo: see `status`")
    return replace(asked, batches=tuple(dict.fromkeys(asked.batches))), None


def _details(asked: Undoing, plan: UndoPlan) -> dict[str, object]:
    return {
        "batches": list(plan.batches),
        "schema": asked.schema,
        "force": asked.force,
        "plan": plan.digest,
    }


def _named(asked: Undoing) -> str:
    batches = ", ".join(asked.batches[:5]) + (" and others" if len(asked.batches) > 5 else "")
    return (batches or "no batch") + (" and the schema" if asked.schema else "")


def _folder(migration: Migration, begun: Milestone) -> Path:
    return migration.home / FOLDER / f"{begun.number:04d}"


def _tell(front: _Front, batches: Sequence[str], schema: bool) -> None:
    """A partition cannot be un-materialized: its newest materialization says that nothing of it is left."""
    nothing: dict[str, dg.RawMetadataValue] = {"state": "rolled back", "by": front.by}
    for batch in batches:
        for key in ASSETS:
            metadata = {**nothing, "dagster/row_count": 0}
            front.tell(dg.AssetMaterialization(key, partition=batch, metadata=metadata))
    if schema:
        front.tell(dg.AssetMaterialization("pipedrive_schema", metadata=nothing))
