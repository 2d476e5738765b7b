"""What do the maps leave open? The tenant's own fields that no map reads, and values that have no place in a map.

Each open thing is a slot: what it is, where in the destination it could land, its type, samples and counts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import pandas as pd

from dispatch_to_pipedrive.mapping.model import FieldMap, FieldType, Maps, folded
from dispatch_to_pipedrive.mapping.proposal.catalogue import Catalogue
from dispatch_to_pipedrive.mapping.proposal.glossary import is_secret
from dispatch_to_pipedrive.mapping.proposal.inference import inferred
from dispatch_to_pipedrive.mapping.reads import custom_fields_read, read_columns

SAMPLES = 5
MOST_VALUES = 200
"""Values of a field that a profile holds at most; a field with more is not known whole."""

PLACES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "jobs.custom_fields": (("deals", "custom_fields"),),
    "customers.custom_fields": (("organizations", "custom_fields"), ("persons", "custom_fields")),
    "locations.custom_fields": (
        ("organizations", "site_custom_fields"),
        ("persons", "site_custom_fields"),
        ("deals", "site_custom_fields"),
    ),
    "technicians.custom_fields": (("deals", "technician_custom_fields"),),
}
"""Feed of custom fields → the entities whose frames bear them, and in which column."""

VALUES: tuple[tuple[str, str, str, str], ...] = (
    ("jobs", "job_status", "deals", "job_status"),
    ("jobs", "job_type_id", "deals", "job_type"),
    ("jobs", "priority", "deals", "priority"),
    ("jobs", "payment_state", "deals", "payment_status"),
    ("jobs.tag_type_ids", "value", "deals", "labels"),
    ("customers.tag_type_ids", "value", "organizations", "labels"),
    ("customers.tag_type_ids", "value", "persons", "labels"),
    ("appointments", "status", "activities", "status"),
)
"""Feed and field of the profile → entity and column of the normalized frame in which its values stand."""

DERIVED = frozenset({"payment_state"})
NAMELESS = "(without a name)"
"""How the profile calls a custom field that has no name."""


@dataclass(frozen=True)
class Slot:
    """One open thing.

    `feed` and `name`: a custom field of the source (`jobs.custom_fields`, `Gate Code`), or the field whose value it is
    (`jobs.job_status`) and the value. `column`: where a map finds it in the entity's frame. `filled` of `records` have
    it.
    """

    kind: Literal["field", "value"]
    entity: str
    feed: str
    name: str
    column: str
    data_type: str = ""
    type: FieldType = "text"
    options: tuple[str, ...] = ()
    why_type: str = ""
    samples: tuple[str, ...] = ()
    filled: int = 0
    records: int = 0
    distinct: int = 0
    known: tuple["Known", ...] = ()
    may_be_new: bool = True

    @cached_property
    def id(self) -> str:
        """Stable as long as the source's name is."""
        return f"{self.entity}/{self.feed}/{self.name}"


@dataclass(frozen=True, slots=True)
class Known:
    """A value that has a place: its names, and what a value map would say for another value of the same meaning."""

    value: str
    names: tuple[str, ...]
    entries: Mapping[str, object] = field(default_factory=dict)


def open_slots(
    maps: Maps,
    profile: pd.DataFrame,
    definitions: Mapping[str, pd.DataFrame],
    catalogue: Catalogue,
    *,
    elsewhere: Mapping[str, str] | None = None,
) -> list[Slot]:
    """Every slot, in order of entity, feed and name.

    `profile`: feed, field, value, count, distinct, records (see `source_profile`). `definitions`: feed of custom fields
    → frame with name, data_type, and `options` (a list, or missing). `elsewhere`: custom fields that have a column of
    their own, as "jobs.custom_fields/Dispatch Pro Priority" → that column.
    """
    own_columns = {_folded_key(key): column for key, column in (elsewhere or {}).items()}
    found = [
        *_fields(maps, profile, definitions, own_columns),
        *_values(maps, profile, catalogue, elsewhere or {}),
    ]
    order = {entity: number for number, entity in enumerate(maps)}
    return sorted(found, key=lambda slot: (order[slot.entity], slot.kind, slot.feed, slot.name))


def _fields(
    maps: Maps,
    profile: pd.DataFrame,
    definitions: Mapping[str, pd.DataFrame],
    own_columns: Mapping[str, str],
) -> Iterator[Slot]:
    read = custom_fields_read(maps)
    for feed, places in PLACES.items():
        defined = _definitions(definitions.get(feed))
        rows = profile[profile["feed"] == feed]
        counted = {str(key): of_key for key, of_key in rows.groupby(rows["field"].map(folded))}
        for key in dict.fromkeys([*defined, *counted]):
            if f"{feed}/{key}" in own_columns or key in ("", NAMELESS):
                continue
            values, filled, distinct, records = _counts(counted.get(key))
            name, data_type, options = defined.get(key) or (str(counted[key]["field"].iloc[0]), "", ())
            complete = distinct <= len(values)
            kind = inferred(name, data_type, options, values, complete=complete)
            for entity, column in places:
                if entity in maps and (entity, column, key) not in read:
                    yield Slot(
                        kind="field",
                        entity=entity,
                        feed=feed,
                        name=name,
                        column=column,
                        data_type=data_type,
                        type=kind.type,
                        options=kind.options,
                        why_type=kind.reason,
                        samples=() if is_secret(name) else tuple(values[:SAMPLES]),
                        filled=filled,
                        records=records,
                        distinct=distinct,
                    )


def _folded_key(key: str) -> str:
    feed, name = key.split("/", 1)
    return f"{feed}/{folded(name)}"


def _definitions(frame: pd.DataFrame | None) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    """Folded name → name, data type, options; of names that are the same when folded, the first."""
    if frame is None:
        return {}
    found: dict[str, tuple[str, str, tuple[str, ...]]] = {}
    for row in frame.to_dict("records"):
        if isinstance(row["name"], str) and row["name"].strip():
            options = row.get("options")
            listed = () if options is None or options is pd.NA else tuple(map(str, options))
            data_type = row.get("data_type")
            kind = data_type if isinstance(data_type, str) else ""
            found.setdefault(folded(row["name"]), (row["name"], kind, listed))
    return found


def _counts(rows: pd.DataFrame | None) -> tuple[tuple[str, ...], int, int, int]:
    """(values most frequent first, records that have one, distinct values, records) of a name in all its spellings."""
    if rows is None or rows.empty:
        return (), 0, 0, 0
    given = rows[rows["value"].notna()].sort_values(["count", "value"], ascending=[False, True])
    lacking = rows[rows["value"].isna()]
    records = int(rows["records"].max())
    filled = min(records, int((lacking["records"] - lacking["count"]).sum()))
    distinct = int(rows.groupby("field")["distinct"].max().sum())
    return tuple(dict.fromkeys(map(str, given["value"]))), filled, distinct, records


def _values(
    maps: Maps, profile: pd.DataFrame, catalogue: Catalogue, elsewhere: Mapping[str, str]
) -> Iterator[Slot]:
    bearers = [
        *VALUES,
        *((*key.split("/", 1), "deals", column) for key, column in elsewhere.items()),
    ]
    given = profile[profile["value"].notna()]
    found = {
        bearer: given[(given["feed"] == bearer[0]) & (given["field"].map(folded) == folded(bearer[1]))]
        for bearer in bearers
    }
    for (feed, source, entity, column), rows in found.items():
        if entity not in maps:
            continue
        known, may_be_new = known_values(maps, catalogue, entity, column)
        if not known:
            continue
        # The profile calls a derived state by the name that people see, not by the frame's.
        derived = source in DERIVED
        placed = {name for one in known for name in (one.names if derived else (one.value,))}
        if may_be_new:
            # Two values of the source under one name could not be told apart again, whichever column they come from.
            beside = {name for one in known for name in one.entries}
            theirs = {
                str(value)
                for (_, _, other, its_column), its_rows in found.items()
                if other == entity and beside & set(_readers(maps, entity, its_column))
                for value in its_rows["value"]
            }
            known = tuple(one for one in known if one.value not in theirs)
        for row in rows.to_dict("records"):
            value = str(row["value"])
            if value in placed:
                continue
            yield Slot(
                kind="value",
                entity=entity,
                feed=feed if source == "value" else f"{feed}.{source}",
                name=value,
                column=column,
                filled=int(row["count"]),
                records=int(row["records"]),
                known=known,
                may_be_new=may_be_new,
            )


def known_values(
    maps: Maps, catalogue: Catalogue, entity: str, column: str
) -> tuple[tuple[Known, ...], bool]:
    """The values of a column that have a place, and whether another may become an option or a label of its own."""
    readers = _readers(maps, entity, column)
    closed = {
        name: field_map
        for name, field_map in readers.items()
        if field_map.value_map and field_map.unmapped != "add_option" and field_map.type != "labels"
    }
    if closed:
        return _of_maps(closed), False
    return _of_account(readers, catalogue, entity), True


def _readers(maps: Maps, entity: str, column: str) -> dict[str, FieldMap]:
    """The fields that take a column's values as they are."""
    return {
        name: field_map
        for name, field_map in maps[entity].fields.items()
        if field_map.transform in ("copy", "first") and column in read_columns(field_map)
    }


def _of_maps(closed: Mapping[str, FieldMap]) -> tuple[Known, ...]:
    first, *others = (field_map.value_map or {} for field_map in closed.values())
    values = [value for value in first if all(value in other for other in others)]
    return tuple(
        Known(
            value,
            (value, *_own_labels(value, closed.values())),
            {name: (field_map.value_map or {})[value] for name, field_map in closed.items()},
        )
        for value in values
    )


def _own_labels(value: str, fields: Iterable[FieldMap]) -> list[str]:
    """What the maps make of a value, where nothing else becomes the same."""
    labels = []
    for field_map in fields:
        value_map = field_map.value_map or {}
        made = value_map[value]
        if isinstance(made, str) and list(value_map.values()).count(made) == 1 and made != value:
            labels.append(made)
    return labels


def _of_account(readers: Mapping[str, FieldMap], catalogue: Catalogue, entity: str) -> tuple[Known, ...]:
    found: dict[str, dict[str, object]] = {}
    for name, field_map in readers.items():
        if field_map.type == "labels":
            standing: tuple[str, ...] = catalogue.labels_of(entity)
        elif field_map.type == "option":
            own = catalogue.own(entity, name)
            standing = own.options if own is not None else ()
        else:
            continue
        mapped = field_map.value_map or {}
        for value in dict.fromkeys([*standing, *mapped]):
            found.setdefault(value, {})[name] = mapped.get(value, value)
    return tuple(Known(value, (value,), entries) for value, entries in found.items())
