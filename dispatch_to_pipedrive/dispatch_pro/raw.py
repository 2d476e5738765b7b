"""How the feeds advance: from their cursors to new segments, nothing visible until somebody commits both.

An interrupted advance leaves files that no ledger names. Beginning again from the same cursors brings the
same records once more, which changes no winner: the version of a record is chosen by (modified_on,
generation, position), however often it came.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import orjson
import pyarrow as pa
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.errors import BadRecord, Unavailable
from dispatch_to_pipedrive.dispatch_pro.feeds import Feed
from dispatch_to_pipedrive.dispatch_pro.pages import Page, split_carefully, split_quickly
from dispatch_to_pipedrive.dispatch_pro.segments import Landing, Segment, keyed, land_records
from dispatch_to_pipedrive.dispatch_pro.ticks import PER_SECOND, instant

__all__ = ["Advance", "Progress", "Segment", "advance", "land_records"]

T = TypeVar("T")
_PAGE_SIZE = 5000
_FLUSHES = 2  # at once, each takes a few times its segment's size


class Reader(Protocol):
    """What reading needs of the client."""

    async def read(self, path: str, params: Mapping[str, str], parse: Callable[[bytes], T]) -> T:
        """What `parse` makes of the answer at `path`."""


@dataclass(frozen=True)
class Progress:
    """How far one feed has come in this advance."""

    feed: str
    pages: int
    rows: int
    done: bool


@dataclass(frozen=True)
class Advance:
    """What one feed brought. Commit `segments` and `cursor` together, or neither.

    `drained`: the feed has nothing more at the moment. `rows` counts what was read; segments may hold fewer.
    """

    feed: str
    segments: tuple[Segment, ...]
    cursor: str
    drained: bool
    pages: int
    rows: int


@dataclass
class _Course:
    """One feed on its way."""

    client: Reader
    feed: Feed
    landing: Landing
    flushing: asyncio.Semaphore
    report: Callable[[Progress], None]
    pages: int = 0
    rows: int = 0

    async def fetch(self, params: Mapping[str, str]) -> tuple[Page, bytes]:
        """A page, cut but not yet looked into, and its body."""
        return await self.client.read(self.feed.path, {**self.feed.params, **params}, self._cut)

    async def take(self, page: Page, body: bytes) -> tuple[Page, pa.Table]:
        """Look into the page's records and let them land."""
        page, records = await asyncio.to_thread(self._look, page, body)
        self.pages += 1
        self.rows += len(page.records)
        self.landing.add(records)
        if self.landing.full:
            await self.flush()
        self.report(Progress(self.feed.name, self.pages, self.rows, done=not page.has_more))
        return page, records

    def _cut(self, body: bytes) -> tuple[Page, bytes]:
        page = split_quickly(body)
        if self.feed.kind == "export" and not page.continue_from:
            raise ValueError("a page of a feed has continueFrom")
        return page, body

    def _look(self, page: Page, body: bytes) -> tuple[Page, pa.Table]:
        try:
            return page, keyed(self.feed, page.records)
        except BadRecord:
            pass  # cut wrongly, or really bad
        try:
            page = split_carefully(body)
        except ValueError as error:
            raise Unavailable(self.feed.path, 200, f"the page is broken: {error}") from None
        return page, keyed(self.feed, page.records)

    async def flush(self) -> None:
        async with self.flushing:
            await asyncio.to_thread(self.landing.flush)

    async def end(self, cursor: str, *, same: bool = False) -> Advance:
        if same:
            self.landing.discard()
        await self.flush()
        segments = tuple(self.landing.segments)
        return Advance(self.feed.name, segments, cursor, True, self.pages, self.rows)


async def advance(
    client: Reader,
    feeds: Iterable[Feed],
    cursors: Mapping[str, str],
    raw: UPath,
    *,
    recent: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> list[Advance]:
    """Read every feed from its cursor (none: from the beginning) to its end, all at once, into segments.

    `recent` asks the export feeds for what changed within the vendor's horizon of 15 minutes too; such records
    come again later. Raises the first failure after taking back what this call had landed; the cursors are
    the caller's to keep, so nothing is lost by a failure.
    """
    flushing = asyncio.Semaphore(_FLUSHES)
    report = on_progress or (lambda _progress: None)
    courses = [_Course(client, feed, Landing(raw, feed), flushing, report) for feed in feeds]
    tasks: list[asyncio.Task[Advance]] = []
    try:
        async with asyncio.TaskGroup() as group:
            for course in courses:
                cursor = cursors.get(course.feed.name)
                if course.feed.kind == "export":
                    read = _export(course, cursor, recent)
                elif course.feed.kind == "list":
                    read = _list(course, cursor)
                else:
                    read = course.end(cursor or "")
                tasks.append(group.create_task(read))
    except BaseException as error:
        for course in courses:
            course.landing.discard()
        if isinstance(error, BaseExceptionGroup):
            raise error.exceptions[0] from None
        raise
    return [task.result() for task in tasks]


async def _export(course: _Course, cursor: str | None, recent: bool) -> Advance:
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


async def _list(course: _Course, cursor: str | None) -> Advance:
    """A list, whole or from its last modification less the overlap; unchanged content lands nothing."""
    feed = course.feed
    before = orjson.loads(cursor) if cursor else {"since": None, "digest": None}
    params = {"pageSize": str(_PAGE_SIZE)}
    if before["since"] is not None:
        params["modifiedOnOrAfter"] = instant(before["since"])
    content = _Content(None if feed.overlap is None else int(feed.overlap.total_seconds()) * PER_SECOND)
    number = 0
    while True:
        number += 1
        page, records = await course.take(*await course.fetch({**params, "page": str(number)}))
        content.add(page.records, records["modified_on"].to_pylist())
        if not page.has_more:
            break
    after = {"since": content.since, "digest": content.digest}
    if before["since"] is not None and content.newest is None:
        after = before
    return await course.end(orjson.dumps(after).decode(), same=after == before)
