"""Which roots make which batch?

The sample is chosen by `sample`; waves are contiguous ranges of roots, cut by forecast tokens. A root is never split,
and every root is in exactly one wave. A delta is every root that was touched since the batch planned last; it is
planned only when no delta waits, so that what arrives meanwhile joins the next one.
"""

from collections.abc import Callable, Iterable, Sequence

import pandas as pd

from dispatch_to_pipedrive.migration import faults
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.lifecycle import LOADED, UNDONE
from dispatch_to_pipedrive.migration.sample import choose_sample
from dispatch_to_pipedrive.migration.values import TENANT, Manifest
from dispatch_to_pipedrive.migration.wave_size import wave_size
from dispatch_to_pipedrive.pipedrive.prices import UPDATE, price

_STAGES = (*LOADED, "reconciliation")
_LOOKED = "looked"
"""The stage under which the tenant's report says up to which generation nobody was touched."""
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


def waiting(ledger: Ledger, account: str) -> list[Manifest]:
    """The batches that are to be loaded next, in the order of planning.

    They are the deltas that were not brought and read back yet, and the batches of any kind that `reapply` named since;
    never one that is rolled back.
    """
    reports = ledger.batch_reports(account)
    asked = {
        batch: one.at
        for one in ledger.milestones(account)
        if one.name == "reapply_asked"
        for batch in one.details["batches"]
    }

    def done(key: str) -> bool:
        times = [reports[key, stage]["at"] for stage in _STAGES if (key, stage) in reports]
        return len(times) == len(_STAGES) and min(times) >= asked.get(key, "")

    return [
        manifest
        for manifest in ledger.manifests()
        if (manifest.kind == "delta" or manifest.key in asked)
        and (manifest.key, UNDONE) not in reports
        and not done(manifest.key)
    ]


def undone_first(ledger: Ledger, account: str) -> str:
    """Why nothing is loaded, in words, while the sample or a wave is rolled back; '' if none is.

    Whatever would be brought then, a delta or the schema for it, would fill an account again that people have emptied.
    A delta may stay rolled back: the next one brings its customers to where the source is.
    """
    undone = ledger.rolled_back(account)
    for manifest in ledger.manifests():
        if manifest.key in undone and manifest.kind != "delta":
            return f"batch {manifest.key} was rolled back: `reapply --as NAME` brings it again, with all that were"
    return ""


def plan_delta(
    ledger: Ledger,
    account: str,
    *,
    generation: int,
    touched: Callable[[int, int], Sequence[int]],
    priced: Callable[[Sequence[int]], pd.DataFrame],
) -> Manifest | None:
    """Write the next delta to the ledger; None if there is nothing to plan, or a delta still waits.

    It covers the generations behind the one planned last, up to `generation`: no gap, and no generation twice. Where
    they touch nobody it is kept how far was looked, for `is_unplanned`.
    touched: the roots that differ between two generations. priced: these roots as `first_loads` has them; its tokens
    are an upper bound, as if every record of a touched root were made anew.
    """
    manifests = ledger.manifests()
    since = max((manifest.generation_to for manifest in manifests), default=generation)
    if generation <= since or any(manifest.kind == "delta" for manifest in waiting(ledger, account)):
        return None
    roots = touched(since, generation)
    if not len(roots):
        ledger.report_batch(account, TENANT, _LOOKED, "", {"generation": generation})
        return None
    number = 1 + sum(manifest.kind == "delta" for manifest in manifests)
    table = priced(roots)
    planned = _manifest(f"delta-{number:04d}", "delta", table, generation, since=since, roots=roots)
    ledger.plan([planned])
    faults.point("delta_planned")
    return planned


def is_unplanned(ledger: Ledger, account: str) -> bool:
    """Whether a generation has arrived that no batch covers, and that was not looked at for the next delta either."""
    looked = int(ledger.batch_reports(account).get((TENANT, _LOOKED), {}).get("generation", 0))
    planned = max((manifest.generation_to for manifest in ledger.manifests()), default=0)
    return ledger.latest_generation() > max(looked, planned)


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


def _manifest(
    key: str,
    kind: str,
    rows: pd.DataFrame,
    generation: int,
    *,
    since: int = 0,
    roots: Iterable[int] | None = None,
) -> Manifest:
    """The rows are the price; `roots` besides them are those that hold nothing any more."""
    return Manifest(
        key=key,
        kind=kind,
        generation_from=since,
        generation_to=generation,
        roots=tuple(int(r) for r in (rows["root"] if roots is None else roots)),
        records=int(rows["records"].sum()),
        tokens=int(rows["tokens"].sum()),
    )
