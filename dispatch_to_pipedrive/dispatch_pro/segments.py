"""Segments: verbatim records with their keys, as immutable Parquet files.

Columns: id (of a text a number made from it), modified_on (100 ns ticks since 1970 UTC), position (order inside
the advance), active, the feed's key columns, record (the JSON as it came).
"""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.errors import BadRecord
from dispatch_to_pipedrive.dispatch_pro.feeds import Feed
from dispatch_to_pipedrive.dispatch_pro.kinds import FLAG, ID, KEY, NAME, TIME, Shape
from dispatch_to_pipedrive.dispatch_pro.records import read_json
from dispatch_to_pipedrive.dispatch_pro.store import write_whole
from dispatch_to_pipedrive.dispatch_pro.ticks import ticks

ROWS = 50_000
BYTES = 16 << 20
ROW_GROUP = 8_192
_PAGE = 500


@dataclass(frozen=True)
class Segment:
    """A file that has landed, `path` relative to the raw folder; nobody reads it before it is committed."""

    feed: str
    path: str
    rows: int
    bytes: int
    sha256: str


def segment_schema(feed: Feed) -> pa.Schema:
    """The columns of the feed's segments."""
    keys = [pa.field(name, pa.int64()) for name in feed.keys]
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("modified_on", pa.int64()),
            pa.field("position", pa.int64(), nullable=False),
            pa.field("active", pa.bool_()),
            *keys,
            pa.field("record", pa.string(), nullable=False),
        ]
    )


class Landing:
    """One feed's records on their way into segments; holds at most about `rows` records or `BYTES` bytes."""

    def __init__(self, raw: UPath, feed: Feed, *, rows: int = ROWS) -> None:
        self.segments: list[Segment] = []
        self.rows = 0
        self._raw, self._feed, self._most = raw, feed, rows
        self._waiting: list[pa.Table] = []
        self._rows_waiting = self._bytes = 0

    @property
    def full(self) -> bool:
        """Whether it is time to flush."""
        return self._rows_waiting >= self._most or self._bytes >= BYTES

    def add(self, records: pa.Table) -> None:
        """Take the records of a page (see `keyed`) in the order in which the vendor gave them."""
        self._waiting.append(records)
        self._rows_waiting += len(records)
        self._bytes += records.nbytes

    def flush(self) -> None:
        """Write what waits as a segment. Of identical texts among it only the last one lands."""
        if not self._rows_waiting:
            return
        table = _last_of_the_same(pa.concat_tables(self._waiting))
        self._waiting, self._rows_waiting, self._bytes = [], 0, 0
        position = pa.array(range(self.rows, self.rows + len(table)), pa.int64())
        table = table.append_column(pa.field("position", pa.int64(), nullable=False), position)
        self.segments.append(_write(self._raw, self._feed, table))
        self.rows += len(table)

    def discard(self) -> None:
        """Take back what landed: nobody has seen it."""
        for segment in self.segments:
            (self._raw / segment.path).unlink(missing_ok=True)
        self.segments, self._waiting = [], []
        self.rows = self._rows_waiting = self._bytes = 0


def land_records(raw: UPath, feed: Feed, records: Iterable[bytes], *, rows: int = ROWS) -> list[Segment]:
    """Land records from anywhere, e.g. a generator, as one advance of the feed would."""
    landing = Landing(raw, feed, rows=rows)
    rest = iter(records)
    while page := list(islice(rest, min(rows, _PAGE))):
        landing.add(keyed(feed, page))
        if landing.full:
            landing.flush()
    landing.flush()
    return landing.segments


def keyed(feed: Feed, records: Sequence[bytes]) -> pa.Table:
    """The records with their keys. Raises BadRecord for one whose id, keys or time cannot be read."""
    fields = read_json(feed.name, records, key_shape(feed))
    none = pa.nulls(len(records), pa.int64())
    modified_on = none
    if feed.modified_field:
        try:
            modified_on = ticks(fields[feed.modified_field])
        except ValueError as error:
            raise BadRecord(feed.name, None, feed.modified_field, f"is {error}") from None
    ids = fields[feed.id_field]
    columns = {
        "id": _numbers(ids) if feed.hashed else ids.cast(pa.string()),
        "modified_on": modified_on,
        "active": fields[feed.active_field] if feed.active_field else none.cast(pa.bool_()),
        **{name: _at(fields, path) for name, path in feed.keys.items()},
        "record": pa.array(records, pa.binary()).cast(pa.string()),
    }
    return pa.table(columns)


def number_of(text: str) -> int:
    """The number that stands for an id that is a text: 63 bits of its sha256, so that ids stay whole numbers."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 1


def _numbers(ids: pa.ChunkedArray) -> pa.Array:
    return pa.array([str(number_of(text)) for text in ids.to_pylist()], pa.string())


def _last_of_the_same(table: pa.Table) -> pa.Table:
    if pc.count_distinct(table["id"]).as_py() == len(table):
        return table
    last = {record: row for row, record in enumerate(table["record"].to_pylist())}
    return table.take(pa.array(sorted(last.values()), pa.int64()))


def _write(raw: UPath, feed: Feed, table: pa.Table) -> Segment:
    schema = segment_schema(feed)
    plain = [name for name in schema.names if name not in ("record", "id", "position")]
    buffer = io.BytesIO()
    pq.write_table(
        table.select(schema.names).cast(schema),
        buffer,
        compression="zstd",
        row_group_size=ROW_GROUP,
        use_dictionary=plain,
        write_statistics=[name for name in schema.names if name != "record"],
    )
    content = buffer.getvalue()
    path = f"{feed.name}/{uuid.uuid4().hex}.parquet"
    write_whole(raw / path, content)
    return Segment(feed.name, path, len(table), len(content), hashlib.sha256(content).hexdigest())


def key_shape(feed: Feed) -> Shape:
    """The part of the feed's records that its segments need as columns."""
    shape: dict[str, Any] = {feed.id_field: NAME if feed.hashed else KEY}
    if feed.modified_field:
        shape[feed.modified_field] = TIME
    if feed.active_field:
        shape[feed.active_field] = FLAG
    for path in feed.keys.values():
        first, *rest = path.split(".")
        if not rest:
            shape.setdefault(first, ID)
        elif rest[0] == "0":
            shape[first] = [{rest[1]: ID}]
        else:
            shape[first] = {rest[0]: ID}
    return shape


def _at(fields: pa.Table, path: str) -> pa.Array:
    """The key at a path; 0, which the vendor writes where it means none, counts as missing."""
    first, *rest = path.split(".")
    column = fields[first].combine_chunks()
    if rest and rest[0] == "0":
        column = pc.list_slice(column, 0, 1, return_fixed_size_list=True)
        column = pc.if_else(pc.is_valid(column), column, pa.scalar([None], column.type)).flatten()
        rest = rest[1:]
    for name in rest:
        column = pc.struct_field(column, name)
    return pc.if_else(pc.equal(column, 0), pa.scalar(None, pa.int64()), column)
