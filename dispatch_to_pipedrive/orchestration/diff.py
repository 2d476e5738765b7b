"""Where does the sample's field-level diff go? To a page, a CSV and a Parquet file, and to the asset's metadata."""

from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pandas as pd

from dispatch_to_pipedrive.mapping import Maps
from dispatch_to_pipedrive.mapping.meaning import digest, meaning
from dispatch_to_pipedrive.migration.diff import VERDICTS, distinct_lines, worst_first
from dispatch_to_pipedrive.migration.values import Manifest
from dispatch_to_pipedrive.migration.verify import BLOCKING
from dispatch_to_pipedrive.orchestration.io_managers import to_parquet
from dispatch_to_pipedrive.orchestration.sample import PASSED_OVER
from dispatch_to_pipedrive.reports.diff import DiffPage, render_diff
from dispatch_to_pipedrive.reports.spreadsheet import csv_text
from dispatch_to_pipedrive.reports.writing import write_report

SHOWN = 20
"""Rows of a table in the UI; the rest is in the files."""
LENGTH = 200
"""Code points of a value in such a table."""
APPROVE = (
    (
        "In the UI",
        "open Jobs, choose approve_sample, enter your name as approver and a note in the Launchpad, launch the run.",
    ),
    ("In the shell", 'dispatch-to-pipedrive approve-sample --as "YOUR NAME"'),
)


@dataclass(frozen=True)
class Whose:
    """What a page says of itself besides its rows."""

    company: str
    account: str
    tenant: str
    read_at: str


def write_sample_diff(
    home: Path, whose: Whose, maps: Maps, manifest: Manifest, rows: pd.DataFrame, coverage: pd.DataFrame
) -> "dict[str, dg.RawMetadataValue]":
    """Write diff.html, diff.csv and diff.parquet under reports/sample; what the asset tells of them.

    rows: see `migration.diff.field_diff`; coverage: see `orchestration.sample.sample_coverage`.
    """
    larger = coverage["kind"] == PASSED_OVER
    page = DiffPage(
        company=whose.company,
        account=whose.account,
        tenant=whose.tenant,
        generation=manifest.generation_to,
        map_digest=digest(meaning(maps)),
        made_at=f"{whose.read_at[:16].replace('T', ' ')} UTC",
        roots=len(manifest.roots),
        rows=worst_first(rows),
        lines=distinct_lines(rows),
        coverage=coverage[~larger],
        passed_over=coverage.loc[larger, "what"].tolist(),
        verdicts=VERDICTS,
        blocking=BLOCKING,
        approve=APPROVE,
    )
    folder = home / "reports" / "sample"
    write_report(
        folder,
        {
            "diff.html": render_diff(page).encode(),
            "diff.csv": csv_text(page.rows).encode(),
            "diff.parquet": to_parquet(rows),
        },
    )
    counts = rows["verdict"].value_counts()
    first = page.rows.head(SHOWN).astype("string").fillna("")
    return {
        "diff": dg.MetadataValue.path(str(folder / "diff.html")),
        "diff_csv": dg.MetadataValue.path(str(folder / "diff.csv")),
        "diff_parquet": dg.MetadataValue.path(str(folder / "diff.parquet")),
        "fields_by_verdict": {name: int(counts[name]) for name in VERDICTS if name in counts.index},
        **(
            {
                "fields": dg.MetadataValue.table(
                    [
                        dg.TableRecord({str(k): str(v)[:LENGTH] for k, v in row.items()})
                        for row in first.to_dict("records")
                    ]
                )
            }
            if len(first)
            else {}
        ),
    }
