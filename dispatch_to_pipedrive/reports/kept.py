"""How does it look what people did in the account? Lines of equal edits on a page, and all of it as CSV."""

from pathlib import Path
from typing import Any

import pandas as pd

from dispatch_to_pipedrive.reports.pages import templates, visible
from dispatch_to_pipedrive.reports.spreadsheet import csv_text
from dispatch_to_pipedrive.reports.writing import write_report

PAGE = "kept.html"
SHOWN = 200
"""Lines and records in the page; the files have all."""
MEANT = {
    "kept": "their value stays, whatever the source says later",
    "overwritten": "the map lets the source win: its value was written over theirs",
    "gone": "the record was deleted or merged, and is not made again; `relink` names what took its place",
}


def write_kept(folder: Path, lines: pd.DataFrame, edits: pd.DataFrame, tenant: str, generation: int) -> Path:
    """Write page and tables into the folder; the page's path. lines, edits: see `migration.kept`, one a row."""
    files = {
        "lines.csv": csv_text(lines).encode(),
        "edits.csv": csv_text(edits).encode(),
        PAGE: render_kept(lines, edits, tenant, generation).encode(),
    }
    write_report(folder, files)
    return folder / PAGE


def render_kept(lines: pd.DataFrame, edits: pd.DataFrame, tenant: str, generation: int) -> str:
    """The page as HTML; every value is escaped."""
    counts = edits["verdict"].value_counts()
    return (
        templates()
        .get_template("kept.html.j2")
        .render(
            tenant=tenant,
            generation=generation,
            facts=[("Lines", len(lines)), ("Edits", len(edits))],
            verdicts=[(name, int(counts.get(name, 0)), words) for name, words in MEANT.items()],
            lines=_rows(lines),
            all_lines=len(lines),
            gone=_rows(edits[edits["verdict"] == "gone"]),
            all_gone=int(counts.get("gone", 0)),
            script_hash="",
        )
    )


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): value for name, value in row.items()}
        for row in visible(frame.head(SHOWN)).astype("string").fillna("").to_dict("records")
    ]
