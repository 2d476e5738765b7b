"""How does v2 show a record? From the stored row to the JSON of an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .store import Record
from .validate import ADDRESS_PARTS

if TYPE_CHECKING:
    from .account import Account

_NO_ADDRESS: dict[str, Any] = dict.fromkeys((*ADDRESS_PARTS, "formatted_address"))
_NO_LOCATION: dict[str, Any] = dict.fromkeys(ADDRESS_PARTS)
_PROFILE = ("website", "linkedin", "industry", "annual_revenue", "employee_count")
_SYNC = ("notes", "im", "birthday", "job_title", "postal_address")
_SPARSE = ("won_time", "lost_time", "expected_close_date", "org_id")


def custom_fields(account: Account, entity: str, record: Record) -> dict[str, Any]:
    """Every custom field of the account, unset ones null."""
    values = record.get("custom_fields")
    if not values:
        return account.no_values[entity]
    shown: dict[str, Any] = account.no_values[entity] | values
    addresses = account.address_codes[entity]
    if addresses and not addresses.isdisjoint(values):
        for code in addresses:
            if values.get(code) is not None:
                shown[code] = _NO_ADDRESS | values[code]
    return shown


def organization(account: Account, record: Record) -> Record:
    """An organization as v2 shows it."""
    get = record.get
    address = get("address")
    shown = {
        "id": record["id"],
        "name": get("name"),
        "owner_id": get("owner_id"),
        "add_time": get("add_time"),
        "update_time": record["update_time"],
        "address": None if address is None else _NO_ADDRESS | address,
        "is_deleted": get("is_deleted", False),
        "visible_to": get("visible_to"),
        "label_ids": get("label_ids", []),
    }
    if account.capabilities["organization_profile"]:
        for key in _PROFILE:
            shown[key] = get(key)
    shown["custom_fields"] = custom_fields(account, "organizations", record)
    return shown


def person(account: Account, record: Record) -> Record:
    """A person as v2 shows them."""
    get = record.get
    shown = {
        "id": record["id"],
        "name": get("name"),
        "first_name": get("first_name"),
        "last_name": get("last_name"),
        "owner_id": get("owner_id"),
        "org_id": get("org_id"),
        "add_time": get("add_time"),
        "update_time": record["update_time"],
        "emails": get("emails", []),
        "phones": get("phones", []),
        "is_deleted": get("is_deleted", False),
        "visible_to": get("visible_to"),
        "label_ids": get("label_ids", []),
        "picture_id": None,
        "custom_fields": custom_fields(account, "persons", record),
    }
    if account.capabilities["contact_sync"]:
        shown |= {key: record[key] for key in _SYNC if key in record}
    return shown


def deal(account: Account, record: Record) -> Record:
    """A deal as v2 shows it; local dates are those of UTC."""
    get = record.get
    won, lost, close = get("won_time"), get("lost_time"), get("close_time")
    shown = {
        "id": record["id"],
        "title": get("title"),
        "creator_user_id": get("creator_user_id"),
        "owner_id": get("owner_id"),
        "value": get("value"),
        "person_id": get("person_id"),
        "org_id": get("org_id"),
        "stage_id": get("stage_id"),
        "pipeline_id": get("pipeline_id"),
        "currency": get("currency"),
        "archive_time": get("archive_time"),
        "add_time": get("add_time"),
        "update_time": record["update_time"],
        "stage_change_time": get("stage_change_time"),
        "status": get("status"),
        "is_archived": get("is_archived", False),
        "is_deleted": get("is_deleted", False),
        "probability": get("probability"),
        "lost_reason": get("lost_reason"),
        "visible_to": get("visible_to"),
        "close_time": close,
        "won_time": won,
        "lost_time": lost,
        "local_won_date": won and won[:10],
        "local_lost_date": lost and lost[:10],
        "local_close_date": close and close[:10],
        "expected_close_date": get("expected_close_date"),
        "label_ids": get("label_ids", []),
        "origin": get("origin", "API"),
        "origin_id": None,
        "channel": None,
        "channel_id": get("channel_id"),
        "acv": None,
        "arr": None,
        "mrr": None,
        "custom_fields": custom_fields(account, "deals", record),
    }
    if shown["status"] == "open" and account.habits["sparse_open_deals"]:
        for key in _SPARSE:
            if shown[key] is None:
                del shown[key]
    return shown


def activity(account: Account, record: Record) -> Record:
    """An activity as v2 shows it."""
    get = record.get
    location = get("location")
    participants = get("participants", [])
    primary = next((one["person_id"] for one in participants if one["primary"]), None)
    return {
        "id": record["id"],
        "subject": get("subject"),
        "type": get("type"),
        "owner_id": get("owner_id"),
        "creator_user_id": get("creator_user_id"),
        "is_deleted": get("is_deleted", False),
        "add_time": get("add_time"),
        "update_time": record["update_time"],
        "deal_id": get("deal_id"),
        "lead_id": None,
        "person_id": primary,
        "org_id": get("org_id"),
        "project_id": None,
        "due_date": get("due_date"),
        "due_time": get("due_time"),
        "duration": get("duration"),
        "busy": get("busy", False),
        "done": get("done", False),
        "marked_as_done_time": get("marked_as_done_time"),
        "location": None if location is None else _NO_LOCATION | location,
        "participants": participants,
        "conference_meeting_client": None,
        "conference_meeting_url": None,
        "conference_meeting_id": None,
        "public_description": get("public_description"),
        "priority": get("priority"),
        "outcome": get("outcome"),
        "note": get("note"),
    }


SHOW: dict[str, Callable[[Account, Record], Record]] = {
    "organizations": organization,
    "persons": person,
    "deals": deal,
    "activities": activity,
}
