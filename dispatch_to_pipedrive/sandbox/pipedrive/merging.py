"""What happens when two records become one? v1's merge: the other survives and wins, what hangs on them moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import duplicating, times
from .call import Call, Handler, ok
from .errors import not_found, plain
from .store import Record

if TYPE_CHECKING:
    from .account import Account

_LINK = {"organizations": "org_id", "persons": "person_id", "deals": "deal_id"}
_DEPENDENT = {
    "organizations": ("persons", "deals", "activities", "notes", "files"),
    "persons": ("deals", "activities", "notes", "files"),
    "deals": ("activities", "notes", "files"),
}
_LISTS = ("label_ids", "emails", "phones")


def merge(account: Account, entity: str, id_: int, survivor_id: int) -> Record:
    """Merge record `id_` into `survivor_id`; answers the survivor as stored."""
    loser, survivor = account.live(entity, id_), account.live(entity, survivor_id)
    if entity not in _LINK or loser is None or survivor is None or id_ == survivor_id:
        raise plain(400, "The records to merge were not found")
    stamp = account.stamp()
    merged = {**loser, **survivor, "update_time": stamp}
    custom = {**loser.get("custom_fields", {}), **survivor.get("custom_fields", {})}
    if custom:
        merged["custom_fields"] = custom
    for name in _LISTS:
        joined = [*survivor.get(name, [])]
        known = [one["value"] if isinstance(one, dict) else one for one in joined]
        for one in loser.get(name, []):
            if (one["value"] if isinstance(one, dict) else one) not in known:
                joined.append({**one, "primary": False} if isinstance(one, dict) and joined else one)
        if joined:
            merged[name] = joined
    stored = account.replace(entity, merged, survivor)
    account.drop(entity, loser, merged_to_id=survivor_id)
    _move(account, entity, id_, survivor_id)
    return stored


def _move(account: Account, entity: str, old: int, new: int) -> None:
    link = _LINK[entity]
    needle = b'"%s":%d' % (link.encode(), old)
    for other in _DEPENDENT[entity]:
        for record in list(account.stores[other].containing(needle)):
            after = dict(record)
            if record.get(link) == old:
                after[link] = new
            if link == "person_id" and "participants" in record:
                after["participants"] = _people(record["participants"], old, new)
            if after != record:
                account.replace(other, {**after, "update_time": account.stamp()}, record)


def _people(participants: list[dict[str, Any]], old: int, new: int) -> list[dict[str, Any]]:
    moved: dict[int, dict[str, Any]] = {}
    for one in participants:
        id_ = new if one["person_id"] == old else one["person_id"]
        primary = one["primary"] or moved.get(id_, {}).get("primary", False)
        moved[id_] = {"person_id": id_, "primary": primary}
    return list(moved.values())


def endpoint(entity: str) -> Handler:
    """PUT /{entity}/{id}/merge."""

    def handler(call: Call) -> dict[str, Any]:
        body = call.json()
        other = body.get("merge_with_id") if isinstance(body, dict) else None
        if type(other) is not int:
            raise plain(400, "merge_with_id must be given.")
        if call.account.live(entity, call.id) is None:
            raise not_found()
        stored = merge(call.account, entity, call.id, other)
        return ok(_shown(call.account, entity, stored, call.id))

    return handler


def _shown(account: Account, entity: str, record: Record, loser: int) -> dict[str, Any]:
    """The survivor in v1's form, as far as it has one here."""
    if entity == "organizations":
        return {"id": record["id"]}
    if entity == "deals":
        return duplicating.show_v1(account, record) | {"merge_what_id": loser}
    shown: dict[str, Any] = {
        "id": record["id"],
        "add_time": times.to_v1(record["add_time"]),
        "update_time": times.to_v1(record["update_time"]),
        "visible_to": str(record.get("visible_to")),
        "org_name": account.name_of("organizations", record.get("org_id")),
        "owner_name": account.users[record["owner_id"]]["name"],
        "merge_what_id": loser,
    }
    if "org_id" in record:
        shown["org_id"] = record["org_id"]
    return shown | {
        "company_id": account.company_id,
        "owner_id": record["owner_id"],
        "name": record.get("name"),
        "first_name": record.get("first_name"),
        "last_name": record.get("last_name"),
        "active_flag": True,
        "email": record.get("emails", []),
        "phone": record.get("phones", []),
        "label_ids": record.get("label_ids", []),
    }
