"""A source that answers lists from a dictionary of paths, and advances over it, generation by generation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import orjson
import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.errors import NotFound
from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS, ROOT_BOUND
from dispatch_to_pipedrive.dispatch_pro.placement import (
    CommittedSegment,
    build_placement,
    read_batch,
)
from dispatch_to_pipedrive.dispatch_pro.raw import Advance, Extent, advance

from .worlds import Record

T = TypeVar("T")
CRM, JPM, FORMS = (f"/{module}/v2/tenant/{{tenant}}" for module in ("crm", "jpm", "forms"))


class Shelves:
    """`lists`: path → records or one record, 404 for what is not there; `asked`: what the last advance asked.

    `refusals`: path → what is raised there instead.
    """

    def __init__(self) -> None:
        self.lists: dict[str, list[Record] | Record] = {}
        self.refusals: dict[str, Exception] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    async def read(
        self,
        path: str,
        params: Mapping[str, str],
        parse: Callable[[bytes], T],
        question: Mapping[str, Any] | None = None,
    ) -> T:
        self.asked.append((path, dict(params)))
        if path in self.refusals:
            raise self.refusals[path]
        if path not in self.lists:
            raise NotFound(path, 404, "nothing here")
        if isinstance(self.lists[path], dict):
            return parse(orjson.dumps(self.lists[path]))
        page = {"hasMore": False, "continueFrom": f"token-{len(self.asked)}", "data": self.lists[path]}
        return parse(orjson.dumps(page))


class Road:
    """Advances of some feeds, each committed as the next generation."""

    def __init__(self, data: UPath, *feeds: str) -> None:
        self.data, self.feeds, self.shelves = data, [FEEDS[name] for name in feeds], Shelves()
        self.cursors: dict[str, str] = {}
        self.read_at: dict[str, int] = {}
        self.segments: list[CommittedSegment] = []
        self.generation = 0

    async def advance(self, extent: Extent | None = None, **exported: Sequence[Record]) -> dict[str, Advance]:
        """One advance; `exported` are the records that the export feeds bring."""
        for feed in self.feeds:
            if feed.kind == "export":
                self.shelves.lists[feed.path] = list(exported.get(feed.name, ()))
        self.shelves.asked.clear()
        found = await advance(
            self.shelves,
            self.feeds,
            self.cursors,
            self.data / "raw",
            replace(extent or Extent(), committed=self.segments, read_at=self.read_at),
        )
        self.cursors |= {one.feed: one.cursor for one in found}
        landed = [(one.feed, segment.path) for one in found for segment in one.segments]
        if landed:
            self.generation += 1
            self.segments += [CommittedSegment(self.generation, *one) for one in landed]
        self.read_at |= {one.feed: self.generation for one in found}
        return {one.feed: one for one in found}

    def frames(self) -> dict[str, pd.DataFrame]:
        """The frames of these feeds as of the newest generation, of customers 0 to 9."""
        build_placement(self.data, self.segments, self.generation)
        bound = [feed.name for feed in self.feeds if feed.name in ROOT_BOUND]
        return read_batch(self.data, self.generation, range(10), bound)

    def asked(self, start: str) -> list[str]:
        """The ends of the paths with this start that the last advance asked."""
        return sorted(path.removeprefix(start) for path, _ in self.shelves.asked if path.startswith(start))
