"""What does v1 still answer? Users, activity types, currencies, and fields with their label options."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from . import fields, plans
from . import validate as v
from .call import Call, Handler, ok
from .errors import Refused, forbidden, not_found, plain
from .fields import Field
from .schema import forget_options

if TYPE_CHECKING:
    from .account import Account

ICONS = frozenset(
    {
        *("task", "email", "meeting", "deadline", "call", "lunch", "calendar", "downarrow", "document"),
        *("smartphone", "camera", "scissors", "cogs", "bubble", "uparrow", "checkbox", "signpost", "shuffle"),
        *("addressbook", "linegraph", "picture", "car", "world", "search", "clip", "sound", "brush", "key"),
        *("padlock", "pricetag", "suitcase", "finish", "plane", "loop", "wifi", "truck", "cart", "bulb"),
        *("bell", "presentation"),
    }
)
_COLOR = re.compile(r"[0-9A-Fa-f]{6}\Z")


def users(call: Call) -> dict[str, Any]:
    """GET /users: everybody, no pages."""
    return ok([one | {"is_you": one["id"] == call.user} for one in call.account.users.values()])


def user(call: Call) -> dict[str, Any]:
    """GET /users/{id}."""
    found = call.account.users.get(call.id)
    if found is None:
        raise Refused(404, {"success": False, "error": "User not found or not accessible."})
    return ok(found | {"is_you": found["id"] == call.user})


def me(call: Call) -> dict[str, Any]:
    """GET /users/me: the token's user with the company."""
    account = call.account
    company = {
        "company_id": account.company_id,
        "company_name": "Sandbox Field Services",
        "company_domain": account.company_domain,
        "company_country": "US",
        "company_industry": "Construction",
        "language": {"language_code": "en", "country_code": "US"},
    }
    mine = account.users[call.user] | {"is_you": True}
    if not account.capabilities["admin"]:
        mine = mine | {"access": [one | {"admin": False} for one in mine["access"]]}
    return ok(mine | company)


def currencies(call: Call) -> dict[str, Any]:
    """GET /currencies, by a part of the name or code."""
    term = call.query.get("term", "").lower()
    found = call.account.currencies
    return ok([one for one in found if term in one["name"].lower() or term in one["code"].lower()])


def activity_types(call: Call) -> dict[str, Any]:
    """GET /activityTypes."""
    return ok([one for one in call.account.activity_types.values() if one["active_flag"]])


def add_activity_type(call: Call) -> dict[str, Any]:
    """POST /activityTypes: the key is made from the name and never changes."""
    body = call.json()
    if not isinstance(body, dict) or not isinstance(body.get("name"), str) or not body["name"].strip():
        raise plain(400, "Activity type name must be given.")
    if body.get("icon_key") not in ICONS:
        raise plain(400, "Activity type icon_key is not valid.")
    color = body.get("color", "FFFFFF")
    if not isinstance(color, str) or not _COLOR.match(color):
        raise plain(400, "Activity type color is not valid.")
    key = re.sub(r"[^a-z0-9]+", "_", body["name"].lower()).strip("_") or "type"
    taken = {one["key_string"] for one in call.account.activity_types.values()}
    free, at = key, 1
    while free in taken:
        at += 1
        free = f"{key}{at}"
    return ok(call.account.new_activity_type(body["name"], body["icon_key"], color, custom=True, key=free))


# --- fields ---------------------------------------------------------------------------------------------------


def list_fields(entity: str) -> Handler:
    """GET /{entity}Fields; deals' pages stand in additional_data itself."""

    def handler(call: Call) -> dict[str, Any]:
        start, limit = offset(call)
        live = [one for one in call.account.fields[entity].values() if not one.deleted]
        shown = [fields.show_v1(entity, one) for one in live[start : start + limit]]
        more = start + limit < len(live)
        pages: dict[str, Any] = {"start": start, "limit": limit, "more_items_in_collection": more}
        return ok(shown, additional_data=pages if entity == "deals" else {"pagination": pages})

    return handler


def offset(call: Call, most: int = 500) -> tuple[int, int]:
    """v1's start and limit; raises Refused."""
    try:
        start, limit = int(call.query.get("start") or 0), int(call.query.get("limit") or 100)
    except ValueError:
        raise plain(400, "start and limit must be integers") from None
    if start < 0 or not 1 <= limit <= most:
        raise plain(400, f"limit must be between 1 and {most}")
    return start, limit


def _find(call: Call, entity: str) -> Field:
    for one in call.account.fields[entity].values():
        if one.id == call.id and not one.deleted:
            return one
    raise not_found()


def get_field(entity: str) -> Handler:
    """GET /{entity}Fields/{id}."""
    return lambda call: ok(fields.show_v1(entity, _find(call, entity)))


def update_field(entity: str) -> Handler:
    """PUT /{entity}Fields/{id}: `options` is the whole list; what it leaves out is removed."""

    def handler(call: Call) -> dict[str, Any]:
        one = _find(call, entity)
        body = call.json()
        if not isinstance(body, dict) or not body:
            raise plain(400, "At least one parameter is required")
        if "options" in body:
            _replace_options(call.account, entity, one, body["options"])
        if "name" in body:
            if not one.custom:
                raise forbidden()
            one.name = v.string(empty=False)(call.account, body["name"])
        return ok(fields.show_v1(entity, one))

    return handler


def _replace_options(account: Account, entity: str, one: Field, given: Any) -> None:
    if one.options is None or not (one.custom or one.code == "label_ids"):
        raise plain(400, "Options of this field cannot be changed")
    if not isinstance(given, list) or len(given) > plans.OPTIONS_PER_FIELD:
        raise plain(400, "options must be an array")
    known = {option["id"]: option for option in one.options}
    for item in given:
        if not isinstance(item, dict) or not isinstance(item.get("label"), str) or not item["label"].strip():
            raise plain(400, "Every option needs a label")
        if len(item["label"]) > v.VARCHAR:
            raise plain(400, f"An option's label can have {v.VARCHAR} characters at most")
        if "id" in item and item["id"] not in known:
            raise plain(400, f"Unknown option id {item['id']}")
    kept = []
    for item in given:
        option = dict(known[item["id"]]) if "id" in item else {"id": account.new_option_id()}
        option["label"] = item["label"]
        if item.get("color") is not None:
            option["color"] = item["color"]
        kept.append(option)
    gone = set(known) - {option["id"] for option in kept}
    one.options = kept
    one.index()
    if gone:
        forget_options(account, entity, one, gone)
