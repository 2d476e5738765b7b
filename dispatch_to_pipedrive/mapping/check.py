"""What is wrong with a map, seen alone: every mistake that needs neither a tenant nor an account."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from dispatch_to_pipedrive.mapping.apply import SETTINGS
from dispatch_to_pipedrive.mapping.arguments import Rule, RulesArgs, SettingArgs
from dispatch_to_pipedrive.mapping.mistakes import Mistake, nearest
from dispatch_to_pipedrive.mapping.model import (
    CUSTOM_FIELD_TYPES,
    ENTITIES,
    FIELD_TYPES,
    Additions,
    EntityMap,
    FieldMap,
    PipelineMap,
    Scalar,
    is_custom,
)
from dispatch_to_pipedrive.mapping.needs import collapsing
from dispatch_to_pipedrive.mapping.places import Document, Place, Source
from dispatch_to_pipedrive.mapping.standard import (
    INDISPENSABLE,
    ON_CREATION_ONLY,
    REFERS_TO,
    STAMP,
    STAMP_LINE,
    STAMPED,
    STANDARD,
    TAKES_CUSTOM_FIELDS,
    VISIBILITIES,
)
from dispatch_to_pipedrive.mapping.transforms import TRANSFORMS, Transform, argument_mistakes

LOOKED_UP = ("reference", "participants")
WHOLE = (*LOOKED_UP, "address", "emails", "phones", "labels", "options", "pipeline", "content", "hosted_html")
"""Types whose values are no single scalars of a source vocabulary: no value map (but labels), no default."""
MADE_BY = {
    "content": ("copy",),
    "hosted_html": ("html_body",),
    "visibility": ("constant",),
    "author": ("copy", "lookup"),
}
"""Type → the transforms that make its values."""
CLOSED = (
    "boolean",
    "number",
    "money",
    "date",
    "time",
    "duration",
    "datetime",
    "stage",
    "activity_type",
    "user",
)
"""Types in which a value nobody mapped cannot pass as it is."""
_TAGS = ("str", "int", "float", "bool", "none", "constrained-str")


def shape_mistakes(
    document: Document, errors: Sequence[Any], model: type[EntityMap | Additions]
) -> list[Mistake]:
    """Pydantic's errors of one file as mistakes, one for each place."""
    by_place: dict[Place, list[Any]] = {}
    for error in errors:
        by_place.setdefault(_place(document, error["loc"]), []).append(error)
    return [_shape_mistake(document, place, found, model) for place, found in by_place.items()]


def field_mistakes(source: Source, entity: str, name: str, field: FieldMap) -> list[Mistake]:
    """What is wrong with one field of a map."""
    here: Place = ("fields", name)
    if field.transform not in TRANSFORMS:
        return [_unknown_transform(source, name, field.transform)]
    transform = TRANSFORMS[field.transform]
    found = [
        *_target(entity, name, field),
        *_columns(field, transform),
        *_looked_up(name, field),
        *_made_by(field),
        *_values(field),
    ]
    mistakes = [source.mistake((*here, *below), words, hint) for below, words, hint in found]
    return mistakes + argument_mistakes_of(source, here, field, transform)


def content_mistakes(source: Source, name: str, content: object) -> list[Mistake]:
    """What can be said of a field's transform and arguments although its shape is wrong already."""
    if not isinstance(content, Mapping):
        return []
    transform, args = content.get("transform", "copy"), content.get("args", {})
    if not isinstance(transform, str):
        return []
    if transform not in TRANSFORMS:
        return [_unknown_transform(source, name, transform)]
    wrong = argument_mistakes(TRANSFORMS[transform], args) if isinstance(args, dict) else []
    return _told(source, ("fields", name), TRANSFORMS[transform], wrong)


def whole_mistakes(
    source: Source,
    entity: str,
    names: Sequence[str],
    fields: Mapping[str, FieldMap],
    pipeline: PipelineMap | None,
) -> list[Mistake]:
    """What is wrong with a map as a whole; `names` are all its fields, `fields` those whose shape is right."""
    mistakes = [
        source.mistake(("fields",), f"{name} is missing: no record of {entity} can do without it")
        for name in INDISPENSABLE[entity]
        if name not in names
    ]
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            mistakes.append(source.mistake(("fields", name), f"differs from {other} by case only"))
    if (pipeline is None) == (entity == "deals"):
        words = "deals stand in a pipeline: name it, and its stages"
        mistakes.append(
            source.mistake(("pipeline",), words if pipeline is None else f"{entity} stand in no pipeline")
        )
    elif pipeline is not None and len({stage.casefold() for stage in pipeline.stages}) != len(
        pipeline.stages
    ):
        mistakes.append(source.mistake(("pipeline", "stages"), "a stage stands here twice"))
    mistakes += _stamp_mistakes(source, entity, fields)
    if pipeline is not None:
        for name, field in fields.items():
            mistakes += _pipeline_mistakes(source, name, field, pipeline)
    return mistakes


def _stamp_mistakes(source: Source, entity: str, fields: Mapping[str, FieldMap]) -> list[Mistake]:
    """The stamp must be the source key and nothing else, or a record would be made twice."""
    mistakes = []
    stamp, stamped = fields.get(STAMP), STAMPED.get(entity, "")
    note = fields.get(stamped)
    as_it_is = FieldMap.model_validate({"type": "text", "from": "source_key"})
    if stamp is not None and any(
        getattr(stamp, key) != getattr(as_it_is, key)
        for key in ("type", "sources", "transform", "value_map", "default", "create_only", "adopts")
    ):
        words = "the program knows its own records by this field: leave it a text from source_key, as it is"
        mistakes.append(source.mistake(("fields", STAMP), words))
    if note is not None:
        lines = note.args.get("lines") if note.transform in ("html_lines", "html_body") else None
        if not isinstance(lines, list) or not lines or lines[-1] != STAMP_LINE:
            words = f"the program knows its own {entity} by the last of its lines: leave {STAMP_LINE!r} there"
            mistakes.append(source.mistake(("fields", stamped, "args", "lines"), words))
    return mistakes


def lookup_mistakes(
    sources: Mapping[str, Source], fields: Mapping[str, Mapping[str, FieldMap]]
) -> list[Mistake]:
    """Lookups in an entity that is not loaded yet: its own, a later one, or round in a circle."""
    edges = {
        entity: {field.to for field in of.values() if field.to is not None} for entity, of in fields.items()
    }
    mistakes = []
    for entity, of in fields.items():
        for name, field in of.items():
            if field.to is None or ENTITIES.index(field.to) < ENTITIES.index(entity):
                continue
            circle = _way(edges, field.to, entity)
            if circle:
                words = f"looked up in a circle: {' → '.join((entity, *circle))}"
            else:
                words = f"{field.to} are loaded after {entity}, so nothing is there yet to look up"
            words += f" (the order is {', '.join(ENTITIES)})"
            mistakes.append(sources[entity].mistake(("fields", name, "to"), words))
    return mistakes


def argument_mistakes_of(source: Source, here: Place, field: FieldMap, transform: Transform) -> list[Mistake]:
    """What is wrong with a field's arguments: their shape, and the columns and settings that they name."""
    wrong = argument_mistakes(transform, field.args)
    if wrong:
        return _told(source, here, transform, wrong)
    args = transform.parse(field.args)
    mistakes = []
    if isinstance(args, SettingArgs) and args.name not in SETTINGS:
        words = f"unknown setting {args.name!r}"
        mistakes.append(source.mistake((*here, "args", "name"), words, nearest(args.name, SETTINGS)))
    for column in dict.fromkeys(transform.named(args)):
        if column not in field.sources:
            key = next(key for key, value in field.args.items() if column in str(value))
            words = f"{column} is not named under from"
            mistakes.append(source.mistake((*here, "args", key), words, nearest(column, field.sources)))
    if isinstance(args, RulesArgs) and args.rules[-1].when:
        words = "the last rule must hold for everything (no when)"
        mistakes.append(source.mistake((*here, "args", "rules"), words))
    return mistakes


Found = tuple[Place, str, str | None]
"""Where below a field, the words, and the nearest right one."""


def _target(entity: str, name: str, field: FieldMap) -> Iterator[Found]:
    """Does the field exist in Pipedrive, or can it be made, and does it take this type?"""
    if is_custom(name):
        if entity not in TAKES_CUSTOM_FIELDS:
            yield (), f"{entity} have no custom fields in Pipedrive", None
        elif field.type not in CUSTOM_FIELD_TYPES:
            yield ("type",), f"no custom field can be of type {field.type}", None
        return
    if field.adopts is not None:
        yield ("adopts",), f"only a custom field adopts another: end the name {name} in __c", None
    types = STANDARD[entity].get(name)
    if types is None:
        words = f"{entity} have no standard field of this name, and a custom field's name ends in __c"
        yield (), words, nearest(name, STANDARD[entity])
    elif field.type not in types:
        yield ("type",), f"{name} is of type {' or '.join(types)}, not {field.type}", types[0]
    if name in ON_CREATION_ONLY and not field.create_only:
        yield ("create_only",), f"Pipedrive takes {name} with a new record only: say create_only: true", None


def _columns(field: FieldMap, transform: Transform) -> Iterator[Found]:
    count = len(field.sources)
    if any(not column.strip() for column in field.sources):
        yield ("from",), "an empty name of a column", None
    elif count < transform.least or (transform.most is not None and count > transform.most):
        yield ("from",), f"{field.transform} takes {transform.arity()}, not {count or 'none'}", None


def _looked_up(name: str, field: FieldMap) -> Iterator[Found]:
    wanted = REFERS_TO.get(name)
    if (field.type in LOOKED_UP) != (field.to is not None):
        words = (
            f"a field of type {field.type} refers to no entity"
            if field.to
            else "say which entity it refers to"
        )
        yield ("to",), words, None if field.to else wanted
    elif field.to is not None and wanted is not None and field.to != wanted:
        yield ("to",), f"{name} names one of the {wanted}", wanted
    if field.type in LOOKED_UP and field.transform != "lookup":
        yield ("transform",), f"a field of type {field.type} is looked up: say transform: lookup", "lookup"
    if field.transform == "lookup" and field.type not in (*LOOKED_UP, "user", "author"):
        yield ("transform",), f"lookup gives a record or a user, and this field is of type {field.type}", None


def _made_by(field: FieldMap) -> Iterator[Found]:
    """Are the values of such a type made by a transform that knows how?"""
    ways = MADE_BY.get(field.type)
    if ways is not None and field.transform not in ways:
        words = f"a field of type {field.type} is made by {' or '.join(ways)}, not by {field.transform}"
        yield ("transform",), words, ways[0]
    elif field.type == "visibility" and field.args.get("value") not in VISIBILITIES:
        value = field.args.get("value")
        words = f"{value!r} is none of {', '.join(VISIBILITIES)}"
        yield ("args", "value"), words, nearest(str(value), VISIBILITIES)


def _values(field: FieldMap) -> Iterator[Found]:
    """Do value map, default and policy fit the type and each other?"""
    if field.value_map is not None:
        if field.type in WHOLE and field.type != "labels":
            yield ("value_map",), f"a field of type {field.type} takes no value map", None
        elif not field.value_map:
            yield ("value_map",), "an empty value map: name values, or leave it out", None
        for value, mapped in field.value_map.items():
            if not fits(field.type, mapped):
                yield ("value_map", value), f"{mapped!r} is no value for a field of type {field.type}", None
        if field.type == "option":
            for label, values in collapsing(field.value_map):
                words = (
                    f"{' and '.join(map(repr, values))} would become one option {label!r}: give each its own"
                )
                yield ("value_map", values[-1]), words, None
    if field.default is not None and (field.type in WHOLE or not fits(field.type, field.default)):
        yield ("default",), f"{field.default!r} is no value for a field of type {field.type}", None
    if field.value_map is None and field.unmapped == "warn":
        yield ("unmapped",), "warn needs a value_map", None
    if field.unmapped == "add_option" and field.type in CLOSED:
        yield ("unmapped",), f"a field of type {field.type} cannot take any value: use stop or warn", None


def fits(kind: str, value: Scalar) -> bool:
    """Whether a map's own value can stand in a field of that type."""
    if value is None:
        return True
    if kind == "boolean":
        return isinstance(value, bool)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number if kind in ("number", "money") else isinstance(value, str) or number


def _pipeline_mistakes(source: Source, name: str, field: FieldMap, pipeline: PipelineMap) -> list[Mistake]:
    here: Place = ("fields", name)
    if field.type == "pipeline":
        named = field.args.get("value") if field.transform == "constant" else None
        if named == pipeline.name:
            return []
        return [source.mistake((*here, "args", "value"), f"no such pipeline: {named!r}", pipeline.name)]
    if field.type != "stage":
        return []
    return [
        source.mistake(
            (*here, "value_map", key), f"no such stage: {stage!r}", nearest(str(stage), pipeline.stages)
        )
        for key, stage in (field.value_map or {}).items()
        if stage not in pipeline.stages
    ]


def _unknown_transform(source: Source, name: str, transform: str) -> Mistake:
    place = ("fields", name, "transform")
    return source.mistake(place, f"unknown transform {transform!r}", nearest(transform, TRANSFORMS))


def _told(
    source: Source, here: Place, transform: Transform, wrong: Sequence[tuple[Place, str, str]]
) -> list[Mistake]:
    by_place: dict[Place, list[tuple[str, str]]] = {}
    for place, kind, words in wrong:
        clean = tuple(part for part in place if not _is_tag(part))
        by_place.setdefault(clean, []).append((kind, words))
    mistakes = []
    for place, found in by_place.items():
        in_rule = len(place) == 3 and place[0] == "rules"
        allowed = Rule.model_fields if in_rule else transform.args.model_fields
        kind = found[0][0]
        message = _words([kind for kind, _ in found], [words for _, words in found])
        suggestion = nearest(str(place[-1]), allowed) if kind == "extra_forbidden" else None
        mistakes.append(source.mistake((*here, "args", *place), message, suggestion))
    return mistakes


def _shape_mistake(
    document: Document, place: Place, errors: Sequence[Any], model: type[EntityMap | Additions]
) -> Mistake:
    kinds = [error["type"] for error in errors]
    if any(error["loc"][-1] == "[key]" for error in errors):
        return document.mistake(place, "a source value is text: put it in quotes")
    if kinds == ["extra_forbidden"]:
        return document.mistake(place, "unknown key", nearest(str(place[-1]), _keys_at(place, model)))
    if kinds == ["literal_error"]:
        allowed = FIELD_TYPES if place[-1] == "type" else ENTITIES if place[-1] in ("to", "entity") else ()
        given = str(errors[0]["input"])
        return document.mistake(place, f"{given!r}: {_plain(errors[0]['msg'])}", nearest(given, allowed))
    return document.mistake(place, _words(kinds, [error["msg"] for error in errors]))


def _words(kinds: Sequence[str], words: Sequence[str]) -> str:
    if kinds[0] in ("extra_forbidden", "missing"):
        return {"extra_forbidden": "unknown key", "missing": "this key is missing"}[kinds[0]]
    if {"string_type", "list_type"} == set(kinds):
        return "the name of a column, or a list of names, belongs here"
    if {"string_type", "int_type"} <= set(kinds):
        return "text, a number, true, false or nothing belongs here"
    return _plain(words[0])


def _plain(words: str) -> str:
    return words.removeprefix("Value error, ").rstrip(".").replace("Input should be", "must be")


def _is_tag(part: int | str) -> bool:
    return isinstance(part, str) and (part in _TAGS or part.startswith(("list[", "constrained-")))


def _place(document: Document, parts: Sequence[int | str]) -> Place:
    """Pydantic's path without the names of the types that it tried."""
    place: Place = ()
    for part in parts:
        if part == "[key]" or ((*place, part) not in document.lines and _is_tag(part)):
            continue
        text = str(part)
        place = (*place, text if (*place, text) in document.lines else part)
    return place


def _keys_at(place: Place, model: type[EntityMap | Additions]) -> Collection[str]:
    """The keys that may stand beside the last one of a place."""
    if len(place) == 1:
        return list(model.model_fields)
    if place[0] == "pipeline":
        return list(PipelineMap.model_fields)
    in_field = place[0] == "fields" and len(place) == 3
    return [field.alias or name for name, field in FieldMap.model_fields.items()] if in_field else ()


def _way(edges: Mapping[str, Collection[str]], start: str, end: str) -> tuple[str, ...]:
    """The entities from `start` to `end` along lookups; none if there is no way."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    for way in ways:
        if way[-1] == end:
            return way
        following = [to for to in edges.get(way[-1], ()) if to not in seen]
        seen.update(following)
        ways.extend((*way, to) for to in following)
    return ()
