"""How named contacts are read: those that changed, each with its ways to be reached and its relationships.

The vendor's newer contacts stand beside customers and sites and have ids of text. A record is the contact verbatim
with `methods` and `relationships` as they were listed, and `customerId` or `locationId` of the relationship that
decides whose it is: the oldest one to a customer, else the oldest one to a site. A relationship tells of no change,
so a contact that was only connected anew shows with the next full sweep; with it a contact that is no longer listed,
and not there either, gets a last record that says `isGone`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from dispatch_to_pipedrive.dispatch_pro.course import Advance, Course, whole_list
from dispatch_to_pipedrive.dispatch_pro.errors import BadRecord, NotFound
from dispatch_to_pipedrive.dispatch_pro.feeds import METHODS
from dispatch_to_pipedrive.dispatch_pro.placement.latest import Latest
from dispatch_to_pipedrive.dispatch_pro.segments import number_of
from dispatch_to_pipedrive.dispatch_pro.ticks import PER_SECOND, instant, tick_of

AT_ONCE = 32
_ROWS = 512


async def read_contacts(course: Course, latest: Latest, cursor: str | None, *, sweep: bool) -> Advance:
    """Read contacts changed since the cursor, less the feed's overlap; all of them with `sweep` and the first time.

    latest: the records of this feed that were committed before.
    """
    feed = course.feed
    since = None if sweep or not cursor else orjson.loads(cursor)["since"]
    window = {} if since is None else {"modifiedOnOrAfter": instant(since)}
    try:
        listed = await whole_list(course.client, feed.path, {**feed.params, **window})
    except NotFound:
        course.remark = "the tenant has no named contacts: Dispatch Pro answered 404"
        return await course.end(cursor or "", whole_since=course.began)
    contacts = {_id(course, text): text for text in listed}
    newest = max((tick for text in listed if (tick := _modified(text)) is not None), default=None)
    if window:
        methods = await whole_list(course.client, METHODS, {**feed.params, **window})
        named = {str(id_) for one in methods if (id_ := orjson.loads(one).get("contactId"))}
        for id_ in sorted(named - set(contacts)):
            await _add(course, contacts, id_)
    elif not contacts:
        course.remark = "the tenant has no named contacts"
    gate = asyncio.Semaphore(AT_ONCE)
    for ids in _chunks(sorted(contacts), _ROWS):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_read(course, gate, id_, contacts[id_])) for id_ in ids]
        records = [record for task in tasks if (record := task.result()) is not None]
        await _land_what_differs(course, latest, records)
    if since is None:
        await _land_what_is_gone(course, latest, contacts)
    overlap = int(feed.overlap.total_seconds()) * PER_SECOND if feed.overlap else 0
    after = since if newest is None else max(newest - overlap, since or 0)
    whole_since = course.began if since is None else None
    return await course.end(orjson.dumps({"since": after}).decode(), whole_since=whole_since)


async def _add(course: Course, contacts: dict[str, bytes], id_: str) -> None:
    """A contact of which only a method changed; one that was deleted meanwhile is left out."""
    try:
        body = await course.client.read(f"{course.feed.path}/{id_}", {}, _whole)
    except NotFound:
        return
    contacts[_id(course, body)] = body


async def _read(course: Course, gate: asyncio.Semaphore, id_: str, contact: bytes) -> bytes | None:
    """The whole record of one contact; None for one that went meanwhile, of which the next sweep tells."""
    lists: dict[str, list[bytes]] = {}
    async with gate:
        course.pages += 1
        for name, part in (("methods", "contact-methods"), ("relationships", "relationships")):
            try:
                lists[name] = await whole_list(
                    course.client, f"{course.feed.path}/{id_}/{part}", course.feed.params
                )
            except NotFound:  # never taken for a contact that belongs to nobody
                return None
    return record_of(contact, lists["methods"], lists["relationships"])


def record_of(contact: bytes, methods: Sequence[bytes], relationships: Sequence[bytes]) -> bytes:
    """What lands of a contact; its texts stay as they came."""
    customer, location = owner_of([orjson.loads(one) for one in relationships])
    ours = orjson.dumps({"customerId": customer, "locationId": location})
    return b"".join(
        [
            contact.rstrip()[:-1],
            b',"methods":[' + b",".join(_in_order(methods)) + b"]",
            b',"relationships":[' + b",".join(_in_order(relationships)) + b"],",
            ours[1:],
        ]
    )


def owner_of(relationships: Sequence[Mapping[str, Any]]) -> tuple[int | None, int | None]:
    """(customer, location) of the relationship that decides; one of them at most."""
    for slug in ("customer", "location"):
        mine = [one for one in relationships if str(one.get("typeSlug", "")).lower() == slug]
        fitting = [one for one in mine if isinstance(one.get("relatedEntityId"), int)]
        if fitting:
            first = min(fitting, key=lambda one: (str(one.get("createdOn") or ""), str(one.get("id"))))
            id_ = int(first["relatedEntityId"])
            return (id_, None) if slug == "customer" else (None, id_)
    return None, None


async def _land_what_differs(course: Course, latest: Latest, records: Sequence[bytes]) -> None:
    numbers = [number_of(orjson.loads(record)["id"]) for record in records]
    before = await asyncio.to_thread(latest.records, numbers)
    new = [
        record
        for number, record in zip(numbers, records, strict=True)
        if before.get(number) != record.decode()
    ]
    if new:
        await course.land(new)


async def _land_what_is_gone(course: Course, latest: Latest, contacts: Mapping[str, bytes]) -> None:
    """The last record of each contact that was there before and is not listed any more."""
    there = {number_of(id_) for id_ in contacts}
    gone = [number for number in await asyncio.to_thread(latest.ids) if number not in there]
    for numbers in _chunks(gone, _ROWS):
        before = await asyncio.to_thread(latest.records, numbers)
        texts = [text for text in before.values() if not orjson.loads(text).get("isGone")]
        missing = [text.encode() for text in texts if not await _is_there(course, orjson.loads(text)["id"])]
        if missing:
            await course.land([text[:-1] + b',"isGone":true}' for text in missing])


async def _is_there(course: Course, id_: str) -> bool:
    """Whether a contact that was not listed exists: where one goes during a listing, pages shift by one."""
    course.pages += 1
    try:
        await course.client.read(f"{course.feed.path}/{id_}", {}, _whole)
    except NotFound:
        return False
    return True


def _chunks(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (values[at : at + size] for at in range(0, len(values), size))


def _in_order(items: Sequence[bytes]) -> list[bytes]:
    """By id, so that equal content gives an equal record."""
    return sorted(items, key=lambda item: str(orjson.loads(item).get("id")))


def _id(course: Course, text: bytes) -> str:
    id_ = orjson.loads(text).get("id")
    if not isinstance(id_, str) or not id_:
        raise BadRecord(course.feed.name, None, "id", f"should be a text, found {id_!r}")
    return id_


def _modified(text: bytes) -> int | None:
    moment = orjson.loads(text).get("modifiedOn")
    return tick_of(str(moment)) if moment else None


def _whole(body: bytes) -> bytes:
    if not isinstance(orjson.loads(body), dict):
        raise ValueError("not a JSON object")
    return body
