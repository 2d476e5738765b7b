"""What does a custom field of each type take? The compiled checks of custom_fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import times, validate
from .errors import Invalid
from .validate import Check

if TYPE_CHECKING:
    from .account import Account
    from .fields import Field


def text(limit: int) -> Check:
    """A text field; with the habit the empty text is no value."""
    plain = validate.string(limit)

    def check(account: Account, value: Any) -> str | None:
        stored = plain(account, value)
        return None if stored == "" and account.habits["empty_text_is_null"] else stored

    return check


def monetary(account: Account, value: Any) -> dict[str, Any]:
    """An amount with its currency."""
    validate.keys(value, ("value", "currency"), ("value", "currency"))
    return {
        "value": validate.number(account, value["value"]),
        "currency": validate.currency(account, value["currency"]),
    }


def date_range(account: Account, value: Any) -> dict[str, str]:
    """Two dates."""
    validate.keys(value, ("value", "until"), ("value", "until"))
    return {key: validate.strict_day(account, value[key]) for key in ("value", "until")}


def time(account: Account, value: Any) -> dict[str, Any]:
    """A time of day with its zone."""
    validate.keys(value, ("value", "timezone_name", "timezone_id"), ("value",))
    return _clock_times(account, value, "value")


def time_range(account: Account, value: Any) -> dict[str, Any]:
    """Two times of day with their zone."""
    validate.keys(value, ("value", "until", "timezone_name", "timezone_id"), ("value", "until"))
    return _clock_times(account, value, "value", "until")


def _clock_times(account: Account, value: dict[str, Any], *names: str) -> dict[str, Any]:
    stored: dict[str, Any] = {}
    for name in names:
        read = times.read_time(value[name]) if isinstance(value[name], str) else None
        if read is None:
            raise Invalid(f"{name}: This value is not a valid time.")
        stored[name] = read
    zone = validate.zone(account, value.get("timezone_name"))
    return stored | {"timezone_id": validate.zones().get(zone), "timezone_name": zone}


def one_option(field: Field) -> Check:
    """The id of one option."""

    def check(_: Account, value: Any) -> int:
        if type(value) is not int:
            raise validate.wrong_type("integer")
        if value not in field.option_ids:
            raise Invalid(f"The option with id {value} does not exist")
        return value

    return check


def several_options(field: Field) -> Check:
    """Ids of options; the empty list is refused, null clears."""
    single = one_option(field)

    def check(account: Account, value: Any) -> list[int]:
        if not isinstance(value, list):
            raise validate.wrong_type("array")
        if not value:
            raise Invalid("This collection should contain 1 element or more.")
        return list(dict.fromkeys(single(account, one) for one in value))

    return check


def compile_check(field: Field) -> Check:
    """The check of one custom field; null clears whatever the type."""
    kind = field.type
    made: Check
    if kind in ("varchar", "varchar_auto", "phone"):
        made = text(validate.VARCHAR)
    elif kind == "enum":
        made = one_option(field)
    elif kind == "set":
        made = several_options(field)
    else:
        made = _BY_TYPE[kind]
    return validate.nullable(made)


_BY_TYPE: dict[str, Check] = {
    "text": text(validate.TEXT),
    "double": validate.number,
    "monetary": monetary,
    "date": validate.day,
    "daterange": date_range,
    "time": time,
    "timerange": time_range,
    "address": validate.address,
    "user": validate.user,
    "org": validate.reference("organizations"),
    "people": validate.reference("persons"),
}
CREATABLE = tuple(sorted({*_BY_TYPE, "varchar", "varchar_auto", "phone", "enum", "set"}))
