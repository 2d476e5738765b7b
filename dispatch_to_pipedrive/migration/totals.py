"""What each customer should add up to, computed a second time: SQL straight from raw, without normalize or mapping.

The rules of the road are written here once more in another language, on purpose: what the program means to load
(`totals_of_mapped`, from the logical frames) must add up to what the source's own records say (`totals_of_raw`).
Totals are rows of root, entity, measure, value: counts, money in cents, minutes, first and last times, and the number
of each edge, by name where the other end is a person or an option. What they cannot see: texts, addresses word by
word, and which of a root's own records an edge connects.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import duckdb
import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.migration.mapped_totals import compare_totals, sorted_totals, totals_of_mapped
from dispatch_to_pipedrive.migration.totals_measures import MEASURES, MONEY
from dispatch_to_pipedrive.migration.totals_tenant import BILLING, BOUND, MACROS, REFERENCE, VIEWS

__all__ = ["compare_totals", "totals_of_mapped", "totals_of_raw", "totals_of_records"]

MEMORY = "500MB"
FILE_LIMIT = 25_000_000
"""Bytes; a file with more becomes a note."""


class Committed(Protocol):
    """A segment that a generation made visible; `path` is relative to the raw folder."""

    @property
    def generation(self) -> int: ...
    @property
    def feed(self) -> str: ...
    @property
    def path(self) -> str: ...


def totals_of_raw(
    data: UPath,
    generation: int,
    segments: Iterable[Committed],
    roots: Iterable[int],
    *,
    file_limit: int = FILE_LIMIT,
    hosts: Sequence[str] = (),
) -> pd.DataFrame:
    """The totals of these roots as of a generation: root, entity, measure, value; sorted.

    Reads the placement of that generation for which record belongs to whom, and the records where it says they stand:
    in the segments under `raw`, or in the copy of the first history that is clustered by root. `segments` are the
    committed ones; those of later generations are passed over. file_limit: bytes above which a file becomes a note.
    hosts: names of the hosts that pictures are fetched from.
    """
    with _engine(data) as connection:
        _read_winners(connection, data, generation, sorted(set(roots)))
        _read_reference(connection, data, [one for one in segments if one.generation <= generation])
        return _totals(connection, file_limit, hosts)


def money_of_raw(
    data: UPath, generation: int, segments: Iterable[Committed], roots: Iterable[int]
) -> pd.DataFrame:
    """What each job of these roots that becomes a deal bills: see `money.SOURCE_COLUMNS`; cents are whole numbers."""
    with _engine(data) as connection:
        _read_winners(connection, data, generation, sorted(set(roots)), BILLING)
        _read_reference(connection, data, [one for one in segments if one.generation <= generation])
        _prepare(connection)
        return connection.execute(MONEY).df()


def totals_of_records(
    bound: pd.DataFrame,
    reference: pd.DataFrame,
    *,
    file_limit: int = FILE_LIMIT,
    hosts: Sequence[str] = (),
) -> pd.DataFrame:
    """The same from records in memory: `bound` has feed, root, record; `reference` has feed, record."""
    with duckdb.connect() as connection:
        connection.register("bound_frame", bound)
        connection.register("reference_frame", reference)
        connection.execute(
            "CREATE TABLE winner AS SELECT feed, root, record::JSON AS record FROM bound_frame"
        )
        connection.execute(
            "CREATE TABLE reference AS SELECT feed, record::JSON AS record FROM reference_frame"
        )
        return _totals(connection, file_limit, hosts)


@contextmanager
def _engine(data: UPath) -> Iterator[duckdb.DuckDBPyConnection]:
    """A small DuckDB that spills to a folder of its own, and reads folders and object stores."""
    with TemporaryDirectory(prefix="totals-") as spill:
        settings: dict[str, Any] = {"memory_limit": MEMORY, "threads": 2, "temp_directory": spill}
        with duckdb.connect(":memory:", config=settings) as connection:
            connection.execute("SET enable_progress_bar = false")
            if not _local(data):
                connection.register_filesystem(data.fs)
            yield connection


def _local(path: UPath) -> bool:
    return path.protocol in ("", "file", "local")


def _address(path: UPath) -> str:
    return str(Path(path.path)) if _local(path) else str(path)


_PLACED = (
    "CREATE OR REPLACE TEMP TABLE placed AS SELECT p.root, p.id, p.path, p.position, p.home "
    "FROM read_parquet(?) p SEMI JOIN chosen USING (root) WHERE p.root BETWEEN ? AND ?"
)
_CLUSTERED = (
    "INSERT INTO winner SELECT ?, p.root, c.record::JSON FROM read_parquet(?) c "
    "JOIN placed p ON c.root = p.home AND c.id = p.id WHERE c.root BETWEEN ? AND ?"
)
_SEGMENTS = (
    "SELECT path, min(position), max(position) FROM placed WHERE home IS NULL GROUP BY path ORDER BY path"
)
_SEGMENT = (
    "INSERT INTO winner SELECT ?, p.root, s.record::JSON FROM read_parquet(?) s "
    "JOIN placed p ON s.position = p.position WHERE p.home IS NULL AND p.path = ? "
    "AND s.position BETWEEN ? AND ?"
)
_REFERENCE = (
    "INSERT INTO reference SELECT ?, arg_max(record, (modified, generation, position))::JSON "
    "FROM version GROUP BY id"
)


def _read_winners(
    connection: duckdb.DuckDBPyConnection,
    data: UPath,
    generation: int,
    roots: Sequence[int],
    feeds: Sequence[str] = BOUND,
) -> None:
    """The table `winner` (feed, root, record): the winning version of every record of these roots."""
    connection.execute("CREATE TABLE winner (feed VARCHAR, root BIGINT, record JSON)")
    connection.execute("CREATE TEMP TABLE chosen AS SELECT unnest(?::BIGINT[]) AS root", [list(roots)])
    index = json.loads((data / "placement" / f"{generation:06d}" / "index.json").read_text())
    for feed in feeds if roots else ():
        places = _meeting(index["files"].get(feed, ()), roots)
        if not places:
            continue
        files = [_address(data / path) for path in places]
        connection.execute(_PLACED, [files, roots[0], roots[-1]])
        homes = connection.execute(
            "SELECT DISTINCT home FROM placed WHERE home IS NOT NULL ORDER BY 1"
        ).fetchall()
        if homes:
            ranges = [home for (home,) in homes]
            clustered = [_address(data / path) for path in _meeting(index["clustered"].get(feed, ()), ranges)]
            connection.execute(_CLUSTERED, [feed, clustered, ranges[0], ranges[-1]])
        for path, first, last in connection.execute(_SEGMENTS).fetchall():
            connection.execute(_SEGMENT, [feed, _address(data / "raw" / path), path, first, last])


def _meeting(spans: Iterable[dict[str, Any]], roots: Sequence[int]) -> list[str]:
    """The files whose first and last root may enclose one of these."""
    return [
        span["path"]
        for span in spans
        if span["first"] is not None
        and span["first"] <= roots[-1]
        and (span["last"] is None or span["last"] >= roots[0])
    ]


def _read_reference(
    connection: duckdb.DuckDBPyConnection, data: UPath, segments: Sequence[Committed]
) -> None:
    """The table `reference` (feed, record): the winning version of every reference record."""
    connection.execute("CREATE TABLE reference (feed VARCHAR, record JSON)")
    for feed in REFERENCE:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE version (id VARCHAR, modified BIGINT, generation BIGINT, position BIGINT, "
            "record VARCHAR)"
        )
        for segment in segments:
            if segment.feed == feed:
                connection.execute(
                    "INSERT INTO version SELECT id, coalesce(modified_on, -9223372036854775808), ?, position, record "
                    "FROM read_parquet(?)",
                    [segment.generation, _address(data / "raw" / segment.path)],
                )
        connection.execute(_REFERENCE, [feed])


def _totals(connection: duckdb.DuckDBPyConnection, file_limit: int, hosts: Sequence[str]) -> pd.DataFrame:
    _prepare(connection, file_limit, hosts)
    return sorted_totals(connection.execute("\nUNION ALL ".join(MEASURES)).df())


def _prepare(
    connection: duckdb.DuckDBPyConnection, file_limit: int = FILE_LIMIT, hosts: Sequence[str] = ()
) -> None:
    names = ", ".join("'" + host.replace("'", "''") + "'" for host in hosts)
    settings = (
        f"CREATE MACRO file_limit() AS {int(file_limit)}",
        f"CREATE MACRO hosts() AS [{names}]::VARCHAR[]",
    )
    for statement in (*settings, *MACROS, *VIEWS):
        connection.execute(statement)
