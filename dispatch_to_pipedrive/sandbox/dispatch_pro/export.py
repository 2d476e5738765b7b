"""How a feed answers: everything in the order of change, from a token or a date on, a quarter of an hour late."""

import base64
import binascii
from dataclasses import dataclass

import numpy as np
import orjson
from starlette.datastructures import QueryParams

from .errors import invalid
from .listing import active_choice, flag, moment
from .resource import Resource
from .table import Table

EXPORT_PAGE = 500
Mark = tuple[int, int]
START: Mark = (0, 0)
_LAST_ID = 2**62


@dataclass(frozen=True)
class Feeds:
    """The rules of all feeds of a tenant: rows a page, and after how many ticks a change shows."""

    page: int
    lag: int


def export_page(
    table: Table, resource: Resource, query: QueryParams, rules: Feeds, now: int
) -> tuple[bytes, int]:
    """The body of one page of a feed and its number of rows.

    With `includeRecentChanges` the feed shows what is younger than the lag, too; its last token then points no
    further than the lag, so the same records come again, as the vendor warns.
    """
    recent = flag(query, "includeRecentChanges")
    mark = _mark(query.get("from"), resource.feed)
    horizon: Mark = (now - rules.lag, _LAST_ID)
    end = table.after(*horizon) if rules.lag and not recent else len(table.order)
    places = np.arange(min(table.after(*mark), end), end, dtype=np.int64)
    if resource.export_active is not None:
        choice = active_choice(query, "active", resource.export_active)
        if choice != "Any":
            places = places[table.active[table.order[places]] == (choice == "True")]
    rows = table.order[places[: rules.page]]
    more = len(places) > len(rows)
    if len(rows):
        mark = (int(table.modified[rows[-1]]), int(table.ids[rows[-1]]))
    if recent and not more:
        mark = min(mark, horizon)
    records = table.read(rows)
    body = {"hasMore": more, "continueFrom": _write_token(resource.feed, mark), "data": records}
    return orjson.dumps(body), len(records)


def _mark(text: str | None, feed: str) -> Mark:
    """The (ticks, id) behind which `from` says to go on: of a token, or of a date, inclusive."""
    if not text:
        return START
    token = _read_token(text)
    if token is None:
        return moment("from", text) - 1, _LAST_ID
    name, mark = token
    if name != feed:
        raise invalid("from", "The continuation token belongs to another endpoint.")
    return mark


def _write_token(feed: str, mark: Mark) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([feed, *mark])).decode()


def _read_token(text: str) -> tuple[str, Mark] | None:
    try:
        feed, ticks, record_id = orjson.loads(base64.urlsafe_b64decode(text.encode()))
        return str(feed), (int(ticks), int(record_id))
    except (binascii.Error, ValueError, TypeError):
        return None
