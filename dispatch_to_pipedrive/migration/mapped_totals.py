"""What logical frames add up to, root by root, and where two sets of totals differ.

Works on the frames that the maps give, and on the same frames read back from an account. The measures are those of
`totals`, which computes them a second time from the source's own records.
"""

import re
from collections.abc import Callable, Mapping

import pandas as pd

COLUMNS = ("root", "entity", "measure", "value")
_SITE = re.compile(r"Site_\d+_Address__c")


def compare_totals(expected: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """The totals that differ: root, entity, measure, expected, found; a missing one counts as no value."""
    keys = list(COLUMNS[:3])
    both = expected.rename(columns={"value": "expected"}).merge(
        found.rename(columns={"value": "found"}), on=keys, how="outer", validate="one_to_one"
    )
    differ = both["expected"].fillna("").astype("string") != both["found"].fillna("").astype("string")
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
    "done": ("done",),
    "minutes": ("duration",),
    "with place": ("location",),
    "due": ("due_date", "due_time"),
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
}
"""Measures that end in a value: their first word → the field."""


def fields_of(entity: str, measure: str) -> tuple[str, ...]:
    """The fields of an entity that a measure is counted from; without one of them it is not counted."""
    if measure == "sites":
        return (*_SITES.get(entity, ()), "Additional_Sites__c")
    name = measure.removeprefix("first ").removeprefix("last ")
    if name in _OF_FIELDS:
        return _OF_FIELDS[name]
    first = measure.partition(" ")[0]
    return (_OF_VALUES[first],) if first in _OF_VALUES else ()


def _mapped_parts(entity: str, frame: pd.DataFrame) -> list[pd.DataFrame]:
    def has(measure: str) -> bool:
        return all(name in frame for name in fields_of(entity, measure))

    roots = frame["root"]
    parts = [_sums(entity, "count", roots, pd.Series(1, index=frame.index))]
    if has("sites"):
        columns = [name for name in map(str, frame) if name == "address" or _SITE.fullmatch(name)]
        lines = frame["Additional_Sites__c"].astype("string").str.count("\n") + 1
        sites = frame[columns].notna().sum(axis=1) + lines.fillna(0).astype(int)
        parts.append(_sums(entity, "sites", roots, sites))
    for measure, count in _SUMMED.items():
        if has(measure):
            parts.append(_sums(entity, measure, roots, count(frame[_OF_FIELDS[measure][0]])))
    for measure, name in _OF_VALUES.items():
        if name in frame:
            values = frame[name]
            if measure == "owner":
                values = values.astype("string").str.strip().str.lower()
            parts.append(_counts(entity, measure, roots, values))
    for measure in ("created", "won_time", "lost_time"):
        if has(measure):
            values = frame[_OF_FIELDS[measure][0]].astype("string").str.slice(0, 19)
            parts += _bounds(entity, measure, roots, values)
    if has("created date"):
        parts += _bounds(entity, "created date", roots, frame["Original_Created_Date__c"].astype("string"))
    if has("due"):
        due = frame["due_date"].astype("string") + " " + frame["due_time"].astype("string").fillna("-")
        parts += _bounds(entity, "due", roots, due)
    return parts


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


_SUMMED: Mapping[str, Callable[[pd.Series], pd.Series]] = {
    "edges org_id": _present,
    "edges person_id": _present,
    "edges deal_id": _present,
    "emails": _lengths,
    "phones": _lengths,
    "participants": _lengths,
    "value in cents": _cents,
    "invoiced in cents": lambda money: _cents(money.map(lambda amount: amount["value"])),
    "other technicians": lambda names: names.astype("string").str.count(r"\(\d+\)").fillna(0).astype(int),
    "done": lambda flags: flags.astype(bool).astype(int),
    "minutes": _minutes,
    "with place": _present,
}
"""Measures that are added up, by what each record counts."""
