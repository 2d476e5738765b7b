"""What do editors need to know to complete a map and to underline mistakes? The language as a JSON Schema.

Generated from the models, the vocabulary and the tables of types, so that it says what `load` says as far as a schema
can. Run as a program this prints it: `python -m dispatch_to_pipedrive.mapping.editor > mappings/schema.json`.
"""

import json
from typing import Any

from dispatch_to_pipedrive.mapping.check import LOOKED_UP, MADE_BY, WHOLE
from dispatch_to_pipedrive.mapping.model import (
    CUSTOM_FIELD_TYPES,
    CUSTOM_SUFFIX,
    ENTITIES,
    Additions,
    EntityMap,
)
from dispatch_to_pipedrive.mapping.standard import (
    ON_CREATION_ONLY,
    REFERS_TO,
    STANDARD,
    TAKES_CUSTOM_FIELDS,
)
from dispatch_to_pipedrive.mapping.transforms import TRANSFORMS, Transform

Schema = dict[str, Any]
_DEFS = "#/$defs/{model}"


def json_schema() -> Schema:
    """The schema of a curated map, and of a file under `accepted/`."""
    found = {model.__name__: _generated(model) for model in (EntityMap, Additions)}
    defs: Schema = {}
    for schema in found.values():
        defs |= schema.pop("$defs", {})
    defs |= {f"{name}_args": _arguments(transform, defs) for name, transform in TRANSFORMS.items()}
    field = defs["FieldMap"]
    field["properties"]["transform"] = {
        "description": field["properties"]["transform"]["description"],
        "default": "copy",
        "oneOf": [{"const": one.name, "description": one.doc} for one in TRANSFORMS.values()],
    }
    field["allOf"] = [
        *(_of_transform(transform) for transform in TRANSFORMS.values()),
        _unless("transform", _columns(TRANSFORMS["copy"])),
        _where(
            "type",
            LOOKED_UP,
            {"required": ["to", "transform"], "properties": {"transform": {"const": "lookup"}}},
        ),
        *(
            _where("type", [kind], {"properties": {"transform": {"enum": list(ways)}}})
            for kind, ways in MADE_BY.items()
        ),
        _where("type", [kind for kind in WHOLE if kind != "labels"], {"not": {"required": ["value_map"]}}),
    ]
    for entity in ENTITIES:
        defs[f"{entity}_fields"] = _fields_of(entity)
    for schema in found.values():
        schema["allOf"] = [_of_entity(entity) for entity in ENTITIES]
    whole: Schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A map from Dispatch Pro to one entity of Pipedrive, or what people accepted on top of one",
        # Only what was accepted adds rows to the value maps of fields that stand elsewhere.
        "if": {"required": ["values"]},
        "then": found["Additions"],
        "else": found["EntityMap"],
        "$defs": dict(sorted(defs.items())),
    }
    return {key: value if key == "title" else _without_titles(value) for key, value in whole.items()}


def text() -> str:
    """The schema as it stands in `mappings/schema.json`."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _generated(model: Any) -> Schema:
    schema: Schema = model.model_json_schema(by_alias=True, ref_template=_DEFS)
    return schema


def _arguments(transform: Transform, defs: Schema) -> Schema:
    """The model of a transform's arguments; models inside it go to `defs`."""
    schema = _generated(transform.args)
    defs |= schema.pop("$defs", {})
    return schema


def _columns(transform: Transform) -> Schema:
    """How many columns a transform takes, as a condition on `from`."""
    least, most = transform.least, transform.most
    if most == 0:
        return {"not": {"required": ["from"]}}
    several: Schema = {"type": "array", "minItems": least, "items": {"type": "string", "minLength": 1}}
    if most is not None:
        several["maxItems"] = most
    kinds = [{"type": "string", "minLength": 1}, several] if least == 1 else [several]
    return {"required": ["from"], "properties": {"from": {"anyOf": kinds}}}


def _of_transform(transform: Transform) -> Schema:
    """What a field with that transform must have."""
    then = _columns(transform)
    needs = [name for name, field in transform.args.model_fields.items() if field.is_required()]
    then = {
        **then,
        "properties": {**then.get("properties", {}), "args": {"$ref": f"#/$defs/{transform.name}_args"}},
    }
    if needs:
        then["required"] = [*then.get("required", []), "args"]
    return _where("transform", [transform.name], then)


def _of_entity(entity: str) -> Schema:
    then: Schema = {"properties": {"fields": {"$ref": f"#/$defs/{entity}_fields"}}}
    if entity != "deals":
        then["not"] = {"required": ["pipeline"]}
    return _where("entity", [entity], then)


def _fields_of(entity: str) -> Schema:
    """Which fields an entity has, and which types they take."""
    fields: Schema = {
        "properties": {name: _standard(name, types) for name, types in STANDARD[entity].items()},
        "additionalProperties": False,
    }
    if entity in TAKES_CUSTOM_FIELDS:
        custom = {"properties": {"type": {"enum": list(CUSTOM_FIELD_TYPES)}}}
        fields["patternProperties"] = {f"{CUSTOM_SUFFIX}$": _both(custom)}
    return fields


def _standard(name: str, types: tuple[str, ...]) -> Schema:
    properties: Schema = {"type": {"enum": list(types)}, "adopts": False}
    required = []
    if name in REFERS_TO:
        properties["to"] = {"const": REFERS_TO[name]}
    if name in ON_CREATION_ONLY:
        properties["create_only"] = {"const": True}
        required.append("create_only")
    return _both({"properties": properties, **({"required": required} if required else {})})


def _both(more: Schema) -> Schema:
    return {"allOf": [{"$ref": _DEFS.format(model="FieldMap")}, more]}


def _where(key: str, values: Any, then: Schema) -> Schema:
    return {"if": {"properties": {key: {"enum": list(values)}}, "required": [key]}, "then": then}


def _unless(key: str, then: Schema) -> Schema:
    return {"if": {"not": {"required": [key]}}, "then": then}


def _without_titles(schema: Any) -> Any:
    """Pydantic's titles repeat the names."""
    if isinstance(schema, list):
        return [_without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_titles(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
    }


if __name__ == "__main__":
    print(text(), end="")
