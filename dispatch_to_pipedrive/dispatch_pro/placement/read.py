"""Reading through a placement: a batch's source frames, reference frames, what each root holds, what changed.

A batch costs what it holds: its rows are found by the spans of the placement's files and row groups, its records
in the clustered history by root, or in a later segment by position.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb
import pandas as pd
import pyarrow as pa
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS, REFERENCE, ROOT_BOUND
from dispatch_to_pipedrive.dispatch_pro.placement.engine import address, engine, parquet, table
from dispatch_to_pipedrive.dispatch_pro.placement.index import CommittedSegment, Index, Span, read_index
from dispatch_to_pipedrive.dispatch_pro.records import frames_from_records

_FEW = 1_000

_WANTED = """
CREATE OR REPLACE TEMP TABLE wanted AS
SELECT p.root, p.id, p.path, p.position, p.home
FROM placed p SEMI JOIN roots USING (root)
WHERE p.root BETWEEN $first AND $last
"""

_CLUSTERED = """
SELECT w.root, w.id, c.record
FROM clustered c JOIN wanted w ON c.root = w.home AND c.id = w.id
WHERE c.root BETWEEN $first AND $last
"""

_IN_SEGMENT = """
SELECT w.root, w.id, s.record
FROM segment s JOIN wanted w ON s.position = w.position
WHERE w.home IS NULL AND w.path = $path AND s.position BETWEEN $first AND $last
"""

_SEGMENTS = """
SELECT path, min(position), max(position) FROM wanted WHERE home IS NULL GROUP BY path ORDER BY path
"""

_LATEST = """
SELECT CAST(s.id AS BIGINT) AS id,
       max_by(s.record, (coalesce(s.modified_on, -9223372036854775808), g.generation, s.position)) AS record
FROM stored s JOIN generations g ON g.address = s.filename
GROUP BY 1 ORDER BY 1
"""

_CHANGED = """
SELECT DISTINCT unnest([b.root, a.root]) AS root
FROM after_rows a FULL JOIN before_rows b ON a.id = b.id
WHERE a.root IS DISTINCT FROM b.root OR a.generation IS DISTINCT FROM b.generation
   OR a.path IS DISTINCT FROM b.path OR a.position IS DISTINCT FROM b.position
"""

_ITEMS = """
SELECT p.root, CAST(sum(coalesce(s.item_count, 0)) AS BIGINT) AS records,
       CAST(sum(coalesce(s.byte_count, 0)) AS BIGINT) AS bytes
FROM placed p JOIN places x ON x.path = p.path
JOIN stored s ON s.filename = x.address AND s.position = p.position
GROUP BY p.root
"""

_NO_ROWS = """
SELECT 0::BIGINT AS root, 0::BIGINT AS id, 0::INTEGER AS generation, '' AS path, 0::BIGINT AS position
WHERE false
"""


def read_batch(
    data: UPath, generation: int, roots: Iterable[int], feeds: Sequence[str] = ROOT_BOUND
) -> dict[str, pd.DataFrame]:
    """The source frames (see `records`) of these roots as of a generation, rows in order of root and id.

    Raises PlacementMissing, and BadRecord for a record out of shape.
    """
    index = read_index(data, generation)
    wanted = sorted(set(roots))
    frames: dict[str, pd.DataFrame] = {}
    with engine(data) as connection:
        connection.register("roots", pa.table({"root": pa.array(wanted, pa.int64())}))
        for feed in feeds:
            found = _records(connection, data, index, feed, wanted)
            frames |= frames_from_records(
                feed, found["record"].cast(pa.binary()).to_pylist(), found["root"].to_pylist()
            )
    return frames


def read_reference(
    data: UPath,
    segments: Iterable[CommittedSegment],
    generation: int,
    feeds: Sequence[str] = REFERENCE,
) -> dict[str, pd.DataFrame]:
    """The reference frames as of a generation: the winning version of everything outside the closure."""
    by_feed: dict[str, list[CommittedSegment]] = {feed: [] for feed in feeds}
    for segment in segments:
        if segment.generation <= generation and segment.feed in by_feed:
            by_feed[segment.feed].append(segment)
    frames: dict[str, pd.DataFrame] = {}
    with engine(data) as connection:
        for feed, committed in by_feed.items():
            records = _latest(connection, data, committed) if committed else []
            frames |= frames_from_records(feed, records)
    return frames


def root_sizes(data: UPath, generation: int) -> pd.DataFrame:
    """How many records of each feed every root holds: a column `root`, then one for each feed (int64).

    Files and notes that are read parent by parent are counted themselves, not their readings.
    """
    index = read_index(data, generation)
    counts: dict[str, pd.Series[int]] = {}
    with engine(data) as connection:
        for feed in ROOT_BOUND:
            if not (spans := index.files.get(feed)):
                continue
            rows = _rows(connection, data, spans).filter("root IS NOT NULL")
            if FEEDS[feed].kind == "parent":
                counted = _items(connection, data, rows)
            else:
                counted = rows.aggregate("root, count(*) AS records", "root").df()
            counts[feed] = counted.set_index("root")["records"]
    sizes = pd.DataFrame(counts, columns=list(ROOT_BOUND)).fillna(0).astype("int64")
    return sizes.rename_axis("root").sort_index().reset_index().astype({"root": "int64"})


def newest_change(data: UPath, generation: int) -> int | None:
    """The newest `modifiedOn` of all that a root holds, in ticks; None where nothing bears one."""
    found: list[int] = []
    index = read_index(data, generation)
    with engine(data) as connection:
        for spans in index.files.values():
            if spans:
                (newest,) = _rows(connection, data, spans).aggregate("max(modified_on)").fetchall()[0]
                found += [] if newest is None else [int(newest)]
    return max(found, default=None)


def root_bytes(data: UPath, generation: int) -> pd.DataFrame:
    """How many bytes the files of every root have that has files, as far as their sizes are known: root, bytes."""
    index = read_index(data, generation)
    with engine(data) as connection:
        spans = index.files.get("job_attachments")
        rows = _rows(connection, data, spans) if spans else connection.sql(_NO_ROWS)
        counted = _items(connection, data, rows.filter("root IS NOT NULL"))
    held = counted.loc[counted["records"] > 0, ["root", "bytes"]].sort_values("root", ignore_index=True)
    return held.astype("int64")


def _items(
    connection: duckdb.DuckDBPyConnection, data: UPath, placed: duckdb.DuckDBPyRelation
) -> pd.DataFrame:
    """root, records and bytes of the items that the placed readings hold."""
    placed.create_view("placed", True)
    paths = [
        path for (path,) in connection.execute("SELECT DISTINCT path FROM placed ORDER BY path").fetchall()
    ]
    if not paths:
        return pd.DataFrame({"root": [], "records": [], "bytes": []}).astype("int64")
    files = [data / "raw" / path for path in paths]
    connection.register("places", pa.table({"path": paths, "address": [address(file) for file in files]}))
    parquet(connection, files, filename=True).create_view("stored", True)
    counted = connection.execute(_ITEMS).df()
    connection.unregister("places")
    return counted


def sweep_seconds(data: UPath, generation: int, calls_per_second: float) -> float:
    """How long it takes to ask every job, customer and site once for its files or notes, at so many calls a second."""
    index = read_index(data, generation)
    parents = {feed.parent for feed in FEEDS.values() if feed.kind == "parent"}
    return sum(index.placed.get(feed, 0) + index.waiting.get(feed, 0) for feed in parents) / calls_per_second


def touched_roots(data: UPath, before: int | None, after: int) -> list[int]:
    """Roots whose records are not the same in two placements: of a record that moved, the old and the new one.

    Without `before` every root.
    """
    if before is None:
        return [int(root) for root in root_sizes(data, after)["root"]]
    old, new = read_index(data, before), read_index(data, after)
    touched: set[int] = set()
    with engine(data) as connection:
        for feed in ROOT_BOUND:
            for name, index in (("before_rows", old), ("after_rows", new)):
                spans = index.files.get(feed)
                rows = _rows(connection, data, spans) if spans else connection.sql(_NO_ROWS)
                rows.create_view(name, True)
            found = connection.execute(_CHANGED).fetchall()
            touched.update(root for (root,) in found if root is not None)
    return sorted(touched)


def _records(
    connection: duckdb.DuckDBPyConnection, data: UPath, index: Index, feed: str, roots: list[int]
) -> pa.Table:
    """root, id, record of a feed's records at these roots."""
    empty = pa.table(
        {"root": pa.array([], pa.int64()), "id": pa.array([], pa.int64()), "record": pa.array([], "string")}
    )
    spans = [span for span in index.files.get(feed, []) if span.meets(roots)]
    if not spans:
        return empty
    _near(_rows(connection, data, spans), roots).create_view("placed", True)
    connection.execute(_WANTED, {"first": roots[0], "last": roots[-1]})
    parts = [empty]
    homes = [
        home
        for (home,) in connection.execute(
            "SELECT DISTINCT home FROM wanted WHERE home IS NOT NULL"
        ).fetchall()
    ]
    if homes:
        homes.sort()
        clustered = [span for span in index.clustered.get(feed, []) if span.meets(homes)]
        _near(_rows(connection, data, clustered), homes).create_view("clustered", True)
        parts.append(table(connection, _CLUSTERED, {"first": homes[0], "last": homes[-1]}))
    for path, first, last in connection.execute(_SEGMENTS).fetchall():
        parquet(connection, [data / "raw" / path]).create_view("segment", True)
        parts.append(table(connection, _IN_SEGMENT, {"path": path, "first": first, "last": last}))
    found = pa.concat_tables([part.cast(empty.schema) for part in parts])
    return found.sort_by([("root", "ascending"), ("id", "ascending")])


def _latest(
    connection: duckdb.DuckDBPyConnection, data: UPath, committed: Sequence[CommittedSegment]
) -> list[bytes]:
    raw = data / "raw"
    files = [raw / path for path in sorted({segment.path for segment in committed})]
    parquet(connection, files, filename=True).create_view("stored", True)
    pairs = sorted({(address(raw / segment.path), segment.generation) for segment in committed})
    generations = pa.table(
        {
            "address": [path for path, _ in pairs],
            "generation": pa.array([number for _, number in pairs], pa.int64()),
        }
    )
    connection.register("generations", generations)
    rows = connection.execute(_LATEST).fetchall()
    connection.unregister("generations")
    return [record.encode() for _, record in rows]


def _near(rows: duckdb.DuckDBPyRelation, roots: Sequence[int]) -> duckdb.DuckDBPyRelation:
    """Rows of these roots, if they are few: constants let DuckDB pass over row groups, a join does not."""
    return rows.filter(f"root IN ({', '.join(map(str, roots))})") if len(roots) <= _FEW else rows


def _rows(
    connection: duckdb.DuckDBPyConnection, data: UPath, spans: Iterable[Span]
) -> duckdb.DuckDBPyRelation:
    return parquet(connection, [data / span.path for span in spans])
