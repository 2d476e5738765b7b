"""How maps are read: strictly, and with every mistake at once, each with file, line, key and the nearest right one.

A folder holds `<entity>.yaml`, the curated map, and may hold `accepted/<entity>.yaml`, what people accepted on top:
fields of their own, and further rows of value maps. Both together are the map.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from dispatch_to_pipedrive.mapping.check import (
    content_mistakes,
    field_mistakes,
    lookup_mistakes,
    shape_mistakes,
    whole_mistakes,
)
from dispatch_to_pipedrive.mapping.mistakes import MapError, Mistake, nearest
from dispatch_to_pipedrive.mapping.model import (
    ENTITIES,
    Additions,
    EntityMap,
    FieldMap,
    Maps,
    PipelineMap,
    Scalar,
)
from dispatch_to_pipedrive.mapping.places import ACCEPTED, Document, Source, read_source

Model = TypeVar("Model", EntityMap, Additions)


def load_maps(directory: Path) -> Maps:
    """The maps of all entities in a folder; `MapError` with all mistakes of all files."""
    mistakes = _stray_files(directory)
    sources = {entity: read_source(directory, entity) for entity in ENTITIES}
    maps: dict[str, EntityMap] = {}
    fields: dict[str, Mapping[str, FieldMap]] = {}
    for entity, source in sources.items():
        found, fields[entity], wrong = _entity(source, entity)
        mistakes += wrong
        if found is not None:
            maps[entity] = found
    mistakes += lookup_mistakes(sources, fields)
    if mistakes:
        raise MapError(mistakes)
    return Maps(maps)


def _entity(source: Source, entity: str) -> tuple[EntityMap | None, Mapping[str, FieldMap], list[Mistake]]:
    """An entity's map (None if anything is wrong), its fields whose shape is right, and its mistakes."""
    mistakes = list(source.base.mistakes)
    base = _parsed(EntityMap, source.base, mistakes)
    fields = _fields_of(source.base)
    names = list(_mapping_at(source.base, "fields"))
    if source.accepted is not None:
        mistakes += source.accepted.mistakes
        additions = _parsed(Additions, source.accepted, mistakes)
        mistakes += _doubled(source.base, source.accepted)
        for name, field in _fields_of(source.accepted).items():
            fields.setdefault(name, field)
        names += [name for name in _mapping_at(source.accepted, "fields") if name not in names]
        if additions is not None:
            mistakes += _with_values(source, names, fields, additions.values)
    for document in filter(None, (source.base, source.accepted)):
        of = (document.value or {}).get("entity")
        if of in ENTITIES and of != entity:
            mistakes.append(document.mistake(("entity",), f"this file is the map of {entity}"))
        for name, content in _mapping_at(document, "fields").items():
            if name not in fields:
                mistakes += content_mistakes(source, str(name), content)
    for name, field in fields.items():
        mistakes += field_mistakes(source, entity, name, field)
    if source.base.value is not None:
        pipeline = _pipeline(source.base)
        mistakes += whole_mistakes(source, entity, [str(name) for name in names], fields, pipeline)
    if mistakes or base is None:
        return None, fields, mistakes
    return base.model_copy(update={"fields": fields}), fields, []


def _parsed(model: type[Model], document: Document, mistakes: list[Mistake]) -> Model | None:
    if document.value is None:
        return None
    try:
        return model.model_validate(document.value)
    except ValidationError as wrong:
        mistakes += shape_mistakes(document, wrong.errors(), model)
    return None


def _fields_of(document: Document) -> dict[str, FieldMap]:
    """The fields whose shape is right, whatever else is wrong with the file."""
    found = {}
    for name, content in _mapping_at(document, "fields").items():
        try:
            found[str(name)] = FieldMap.model_validate(content)
        except ValidationError:
            continue
    return found


def _pipeline(document: Document) -> PipelineMap | None:
    content = document.value.get("pipeline")
    try:
        return None if content is None else PipelineMap.model_validate(content)
    except ValidationError:
        return PipelineMap.model_construct(name="", stages=[])


def _mapping_at(document: Document, key: str) -> Mapping[Any, Any]:
    found = (document.value or {}).get(key)
    return found if isinstance(found, dict) else {}


def _doubled(base: Document, accepted: Document) -> list[Mistake]:
    return [
        accepted.mistake(
            ("fields", name),
            f"duplicate target: this field stands in {base.file}:{base.lines['fields', name]} too",
        )
        for name in _mapping_at(accepted, "fields")
        if ("fields", name) in base.lines
    ]


def _with_values(
    source: Source, names: list[Any], fields: dict[str, FieldMap], values: Mapping[str, Mapping[str, Scalar]]
) -> list[Mistake]:
    """Add accepted rows to the value maps of `fields`; what cannot be added is a mistake."""
    mistakes = []
    accepted = source.accepted or source.base
    for name, rows in values.items():
        field = fields.get(name)
        if field is None:
            if name not in names:
                words = "no field of this name is in the map"
                mistakes.append(
                    accepted.mistake(("values", name), words, nearest(name, list(map(str, names))))
                )
            continue
        if field.value_map is None and field.unmapped != "add_option" and field.type != "labels":
            words = "this field has no value map, and would stop at every value that is not named here"
            mistakes.append(accepted.mistake(("values", name), words))
            continue
        known = field.value_map or {}
        for value in rows.keys() & known.keys():
            line = source.base.lines.get(("fields", name, "value_map", value))
            place = f"{source.base.file}:{line}" if line else f"the field's own value map in {accepted.file}"
            mistakes.append(accepted.mistake(("values", name, value), f"this value is mapped in {place} too"))
        fields[name] = field.model_copy(update={"value_map": {**known, **rows}})
    return mistakes


def _stray_files(directory: Path) -> list[Mistake]:
    """A folder that is not there, and files of maps that nothing reads: mostly names with a slip."""
    if not directory.is_dir():
        raise MapError(
            [Mistake(str(directory), 1, directory.name, "no such folder of maps: MAPPINGS_DIR names it")]
        )
    found = [*directory.glob("*.y*ml"), *(directory / ACCEPTED).glob("*.y*ml")]
    files = [f"{entity}.yaml" for entity in ENTITIES]
    return [
        Mistake(str(path), 1, path.name, "no entity has a map of this name", nearest(path.name, files))
        for path in found
        if path.name not in files
    ]
