"""What was the last record of this id? For feeds that compare what they read with what they have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb
import pyarrow as pa
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.placement.engine import address, engine, parquet
from dispatch_to_pipedrive.dispatch_pro.placement.index import CommittedSegment

_LATEST = """
CREATE TEMP TABLE latest AS
SELECT CAST(s.id AS BIGINT) AS id, max({
    'modified_on': coalesce(s.modified_on, -9223372036854775808), 'generation': g.generation,
    'position': s.position, 'address': s.filename
}) AS won
FROM stored s JOIN generations g ON g.address = s.filename GROUP BY 1
"""
_RECORDS = """
SELECT l.id, s.record FROM latest l SEMI JOIN wanted USING (id)
JOIN stored s ON s.filename = l.won.address AND s.position = l.won.position
"""


class Latest:
    """The winning records of one feed's committed segments."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, raw: UPath, segments: Sequence[CommittedSegment]
    ) -> None:
        self._connection, self._any = connection, bool(segments)
        if segments:
            files = [raw / segment.path for segment in segments]
            parquet(connection, files, filename=True).create_view("stored", True)
            numbers = [segment.generation for segment in segments]
            self._keep("generations", {"address": [address(file) for file in files], "generation": numbers})
            connection.execute(_LATEST)

    def ids(self) -> list[int]:
        """All of them, in ascending order."""
        if not self._any:
            return []
        return [id_ for (id_,) in self._connection.execute("SELECT id FROM latest ORDER BY id").fetchall()]

    def records(self, ids: Sequence[int]) -> dict[int, str]:
        """Id → record, of those that are known."""
        if not self._any or not ids:
            return {}
        self._keep("wanted", {"id": list(ids)})
        return dict(self._connection.execute(_RECORDS).fetchall())

    def _keep(self, name: str, columns: dict[str, list[int] | list[str]]) -> None:
        self._connection.register("incoming", pa.table(columns))
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM incoming")  # noqa: S608
        self._connection.unregister("incoming")


@contextmanager
def latest_records(raw: UPath, feed: str, committed: Sequence[CommittedSegment]) -> Iterator[Latest]:
    """The winning records of a feed as of the committed segments."""
    with engine(raw) as connection:
        yield Latest(connection, raw, [segment for segment in committed if segment.feed == feed])
