"""What becomes of each object and field of the source? One row each: moved, reference, not moved (why), or unaccounted.

A pure function of what the source has, what the frames are made of and what the map reads. It is complete by
construction: it starts from the fields, not from what is known of them, and a field of which nothing is known is
unaccounted.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

from dispatch_to_pipedrive.mapping.destinations import custom_field_destinations, destinations, in_words
from dispatch_to_pipedrive.mapping.model import Maps, folded
from dispatch_to_pipedrive.mapping.objects import SINGULAR
from dispatch_to_pipedrive.migration.inventory.left_out import covers, why_left_out
from dispatch_to_pipedrive.migration.inventory.unread import UNREAD

MOVED, REFERENCE, LEFT, UNACCOUNTED = "moved", "reference", "not moved", "unaccounted"
STATES = (UNACCOUNTED, LEFT, REFERENCE, MOVED)
FIELD, CUSTOM, OBJECT = "field", "custom field", "object"
DECIDES = "decides"
"""Begins the destination of a field whose value lands nowhere itself but chooses what does."""
_NUMBER = re.compile(r"site_\d+_")
COLUMNS = ("object", "field", "kind", "records", "state", "destination", "through", "table", "why")
NAMELESS = "(without a name)"
BORNE = (
    "customers.custom_fields",
    "locations.custom_fields",
    "jobs.custom_fields",
    "technicians.custom_fields",
)
"""The custom fields that a map can read; those of other records are left behind."""


@dataclass(frozen=True)
class Sources:
    """What the inventory starts from.

    fields: feed → every path of its shape. seen: what really occurs, a frame of feed, field (a path), records. profile:
    see placement's `source_profile`. values: normalized column (`deals.job_type`) → the fields whose values land in it.
    choosers: column → the fields that decide which of them do. decides: entity → the fields that decide which of its
    records there are. owners: fields that tell whose a record is. exported: field → the table of the reference data
    that has it. proposed: (feed of custom fields, folded name) → what is proposed for it, in words.
    """

    fields: Mapping[str, Sequence[str]]
    seen: pd.DataFrame
    profile: pd.DataFrame
    values: Mapping[str, Sequence[str]]
    choosers: Mapping[str, Sequence[str]]
    decides: Mapping[str, Sequence[str]]
    owners: Sequence[str]
    exported: Mapping[str, str]
    proposed: Mapping[tuple[str, str], str] = field(default_factory=dict)


class Row(NamedTuple):
    """One row of the inventory; `records` None where it was not counted."""

    object: str
    field: str
    kind: str
    records: int | None
    state: str
    destination: str = ""
    through: str = ""
    table: str = ""
    why: str = ""


def inventory(given: Sources, maps: Maps) -> pd.DataFrame:
    """The inventory: object, field, kind, records, state, destination, through, table, why; texts, records Int64.

    `through` names the columns of the normalized frames that the map's fields read.
    """
    rows = [*_fields(given, maps), *_custom_fields(given, maps), *_unread()]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({**dict.fromkeys(COLUMNS, "string"), "records": "Int64"})


def _fields(given: Sources, maps: Maps) -> Iterator[Row]:
    known = _Known(given, maps)
    counted: dict[tuple[str, str], int] = {}
    for feed, path, records in given.seen[["feed", "field", "records"]].itertuples(index=False, name=None):
        counted[str(feed), str(path)] = int(records)
    feeds = dict.fromkeys([*given.fields, *(feed for feed, _ in counted)])
    for feed in feeds:
        shape = list(given.fields.get(feed, ()))
        beside = [path for of, path in counted if of == feed and not _is_above(path, shape)]
        paths = list(dict.fromkeys([*shape, *beside]))
        for path in paths:
            if path in shape or not _is_above(path, beside):
                yield known.row(feed, path, counted.get((feed, path), 0 if len(given.seen) else None))


def _is_above(path: str, paths: Sequence[str]) -> bool:
    """Whether it is an object or a list that is empty in some record: its fields stand for themselves."""
    return any(one != path and covers(path.removesuffix("[]"), one) for one in paths)


class _Known:
    """What is known of each field, turned round once: field → columns, entities."""

    def __init__(self, given: Sources, maps: Maps) -> None:
        self.given = given
        self.of_column = destinations(maps)
        self.values = _turned(given.values)
        self.choosers = _turned(given.choosers)
        self.decided = _turned(
            {SINGULAR[entity]: given.decides[entity] for entity in given.decides if entity in maps}
        )

    def row(self, feed: str, path: str, records: int | None) -> Row:
        name = f"{feed}.{path}"
        table = self.given.exported.get(name, "")
        if columns := self._read(self.values, name):
            return Row(feed, path, FIELD, records, MOVED, self._places(columns), _through(columns), table)
        # Where a value has left the map, that it decides something besides is no account of it.
        if name not in self.values and (words := self._decides(name)):
            return Row(feed, path, FIELD, records, MOVED, f"{DECIDES} {words}", "", table)
        if table:
            return Row(feed, path, FIELD, records, REFERENCE, table=table)
        if why := why_left_out(feed, path) or self._by_name(path):
            return Row(feed, path, FIELD, records, LEFT, why=why)
        return Row(feed, path, FIELD, records, UNACCOUNTED, why=self._lost(name))

    def _decides(self, name: str) -> str:
        """What a field decides that lands nowhere itself: which records there are, what fields hold, whose it is."""
        words = []
        if decided := self.decided.get(name):
            words.append(f"which records there are: {', '.join(decided)}")
        if columns := self._read(self.choosers, name):
            words.append(f"what stands in {self._places(columns)}")
        if name in self.given.owners:
            words.append("whose the record is")
        return "; ".join(words)

    def _read(self, by_field: Mapping[str, Sequence[str]], name: str) -> list[str]:
        return [column for column in by_field.get(name, ()) if column in self.of_column]

    def _places(self, columns: Sequence[str]) -> str:
        return in_words(place for column in columns for place in self.of_column[column])

    def _by_name(self, path: str) -> str:
        """Custom fields are told one by one; the list of them is accounted for by its own rows."""
        return "Each custom field stands in a row of its own." if path.startswith("customFields[].") else ""

    def _lost(self, name: str) -> str:
        if columns := [*self.values.get(name, ()), *self.choosers.get(name, ())]:
            return f"No field of the map reads {_through(columns)}: take one of them into the map."
        return (
            "Nothing reads it, no table exports it, and no reason is given: tell the makers of this program."
        )


def _turned(fields_of: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for column, fields in fields_of.items():
        for name in dict.fromkeys(fields):
            found.setdefault(name, []).append(column)
    return found


def _through(columns: Sequence[str]) -> str:
    """The columns, numbered sites as one: `organizations.site_N_street`."""
    return ", ".join(dict.fromkeys(_NUMBER.sub("site_N_", column) for column in columns))


def _custom_fields(given: Sources, maps: Maps) -> Iterator[Row]:
    """Each custom field of the tenant by its name, and how many records have it."""
    places = custom_field_destinations(maps)
    profile = given.profile
    lacking = profile[profile["value"].isna() & profile["feed"].str.endswith(".custom_fields")]
    counts = lacking[["feed", "field", "count", "records"]].itertuples(index=False, name=None)
    for feed, name, missing, records in counts:
        filled, owner = int(records) - int(missing), str(feed).partition(".")[0]
        if place := places.get((feed, folded(str(name)))):
            yield Row(owner, name, CUSTOM, filled, MOVED, in_words(place), str(feed))
        else:
            yield Row(owner, name, CUSTOM, filled, LEFT, why=_why_custom(given, str(feed), str(name), filled))


def _why_custom(given: Sources, feed: str, name: str, filled: int) -> str:
    if feed not in BORNE:
        return f"Pipedrive has no such record, so nothing can bear it; {filled:,} keep it in the export, verbatim."
    if name == NAMELESS:
        return f"It has no name to tell it by; {filled:,} keep it in the export, verbatim."
    if not filled:
        return "Nobody filled it."
    if words := given.proposed.get((feed, folded(name))):
        return f"Open: {words}. Until somebody accepts, {filled:,} keep it in the export, verbatim."
    return f"No map reads it; {filled:,} keep it in the export, verbatim."


def _unread() -> Iterator[Row]:
    for one in UNREAD:
        yield Row(one.module, f"{one.what} ({one.path})", OBJECT, None, LEFT, why=one.why)


def counts_of(found: pd.DataFrame) -> dict[str, int]:
    """How many rows there are in each state."""
    counts = found["state"].value_counts()
    return {state: int(counts.get(state, 0)) for state in STATES}


def unaccounted(found: pd.DataFrame) -> list[str]:
    """The fields of which nothing is known, as `jobs.equipmentIds[]`."""
    rows = found[found["state"] == UNACCOUNTED]
    return (rows["object"] + "." + rows["field"]).tolist()
