"""What do records hold now, and what hangs on them that is not ours?

Records are read a hundred at a time, together with the counts that the vendor gives of what hangs on each. A count is
looked into only where it is higher than what we know of: then the list of that record's own children tells which of
them are not ours. Leads have no count: they are listed once for many records (see `Once`). What this cannot see:
comments on notes, products of others' catalogues without a count, and who follows a record.
"""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple

from dispatch_to_pipedrive.migration.files import PARENTS
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.undo.history import Place
from dispatch_to_pipedrive.migration.values import ALIVE, Link
from dispatch_to_pipedrive.pipedrive.client import page_of
from dispatch_to_pipedrive.pipedrive.errors import Forbidden, NotFound, Rejected
from dispatch_to_pipedrive.pipedrive.prices import price

IDS = 100
"""Ids that one list request may name."""
COUNTS: Mapping[str, Mapping[str, str]] = {
    "organizations": {
        "people_count": "persons",
        "open_deals_count": "deals",
        "closed_deals_count": "deals",
        "activities_count": "activities",
        "files_count": "files",
        "notes_count": "notes",
        "email_messages_count": "e-mails",
    },
    "persons": {
        "open_deals_count": "deals",
        "closed_deals_count": "deals",
        "activities_count": "activities",
        "files_count": "files",
        "notes_count": "notes",
        "email_messages_count": "e-mails",
    },
    "deals": {
        "activities_count": "activities",
        "files_count": "files",
        "notes_count": "notes",
        "products_count": "products",
        "participants_count": "further participants",
        "email_messages_count": "e-mails",
    },
}
"""Entity → `include_fields` of its records → what that counts."""
_MAIN_PERSON = 1
"""A deal's own person counts as a participant."""
_V1 = ("notes", "files")
"""No list request names ids of these: each is read by itself, or all of them."""
_OF_LEAD = {"person_id": "persons", "organization_id": "organizations"}
_REFERENCE = {entity: name for name, entity in PARENTS.items()}


class Seen(NamedTuple):
    """A record as it is now; None where it is not there (any more), `hidden` where our user may not see it."""

    record: Mapping[str, Any] | None
    hidden: bool = False


@dataclass
class Once:
    """What is read once for many looks: the leads on each record and, for a plan, whole lists of notes and files.

    `unseen` says why leads cannot be read. `lists`: entity → id → record, `tokens` what they took, and `spared` what
    the looks that they served would have taken.
    """

    leads: Counter[Place] = field(default_factory=Counter)
    unseen: str = ""
    lists: dict[str, dict[int, Mapping[str, Any]]] = field(default_factory=dict)
    tokens: int = 0
    spared: int = 0


async def read_once(session: Session, links: Iterable[Link] = ()) -> Once:
    """Read the leads, and the lists of notes and files where that is cheaper than to read those of the links."""
    once = Once()
    try:
        for archived in (False, True):
            for lead in await session.client.leads(archived=archived):
                for name, entity in _OF_LEAD.items():
                    if lead.get(name):
                        once.leads[entity, int(lead[name])] += 1
    except (Forbidden, NotFound, Rejected) as error:
        once.unseen = error.words
    for entity, count in Counter(link.entity for link in links).items():
        if entity in _V1 and _whole_list(session, entity) < count * price("read", entity):
            before = sum(session.client.budget.by_kind.values())
            pages = session.client.list(entity)  # type: ignore[arg-type]
            records = [record async for page in pages for record in page.records]
            once.lists[entity] = {int(record["id"]): record for record in records}
            once.tokens += sum(session.client.budget.by_kind.values()) - before
    return once


async def read_now(
    session: Session, entity: str, ids: Collection[int], once: Once | None = None
) -> dict[int, Seen]:
    """Every one of the ids as it is now, or was in the lists of `once`, with the counts of what hangs on it."""
    if not ids:
        return {}
    wanted = sorted(ids)
    if once is not None and entity in once.lists:
        once.spared += reading_price(session, entity, len(wanted))
        whole = once.lists[entity]
        known = {number: Seen(whole[number]) for number in wanted if number in whole}
        return {
            **known,
            **{number: await _single(session, entity, number) for number in wanted if number not in known},
        }
    listed = {number: Seen(record) async for number, record in _listed(session, entity, wanted)}
    missing = [number for number in wanted if number not in listed]
    found = await asyncio.gather(*(_single(session, entity, number) for number in missing))
    return {**listed, **dict(zip(missing, found, strict=True))}


async def _listed(
    session: Session, entity: str, ids: Sequence[int]
) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    if entity in _V1:
        if _whole_list(session, entity) <= len(ids) * price("read", entity):
            wanted = set(ids)
            async for page in session.client.list(entity):  # type: ignore[arg-type]
                for record in page.records:
                    if int(record["id"]) in wanted:
                        yield int(record["id"]), record
        return
    counts = ",".join(COUNTS.get(entity, ()))
    for start in range(0, len(ids), IDS):
        pages = session.client.list(
            entity,  # type: ignore[arg-type]
            ids=ids[start : start + IDS],
            params={"include_fields": counts} if counts else None,
        )
        async for page in pages:
            for record in page.records:
                yield int(record["id"]), record


def reading_price(session: Session, entity: str, count: int) -> int:
    """Tokens of reading so many records together that are all there."""
    if entity in _V1:
        return min(_whole_list(session, entity), count * price("read", entity)) if count else 0
    return price("list", entity) * math.ceil(count / IDS)


def _whole_list(session: Session, entity: str) -> int:
    counts = session.ledger.link_counts(session.scope)
    known = sum(n for (name, state), n in counts.items() if name == entity and state in ALIVE)
    return price("list", entity) * (1 + known // page_of(entity))


async def _single(session: Session, entity: str, number: int) -> Seen:
    """A record that no list shows: deleted, archived, or not for our eyes."""
    try:
        record = (await session.client.get(entity, number)).record  # type: ignore[arg-type]
    except NotFound:
        return Seen(None)
    except Forbidden as refusal:
        if refusal.status != HTTPStatus.FORBIDDEN:
            raise
        return Seen(None, hidden=True)
    return Seen(None if record.get("is_deleted") else record)


async def others_on(
    session: Session,
    place: Place,
    record: Mapping[str, Any],
    ours: Mapping[str, Collection[int]],
    once: Once,
) -> list[str]:
    """In words, what hangs on a record beside `ours` (entity → ids); empty where nothing does."""
    expected = {kind: len(ids) for kind, ids in ours.items()}
    return await _hanging(session, place, record, once, expected, lambda kind, _: ours.get(kind, ()))


async def strangers_on(session: Session, place: Place, record: Mapping[str, Any], once: Once) -> str:
    """In words, what hangs on a record that no link names; empty where all of it is ours, or nothing."""
    ledger, scope = session.ledger, session.scope
    found = await _hanging(
        session, place, record, once, {}, lambda kind, ids: ledger.linked_ids(scope, kind, ids)
    )
    return ", ".join(found)


async def _hanging(
    session: Session,
    place: Place,
    record: Mapping[str, Any],
    once: Once,
    expected: Mapping[str, int],
    ours: Callable[[str, set[int]], Collection[int]],
) -> list[str]:
    """In words, what hangs on a record and is not `ours` (of a kind and ids).

    expected: so many of a kind need no look.
    """
    entity, _ = place
    found = [f"leads: {count}"] if (count := once.leads[place]) else []
    for kind, count in _counted(entity, record).items():
        known = expected.get(kind, 0)
        if count <= (_MAIN_PERSON if kind == "further participants" else known):
            continue
        if kind not in _LISTS or (entity, kind) == ("persons", "activities"):
            found.append(f"{kind}: {count - known}")
            continue
        ids = {number async for number in _children(session, place, kind)}
        if others := ids.difference(ours(kind, ids)):
            found.append(f"{kind}: {len(others)}")
    return found


def _counted(entity: str, record: Mapping[str, Any]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, kind in COUNTS.get(entity, {}).items():
        counts[kind] = counts.get(kind, 0) + int(record.get(name) or 0)
    return counts


_LISTS = ("persons", "deals", "activities", "files", "notes")


async def _children(session: Session, place: Place, kind: str) -> AsyncIterator[int]:
    """Ids of one kind of records that hang on a record. An activity's further participants are in no such list."""
    entity, number = place
    for archived in (False, True) if kind == "deals" else (False,):
        if kind == "files":
            pages = session.client.files_of(entity, number)
        else:
            on = {_REFERENCE[entity]: number}
            pages = session.client.list(kind, archived=archived, params=on)  # type: ignore[arg-type]
        async for page in pages:
            for record in page.records:
                yield int(record["id"])


def own_children(records: Iterable[tuple[str, int, Iterable[Place]]]) -> dict[Place, dict[str, set[int]]]:
    """Place → entity → ids of the given records (entity, id, what they hang on) that hang there."""
    found: dict[Place, dict[str, set[int]]] = {}
    for entity, number, places in records:
        for place in places:
            found.setdefault(place, {}).setdefault(entity, set()).add(number)
    return found
