"""When do two accounts hold the same? Dumps in a form in which ids do not matter.

Ids become stamps (of records), names (of fields, pipelines, stages) and labels (of options); what the vendor's own
clock wrote is left out.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

ENTITIES = ("organizations", "persons", "deals", "activities")
STAMP_FIELD = "Source_Key__c"
_PROVENANCE = re.compile(r"\[Dispatch Pro appointment (\d+)\]")
_VENDORS_TIMES = {"update_time", "stage_change_time", "close_time", "marked_as_done_time"}
_DEPENDS_ON_SWITCH = {"deals": {"add_time"}, "activities": {"add_time"}}
"""The vendor's time, too, where the account does not take ours."""

Record = dict[str, Any]


def codes(dump: Mapping[str, Any], entity: str) -> dict[str, str]:
    """Name → code of an entity's custom fields."""
    return {f["name"]: f["code"] for f in dump["fields"][entity] if f["custom"] and not f["deleted"]}


def stamp(dump: Mapping[str, Any], entity: str, record: Record) -> str | None:
    """The source key that a record bears."""
    if entity == "activities":
        found = _PROVENANCE.findall(record.get("note") or "")
        return f"appointment:{found[-1]}/activity" if found else None
    custom: Record = record.get("custom_fields") or {}
    return custom.get(codes(dump, entity).get(STAMP_FIELD, ""))


def stamps(dump: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """(entity, stamp) of every record that is not deleted."""
    return sorted(
        ((e, stamp(dump, e, r)) for e in ENTITIES for r in dump["entities"][e] if not r.get("is_deleted")),
        key=str,
    )


def by_stamp(dump: Mapping[str, Any], entity: str) -> dict[str, Record]:
    """Stamp → record as it is stored."""
    return {str(stamp(dump, entity, r)): r for r in dump["entities"][entity] if not r.get("is_deleted")}


def comparable(dump: Mapping[str, Any]) -> dict[str, Any]:
    """The account without ids and without the vendor's own times."""
    names = {e: {r["id"]: stamp(dump, e, r) for r in dump["entities"][e]} for e in ENTITIES}
    stages = {s["id"]: s["name"] for s in dump["stages"]}
    pipelines = {p["id"]: p["name"] for p in dump["pipelines"]}
    references: dict[str, Callable[[Any], Any]] = {
        "org_id": names["organizations"].get,
        "person_id": names["persons"].get,
        "deal_id": names["deals"].get,
        "stage_id": stages.get,
        "pipeline_id": pipelines.get,
        "participants": lambda some: [(names["persons"].get(p["person_id"]), p["primary"]) for p in some],
    }
    records = {
        entity: sorted(
            (_record(dump, entity, record, references) for record in dump["entities"][entity]), key=str
        )
        for entity in ENTITIES
    }
    return {
        **records,
        "schema": {entity: sorted(_field(f) for f in dump["fields"][entity]) for entity in ENTITIES},
        "stages": sorted((pipelines[s["pipeline_id"]], s["order_nr"], s["name"]) for s in dump["stages"]),
        "pipelines": sorted(pipelines.values()),
    }


def _record(
    dump: Mapping[str, Any], entity: str, record: Record, references: Mapping[str, Callable[[Any], Any]]
) -> Record:
    left_out = {"id", "custom_fields", *_VENDORS_TIMES, *_DEPENDS_ON_SWITCH.get(entity, ())}
    fields = {f["code"]: f for f in dump["fields"][entity]}
    plain = {k: v for k, v in record.items() if k not in left_out and v is not None}
    values = {**plain, **(record.get("custom_fields") or {})}
    found = {}
    for code, value in values.items():
        known = fields.get(code, {"name": code, "options": None})
        name = known["name"] if code not in record else code
        if code in references:
            found[name] = references[code](value)
        elif known["options"] and code not in ("status",):
            found[name] = _labels(known["options"], value)
        else:
            found[name] = value
    return {"stamp": stamp(dump, entity, record), **dict(sorted(found.items()))}


def _labels(options: list[Record], value: Any) -> Any:
    labels = {o["id"]: o["label"] for o in options}
    return sorted(labels.get(v, v) for v in value) if isinstance(value, list) else labels.get(value, value)


def _field(field: Record) -> tuple[str, str, bool, tuple[str, ...]]:
    options = tuple(sorted(str(o["label"]) for o in field["options"] or ()))
    return field["name"], field["type"], bool(field["deleted"]), options
