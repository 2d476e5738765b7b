"""Is this value acceptable? One small function for each kind of value, none of them lenient.

A check takes the account and the JSON value and gives back what is stored; it raises Invalid with the vendor's words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

from . import times
from .errors import Invalid
from .plans import LABELS_PER_RECORD

if TYPE_CHECKING:
    from .account import Account
    from .fields import Field

Check = Callable[["Account", Any], Any]

ADDRESS_PARTS = (
    "value",
    "country",
    "admin_area_level_1",
    "admin_area_level_2",
    "locality",
    "sublocality",
    "route",
    "street_number",
    "subpremise",
    "postal_code",
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+\Z")
VARCHAR = 255
TEXT = 65_535
NOTE_BYTES = 100 * 1024


def wrong_type(name: str) -> Invalid:
    """The words for a value of another JSON type."""
    return Invalid(f"The value is not a valid '{name}'")


def string(limit: int = VARCHAR, *, empty: bool = True) -> Check:
    """A JSON string of at most `limit` characters."""

    def check(_: Account, value: Any) -> str:
        if not isinstance(value, str):
            raise wrong_type("string")
        if not empty and not value.strip():
            raise Invalid("This value should not be blank.")
        if len(value) > limit:
            raise Invalid(f"This value is too long. It should have {limit} characters or less.")
        return value

    return check


def integer(_: Account, value: Any) -> int:
    """A JSON integer, never a string and never a boolean."""
    if type(value) is not int:
        raise wrong_type("integer")
    return value


def number(_: Account, value: Any) -> int | float:
    """A JSON number."""
    if type(value) is not int and type(value) is not float:
        raise wrong_type("number")
    return value


def between(low: float, high: float) -> Check:
    """A number in a range."""

    def check(account: Account, value: Any) -> int | float:
        if not low <= number(account, value) <= high:
            raise Invalid(f"This value should be between {low} and {high}.")
        return value  # type: ignore[no-any-return]

    return check


def boolean(_: Account, value: Any) -> bool:
    """A real boolean: 0 and 1 are none."""
    if type(value) is not bool:
        raise wrong_type("boolean")
    return value


def nullable(check: Check, capability: str | None = None) -> Check:
    """Null, or what `check` takes; with a capability named, null only when that is switched on."""

    def checked(account: Account, value: Any) -> Any:
        if value is None and (capability is None or account.capabilities[capability]):
            return None
        return check(account, value)

    return checked


def choice(*allowed: str) -> Check:
    """One of a few strings."""

    def check(_: Account, value: Any) -> str:
        if not isinstance(value, str):
            raise wrong_type("string")
        if value not in allowed:
            raise Invalid(f"The value should be one of: {', '.join(allowed)}")
        return value

    return check


def reference(entity: str) -> Check:
    """The id of a record of this account."""

    def check(account: Account, value: Any) -> int:
        if type(value) is not int:
            raise wrong_type("integer")
        store = account.stores[entity]
        if not (store.has(value) if account.capabilities["linked_deleted"] else store.alive(value)):
            raise Invalid(f"The object with id {value} was not found")
        return value

    return check


def user(account: Account, value: Any) -> int:
    """The id of a user of this company, active unless switched otherwise."""
    if type(value) is not int:
        raise wrong_type("integer")
    found = account.users.get(value)
    if found is None or not (found["active_flag"] or account.capabilities["inactive_owner"]):
        raise Invalid(f"The user with id {value} was not found")
    return value


def nothing(what: str) -> Check:
    """The id of something this account has none of (leads, projects)."""

    def check(_: Account, value: Any) -> Any:
        raise Invalid(f"The {what} with id {value} was not found")

    return check


def visibility(account: Account, value: Any) -> int:
    """visible_to: 1 or 3, and 5 or 7 on plans with visibility groups."""
    allowed = frozenset({1, 3, 5, 7}) if account.capabilities["any_visibility"] else account.plan.visibilities
    if type(value) is not int:
        raise wrong_type("integer")
    if value not in allowed:
        raise Invalid(f"The value should be one of: {', '.join(map(str, sorted(allowed)))}")
    return value


def labels(entity: str) -> Check:
    """label_ids: option ids of the entity's label field."""

    def check(account: Account, value: Any) -> list[int]:
        if not isinstance(value, list):
            raise wrong_type("array")
        if len(value) > LABELS_PER_RECORD:
            raise Invalid(f"This collection should contain {LABELS_PER_RECORD} elements or less.")
        return _options(account.fields[entity]["label_ids"], value)

    return check


def _options(field: Field, ids: list[Any]) -> list[int]:
    for id_ in ids:
        if type(id_) is not int:
            raise wrong_type("integer")
        if id_ not in field.option_ids:
            raise Invalid(f"The option with id {id_} does not exist")
    return list(dict.fromkeys(ids))


def moment(account: Account, value: Any) -> str:
    """A time in RFC 3339, whole seconds; stored in UTC with Z."""
    if not isinstance(value, str):
        raise wrong_type("string")
    read = times.read_moment(value, spaced=account.capabilities["space_times"])
    if read is None:
        raise Invalid("This value is not a valid datetime.")
    return read


def spaced_moment(_: Account, value: Any) -> str:
    """A time as YYYY-MM-DD HH:MM:SS in UTC (deals' archive_time)."""
    read = times.read_spaced(value) if isinstance(value, str) else None
    if read is None:
        raise Invalid("This value is not a valid datetime.")
    return read


def day(_: Account, value: Any) -> str:
    """A date; the empty string is stored as 0000-00-00, as seen on a live account."""
    if not isinstance(value, str):
        raise wrong_type("string")
    if value == "":
        return "0000-00-00"
    if not times.is_date(value):
        raise Invalid("This value is not a valid date.")
    return value


def strict_day(account: Account, value: Any) -> str:
    """A date, nothing else."""
    if value == "":
        raise Invalid("This value is not a valid date.")
    return str(day(account, value))


def time_of_day(account: Account, value: Any) -> str:
    """HH:MM or HH:MM:SS; with the habit it is stored with seconds."""
    read = (
        times.read_time(value, seconds=account.habits["reformat_times"]) if isinstance(value, str) else None
    )
    if read is None:
        raise Invalid("This value is not a valid datetime.")
    return read


def duration(account: Account, value: Any) -> str:
    """HH:MM or HH:MM:SS of a duration."""
    read = None
    if isinstance(value, str):
        long = account.capabilities["long_duration"]
        read = times.read_span(value, seconds=account.habits["reformat_times"], long=long)
    if read is None:
        raise Invalid("This value is not a valid datetime.")
    return read


def keys(value: Any, known: tuple[str, ...], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """An object with known keys only and every required one."""
    if not isinstance(value, dict):
        raise wrong_type("object")
    for key in value:
        if key not in known:
            raise Invalid(f"Unknown key '{key}'")
    for key in required:
        if value.get(key) is None:
            raise Invalid(f"{key}: This value is required.")
    return value


def address(account: Account, value: Any) -> dict[str, str] | None:
    """An address object; parts that are left out are null from then on, an empty `value` means none."""
    extra = ("formatted_address",) if account.capabilities["formatted_address"] else ()
    known = (*ADDRESS_PARTS, *extra)
    keys(value, known)
    if not isinstance(value.get("value"), str):
        raise Invalid("value: The value is not a valid 'string'")
    stored = {}
    for part, text in value.items():
        if text is None:
            continue
        if not isinstance(text, str):
            raise Invalid(f"{part}: The value is not a valid 'string'")
        if len(text) > VARCHAR:
            raise Invalid(f"{part}: This value is too long. It should have {VARCHAR} characters or less.")
        if text:
            stored[part] = text
    return stored if "value" in stored else None


def contacts(kind: str) -> Check:
    """`emails` or `phones`: items with a value, at most one primary; without one the first is it."""

    def item(account: Account, one: Any) -> dict[str, Any]:
        keys(one, ("value", "primary", "label"))
        value = one.get("value")
        if not isinstance(value, str):
            raise Invalid("value: The value is not a valid 'string'")
        if not value.strip() or len(value) > VARCHAR:
            raise Invalid(f"value: This value should have between 1 and {VARCHAR} characters.")
        if kind == "emails" and not account.capabilities["any_email"] and not _EMAIL.match(value):
            raise Invalid("value: This value is not a valid email address.")
        if type(one.get("primary", False)) is not bool:
            raise Invalid("primary: The value is not a valid 'boolean'")
        default = "work" if account.habits["label_work"] else ""
        label = one.get("label", default)
        if not isinstance(label, str) or len(label) > VARCHAR:
            raise Invalid("label: The value is not a valid 'string'")
        return {"value": value, "primary": one.get("primary", False), "label": label}

    def check(account: Account, value: Any) -> list[dict[str, Any]]:
        if not isinstance(value, list):
            raise wrong_type("array")
        stored = [item(account, one) for one in value]
        chosen = sum(one["primary"] for one in stored)
        if chosen > 1:
            raise Invalid("Only one item can be primary")
        if stored and not chosen:
            stored[0]["primary"] = True
        return stored

    return check


def currency(account: Account, value: Any) -> str:
    """The code of a currency that the company has."""
    if not isinstance(value, str):
        raise wrong_type("string")
    if value not in account.currency_codes:
        raise Invalid(f"The currency '{value}' was not found")
    return value


@lru_cache(maxsize=1)
def zones() -> dict[str, int]:
    """Time zone names and the ids this account gives them."""
    return {name: at for at, name in enumerate(sorted(available_timezones()), start=1)}


def zone(account: Account, value: Any) -> str:
    """A time zone's name; without one, the user's."""
    if value is None:
        return str(account.me["timezone_name"])
    if not isinstance(value, str) or value not in zones():
        raise Invalid("timezone_name: The value is not a valid timezone")
    return ZoneInfo(value).key
