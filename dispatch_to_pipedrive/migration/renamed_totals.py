"""What do the totals of raw come to under the names that people gave to values?

SQL counts raw by the source's own names, and by the standing that it knows itself. A value map on labels, job types or
priorities, or one that gives a standing to a status the program does not know, is people's decision: the names it gives
are taken from the map, everything else is counted without it. What no field of the map holds is not counted at all.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dispatch_to_pipedrive.mapping import Maps
from dispatch_to_pipedrive.migration.mapped_totals import fields_of

_BY_VALUE: Mapping[str, str] = {
    "label": "label_ids",
    "Job_Type__c": "Job_Type__c",
    "Dispatch_Pro_Priority__c": "Dispatch_Pro_Priority__c",
    "status": "status",
    "stage_id": "stage_id",
}
"""Measure whose name ends in a value → the field whose value map may rename it."""
KNOWN = frozenset(
    ("Scheduled", "Dispatched", "In Progress", "Hold", "Completed", "Canceled", "open", "won", "lost")
)
"""Standings and states that SQL gives by itself; the map has no say in them."""


def renamed(raw: pd.DataFrame, maps: Maps) -> pd.DataFrame:
    """The totals (root, entity, measure, value) with the names that the maps give; counts of one name added up.

    Measures whose fields have left the map are left out.
    """
    raw = _held(raw, maps)
    names = _names(raw, maps)
    if not names:
        return raw
    keys = list(zip(raw["entity"], raw["measure"], strict=True))
    touched = pd.Series([key in names for key in keys], index=raw.index)
    mine = (
        raw[touched].assign(measure=[names[key] for key in keys if key in names]).dropna(subset=["measure"])
    )
    together = pd.concat([raw[~touched], mine], ignore_index=True)
    grouped = ["root", "entity", "measure"]
    both = together.duplicated(grouped, keep=False)
    added = together[both].assign(value=together.loc[both, "value"].astype("int64"))
    summed = added.groupby(grouped)["value"].sum().astype(str).reset_index()
    found: pd.DataFrame = pd.concat([together[~both], summed], ignore_index=True)
    return found


def _held(raw: pd.DataFrame, maps: Maps) -> pd.DataFrame:
    pairs = raw[["entity", "measure"]].drop_duplicates().itertuples(index=False, name=None)
    gone = {
        (entity, measure)
        for entity, measure in pairs
        if entity in maps and not set(fields_of(str(entity), str(measure))) <= maps[str(entity)].fields.keys()
    }
    if not gone:
        return raw
    keys = zip(raw["entity"], raw["measure"], strict=True)
    return raw[[key not in gone for key in keys]].reset_index(drop=True)


def _names(raw: pd.DataFrame, maps: Maps) -> dict[tuple[str, str], Any]:
    """(entity, measure) → the measure under its new name, or nothing where the map drops the value."""
    found: dict[tuple[str, str], Any] = {}
    for entity, measure in raw[["entity", "measure"]].drop_duplicates().itertuples(index=False):
        kind, _, value = str(measure).partition(" ")
        field = maps[entity].fields.get(_BY_VALUE.get(kind, "")) if entity in maps else None
        if field is None or not field.value_map or value not in field.value_map or value in KNOWN:
            continue
        made = field.value_map[value]
        found[str(entity), str(measure)] = None if made is None else f"{kind} {made}"
    return found
