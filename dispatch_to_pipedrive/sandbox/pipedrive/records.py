"""What happens when a record is written? Create, update, delete of the four entities, with the vendor's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import bodies, deals, habits
from .errors import not_found, plain, validation
from .render import SHOW
from .store import Record

if TYPE_CHECKING:
    from .account import Account


def create(account: Account, entity: str, body: Any, user: int = 1) -> Record:
    """Commit a new record; answers it as v2 shows it."""
    read = bodies.read(account, entity, body, creating=True)
    stamp = account.stamp()
    if entity == "persons":
        _name(read, {})
    custom = _without_nulls(read.pop("custom_fields", None))
    record: Record = {"owner_id": user, "add_time": stamp, **read, "update_time": stamp}
    if entity in ("deals", "activities"):
        record["creator_user_id"] = user
    if entity != "activities":
        record.setdefault("visible_to", account.plan.everyone)
    if custom:
        record["custom_fields"] = custom
    if entity == "deals":
        deals.on_create(account, record, read)
    elif entity == "activities":
        _activity(account, record, read)
    return commit_new(account, entity, record)


def commit_new(account: Account, entity: str, record: Record) -> Record:
    """Let the habits have their way with a new record and store it."""
    habits.before_write(account, entity, record)
    stored = account.insert(entity, record)
    habits.after_write(account, entity, stored, created=True)
    return SHOW[entity](account, stored)


def update(account: Account, entity: str, id_: int, body: Any) -> Record:
    """Commit a change: keys that are named are replaced as a whole, the others stay."""
    before = account.stores[entity].get(id_)
    if before is None:
        raise not_found()
    if before.get("is_deleted"):
        return _restore(account, entity, before, body)
    read = bodies.read(account, entity, body, creating=False)
    if not read:
        raise validation(["At least one parameter is required"])
    return commit_change(account, entity, before, read)


def commit_change(
    account: Account, entity: str, before: Record, read: Record, *, stamp: str | None = None
) -> Record:
    """Apply checked values to a stored record."""
    read = dict(read)
    after = dict(before)
    if entity == "persons":
        _name(read, before)
    custom = read.pop("custom_fields", None)
    if custom is not None:
        _merge_custom(account, after, custom)
    after.update(read)
    after["update_time"] = account.stamp() if stamp is None else stamp
    if entity == "deals":
        deals.on_change(account, before, after, read)
    elif entity == "activities":
        _activity(account, after, read, before)
    habits.before_write(account, entity, after, read)
    stored = account.replace(entity, after, before)
    habits.after_write(account, entity, stored, created=False, changed=read)
    return SHOW[entity](account, stored)


def delete(account: Account, entity: str, id_: int) -> Record:
    """Mark as deleted; what hangs on the record stays as it is."""
    record = account.live(entity, id_)
    if record is None:
        raise not_found()
    account.drop(entity, record)
    return {"id": id_}


def _restore(account: Account, entity: str, before: Record, body: Any) -> Record:
    if not account.capabilities["restore"] or body != {"is_deleted": False} or "merged_to_id" in before:
        raise not_found()
    after = {**before, "update_time": account.stamp()}
    del after["is_deleted"]
    return SHOW[entity](account, account.replace(entity, after, before))


def _without_nulls(values: Record | None) -> Record:
    return {} if values is None else {code: value for code, value in values.items() if value is not None}


def _merge_custom(account: Account, after: Record, custom: Record) -> None:
    kept = after.get("custom_fields", {})
    if not custom and account.habits["empty_custom_fields_clears"]:
        kept = {}
    merged = _without_nulls(kept | custom)
    if merged:
        after["custom_fields"] = merged
    else:
        after.pop("custom_fields", None)


def _name(read: Record, before: Record) -> None:
    """Keep name, first_name and last_name in step; the two forms exclude each other."""
    split = "first_name" in read or "last_name" in read
    if "name" in read and split:
        words = "Cannot set 'name' and 'first_name'/'last_name' at the same time"
        raise plain(400, words)
    if "name" in read:
        first, _, last = read["name"].strip().partition(" ")
        read["first_name"], read["last_name"] = first, last.strip() or None
    elif split:
        first = read.get("first_name", before.get("first_name")) or ""
        last = read.get("last_name", before.get("last_name")) or ""
        name = f"{first} {last}".strip()
        if not name or (not before and not (first and last)):
            raise validation(["name: This value is required."])
        read |= {"name": name, "first_name": first or None, "last_name": last or None}
    elif not before:
        raise validation(["name: This value is required."])


def _activity(account: Account, record: Record, read: Record, before: Record | None = None) -> None:
    if before is None:
        missing = [key for key in ("subject", "type") if key not in record]
        if missing and not account.capabilities["activity_defaults"]:
            raise validation([f"{key}: This value is required." for key in missing])
        record.setdefault(
            "type", min(account.activity_types.values(), key=lambda one: one["order_nr"])["key_string"]
        )
        record.setdefault("subject", record["type"].capitalize())
    if read.get("done") is True and not (before and before.get("done")):
        record["marked_as_done_time"] = record["update_time"]
    elif read.get("done") is False:
        record["marked_as_done_time"] = None
