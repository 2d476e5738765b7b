"""What is a duplicated deal? A new one with every field of the old, custom fields too; nothing that hangs on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import habits, times
from .call import Call, ok
from .deals import require_room
from .errors import not_found
from .store import Record

if TYPE_CHECKING:
    from .account import Account

_ITS_OWN = frozenset(
    {
        *("id", "add_time", "update_time", "stage_change_time", "origin", "creator_user_id"),
        *("won_time", "lost_time", "close_time", "lost_reason", "is_archived", "archive_time"),
    }
)
"""What a copy does not take over: it is a new deal, and open."""


def duplicate(account: Account, deal: Record, user: int) -> Record:
    """Commit a copy made by a user; answers it as stored. Raises Refused where the plan has no room for it."""
    require_room(account)
    stamp = account.stamp()
    copied = {key: value for key, value in deal.items() if key not in _ITS_OWN}
    made = {"status": "open", "add_time": stamp, "update_time": stamp, "creator_user_id": user}
    stored = account.insert("deals", {**copied, **made, "origin": "ManuallyCreated"})
    habits.after_write(account, "deals", stored, created=True)
    return stored


def endpoint(call: Call) -> dict[str, Any]:
    """POST /deals/{id}/duplicate."""
    deal = call.account.live("deals", call.id)
    if deal is None:
        raise not_found()
    return ok(show_v1(call.account, duplicate(call.account, deal, call.user)))


def show_v1(account: Account, deal: Record) -> Record:
    """A deal in v1's form, as far as it has one here."""
    shown: Record = {
        "id": deal["id"],
        "add_time": times.to_v1(deal["add_time"]),
        "update_time": times.to_v1(deal["update_time"]),
        "visible_to": str(deal.get("visible_to")),
        "org_name": account.name_of("organizations", deal.get("org_id")),
        "owner_name": account.users[deal["owner_id"]]["name"],
        "user_id": deal["owner_id"],
        "creator_user_id": deal.get("creator_user_id"),
        "title": deal.get("title"),
        "value": deal.get("value"),
        "currency": deal.get("currency"),
        "status": deal.get("status"),
        "stage_id": deal.get("stage_id"),
        "pipeline_id": deal.get("pipeline_id"),
        "active": deal.get("status") == "open",
        "deleted": False,
    }
    links = {name: deal[name] for name in ("person_id", "org_id") if name in deal}
    return {key: value for key, value in shown.items() if value is not None} | links
