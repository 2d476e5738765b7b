"""What logical frames add up to, root by root, and where two sets of totals differ.

Works on the frames that the maps give, and on the same frames read back from an account. The measures are those of
`totals`, which computes them a second time from the source's own records.
"""

import re
from collections.abc import Callable, Mapping

import pandas as pd

COLUMNS = ("root", "entity", "measure", "value")
AT_LEAST = "at least "
"""How measures begin of which more may be found than expected: what SQL can tell for certain of texts and names."""
MODULUS = 1_000_003
"""Numbers of records and of their parents are multiplied in this ring, so that an exchange changes the sum."""
MOST_SITES = 400
"""Sites of a customer that are counted: many more do not fit the fields, and their overflow is a note."""
PLAIN_NAME = "[A-Za-z][A-Za-z0-9 _-]{0,60}[.][a-z]{3,4}"
"""File names in which nothing has to be made safe."""
_SITE = re.compile(r"Site_\d+_Address__c")
_TAIL = 200
_STAMP = re.compile(r"(?s).*\[Dispatch Pro (?P<kind>\D+?) (?P<number>\d+)(?: part (?P<part>\d+))?\]")
_SUMMARY, _SITES_NOTE = "job summary", "sites of customer"
"""Kinds of notes that are there only where a text shows files, of which SQL sees the plain ones, or does not fit."""
_ATTACHMENT = r"^attachment:(\d+)$"
_TAG = r"</?[A-Za-z][^<>]*>"


def compare_totals(expected: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """The totals that differ: root, entity, measure, expected, found; a missing one counts as no value."""
    keys = list(COLUMNS[:3])
    both = expected.rename(columns={"value": "expected"}).merge(
        found.rename(columns={"value": "found"}), on=keys, how="outer", validate="one_to_one"
    )
    differ = both["expected"].fillna("").astype("string") != both["found"].fillna("").astype("string")
    least = both["measure"].str.startswith(AT_LEAST)
    wanted, there = (
        pd.to_numeric(both[side].where(least)).fillna(0).astype(float) for side in ("expected", "found")
    )
    differ = differ.where(~least, there < wanted)
    return both[differ].sort_values(keys, ignore_index=True)


def totals_of_mapped(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The totals of logical frames, as the maps give them or as an account was read back; sorted."""
    parts = [part for entity, frame in frames.items() if len(frame) for part in _mapped_parts(entity, frame)]
    return sorted_totals(pd.concat(parts, ignore_index=True) if parts else _nothing())


def _nothing() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype="object") for name in COLUMNS})


def sorted_totals(totals: pd.DataFrame) -> pd.DataFrame:
    """Totals with the columns and types of `COLUMNS`, in order."""
    kinds = {"root": "int64", "entity": "string", "measure": "string", "value": "string"}
    return totals[list(COLUMNS)].astype(kinds).sort_values(list(COLUMNS), ignore_index=True)


_SITES = {
    "organizations": ("address", "Site_2_Address__c", "Site_3_Address__c", "Site_4_Address__c"),
    "persons": ("Site_1_Address__c", "Site_2_Address__c", "Site_3_Address__c", "Site_4_Address__c"),
}
_OF_FIELDS: Mapping[str, tuple[str, ...]] = {
    "edges org_id": ("org_id",),
    "edges person_id": ("person_id",),
    "edges deal_id": ("deal_id",),
    "emails": ("emails",),
    "phones": ("phones",),
    "participants": ("participants",),
    "created": ("Original_Created_At__c",),
    "created date": ("Original_Created_Date__c",),
    "value in cents": ("value",),
    "invoiced in cents": ("Invoice_Amount__c",),
    "won_time": ("won_time",),
    "lost_time": ("lost_time",),
    "other technicians": ("Technicians__c",),
    "recalls": ("Recall_For_Job__c",),
    "warranties": ("Warranty_For_Job__c",),
    "projects": ("Project__c",),
    "done": ("done",),
    "minutes": ("duration",),
    "with place": ("location",),
    "due": ("due_date", "due_time"),
    "attachments": ("content",),
    "places": ("deal_id",),
    "written": ("add_time",),
    "pinned": ("pinned_to_deal_flag", "pinned_to_person_flag", "pinned_to_organization_flag"),
}
_OF_VALUES: Mapping[str, str] = {
    "label": "label_ids",
    "status": "status",
    "stage_id": "stage_id",
    "Job_Type__c": "Job_Type__c",
    "Dispatch_Pro_Priority__c": "Dispatch_Pro_Priority__c",
    "Payment_Status__c": "Payment_Status__c",
    "lost_reason": "lost_reason",
    "technician": "Technician_ID__c",
    "type": "type",
    "owner": "owner_id",
    "author": "user_id",
}
"""Measures that end in a value: their first word → the field."""


def fields_of(entity: str, measure: str) -> tuple[str, ...]:
    """The fields of an entity that a measure is counted from; without one of them it is not counted."""
    if measure == "sites":
        return (*_SITES.get(entity, ()), "Additional_Sites__c")
    name = measure.removeprefix("first ").removeprefix("last ")
    if name in _OF_FIELDS:
        return _OF_FIELDS[name]
    if measure.startswith(AT_LEAST):
        kind, _, rest = measure.removeprefix(AT_LEAST).partition(" ")
        return {"named": ("name",), "pictures": (rest,)}.get(kind, ())
    first = measure.partition(" ")[0]
    return (_OF_VALUES[first],) if first in _OF_VALUES else ()


def _mapped_parts(entity: str, frame: pd.DataFrame) -> list[pd.DataFrame]:
    if entity == "notes":
        whole = _whole_notes(frame)
        mine = whole[~whole["kind"].isin([_SUMMARY, _SITES_NOTE])]
        summaries = whole[(whole["kind"] == _SUMMARY) & (whole["part"] == 1)]
        count = pd.Series(1, index=summaries.index)
        return [
            *_note_parts(mine),
            *_parts(entity, mine[mine["part"] == 1]),
            _sums(entity, f"{AT_LEAST}summaries", summaries["root"], count),
        ]
    if entity == "files":
        return _file_parts(frame)
    return [
        _sums(entity, "count", frame["root"], pd.Series(1, index=frame.index)),
        *_parts(entity, frame),
    ]


def _file_parts(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Attachments by number, place and name, and the pictures beside them by what they hang on."""
    number = pd.to_numeric(frame["content"].astype("string").str.extract(_ATTACHMENT, expand=False))
    attached = number.notna()
    roots, mine = frame.loc[attached, "root"], frame[attached]
    parts = [_sums("files", "attachments", roots, pd.Series(1, index=mine.index))]
    if "deal_id" in frame:
        parts.append(_sums("files", "places", roots, _places(number[attached], mine["deal_id"])))
    if "name" in frame:
        parts.append(_counts("files", f"{AT_LEAST}named", roots, mine["name"]))
    shown = frame[~attached]
    parts += [
        _sums("files", f"{AT_LEAST}pictures {edge}", shown["root"], _present(shown[edge]))
        for edge in ("deal_id", "org_id", "person_id")
        if edge in frame
    ]
    return parts


def _places(numbers: pd.Series, deals: pd.Series) -> pd.Series:
    """Records' numbers times those of their jobs; a record without a job counts nothing."""
    jobs = pd.to_numeric(deals.astype("string").str.extract(r"job:(\d+)/", expand=False))
    product = (numbers.astype("Int64") % MODULUS) * (jobs.astype("Int64") % MODULUS)
    return product.fillna(0).astype("int64")


def _parts(entity: str, frame: pd.DataFrame) -> list[pd.DataFrame]:
    def has(measure: str) -> bool:
        return all(name in frame for name in fields_of(entity, measure))

    roots = frame["root"]
    parts: list[pd.DataFrame] = []
    if has("sites"):
        columns = [name for name in map(str, frame) if name == "address" or _SITE.fullmatch(name)]
        lines = frame["Additional_Sites__c"].astype("string").str.count("\n") + 1
        sites = frame[columns].notna().sum(axis=1) + lines.fillna(0).astype(int)
        parts.append(_sums(entity, "sites", roots, sites.where(sites <= MOST_SITES, 0)))
    parts += [
        _sums(entity, measure, roots, count(frame[_OF_FIELDS[measure][0]]))
        for measure, count in _SUMMED.items()
        if has(measure)
    ]
    if has("participants"):
        parts.append(_sums(entity, "participants", roots, _participants(frame)))
    for measure, name in _OF_VALUES.items():
        if name in frame:
            values = frame[name]
            if measure in ("owner", "author"):
                values = values.astype("string").str.strip().str.lower()
            parts.append(_counts(entity, measure, roots, values))
    for measure in ("created", "won_time", "lost_time", *(["written"] if entity == "notes" else [])):
        if has(measure):
            values = frame[_OF_FIELDS[measure][0]].astype("string").str.slice(0, 19)
            parts += _bounds(entity, measure, roots, values)
    if has("created date"):
        parts += _bounds(entity, "created date", roots, frame["Original_Created_Date__c"].astype("string"))
    if has("due"):
        due = frame["due_date"].astype("string") + " " + frame["due_time"].astype("string").fillna("-")
        parts += _bounds(entity, "due", roots, due)
    return parts


def _participants(activities: pd.DataFrame) -> pd.Series:
    """How many people take part; of an e-mail one, for whom else it was sent to is not told by its record."""
    many = _lengths(activities["participants"])
    return many.where(activities["type"] != "email", many.clip(upper=1)) if "type" in activities else many


def _whole_notes(frame: pd.DataFrame) -> pd.DataFrame:
    """The notes with what their stamps say: kind, number (of the source's record), part (1 where it is not split)."""
    tails = frame["content"].astype("string").str.slice(-_TAIL)
    told = tails.str.extract(_STAMP)
    return frame.assign(
        kind=told["kind"],
        number=pd.to_numeric(told["number"]).astype("Int64"),
        part=pd.to_numeric(told["part"]).fillna(1).astype(int),
    )


def _note_parts(notes: pd.DataFrame) -> list[pd.DataFrame]:
    """What notes are by their stamps; a note that was split is one record."""
    first = notes[notes["part"] == 1]
    roots = first["root"]
    split = notes[notes.duplicated(["root", "kind", "number"], keep=False)]
    letters = split["content"].astype("string").str.replace(_TAG, "", regex=True).str.len().astype(int)
    record = split["kind"].fillna("") + " " + split["number"].astype("string").fillna("")
    sums = letters.groupby([split["root"].to_numpy(), record.to_numpy()]).sum()
    long = pd.DataFrame(
        {
            "root": sums.index.get_level_values(0),
            "entity": "notes",
            "measure": f"{AT_LEAST}letters of " + sums.index.get_level_values(1).astype("string"),
            "value": sums.astype(str).to_numpy(),
        }
    )
    parts = [
        _sums("notes", "records", roots, pd.Series(1, index=first.index)),
        _counts("notes", "stamps", roots, first["kind"]),
        _sums("notes", "numbers", roots, first["number"].fillna(0)),
    ]
    if "deal_id" in first:
        parts.append(_sums("notes", "places", roots, _places(first["number"], first["deal_id"])))
    if set(_OF_FIELDS["pinned"]) <= set(first):
        flags = first[list(_OF_FIELDS["pinned"])].fillna(False).astype(bool)
        parts.append(_sums("notes", "pinned", roots, flags.any(axis="columns").astype(int)))
    return [*parts, long] if len(long) else parts


def _sums(entity: str, measure: str, roots: pd.Series, values: pd.Series) -> pd.DataFrame:
    totals = values.groupby(roots.to_numpy()).sum()
    totals = totals[totals != 0]
    return pd.DataFrame(
        {
            "root": totals.index,
            "entity": entity,
            "measure": measure,
            "value": totals.astype("int64").astype(str),
        }
    )


def _counts(entity: str, measure: str, roots: pd.Series, values: pd.Series) -> pd.DataFrame:
    rows = pd.DataFrame({"root": roots.to_numpy(), "name": values.to_numpy()}).explode("name").dropna()
    counts = rows.astype({"name": "string"}).groupby(["root", "name"]).size().reset_index(name="value")
    words = measure + " " + counts["name"]
    return pd.DataFrame(
        {"root": counts["root"], "entity": entity, "measure": words, "value": counts["value"].astype(str)}
    )


def _bounds(entity: str, measure: str, roots: pd.Series, values: pd.Series) -> list[pd.DataFrame]:
    rows = pd.DataFrame({"root": roots.to_numpy(), "value": values.to_numpy()}).dropna()
    rows = rows.sort_values("value", kind="stable")
    first = rows.drop_duplicates("root", keep="first").assign(measure=f"first {measure}")
    last = rows.drop_duplicates("root", keep="last").assign(measure=f"last {measure}")
    return [part.assign(entity=entity)[list(COLUMNS)] for part in (first, last)]


def _lengths(values: pd.Series) -> pd.Series:
    return values.map(len, na_action="ignore").fillna(0).astype(int)


def _cents(values: pd.Series) -> pd.Series:
    return (values.astype(float) * 100).round().astype("int64")


def _minutes(durations: pd.Series) -> pd.Series:
    text = durations.astype("string")
    hours, minutes = (pd.to_numeric(text.str.slice(a, b)).fillna(0).astype(int) for a, b in ((0, 2), (3, 5)))
    return hours * 60 + minutes


def _present(values: pd.Series) -> pd.Series:
    return values.notna().astype(int)


def _numbers(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values.astype("string")).fillna(0).astype("int64")


_SUMMED: Mapping[str, Callable[[pd.Series], pd.Series]] = {
    "edges org_id": _present,
    "edges person_id": _present,
    "edges deal_id": _present,
    "emails": _lengths,
    "phones": _lengths,
    "value in cents": _cents,
    "invoiced in cents": lambda money: _cents(money.map(lambda amount: amount["value"])),
    "other technicians": lambda names: names.astype("string").str.count(r"\(\d+\)").fillna(0).astype(int),
    "recalls": _numbers,
    "warranties": _numbers,
    "projects": _numbers,
    "done": lambda flags: flags.astype(bool).astype(int),
    "minutes": _minutes,
    "with place": _present,
}
"""Measures that are added up, by what each record counts."""
