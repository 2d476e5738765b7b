"""What a sample should cover: the traits of each root's records, from job types to rare circumstances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.placement.derived import PAYMENT_STATES, SITE_CLASSES
from dispatch_to_pipedrive.dispatch_pro.placement.read import read_batch, root_sizes

PRIORITY_FIELD = "Dispatch Pro Priority"
CIRCUMSTANCE = "circumstance"
LONG_NOTE = 80_000
"""Characters from which a note may be too much for one record elsewhere."""
KINDS = (
    "appointment status",
    "business unit",
    "call",
    "customer field",
    "customer tag",
    "customer type",
    "job field",
    "job status",
    "job tag",
    "job type",
    "location field",
    "owner",
    "payment",
    "priority bucket",
    "priority",
    "sites",
    "sold by",
    "technician's field",
    "technician",
)
"""What a feature's first words may be; all other features are circumstances."""

_NAMED_IN = {
    "business unit": "business_units",
    "customer tag": "tag_types",
    "job tag": "tag_types",
    "job type": "job_types",
    "sold by": "technicians",
    "technician": "technicians",
}
_FEEDS = (
    "customers",
    "customer_contacts",
    "locations",
    "location_contacts",
    "jobs",
    "appointments",
    "appointment_assignments",
    "invoices",
    "payments",
    "calls",
    "job_notes",
    "job_attachments",
    "customer_notes",
    "location_notes",
    "named_contacts",
    "emails",
)
_CHUNK = 3_000  # roots read at once

Frames = Mapping[str, pd.DataFrame]


def root_features(
    data: UPath,
    generation: int,
    roots: Iterable[int] | None = None,
    *,
    per_feature: int = 20,
    priority_field: str = PRIORITY_FIELD,
    reference: Frames | None = None,
) -> pd.DataFrame:
    """One row for each root and feature (columns `root` Int64, `feature` string), no row twice.

    Of the given roots (default all) only candidates are returned: for each feature the `per_feature` roots with
    the fewest records, each candidate with all its features. Reads every given root, a chunk at a time.
    reference: "technicians.custom_fields", if the custom fields of jobs' owners count as features.
    """
    staff = None if reference is None else _filled(reference["technicians.custom_fields"])
    sizes = root_sizes(data, generation).set_index("root").sum(axis="columns").rename("size")
    if roots is not None:
        sizes = sizes[sizes.index.isin(list(roots))]
    nothing = pd.DataFrame({"root": [], "feature": []}).astype({"root": "Int64", "feature": "string"})
    best, chunks = nothing.assign(size=0), list(_chunks(sizes.index))
    found = nothing
    for chunk in chunks:
        found = features_of(read_batch(data, generation, chunk, _FEEDS), priority_field, staff)
        sized = found.assign(size=found["root"].map(sizes))
        best = _smallest(pd.concat([best, sized]), per_feature)
    candidates = sorted(best["root"].unique())
    if len(chunks) <= 1:  # there is no need to read them again
        return found[found["root"].isin(candidates)].reset_index(drop=True)
    complete = [
        features_of(read_batch(data, generation, chunk, _FEEDS), priority_field, staff)
        for chunk in _chunks(candidates)
    ]
    return pd.concat([nothing, *complete], ignore_index=True)


def in_words(features: pd.Series, reference: Frames) -> pd.DataFrame:
    """Each distinct feature for people: feature, kind, what (names instead of ids), all string.

    reference: job_types, tag_types, business_units and technicians; an id that they do not know stays an id.
    """
    names = {
        kind: reference[feed].drop_duplicates("id").set_index("id")["name"]
        for kind, feed in _NAMED_IN.items()
    }
    rows = [(str(feature), *_told(str(feature), names)) for feature in sorted(features.dropna().unique())]
    return pd.DataFrame(rows, columns=["feature", "kind", "what"], dtype="string")


def _told(feature: str, names: Mapping[str, pd.Series]) -> tuple[str, str]:
    kind = next((kind for kind in KINDS if feature.startswith(kind + " ")), None)
    if kind is None:
        return CIRCUMSTANCE, feature
    value = feature[len(kind) + 1 :]
    if kind in names and value.isdecimal():
        name = names[kind].get(int(value))
        return kind, f"{kind} {value}" if name is None or pd.isna(name) else str(name)
    return kind, value


def features_of(
    frames: Frames, priority_field: str = PRIORITY_FIELD, staff: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The features of each root in a batch's source frames (columns `root`, `feature`).

    staff: custom fields of technicians (id, name); without them no feature tells of those.
    """
    customers, jobs, invoices = frames["customers"], frames["jobs"], frames["invoices"]
    fields = _filled(frames["jobs.custom_fields"])
    bucket = fields["name"].str.strip().str.casefold() == priority_field.casefold()
    named = [
        _named("customer type", customers, "type"),
        _named("customer tag", frames["customers.tag_type_ids"], "value"),
        _named("customer field", _filled(frames["customers.custom_fields"]), "name"),
        _named("location field", _filled(frames["locations.custom_fields"]), "name"),
        _named("sites", _sites(customers, frames["locations"]), "sites"),
        _named("job type", jobs, "job_type_id"),
        _named("job status", jobs, "job_status"),
        _named("business unit", jobs, "business_unit_id"),
        _named("priority", jobs, "priority"),
        _named("priority bucket", fields[bucket], "value"),
        _named("job tag", frames["jobs.tag_type_ids"], "value"),
        _named("job field", fields, "name"),
        _named("sold by", jobs, "sold_by_id"),
        _named("owner", _owners(jobs, frames["appointment_assignments"]), "owner"),
        _named("technician's field", _staff_fields(jobs, frames["appointment_assignments"], staff), "name"),
        _named("payment", _payments(frames), "payment"),
        _named("appointment status", frames["appointments"], "status"),
        _named("technician", frames["appointment_assignments"], "technician_id"),
        _named("call", frames["calls"], "direction"),
    ]
    locations, emails = frames["locations"], _emails(frames)
    circumstances = {
        "merged customer": customers[customers["merged_to_id"].notna()],
        "inactive customer": customers[~customers["active"].fillna(True)],
        "customer without a job": customers[~customers["root"].isin(jobs["root"])],
        "customer name that is not English": customers[_not_english(customers["name"])],
        "merged site": locations[locations["merged_to_id"].notna()],
        "inactive site": locations[~locations["active"].fillna(True)],
        "contact of a commercial site": _site_contacts(frames),
        "recall": jobs[jobs["recall_for_id"].notna()],
        "warranty": jobs[jobs["warranty_id"].notna()],
        "project": jobs[jobs["project_id"].notna()],
        "job without charge": jobs[jobs["no_charge"].fillna(False)],
        "inactive job": jobs[~jobs["active"].fillna(True)],
        "job without a type": jobs[jobs["job_type_id"].isna()],
        "job without an appointment": jobs[~jobs["id"].isin(frames["appointments"]["job_id"])],
        "job held": jobs[jobs["job_status"].str.casefold() == "hold"],
        "job canceled": jobs[jobs["job_status"].str.casefold() == "canceled"],
        "unused appointment": frames["appointments"][frames["appointments"]["unused"].fillna(False)],
        "job without an invoice": jobs[~jobs["id"].isin(invoices["job_id"])],
        "invoice without a job": invoices[invoices["job_id"].isna()],
        "inactive invoice": invoices[~invoices["active"].fillna(True)],
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
        "several e-mails": _more_than(emails, 1),
        "no e-mail": customers[~customers["root"].isin(emails["root"])],
    }
    circumstances |= _texts_and_files(frames)
    circumstantial = [rows[["root"]].assign(feature=name) for name, rows in circumstances.items()]
    found = pd.concat([*named, *circumstantial], ignore_index=True).drop_duplicates(ignore_index=True)
    return found.astype({"root": "Int64", "feature": "string"})


def _texts_and_files(frames: Frames) -> dict[str, pd.DataFrame]:
    """Circumstances of notes, files, named contacts and e-mails."""
    job_notes = frames["job_notes"][frames["job_notes"]["active"].fillna(True)]
    notes = pd.concat(
        [
            rows[["root", "text", "is_pinned"]]
            for rows in (job_notes, frames["customer_notes"], frames["location_notes"])
        ]
    )
    files, contacts = frames["job_attachments"], frames["named_contacts"]
    return {
        "note on a job": job_notes,
        "note on a customer": frames["customer_notes"],
        "note on a site": frames["location_notes"],
        "pinned note": notes[notes["is_pinned"].fillna(False)],
        "very long note": notes[(notes["text"].str.len() > LONG_NOTE).fillna(False)],
        "note with a picture": notes[_shows_a_picture(notes["text"])],
        "summary of a job with a picture": frames["jobs"][_shows_a_picture(frames["jobs"]["summary"])],
        "file": files,
        "several files on a job": _repeated(files, "job_id"),
        "file that is too large": files[files["sha256"].notna()],
        "file that could not be looked at": files[files["problem"].notna()],
        "named contact": contacts,
        "several named contacts": _more_than(contacts, 1),
        "e-mail": frames["emails"],
    }


def _shows_a_picture(texts: pd.Series) -> pd.Series:
    return texts.str.contains("<img", case=False, regex=False, na=False)


def _named(kind: str, frame: pd.DataFrame, column: str) -> pd.DataFrame:
    rows = frame[["root", column]].drop_duplicates().dropna()
    return pd.DataFrame({"root": rows["root"], "feature": f"{kind} " + rows[column].astype("string")})


def _filled(fields: pd.DataFrame) -> pd.DataFrame:
    """Custom fields that hold something."""
    return fields[fields["value"].str.strip().fillna("") != ""]


def _not_english(names: pd.Series) -> pd.Series:
    return names.str.contains(r"[^\x00-\x7f]", na=False)


def _sites(customers: pd.DataFrame, locations: pd.DataFrame) -> pd.DataFrame:
    """How many sites each root has, as a class."""
    roots = customers.loc[(customers["id"] == customers["root"]).fillna(False), ["root"]]
    counts = locations.loc[locations["merged_to_id"].isna(), "root"].value_counts()
    many = roots["root"].map(counts).fillna(0).astype("int64")
    classes = pd.cut(many, [-1, 0, 1, 2, 3, 4, 10, float("inf")], labels=["0", *SITE_CLASSES])
    return roots.assign(sites=classes.astype("string"))


def _owners(jobs: pd.DataFrame, assignments: pd.DataFrame) -> pd.DataFrame:
    """From whom each job has its owner."""
    working = assignments[assignments["active"].fillna(True) & assignments["technician_id"].notna()]
    crew = jobs["id"].map(working.groupby("job_id")["technician_id"].nunique()).fillna(0).astype("int64")
    sold = jobs["sold_by_id"].fillna(0) != 0
    owner = pd.Series("nobody", index=jobs.index, dtype="string").mask(sold, "who sold the job")
    owner = owner.mask(crew == 1, "one technician").mask(crew > 1, "the last of several technicians")
    return jobs[["root"]].assign(owner=owner)


def _staff_fields(jobs: pd.DataFrame, assignments: pd.DataFrame, staff: pd.DataFrame | None) -> pd.DataFrame:
    """The custom fields that the owner of each job has: the technician assigned last, else who sold it."""
    if staff is None:
        return jobs.loc[[], ["root"]].assign(name=pd.Series(dtype="string"))
    working = assignments[assignments["active"].fillna(True) & assignments["technician_id"].notna()]
    last = working.sort_values(["assigned_on", "id"]).drop_duplicates("job_id", keep="last")
    owner = jobs["id"].map(last.set_index("job_id")["technician_id"]).fillna(jobs["sold_by_id"])
    return jobs[["root"]].assign(id=owner).merge(staff[["id", "name"]], on="id")


def _payments(frames: Frames) -> pd.DataFrame:
    """Each active job's payment state: its active invoices' totals against what active payments brought."""
    jobs, invoices, payments = frames["jobs"], frames["invoices"], frames["payments"]
    jobs = jobs[jobs["active"].fillna(True)]
    invoices = invoices[invoices["active"].fillna(True) & invoices["job_id"].notna()]
    applied = frames["payments.applied_to"]
    applied = applied[~applied["id"].isin(payments.loc[~payments["active"].fillna(True), "id"])]
    job = applied["applied_to"].map(invoices.drop_duplicates("id").set_index("id")["job_id"])
    received = jobs["id"].map(_sums(applied["applied_amount"], job)).fillna(0)
    billed = jobs["id"].map(_sums(invoices["total"], invoices["job_id"]))
    none, unpaid, partly, paid, credit = PAYMENT_STATES
    state = pd.Series(paid, index=jobs.index, dtype="string")
    state = state.mask((billed > 0) & (received < billed), partly).mask(
        (billed > 0) & (received <= 0), unpaid
    )
    return jobs[["root"]].assign(payment=state.mask(billed < 0, credit).mask(billed.isna(), none))


def _sums(amounts: pd.Series, keys: pd.Series) -> pd.Series:
    """Sums by key, exact to the source's four digits."""
    return amounts.astype("float64").fillna(0).groupby(keys.to_numpy()).sum().round(4)


def _site_contacts(frames: Frames) -> pd.DataFrame:
    customers, contacts = frames["customers"], frames["location_contacts"]
    commercial = customers.loc[customers["type"].str.casefold() == "commercial", "root"]
    return contacts[contacts["active"].fillna(True) & contacts["root"].isin(commercial)]


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
