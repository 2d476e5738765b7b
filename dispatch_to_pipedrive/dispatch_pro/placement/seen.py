"""Which fields does the tenant really use? Every JSON path of the raw records, whether a shape names it or not.

Paths are written as in `paths`: `address.street`, `tagTypeIds[]`, `items[].id`. What was read parent by parent is told
by its items, as its shape is.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import duckdb
import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.feeds import REFERENCE, ROOT_BOUND
from dispatch_to_pipedrive.dispatch_pro.placement.engine import engine, parquet
from dispatch_to_pipedrive.dispatch_pro.placement.index import CommittedSegment, read_index
from dispatch_to_pipedrive.dispatch_pro.placement.winning import view_winning
from dispatch_to_pipedrive.dispatch_pro.shapes import READINGS

COLUMNS = ("feed", "field", "records")
# Records are alike: what differs is which of their fields are empty, so few structures stand for many records.
_STRUCTURES = "SELECT json_structure({record}), count(*) FROM {rows} GROUP BY 1"
_STORED = "(SELECT arg_max(record, (coalesce(modified_on, -1), position)) AS record FROM stored GROUP BY id)"
_ITEMS = """(
    SELECT unnest(CAST(json_extract(record, '$.{part}') AS JSON[])) AS record FROM winning
    WHERE json_type(record, '$.{part}') = 'ARRAY'
)"""


def fields_seen(data: UPath, segments: Iterable[CommittedSegment], generation: int) -> pd.DataFrame:
    """feed, field (a path), records: how many records of the feed have a value there, as of a generation.

    A field that is there and empty in every record has 0. Raises PlacementMissing.
    """
    committed = [one for one in segments if one.generation <= generation]
    index = read_index(data, generation)
    found: list[tuple[str, str, int]] = []
    with engine(data) as connection:
        for feed in ROOT_BOUND:
            view_winning(connection, data, index, feed)
            parts = ("items", "facts") if feed in READINGS else ()
            rows = [_ITEMS.format(part=part) for part in parts] or ["winning"]
            found += ((feed, *one) for one in _counted(connection, rows))
        for feed in REFERENCE:
            files = sorted({one.path for one in committed if one.feed == feed})
            if files:
                parquet(connection, [data / "raw" / path for path in files]).create_view("stored", True)
                found += ((feed, *one) for one in _counted(connection, [_STORED]))
    frame = pd.DataFrame(found, columns=list(COLUMNS))
    return frame.astype({"feed": "string", "field": "string", "records": "Int64"})


def _counted(connection: duckdb.DuckDBPyConnection, sources: Iterable[str]) -> list[tuple[str, int]]:
    """path, records of everything in these sources of records, in order of the paths."""
    counts: Counter[str] = Counter()
    for rows in sources:
        query = _STRUCTURES.format(record="record", rows=rows)
        for structure, records in connection.execute(query).fetchall():
            for path, filled in dict(_paths(json.loads(structure))).items():
                counts[path] += records if filled else 0
    return sorted(counts.items())


def _paths(structure: Any, above: str = "") -> Iterator[tuple[str, bool]]:
    """Each path of a structure, and whether there is a value: lists of nothing and null have none."""
    if isinstance(structure, dict):
        for name, inner in structure.items():
            yield from _paths(inner, f"{above}.{name}" if above else name)
    elif isinstance(structure, list):
        yield from _paths(structure[0], f"{above}[]")
    else:
        yield above, structure != "NULL"
