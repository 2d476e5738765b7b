"""Which roots make which batch?

The sample is chosen by `sample`; waves are contiguous ranges of roots, cut by forecast tokens. A root is never split,
and every root is in exactly one wave.
"""

from collections.abc import Sequence

import pandas as pd

from dispatch_to_pipedrive.migration import faults
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.sample import choose_sample
from dispatch_to_pipedrive.migration.values import Manifest
from dispatch_to_pipedrive.migration.wave_size import wave_size
from dispatch_to_pipedrive.pipedrive.prices import UPDATE, price

COMMERCIAL = "customer type Commercial"
_COUNTED = (
    *("customers", "locations", "location_contacts", "named_contacts", "jobs", "appointments", "calls"),
    *("emails", "job_attachments", "job_notes", "customer_notes", "location_notes"),
)


def first_loads(sizes: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Root → records and tokens that its first load comes to; the frame is sorted by root.

    sizes: root and one column a feed (customers, locations, jobs, appointments, …). features: root, feature.
    But for what notes bring along (pictures, further parts) no root comes to more records than that: at a commercial
    customer each site with a contact counts as a person, and so does every named contact. Tokens count a second request
    for each job, which closes its deal; an account that takes both at once is cheaper.
    """
    commercial = set(features.loc[features["feature"] == COMMERCIAL, "root"])
    table = sizes.reindex(columns=["root", *_COUNTED], fill_value=0).sort_values("root", ignore_index=True)
    known = table["customers"].gt(0).astype("int64")
    table = table.assign(
        **{feed: table[feed] * known for feed in _COUNTED}
    )  # of nobody's calls nothing is made
    organizations = table["root"].isin(commercial).astype("int64")
    contacts = organizations * table[["location_contacts", "locations"]].min(axis="columns")
    made = {
        "organizations": organizations,
        "persons": known + contacts + table["named_contacts"],
        "deals": table["jobs"],
        "activities": table[["appointments", "calls", "emails"]].sum(axis="columns"),
        "files": table["job_attachments"],
        "notes": table[["job_notes", "customer_notes", "location_notes"]].sum(axis="columns"),
    }
    tokens = sum(count * price("create", entity) for entity, count in made.items()) + table["jobs"] * UPDATE
    found = pd.DataFrame({"root": table["root"], "records": sum(made.values()), "tokens": tokens})
    return found.astype("int64")


def plan_batches(
    ledger: Ledger,
    *,
    generation: int,
    sizes: pd.DataFrame,
    features: pd.DataFrame,
    tokens_per_day: int | None,
    wave_records: int | None,
) -> list[Manifest]:
    """Write the sample and the waves of the full migration to the ledger, once; the manifests that are new."""
    if ledger.manifests():
        return []
    table = first_loads(sizes, features)
    manifests = [sample(table, features, generation)] if len(table) else []
    manifests += waves(table, generation, tokens_per_day, wave_records)
    ledger.plan(manifests)
    faults.point("manifests_planned")
    return manifests


def sample(table: pd.DataFrame, features: pd.DataFrame, generation: int) -> Manifest:
    """The sample's manifest; without a root where every one is larger than a sample may be."""
    chosen = choose_sample(table, features)
    return _manifest("sample", "sample", table[table["root"].isin(chosen)], generation)


def waves(
    table: pd.DataFrame, generation: int, tokens_per_day: int | None, wave_records: int | None
) -> list[Manifest]:
    """All roots in their order, cut where the next one would break a limit."""
    most = wave_size(tokens_per_day, wave_records)
    cuts: list[int] = []
    records = tokens = 0
    for row, (count, cost) in enumerate(zip(table["records"], table["tokens"], strict=True)):
        full = records + count > most.records or (most.tokens is not None and tokens + cost > most.tokens)
        if row and full and records:
            cuts.append(row)
            records = tokens = 0
        records, tokens = records + count, tokens + cost
    starts: Sequence[int] = [0, *cuts] if len(table) else []
    ends = [*cuts, len(table)]
    return [
        _manifest(f"wave-{number:04d}", "wave", table.iloc[start:end], generation)
        for number, (start, end) in enumerate(zip(starts, ends, strict=False), start=1)
    ]


def _manifest(key: str, kind: str, rows: pd.DataFrame, generation: int) -> Manifest:
    return Manifest(
        key=key,
        kind=kind,
        generation_from=0,
        generation_to=generation,
        roots=tuple(int(r) for r in rows["root"]),
        records=int(rows["records"].sum()),
        tokens=int(rows["tokens"].sum()),
    )
