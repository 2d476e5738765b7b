"""What do other people do in the account? Edits, deletions, merges and additions behind the API's back."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

from . import changelog, duplicating, files, leads, merging, people, times
from .account import ENTITIES
from .store import Record

if TYPE_CHECKING:
    from .account import Account

_KEYS = {"entity", "id", "changes", "user_id", "action", "silent", "merge_with_id", "content", "purge"}
ACTIONS = ("edit", "delete", "merge", "create", "duplicate")


class EditError(ValueError):
    """An edit that means nothing."""


def edit(account: Account, body: Any) -> dict[str, Any]:
    """Carry out one edit and answer the stored record.

    `changes` are stored as they come, unchecked; `custom_fields` are merged key by key, null clears. `silent` leaves
    update_time alone and stands in no changelog. `user_id` (default 2, the editor) is who does it, and the maker of
    what is created. A deletion with `purge` leaves no trace. A file's bytes come as base64 in `content`.
    """
    if not isinstance(body, dict) or not set(body) <= _KEYS:
        raise EditError(f"expected an object with keys of {', '.join(sorted(_KEYS))}")
    entity, action = body.get("entity"), body.get("action", "edit")
    if entity == "users":
        return _user(account, body)
    if entity == "leads" and action == "create":
        return leads.add(account, body.get("changes", {}), int(body.get("user_id", 2)))
    if entity not in account.stores or action not in ACTIONS:
        entities = ", ".join((*account.stores, "users"))
        raise EditError(f"entity must be one of {entities}, action one of {', '.join(ACTIONS)}")
    with changelog.acting(account, 0 if body.get("silent") else int(body.get("user_id", 2)), "app"):
        return _done(account, entity, action, body)


def _done(account: Account, entity: str, action: str, body: dict[str, Any]) -> dict[str, Any]:
    if action == "create":
        return _create(account, entity, body)
    before = account.stores[entity].get(int(body.get("id", -1)))
    if before is None:
        raise EditError(f"{entity} has no record {body.get('id')}")
    if action == "merge":
        return merging.merge(account, entity, before["id"], int(body["merge_with_id"]))
    if action == "duplicate" and entity == "deals":
        return duplicating.duplicate(account, before, int(body.get("user_id", 2)))
    if action == "delete":
        return _delete(account, entity, before, body)
    return _edit(account, entity, before, body)


def _edit(account: Account, entity: str, before: Record, body: dict[str, Any]) -> dict[str, Any]:
    after = _changed(before, body.get("changes", {}))
    if not body.get("silent") and "update_time" not in body.get("changes", {}):
        after["update_time"] = account.stamp()
        if entity == "notes":
            after["last_update_user_id"] = int(body.get("user_id", 2))
    return account.replace(entity, after, before)


def _changed(before: Record, changes: Record) -> Record:
    custom = {**before.get("custom_fields", {}), **changes.get("custom_fields", {})}
    after = {**before, **changes}
    kept = {code: value for code, value in custom.items() if value is not None}
    after["custom_fields"] = kept or None
    return after


def _user(account: Account, body: dict[str, Any]) -> dict[str, Any]:
    """Add a user, or change one (`active_flag`, `email`, …)."""
    id_, changes = body.get("id"), body.get("changes", {})
    if body.get("action") == "create":
        id_ = max(account.users) + 1
        stamp = times.v1_stamp(account.now())
        name, email = changes.get("name", f"User {id_}"), changes.get("email", f"user{id_}@company.example")
        account.users[id_] = people.user(account.seed, id_, name, email, True, stamp)
    if id_ not in account.users:
        raise EditError(f"there is no user {id_}")
    account.users[id_] |= changes
    return account.users[id_]


def _delete(account: Account, entity: str, before: Record, body: dict[str, Any]) -> dict[str, Any]:
    id_ = before["id"]
    if body.get("purge"):
        if entity == "deals" and before.get("status") == "open" and not before.get("is_deleted"):
            account.open_deals -= 1
        account.stores[entity].purge(id_)
    elif body.get("silent"):
        account.replace(entity, {**before, "is_deleted": True}, before)
    else:
        account.drop(entity, before)
    return {"id": id_}


def _create(account: Account, entity: str, body: dict[str, Any]) -> dict[str, Any]:
    user = int(body.get("user_id", 2))
    stamp = account.stamp()
    changes = dict(body.get("changes", {}))
    record: Record = {"add_time": stamp, "update_time": stamp}
    if entity == "files":
        content = io.BytesIO(base64.b64decode(body.get("content", "")))
        return files.store_file(account, {"user_id": user, **changes}, content)
    if entity == "notes":
        return account.insert(entity, {**record, "user_id": user, "content": "", **changes})
    record["owner_id"] = user
    if entity in ("deals", "activities"):
        record["creator_user_id"] = user
    if entity == "deals":
        pipeline = account.default_pipeline()
        stage = account.first_stage(pipeline) if pipeline else None
        record |= {"value": 0, "currency": account.currency, "status": "open", "origin": "ManuallyCreated"}
        record |= {"pipeline_id": pipeline, "stage_id": stage}
    if entity in ENTITIES and entity != "activities":
        record["visible_to"] = account.plan.everyone
    return account.insert(entity, {**record, **changes})
