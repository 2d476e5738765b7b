"""Where does it go what people did in the account? To a page and tables, and to the asset's metadata."""

from pathlib import Path

import dagster as dg
import pandas as pd

from dispatch_to_pipedrive.migration.kept import KeptLine, lines
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.migration.values import KeptEdit
from dispatch_to_pipedrive.reports.kept import write_kept

SHOWN = 20
"""Lines in the UI; the rest is in the files."""
LENGTH = 200
"""Code points of a value in the UI."""


def tell_kept(home: Path, ledger: Ledger, scope: Scope) -> "dict[str, dg.RawMetadataValue]":
    """Write reports/kept below an account's home, and say what the asset tells of it."""
    edits = ledger.kept_edits(scope)
    found = lines(edits)
    page = write_kept(
        home / "reports" / "kept",
        pd.DataFrame(found, columns=list(KeptLine._fields)),
        pd.DataFrame(edits, columns=list(KeptEdit._fields)),
        scope.tenant,
        ledger.latest_generation(),
    )
    told: dict[str, dg.RawMetadataValue] = {
        "edits_of_people": len(edits),
        "edit_lines": len(found),
        "edits_page": dg.MetadataValue.path(str(page)),
    }
    if found:
        rows = [
            dg.TableRecord({name: str(value)[:LENGTH] for name, value in line._asdict().items()})
            for line in found[:SHOWN]
        ]
        told["edits_by_line"] = dg.MetadataValue.table(rows)
    return told
