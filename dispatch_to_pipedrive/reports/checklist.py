"""How the rebuild checklist looks: a page that people tick through, and its items and owners as CSV.

The page works from a file and asks no network. Ticks are kept in the browser under the tenant's name; an item keeps its
tick when the page is written again.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dispatch_to_pipedrive.reports.embedding import embedded, script_hash
from dispatch_to_pipedrive.reports.pages import templates, visible
from dispatch_to_pipedrive.reports.spreadsheet import csv_text
from dispatch_to_pipedrive.reports.writing import write_report

PAGE = "checklist.html"


def write_checklist(
    folder: Path,
    sections: Sequence[tuple[str, pd.DataFrame]],
    owners: pd.DataFrame,
    tenant: str,
    generation: int,
) -> Path:
    """Write the page and its tables into the folder; the page's path. sections: name and items; see `checklist`."""
    items = pd.concat([rows for _, rows in sections], ignore_index=True)
    write_report(
        folder,
        {
            "checklist.csv": csv_text(items).encode(),
            "owners.csv": csv_text(owners).encode(),
            PAGE: render_checklist(sections, owners, tenant, generation).encode(),
        },
    )
    return folder / PAGE


def render_checklist(
    sections: Sequence[tuple[str, pd.DataFrame]], owners: pd.DataFrame, tenant: str, generation: int
) -> str:
    """The page as HTML; every value is escaped, and only the page's own script may run."""
    environment = templates()
    script = environment.get_template("checklist.js").render()
    people = visible(owners).astype(object)
    return environment.get_template("checklist.html.j2").render(
        tenant=tenant,
        generation=generation,
        facts=[
            ("Items", sum(len(rows) for _, rows in sections)),
            ("Technicians", int(owners["technician_id"].count())),
        ],
        items=sum(len(rows) for _, rows in sections),
        sections=[(name, visible(rows).to_dict("records")) for name, rows in sections],
        owners=people.where(people.notna(), "").to_dict("records"),
        data=embedded(f"rebuild checklist {tenant}"),
        script=script,
        script_hash=script_hash(script),
    )
