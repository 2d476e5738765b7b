"""Which roots make which batch?

The sample covers every job type, priority, status, tag, owner and edge case with few records; waves are contiguous
ranges of roots, cut by forecast tokens. A root is never split, and every root is in exactly one wave.
"""

from collections.abc import Sequence

import pandas as pd

from dispatch_to_pipedrive.migration import faults
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.values import Manifest
from dispatch_to_pipedrive.pipedrive.prices import CREATE, UPDATE

SAMPLE_LEAST, SAMPLE_MOST = 200, 500
WAVE_MOST = 10_000
COMMERCIAL = "customer type Commercial"


def forecast(sizes: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Root → records and tokens that its first load comes to; the frame is sorted by root.

    sizes: root and one column a feed (customers, locations, jobs, appointments, …). features: root, feature.
    Tokens count a second request for each job, which closes its deal; an account that takes both at once is cheaper.
    """
    commercial = set(features.loc[features["feature"] == COMMERCIAL, "root"])
    table = sizes.sort_values("root", ignore_index=True)
    contacts = table["location_contacts"].gt(0).astype("int64") * table["locations"].sub(1).clip(lower=0)
    people = table["customers"].gt(0).astype("int64") + contacts
    organizations = table["root"].isin(commercial).astype("int64")
    records = organizations + people + table["jobs"] + table["appointments"]
    tokens = records * CREATE + table["jobs"] * UPDATE
    return pd.DataFrame({"root": table["root"], "records": records, "tokens": tokens}).astype("int64")


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
    table = forecast(sizes, features)
    manifests = [sample(table, features, generation)] if len(table) else []
    manifests += waves(table, generation, tokens_per_day, wave_records)
    ledger.plan(manifests)
    faults.point("manifests_planned")
    return manifests


def sample(table: pd.DataFrame, features: pd.DataFrame, generation: int) -> Manifest:
    """For each feature, the rarest first, the smallest root that has it; then small roots until there are enough."""
    ordered = table.sort_values(["records", "root"], ignore_index=True)
    records = dict(zip(ordered["root"], ordered["records"], strict=True))
    having = features.merge(ordered[["root", "records"]], on="root").sort_values(["records", "root"])
    roots_of = {name: list(group) for name, group in having.groupby("feature", sort=True)["root"]}
    features_of = {root: set(group) for root, group in having.groupby("root")["feature"]}
    chosen: dict[int, int] = {}
    covered: set[str] = set()
    for feature in sorted(roots_of, key=lambda name: (len(roots_of[name]), name)):
        if feature not in covered:
            root = roots_of[feature][0]
            chosen[root] = records[root]
            covered |= features_of[root]
    total = sum(chosen.values())
    for root, count in records.items():
        if total >= SAMPLE_LEAST:
            break
        if root not in chosen and total + count <= SAMPLE_MOST:
            chosen[root] = count
            total += count
    picked = table[table["root"].isin(chosen)]
    return _manifest("sample", "sample", picked, generation)


def waves(
    table: pd.DataFrame, generation: int, tokens_per_day: int | None, wave_records: int | None
) -> list[Manifest]:
    """All roots in their order, cut where the next one would break a limit."""
    most_records = wave_records or WAVE_MOST
    most_tokens = tokens_per_day // 4 if tokens_per_day else None
    cuts: list[int] = []
    records = tokens = 0
    for row, (count, price) in enumerate(zip(table["records"], table["tokens"], strict=True)):
        full = records + count > most_records or (most_tokens is not None and tokens + price > most_tokens)
        if row and full and records:
            cuts.append(row)
            records = tokens = 0
        records, tokens = records + count, tokens + price
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
