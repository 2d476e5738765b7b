"""When two values of a Pipedrive field mean the same, although the vendor writes them differently.

Both sides of a comparison, what we sent and what the account shows, are brought to a canonical form by their
field type. Normalisations that the vendor documents fall away (seconds of a time, the default label of an
e-mail, order of options, absent against null, sanitised HTML); anything else stays a difference. Two types
need more than equality, because the vendor adds to what was sent: address parts are filled in late, and a
time gets its zone. `agree` knows them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, NamedTuple

from dispatch_to_pipedrive.pipedrive.html import canonical_html
from dispatch_to_pipedrive.pipedrive.recorded import AccountSchema

ADDRESS_PARTS = (
    "value",
    "street_number",
    "route",
    "subpremise",
    "sublocality",
    "locality",
    "admin_area_level_1",
    "admin_area_level_2",
    "country",
    "postal_code",
)
"""Parts that a write may set; `formatted_address` is the vendor's own."""

NATIVE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "organizations": {
            "name": "varchar",
            "owner_id": "user",
            "add_time": "datetime",
            "visible_to": "int",
            "label_ids": "set",
            "address": "address",
            "website": "varchar",
            "linkedin": "varchar",
            "industry": "enum",
            "annual_revenue": "double",
            "employee_count": "int",
        },
        "persons": {
            "name": "person_name",
            "first_name": "person_name",
            "last_name": "person_name",
            "owner_id": "user",
            "org_id": "org",
            "add_time": "datetime",
            "emails": "emails",
            "phones": "phones",
            "visible_to": "int",
            "label_ids": "set",
            "marketing_status": "varchar",
            "postal_address": "address",
            "notes": "text",
            "birthday": "date",
            "job_title": "varchar",
        },
        "deals": {
            "title": "varchar",
            "owner_id": "user",
            "person_id": "people",
            "org_id": "org",
            "pipeline_id": "int",
            "stage_id": "int",
            "value": "double",
            "currency": "varchar",
            "add_time": "datetime",
            "status": "varchar",
            "probability": "double",
            "lost_reason": "varchar",
            "close_time": "datetime",
            "won_time": "datetime",
            "lost_time": "datetime",
            "expected_close_date": "date",
            "visible_to": "int",
            "label_ids": "set",
            "is_archived": "boolean",
            "archive_time": "datetime",
        },
        "activities": {
            "subject": "varchar",
            "type": "varchar",
            "owner_id": "user",
            "deal_id": "int",
            "org_id": "org",
            "person_id": "people",
            "due_date": "date",
            "due_time": "clock",
            "duration": "clock",
            "busy": "boolean",
            "done": "boolean",
            "location": "address",
            "participants": "participants",
            "public_description": "html",
            "priority": "enum",
            "outcome": "enum",
            "note": "html",
        },
        "files": {"name": "varchar", "deal_id": "int", "person_id": "people", "org_id": "org", "size": "int"},
        "notes": {
            "content": "html",
            "deal_id": "int",
            "person_id": "people",
            "org_id": "org",
            "add_time": "datetime",
            "user_id": "user",
            "pinned_to_deal_flag": "boolean",
            "pinned_to_person_flag": "boolean",
            "pinned_to_organization_flag": "boolean",
        },
    }
)
"""Entity → native field that a write can set → its form."""


class Parts(NamedTuple):
    """A composite to which the vendor may add parts that were not sent."""

    pairs: tuple[tuple[str, Hashable], ...]


class Difference(NamedTuple):
    """One field whose values do not mean the same, both in canonical form."""

    field: str
    expected: Hashable
    found: Hashable


def canonical(entity: str, field: str, field_type: str | None, value: Any) -> Hashable:
    """The canonical form of one value; `field_type` is Pipedrive's, None for a native field.

    None stands for every way of holding nothing. A value of a form that the type does not know stays as it is
    (made hashable), so that it differs from all others.
    """
    if value is None:
        return None
    kind = field_type or NATIVE.get(entity, {}).get(field, "")
    return _FORMS.get(kind, _plain)(value)


def canonical_record(entity: str, record: Mapping[str, Any], schema: AccountSchema) -> dict[str, Hashable]:
    """Logical field name → canonical value, for a wire body or an answer of the server.

    Native fields are those that a write can set, custom ones those that the ledger recorded as ours.
    """
    known = NATIVE[entity]
    values = {
        name: canonical(entity, name, known[name], value) for name, value in record.items() if name in known
    }
    customs = schema.customs(entity)
    for code, value in (record.get("custom_fields") or {}).items():
        if code in customs:
            name, field_type = customs[code]
            values[name] = canonical(entity, name, field_type, value)
    return values


def agree(expected: Hashable, found: Hashable) -> bool:
    """Whether the account holds what was meant: equal, or equal in all parts that were meant."""
    if expected == found:
        return True
    if isinstance(expected, Parts) and isinstance(found, Parts):
        held = dict(found.pairs)
        return all(name in held and held[name] == value for name, value in expected.pairs)
    return False


def differences(
    expected: Mapping[str, Hashable],
    found: Mapping[str, Hashable],
    filled: Mapping[str, Hashable] | None = None,
) -> tuple[Difference, ...]:
    """The fields of `expected` that `found` does not hold; fields that only `found` has do not count.

    filled: what the vendor fills in by itself where nothing was sent, such as the organization of a deal's
    person.
    """
    by_itself = filled or {}
    return tuple(
        Difference(field, value, found.get(field))
        for field, value in expected.items()
        if not agree(value, found.get(field))
        and not (value is None and field in by_itself and found.get(field) == by_itself[field])
    )


def _plain(value: Any) -> Hashable:
    if isinstance(value, Mapping):
        return tuple(sorted((str(key), _plain(item)) for key, item in value.items()))
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    if isinstance(value, bool):
        return ("boolean", value)  # so that True is not 1
    return value if isinstance(value, Hashable) else repr(value)


def _text(value: Any) -> Hashable:
    if isinstance(value, str):
        return value or None
    return _plain(value)


def _person_name(value: Any) -> Hashable:
    # Pipedrive splits a name at its spaces and joins it again with single ones.
    return " ".join(value.split()) or None if isinstance(value, str) else _plain(value)


def _html(value: Any) -> Hashable:
    return canonical_html(value) or None if isinstance(value, str) else _plain(value)


def _number(value: Any) -> Hashable:
    if isinstance(value, bool):
        return _plain(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and not value:
        return None
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        return _plain(value)
    if not number.is_finite():
        return str(value)
    text = format(number.normalize(), "f")
    return "0" if text == "-0" else text


def _reference(value: Any) -> Hashable:
    """An id: bare, as digits, or in an object with a label or a name."""
    if isinstance(value, Mapping):
        value = value.get("id", value.get("value"))
    if isinstance(value, bool):
        return _plain(value)
    if isinstance(value, int) or value is None:
        return value
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() else value or None
    return _plain(value)


def _set(value: Any) -> Hashable:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list | tuple):
        return _plain(value)
    chosen = {_reference(item) for item in value}
    return tuple(sorted(chosen, key=lambda item: (type(item).__name__, item))) or None


def _boolean(value: Any) -> Hashable:
    if isinstance(value, int) and value in (0, 1):
        return ("boolean", bool(value))
    return _plain(value)


def _date(value: Any) -> Hashable:
    return None if value in ("", "0000-00-00") else _plain(value)


_CLOCK = re.compile(r"(\d{1,3}):(\d{2})(?::(\d{2})(?:\.0+)?)?")


def _clock(value: Any) -> Hashable:
    """HH:MM, with seconds or without."""
    if not isinstance(value, str):
        return _plain(value)
    match = _CLOCK.fullmatch(value)
    if match is None:
        return value or None
    hours, minutes, seconds = match.groups()
    return f"{int(hours):02d}:{minutes}:{seconds or '00'}"


def _datetime(value: Any) -> Hashable:
    """RFC 3339 or the space form, which is UTC; whole seconds, as the vendor keeps them."""
    if not isinstance(value, str):
        return _plain(value)
    if not value or value.startswith("0000-00-00"):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    if len(value) < 16:
        return value
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _address(value: Any) -> Hashable:
    if isinstance(value, str):
        value = {"value": value}
    if not isinstance(value, Mapping):
        return _plain(value)
    pairs = tuple((part, value[part]) for part in ADDRESS_PARTS if value.get(part) not in (None, ""))
    return Parts(pairs) if pairs else None


def _time(value: Any) -> Hashable:
    if isinstance(value, str):
        value = {"value": value}
    if not isinstance(value, Mapping):
        return _plain(value)
    pairs = [
        *((part, _clock(value[part])) for part in ("value", "until") if value.get(part)),
        *(("timezone_name", value["timezone_name"]) for _ in (0,) if value.get("timezone_name")),
    ]
    return Parts(tuple(pairs)) if pairs else None


def _monetary(value: Any) -> Hashable:
    if not isinstance(value, Mapping):
        return _plain(value)
    amount = value.get("value")
    if amount is None or amount == "":
        return None
    return (("value", _number(amount)), ("currency", value.get("currency")))


def _date_range(value: Any) -> Hashable:
    if not isinstance(value, Mapping):
        return _plain(value)
    pairs = tuple((part, _date(value.get(part))) for part in ("value", "until"))
    return pairs if any(day is not None for _, day in pairs) else None


def _items(value: Any) -> Hashable:
    """E-mails or phones: the label defaults to 'work', the first is primary where none is."""
    if not isinstance(value, list | tuple):
        return _plain(value)
    items = [item if isinstance(item, Mapping) else {"value": item} for item in value]
    items = [item for item in items if item.get("value")]
    return _primary_first(
        [((item["value"], item.get("label") or "work"), item.get("primary")) for item in items]
    )


def _participants(value: Any) -> Hashable:
    if not isinstance(value, list | tuple):
        return _plain(value)
    items = [item if isinstance(item, Mapping) else {"person_id": item} for item in value]
    return _primary_first([((item.get("person_id"),), item.get("primary")) for item in items])


def _primary_first(items: Sequence[tuple[tuple[Any, ...], Any]]) -> Hashable:
    """The primary item, then the others in an order of their own: theirs carries no meaning."""
    if not items:
        return None
    first = next((number for number, (_, primary) in enumerate(items) if primary), 0)
    others = sorted((item for number, (item, _) in enumerate(items) if number != first), key=repr)
    return (items[first][0], *others)


_FORMS: Mapping[str, Callable[[Any], Hashable]] = MappingProxyType(
    {
        "varchar": _text,
        "varchar_auto": _text,
        "text": _text,
        "phone": _text,
        "person_name": _person_name,
        "html": _html,
        "double": _number,
        "int": _reference,
        "monetary": _monetary,
        "enum": _reference,
        "set": _set,
        "user": _reference,
        "org": _reference,
        "people": _reference,
        "boolean": _boolean,
        "date": _date,
        "daterange": _date_range,
        "clock": _clock,
        "time": _time,
        "timerange": _time,
        "datetime": _datetime,
        "address": _address,
        "emails": _items,
        "phones": _items,
        "participants": _participants,
    }
)
