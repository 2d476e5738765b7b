"""How a rollback looks before and after: tables for a terminal, and everything it names as CSV.

Names come from the source and from the account: a terminal shows them as text, a spreadsheet calculates nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dispatch_to_pipedrive.reports.pages import shown
from dispatch_to_pipedrive.reports.spreadsheet import csv_text
from dispatch_to_pipedrive.reports.writing import write_report

SHOWN = 20
_ACTIONS = ("delete", "restore", "keep")


@dataclass(frozen=True)
class RollbackView:
    """What a rollback comes to, as plain values.

    steps: action, entity, source_key, pipedrive_id, batch, fields, why. schema: action, kind, count, what, why; None
    where the schema is left alone. `days` is None where no plan limits the day. `going_on` tells of the rollback that
    this one goes on with; going on, nothing is planned and there are no steps.
    """

    batches: Sequence[str]
    cuts_into: Sequence[str]
    steps: pd.DataFrame
    irreversible: Sequence[str]
    tokens: int
    days: float | None
    schema: pd.DataFrame | None = None
    going_on: str = ""


@dataclass(frozen=True)
class RollbackOutcome:
    """What came of it. `refused` are deletions and changes that Pipedrive refused, with its words.

    `schema` as in the view: what was deleted, and what stays with the reason. `keeps` are the view's steps of all that
    was kept, without the action.
    """

    batches: Sequence[str]
    deleted: int
    restored: int
    kept: int
    gone: int
    tokens: int
    folder: str
    refused: Sequence[str] = ()
    schema: pd.DataFrame | None = field(default=None, repr=False)
    keeps: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)


def plan_tables(view: RollbackView) -> RenderableType:
    """What would happen: counts by entity, what is kept and why, what cannot be brought back, the price."""
    lines = [view.going_on] if view.going_on else []
    lines.append(f"undo: {', '.join(view.batches) or 'no batch'}")
    if view.going_on and view.steps.empty:
        return Text(shown("\n".join(lines)))
    if view.cuts_into:
        lines.append(f"cuts into later batches, which are undone with it: {', '.join(view.cuts_into)}")
    parts: list[RenderableType] = [Text(shown("\n".join(lines))), _counts(view.steps)]
    kept = view.steps[view.steps["action"] == "keep"]
    if len(kept):
        parts.append(_table("Kept", kept, ("entity", "source_key", "pipedrive_id", "fields", "why")))
    if view.irreversible:
        parts.append(_table("Cannot be brought back", _lines(view.irreversible), ("what",)))
    if view.schema is not None:
        parts += _schema(view.schema, "would be deleted")
    days = "" if view.days is None else f", {view.days:.2f} days' budget"
    parts.append(Text(f"price: {view.tokens:,} tokens{days}"))
    return Group(*parts)


def outcome_tables(outcome: RollbackOutcome) -> RenderableType:
    """What has happened."""
    lines = [
        f"rolled back: {', '.join(outcome.batches) or 'no batch'}",
        f"{outcome.deleted:,} records deleted, {outcome.restored:,} restored, {outcome.kept:,} kept, "
        f"{outcome.gone:,} were gone; {outcome.tokens:,} tokens",
    ]
    parts: list[RenderableType] = [Text(shown("\n".join(lines)))]
    if outcome.refused:
        parts.append(_table("Refused", _lines(outcome.refused), ("what",)))
    if outcome.schema is not None:
        parts += _schema(outcome.schema, "deleted")
    end = [f"all of it: {outcome.folder}"]
    if outcome.batches:
        end.append("`reapply --as NAME` brings the batches again")
    return Group(*parts, Text(shown("\n".join(end))))


def write_plan(folder: Path, view: RollbackView) -> None:
    """plan.csv with every step, kept.csv and irreversible.csv: as it was foreseen when it began."""
    kept = view.steps[view.steps["action"] == "keep"].drop(columns="action")
    tables = {"kept.csv": kept, "irreversible.csv": _lines(view.irreversible), "plan.csv": view.steps}
    write_report(folder, {name: csv_text(table).encode() for name, table in tables.items()})


def write_outcome(folder: Path, outcome: RollbackOutcome) -> None:
    """kept.csv as it came to be, and refused.csv: what is as it was, since Pipedrive would not have it otherwise."""
    tables = {"kept.csv": outcome.keeps, "refused.csv": _lines(outcome.refused)}
    write_report(folder, {name: csv_text(table).encode() for name, table in tables.items()})


def write_schema(folder: Path, schema: pd.DataFrame) -> None:
    """schema.csv: what went, and what stays with the reason."""
    write_report(folder, {"schema.csv": csv_text(schema).encode()})


def _lines(lines: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({"what": list(lines)}, dtype="string")


def _counts(steps: pd.DataFrame) -> Table:
    table = Table(title="Records", title_justify="left")
    table.add_column("entity")
    for name in _ACTIONS:
        table.add_column(name, justify="right")
    counts = steps.groupby(["entity", "action"], sort=False).size().to_dict()
    for entity in dict.fromkeys(steps["entity"]):
        table.add_row(entity, *(f"{counts.get((entity, action), 0):,}" for action in _ACTIONS))
    return table


def _table(title: str, rows: pd.DataFrame, columns: Sequence[str]) -> Table:
    more = f", the first {SHOWN}" if len(rows) > SHOWN else ""
    table = Table(title=f"{title} ({len(rows):,}{more})", title_justify="left")
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows.head(SHOWN).to_dict("records"):
        table.add_row(*(Text(shown(row[name])) for name in columns))
    return table


def _schema(schema: pd.DataFrame, verb: str) -> list[RenderableType]:
    going, staying = schema[schema["action"] == "delete"], schema[schema["action"] == "keep"]
    kinds = going.groupby("kind")["count"].sum().to_dict()
    counted = ", ".join(f"{kind}: {count:,}" for kind, count in sorted(kinds.items())) or "nothing"
    parts: list[RenderableType] = [Text(f"schema, {verb}: {counted}")]
    if len(staying):
        parts.append(_table("Stays of the schema", staying, ("what", "why")))
    return parts
