"""Which parents are due to be asked, and what was read of them before?

Due are the parents that something names which has arrived since they were asked last, whichever feeds were read then,
and those that have open work: a file or a note can be added to them without a change of their own. Due are also those
whose files could not be looked at last time. Worked out by DuckDB from the segments, however many parents there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb
import pyarrow as pa
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS, Feed
from dispatch_to_pipedrive.dispatch_pro.placement.engine import address, engine, parquet
from dispatch_to_pipedrive.dispatch_pro.placement.index import CommittedSegment

Parent = tuple[int, str | None]
"""A parent's id and the record of its last reading."""

_NAMES = {"customers": "customer_id", "locations": "location_id", "jobs": "job_id"}
"""Parents and the key column by which other records name them."""
_CLOSED = ("completed", "canceled")

_LOWEST = "-9223372036854775808"
_OPEN_JOBS = f"""
CREATE OR REPLACE TEMP TABLE open_jobs AS
SELECT id AS job_id, won.customer_id AS customer_id, won.location_id AS location_id
FROM (
    SELECT CAST(id AS BIGINT) AS id, max_by({{
        'open': lower(coalesce(record->>'$.jobStatus', '')) NOT IN {_CLOSED},
        'customer_id': customer_id, 'location_id': location_id
    }}, (coalesce(modified_on, {_LOWEST}), generation, position)) AS won
    FROM arrived GROUP BY 1
)
WHERE won.open
"""  # noqa: S608  (our own words)

_LATEST = """
CREATE OR REPLACE TEMP TABLE latest AS
SELECT id, won.generation AS generation, won.position AS position
FROM (
    SELECT CAST(id AS BIGINT) AS id, max({'generation': generation, 'position': position}) AS won
    FROM arrived GROUP BY 1
) SEMI JOIN due USING (id)
"""

_KNOWN = """
SELECT l.id, a.record FROM arrived a
JOIN (SELECT * FROM latest SEMI JOIN wanted USING (id)) l
ON a.generation = l.generation AND a.position = l.position AND CAST(a.id AS BIGINT) = l.id
"""

_TROUBLED = """
INSERT INTO named SELECT id FROM (
    SELECT CAST(id AS BIGINT) AS id, max_by(coalesce(problem_count, 0), (generation, position)) AS problems
    FROM arrived GROUP BY 1
) WHERE problems > 0
"""

_DUE = """
INSERT INTO due SELECT DISTINCT CAST(a.id AS BIGINT) AS id FROM arrived a
WHERE CAST(a.id AS BIGINT) IN (SELECT id FROM named) OR CAST(a.id AS BIGINT) > $after
"""


_IN_ORDER = """
SELECT id FROM due WHERE $after IS NULL OR id <= $after
OR id IN (SELECT id FROM due WHERE id > $after ORDER BY id LIMIT $most)
ORDER BY id
"""


class Due:
    """Answers for one advance; `committed` are all segments before it, `landed` those that it brought.

    read_at: feed → the newest generation that was there after its last reading.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        raw: UPath,
        committed: Sequence[CommittedSegment],
        landed: Sequence[CommittedSegment],
        read_at: Mapping[str, int],
    ) -> None:
        self._connection, self._raw = connection, raw
        self._committed, self._landed, self._read_at = committed, landed, read_at
        self._knows_open_jobs = False

    def parents(self, feed: Feed, *, after: int | None, most: int, rows: int) -> Iterator[list[Parent]]:
        """The parents that are due in order of their ids, `rows` at a time, those that were read before with that.

        after: besides, the next `most` parents with a larger id. One iterator at a time.
        """
        self._find(feed, after)
        due = self._connection.execute(_IN_ORDER, {"after": after, "most": most}).fetchnumpy()["id"]
        known = self._arrived(self._committed, feed.name)
        if known:
            self._connection.execute(_LATEST)
        for start in range(0, len(due), rows):
            ids = [int(id_) for id_ in due[start : start + rows]]
            before: dict[int, str] = {}
            if known:
                self._keep("wanted", pa.table({"id": pa.array(ids, pa.int64())}))
                before = dict(self._connection.execute(_KNOWN).fetchall())
            yield [(id_, before.get(id_)) for id_ in ids]

    def _find(self, feed: Feed, after: int | None) -> None:
        """The table `due`: ids."""
        parent, run = feed.parent, self._connection.execute
        run("CREATE OR REPLACE TEMP TABLE due (id BIGINT)")
        run("CREATE OR REPLACE TEMP TABLE named (id BIGINT)")
        everything, since = [*self._committed, *self._landed], self._read_at.get(feed.name, 0)
        new = [segment for segment in everything if segment.generation > since]
        for name in sorted({segment.feed for segment in new}):
            columns = self._naming(FEEDS[name], parent)
            if columns and self._arrived(new, name):
                for column in columns:
                    run(f"INSERT INTO named SELECT DISTINCT CAST({column} AS BIGINT) FROM arrived")  # noqa: S608
        if self._open_jobs():
            run(f"INSERT INTO named SELECT DISTINCT {_NAMES[parent]} FROM open_jobs")  # noqa: S608
        if self._arrived(self._committed, feed.name):
            run(_TROUBLED)
        if self._arrived(everything, parent):
            run(_DUE, {"after": after})

    @staticmethod
    def _naming(feed: Feed, parent: str) -> list[str]:
        """The key columns of a feed that hold ids of the parent."""
        if feed.kind not in ("export", "list"):
            return []
        own = (
            ["id", *(["merged_to_id"] if "merged_to_id" in feed.keys else [])] if feed.name == parent else []
        )
        return [*own, *(column for column in feed.keys if column == _NAMES[parent])]

    def _open_jobs(self) -> bool:
        if not self._knows_open_jobs and self._arrived([*self._committed, *self._landed], "jobs"):
            self._connection.execute(_OPEN_JOBS)
            self._knows_open_jobs = True
        return self._knows_open_jobs

    def _arrived(self, segments: Sequence[CommittedSegment], feed: str) -> bool:
        """The view `arrived`: the rows of a feed's segments with their generation; whether there are any."""
        mine = [segment for segment in segments if segment.feed == feed]
        if not mine:
            return False
        files = {segment.path: self._raw / segment.path for segment in mine}
        known = sorted({(address(files[segment.path]), segment.generation) for segment in mine})
        incoming = pa.table(
            {
                "address": pa.array([path for path, _ in known], pa.string()),
                "generation": pa.array([number for _, number in known], pa.int64()),
            }
        )
        self._keep("generations", incoming)
        parquet(self._connection, list(files.values()), filename=True).create_view("stored", True)
        self._connection.execute(
            "CREATE OR REPLACE TEMP VIEW arrived AS "
            "SELECT s.*, g.generation FROM stored s JOIN generations g ON g.address = s.filename"
        )
        return True

    def _keep(self, name: str, table: pa.Table) -> None:
        self._connection.register("incoming", table)
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM incoming")  # noqa: S608
        self._connection.unregister("incoming")


@contextmanager
def due_parents(
    raw: UPath,
    committed: Sequence[CommittedSegment],
    landed: Sequence[CommittedSegment],
    read_at: Mapping[str, int],
) -> Iterator[Due]:
    """What an advance must know before it asks parents one by one."""
    with engine(raw) as connection:
        yield Due(connection, raw, committed, landed, read_at)
