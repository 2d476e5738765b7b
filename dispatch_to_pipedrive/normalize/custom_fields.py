"""Which custom fields of the tenant does each record bear, and which of them does no map read?

Names are the same when they differ only by case or by the blanks in them.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from dispatch_to_pipedrive.normalize.leftovers import left
from dispatch_to_pipedrive.normalize.lists import FIELD, FIELDS, listed, texts

BEARERS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "organizations": {
        "custom_fields": ("customers", "root"),
        "site_custom_fields": ("locations", "site_id"),
    },
    "persons": {
        "custom_fields": ("customers", "customer_id"),
        "site_custom_fields": ("locations", "site_id"),
    },
    "deals": {
        "custom_fields": ("jobs", "job_id"),
        "site_custom_fields": ("locations", "site_id"),
        "technician_custom_fields": ("technicians", "technician_id"),
    },
}
"""Entity → column → (source feed, column with the id of the source record whose fields it bears)."""

FEEDS = ("customers", "locations", "jobs", "technicians")
"""The source feeds whose records have custom fields that can be borne."""


class Read(NamedTuple):
    """A custom field that a map reads: from which entity's column, and its folded name."""

    entity: str
    column: str
    name: str


def folded(name: str) -> str:
    """A name as it is compared."""
    return " ".join(name.split()).casefold()


def filled(custom: pd.DataFrame) -> pd.DataFrame:
    """The rows of a feed's custom fields that have a name and a value, with the folded name as `key`."""
    names, values = (custom[column].astype("string") for column in ("name", "value"))
    kept = custom[(values.str.strip().fillna("") != "") & (names.str.strip().fillna("") != "")]
    keys = {name: folded(name) for name in kept["name"].unique()}
    kept = kept.assign(key=kept["name"].map(keys).astype("string"))
    return kept.sort_values(["id", "position"], kind="stable")


def bearing(entity: str, frame: pd.DataFrame, fields: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """An entity's frame with its columns of custom fields; `fields` has the filled ones of each feed."""
    columns = {
        column: _borne(frame[owner], fields[feed])
        for column, (feed, owner) in BEARERS.get(entity, {}).items()
    }
    return frame.assign(**columns)


def unread(
    feed: str,
    fields: pd.DataFrame,
    frames: Mapping[str, pd.DataFrame],
    reads: Collection[Read],
    elsewhere: Collection[str] = (),
) -> list[pd.DataFrame]:
    """The filled custom fields of a feed that land nowhere; those named (folded) under `elsewhere` have a column."""
    carried = fields["key"].isin(list(elsewhere))
    for entity, columns in BEARERS.items():
        for column, (of, owner) in columns.items():
            names = [read.name for read in reads if (read.entity, read.column) == (entity, column)]
            if of == feed and names:
                borne = fields["id"].isin(frames[entity][owner].dropna())
                carried |= borne & fields["key"].isin(names)
    second = carried & fields.duplicated(["id", "key"])
    name = fields["name"].astype("string")
    return [
        left(f"{feed}.custom_fields", fields, ~carried, "custom field not in the map: " + name),
        left(f"{feed}.custom_fields", fields, second, "a second custom field of the name " + name),
    ]


def _borne(owners: pd.Series, fields: pd.DataFrame) -> pd.Series:
    """For each owner's id the list of its fields; several rows may have one owner, or none."""
    ids = owners.dropna().drop_duplicates().reset_index(drop=True)
    items = pa.StructArray.from_arrays([texts(fields["name"]), texts(fields["value"])], fields=list(FIELD))
    lists = pa.array(listed(ids, fields["id"], items))
    lists = lists.combine_chunks() if isinstance(lists, pa.ChunkedArray) else lists
    at = pd.Index(ids).get_indexer(pd.Index(owners))
    return pd.Series(lists.take(pa.array(at, mask=at < 0)), index=owners.index, dtype=FIELDS)
