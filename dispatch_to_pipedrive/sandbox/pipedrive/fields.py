"""Which fields does an entity have? Built-in and custom fields, their options, and how v1 and v2 show them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import times
from .custom_values import compile_check
from .validate import Check

if TYPE_CHECKING:
    from .account import Account

FIELD_ENTITIES = {
    "dealFields": "deals",
    "personFields": "persons",
    "organizationFields": "organizations",
    "activityFields": "activities",
}
Option = dict[str, Any]
_LABELS = (("Customer", "green"), ("Hot lead", "red"), ("Warm lead", "yellow"), ("Cold lead", "blue"))
_ADDRESS = (
    ("value", "Address value"),
    ("street_number", "House number"),
    ("route", "Street/road name"),
    ("subpremise", "Apartment/suite"),
    ("locality", "District"),
    ("admin_area_level_1", "State/province"),
    ("admin_area_level_2", "County"),
    ("country", "Country"),
    ("postal_code", "Postal code"),
    ("formatted_address", "Formatted address"),
)


@dataclass
class Field:
    """One field; `options` is None where the type has none."""

    id: int
    code: str
    name: str
    type: str
    custom: bool
    options: list[Option] | None
    stamp: str
    order: int
    description: str | None = None
    extras: dict[str, Any] = field(default_factory=dict)
    deleted: bool = False
    option_ids: set[Any] = field(default_factory=set)
    check: Check | None = None

    def __post_init__(self) -> None:
        self.index()
        if self.custom:
            self.check = compile_check(self)

    def index(self) -> None:
        """Take note of changed options."""
        self.option_ids.clear()
        self.option_ids.update(option["id"] for option in self.options or ())

    def state(self) -> dict[str, Any]:
        """The field as JSON-ready data."""
        names = (
            "id",
            "code",
            "name",
            "type",
            "custom",
            "options",
            "stamp",
            "order",
            "description",
            "extras",
            "deleted",
        )
        return {name: getattr(self, name) for name in names}


_Builtin = tuple[str, str, str]
_COMMON: tuple[_Builtin, ...] = (
    ("id", "ID", "int"),
    ("owner_id", "Owner", "user"),
    ("add_time", "Created", "date"),
    ("update_time", "Update time", "date"),
    ("visible_to", "Visible to", "visible_to"),
    ("label_ids", "Labels", "set"),
)
_BUILTIN: dict[str, tuple[_Builtin, ...]] = {
    "organizations": (
        ("name", "Name", "varchar"),
        ("address", "Address", "address"),
        ("website", "Website", "varchar"),
        ("linkedin", "LinkedIn profile", "varchar"),
        ("industry", "Industry", "enum"),
        ("annual_revenue", "Annual revenue", "double"),
        ("employee_count", "Number of employees", "double"),
        *_COMMON,
    ),
    "persons": (
        ("name", "Name", "varchar"),
        ("first_name", "First name", "varchar"),
        ("last_name", "Last name", "varchar"),
        ("org_id", "Organization", "org"),
        ("emails", "Email", "varchar"),
        ("phones", "Phone", "phone"),
        ("picture_id", "Profile picture", "picture"),
        *_COMMON,
    ),
    "deals": (
        ("title", "Title", "varchar"),
        ("value", "Value", "monetary"),
        ("currency", "Currency", "varchar"),
        ("org_id", "Organization", "org"),
        ("person_id", "Contact person", "people"),
        ("pipeline_id", "Pipeline", "double"),
        ("stage_id", "Stage", "stage"),
        ("status", "Status", "status"),
        ("probability", "Probability", "int"),
        ("lost_reason", "Lost reason", "varchar_options"),
        ("expected_close_date", "Expected close date", "date"),
        ("won_time", "Won time", "date"),
        ("lost_time", "Lost time", "date"),
        ("close_time", "Deal closed on", "date"),
        ("stage_change_time", "Last stage change", "date"),
        *_COMMON,
    ),
    "activities": (
        ("subject", "Subject", "varchar"),
        ("type", "Type", "varchar_options"),
        ("due_date", "Due date", "date"),
        ("due_time", "Due time", "time"),
        ("duration", "Duration", "time"),
        ("deal_id", "Deal", "deal"),
        ("org_id", "Organization", "org"),
        ("person_id", "Contact person", "people"),
        ("location", "Location", "address"),
        ("note", "Note", "text"),
        ("priority", "Priority", "enum"),
        ("outcome", "Outcome", "enum"),
        ("done", "Done", "boolean"),
        *_COMMON[:4],
    ),
}
_OPTION_LABELS: dict[tuple[str, str], tuple[str, ...]] = {
    ("activities", "priority"): ("High", "Medium", "Low"),
    ("activities", "outcome"): ("No answer", "Left voicemail", "Connected"),
    ("organizations", "industry"): ("Construction", "Real Estate", "Retail", "Services"),
}


def builtin(account: Account, entity: str) -> dict[str, Field]:
    """The fields an account is born with."""
    made = {}
    for order, (code, name, kind) in enumerate(_BUILTIN[entity], start=1):
        options: list[Option] | None = None
        if code == "label_ids":
            options = [
                {"id": account.new_option_id(), "label": text, "color": color} for text, color in _LABELS
            ]
        elif code == "status":
            options = [
                {"id": status, "label": status.capitalize()} for status in ("open", "won", "lost", "deleted")
            ]
        elif (entity, code) in _OPTION_LABELS:
            labels = _OPTION_LABELS[entity, code]
            options = [{"id": account.new_option_id(), "label": text} for text in labels]
        made[code] = Field(account.new_field_id(), code, name, kind, False, options, account.stamp(), order)
    return made


def new_code(account: Account, entity: str, name: str) -> str:
    """A 40-hex key that nobody can guess and that differs from account to account."""
    text = f"{account.seed}:{entity}:{account.next_field}:{name}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def subfields(one: Field) -> list[dict[str, str]] | None:
    """The parts of a composite field, as v2 lists them."""
    parts: tuple[tuple[str, str, str], ...]
    if one.type == "address":
        parts = tuple((code, name, "varchar") for code, name in _ADDRESS)
    elif one.type == "monetary":
        parts = (("value", "Amount", "double"), ("currency", "Currency", "varchar"))
    elif one.type == "daterange":
        parts = (("value", "Start", "date"), ("until", "End", "date"))
    elif one.type in ("time", "timerange") and one.custom:
        parts = (("value", "Start", "time"), ("timezone_id", "Timezone", "int"))
        if one.type == "timerange":
            parts = (*parts, ("until", "End", "time"))
    else:
        return None
    return [
        {"field_code": code, "field_name": f"{name} of {one.name}", "field_type": kind}
        for code, name, kind in parts
    ]


_EXTRAS: dict[str, dict[str, Callable[[], Any]]] = {
    "deals": {
        "ui_visibility": lambda: {
            "add_visible_flag": False,
            "details_visible_flag": True,
            "projects_detail_visible_flag": False,
            "show_in_pipelines": {"show_in_all": True, "pipeline_ids": []},
        },
        "important_fields": lambda: {"enabled": False, "stage_ids": []},
        "required_fields": lambda: {"enabled": False, "stage_ids": [], "statuses": {}},
    },
    "persons": {
        "ui_visibility": lambda: {
            "add_visible_flag": False,
            "details_visible_flag": True,
            "show_in_add_deal_dialog": {"show": False, "order": None},
        },
        "important_fields": lambda: {"enabled": False, "stage_ids": []},
        "required_fields": lambda: {"enabled": False},
    },
    "organizations": {
        "ui_visibility": lambda: {
            "add_visible_flag": False,
            "details_visible_flag": True,
            "org_detail_visible_flag": False,
            "person_detail_visible_flag": False,
            "deal_detail_visible_flag": False,
            "show_in_add_deal_dialog": {"show": False, "order": None},
            "show_in_add_person_dialog": {"show": False, "order": None},
        },
        "important_fields": lambda: {"enabled": False, "stage_ids": []},
        "required_fields": lambda: {"enabled": False},
    },
    "activities": {"ui_visibility": lambda: {"add_visible_flag": True, "details_visible_flag": True}},
}


def extras_of(entity: str) -> tuple[str, ...]:
    """The settings a field of this entity has, and `include_fields` may name."""
    return tuple(_EXTRAS[entity])


def show(entity: str, one: Field, include: tuple[str, ...] = ()) -> dict[str, Any]:
    """The field as v2 answers it."""
    shown: dict[str, Any] = {"field_name": one.name, "field_code": one.code}
    if one.description is not None and entity == "deals":
        shown["description"] = one.description
    shown |= {
        "field_type": one.type,
        "options": one.options,
        "subfields": subfields(one),
        "is_custom_field": one.custom,
        "is_optional_response_field": False,
        "is_writable": one.custom or one.code not in ("id", "update_time", "stage_change_time", "picture_id"),
    }
    for name in include:
        shown[name] = _EXTRAS[entity][name]() | one.extras.get(name, {})
    return shown


def v1_key(entity: str, one: Field) -> str:
    """The key that v1 gives a field; a deal's labels are one field `label` there."""
    return "label" if entity == "deals" and one.code == "label_ids" else one.code


# v1's schema knows fewer types of built-in fields.
_V1_TYPES = {
    "picture": "varchar",
    "int": "double",
    "stage": "enum",
    "status": "enum",
    "varchar_options": "varchar",
    "deal": "double",
    "boolean": "double",
}


def show_v1(entity: str, one: Field) -> dict[str, Any]:
    """The field as v1 answers it."""
    shown: dict[str, Any] = {
        "id": one.id,
        "key": v1_key(entity, one),
        "name": one.name,
        "order_nr": one.order,
        "field_type": _V1_TYPES.get(one.type, one.type),
        "add_time": times.to_v1(one.stamp),
        "update_time": times.to_v1(one.stamp),
        "last_updated_by_user_id": 1,
        "created_by_user_id": 1,
        "active_flag": not one.deleted,
        "edit_flag": one.custom,
        "index_visible_flag": True,
        "details_visible_flag": True,
        "add_visible_flag": False,
        "important_flag": False,
        "bulk_edit_allowed": True,
        "searchable_flag": one.type in ("varchar", "text", "varchar_auto", "phone", "address"),
        "filtering_allowed": True,
        "sortable_flag": True,
        "mandatory_flag": one.code in ("name", "title"),
    }
    if one.options is not None:
        shown["options"] = one.options
    return shown
