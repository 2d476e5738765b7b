"""What is the whole state of an account? Out as deterministic JSON, and in again."""

from __future__ import annotations

import base64
import io
from typing import Any

from . import fields, habits, plans, times
from .account import ENTITIES, Account, _is_open

_PLAIN = (
    "api_token",
    "company_id",
    "company_domain",
    "next_option",
    "next_field",
    "currency",
    "seed",
    "seats",
    "caps",
)


def dump(account: Account, *, settle: bool = True, contents: bool = False) -> dict[str, Any]:
    """The state; with `settle` whatever the habits still mean to do is done first, so that dumps can be compared.

    Records stand as they are stored: v2's names and forms, nulls left out, deleted records included. Of files it has
    the hashes, which is enough within this process; for another one `contents` adds the bytes.
    """
    if settle:
        habits.settle(account, everything=True)
    state: dict[str, Any] = {name: getattr(account, name) for name in _PLAIN}
    state |= {
        "now": account.stamp(),
        "plan": account.plan.name,
        "users": list(account.users.values()),
        "activity_types": list(account.activity_types.values()),
        "pipelines": list(account.pipelines.values()),
        "leads": list(account.leads),
        "stages": list(account.stages.values()),
        "fields": {entity: [one.state() for one in account.fields[entity].values()] for entity in ENTITIES},
        "entities": {entity: account.stores[entity].state()["records"] for entity in account.stores},
        "bases": {entity: store.base for entity, store in account.stores.items()},
        "pending": account.pending,
        "capabilities": account.capabilities,
        "habits": account.habits,
    }
    if contents:
        state["changelog"] = account.changelog
        state["contents"] = [base64.b64encode(data).decode() for data in account.contents.everything()]
    return state


def load(account: Account, state: dict[str, Any]) -> None:
    """Become the account of a dump: ids, keys, options, token and all."""
    for name in _PLAIN:
        setattr(account, name, state[name])
    account.plan = plans.PLANS[state["plan"]]
    account.users = {one["id"]: one for one in state["users"]}
    account.me = account.users[1]
    account.leads = list(state.get("leads", ()))
    account.activity_types = {one["id"]: one for one in state["activity_types"]}
    account.pipelines = {one["id"]: one for one in state["pipelines"]}
    account.stages = {one["id"]: one for one in state["stages"]}
    account.fields = {
        entity: {one["code"]: fields.Field(**one) for one in known}
        for entity, known in state["fields"].items()
    }
    for entity, records in state["entities"].items():
        account.stores[entity].load({"base": state["bases"][entity], "records": records}, times.epoch)
    for text in state.get("contents", ()):
        account.contents.add(io.BytesIO(base64.b64decode(text)), keep=True)
    account.changelog = state.get("changelog", {})
    account.pending = [(one[0], one[1], one[2], one[3], one[4]) for one in state["pending"]]
    account.capabilities |= state["capabilities"]
    account.habits |= state["habits"]
    deals = account.stores["deals"]
    account.open_deals = sum(_is_open(deals.get(id_) or {}) for id_ in deals.ids())
    account.schema_changed()
