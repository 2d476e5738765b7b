"""What people see of a rollback: the engine's plan as plain values for tables and files."""

from collections.abc import Sequence

import pandas as pd

from dispatch_to_pipedrive.migration.undo.plan import UndoPlan
from dispatch_to_pipedrive.migration.undo.schema_plan import SchemaUndo, Staying
from dispatch_to_pipedrive.migration.undo.steps import Step
from dispatch_to_pipedrive.migration.values import Milestone
from dispatch_to_pipedrive.pipedrive.unmaking import Removal
from dispatch_to_pipedrive.reports.rollback import RollbackView

_COLUMNS = ("action", "entity", "source_key", "pipedrive_id", "batch", "fields", "why")
_KINDS = {
    "field": "fields",
    "stage": "stages",
    "pipeline": "pipelines",
    "labels": "labels",
    "options": "options",
}


def view_of(
    plan: UndoPlan, schema: SchemaUndo | None, tokens_per_day: int | None, begun: Milestone | None
) -> RollbackView:
    """The plan of batches, and of the schema where it is to go; `begun` is the rollback that it goes on with."""
    tokens = plan.tokens + (schema.tokens if schema else 0)
    going_on = ""
    if begun is not None:
        when = begun.at
        going_on = f"goes on with the rollback that was begun by {begun.by} at {when[:16]}"
    return RollbackView(
        plan.batches,
        plan.cuts_into,
        steps_frame((*plan.deletes, *plan.restores, *plan.keeps)),
        plan.irreversible,
        tokens,
        None if tokens_per_day is None else tokens / tokens_per_day,
        None if schema is None else schema_frame(schema.removals, schema.stays),
        going_on,
    )


def steps_frame(steps: Sequence[Step]) -> pd.DataFrame:
    """A row for each record that something happens to, or that is kept."""
    rows = [
        (s.action, s.entity, s.source_key, s.pipedrive_id, s.batch, ", ".join(s.fields), s.why) for s in steps
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def schema_frame(removals: Sequence[Removal], stays: Sequence[Staying]) -> pd.DataFrame:
    """Action (delete or keep), kind, count, what, why: a row for each deletion and each thing that stays."""
    rows: list[tuple[str, str, int, str, str]] = [
        ("delete", _KINDS[one.kind], max(1, len(one.options)), _what(one), "") for one in removals
    ]
    rows += [("keep", "", 1, one.what, one.why) for one in stays]
    return pd.DataFrame(rows, columns=["action", "kind", "count", "what", "why"])


def _what(removal: Removal) -> str:
    labels = ", ".join(label for _, label in removal.options)
    name = removal.name if removal.kind in ("stage", "pipeline") else f"{removal.entity}.{removal.name}"
    return f"{name}: {labels}" if labels else name
