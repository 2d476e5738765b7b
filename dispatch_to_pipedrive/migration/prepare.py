"""How the account gets pipeline, stages, fields, options and labels: idempotent, and through the ledger like any write.

Each step is one write with an intent before and an outcome after it; a lost answer is settled by reading the account
again, where only what was not there before the intent can be what it made.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from dispatch_to_pipedrive.mapping.needs import SchemaNeeds
from dispatch_to_pipedrive.migration import faults
from dispatch_to_pipedrive.migration.drift import (
    as_recorded,
    drift,
    made_of,
    options_needed,
    options_of,
    options_to_record,
)
from dispatch_to_pipedrive.migration.errors import MigrationError, RunStopped
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.settle import SECOND_READING
from dispatch_to_pipedrive.migration.values import NAME, Intent, Outcome, SchemaObject
from dispatch_to_pipedrive.pipedrive import making
from dispatch_to_pipedrive.pipedrive import schema as account
from dispatch_to_pipedrive.pipedrive.account import Structure, read_structure
from dispatch_to_pipedrive.pipedrive.errors import Ambiguous, Forbidden, Rejected

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SchemaReport:
    """What was made or renamed, and what stood already."""

    made: int
    existing: int


async def read_schema(session: Session) -> account.AccountSchema:
    """The account's schema as the ledger knows it (40 tokens).

    Raises SchemaChanged if a recorded key has vanished or changed its type.
    """
    return schema_of(session, await read_structure(session.client))


def schema_of(session: Session, structure: Structure) -> account.AccountSchema:
    """An account that was read already, as the ledger knows it; SchemaChanged as `read_schema`."""
    recorded = session.ledger.schema_objects(session.scope.account)
    names = options_of(recorded, NAME)
    schema = account.AccountSchema(structure, made_of(recorded), options_of(recorded), names)
    if changes := account.changes_of(schema):
        raise account.SchemaChanged(changes)
    return schema


async def missing_steps(session: Session, needs: SchemaNeeds) -> tuple[account.SchemaStep, ...]:
    """The steps that are still to be made; empty when the schema is in place."""
    return steps_of(await read_schema(session), needs)


def steps_of(schema: account.AccountSchema, needs: SchemaNeeds) -> tuple[account.SchemaStep, ...]:
    """The steps that a schema lacks, without asking the account again."""
    return account.plan_schema(schema, _needs(needs))


async def apply_schema(
    session: Session, needs: SchemaNeeds, look: Callable[[account.AccountSchema], None] = lambda _schema: None
) -> SchemaReport:
    """Make what is missing, one step after the other, and note which option stands for which choice.

    Options whose source has another name now are renamed, where the map says that they follow and nobody gave them a
    name of their own. `look` sees the schema before anything is made, and may refuse it. Raises RunStopped where people
    deleted an option that records need: it is not made a second time behind their back.
    """
    schema = await read_schema(session)
    schema = await settle_open(session, schema)
    look(schema)
    recorded = session.ledger.schema_objects(session.scope.account)
    options = options_needed(needs)
    if closing := [str(one) for one in drift(recorded, schema.structure, options) if one.blocks]:
        raise RunStopped(f"people changed the account's schema: {'; '.join(closing)}")
    wanted = _needs(needs)
    schema = schema.at_source(needs.sources)
    existing = len(schema.made)
    made = 0
    while steps := account.plan_schema(schema, wanted):
        schema = await _make(session, schema, steps[0])
        made += 1
    if new := options_to_record(schema, options):
        session.ledger.record(session.scope, session.fence, schema=new)
    keep_names(session, schema, anew=True)
    return SchemaReport(made, existing)


def keep_names(
    session: Session, schema: account.AccountSchema, *, anew: bool = False
) -> account.AccountSchema:
    """Write down which option stands for which name of the source; the schema with that.

    Whoever writes records does so before: what a batch was given, it finds when it is read back. Only preparing decides
    `anew`, where an option could not follow its source.
    """
    found = account.names_to_keep(schema, anew=anew)
    if not found:
        return schema
    objects = [as_recorded(name, NAME) for name in found]
    session.ledger.record(session.scope, session.fence, schema=objects)
    return replace(schema, names=(*schema.names, *found))


async def _make(
    session: Session, schema: account.AccountSchema, step: account.SchemaStep
) -> account.AccountSchema:
    intent = replace(
        session.intent(
            "update" if step.kind == "rename" else "create",
            "schema",
            f"{step.kind}:{step.entity}:{step.name}",
        ),
        body=step.as_dict(),
    )
    (intent,), _ = session.ledger.record(session.scope, session.fence, intents=[intent])
    faults.point("schema_intent_committed")
    try:
        outcome = await making.apply_step(session.client, step)
    except Ambiguous:
        return await _settle_step(session, schema, intent)
    except (Rejected, Forbidden) as error:
        rejected = Outcome(intent, "rejected", 0, words=error.words)
        session.ledger.record(session.scope, session.fence, outcomes=[rejected])
        raise RunStopped(
            f"Pipedrive refuses the {step.kind} {step.name!r} of {step.entity}: {error.words}"
        ) from None
    faults.point("schema_step_sent")
    return _commit(session, schema, intent, outcome, "done")


def _commit(
    session: Session,
    schema: account.AccountSchema,
    intent: Intent,
    made: making.SchemaOutcome,
    status: str,
) -> account.AccountSchema:
    outcome = Outcome(
        intent,
        status,
        made.tokens,
        echo=dict(made.record),
        server_date=made.date.isoformat(timespec="seconds") if made.date else None,
    )
    objects = [] if made.made is None else [_object(made.made)]
    objects += [as_recorded(option) for option in making.recorded_by(schema, made)]
    day, tokens = session.untold_tokens()
    session.ledger.record(
        session.scope, session.fence, outcomes=[outcome], schema=objects, day=day, tokens=tokens
    )
    faults.point("schema_outcome_committed")
    return making.learn(schema, made)


async def settle_open(session: Session, schema: account.AccountSchema) -> account.AccountSchema:
    """Find out what became of every step whose answer nobody saw; the schema with what was made."""
    for intent in session.ledger.open_intents(session.scope.account):
        if intent.entity == "schema" and intent.verb != "delete":  # see `undo.schema`
            schema = await _settle_step(session, schema, intent)
    return schema


async def _settle_step(
    session: Session, schema: account.AccountSchema, intent: Intent
) -> account.AccountSchema:
    """Look twice, the second time after the grace period, for what the step made."""
    step = account.SchemaStep.from_dict(intent.body or {})
    for pause in (0.0, max(session.grace_left([intent]), SECOND_READING)):
        await asyncio.sleep(pause)
        found = making.find_made(await read_structure(session.client), step)
        if len(found) == 1:
            return _commit(session, schema, intent, found[0], "settled")
        if found:
            raise MigrationError(
                f"{len(found)} new {step.kind}s named {step.name!r} in Pipedrive ({step.entity}): "
                "delete all but one there and run again"
            )
    session.ledger.record(session.scope, session.fence, outcomes=[Outcome(intent, "absent", 0)])
    return schema


def _needs(needs: SchemaNeeds) -> account.SchemaNeeds:
    return account.SchemaNeeds(
        pipelines=(account.PipelineNeed(needs.pipeline.name, needs.pipeline.stages),),
        fields=tuple(
            account.FieldNeed(f.entity, f.name, f.field_type, f.options, f.description, f.adopts)
            for f in needs.fields
        ),
        labels=tuple(account.LabelNeed(entity, labels) for entity, labels in needs.labels.items() if labels),
        sources=needs.sources,
    )


def _object(made: account.Made) -> SchemaObject:
    return SchemaObject(made.kind, made.entity, made.name, made.key, made.detail)
