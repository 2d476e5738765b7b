"""What a sample should cover: the traits of each root's records, from job types to rare circumstances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.placement.read import read_batch, root_sizes

PRIORITY_FIELD = "Dispatch Pro Priority"
_FEEDS = (
    "customers",
    "customer_contacts",
    "locations",
    "jobs",
    "appointments",
    "appointment_assignments",
    "invoices",
    "calls",
)
_CHUNK = 4_000  # roots read at once

Frames = Mapping[str, pd.DataFrame]


def root_features(
    data: UPath,
    generation: int,
    roots: Iterable[int] | None = None,
    *,
    per_feature: int = 20,
    priority_field: str = PRIORITY_FIELD,
) -> pd.DataFrame:
    """One row for each root and feature (columns `root` Int64, `feature` string), no row twice.

    Of the given roots (default all) only candidates are returned: for each feature the `per_feature` roots with
    the fewest records, each candidate with all its features. Reads every given root, a chunk at a time.
    """
    sizes = root_sizes(data, generation).set_index("root").sum(axis="columns").rename("size")
    if roots is not None:
        sizes = sizes[sizes.index.isin(list(roots))]
    best = features_of(read_batch(data, generation, [], _FEEDS)).assign(size=0)
    for chunk in _chunks(sizes.index):
        found = features_of(read_batch(data, generation, chunk, _FEEDS), priority_field=priority_field)
        found["size"] = found["root"].map(sizes)
        best = _smallest(pd.concat([best, found]), per_feature)
    candidates = sorted(best["root"].unique())
    complete = [
        features_of(read_batch(data, generation, chunk, _FEEDS), priority_field=priority_field)
        for chunk in _chunks(candidates)
    ]
    return pd.concat([best.head(0)[["root", "feature"]], *complete], ignore_index=True)


def features_of(frames: Frames, *, priority_field: str = PRIORITY_FIELD) -> pd.DataFrame:
    """The features of each root in a batch's source frames (columns `root`, `feature`)."""
    customers, jobs, invoices = frames["customers"], frames["jobs"], frames["invoices"]
    fields = frames["jobs.custom_fields"]
    named = [
        _named("customer type", customers, "type"),
        _named("customer tag", frames["customers.tag_type_ids"], "value"),
        _named("customer field", frames["customers.custom_fields"], "name"),
        _named("job type", jobs, "job_type_id"),
        _named("job status", jobs, "job_status"),
        _named("business unit", jobs, "business_unit_id"),
        _named("priority", jobs, "priority"),
        _named("priority bucket", fields[fields["name"] == priority_field], "value"),
        _named("job tag", frames["jobs.tag_type_ids"], "value"),
        _named("job field", fields, "name"),
        _named("sold by", jobs, "sold_by_id"),
        _named("appointment status", frames["appointments"], "status"),
        _named("technician", frames["appointment_assignments"], "technician_id"),
        _named("call", frames["calls"], "direction"),
    ]
    circumstances = {
        "merged customer": customers[customers["merged_to_id"].notna()],
        "inactive customer": customers[~customers["active"].fillna(True)],
        "customer without a job": customers[~customers["root"].isin(jobs["root"])],
        "recall": jobs[jobs["recall_for_id"].notna()],
        "warranty": jobs[jobs["warranty_id"].notna()],
        "job without charge": jobs[jobs["no_charge"].fillna(False)],
        "inactive job": jobs[~jobs["active"].fillna(True)],
        "unused appointment": frames["appointments"][frames["appointments"]["unused"].fillna(False)],
        "job without an invoice": jobs[~jobs["id"].isin(invoices["job_id"])],
        "invoice without a job": invoices[invoices["job_id"].isna()],
        "invoice of zero": invoices[(invoices["total"] == 0).fillna(False)],
        "credit": invoices[(invoices["total"] < 0).fillna(False)],
        "partly paid invoice": invoices[
            ((invoices["balance"] > 0) & (invoices["balance"] < invoices["total"])).fillna(False)
        ],
        "several invoices on a job": _repeated(invoices, "job_id"),
        "several appointments on a job": _repeated(frames["appointments"], "job_id"),
        "several technicians on an appointment": _repeated(
            frames["appointment_assignments"], "appointment_id"
        ),
        "several sites": _more_than(frames["locations"], 1),
        "more than four sites": _more_than(frames["locations"], 4),
        "several e-mails": _more_than(_emails(frames), 1),
        "no e-mail": customers[~customers["root"].isin(_emails(frames)["root"])],
    }
    circumstantial = [rows[["root"]].assign(feature=name) for name, rows in circumstances.items()]
    found = pd.concat([*named, *circumstantial], ignore_index=True).drop_duplicates(ignore_index=True)
    return found.astype({"root": "Int64", "feature": "string"})


def _named(kind: str, frame: pd.DataFrame, column: str) -> pd.DataFrame:
    rows = frame[["root", column]].drop_duplicates().dropna()
    return pd.DataFrame({"root": rows["root"], "feature": f"{kind} " + rows[column].astype("string")})


def _repeated(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Rows that share a value of the column with another row."""
    rows = frame[frame[column].notna()]
    return rows[rows[column].duplicated()]


def _more_than(frame: pd.DataFrame, count: int) -> pd.DataFrame:
    sizes = frame["root"].value_counts()
    return pd.DataFrame({"root": sizes[sizes > count].index})


def _emails(frames: Frames) -> pd.DataFrame:
    contacts = frames["customer_contacts"]
    return contacts[(contacts["type"] == "Email") & contacts["active"].fillna(True)]


def _smallest(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    ordered = rows.sort_values(["size", "root"], kind="stable")
    return ordered.groupby("feature", sort=False).head(count)


def _chunks(roots: Iterable[int]) -> Iterator[list[int]]:
    every = [int(root) for root in roots]
    return (every[at : at + _CHUNK] for at in range(0, len(every), _CHUNK))
