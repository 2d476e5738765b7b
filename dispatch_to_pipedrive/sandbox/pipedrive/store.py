"""Where do an account's records live? Compact JSON rows, one list for each entity, found by id."""

from array import array
from collections.abc import Iterator
from typing import Any

import orjson

DELETED = 1
ARCHIVED = 2

Record = dict[str, Any]


class Store:
    """The rows of one entity.

    A row is the record's JSON without its nulls, so a million of them fit in memory and the garbage collector has
    nothing to walk through. Beside the rows stand the columns a list is filtered by first: `update_time` as epoch
    seconds and the flags. Ids go up by one from `base`.
    """

    def __init__(self, base: int) -> None:
        self.base = base
        self.rows: list[bytes | None] = []
        self.updated = array("q")
        self.flags = bytearray()
        self.recent: dict[int, tuple[float, bytes | None]] = {}

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def next_id(self) -> int:
        """The id the next record gets."""
        return self.base + len(self.rows)

    def add(self, record: Record, updated: int, flags: int = 0) -> None:
        """Append a record; its `id` must be `next_id`."""
        self.rows.append(_row(record))
        self.updated.append(updated)
        self.flags.append(flags)

    def put(self, id_: int, record: Record, updated: int, flags: int) -> None:
        """Replace a record."""
        at = id_ - self.base
        self.rows[at] = _row(record)
        self.updated[at] = updated
        self.flags[at] = flags

    def purge(self, id_: int) -> None:
        """Forget a record as if it had never been there; its id stays used."""
        at = id_ - self.base
        self.rows[at] = None
        self.flags[at] = DELETED

    def has(self, id_: int) -> bool:
        """Does a record with this id exist, deleted or not?"""
        at = id_ - self.base
        return 0 <= at < len(self.rows) and self.rows[at] is not None

    def alive(self, id_: int) -> bool:
        """Does a record with this id exist that is not deleted?"""
        at = id_ - self.base
        return 0 <= at < len(self.rows) and self.rows[at] is not None and not self.flags[at] & DELETED

    def flag(self, id_: int) -> int:
        """The record's flags."""
        return self.flags[id_ - self.base]

    def get(self, id_: int) -> Record | None:
        """The record, deleted or not; None where there is none."""
        at = id_ - self.base
        if not 0 <= at < len(self.rows):
            return None
        row = self.rows[at]
        return None if row is None else orjson.loads(row)

    def row(self, id_: int) -> bytes | None:
        """The record's stored bytes."""
        at = id_ - self.base
        return self.rows[at] if 0 <= at < len(self.rows) else None

    def ids(self, *, reverse: bool = False) -> Iterator[int]:
        """Every id with a record, in order."""
        span: Any = range(len(self.rows))
        for at in reversed(span) if reverse else span:
            if self.rows[at] is not None:
                yield self.base + at

    def containing(self, needle: bytes) -> Iterator[Record]:
        """Live records whose stored JSON holds these bytes (a cheap sieve: look at the field yourself)."""
        for row, flags in zip(self.rows, self.flags, strict=True):
            if row is not None and not flags & DELETED and needle in row:
                yield orjson.loads(row)

    def state(self) -> dict[str, Any]:
        """The store as JSON-ready data; rows go in unparsed."""
        return {
            "base": self.base,
            "records": [None if row is None else orjson.Fragment(row) for row in self.rows],
        }

    def load(self, state: dict[str, Any], epoch: Any) -> None:
        """Take over what `state()` gave; `epoch` reads an update_time as seconds."""
        self.base = state["base"]
        self.rows, self.updated, self.flags, self.recent = [], array("q"), bytearray(), {}
        for record in state["records"]:
            if record is None:
                self.rows.append(None)
                self.updated.append(0)
                self.flags.append(DELETED)
                continue
            self.add(record, epoch(record["update_time"]), flags_of(record))


def _row(record: Record) -> bytes:
    """The record as bytes of just its length: orjson's own have kilobytes of spare room behind them."""
    return bytes(memoryview(orjson.dumps(record)))


def flags_of(record: Record) -> int:
    """The flags that a record's own fields imply."""
    return (DELETED if record.get("is_deleted") else 0) | (ARCHIVED if record.get("is_archived") else 0)
