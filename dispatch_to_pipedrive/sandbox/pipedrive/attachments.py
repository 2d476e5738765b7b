"""What do v1's notes and files have in common? Parents, form-encoded bodies, and lists paged by offset."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import numpy as np
import orjson

from .call import Call
from .errors import plain
from .listing import rows
from .store import DELETED, Record, Store
from .v1 import offset

if TYPE_CHECKING:
    from .account import Account

LINKS = {"deal_id": "deals", "person_id": "persons", "org_id": "organizations"}
FOREIGN = ("lead_id", "project_id", "task_id", "product_id")


def form_or_json(call: Call) -> dict[str, Any]:
    """v1 takes JSON, and form-encoding here and there."""
    if call.body[:1] in (b"{", b"["):
        read = call.json()
        if isinstance(read, dict):
            return read
        raise plain(400, "The request body is not valid")
    return dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))


def whole(name: str, value: Any) -> int:
    """A whole number from a form or query; raises Refused."""
    if isinstance(value, bool) or not str(value).isdigit():
        raise plain(400, f"{name} must be an integer")
    return int(value)


def links_of(account: Account, given: dict[str, Any], *, extra: dict[str, str] | None = None) -> Record:
    """The parents that a body names; raises Refused where one is not there."""
    read: Record = {}
    for name, entity in (LINKS | (extra or {})).items():
        if given.get(name) in (None, ""):
            continue
        id_ = whole(name, given[name])
        if not account.stores[entity].alive(id_):
            raise plain(400, f"{name} {id_} was not found")
        read[name] = id_
    for name in FOREIGN:
        if given.get(name) not in (None, ""):
            raise plain(400, f"{name} {given[name]} was not found")
    return read


def page(
    call: Call,
    kind: str,
    *,
    most: int,
    sortable: tuple[str, ...],
    wanted: dict[str, int] | None = None,
    since: int = 0,
    keep: Callable[[Record], bool] | None = None,
) -> tuple[list[Record], dict[str, Any]]:
    """A page of notes or files that are not deleted, in id order or as `sort` says, and what to say of pages.

    `wanted` are fields with their values, `since` is the earliest update_time in epoch seconds, `keep` looks at the
    record itself.
    """
    start, limit = offset(call, most)
    account = call.account
    store = account.stores[kind]
    order = _order(call.query.get("sort"), sortable)
    lagging = bool(account.list_lag and store.recent)
    by_column = len(order) == 1 and order[0][0] in ("id", "update_time")
    if by_column and not wanted and keep is None and not lagging:
        chosen, more = _by_column(store, order[0], since, start, limit)
    else:
        needles = [b'"%s":%d' % (name.encode(), id_) for name, id_ in (wanted or {}).items()]
        found: list[Record] = []
        for _, row, updated, flags in rows(store, account.list_lag):
            if row is None or flags & DELETED or updated < since:
                continue
            if not all(needle in row for needle in needles):
                continue
            record: Record = orjson.loads(row)
            same = all(record.get(name) == id_ for name, id_ in (wanted or {}).items())
            if same and (keep is None or keep(record)):
                found.append(record)
        for key, backwards in reversed(order):
            found.sort(key=lambda one, key=key: one.get(key) or 0, reverse=backwards)  # type: ignore[misc]
        chosen, more = found[start : start + limit], start + limit < len(found)
    pages: dict[str, Any] = {"start": start, "limit": limit, "more_items_in_collection": more}
    if more:
        pages["next_start"] = start + limit
    return chosen, {"pagination": pages}


def _by_column(
    store: Store, order: tuple[str, bool], since: int, start: int, limit: int
) -> tuple[list[Record], bool]:
    """A page without a look into the rows that are not on it."""
    times = np.array(store.updated, dtype=np.int64)
    flags = np.frombuffer(bytes(store.flags), dtype=np.uint8)
    alive = np.flatnonzero(((flags & DELETED) == 0) & (times >= since))
    key, backwards = order
    values = times[alive] if key == "update_time" else alive
    alive = alive[np.lexsort((alive, -values if backwards else values))]
    chosen = alive[start : start + limit].tolist()
    return [orjson.loads(store.rows[at] or b"{}") for at in chosen], start + limit < len(alive)


def _order(text: str | None, sortable: tuple[str, ...]) -> list[tuple[str, bool]]:
    """(field, descending) of `field_1 ASC, field_2 DESC`."""
    order = []
    for part in (text or "id ASC").split(","):
        key, _, direction = part.strip().partition(" ")
        if key not in sortable or direction.upper() not in ("", "ASC", "DESC"):
            raise plain(400, f"sort by {part.strip()} is not possible")
        order.append((key, direction.upper() == "DESC"))
    return order
