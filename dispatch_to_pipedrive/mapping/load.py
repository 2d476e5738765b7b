"""How maps are read: strictly, and with every mistake at once, each with file, line, key and the nearest right one."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from dispatch_to_pipedrive.mapping.apply import SETTINGS
from dispatch_to_pipedrive.mapping.arguments import Rule, RulesArgs, SettingArgs
from dispatch_to_pipedrive.mapping.model import (
    CUSTOM_FIELD_TYPES,
    ENTITIES,
    FIELD_TYPES,
    EntityMap,
    FieldMap,
    Maps,
    PipelineMap,
    is_custom,
)
from dispatch_to_pipedrive.mapping.transforms import TRANSFORMS, Transform, argument_mistakes

Place = tuple[int | str, ...]
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where there is one: each run reads the maps several times."""


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing wrong with a map."""

    file: str
    line: int
    key: str
    message: str
    suggestion: str | None = None

    def __str__(self) -> str:
        hint = f" Did you mean {self.suggestion!r}?" if self.suggestion else ""
        return f"{self.file}:{self.line}: {self.key}: {self.message}.{hint}"


class MapError(ValueError):
    """A map cannot be used; `mistakes` has every reason."""

    def __init__(self, mistakes: Collection[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes, key=lambda mistake: (mistake.file, mistake.line, mistake.key)))
        super().__init__("\n".join(map(str, self.mistakes)))


def load_maps(directory: Path) -> Maps:
    """The maps of all four entities from `<entity>.yaml` in a folder; `MapError` with all mistakes of all files."""
    mistakes: list[Mistake] = []
    maps: dict[str, EntityMap] = {}
    for entity in ENTITIES:
        path = directory / f"{entity}.yaml"
        if not path.is_file():
            mistakes.append(Mistake(str(path), 1, entity, "this file is missing"))
            continue
        found, wrong = load_map(path, entity)
        mistakes.extend(wrong)
        if found is not None:
            maps[entity] = found
    if mistakes:
        raise MapError(mistakes)
    return Maps(maps)


def load_map(path: Path, entity: str) -> tuple[EntityMap | None, list[Mistake]]:
    """One file's map, and its mistakes; there is a map only if there are none."""
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=_LOADER)
        value = yaml.load(text, Loader=_LOADER)  # noqa: S506 - both are safe loaders
    except UnicodeDecodeError:
        return None, [Mistake(str(path), 1, entity, "not UTF-8 text")]
    except yaml.YAMLError as wrong:
        return None, [_not_yaml(path, entity, wrong)]
    lines = dict(_lines(root, ()))
    source = _Source(str(path), lines)
    mistakes = [source.mistake(place, "stands here a second time") for place in _doubled(root, ())]
    if not isinstance(value, dict):
        return None, [*mistakes, Mistake(str(path), 1, entity, "a map is a mapping of keys")]
    try:
        entity_map = EntityMap.model_validate(value)
    except ValidationError as wrong:
        mistakes += [_from_pydantic(source, error, value) for error in wrong.errors()]
        return None, [*mistakes, *_field_mistakes_despite(source, value)]
    mistakes += _meaning(source, entity_map, entity)
    return (None if mistakes else entity_map), mistakes


def check_columns(maps: Maps, columns: Mapping[str, Collection[str]], directory: Path) -> list[Mistake]:
    """The places where a map names a source column that the entity's normalized frame does not have."""
    mistakes = []
    for entity, entity_map in maps.items():
        path = directory / f"{entity}.yaml"
        lines = dict(_lines(yaml.compose(path.read_text(encoding="utf-8"), Loader=_LOADER), ()))
        source = _Source(str(path), lines)
        for name, field in entity_map.fields.items():
            missing = [column for column in read_columns(field) if column not in columns[entity]]
            mistakes += [
                source.mistake(
                    ("fields", name, "from"),
                    f"{column} is no column of {entity}",
                    _nearest(column, columns[entity]),
                )
                for column in missing
            ]
    return mistakes


def read_columns(field: FieldMap) -> tuple[str, ...]:
    """The columns of the normalized frame that a field reads."""
    return TRANSFORMS[field.transform].columns(field.sources)


@dataclass(frozen=True, slots=True)
class _Source:
    file: str
    lines: Mapping[Place, int]

    def mistake(self, place: Place, message: str, suggestion: str | None = None) -> Mistake:
        known = place
        while known and known not in self.lines:
            known = known[:-1]
        key = ".".join(str(part) for part in place) or self.file
        return Mistake(self.file, self.lines.get(known, 1), key, message, suggestion)


def _not_yaml(path: Path, entity: str, wrong: yaml.YAMLError) -> Mistake:
    mark = getattr(wrong, "problem_mark", None)
    problem = getattr(wrong, "problem", None) or str(wrong)
    if "'\\t'" in problem:
        problem = "a tab stands where blanks belong"
    return Mistake(str(path), mark.line + 1 if mark else 1, entity, f"not YAML: {problem}")


def _lines(node: yaml.Node | None, place: Place) -> Iterator[tuple[Place, int]]:
    """Each key's place in the document and the line it stands in."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*place, key.value)
            yield here, key.start_mark.line + 1
            yield from _lines(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield (*place, number), item.start_mark.line + 1
            yield from _lines(item, (*place, number))


def _doubled(node: yaml.Node | None, place: Place) -> Iterator[Place]:
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                yield (*place, key.value)
            seen.add(key.value)
            yield from _doubled(value, (*place, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _doubled(item, (*place, number))


def _keys_at(place: Place) -> Collection[str]:
    """The keys that may stand beside the last one of a place."""
    if len(place) == 1:
        return _names(EntityMap)
    if place[0] == "pipeline":
        return _names(PipelineMap)
    return _names(FieldMap) if place[0] == "fields" and len(place) == 3 else ()


def _names(model: type[EntityMap] | type[PipelineMap] | type[FieldMap]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _from_pydantic(source: _Source, error: Any, value: Mapping[str, Any]) -> Mistake:
    place = tuple(part for part in error["loc"] if part not in ("str", "list[str]", "int", "float", "bool"))
    kind = error["type"]
    if kind == "extra_forbidden":
        return source.mistake(place, "unknown key", _nearest(str(place[-1]), _keys_at(place)))
    if kind == "missing":
        return source.mistake(place, "this key is missing")
    if kind == "literal_error":
        allowed = FIELD_TYPES if place[-1] == "type" else ENTITIES if place[-1] in ("to", "entity") else ()
        given = str(error["input"])
        return source.mistake(place, f"{given!r}: {error['msg']}", _nearest(given, allowed))
    return source.mistake(place, _plain(error["msg"]))


def _plain(words: str) -> str:
    return words.removeprefix("Value error, ").rstrip(".")


def _field_mistakes_despite(source: _Source, value: Mapping[str, Any]) -> list[Mistake]:
    """What can be said about single fields although the file as a whole is no valid map."""
    fields = value.get("fields")
    mistakes: list[Mistake] = []
    for name, content in fields.items() if isinstance(fields, dict) else ():
        try:
            field = FieldMap.model_validate(content)
        except ValidationError:
            transform = content.get("transform", "copy") if isinstance(content, dict) else "copy"
            if isinstance(transform, str) and transform not in TRANSFORMS:
                mistakes.append(_unknown_transform(source, name, transform))
            continue
        mistakes += _field_mistakes(source, name, field)
    return mistakes


def _meaning(source: _Source, entity_map: EntityMap, entity: str) -> list[Mistake]:
    mistakes = []
    if entity_map.entity != entity:
        mistakes.append(source.mistake(("entity",), f"this file is the map of {entity}"))
    for name, field in entity_map.fields.items():
        mistakes += _field_mistakes(source, name, field)
        mistakes += _pipeline_mistakes(source, name, field, entity_map.pipeline)
    if len(set(entity_map.pipeline.stages if entity_map.pipeline else ())) != len(
        entity_map.pipeline.stages if entity_map.pipeline else ()
    ):
        mistakes.append(source.mistake(("pipeline", "stages"), "a stage stands here twice"))
    return mistakes


def _unknown_transform(source: _Source, name: str, transform: str) -> Mistake:
    place = ("fields", name, "transform")
    return source.mistake(place, f"unknown transform {transform!r}", _nearest(transform, TRANSFORMS))


def _field_mistakes(source: _Source, name: str, field: FieldMap) -> list[Mistake]:
    here: Place = ("fields", name)
    if field.transform not in TRANSFORMS:
        return [_unknown_transform(source, name, field.transform)]
    transform = TRANSFORMS[field.transform]
    mistakes = []
    count = len(field.sources)
    if count < transform.least or (transform.most is not None and count > transform.most):
        wanted = _wanted(transform)
        mistakes.append(source.mistake((*here, "from"), f"{field.transform} takes {wanted}, not {count}"))
    if (field.type in ("reference", "participants")) != (field.to is not None):
        words = "say which entity it refers to" if field.to is None else f"a {field.type} refers to no entity"
        mistakes.append(source.mistake((*here, "to"), words))
    if is_custom(name) and field.type not in CUSTOM_FIELD_TYPES:
        mistakes.append(source.mistake((*here, "type"), f"no custom field can be of type {field.type}"))
    if field.value_map is not None and field.type in (
        "address",
        "emails",
        "phones",
        "labels",
        "participants",
    ):
        mistakes.append(
            source.mistake((*here, "value_map"), f"a field of type {field.type} takes no value map")
        )
    if field.value_map is None and field.unmapped == "warn":
        mistakes.append(source.mistake((*here, "unmapped"), "warn needs a value_map"))
    return mistakes + _argument_mistakes(source, here, field, transform)


def _argument_mistakes(source: _Source, here: Place, field: FieldMap, transform: Transform) -> list[Mistake]:
    wrong = argument_mistakes(transform, field.args)
    mistakes = []
    for place, kind, words in wrong:
        allowed = (
            Rule.model_fields if len(place) == 3 and place[0] == "rules" else transform.args.model_fields
        )
        message = {"extra_forbidden": "unknown key", "missing": "this key is missing"}.get(
            kind, _plain(words)
        )
        suggestion = _nearest(str(place[-1]), allowed) if kind == "extra_forbidden" else None
        mistakes.append(source.mistake((*here, "args", *place), message, suggestion))
    if wrong:
        return mistakes
    args = transform.parse(field.args)
    if isinstance(args, SettingArgs) and args.name not in SETTINGS:
        place = (*here, "args", "name")
        mistakes.append(
            source.mistake(place, f"unknown setting {args.name!r}", _nearest(args.name, SETTINGS))
        )
    for column in dict.fromkeys(transform.named(args)):
        if column not in field.sources:
            key = next(key for key, value in field.args.items() if column in str(value))
            words = f"{column} is not named under from"
            place = (*here, "args", key)
            mistakes.append(source.mistake(place, words, _nearest(column, field.sources)))
    if isinstance(args, RulesArgs) and args.rules[-1].when:
        mistakes.append(
            source.mistake((*here, "args", "rules"), "the last rule must hold for everything (no when)")
        )
    return mistakes


def _pipeline_mistakes(
    source: _Source, name: str, field: FieldMap, pipeline: PipelineMap | None
) -> list[Mistake]:
    if field.type not in ("pipeline", "stage"):
        return []
    here: Place = ("fields", name)
    if pipeline is None:
        return [source.mistake(here, "this map has no pipeline section")]
    if field.type == "pipeline":
        named = field.args.get("value") if field.transform == "constant" else None
        if named == pipeline.name:
            return []
        return [source.mistake((*here, "args", "value"), f"no such pipeline: {named!r}", pipeline.name)]
    return [
        source.mistake(
            (*here, "value_map", key), f"no such stage: {stage!r}", _nearest(str(stage), pipeline.stages)
        )
        for key, stage in (field.value_map or {}).items()
        if stage not in pipeline.stages
    ]


def _wanted(transform: Transform) -> str:
    if transform.most == 0:
        return "no column"
    if transform.most == transform.least:
        return f"{transform.most} column{'s' if transform.most != 1 else ''}"
    return f"at least {transform.least}"


def _nearest(given: str, allowed: Collection[str]) -> str | None:
    folded = {name.casefold(): name for name in allowed}
    near = get_close_matches(given.casefold(), list(folded), n=1, cutoff=0.5)
    return folded[near[0]] if near else None
