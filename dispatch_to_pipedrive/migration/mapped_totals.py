"""What logical frames add up to, root by root, and where two sets of totals differ.

Works on the frames that the maps give, and on the same frames read back from an account. The measures are those of
`totals`, which computes them a second time from the source's own records.
"""

import re
from collections.abc import Mapping

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


def _mapped_parts(entity: str, frame: pd.DataFrame) -> list[pd.DataFrame]:
    measures: dict[str, pd.Series] = {"count": pd.Series(1, index=frame.index)}
    bounds: dict[str, pd.Series] = {}
    named: dict[str, pd.Series] = {}
    for name in ("org_id", "person_id", "deal_id"):
        if name in frame:
            measures[f"edges {name}"] = frame[name].notna().astype(int)
    for name in ("emails", "phones", "participants"):
        if name in frame:
            measures[name] = _lengths(frame[name])
    if "Additional_Sites__c" in frame:
        columns = [name for name in map(str, frame) if name == "address" or _SITE.fullmatch(name)]
        lines = frame["Additional_Sites__c"].astype("string").str.count("\n") + 1
        measures["sites"] = frame[columns].notna().sum(axis=1) + lines.fillna(0).astype(int)
    if "label_ids" in frame:
        named["label"] = frame["label_ids"]
    if "Original_Created_At__c" in frame:
        bounds["created"] = frame["Original_Created_At__c"].astype("string").str.slice(0, 19)
        bounds["created date"] = frame["Original_Created_Date__c"].astype("string")
    if entity == "deals":
        measures["value in cents"] = _cents(frame["value"])
        measures["invoiced in cents"] = _cents(frame["Invoice_Amount__c"].map(lambda money: money["value"]))
        bounds |= {name: frame[name].astype("string").str.slice(0, 19) for name in ("won_time", "lost_time")}
        for name in ("status", "stage_id", "Job_Type__c", "Dispatch_Pro_Priority__c", "Payment_Status__c"):
            named[name] = frame[name]
        named |= {"lost_reason": frame["lost_reason"], "technician": frame["Technician_ID__c"]}
        others = frame["Technicians__c"].astype("string")
        measures["other technicians"] = others.str.count(r"\(\d+\)").fillna(0).astype(int)
    if entity == "activities":
        measures["done"] = frame["done"].astype(bool).astype(int)
        measures["minutes"] = _minutes(frame["duration"])
        measures["with place"] = frame["location"].notna().astype(int)
        due = frame["due_date"].astype("string") + " " + frame["due_time"].astype("string").fillna("-")
        bounds["due"] = due
        named["type"] = frame["type"]
    if "owner_id" in frame:
        named["owner"] = frame["owner_id"].astype("string").str.strip().str.lower()
    roots = frame["root"]
    parts = [_sums(entity, name, roots, values) for name, values in measures.items()]
    parts += [_counts(entity, name, roots, values) for name, values in named.items()]
    parts += [part for name, values in bounds.items() for part in _bounds(entity, name, roots, values)]
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
