"""What does the sample show of the tenant? Every feature with the customer that shows it, or why nobody does."""

import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.placement import in_words, read_reference
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.sample import coverage, passed_over
from dispatch_to_pipedrive.orchestration.road import committed

PASSED_OVER = "passed over"
"""The kind of the rows that name customers larger than a whole sample."""
REFERENCE = ("job_types", "tag_types", "business_units", "technicians")


def sample_coverage(ledger: Ledger, data: UPath, table: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """kind, what, root (of the sample), why: one row a feature, and one for each customer that was passed over.

    table: root and records, as forecast; features: root, feature.
    """
    roots = next((m.roots for m in ledger.manifests() if m.kind == "sample"), ())
    generation = ledger.latest_generation()
    reference = read_reference(data, committed(ledger, generation), generation, REFERENCE)
    shown = coverage(table, features, roots).merge(in_words(features["feature"], reference), on="feature")
    larger = passed_over(table)
    aside = pd.DataFrame(
        {
            "kind": PASSED_OVER,
            "what": "customer " + larger["root"].astype("string"),
            "root": pd.NA,
            "why": larger["records"].astype("string") + " records are more than a whole sample",
        }
    )
    columns = {"kind": "string", "what": "string", "root": "Int64", "why": "string"}
    found = [frame[list(columns)].astype(columns) for frame in (shown, aside)]
    return pd.concat(found, ignore_index=True)
