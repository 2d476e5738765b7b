"""How the feeds advance: from their cursors to new segments, nothing visible until somebody commits both.

An interrupted advance leaves files that no ledger names. Beginning again from the same cursors brings the
same records once more, which changes no winner: the version of a record is chosen by (modified_on,
generation, position), however often it came.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.contacts import read_contacts
from dispatch_to_pipedrive.dispatch_pro.course import PAGE_SIZE, Advance, Course, Progress, Reader
from dispatch_to_pipedrive.dispatch_pro.errors import Forbidden, NotFound, Unavailable
from dispatch_to_pipedrive.dispatch_pro.feeds import Feed
from dispatch_to_pipedrive.dispatch_pro.mail import read_mail
from dispatch_to_pipedrive.dispatch_pro.pages import Page
from dispatch_to_pipedrive.dispatch_pro.parents import PORTION, Files, read_parents
from dispatch_to_pipedrive.dispatch_pro.placement.due import due_parents
from dispatch_to_pipedrive.dispatch_pro.placement.index import CommittedSegment
from dispatch_to_pipedrive.dispatch_pro.placement.latest import latest_records
from dispatch_to_pipedrive.dispatch_pro.scopes import scope_of
from dispatch_to_pipedrive.dispatch_pro.segments import Landing, Segment, land_records
from dispatch_to_pipedrive.dispatch_pro.ticks import PER_SECOND, instant

__all__ = ["Advance", "Extent", "Progress", "Segment", "advance", "land_records"]

_FLUSHES = 2  # at once, each takes a few times its segment's size
_CAPACITY = timedelta(days=14)  # as much as the vendor answers at once


@dataclass(frozen=True)
class Extent:
    """How far an advance goes beyond its cursors.

    committed: all segments before it; without them every parent counts as new. read_at: feed → the newest generation
    that was there after its last reading; parents that anything newer names are asked. sweep: ask all parents, contacts
    and what is free for booking once more. files: how to look at attachments; without it only their names are known.
    emails: exported e-mails, a .csv or a folder. portion: most parents of one feed when all are asked; what remains
    is left to the next advance. recent: ask the export feeds for what changed within the vendor's
    horizon of 15 minutes too; such records come again later. now: the source's clock, where it tells one.
    """

    committed: Sequence[CommittedSegment] = ()
    read_at: Mapping[str, int] = field(default_factory=dict)
    sweep: bool = False
    files: Files | None = None
    emails: Path | None = None
    recent: bool = False
    portion: int = PORTION
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


async def advance(
    client: Reader,
    feeds: Iterable[Feed],
    cursors: Mapping[str, str],
    raw: UPath,
    extent: Extent | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
) -> list[Advance]:
    """Read every feed from its cursor (none: from the beginning) to its end, all at once, into segments.

    What is read parent by parent comes after the rest, since that tells which parents are due, and so do e-mails.
    Raises the first failure after taking back what this call had landed; the cursors are the caller's to keep, so
    nothing is lost by a failure.
    """
    extent = extent or Extent()
    flushing = asyncio.Semaphore(_FLUSHES)
    report = on_progress or (lambda _progress: None)
    began = extent.now()
    courses = {feed.name: Course(client, feed, Landing(raw, feed), flushing, report, began) for feed in feeds}
    tasks: dict[str, asyncio.Task[Advance]] = {}
    try:
        async with asyncio.TaskGroup() as group:
            for name, course in courses.items():
                if (read := _reading(course, cursors.get(name), extent, raw)) is not None:
                    tasks[name] = group.create_task(read)
        found = {name: task.result() for name, task in tasks.items()}
        found |= await _after(courses, cursors, extent, raw, list(found.values()))
    except BaseException as error:
        for course in courses.values():
            course.landing.discard()
        if isinstance(error, BaseExceptionGroup):
            raise _first(error) from None
        raise
    return [found[name] for name in courses]


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first failure itself: a feed that reads several things at once has a group of its own."""
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _reading(
    course: Course, cursor: str | None, extent: Extent, raw: UPath
) -> Coroutine[Any, Any, Advance] | None:
    """How a feed is read that needs no other; None for those that do."""
    match course.feed.kind:
        case "export":
            return _export(course, cursor, extent.recent)
        case "list":
            return _list(course, cursor)
        case "object":
            return _object(course, cursor)
        case "capacity":
            return _capacity(course, cursor, extent)
        case "contacts":
            return _contacts(course, cursor, extent, raw)
        case "parent" | "mail":
            return None


async def _after(
    courses: Mapping[str, Course],
    cursors: Mapping[str, str],
    extent: Extent,
    raw: UPath,
    before: Sequence[Advance],
) -> dict[str, Advance]:
    """The feeds for which the others must have landed."""
    generation = 1 + max((segment.generation for segment in extent.committed), default=0)
    landed = [CommittedSegment(generation, one.feed, seg.path) for one in before for seg in one.segments]
    found: dict[str, Advance] = {}
    for (
        name,
        course,
    ) in courses.items():  # first, because people wrote them: a mistake is told before hours of calls
        if course.feed.kind == "mail":
            found[name] = await read_mail(
                course, extent.emails, cursors.get(name), raw, extent.committed, landed
            )
    with due_parents(raw, extent.committed, landed, extent.read_at) as due:
        for name, course in courses.items():
            if course.feed.kind == "parent":
                found[name] = await read_parents(
                    course,
                    due,
                    cursors.get(name),
                    sweep=extent.sweep,
                    files=extent.files,
                    now=extent.now(),
                    portion=extent.portion,
                )
    return found


async def _contacts(course: Course, cursor: str | None, extent: Extent, raw: UPath) -> Advance:
    with latest_records(raw, course.feed.name, extent.committed) as latest:
        return await read_contacts(course, latest, cursor, sweep=extent.sweep)


async def _object(course: Course, cursor: str | None) -> Advance:
    """One thing that is no list; it has no id, so it gets one."""

    def verbatim(body: bytes) -> bytes:
        if not isinstance(orjson.loads(body), dict):
            raise ValueError("not a JSON object")
        inside = body.strip()[1:-1].strip()
        return b'{"id":1,' + inside + b"}" if inside else b'{"id":1}'

    try:
        record = await course.client.read(course.feed.path, course.feed.params, verbatim)
    except (NotFound, Forbidden) as refusal:
        return await _absent(course, cursor, refusal)
    digest = hashlib.sha256(record).hexdigest()
    if digest != cursor:
        await course.land([record])
    return await course.end(digest)


async def _capacity(course: Course, cursor: str | None, extent: Extent) -> Advance:
    """What is free within the next days; the answer changes with every booking, so it is asked once and in sweeps."""
    if cursor and not extent.sweep:
        return await course.end(cursor)
    start = extent.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    question = {
        "startsOnOrAfter": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "endsOnOrBefore": (start + _CAPACITY).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "skillBasedAvailability": False,
    }
    try:
        answer = await course.client.read(course.feed.path, {}, orjson.loads, question)
    except (NotFound, Forbidden) as refusal:
        return await _absent(course, cursor, refusal)
    frees = [{"id": _slot(one), **one} for one in answer.get("availabilities") or ()]
    digest = hashlib.sha256(orjson.dumps(frees)).hexdigest()
    if frees and digest != cursor:
        stamped = [orjson.dumps({**one, "timeStamp": answer.get("timeStamp")}) for one in frees]
        await course.land(stamped)
    return await course.end(digest)


def _slot(free: Mapping[str, Any]) -> str:
    units = ",".join(map(str, sorted(free.get("businessUnitIds") or ())))
    return f"{free['startUtc']}/{free['endUtc']}/{units}"


async def _absent(course: Course, cursor: str | None, refusal: NotFound | Forbidden) -> Advance:
    """Reference data that the tenant lacks or the app may not see: nothing depends on it, so it is only said."""
    what = course.feed.name.replace("_", " ")
    course.remark = (
        f"the tenant has no {what}: Dispatch Pro answered 404"
        if isinstance(refusal, NotFound)
        else f"the app may not read {what}: tick {scope_of(course.feed)} in the app"
    )
    return await course.end(cursor or "")


async def _export(course: Course, cursor: str | None, recent: bool) -> Advance:
    """A feed to its end; each page is asked for while the one before it lands."""
    options = {"includeRecentChanges": "true"} if recent else {}

    def ask(at: str | None) -> asyncio.Task[tuple[Page, bytes]]:
        return asyncio.create_task(course.fetch(options | ({"from": at} if at else {})))

    coming = ask(cursor)
    try:
        while True:
            page, body = await coming
            if page.has_more and not page.records and page.continue_from == cursor:
                raise Unavailable(
                    course.feed.path, 200, "the feed says that it has more and does not move on."
                )
            cursor = page.continue_from or ""
            if page.has_more:
                coming = ask(cursor)
            await course.take(page, body)
            if not page.has_more:
                return await course.end(cursor)
    finally:
        coming.cancel()


@dataclass
class _Content:
    """What a list holds, whatever its order: a digest of the records from `since` on."""

    overlap: int | None  # ticks
    newest: int | None = None
    _sums: list[tuple[int, int]] = field(default_factory=list)

    def add(self, records: Iterable[bytes], modified: Iterable[int | None]) -> None:
        hashed = (int.from_bytes(hashlib.sha256(record).digest()) for record in records)
        self._sums += zip((tick or 0 for tick in modified), hashed, strict=True)
        self.newest = max((tick for tick, _ in self._sums), default=None)
        if (since := self.since) is not None:
            self._sums = [(tick, value) for tick, value in self._sums if tick >= since]

    @property
    def since(self) -> int | None:
        if self.overlap is None or self.newest is None:
            return None
        return self.newest - self.overlap

    @property
    def digest(self) -> str:
        total = sum({value for _, value in self._sums}) % (1 << 256)
        return f"{total:064x}"


async def _list(course: Course, cursor: str | None) -> Advance:
    """A list, whole or from its last modification less the overlap; unchanged content lands nothing."""
    feed = course.feed
    before = orjson.loads(cursor) if cursor else {"since": None, "digest": None}
    params = {"pageSize": str(PAGE_SIZE)}
    if before["since"] is not None:
        params["modifiedOnOrAfter"] = instant(before["since"])
    content = _Content(None if feed.overlap is None else int(feed.overlap.total_seconds()) * PER_SECOND)
    number = 0
    while True:
        number += 1
        try:
            fetched = await course.fetch({**params, "page": str(number)})
        except (NotFound, Forbidden) as refusal:
            if not feed.optional or number > 1:
                raise
            return await _absent(course, cursor, refusal)
        page, records = await course.take(*fetched)
        content.add(page.records, records["modified_on"].to_pylist())
        if not page.has_more:
            break
    after = {"since": content.since, "digest": content.digest}
    if before["since"] is not None and content.newest is None:
        after = before
    return await course.end(orjson.dumps(after).decode(), same=after == before)
