"""What do maps decide? Their meaning as plain values: two maps of one meaning make the same payloads and schema.

Comments, descriptions, the order of keys and defaults that are written out do not belong to it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from dispatch_to_pipedrive.mapping.model import EntityMap, FieldMap, Maps
from dispatch_to_pipedrive.mapping.transforms import TRANSFORMS

Meaning = dict[str, Any]
"""Entity → `pipeline` (None, or its name and stages) and `fields` (logical name → all that decides its values)."""


def meaning(maps: Maps) -> Meaning:
    """The meaning of all maps, made of what JSON holds."""
    return {entity: _entity(entity_map) for entity, entity_map in maps.items()}


def digest(found: Mapping[str, Any]) -> str:
    """SHA-256 of a meaning, whatever the order of its keys."""
    text = json.dumps(found, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def changed_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between two meanings, sorted: `deals.Job_Type__c`; `deals.pipeline` for pipeline and stages."""
    before, after = _parts(old), _parts(new)
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def newly_overwritten(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The fields in which the source wins over people by the new meaning, and did not by the old one."""
    before, after = _parts(old), _parts(new)
    return sorted(
        name
        for name, field in after.items()
        if not field.get("people_win", True) and before.get(name, {}).get("people_win", True)
    )


def _entity(entity_map: EntityMap) -> dict[str, Any]:
    pipeline = entity_map.pipeline
    return {
        "pipeline": None if pipeline is None else {"name": pipeline.name, "stages": list(pipeline.stages)},
        "fields": {name: _field(field) for name, field in entity_map.fields.items()},
    }


def _field(field: FieldMap) -> dict[str, Any]:
    decides = field.model_dump(mode="json", by_alias=True, exclude={"description", "args", "conflict"})
    # The name under which it stood when only people could win: what was confirmed then is confirmed still.
    decides["people_win"] = not field.source_wins
    args = TRANSFORMS[field.transform].parse(field.args).model_dump(mode="json")
    return {**decides, "from": list(field.sources), "args": args}


def _parts(found: Mapping[str, Any]) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    for entity, content in found.items():
        if content["pipeline"] is not None:
            parts[f"{entity}.pipeline"] = content["pipeline"]
        parts.update({f"{entity}.{name}": field for name, field in content["fields"].items()})
    return parts
