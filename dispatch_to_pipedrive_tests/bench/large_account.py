"""An account with far more records than a sandbox could be filled with: real pages first, made-up ones after them.

The made-up records repeat the last real one of their entity under ids and stamps of their own; the ledger knows them.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import httpx
import orjson

from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.migration.stamps import stamp_of
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
}


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
        self._date = ""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One page, or whatever else was asked for."""
        entity = request.url.path.removeprefix("/api/v2/")
        if request.method != "GET" or entity not in self._counts:
            return await self._real.handle_async_request(request)
        cursor = parse_qs(request.url.query.decode()).get("cursor", [""])[0]
        if cursor.startswith("more:"):
            return self._answer(*self._more(entity, int(cursor.removeprefix("more:"))))
        answer = await self._real.handle_async_request(request)
        body = orjson.loads(await answer.aread())
        await answer.aclose()
        self._date = answer.headers["date"]
        following = body["additional_data"]["next_cursor"]
        if following is None:
            self._learn(entity, body["data"][-1])
            following = "more:0"
        return self._answer(orjson.dumps(body["data"]), following)

    async def aclose(self) -> None:
        """Close the real connections."""
        await self._real.aclose()

    def _learn(self, entity: str, record: dict[str, Any]) -> None:
        stamp = stamp_of(self._schema, entity, record)
        if stamp is None:
            raise AssertionError(f"the last of the {entity} bears no stamp")
        number = stamp.split("/")[0].split(":")[1].encode()
        self._patterns[entity] = (orjson.dumps({**record, "id": 0}), number)

    def _more(self, entity: str, start: int) -> tuple[bytes, str | None]:
        text, number = self._patterns[entity]
        end = min(start + PAGE, self._counts[entity])
        numbers = [b"%d" % n for n in range(FIRST + start, FIRST + end)]
        records = [text.replace(number, n).replace(b'"id":0', b'"id":' + n, 1) for n in numbers]
        return b"[" + b",".join(records) + b"]", f"more:{end}" if end < self._counts[entity] else None

    def _answer(self, records: bytes, cursor: str | None) -> httpx.Response:
        content = b'{"success":true,"data":' + records + b',"additional_data":{"next_cursor":'
        content += orjson.dumps(cursor) + b"}}"
        headers = {"content-type": "application/json", "date": self._date}
        return httpx.Response(200, headers=headers, content=content)
