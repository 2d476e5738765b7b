"""What becomes of each kind of thing in Dispatch Pro? The object table, computed from the active maps.

A field belongs to the object whose columns it reads, and to no other; a field that mixes objects (a title made of job
type and customer) belongs to the record that it stands on. So an object whose own fields have left the map is told to
have left it, whatever else still mentions it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import pandas as pd

from dispatch_to_pipedrive.mapping.model import CUSTOM_FIELD_TYPES, ENTITIES, FieldMap, Maps, is_custom
from dispatch_to_pipedrive.mapping.reads import read_columns

COLUMNS = ("source", "destination", "kind", "transforms", "lookups", "schema", "moved")
SINGULAR = {
    "organizations": "Organization",
    "persons": "Person",
    "deals": "Deal",
    "activities": "Activity",
    "files": "File",
    "notes": "Note",
}
GONE = "not in the map"


@dataclass(frozen=True, slots=True)
class Thing:
    """A kind of thing in Dispatch Pro.

    `records`: the entities of which one of it makes a record. `columns`: entity → the normalized columns that say
    something about it (a name that ends in * stands for all that begin so), for what makes no record of its own.
    `folds`: several of it go into one record.
    """

    source: str
    records: tuple[str, ...] = ()
    columns: Mapping[str, tuple[str, ...]] | None = None
    folds: bool = False


_SITES = ("site_*", "additional_sites")
THINGS = (
    Thing("Job", records=("deals",)),
    Thing("Work Order (appointment)", records=("activities",)),
    Thing("Customer", records=("organizations", "persons")),
    Thing(
        "Location / site address",
        columns={
            "organizations": _SITES,
            "persons": (*_SITES, "location_id"),
            "deals": ("site_custom_fields",),
            "activities": ("location_*",),
        },
        folds=True,
    ),
    Thing(
        "Technician / operator",
        columns={
            "organizations": ("owner_email",),
            "persons": ("owner_email",),
            "deals": ("owner_email", "technician_id", "technicians", "technician_custom_fields"),
            "activities": ("owner_email", "technician_id", "technicians"),
        },
    ),
    Thing("Job type / service category", columns={"deals": ("job_type",), "activities": ("job_type",)}),
    Thing("Job priority", columns={"deals": ("priority", "priority_bucket")}),
    Thing("Invoice / payment record", columns={"deals": ("value", "payment_status")}),
    Thing(
        "Tag / label",
        columns={"organizations": ("labels",), "persons": ("labels",), "deals": ("labels",)},
    ),
    Thing("Attachments / photos", records=("files",)),
)
"""The ten rows, in order."""


class Compatibility(NamedTuple):
    """How many of the objects map one to one, of how many, and how many of them all the active maps move."""

    one_to_one: int
    objects: int
    moved: int


class _Field(NamedTuple):
    entity: str
    name: str
    field: FieldMap


Kind = Literal["1:1", "1:n", "n:1", ""]


def object_table(maps: Maps) -> pd.DataFrame:
    """One row for each kind of thing: source, destination, kind, transforms, lookups, schema, moved; all text.

    kind: 1:1, 1:n (one becomes several records) or n:1 (several go into one record), empty where the map has nothing
    of it. moved: yes or no.
    """
    own: dict[str, list[_Field]] = {thing.source: [] for thing in THINGS}
    for entity, entity_map in maps.items():
        for name, field in entity_map.fields.items():
            if (thing := _thing_of(entity, field)) is not None:
                own[thing.source].append(_Field(entity, name, field))
    rows = [_row(thing, own[thing.source], maps) for thing in THINGS]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="string")


def compatibility(maps: Maps) -> Compatibility:
    """The object table in three numbers."""
    table = object_table(maps)
    return Compatibility(
        int((table["kind"] == "1:1").sum()), len(table), int((table["moved"] == "yes").sum())
    )


def _thing_of(entity: str, field: FieldMap) -> Thing | None:
    """The thing that all columns of a field tell of, else the one that makes the record; notes are in no row."""
    columns = read_columns(field)
    for thing in THINGS:
        patterns = (thing.columns or {}).get(entity, ())
        if columns and all(any(_is(column, pattern) for pattern in patterns) for column in columns):
            return thing
    return next((thing for thing in THINGS if entity in thing.records), None)


def _is(column: str, pattern: str) -> bool:
    return column.startswith(pattern[:-1]) if pattern.endswith("*") else column == pattern


def _row(thing: Thing, fields: Sequence[_Field], maps: Maps) -> tuple[str, ...]:
    if not fields:
        return thing.source, GONE, "", "", "", "", "no"
    return (
        thing.source,
        "; ".join(_destinations(thing, fields)),
        _kind(thing, fields),
        ", ".join(sorted({word for one in fields for word in _words(one.field)})),
        ", ".join(sorted({look for one in fields if (look := _lookup(one))})),
        ", ".join(_schema(fields, maps)),
        "yes",
    )


def _kind(thing: Thing, fields: Sequence[_Field]) -> Kind:
    if thing.folds:
        return "n:1"
    return "1:n" if len({one.entity for one in fields if one.entity in thing.records}) > 1 else "1:1"


def _destinations(thing: Thing, fields: Sequence[_Field]) -> Iterator[str]:
    """`Deal` for records (with the number of fields), else `Deal: owner_id, Technician_ID__c`."""
    for entity in ENTITIES:
        names = [one.name for one in fields if one.entity == entity]
        if names:
            what = f"{len(names)} field{'s' if len(names) > 1 else ''}" if thing.records else ", ".join(names)
            yield f"{SINGULAR[entity]}: {what}"


def _words(field: FieldMap) -> Iterator[str]:
    yield field.transform
    if field.value_map is not None:
        yield "value_map"


def _lookup(one: _Field) -> str | None:
    """`org_id → Organization`."""
    if one.field.type == "user":
        return f"{one.name} → User"
    return None if one.field.to is None else f"{one.name} → {SINGULAR[one.field.to]}"


def _schema(fields: Sequence[_Field], maps: Maps) -> Iterator[str]:
    """What must stand in the account: custom fields with their type, pipeline, stages, labels."""
    seen = set()
    for entity, name, field in fields:
        if is_custom(name) and name not in seen:
            yield f"{name} ({CUSTOM_FIELD_TYPES[field.type]})"
        elif field.type == "pipeline" and (pipeline := maps[entity].pipeline):
            yield f"pipeline {pipeline.name} ({len(pipeline.stages)} stages)"
        elif field.type == "labels" and name not in seen:
            yield "labels"
        seen.add(name)
