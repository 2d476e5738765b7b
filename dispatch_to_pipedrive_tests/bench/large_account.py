"""An account with far more records than a sandbox could be filled with: real pages first, made-up ones after them.

The made-up records repeat the last real one of their entity under ids and stamps of their own; the ledger knows them.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import httpx
import orjson

from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.migration.stamps import stamp_for, stamp_of
from dispatch_to_pipedrive.migration.values import Link
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

FIRST = 10_000_000
"""Id, and number in the source key, of the first made-up record."""
PAGE = 500
_GROUP = 20_000
ROLES = {
    "organizations": "customer:{}/organization",
    "persons": "customer:{}/person",
    "deals": "job:{}/deal",
    "activities": "appointment:{}/activity",
    "files": "attachment:{}/file",
    "notes": "job_note:{}/note",
}
COUNTED = ("files", "notes")
"""Their lists are those of v1, which names no place but counts."""


def know(ledger: Ledger, scope: Scope, fence: int, counts: Mapping[str, int]) -> None:
    """Write a link for each made-up record to the ledger."""
    for entity, count in counts.items():
        for start in range(FIRST, FIRST + count, _GROUP):
            links = [
                Link(entity, ROLES[entity].format(n), n, "live", n, 1, "made up")
                for n in range(start, min(start + _GROUP, FIRST + count))
            ]
            ledger.record(scope, fence, links=links)


class Grown(httpx.AsyncBaseTransport):
    """Hands requests on; after the last page of a list of records it goes on with made-up ones."""

    def __init__(self, schema: AccountSchema, counts: Mapping[str, int]) -> None:
        self._real = httpx.AsyncHTTPTransport()
        self._schema = schema
        self._counts = counts
        self._patterns: dict[str, tuple[bytes, bytes]] = {}
        self._ends: dict[str, int] = {}
        self._date = ""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One page, or whatever else was asked for."""
        version, _, entity = request.url.path.removeprefix("/api/").partition("/")
        wanted = "v1" if entity in COUNTED else "v2"
        if request.method != "GET" or entity not in self._counts or version != wanted:
            return await self._real.handle_async_request(request)
        if entity in COUNTED:
            return await self._counted(entity, request)
        cursor = parse_qs(request.url.query.decode()).get("cursor", [""])[0]
        if cursor.startswith("more:"):
            start = int(cursor.removeprefix("more:"))
            records = self._more(entity, start, PAGE)
            end = start + len(records)
            going_on = f"more:{end}" if end < self._counts[entity] else None
            return self._answer(b"[" + b",".join(records) + b"]", {"next_cursor": going_on})
        answer = await self._real.handle_async_request(request)
        body = orjson.loads(await answer.aread())
        await answer.aclose()
        self._date = answer.headers["date"]
        following = body["additional_data"]["next_cursor"]
        if following is None:
            self._learn(entity, body["data"][-1])
            following = "more:0"
        return self._answer(orjson.dumps(body["data"]), {"next_cursor": following})

    async def _counted(self, entity: str, request: httpx.Request) -> httpx.Response:
        """One page of a list of v1: real records up to their end, made-up ones behind it."""
        query = parse_qs(request.url.query.decode())
        start, limit = int(query["start"][0]), int(query["limit"][0])
        real: list[dict[str, Any]] = []
        if start < self._ends.get(entity, start + 1):
            answer = await self._real.handle_async_request(request)
            body = orjson.loads(await answer.aread())
            await answer.aclose()
            self._date, real = answer.headers["date"], body["data"] or []
            if body["additional_data"]["pagination"]["more_items_in_collection"]:
                return self._answer(orjson.dumps(real), body["additional_data"])
            self._ends[entity] = start + len(real)
            self._learn(entity, real[-1])
        before = max(0, start - self._ends[entity])
        records = [*map(orjson.dumps, real), *self._more(entity, before, limit - len(real))]
        more = start + limit < self._ends[entity] + self._counts[entity]
        paging = {"start": start, "limit": limit, "more_items_in_collection": more}
        return self._answer(b"[" + b",".join(records) + b"]", {"pagination": paging})

    async def aclose(self) -> None:
        """Close the real connections."""
        await self._real.aclose()

    def _learn(self, entity: str, record: dict[str, Any]) -> None:
        stamp = stamp_of(self._schema, entity, record)
        if stamp is None and entity != "files":
            raise AssertionError(f"the last of the {entity} bears no stamp")
        number = stamp.split("/")[0].split(":")[1] if stamp else ""
        text = orjson.dumps({**record, "id": 0})
        if stamp and entity in ("activities", "notes"):  # of whatever kind the last one is
            text = text.replace(stamp_for(stamp).encode(), stamp_for(ROLES[entity].format(number)).encode())
        self._patterns[entity] = (text, number.encode())

    def _more(self, entity: str, start: int, most: int) -> list[bytes]:
        text, number = self._patterns[entity]
        end = min(start + most, self._counts[entity])
        numbers = [b"%d" % n for n in range(FIRST + start, FIRST + end)]
        texts = [text.replace(number, n) if number else text for n in numbers]
        return [one.replace(b'"id":0', b'"id":' + n, 1) for one, n in zip(texts, numbers, strict=True)]

    def _answer(self, records: bytes, more: Mapping[str, Any]) -> httpx.Response:
        content = b'{"success":true,"data":' + records + b',"additional_data":' + orjson.dumps(more) + b"}"
        headers = {"content-type": "application/json", "date": self._date}
        return httpx.Response(200, headers=headers, content=content)
