"""Which leads does the account have? Read by API, made by people; they bear the custom fields of deals."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from .call import Call, Handler, ok
from .store import Record
from .v1 import offset

if TYPE_CHECKING:
    from .account import Account


def page(*, archived: bool) -> Handler:
    """GET /leads, GET /leads/archived: custom fields flat, those without a value left out."""

    def handler(call: Call) -> dict[str, Any]:
        start, limit = offset(call)
        live = set(call.account.custom["deals"])
        found = [one for one in call.account.leads if one["is_archived"] == archived]
        shown = [
            {name: value for name, value in one.items() if len(name) != 40 or name in live}
            for one in found[start : start + limit]
        ]
        more = start + limit < len(found)
        pages = {"start": start, "limit": limit, "more_items_in_collection": more}
        return ok(shown, additional_data=pages)

    return handler


def add(account: Account, changes: Record, user: int) -> Record:
    """A lead that people make; `changes` are stored as they come."""
    number = uuid.uuid5(uuid.NAMESPACE_OID, f"lead {account.seed} {len(account.leads)}")
    made: Record = {
        "id": str(number),
        "title": "Lead",
        "owner_id": user,
        "creator_id": user,
        "label_ids": [],
        "person_id": None,
        "organization_id": None,
        "source_name": "Manually created",
        "origin": "ManuallyCreated",
        "is_archived": False,
        "was_seen": True,
        "value": None,
        "expected_close_date": None,
        "add_time": account.stamp(),
        "update_time": account.stamp(),
        "visible_to": "3",
        **changes,
    }
    account.leads.append(made)
    return made
