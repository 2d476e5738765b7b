"""One feed on its way: pages are fetched, cut, looked into, and land; what landed is taken back if it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from dispatch_to_pipedrive.dispatch_pro.errors import BadRecord, Unavailable
from dispatch_to_pipedrive.dispatch_pro.feeds import Feed
from dispatch_to_pipedrive.dispatch_pro.pages import Page, split_carefully, split_quickly
from dispatch_to_pipedrive.dispatch_pro.segments import Landing, Segment, keyed

T = TypeVar("T")
PAGE_SIZE = 5000


class Reader(Protocol):
    """What reading needs of the client."""

    async def read(
        self,
        path: str,
        params: Mapping[str, str],
        parse: Callable[[bytes], T],
        question: Mapping[str, Any] | None = None,
    ) -> T:
        """What `parse` makes of the answer at `path`; with a question, of the answer to it."""


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
    `remark`: what people should know of it, else empty. `began`: when reading it began, by the source's clock where it
    tells one. `whole_since`: when the reading of everything began that has ended with this advance; None where only
    what changed was read.
    """

    feed: str
    segments: tuple[Segment, ...]
    cursor: str
    drained: bool
    pages: int
    rows: int
    began: datetime
    remark: str = ""
    whole_since: datetime | None = None


@dataclass
class Course:
    """One feed on its way."""

    client: Reader
    feed: Feed
    landing: Landing
    flushing: asyncio.Semaphore
    report: Callable[[Progress], None]
    began: datetime
    pages: int = 0
    rows: int = 0
    remark: str = ""

    async def fetch(self, params: Mapping[str, str]) -> tuple[Page, bytes]:
        """A page, cut but not yet looked into, and its body."""
        return await self.client.read(self.feed.path, {**self.feed.params, **params}, self._cut)

    async def take(self, page: Page, body: bytes) -> tuple[Page, pa.Table]:
        """Look into the page's records and let them land."""
        page, records = await asyncio.to_thread(self._look, page, body)
        self.pages += 1
        await self.add(records, done=not page.has_more)
        return page, records

    async def land(self, records: Sequence[bytes]) -> None:
        """Let records land that were put together from several answers."""
        await self.add(await asyncio.to_thread(keyed, self.feed, records), done=False)

    async def add(self, records: pa.Table, *, done: bool) -> None:
        """Let records with their keys land, and tell how far the feed is."""
        self.rows += len(records)
        self.landing.add(records)
        if self.landing.full:
            await self.flush()
        self.report(Progress(self.feed.name, self.pages, self.rows, done))

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
        """Write what waits."""
        async with self.flushing:
            await asyncio.to_thread(self.landing.flush)

    async def end(
        self, cursor: str, *, same: bool = False, drained: bool = True, whole_since: datetime | None = None
    ) -> Advance:
        """What the feed brought; with `same` nothing, since it has what it had."""
        if same:
            self.landing.discard()
        await self.flush()
        self.report(Progress(self.feed.name, self.pages, self.rows, done=True))
        segments = tuple(self.landing.segments)
        return Advance(
            feed=self.feed.name,
            segments=segments,
            cursor=cursor,
            drained=drained,
            pages=self.pages,
            rows=self.rows,
            began=self.began,
            remark=self.remark,
            whole_since=whole_since,
        )


async def whole_list(client: Reader, path: str, params: Mapping[str, str]) -> list[bytes]:
    """The verbatim records of a list, all its pages."""
    found: list[bytes] = []
    number = 0
    while True:
        number += 1
        page = await client.read(
            path, {**params, "page": str(number), "pageSize": str(PAGE_SIZE)}, split_carefully
        )
        found += page.records
        if not page.has_more:
            return found
