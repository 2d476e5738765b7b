"""How the history of a record looks in a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

FIELDS = 12
"""Fields of an operation that are shown; the JSON has all."""


def story(found: Mapping[str, Any]) -> RenderableType:
    """The records, what was done to them, what people did, what is set aside, and under whose approvals."""
    head = [
        f"{one['source_key']}: {one['entity']} {one['pipedrive_id']}, {one['state']}, generation {one['generation']}"
        for one in found["links"]
    ]
    parts: list[RenderableType] = [Text("\n".join(head) or f"{found['asked']}: never linked")]
    parts.append(_operations(found["operations"]))
    if found["edits"]:
        columns = ("entity", "source_key", "field", "verdict", "ours", "theirs", "edited_by", "edited_at")
        parts.append(_table("What people did", columns, found["edits"]))
    if found["quarantined"]:
        parts.append(_table("Set aside", ("entity", "source_key", "reason", "words"), found["quarantined"]))
    if found["approvals"]:
        parts.append(_table("Approvals in force", ("subject", "name", "at"), found["approvals"]))
    return Group(*parts)


def _operations(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title=f"Operations ({len(rows)})", title_justify="left", show_lines=True)
    for name in ("time", "what", "ended", "batch", "run", "tokens", "fields"):
        table.add_column(name, overflow="fold", justify="right" if name == "tokens" else "left")
    for row in rows:
        fields = [
            f"{one['field']}: {one['old']} → {one['new']}" if one["old"] else f"{one['field']}: {one['new']}"
            for one in row["changes"]
        ]
        more = [f"and {len(fields) - FIELDS} more fields"] if len(fields) > FIELDS else []
        ended = f"{row['status']}: {row['words']}" if row["words"] else row["status"]
        what = f"{row['verb']} {row['source_key']} ({row['entity']} {row['pipedrive_id'] or '–'})"
        table.add_row(
            row["at"][:19],
            Text(what),
            Text(ended),
            Text(row["batch"] or "–"),
            Text(row["run"][:8]),
            str(row["tokens"]),
            Text("\n".join([*fields[:FIELDS], *more])),
        )
    return table


def _table(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title=f"{title} ({len(rows)})", title_justify="left")
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if row[name] is None else str(row[name])) for name in columns))
    return table
