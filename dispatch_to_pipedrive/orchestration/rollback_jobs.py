"""The jobs that undo batches and bring them again: one click each, and what came of it on the run's page."""

import asyncio
from collections.abc import Sequence

import dagster as dg
import pandas as pd
from pydantic import Field

from dispatch_to_pipedrive.orchestration.assets.common import ACCOUNT_POOL
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.lifecycle import show_state
from dispatch_to_pipedrive.orchestration.partitions import BATCHES
from dispatch_to_pipedrive.orchestration.reapply import ask_again
from dispatch_to_pipedrive.orchestration.resources import Migration
from dispatch_to_pipedrive.orchestration.undo import Foreseen, Undoing, foresee, roll_back
from dispatch_to_pipedrive.reports.rollback import RollbackOutcome, RollbackView

SHOWN = 50
"""Rows of a table in the UI; all of them are in the files."""
LENGTH = 200
"""Code points of a value in such a table."""
FROM_UI = "Dagster UI"
_LANE = {"dispatch/lane": "load"}


class Who(dg.Config):
    """Who asks; the UI knows nobody's name."""

    by: str = Field(default=FROM_UI, description="Your name, as it shall stand on record.")


class RollbackConfig(Who):
    """How to undo; as it stands it undoes the batch and keeps what people touched."""

    dry_run: bool = Field(default=False, description="Only show the plan; nothing is written.")
    force: bool = Field(
        default=False, description="Undo records whose fields people edited, too; their edits are lost."
    )


class EverythingConfig(RollbackConfig):
    """How to undo all of it."""

    with_schema: bool = Field(
        default=False, description="Delete the schema, too, as far as nobody else uses it."
    )


@dg.op(pool=ACCOUNT_POOL)
def undo_batch(context: dg.OpExecutionContext, config: RollbackConfig, migration: Migration) -> None:
    """Undo one batch: plan, carry out, show."""
    _undo(context, migration, config, Undoing((context.partition_key,), force=config.force))


@dg.op(pool=ACCOUNT_POOL)
def undo_everything(context: dg.OpExecutionContext, config: EverythingConfig, migration: Migration) -> None:
    """Undo every batch that was loaded: plan, carry out, show."""
    _undo(context, migration, config, Undoing(schema=config.with_schema, force=config.force))


@dg.op
def ask_for_it_again(context: dg.OpExecutionContext, config: Who, migration: Migration) -> None:
    """Let batches that were rolled back wait for their load; the sensor `deltas` brings them, one after another."""
    with plain_words():
        batches = ask_again(migration.ledger, config.by)
        show_state(context, migration.ledger)
    context.add_output_metadata({"batches": ", ".join(batches), "waiting": len(batches)})


@dg.job(
    name="rollback",
    partitions_def=BATCHES,
    tags=_LANE,
    description="Undo one batch: what it created is deleted, what it changed restored, what people touched kept.",
)
def rollback() -> None:
    """One click: choose the batch and launch."""
    undo_batch()


@dg.job(
    name="rollback_everything",
    tags=_LANE,
    description="Undo every batch that was loaded, and the schema if asked; what people touched is kept.",
)
def rollback_everything() -> None:
    """All of it."""
    undo_everything()


@dg.job(
    name="reapply",
    tags={"dispatch/lane": "approval"},
    description="Bring again what was rolled back, deltas included: the sensor `deltas` loads one batch after another.",
)
def reapply() -> None:
    """The batches wait again, in the order of planning."""
    ask_for_it_again()


def _undo(
    context: dg.OpExecutionContext, migration: Migration, config: RollbackConfig, asked: Undoing
) -> None:
    with plain_words():
        if config.dry_run:
            context.add_output_metadata(_planned(asyncio.run(foresee(migration, asked)).view))
            return

        def say(foreseen: Foreseen) -> None:
            view = foreseen.view
            counts = ", ".join(f"{count} {name}" for name, count in _counted(view).items())
            context.log.info("undoing %s: %s; %d tokens", ", ".join(view.batches), counts, view.tokens)

        done = asyncio.run(
            roll_back(
                migration,
                asked,
                by=config.by,
                run=context.run_id,
                on_plan=say,
                tell=context.log_event,
            )
        )
        context.add_output_metadata(_came_of_it(done.outcome, done.foreseen.view))
    if done.outcome.refused:
        first, *more = done.outcome.refused
        words = f"Pipedrive refused: {first}" + (f", and {len(more)} more" if more else "")
        raise dg.Failure(description=words, allow_retries=False)


def _planned(view: RollbackView) -> "dict[str, dg.RawMetadataValue]":
    """The plan: counts, price, and tables of what stays and of what cannot be brought back."""
    return {
        "batches": ", ".join(view.batches),
        "cuts_into": ", ".join(view.cuts_into) or "no later batch",
        **_counted(view),
        "irreversible": len(view.irreversible),
        "tokens": view.tokens,
        **({} if view.days is None else {"days": view.days}),
        **_shown("what_is_kept", view.steps[view.steps["action"] == "keep"].drop(columns="action")),
        **_shown("what_cannot_be_brought_back", _lines(view.irreversible)),
        **_schema(view.schema),
    }


def _came_of_it(outcome: RollbackOutcome, view: RollbackView) -> "dict[str, dg.RawMetadataValue]":
    return {
        "batches": ", ".join(outcome.batches),
        "deleted": outcome.deleted,
        "restored": outcome.restored,
        "kept": outcome.kept,
        "gone": outcome.gone,
        "refused": len(outcome.refused),
        "tokens": outcome.tokens,
        "folder": dg.MetadataValue.path(outcome.folder),
        **_shown("what_is_kept", outcome.keeps),
        **_shown("what_cannot_be_brought_back", _lines(view.irreversible)),
        **_shown("what_was_refused", _lines(outcome.refused)),
        **_schema(outcome.schema),
    }


def _counted(view: RollbackView) -> dict[str, int]:
    found = view.steps["action"].value_counts()
    return {action: int(found.get(action, 0)) for action in ("delete", "restore", "keep")}


def _schema(schema: pd.DataFrame | None) -> "dict[str, dg.RawMetadataValue]":
    if schema is None:
        return {}
    going, staying = schema[schema["action"] == "delete"], schema[schema["action"] == "keep"]
    return {
        "schema_deleted": int(going["count"].sum()),
        **_shown("stays_of_the_schema", staying[["what", "why"]]),
    }


def _lines(lines: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({"what": list(lines)}, dtype="string")


def _shown(name: str, rows: pd.DataFrame) -> "dict[str, dg.RawMetadataValue]":
    if not len(rows):
        return {}
    shown = rows.head(SHOWN).to_dict("records")
    records = [dg.TableRecord({str(k): str(v)[:LENGTH] for k, v in row.items()}) for row in shown]
    return {name: dg.MetadataValue.table(records)}
