"""Which records does a list show? Filters, sorting, pages and the extras of v2's record lists and single reads."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson

from . import cursors, extras, times
from .call import Call, Query, ok
from .errors import not_found
from .render import SHOW
from .store import ARCHIVED, DELETED, Record, Store

if TYPE_CHECKING:
    from .account import Account

LIMIT = 500
KEPT_DELETED = 30 * 86_400  # seconds until a deleted record is gone for good
_LIST = (
    "filter_id",
    "ids",
    "owner_id",
    "updated_since",
    "updated_until",
    "sort_by",
    "sort_direction",
    "limit",
    "cursor",
)
_SINGLE = ("include_fields", "custom_fields", "include_option_labels", "include_labels")
PARAMETERS: dict[str, tuple[str, ...]] = {
    "organizations": (*_LIST, *_SINGLE),
    "persons": (*_LIST, *_SINGLE, "org_id", "deal_id"),
    "deals": (*_LIST, *_SINGLE, "person_id", "org_id", "pipeline_id", "stage_id", "status"),
    "activities": (*_LIST, "include_fields", "deal_id", "lead_id", "person_id", "org_id", "done"),
}
_LINKS = ("owner_id", "org_id", "person_id", "deal_id", "pipeline_id", "stage_id")


def rows(store: Store, lag: float) -> Iterator[tuple[int, bytes | None, int, int]]:
    """(id, row, update_time, flags) in id order, as a list that lags behind sees them."""
    if not lag or not store.recent:
        base = store.base
        for at, row in enumerate(store.rows):
            if row is not None:
                yield base + at, row, store.updated[at], store.flags[at]
        return
    horizon = time.monotonic() - lag
    for id_, row, updated, flags in rows(store, 0):
        since, old = store.recent.get(id_, (0.0, row))
        if since <= horizon:
            yield id_, row, updated, flags
        elif old is not None:
            record = orjson.loads(old)
            flag = (DELETED if record.get("is_deleted") else 0) | (
                ARCHIVED if record.get("is_archived") else 0
            )
            yield id_, old, times.epoch(record["update_time"]), flag


class Filters:
    """The conditions of one list request."""

    def __init__(self, entity: str, query: Query, *, archived: bool) -> None:
        self.entity = entity
        self.archived = archived
        wanted = query.ids("ids", 100)
        self.ids = None if wanted is None else set(wanted)
        since, until = query.moment("updated_since"), query.moment("updated_until")
        self.since = times.epoch(since) if since else None
        self.until = times.epoch(until) if until else None
        known = PARAMETERS[entity]
        self.links = {
            name: value for name in _LINKS if name in known and (value := query.integer(name)) is not None
        }
        self.done = query.boolean("done") if "done" in known else None
        self.statuses: tuple[str, ...] = ()
        if "status" in known:
            self.statuses = query.choices("status", ("open", "won", "lost", "deleted"))
        self.kept_since = query.account.now() - KEPT_DELETED
        self.nothing = query.text("lead_id") is not None if "lead_id" in known else False
        self.deal_persons: set[int] | None = None
        if entity == "persons" and "deal_id" in self.links:
            deal = query.account.stores["deals"].get(self.links.pop("deal_id"))
            self.deal_persons = {deal.get("person_id", -1)} if deal else set()
        self.needles = [b'"%s":%d' % (name.encode(), value) for name, value in self.links.items()]

    def passes(self, id_: int, row: bytes, updated: int, flags: int) -> Record | None:
        """The record, if it belongs into the list."""
        if self.since is not None and updated < self.since:
            return None
        if self.until is not None and updated >= self.until:
            return None
        if self.ids is not None and id_ not in self.ids:
            return None
        if bool(flags & ARCHIVED) != self.archived or self.nothing:
            return None
        if flags & DELETED and ("deleted" not in self.statuses or updated < self.kept_since):
            return None
        if self.deal_persons is not None and id_ not in self.deal_persons:
            return None
        if not all(needle in row for needle in self.needles):
            return None
        record: Record = orjson.loads(row)
        return record if self._matches(record) else None

    def _matches(self, record: Record) -> bool:
        if "merged_to_id" in record:
            return False
        if self.statuses:
            status = "deleted" if record.get("is_deleted") else record.get("status")
            if status not in self.statuses:
                return False
        if self.done is not None and record.get("done", False) != self.done:
            return False
        for name, value in self.links.items():
            if self.entity == "activities" and name == "person_id":
                found = next((p["person_id"] for p in record.get("participants", ()) if p["primary"]), None)
            else:
                found = record.get(name)
            if found != value:
                return False
        return True


def page(call: Call, entity: str, *, archived: bool = False) -> dict[str, Any]:
    """One page of a record list."""
    known = PARAMETERS[entity]
    if archived:
        known = tuple(name for name in known if name not in ("include_option_labels", "include_labels"))
    query = Query(call, *known)
    extra = ("due_date",) if entity == "activities" else ()
    sort = query.choice("sort_by", "id", "add_time", "update_time", *extra) or "id"
    direction = query.choice("sort_direction", "asc", "desc") or "asc"
    limit = query.limit(LIMIT)
    filters = Filters(entity, query, archived=archived)
    shape = extras.Shape(entity, query)
    query.done()
    if query.text("filter_id") is not None:
        raise not_found()
    start = cursors.decode(query.text("cursor"), sort, direction)
    found = _take(call.account, entity, filters, sort, direction, start, limit + 1)
    following = None
    if len(found) > limit:
        value, id_, _ = found[limit]
        following = cursors.encode(sort, value, direction, id_)
    records = shape.show(call.account, [record for _, _, record in found[:limit]])
    return ok(records, additional_data={"next_cursor": following})


def _take(
    account: Account,
    entity: str,
    filters: Filters,
    sort: str,
    direction: str,
    start: tuple[Any, int] | None,
    count: int,
) -> list[tuple[Any, int, Record]]:
    """The first `count` records from `start` on, as (sort value, id, record)."""
    store = account.stores[entity]
    if sort == "id" and direction == "asc" and not (account.list_lag and store.recent):
        return _take_by_id(store, filters, start[1] if start else store.base, count)

    def candidates() -> Iterator[tuple[Any, int, Record]]:
        for id_, row, updated, flags in rows(store, account.list_lag):
            record = None if row is None else filters.passes(id_, row, updated, flags)
            if record is None:
                continue
            value = id_ if sort == "id" else record.get(sort) or ""
            place = (value, id_)
            if start and (place < start if direction == "asc" else place > start):
                continue
            yield value, id_, record

    choose = heapq.nsmallest if direction == "asc" else heapq.nlargest
    return choose(count, candidates(), key=lambda item: item[:2])


def _take_by_id(store: Store, filters: Filters, first: int, count: int) -> list[tuple[Any, int, Record]]:
    """The common case: walk on from the cursor, and look at the columns before a row is parsed."""
    found: list[tuple[Any, int, Record]] = []
    base, rows, updated, flags = store.base, store.rows, store.updated, store.flags
    since = filters.since
    for at in range(max(0, first - base), len(rows)):
        row = rows[at]
        if row is None or (since is not None and updated[at] < since):
            continue
        record = filters.passes(base + at, row, updated[at], flags[at])
        if record is not None:
            found.append((base + at, base + at, record))
            if len(found) == count:
                break
    return found


def single(call: Call, entity: str) -> dict[str, Any]:
    """One record; a deleted one only where the account is switched so."""
    query = Query(call, *(_SINGLE if entity != "activities" else ("include_fields",)))
    shape = extras.Shape(entity, query)
    query.done()
    account = call.account
    record = account.stores[entity].get(call.id)
    if record is None:
        raise not_found()
    if record.get("is_deleted"):
        gone = times.epoch(record["update_time"]) < account.now() - KEPT_DELETED
        if gone or not account.capabilities["get_deleted"]:
            raise not_found()
    return ok(shape.show(account, [record])[0])


__all__ = ["LIMIT", "SHOW", "page", "single"]
