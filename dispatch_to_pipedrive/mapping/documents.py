"""Which parts of the map's documentation are generated? The vocabulary, the keys, the objects: from the code and maps.

In a document they stand between `<!-- begin NAME -->` and `<!-- end NAME -->`.
"""

import re
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pandas as pd
from pydantic import BaseModel

from dispatch_to_pipedrive.mapping.columns import TAKES, Kinds
from dispatch_to_pipedrive.mapping.model import (
    CUSTOM_FIELD_TYPES,
    ENTITIES,
    FIELD_TYPES,
    Additions,
    EntityMap,
    FieldMap,
    Maps,
    PipelineMap,
)
from dispatch_to_pipedrive.mapping.objects import object_table
from dispatch_to_pipedrive.mapping.standard import STANDARD
from dispatch_to_pipedrive.mapping.transforms import ADDRESS_PARTS, TRANSFORMS, Transform

TYPES: Mapping[str, str] = {
    "text": "text, at most 255 characters; longer ones are cut and listed",
    "long_text": "text, at most 65,000 characters; longer ones are cut and listed",
    "number": "a number; a text that is none is left out and listed",
    "money": "a number with the run's currency",
    "date": "a day, YYYY-MM-DD",
    "time": "a time of day in UTC",
    "duration": "hours and minutes",
    "datetime": "a point in time, to the second, in UTC",
    "boolean": "true or false",
    "option": "one choice of a pick-list",
    "options": "several choices of a pick-list",
    "labels": "Pipedrive's labels of the record",
    "reference": "another record: `to` says of which entity, the transform is lookup",
    "participants": "persons at an activity, looked up likewise",
    "user": "a Pipedrive user, by the e-mail of a technician",
    "pipeline": "the pipeline, by name",
    "stage": "a stage of the pipeline, by name",
    "activity_type": "an activity type, by the key that Pipedrive gives it",
    "address": "an address in parts",
    "emails": "e-mail addresses with labels",
    "phones": "phone numbers with labels",
    "html": "text with markup",
    "hosted_html": "text with markup that may link files of the migration",
    "content": "a file's bytes, by where they are",
    "author": "the Pipedrive user who wrote it, by e-mail; nobody where there is none",
    "visibility": "who sees the record: everyone, group, subgroups or owner",
}
"""Type of a field → what it holds."""

VALUE_MAP = (
    "value_map",
    "any",
    "rows of source value: destination value",
    "a key beside the transform: what that gives, value by value; `unmapped` says what becomes of other values",
)


def transform_table() -> pd.DataFrame:
    """The vocabulary: transform, from, args, gives; and the value map, which is a key of its own."""
    rows = [
        (transform.name, transform.arity(), _arguments(transform), transform.doc)
        for transform in TRANSFORMS.values()
    ]
    return _table([*rows, VALUE_MAP], ("transform", "from", "args", "gives"))


def type_table() -> pd.DataFrame:
    """The types of fields: type, holds, takes, in Pipedrive (as a custom field)."""
    rows = [
        (
            name,
            TYPES[name],
            ", ".join(dict.fromkeys(kind.replace("custom text", "custom field") for kind in TAKES[name]))
            or "–",
            CUSTOM_FIELD_TYPES.get(name, "no custom field"),
        )
        for name in FIELD_TYPES
    ]
    return _table(rows, ("type", "holds", "takes as it is", "custom field in Pipedrive"))


def key_table() -> pd.DataFrame:
    """Every key of the language: where it stands, key, value, meaning."""
    models: tuple[tuple[str, type[BaseModel]], ...] = (
        ("the file", EntityMap),
        ("pipeline", PipelineMap),
        ("a field", FieldMap),
        ("accepted/…", Additions),
    )
    rows = [
        (where, field.alias or name, _kind(field.annotation), _default(field), field.description or "")
        for where, model in models
        for name, field in model.model_fields.items()
    ]
    return _table(rows, ("stands in", "key", "value", "without it", "meaning"))


def standard_table() -> pd.DataFrame:
    """Pipedrive's own fields that a map may fill: entity, fields with their types."""
    rows = [
        (entity, ", ".join(f"{name} ({' or '.join(types)})" for name, types in STANDARD[entity].items()))
        for entity in ENTITIES
    ]
    return _table(rows, ("entity", "fields"))


def column_table(columns: Kinds) -> pd.DataFrame:
    """The source columns that a map may name: entity, columns with what they hold; an address is one name."""
    rows = []
    for entity in ENTITIES:
        shown: dict[str, str] = {}
        for column, kind in columns[entity].items():
            prefix, _, part = column.rpartition("_")
            whole = part in ADDRESS_PARTS and all(
                f"{prefix}_{one}" in columns[entity] for one in ADDRESS_PARTS
            )
            shown.setdefault(prefix if whole else column, "address" if whole else kind)
        rows.append((entity, ", ".join(f"{name} ({kind})" for name, kind in shown.items())))
    return _table(rows, ("entity", "columns"))


def markdown(table: pd.DataFrame) -> str:
    """A frame of texts as a Markdown table; what would end a cell is escaped."""
    rows = [tuple(row) for row in table.fillna("").itertuples(index=False, name=None)]
    cells: list[tuple[object, ...]] = [tuple(table), ("---",) * len(table.columns), *rows]
    return "".join("| " + " | ".join(_cell(str(cell)) for cell in row) + " |\n" for row in cells)


def filled(document: str, maps: Maps, columns: Kinds) -> str:
    """The document with its generated parts as they are now; ValueError if one of them has no place in it."""
    parts = {
        "columns": column_table(columns),
        "objects": object_table(maps),
        "transforms": transform_table(),
        "types": type_table(),
        "keys": key_table(),
        "standard fields": standard_table(),
    }
    for name, table in parts.items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        before, opening, rest = document.partition(begin)
        _, closing, after = rest.partition(end)
        if not opening or not closing:
            raise ValueError(f"the document has no place for {name}: {begin} … {end}")
        document = f"{before}{begin}\n{markdown(table)}{end}{after}"
    return document


def _table(rows: Iterable[tuple[str, ...]], columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(columns), dtype="string")


def _arguments(transform: Transform) -> str:
    found = [
        f"{name}{'' if field.is_required() else ' (may be left out)'}: {field.description}"
        for name, field in transform.args.model_fields.items()
    ]
    return "; ".join(found) or "–"


def _kind(annotation: Any) -> str:
    """A type in words: `text`, `true or false`, `one of stop, warn, add_option`."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return "one of " + ", ".join(map(str, args))
    if origin in (Union, UnionType):
        kinds = [_kind(arg) for arg in args if arg is not type(None)]
        return "text, number, true or false" if {"text", "number"} <= set(kinds) else " or ".join(kinds)
    if origin is list:
        return "list of texts"
    if origin is dict:
        return "mapping"
    plain = {str: "text", int: "number", float: "number", bool: "true or false"}
    return plain.get(annotation, "mapping")


def _default(field: Any) -> str:
    if field.is_required():
        return "is a mistake"
    default = field.get_default(call_default_factory=True)
    return "–" if default in (None, "", [], {}) else str(default).lower()


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;")
