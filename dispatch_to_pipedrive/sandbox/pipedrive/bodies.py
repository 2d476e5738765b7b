"""Which keys may the body of a v2 record have? One table for each entity, and the reading of a body by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import validate as v
from .errors import Invalid, forbidden, not_allowed, validation
from .store import Record
from .validate import Check

if TYPE_CHECKING:
    from .account import Account

Table = dict[str, Check]

_OWNED: Table = {"owner_id": v.user, "visible_to": v.visibility}
_PROFILE: Table = {
    "website": v.nullable(v.string()),
    "linkedin": v.nullable(v.string()),
    "annual_revenue": v.nullable(v.integer),
    "employee_count": v.nullable(v.integer),
}


def _industry(account: Account, value: Any) -> int | None:
    if value is None:
        return None
    if v.integer(account, value) not in account.fields["organizations"]["industry"].option_ids:
        raise Invalid(f"The option with id {value} does not exist")
    return int(value)


def _participants(account: Account, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise v.wrong_type("array")
    person = v.reference("persons")
    stored = []
    for one in value:
        v.keys(one, ("person_id", "primary"), ("person_id",))
        primary = v.boolean(account, one.get("primary", False))
        stored.append({"person_id": person(account, one["person_id"]), "primary": primary})
    if len({one["person_id"] for one in stored}) < len(stored):
        raise Invalid("Participants should be unique")
    chosen = sum(one["primary"] for one in stored)
    if chosen > 1:
        raise Invalid("Only one participant can be primary")
    if stored and not chosen:
        stored[0]["primary"] = True
    return stored


_ATTENDEE = ("email", "name", "status", "is_organizer", "person_id", "user_id")


def _attendees(_: Account, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise v.wrong_type("array")
    return [v.keys(one, _ATTENDEE) for one in value]


def _activity_type(account: Account, value: Any) -> str:
    if not isinstance(value, str):
        raise v.wrong_type("string")
    if value not in account.type_keys:
        raise Invalid(f"The activity type '{value}' was not found")
    return value


def _activity_option(code: str) -> Check:
    def check(account: Account, value: Any) -> int:
        if v.integer(account, value) not in account.fields["activities"][code].option_ids:
            raise Invalid(f"The option with id {value} does not exist")
        return int(value)

    return check


def _note(_: Account, value: Any) -> str:
    if not isinstance(value, str):
        raise v.wrong_type("string")
    if len(value.encode()) > v.NOTE_BYTES:
        raise Invalid(f"This value is too long. It should have {v.NOTE_BYTES} bytes or less.")
    return value


def _pipeline(account: Account, value: Any) -> int:
    found = account.pipelines.get(v.integer(account, value))
    if found is None or found["is_deleted"]:
        raise Invalid(f"The object with id {value} was not found")
    return int(value)


def _stage(account: Account, value: Any) -> int:
    found = account.stages.get(v.integer(account, value))
    if found is None or found["is_deleted"]:
        raise Invalid(f"The object with id {value} was not found")
    return int(value)


TABLES: dict[str, Table] = {
    "organizations": {
        "name": v.string(empty=False),
        **_OWNED,
        "add_time": v.moment,
        "label_ids": v.labels("organizations"),
        "address": v.nullable(v.address, "null_address"),
        **_PROFILE,
        "industry": _industry,
    },
    "persons": {
        "name": v.string(empty=False),
        "first_name": v.string(),
        "last_name": v.string(),
        **_OWNED,
        "org_id": v.nullable(v.reference("organizations"), "null_links"),
        "add_time": v.moment,
        "emails": v.contacts("emails"),
        "phones": v.contacts("phones"),
        "label_ids": v.labels("persons"),
        "marketing_status": v.choice("no_consent", "unsubscribed", "subscribed", "archived"),
        "postal_address": v.address,
        "notes": v.string(10_000),
        "im": v.contacts("im"),
        "birthday": v.strict_day,
        "job_title": v.string(),
    },
    "deals": {
        "title": v.string(empty=False),
        **_OWNED,
        "add_time": v.moment,
        "person_id": v.nullable(v.reference("persons")),
        "org_id": v.nullable(v.reference("organizations")),
        "pipeline_id": _pipeline,
        "stage_id": _stage,
        "value": v.number,
        "currency": v.currency,
        "is_deleted": v.boolean,
        "is_archived": v.boolean,
        "archive_time": v.nullable(v.spaced_moment),
        "status": v.choice("open", "won", "lost"),
        "probability": v.nullable(v.between(0, 100)),
        "lost_reason": v.nullable(v.string()),
        "close_time": v.nullable(v.moment),
        "won_time": v.moment,
        "lost_time": v.moment,
        "expected_close_date": v.day,
        "label_ids": v.labels("deals"),
        "channel_id": v.nullable(v.string()),
    },
    "activities": {
        "subject": v.string(empty=False),
        "type": _activity_type,
        "owner_id": v.user,
        "deal_id": v.nullable(v.reference("deals"), "null_links"),
        "lead_id": v.nothing("lead"),
        "org_id": v.nullable(v.reference("organizations"), "null_links"),
        "project_id": v.nothing("project"),
        "due_date": v.nullable(v.strict_day, "null_activity_dates"),
        "due_time": v.nullable(v.time_of_day, "null_activity_dates"),
        "duration": v.nullable(v.duration, "null_activity_dates"),
        "busy": v.boolean,
        "done": v.boolean,
        "location": v.nullable(v.address, "null_address"),
        "participants": _participants,
        "attendees": _attendees,
        "public_description": v.string(v.TEXT),
        "priority": _activity_option("priority"),
        "outcome": v.nullable(_activity_option("outcome")),
        "note": _note,
    },
}

_CREATE_ONLY = {
    "organizations": {"add_time"},
    "persons": {"add_time"},
    "deals": {"add_time"},
    "activities": set(),
}
_CONTACT_SYNC = frozenset({"postal_address", "notes", "im", "birthday", "job_title"})
REQUIRED = {"organizations": ("name",), "persons": (), "deals": ("title",), "activities": ()}


def _allowed(account: Account, entity: str, key: str, *, creating: bool) -> bool:
    if key not in TABLES[entity]:
        return False
    if key in _CREATE_ONLY[entity] and not creating:
        return False
    if entity == "deals" and key == "add_time":
        return account.capabilities["deal_add_time"]
    if key in _PROFILE or key == "industry":
        return account.capabilities["organization_profile"]
    return True


def _permitted(account: Account, entity: str, body: dict[str, Any]) -> None:
    if entity != "persons":
        return
    if not account.capabilities["contact_sync"] and not _CONTACT_SYNC.isdisjoint(body):
        raise forbidden()
    if "marketing_status" in body and not account.capabilities["campaigns"]:
        raise forbidden()


def _custom(account: Account, entity: str, values: Any, problems: list[str]) -> Record:
    if not isinstance(values, dict):
        problems.append("custom_fields: The value is not a valid 'object'")
        return {}
    known = account.custom[entity]
    stored = {}
    for code, value in values.items():
        one = known.get(code)
        if one is None or one.check is None:
            problems.append(f"custom_fields: Unknown key '{code}'")
            continue
        try:
            stored[code] = one.check(account, value)
        except Invalid as invalid:
            problems.append(f"custom_fields: {code}: {invalid.words}")
    return stored


def read(account: Account, entity: str, body: Any, *, creating: bool) -> Record:
    """The values of a body, checked one by one; raises Refused with every problem in it."""
    if not isinstance(body, dict):
        raise validation(["The value is not a valid 'object'"])
    table = TABLES[entity]
    problems: list[str] = []
    read_: Record = {}
    for key, value in body.items():
        if key == "custom_fields" and entity != "activities":
            read_[key] = _custom(account, entity, value, problems)
        elif not _allowed(account, entity, key, creating=creating):
            problems.append(not_allowed(key))
        else:
            try:
                read_[key] = table[key](account, value)
            except Invalid as invalid:
                problems.append(f"{key}: {invalid.words}")
    if creating:
        problems += [f"{key}: This value is required." for key in REQUIRED[entity] if key not in body]
    if problems:
        raise validation(problems)
    _permitted(account, entity, body)
    return read_
