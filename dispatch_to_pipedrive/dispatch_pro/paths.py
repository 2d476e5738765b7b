"""How is a field of a source record called in one string, and where does its value stand in the frames?

A path is the vendor's own name for a field, objects with a dot and lists with `[]`: `address.street`, `tagTypeIds[]`,
`customFields[].value`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

import pandas as pd

from dispatch_to_pipedrive.dispatch_pro.records import snake
from dispatch_to_pipedrive.dispatch_pro.shapes import SHAPES, Kind, Shape


class Place(NamedTuple):
    """A frame ("jobs", "jobs.tag_type_ids") and its column."""

    frame: str
    column: str


@cache
def fields_of(feed: str) -> Mapping[str, Place]:
    """Every field of the feed's shape: path → where its value stands in the frames."""
    found: dict[str, Place] = {}
    for name, field in SHAPES[feed].items():
        if isinstance(field, list):
            frame, item = f"{feed}.{snake(name)}", field[0]
            if isinstance(item, Kind):
                found[f"{name}[]"] = Place(frame, "value")
            else:
                found |= {
                    f"{name}[].{path}": Place(frame, _column_in_list(column)) for path, column in _plain(item)
                }
        elif isinstance(field, Kind):
            found[name] = Place(feed, snake(name))
        else:
            found |= {
                f"{name}.{path}": Place(feed, f"{snake(name)}_{column}") for path, column in _plain(field)
            }
    return found


def _column_in_list(column: str) -> str:
    """`id` is the record's own there, so an item's bears another name."""
    return "item_id" if column == "id" else column


def _plain(shape: Shape) -> Iterator[tuple[str, str]]:
    for name, field in shape.items():
        if isinstance(field, Mapping):
            yield from ((f"{name}.{path}", f"{snake(name)}_{column}") for path, column in _plain(field))
        else:
            yield name, snake(name)


def rows_by_path(feed: str, frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The feed's records, one row each, a column a field under its path; what stands in a list is a list of values.

    frames: the feed's own and those of its lists (see `records`).
    """
    own = frames[feed].reset_index(drop=True)
    columns: dict[str, pd.Series] = {}
    for path, place in fields_of(feed).items():
        if place.frame == feed:
            columns[path] = own[place.column]
        else:
            items = frames[place.frame].sort_values(["id", "position"], kind="stable")
            lists = {key: values.tolist() for key, values in items.groupby("id")[place.column]}
            columns[path] = pd.Series([lists.get(key) for key in own["id"]], index=own.index, dtype=object)
    return pd.DataFrame(columns, index=own.index)
