"""How a generation is placed: winning versions, roots, and the first history once more in order of roots.

The version that wins has the highest (modified_on, generation, position), no modified_on being the lowest. A
record stands where its parent stands: a customer at the end of its merges (of a circle of merges, the smallest
id), anything else at the first parent that it names, what names none at the house root 0. A record whose parent
has not arrived has no root: it waits, is counted, and is in no batch.

A later generation takes over the rows of the placement before it and reads only its own segments. All roots are
worked out anew, because one merge may move thousands of records that did not change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS, ROOT_BOUND, Feed
from dispatch_to_pipedrive.dispatch_pro.placement.dealing import records_by_root
from dispatch_to_pipedrive.dispatch_pro.placement.engine import address, engine, parquet, stream
from dispatch_to_pipedrive.dispatch_pro.placement.index import (
    CommittedSegment,
    Index,
    placement_folder,
    read_index,
    write_index,
)
from dispatch_to_pipedrive.dispatch_pro.placement.sorted_files import write_sorted

HOUSE_ROOT = 0
_PARENTS = {
    "customer_id": "customers",
    "location_id": "locations",
    "job_id": "jobs",
    "invoice_id": "invoices",
}
_BATCH = 8_192
_ROWS = 131_072  # of a placement file
_CLUSTERED_ROWS = 32_768
_CLUSTERED_GROUP = 1_024

_WINNERS = """
CREATE OR REPLACE TEMP TABLE winners AS
SELECT id, won.segment, won.generation, won.position, won.home, won.parent, won.parent_id,
       nullif(won.modified_on, -9223372036854775808) AS modified_on
FROM (
    SELECT id, max({
        'modified_on': coalesce(modified_on, -9223372036854775808), 'generation': generation,
        'position': position, 'segment': segment, 'home': home, 'parent': parent, 'parent_id': parent_id
    }) AS won
    FROM versions GROUP BY id
)
"""

_ROOTED = """
CREATE OR REPLACE TEMP TABLE rooted AS
SELECT CASE WHEN w.parent IS NULL THEN 0 ELSE p.root END AS root, w.*
FROM winners w LEFT JOIN parents p ON p.feed = w.parent AND p.id = w.parent_id
"""

_ROOTED_CUSTOMERS = """
CREATE OR REPLACE TEMP TABLE rooted AS
SELECT CASE WHEN m.id IS NULL THEN w.id ELSE m.root END AS root, w.*
FROM winners w LEFT JOIN merges m ON m.id = w.id
"""

_PLACED = """
SELECT r.root, $feed AS feed, r.id, r.generation, p.path, r.position, r.modified_on,
       CASE WHEN $clustering THEN r.root ELSE r.home END AS home, r.parent, r.parent_id
FROM rooted r JOIN paths p ON p.segment = r.segment
ORDER BY r.root NULLS LAST, r.id
"""


@dataclass(frozen=True)
class PlacementSummary:
    """What a placement holds: records by feed, roots, and by feed the records that wait for their parent."""

    generation: int
    placed: Mapping[str, int]
    waiting: Mapping[str, int]


def build_placement(
    data: UPath,
    segments: Sequence[CommittedSegment],
    generation: int,
    *,
    previous: int | None = None,
    on_progress: Callable[[str, int], None] | None = None,
) -> PlacementSummary:
    """Place every root-bound record that arrived up to `generation`; tells `on_progress` each feed's rows.

    `segments` are those of all generations up to it; with `previous`, an earlier placement, those up to that one
    are not read. Without `previous` the records are also written clustered by root. Building the same generation
    again writes the same rows.
    """
    before = read_index(data, previous) if previous is not None else None
    after = before.generation if before else 0
    new = [segment for segment in segments if after < segment.generation <= generation]
    index = Index(generation, clustered=before.clustered if before else {})
    with engine(data) as connection:
        _open_tables(connection, data, new, before)
        for name in ROOT_BOUND:
            feed = FEEDS[name]
            arrived = [segment for segment in new if segment.feed == name]
            index.placed[name] = index.waiting[name] = 0
            if arrived or (before and before.files.get(name)):
                _choose(connection, data, feed, arrived, before)
                _find_roots(connection, feed)
                _write(connection, data, feed, arrived, index, clustering=before is None)
            if on_progress:
                on_progress(name, index.placed[name] + index.waiting[name])
    write_index(data, index)
    return PlacementSummary(generation, index.placed, index.waiting)


def _open_tables(
    connection: duckdb.DuckDBPyConnection,
    data: UPath,
    new: Sequence[CommittedSegment],
    before: Index | None,
) -> None:
    """`paths` numbers every segment; `parents` collects the roots of what can be a parent."""
    raw = data / "raw"
    known = {segment.path: address(raw / segment.path) for segment in new}
    if before is not None:
        for spans in before.files.values():
            if spans:
                rows = parquet(connection, [data / span.path for span in spans])
                known.update(
                    {path: "" for (path,) in rows.project("path").distinct().fetchall() if path not in known}
                )
    paths = pa.table(
        {
            "segment": pa.array(range(len(known)), pa.int32()),
            "path": pa.array(list(known), pa.string()),
            "address": pa.array(list(known.values()), pa.string()),
        }
    )
    _keep(connection, "paths", paths)
    generations = {(segment.path, segment.generation) for segment in new}
    numbers = {path: number for number, path in enumerate(known)}
    _keep(
        connection,
        "generations",
        pa.table(
            {
                "segment": pa.array([numbers[path] for path, _ in generations], pa.int32()),
                "generation": pa.array([number for _, number in generations], pa.int32()),
            }
        ),
    )
    connection.execute("CREATE TEMP TABLE parents (feed VARCHAR, id BIGINT, root BIGINT)")


def _choose(
    connection: duckdb.DuckDBPyConnection,
    data: UPath,
    feed: Feed,
    arrived: Sequence[CommittedSegment],
    before: Index | None,
) -> None:
    """`winners`: one row for each record of the feed."""
    versions = connection.sql(_NOTHING)
    if arrived:
        _store(connection, data, arrived)
        parent, parent_id = _parent(feed)
        keyed = connection.sql("SELECT s.*, g.generation FROM stored s JOIN generations g USING (segment)")
        versions = keyed.project(
            "CAST(id AS BIGINT) AS id, segment, generation, position, modified_on, "
            f"CAST(NULL AS BIGINT) AS home, {parent} AS parent, {parent_id} AS parent_id"
        )
    if before is not None and before.files.get(feed.name):
        parquet(connection, [data / span.path for span in before.files[feed.name]]).create_view(
            "earlier", True
        )
        versions = versions.union(connection.sql(_EARLIER))
    versions.create_view("versions", True)
    connection.execute(_WINNERS)


_NOTHING = """
SELECT 0::BIGINT AS id, 0::INTEGER AS segment, 0::INTEGER AS generation, 0::BIGINT AS position,
       0::BIGINT AS modified_on, 0::BIGINT AS home, '' AS parent, 0::BIGINT AS parent_id
WHERE false
"""

_EARLIER = """
SELECT e.id, p.segment, e.generation, e.position, e.modified_on, e.home, e.parent, e.parent_id
FROM earlier e JOIN paths p USING (path)
"""


def _store(connection: duckdb.DuckDBPyConnection, data: UPath, arrived: Iterable[CommittedSegment]) -> None:
    """`stored`: the rows of these segments with the number of their segment."""
    files = [data / "raw" / path for path in sorted({segment.path for segment in arrived})]
    parquet(connection, files, filename=True).create_view("files", True)
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW stored AS "
        "SELECT f.*, p.segment FROM files f JOIN paths p ON p.address = f.filename"
    )


def _parent(feed: Feed) -> tuple[str, str]:
    """SQL for the parent's feed and id: the first of the feed's root columns that has a value."""
    if feed.name == "customers":
        return "CASE WHEN merged_to_id IS NOT NULL THEN 'customers' END", "merged_to_id"
    cases = " ".join(f"WHEN {column} IS NOT NULL THEN '{_PARENTS[column]}'" for column in feed.root)
    return f"CASE {cases} END", f"coalesce({', '.join(feed.root)})"


def _find_roots(connection: duckdb.DuckDBPyConnection, feed: Feed) -> None:
    """`rooted`: the winners with their root; what may be a parent is added to `parents`."""
    if feed.name == "customers":
        _keep(connection, "merges", _merges(connection))
        connection.execute(_ROOTED_CUSTOMERS)
    else:
        connection.execute(_ROOTED)
    if feed.name in _PARENTS.values():
        connection.execute(
            "INSERT INTO parents SELECT $feed, id, root FROM rooted WHERE root IS NOT NULL",
            {"feed": feed.name},
        )


def _merges(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """For each merged customer the end of its merges; missing if the customer there has not arrived."""
    rows = connection.execute("SELECT id, parent_id FROM winners WHERE parent_id IS NOT NULL").fetchall()
    ends = ends_of_merges(dict(rows))
    _keep(connection, "ends", pa.table({"id": pa.array(sorted(set(ends.values())), pa.int64())}))
    arrived = {
        id_ for (id_,) in connection.execute("SELECT id FROM ends SEMI JOIN winners USING (id)").fetchall()
    }
    return pa.table(
        {
            "id": pa.array(list(ends), pa.int64()),
            "root": pa.array([end if end in arrived else None for end in ends.values()], pa.int64()),
        }
    )


def ends_of_merges(merged_to: Mapping[int, int]) -> dict[int, int]:
    """Where following each merge leads; a circle ends at its smallest id, whoever asks."""
    ends: dict[int, int] = {}
    for start in merged_to:
        way: dict[int, None] = {}
        at = start
        while at not in ends and at not in way and at in merged_to:
            way[at] = None
            at = merged_to[at]
        if at in way:  # a circle, perhaps with a way into it
            members = list(way)
            at = min(members[members.index(at) :])
        else:
            at = ends.get(at, at)
        ends.update(dict.fromkeys(way, at))
    return ends


def _write(
    connection: duckdb.DuckDBPyConnection,
    data: UPath,
    feed: Feed,
    arrived: Sequence[CommittedSegment],
    index: Index,
    *,
    clustering: bool,
) -> None:
    counted = connection.sql("SELECT count(root), count(*) - count(root) FROM rooted").fetchall()[0]
    index.placed[feed.name], index.waiting[feed.name] = counted
    index.files[feed.name] = write_sorted(
        data,
        placement_folder(index.generation),
        feed.name,
        stream(connection, _PLACED, {"feed": feed.name, "clustering": clustering}, _BATCH),
        rows=_ROWS,
        row_group=_BATCH,
        dictionary=["feed", "path", "parent", "generation"],
    )
    if clustering and arrived:
        index.clustered[feed.name] = write_sorted(
            data,
            f"clustered/{index.generation:06d}",
            feed.name,
            records_by_root(connection, data),
            rows=_CLUSTERED_ROWS,
            row_group=_CLUSTERED_GROUP,
            dictionary=[],
        )


def _keep(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """A table of DuckDB's own with the rows of an Arrow table."""
    connection.register("incoming", table)
    connection.table("incoming").create(name)
    connection.unregister("incoming")
