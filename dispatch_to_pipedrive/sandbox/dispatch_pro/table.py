"""Which records one object of the tenant has, what they say, and in which order they changed.

The first history is columns of numbers and a function that renders rows; only what changed since is kept whole.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .draw import Flags
from .ids import Spelling
from .times import Ints

Record = dict[str, Any]
BLOCK = 4096


@dataclass(frozen=True)
class Columns:
    """The first history of one object: ids ascending, times in ticks, `keys` by the vendor's field name.

    `spelled` says how `id` and key fields are written that the vendor gives as texts.
    """

    ids: Ints
    created: Ints
    modified: Ints
    active: Flags
    render: Callable[[Ints], list[Record]]
    keys: Mapping[str, Ints] = field(default_factory=dict)
    spelled: Mapping[str, Spelling] = field(default_factory=dict)


class Table:
    """The records of one object; rows keep their number for life, `order` has them by (modified, id)."""

    def __init__(self, name: str, columns: Columns, paths: Mapping[str, Sequence[str]] | None = None) -> None:
        self.name = name
        self.ids = columns.ids
        self.created = columns.created
        self.modified = columns.modified
        self.active = columns.active
        self.present: Flags = np.ones(len(columns.ids), dtype=np.bool_)
        self.keys: dict[str, Ints] = dict(columns.keys)
        self.spelled = columns.spelled
        self._paths = {name: tuple((paths or {}).get(name, (name,))) for name in self.keys}
        self._render = columns.render
        self._changed: dict[int, Record] = {}
        self.order: Ints = np.lexsort((self.ids, self.modified)).astype(np.int64)
        self._times: Ints | None = None
        self._by_key: dict[str, tuple[Ints, Ints]] = {}

    def __len__(self) -> int:
        return int(self.present.sum())

    def rows(self) -> Ints:
        """All rows that are there, by id."""
        return np.flatnonzero(self.present).astype(np.int64)

    def all_ids(self) -> list[int | str]:
        """The ids of all records that are there, as the vendor writes them."""
        numbers, spelling = self.ids[self.rows()].tolist(), self.spelled.get("id")
        return numbers if spelling is None else [spelling.write(number) for number in numbers]

    def number(self, value: Any, key: str = "id") -> int:
        """The number behind an id, or behind a key field's value; -1 for a text that is none."""
        spelling = self.spelled.get(key)
        return int(value) if spelling is None else spelling.read(str(value))

    def row(self, record_id: int | str) -> int | None:
        """The row of an id, None if there is none."""
        number = self.number(record_id)
        at = int(np.searchsorted(self.ids, number))
        found = at < len(self.ids) and int(self.ids[at]) == number and bool(self.present[at])
        return at if found else None

    def read(self, rows: Ints) -> list[Record]:
        """The records of these rows, in this order."""
        if not self._changed:
            return self._render(rows)
        wanted = rows.tolist()
        fresh = [at for at, row in enumerate(wanted) if row not in self._changed]
        records: list[Record] = [self._changed.get(row, {}) for row in wanted]
        if fresh:
            for at, record in zip(fresh, self._render(rows[np.array(fresh)]), strict=True):
                records[at] = record
        return records

    def get(self, record_id: int | str) -> Record | None:
        """A record by its id."""
        row = self.row(record_id)
        return None if row is None else self.read(np.array([row], dtype=np.int64))[0]

    def blocks(self) -> Iterator[list[Record]]:
        """All records in the order of the export feed."""
        for at in range(0, len(self.order), BLOCK):
            yield self.read(self.order[at : at + BLOCK])

    def after(self, ticks: int, record_id: int) -> int:
        """The place in `order` of the first record later than (ticks, id)."""
        if self._times is None:
            self._times = self.modified[self.order]
        low = int(np.searchsorted(self._times, ticks, side="left"))
        high = int(np.searchsorted(self._times, ticks, side="right"))
        return low + int(np.searchsorted(self.ids[self.order[low:high]], record_id, side="right"))

    def where(self, key: str, value: int | str) -> Ints:
        """Rows whose key column has this value, by id."""
        number = self.number(value, key)
        if key not in self._by_key:
            order = np.argsort(self.keys[key], kind="stable").astype(np.int64)
            self._by_key[key] = (order, self.keys[key][order])
        order, values = self._by_key[key]
        low = int(np.searchsorted(values, number, side="left"))
        rows: Ints = order[low : int(np.searchsorted(values, number, side="right"))]
        return rows[self.present[rows]]

    def next_id(self) -> int:
        """The number of an id no record had."""
        return int(self.ids[-1]) + 1 if len(self.ids) else 1

    def new_id(self) -> int | str:
        """An id no record had, as the vendor writes it."""
        spelling = self.spelled.get("id")
        return self.next_id() if spelling is None else spelling.write(self.next_id())

    def put(self, record: Record, *, modified: int, created: int | None = None) -> None:
        """Replace the record of this id, or add it; `modified` is its new place in the feed."""
        number = self.number(record["id"])
        row = self.row(record["id"])
        if row is None:
            row = self._append(number, modified if created is None else created)
        else:
            self.order = self.order[self.order != row]
        self._changed[row] = record
        self.modified[row] = modified
        self.active[row] = bool(record.get("active", True))
        for key, path in self._paths.items():
            value = _at(record, path)
            number_of = 0 if value is None else self.number(value, key)
            if self.keys[key][row] != number_of:
                self.keys[key][row] = number_of
                self._by_key.pop(key, None)
        self._times = None
        self.order = np.insert(self.order, self.after(modified, number), row)
        self._times = None

    def remove(self, record_id: int | str) -> bool:
        """Take a record away without a trace, as the vendor does with notes; False if it was not there."""
        row = self.row(record_id)
        if row is None:
            return False
        self.present[row] = False
        self.order = self.order[self.order != row]
        self._times = None
        return True

    def _append(self, record_id: int, created: int) -> int:
        if len(self.ids) and record_id <= int(self.ids[-1]):
            raise ValueError(f"{self.name}: a new id must be above {int(self.ids[-1])}, not {record_id}")
        self.ids = np.append(self.ids, record_id)
        self.created = np.append(self.created, created)
        self.modified = np.append(self.modified, created)
        self.active = np.append(self.active, True)
        self.present = np.append(self.present, True)
        for key in self.keys:
            self.keys[key] = np.append(self.keys[key], 0)
        self._by_key.clear()
        return len(self.ids) - 1


def _at(record: Record, path: Sequence[str]) -> Any:
    value: Any = record
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value
