"""Do the columns that a map reads exist, and do their values fit the fields that they go to?

The kinds of columns are those of the normalized frames: text, html, number, timestamp, list, contact points, custom
fields, `key of deals` (a record by its source key), `keys of persons` (a list of such); `text of known values` where
every value of the tenant is known beforehand, so that a pick-list can be made of them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from dispatch_to_pipedrive.mapping.arguments import HtmlBodyArgs
from dispatch_to_pipedrive.mapping.mistakes import Mistake, nearest
from dispatch_to_pipedrive.mapping.model import FieldMap, Maps
from dispatch_to_pipedrive.mapping.places import Place, read_source
from dispatch_to_pipedrive.mapping.reads import read_columns
from dispatch_to_pipedrive.mapping.transforms import TRANSFORMS

Kinds = Mapping[str, Mapping[str, str]]
"""Entity → column of its normalized frame → kind."""

_SCALAR = ("text", "number", "timestamp", "date", "clock", "moment", "key")
READS: Mapping[str, tuple[str, ...]] = {
    "date": ("timestamp",),
    "time": ("timestamp",),
    "datetime": ("timestamp",),
    "duration": ("timestamp",),
    "join": ("list", "keys"),
    "html_to_text": ("text", "html"),
    "file_name": ("text",),
    "sum": ("number",),
    "custom_field": ("custom fields",),
    "lookup": ("key", "keys", "text"),
    "template": (*_SCALAR, "list"),
    "html_lines": (*_SCALAR, "list"),
    "html_body": (*_SCALAR, "list", "html"),
    "rules": ("text", "number"),
}
"""Transform → the kinds of columns that it reads; those that are not here read any."""

GIVES: Mapping[str, str] = {
    "date": "date",
    "time": "clock",
    "datetime": "moment",
    "duration": "clock",
    "join": "text",
    "html_to_text": "text",
    "file_name": "text",
    "sum": "number",
    "custom_field": "custom text",
    "template": "text",
    "html_lines": "text",
    "html_body": "text",
    "setting": "text",
    "address": "address",
}
"""Transform → the kind that it gives, whatever it reads."""

_TEXT = ("text", "custom text", "number", "timestamp", "date", "clock", "moment", "key")
TAKES: Mapping[str, tuple[str, ...]] = {
    "text": _TEXT,
    "long_text": _TEXT,
    "html": ("text", "html"),
    "hosted_html": ("text",),
    "content": ("text",),
    "author": ("text",),
    "visibility": ("text",),
    "number": ("number", "custom text"),
    "money": ("number", "custom text"),
    "date": ("date", "custom text"),
    "time": ("clock", "custom text"),
    "duration": ("clock",),
    "datetime": ("moment",),
    "boolean": (),
    "option": ("text", "custom text", "number"),
    "options": ("list", "text", "custom text"),
    "labels": ("list",),
    "reference": ("key",),
    "participants": ("key", "keys"),
    "user": ("text", "custom text"),
    "pipeline": ("text",),
    "stage": ("text", "custom text"),
    "activity_type": ("text",),
    "address": ("address",),
    "emails": ("contact points",),
    "phones": ("contact points",),
}
"""Type of a field → the kinds of values that it takes as they are; a value map gives whatever it says."""

CHOICES = ("option", "options", "labels")
KNOWN = " of known values"
_HINTS: Mapping[tuple[str, str], str] = {
    ("timestamp", "date"): "use transform: date",
    ("timestamp", "time"): "use transform: time",
    ("timestamp", "datetime"): "use transform: datetime",
    ("list", "text"): "use transform: join",
    ("list", "long_text"): "use transform: join",
    ("custom fields", "text"): "use transform: custom_field",
    ("html", "text"): "use transform: html_to_text",
    ("html", "long_text"): "use transform: html_to_text",
}


def check_columns(maps: Maps, columns: Kinds, directory: Path) -> list[Mistake]:
    """Where the maps of a folder read columns that are not there, or values that do not fit."""
    mistakes = []
    for entity, entity_map in maps.items():
        source = read_source(directory, entity)
        for name, field in entity_map.fields.items():
            mistakes += [
                source.mistake(("fields", name, *below), words, hint)
                for below, words, hint in _wrong(entity, field, columns[entity])
            ]
    return mistakes


def kind_of(field: FieldMap, columns: Mapping[str, str]) -> str | None:
    """The kind of a field's values before its value map; None where its own arguments decide."""
    if field.transform in GIVES:
        return GIVES[field.transform]
    if field.transform in ("rules", "constant"):
        return None
    found = {columns[column] for column in field.sources}
    if len(found) == 1:
        return found.pop()
    found = {_family(kind) for kind in found}
    return "text" if found <= set(_SCALAR) else " and ".join(sorted(found))


def _wrong(
    entity: str, field: FieldMap, columns: Mapping[str, str]
) -> Iterator[tuple[Place, str, str | None]]:
    read = read_columns(field)
    missing = [column for column in read if column not in columns]
    for column in missing:
        yield ("from",), f"{column} is no column of {entity}", nearest(column, columns)
    if missing:
        return
    readable = READS.get(field.transform)
    strange = [column for column in read if readable is not None and _family(columns[column]) not in readable]
    for column in strange:
        words = (
            f"{field.transform} reads {_or(readable or ())}, and {column} holds {_plural(columns[column])}"
        )
        yield ("from",), words, None
    misplaced = list(_misplaced(field, columns))
    yield from misplaced
    if strange or misplaced:
        return
    kind = kind_of(field, columns)
    if kind is None:
        return
    every = field.value_map is None or field.unmapped == "add_option"
    if field.type in CHOICES and every and kind != "custom text" and not kind.endswith(KNOWN):
        words = f"nobody knows every value of {', '.join(field.sources)} before it is loaded"
        yield ("type",), f"{words}: name them in a value_map without add_option, or use type: text", None
    if field.value_map is not None:
        return
    if _family(kind) not in TAKES[field.type]:
        hint = _HINTS.get((_family(kind), field.type))
        words = f"{', '.join(field.sources)} gives {_plural(kind)}, which a field of type {field.type} does not take"
        yield ("type",), f"{words}: {hint}" if hint else words, None
    elif field.to is not None and not kind.endswith(f" of {field.to}"):
        yield ("from",), f"{field.sources[0]} holds {_plural(kind)}, not of {field.to}", None


def _misplaced(field: FieldMap, columns: Mapping[str, str]) -> Iterator[tuple[Place, str, str | None]]:
    """Of the columns of a body with lines, the body alone is HTML."""
    args = TRANSFORMS[field.transform].parse(field.args)
    if not isinstance(args, HtmlBodyArgs):
        return
    for column in field.sources:
        is_body = column == args.body
        if (columns[column] == "html") != is_body:
            words = f"{column} holds {_plural(columns[column])}, and the body alone is HTML"
            yield ("args", "body" if is_body else "lines"), words, None


def _family(kind: str) -> str:
    """`key of deals` → `key`."""
    return kind.partition(" of ")[0]


def _plural(kind: str) -> str:
    words = {
        "text": "text",
        "html": "HTML",
        "custom text": "text",
        "key": "keys",
        "clock": "times of day",
        "moment": "points in time",
    }
    family = _family(kind)
    plural = words.get(family, family if family.endswith("s") else f"{family}s")
    return plural + kind.removesuffix(KNOWN)[len(family) :]


def _or(kinds: tuple[str, ...]) -> str:
    return " or ".join(dict.fromkeys(map(_plural, kinds)))
