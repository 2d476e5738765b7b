"""When do two accounts hold the same? Dumps in a form in which ids do not matter.

Ids become stamps (of records), names (of fields, pipelines, stages) and labels (of options); what the vendor's own
clock wrote is left out. A file bears no stamp: what it hangs on, name, size and hash stand for it.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from dispatch_to_pipedrive.migration.stamps import key_of

ENTITIES = ("organizations", "persons", "deals", "activities", "files", "notes")
STAMP_FIELD = "Source_Key__c"
_VENDORS_TIMES = {"update_time", "stage_change_time", "close_time", "marked_as_done_time"}
_VENDORS = {
    "deals": {"add_time"},
    "activities": {"add_time"},
    "files": {"add_time", "file_name", "remote_id"},
}
"""What is the vendor's, too: a time where the account does not take ours, and names in its store."""
_ADDRESS = re.compile(r"/files/(\d+)/download")
_PARENTS = {"deal_id": "deals", "person_id": "persons", "org_id": "organizations"}

Record = dict[str, Any]


def codes(dump: Mapping[str, Any], entity: str) -> dict[str, str]:
    """Name → code of an entity's custom fields."""
    fields = dump["fields"].get(entity, ())
    return {f["name"]: f["code"] for f in fields if f["custom"] and not f["deleted"]}


def stamp(dump: Mapping[str, Any], entity: str, record: Record) -> str | None:
    """The source key that a record bears; of a file what stands for it."""
    if entity == "activities":
        return key_of(entity, record.get("note") or "")
    if entity == "notes":
        return key_of(entity, record["content"])
    if entity == "files":
        return f"{_parent(dump, record)}: {record['name']}, {record['file_size']} bytes, {record['sha256']}"
    custom: Record = record.get("custom_fields") or {}
    return custom.get(codes(dump, entity).get(STAMP_FIELD, ""))


def _parent(dump: Mapping[str, Any], file: Record) -> str:
    """The stamp of what a file hangs on."""
    for name, entity in _PARENTS.items():
        if name in file:
            there = _by_id(dump, entity)[file[name]]
            return str(stamp(dump, entity, there))
    return "nothing"


def _by_id(dump: Mapping[str, Any], entity: str) -> dict[int, Record]:
    if dump is not _last.get("dump"):
        _last.clear()
        _last["dump"] = dump
    if entity not in _last:
        _last[entity] = {record["id"]: record for record in dump["entities"][entity]}
    return _last[entity]  # type: ignore[no-any-return]


_last: dict[str, Any] = {}
"""The records by id of the dump that was looked at last."""


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
        "content": lambda text: _ADDRESS.sub(
            lambda m: f"/files/{names['files'].get(int(m[1]))}/download", text
        ),
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
        "schema": {entity: sorted(map(_field, fields)) for entity, fields in dump["fields"].items()},
        "stages": sorted((pipelines[s["pipeline_id"]], s["order_nr"], s["name"]) for s in dump["stages"]),
        "pipelines": sorted(pipelines.values()),
    }


def living(dump: Mapping[str, Any]) -> dict[str, Any]:
    """The records that are not deleted, in a form in which neither ids nor the way there matter.

    What was emptied is as what was never filled, and who wrote a note last is no part of it. Fields and options are
    left out: an option that nobody has any more stays.
    """
    found = comparable(dump)
    alive = {
        entity: [
            {name: value for name, value in record.items() if value != [] and name != "last_update_user_id"}
            for record in found[entity]
            if not record.get("is_deleted")
        ]
        for entity in ENTITIES
    }
    return {
        **{entity: sorted(records, key=str) for entity, records in alive.items()},
        "stages": found["stages"],
        "pipelines": found["pipelines"],
    }


def differences(
    one: Mapping[str, Any], other: Mapping[str, Any], lasting: Collection[tuple[str, str]] = ()
) -> list[str]:
    """In words, what two accounts that `living` has looked at do not share: record by record, field by field.

    lasting: (entity, field) that may stay in the first where the other has none, because Pipedrive takes no null.
    """
    words = []
    for entity in ENTITIES:
        first, second = (_by_key(account[entity]) for account in (one, other))
        for key in sorted(first.keys() | second.keys()):
            if key not in first or key not in second:
                words.append(f"{entity} {key}: only in the {'other' if key not in first else 'first'}")
                continue
            has, had = first[key], second[key]
            words += [
                f"{entity} {key} {name}: {has.get(name)!r} and {had.get(name)!r}"
                for name in sorted(has.keys() | had.keys())
                if has.get(name) != had.get(name) and not ((entity, name) in lasting and name not in had)
            ]
    return words + [f"{name} differ" for name in ("stages", "pipelines") if one[name] != other[name]]


def _by_key(records: list[Record]) -> dict[str, Record]:
    """By stamp, and a number where several bear the same."""
    found: dict[str, Record] = {}
    for record in records:
        number = 1
        while (key := f"{record['stamp']} ({number})") in found:
            number += 1
        found[key] = record
    return found


def _record(
    dump: Mapping[str, Any], entity: str, record: Record, references: Mapping[str, Callable[[Any], Any]]
) -> Record:
    left_out = {"id", "custom_fields", *_VENDORS_TIMES, *_VENDORS.get(entity, ())}
    fields = {f["code"]: f for f in dump["fields"].get(entity, ())}
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
