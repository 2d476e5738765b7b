"""How the inventory looks: a page with a filter, and the same rows as CSV and Parquet.

The page is self-contained, works from a file and asks no network; every value of the tenant is escaped.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from dispatch_to_pipedrive.reports.embedding import embedded_rows, script_hash
from dispatch_to_pipedrive.reports.pages import templates, visible
from dispatch_to_pipedrive.reports.spreadsheet import csv_text, parquet_bytes
from dispatch_to_pipedrive.reports.writing import write_report

PAGE = "inventory.html"
STATES = (
    ("unaccounted", "no map reads it, no table keeps it, and no reason is given"),
    ("moved", "a field of the map takes it, or it decides what a field holds or which records there are"),
    ("reference", "kept in a table of the reference data"),
    ("not moved", "stays in Dispatch Pro and in the export, for the reason told"),
)


def write_inventory(
    folder: Path, rows: pd.DataFrame, tenant: str, generation: int, counts: Mapping[str, int]
) -> Path:
    """Write the page and its rows into the folder; the page's path. rows: see migration's `inventory`."""
    write_report(
        folder,
        {
            "inventory.csv": csv_text(rows).encode(),
            "inventory.parquet": parquet_bytes(rows),
            PAGE: render_inventory(rows, tenant, generation, counts).encode(),
        },
    )
    return folder / PAGE


def render_inventory(rows: pd.DataFrame, tenant: str, generation: int, counts: Mapping[str, int]) -> str:
    """The page as HTML; counts: rows in each state."""
    environment = templates()
    script = environment.get_template("inventory.js").render()
    return environment.get_template("inventory.html.j2").render(
        tenant=tenant,
        generation=generation,
        facts=[("Objects", int(rows["object"].nunique())), ("Rows", len(rows))],
        counts=counts,
        states=[state for state in STATES if counts[state[0]] or state[0] != "unaccounted"],
        script=script,
        script_hash=script_hash(script),
        data=embedded_rows(visible(rows)),
    )
