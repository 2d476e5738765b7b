"""Who changed which field of a record, and when? v1's changelog of deals, persons and organizations, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from . import cursors, times
from .call import Call, Handler, ok
from .errors import not_found, plain
from .store import Record

if TYPE_CHECKING:
    from .account import Account

ENTITIES = ("deals", "persons", "organizations")
MOST = 500
_UNSAID = frozenset(
    {
        *("id", "add_time", "update_time", "stage_change_time", "creator_user_id", "custom_fields"),
        *("is_deleted", "merged_to_id", "first_name", "last_name", "archive_time"),
    }
)
"""What the service keeps by itself, or shows by another field."""
_KEYS = {
    "deals": {"owner_id": "user_id", "pipeline_id": "pipeline", "label_ids": "label"},
    "persons": {"emails": "email", "phones": "phone"},
    "organizations": {},
}
"""v2's name of a field → v1's, where they differ; the changelog is v1's."""


class Actor(NamedTuple):
    """Who does something to the account, and by what: api, app, or an automation; user 0 leaves no trace."""

    user: int
    source: str


@contextmanager
def acting(account: Account, user: int, source: str) -> Iterator[None]:
    """All changes within are this user's."""
    before, account.actor = account.actor, Actor(user, source)
    try:
        yield
    finally:
        account.actor = before


def note(account: Account, entity: str, before: Record, after: Record) -> None:
    """Write down what differs between two states of a record."""
    if entity not in ENTITIES or not account.actor.user:
        return
    old, new = (
        {**{k: v for k, v in one.items() if k not in _UNSAID}, **(one.get("custom_fields") or {})}
        for one in (before, after)
    )
    changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    if changed:
        entries = account.changelog.setdefault(f"{entity}/{after['id']}", [])
        stamp = times.to_v1(account.stamp())
        for key in changed:
            shown = _KEYS[entity].get(key, key)
            entries.append([shown, _text(old.get(key)), _text(new.get(key)), *account.actor, stamp])


def _text(value: Any) -> str | None:
    """A value as the changelog has it: text, whatever the field's type; lists and parts by their values."""
    if value is None:
        return None
    if isinstance(value, dict):
        return _text(value.get("value"))
    if isinstance(value, list):
        return ",".join(_text(one) or "" for one in value)
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def endpoint(entity: str) -> Handler:
    """GET /{entity}/{id}/changelog."""

    def handler(call: Call) -> dict[str, Any]:
        if call.account.live(entity, call.id) is None:
            raise not_found()
        limit = call.query.get("limit") or "100"
        if not limit.isdigit() or not 1 <= int(limit) <= MOST:
            raise plain(400, f"limit must be between 1 and {MOST}")
        entries = call.account.changelog.get(f"{entity}/{call.id}", [])
        shown = [_shown(entry) for entry in reversed(entries)]
        page, cursor = cursors.cut(shown, call.query.get("cursor"), int(limit), key="time")
        return ok(page, additional_data={"next_cursor": cursor})

    return handler


def _shown(entry: list[Any]) -> dict[str, Any]:
    key, old, new, user, source, stamp = entry
    return {
        "field_key": key,
        "old_value": old,
        "new_value": new,
        "actor_user_id": user,
        "time": stamp,
        "change_source": source,
        "change_source_user_agent": None,
        "is_bulk_update_flag": False,
    }
