"""How the reference data looks: each table as CSV and Parquet, and one page that shows them with their dispositions."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dispatch_to_pipedrive.reports.pages import templates, visible
from dispatch_to_pipedrive.reports.spreadsheet import csv_text, parquet_bytes
from dispatch_to_pipedrive.reports.writing import write_report

PAGE = "reference.html"
SHOWN = 200
"""Rows of a table in the page; the files have all."""
TOLD = ("disposition", "field", "trigger", "action", "manual_step", "why")
MEANT = {
    "automation to build": "a person builds it in Pipedrive: trigger and action are told",
    "manual step": "somebody does it once by hand",
    "field": "the migration fills it",
    "nothing to rebuild": "retired, past, or without a counterpart",
}


def write_reference(
    folder: Path,
    tables: Mapping[str, pd.DataFrame],
    titles: Sequence[tuple[str, str, str]],
    tenant: str,
    generation: int,
) -> Path:
    """Write every table and the page into the folder; the page's path. titles: name, title, about of each table."""
    files = {f"{name}.csv": csv_text(frame).encode() for name, frame in tables.items()}
    files |= {f"{name}.parquet": parquet_bytes(frame) for name, frame in tables.items()}
    page = render_reference(tables, titles, tenant, generation).encode()
    write_report(folder, {**files, PAGE: page})
    return folder / PAGE


def render_reference(
    tables: Mapping[str, pd.DataFrame], titles: Sequence[tuple[str, str, str]], tenant: str, generation: int
) -> str:
    """The page as HTML; every value is escaped."""
    demands = pd.concat([frame["disposition"] for frame in tables.values()]).value_counts()
    counts = [(name, int(demands.get(name, 0)), words) for name, words in MEANT.items()]
    return (
        templates()
        .get_template("reference.html.j2")
        .render(
            tenant=tenant,
            generation=generation,
            facts=[("Tables", len(tables)), ("Rows", sum(map(len, tables.values())))],
            tables=[
                _table(name, title, about, tables[name]) for name, title, about in titles if name in tables
            ],
            dispositions=counts,
            script_hash="",
        )
    )


def _table(name: str, title: str, about: str, frame: pd.DataFrame) -> dict[str, Any]:
    shown = visible(frame.head(SHOWN)).astype("string").fillna("")
    columns = [str(column) for column in shown if column not in TOLD]
    lines = [
        ({"disposition": row["disposition"], "words": _words(row)}, [row[column] for column in columns])
        for row in shown.to_dict("records")
    ]
    return {
        "name": name,
        "title": title,
        "about": about,
        "rows": len(frame),
        "columns": columns,
        "lines": lines,
    }


def _words(row: Mapping[Hashable, str]) -> str:
    """What is said of a row: its fields, each automation as trigger and action, steps, and why."""
    triggers, actions = row["trigger"].split("\n"), row["action"].split("\n")
    built = [f"When: {when}\nThen: {then}" for when, then in zip(triggers, actions, strict=False) if when]
    return "\n".join(part for part in (row["field"], *built, row["manual_step"], row["why"]) if part)
