"""How are the pages of a list read: by the cursor that v2 gives, or by counting, as v1 does?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping
from itertools import pairwise
from typing import Protocol

from dispatch_to_pipedrive.pipedrive.answers import Page, Records, Reply, records_of
from dispatch_to_pipedrive.pipedrive.budget import Kind
from dispatch_to_pipedrive.pipedrive.errors import Rejected

PAGE = 500
"""Records a page, where a list takes no fewer."""


class Read(Protocol):
    """Asks for one page: path, query, tokens, what they are spent on."""

    def __call__(
        self, path: str, query: Mapping[str, str | int] | None, price: int, kind: Kind
    ) -> Awaitable[Reply]: ...


async def by_cursor(
    read: Read, path: str, query: dict[str, str | int], price: int, kind: Kind, cursor: str | None = None
) -> AsyncIterator[Page]:
    """Pages of a v2 list, from a cursor on."""
    while True:
        if cursor is not None:
            query["cursor"] = cursor
        reply = await read(path, query, price, kind)
        cursor = reply.more.get("next_cursor")
        yield Page(records_of(reply.data, path), reply.date, price, cursor)
        if cursor is None:
            return


async def by_offset(read: Read, path: str, price: int, kind: Kind) -> Records:
    """All records of a v1 list, which counts them instead of naming a place."""
    records: Records = []
    start = 0
    while True:
        reply = await read(path, {"start": start, "limit": PAGE}, price, kind)
        page = records_of(reply.data, path)
        records += page
        paging = reply.more.get("pagination") or reply.more
        if not paging.get("more_items_in_collection") or not page:
            return records
        start = int(paging.get("next_start") or start + len(page))


async def by_id(
    read: Read, path: str, query: Mapping[str, str | int], price: int, limit: int
) -> AsyncIterator[Page]:
    """Pages of a v1 list in the order of ids, none left out where others delete meanwhile.

    A deletion moves all that follows to the front. So each page begins with the last record of the one before, and
    where that is not so, reading goes back.
    """
    start, last = 0, 0
    while True:
        asked = {"start": start, "limit": limit, "sort": "id ASC", **query}
        reply = await read(path, asked, price, "read")
        page = records_of(reply.data, path)
        ids = [int(record["id"]) for record in page]
        if any(one >= following for one, following in pairwise(ids)):
            raise Rejected(
                "the list is not in the order of ids, as it was asked for", method="GET", path=path
            )
        if start and (not ids or ids[0] > last):
            start = max(0, start - limit + 1)
            continue
        yield Page(
            [record for record, number in zip(page, ids, strict=True) if number > last], reply.date, price
        )
        if not ids or not (reply.more.get("pagination") or {}).get("more_items_in_collection"):
            return
        start, last = start + max(1, len(ids) - 1), max(last, ids[-1])
