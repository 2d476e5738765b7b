"""Which notes there are, on which deal, person or organization, by whom, and with which files in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from dispatch_to_pipedrive.normalize.addresses import Sites
from dispatch_to_pipedrive.normalize.authors import written_by
from dispatch_to_pipedrive.normalize.leftovers import left, same_root
from dispatch_to_pipedrive.normalize.sources import SourceHosts
from dispatch_to_pipedrive.normalize.texts import hosted, leading, split
from dispatch_to_pipedrive.normalize.times import utc

PARENTS = ("deal_key", "person_key", "organization_key")
IMAGE = ("source_key", "root", "name", "source", "created_at")
STAMPS: Mapping[str, str] = {
    "job note": "job note",
    "customer note": "customer note",
    "location note": "location note",
    "job summary": "job summary",
    "additional sites": "sites of customer",
    "oversized file": "attachment",
}
"""Kind of note → the words of its stamp before the record's number."""
_ROLES = {
    "job note": "job_note",
    "customer note": "customer_note",
    "location note": "location_note",
    "job summary": "job",
    "additional sites": "customer",
    "oversized file": "attachment",
}
TWICE = "listed twice, since its owner was merged into another one"
_COLUMNS = ["kind", "record_id", "root", "text", "pinned", "created_by_id", "created_at", "place", *PARENTS]


@dataclass(frozen=True)
class Hung:
    """The notes' frame, and the files found in their texts: source_key, root, name, source, created_at, parents."""

    notes: pd.DataFrame
    images: pd.DataFrame
    leftovers: list[pd.DataFrame]


def notes(
    frames: Mapping[str, pd.DataFrame],
    reference: Mapping[str, pd.DataFrame],
    customers: pd.DataFrame,
    jobs: pd.DataFrame,
    sites: Sites,
    oversized: pd.DataFrame,
    hosts: SourceHosts,
) -> Hung:
    """Every note (see schemas.SCHEMAS): of jobs, customers and locations, and what fits no field of a record.

    `oversized`: the attachments that are too large to be files. A note of a customer or location hangs on the
    organization where there is one, else on the person; one of a job on its deal. A note that is longer than Pipedrive
    holds is several notes.
    """
    of_jobs, lost_jobs = _of_jobs(frames["job_notes"], jobs)
    of_customers, lost_customers = _of_customers(frames["customer_notes"], customers)
    of_locations, lost_locations = _of_locations(frames["location_notes"], customers, sites)
    rows = pd.concat(
        [
            of_jobs,
            of_customers,
            of_locations,
            _summaries(jobs, hosts),
            _overflow(sites, customers),
            _oversized(oversized, jobs),
        ],
        ignore_index=True,
    )
    leftovers = [*lost_jobs, *lost_customers, *lost_locations]
    if rows.empty:
        return Hung(pd.DataFrame(), pd.DataFrame(columns=[*IMAGE, *PARENTS]), leftovers)
    number = rows["record_id"].astype("string")
    rows = rows.assign(record=rows["kind"].map(_ROLES).astype("string") + ":" + number)
    rows, found = hosted(rows, hosts)
    shows = rows["record"].isin(found["record"])
    blank = rows["html"].isna()
    for kind, feed in (
        ("job note", "job_notes"),
        ("customer note", "customer_notes"),
        ("location note", "location_notes"),
    ):
        mine = rows["kind"] == kind
        leftovers.append(
            left(feed, rows.rename(columns={"record_id": "id"}), mine & blank, "note without a text")
        )
    kept = rows[~blank & ((rows["kind"] != "job summary") | shows)].reset_index(drop=True)
    images = found.merge(
        kept[["record", "root", "created_at", *PARENTS]], on="record", validate="many_to_one"
    )
    return Hung(_finished(kept, reference), images.drop(columns="record"), leftovers)


def _finished(kept: pd.DataFrame, reference: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    whole = pd.concat([kept, written_by(kept["created_by_id"], reference)], axis=1)
    made = split(whole)
    further = made["part"] > 1
    part = made["part"].astype("string")
    words = made["kind"].map(STAMPS).astype("string")
    stamp = "Dispatch Pro " + words + " " + made["record_id"].astype("string")
    pinned = {
        f"pinned_to_{key.removesuffix('_key')}": (made["pinned"] & made[key].notna()).map(
            {True: "yes", False: "no"}
        )
        for key in PARENTS
    }
    return made.assign(
        source_key=(made["record"] + "/note").where(~further, made["record"] + "/note-" + part),
        stamp=stamp.where(~further, stamp + " part " + part),
        **pinned,
    )


def parents(roots: pd.Series, customers: pd.DataFrame) -> pd.DataFrame:
    """For each root its organization's key, or where it has none its person's; beside them an empty deal_key."""
    of = customers.set_index("root")
    organization = roots.map(of["organization_key"]).astype("string")
    person = roots.map(of["person_key"]).astype("string").where(organization.isna())
    nothing = pd.Series(pd.NA, index=roots.index, dtype="string")
    return pd.DataFrame({"deal_key": nothing, "person_key": person, "organization_key": organization})


def of_job(job_ids: pd.Series) -> pd.DataFrame:
    """The deals of jobs as parents."""
    nothing = pd.Series(pd.NA, index=job_ids.index, dtype="string")
    deal = "job:" + job_ids.astype("string") + "/deal"
    return pd.DataFrame({"deal_key": deal, "person_key": nothing, "organization_key": nothing})


def _rows(kind: str, source: pd.DataFrame, hung: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """Rows of one kind of note: what `source` and `columns` have, and the parents."""
    made: pd.DataFrame = pd.concat([source.assign(kind=kind, **columns), hung], axis=1)
    types = {
        "kind": "string",
        "record_id": "Int64",
        "text": "string",
        "place": "string",
        "created_by_id": "Int64",
    }
    return made[_COLUMNS].astype({**types, "pinned": bool, "created_at": "string"})


def _written(
    kind: str, feed: str, found: pd.DataFrame, hung: pd.DataFrame, place: Any = None
) -> pd.DataFrame:
    return _rows(
        kind,
        found.drop(columns=[name for name in PARENTS if name in found]).rename(columns={"id": "record_id"}),
        hung,
        pinned=found["is_pinned"].fillna(False).astype(bool),
        created_at=utc(found, feed, "created_on"),
        place=place,
    )


def _of_jobs(found: pd.DataFrame, jobs: pd.DataFrame) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    deleted = ~found["active"].fillna(True).astype(bool)
    homeless = ~same_root(found, found["job_id"], jobs) & ~deleted
    kept = found[~deleted & ~homeless]
    return _written("job note", "job_notes", kept, of_job(kept["job_id"])), [
        left("job_notes", found, deleted, "deleted note"),
        left("job_notes", found, homeless, "its job is not carried"),
    ]


def _of_customers(found: pd.DataFrame, customers: pd.DataFrame) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    homeless = ~found["root"].isin(customers["root"])
    twice = _twice(found, "customer_id") & ~homeless
    kept = found[~homeless & ~twice]
    return _written("customer note", "customer_notes", kept, parents(kept["root"], customers)), [
        left("customer_notes", found, homeless, "its customer is not in the export"),
        left("customer_notes", found, twice, TWICE),
    ]


def _twice(found: pd.DataFrame, parent: str) -> pd.Series:
    """Which rows stand for a note that another row has: after a merge both parents may list it.

    The survivor's row stays, else that of the parent with the lower id.
    """
    merged = found[parent] != found["root"]
    ordered = (
        found[["root", "id", parent]].assign(merged=merged).sort_values(["merged", parent], kind="stable")
    )
    return ordered.duplicated(["root", "id"]).reindex(found.index)


def _of_locations(
    found: pd.DataFrame, customers: pd.DataFrame, sites: Sites
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Notes of sites say which site they are about, since they hang on its customer."""
    homeless = ~found["root"].isin(customers["root"])
    twice = _twice(found, "location_id") & ~homeless
    kept = found[~homeless & ~twice]
    survivor = kept["location_id"].map(sites.survivor).astype("Int64")
    about = sites.locations.set_index("id")
    name, line = (survivor.map(about[column]).astype("string").str.strip() for column in ("name", "line"))
    place = name.where(line.isna(), name.where(name.isna() | (name == ""), name + ", " + line).fillna(line))
    return _written("location note", "location_notes", kept, parents(kept["root"], customers), place), [
        left("location_notes", found, homeless, "its customer is not in the export"),
        left("location_notes", found, twice, TWICE),
    ]


def _summaries(jobs: pd.DataFrame, hosts: SourceHosts) -> pd.DataFrame:
    """The summaries of jobs; only those that show files become notes, for the text itself is a field of the deal."""
    jobs = jobs[leading(jobs["summary"].astype("string"), hosts)]
    source = jobs[["id", "root", "summary", "created_by_id"]]
    source = source.rename(columns={"id": "record_id", "summary": "text"})
    created = utc(jobs, "jobs", "created_on")
    return _rows("job summary", source, of_job(jobs["id"]), pinned=False, created_at=created, place=None)


def _overflow(sites: Sites, customers: pd.DataFrame) -> pd.DataFrame:
    """The sites that fit no field, as a pinned note."""
    source = sites.overflow.assign(text=sites.overflow["lines"].map(escape, na_action="ignore"))
    source = source.assign(record_id=source["root"], created_by_id=None)
    created = source["root"].map(customers.set_index("root")["created_at"]).astype("string")
    hung = parents(source["root"], customers)
    return _rows("additional sites", source, hung, pinned=True, created_at=created, place=None)


def _oversized(found: pd.DataFrame, jobs: pd.DataFrame) -> pd.DataFrame:
    """What remains of a file that is too large: its name, size, hash and number."""
    name = found["file_name"].astype("string").map(escape, na_action="ignore").astype("string")
    size = found["size"].map("{:,}".format, na_action="ignore").astype("string")
    text = "This file is too large to move: " + name.fillna("(no name)")
    text = text + "\nSize: " + size + " bytes"
    text = text + ("\nSHA-256: " + found["sha256"].astype("string")).fillna("")
    text = text + "\nDispatch Pro attachment " + found["id"].astype("string")
    source = found[["id", "root", "created_by_id"]].rename(columns={"id": "record_id"}).assign(text=text)
    created = utc(found, "job_attachments", "created_on")
    return _rows(
        "oversized file", source, of_job(found["job_id"]), pinned=False, created_at=created, place=None
    )
