"""What the ledger knows of the source: cursors, generations with their segments, and the batches planned from them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

import orjson
import sqlalchemy as sa

from dispatch_to_pipedrive.migration.errors import LeaseLost, MigrationError
from dispatch_to_pipedrive.migration.ledger import tables as t
from dispatch_to_pipedrive.migration.ledger.database import Database, canonical_json, utc_now
from dispatch_to_pipedrive.migration.values import (
    Manifest,
    Poll,
    SegmentRow,
)


class LandedSegment(Protocol):
    """A segment that has landed and is not visible yet."""

    @property
    def feed(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def rows(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def sha256(self) -> str: ...


class FeedAdvance(Protocol):
    """How far one feed came."""

    @property
    def feed(self) -> str: ...
    @property
    def segments(self) -> Sequence[LandedSegment]: ...
    @property
    def cursor(self) -> str: ...


class SourceRecords(Database):
    """Feeds, generations and manifests."""

    def cursors(self) -> dict[str, str]:
        """Feed → cursor to continue from."""
        with self._read() as conn:
            return {row.feed: row.value for row in conn.execute(sa.select(t.cursor))}

    def commit_generation(self, advances: Sequence[FeedAdvance], since: Mapping[str, str]) -> int | None:
        """Make segments and cursors visible and give them a generation; None if nothing new arrived.

        `since` are the cursors that the advance started from: another advance in between refuses this one.
        """
        now = utc_now()
        with self._write() as conn:
            for advance in advances:
                stored = conn.scalar(sa.select(t.cursor.c.value).where(t.cursor.c.feed == advance.feed))
                if stored != since.get(advance.feed):
                    raise LeaseLost(
                        f"feed {advance.feed} was advanced by another process meanwhile: run again"
                    )
            self._upsert(
                conn, t.cursor, [{"feed": a.feed, "value": a.cursor, "advanced_at": now} for a in advances]
            )
            landed = [s for a in advances for s in a.segments]
            if not landed:
                return None
            number = 1 + (conn.scalar(sa.select(sa.func.max(t.generation.c.number))) or 0)
            rows = sum(s.rows for s in landed)
            conn.execute(t.generation.insert(), {"number": number, "committed_at": now, "rows": rows})
            conn.execute(
                t.segment.insert(),
                [
                    {
                        "path": s.path,
                        "generation": number,
                        "feed": s.feed,
                        "rows": s.rows,
                        "bytes": s.bytes,
                        "sha256": s.sha256,
                    }
                    for s in landed
                ],
            )
            return number

    def latest_generation(self) -> int:
        """Number of the newest generation; 0 before the first."""
        with self._read() as conn:
            return conn.scalar(sa.select(sa.func.max(t.generation.c.number))) or 0

    def newest_generation_of(self, feeds: Collection[str]) -> int:
        """The newest generation that brought something of one of these feeds; 0 where none has."""
        newest = sa.select(sa.func.max(t.segment.c.generation)).where(t.segment.c.feed.in_(sorted(feeds)))
        with self._read() as conn:
            return conn.scalar(newest) or 0

    def record_polls(self, polls: Sequence[Poll]) -> None:
        """Keep how feeds were read, after what they brought is visible."""
        if polls:
            with self._write() as conn:
                conn.execute(t.poll.insert(), [asdict(one) for one in polls])

    def polls(self) -> dict[str, Poll]:
        """Feed → its newest reading that came to the end, with the newest `whole_since` of all its readings."""
        c = t.poll.c
        newest = sa.select(sa.func.max(c.number)).where(c.drained).group_by(c.feed)
        whole = sa.select(c.feed, sa.func.max(c.whole_since)).group_by(c.feed)
        with self._read() as conn:
            since = {row.feed: row[1] for row in conn.execute(whole)}
            rows = conn.execute(sa.select(t.poll).where(c.number.in_(newest))).all()
        return {
            r.feed: Poll(r.feed, r.began_at, r.at, True, r.generation, since[r.feed], r.ended_at)
            for r in rows
        }

    def read_at(self) -> dict[str, int]:
        """Feed → the newest generation that was visible after any of its readings."""
        newest = sa.select(t.poll.c.feed, sa.func.max(t.poll.c.generation)).group_by(t.poll.c.feed)
        with self._read() as conn:
            return {feed: int(generation) for feed, generation in conn.execute(newest)}

    def segments(self, upto: int) -> list[SegmentRow]:
        """Committed segments of generations 1 … `upto`, oldest first."""
        query = sa.select(t.segment).where(t.segment.c.generation <= upto)
        with self._read() as conn:
            rows = conn.execute(query.order_by(t.segment.c.generation, t.segment.c.path))
            return [SegmentRow(r.generation, r.feed, r.path) for r in rows]

    def plan(self, manifests: Sequence[Manifest]) -> None:
        """Add manifests, all or none."""
        now = utc_now()
        rows = [{**asdict(m), "roots": canonical_json(m.roots), "planned_at": now} for m in manifests]
        with self._write() as conn:
            if rows:
                conn.execute(t.manifest.insert(), rows)

    def manifests(self) -> list[Manifest]:
        """All manifests in the order of planning."""
        with self._read() as conn:
            rows = conn.execute(sa.select(t.manifest).order_by(t.manifest.c.planned_at, t.manifest.c.key))
            return [_manifest(row) for row in rows]

    def manifest(self, key: str) -> Manifest:
        """The manifest of a batch."""
        with self._read() as conn:
            row = conn.execute(sa.select(t.manifest).where(t.manifest.c.key == key)).first()
        if row is None:
            raise MigrationError(f"no batch {key!r} is planned: materialize `batches` first")
        return _manifest(row)


def _manifest(row: Any) -> Manifest:
    return Manifest(
        row.key,
        row.kind,
        row.generation_from,
        row.generation_to,
        tuple(orjson.loads(row.roots)),
        row.records,
        row.tokens,
    )
