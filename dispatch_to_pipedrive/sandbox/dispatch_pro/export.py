"""How a feed answers: everything in the order of change, from a token or a date on, a quarter of an hour late."""

import base64
import binascii
from dataclasses import dataclass

import numpy as np
import orjson
from starlette.datastructures import QueryParams

from .errors import invalid
from .listing import active_choice, flag, moment
from .resources import Resource
from .table import Table
from .times import Ints

EXPORT_PAGE = 500
START = (0, 0)
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

    With `includeRecentChanges` the feed shows what is younger than the lag, too; its last token then points before
    that, so the same records come again, as the vendor warns.
    """
    recent = flag(query, "includeRecentChanges")
    after = _position(table, query.get("from"), resource.feed)
    horizon = int(np.searchsorted(table.modified[table.order], now - rules.lag, side="right"))
    end = len(table.order) if recent else horizon
    places = np.arange(min(after, end), end, dtype=np.int64)
    if resource.export_active is not None:
        choice = active_choice(query, "active", resource.export_active)
        if choice != "Any":
            places = places[table.active[table.order[places]] == (choice == "True")]
    chosen = places[: rules.page]
    more = len(places) > len(chosen)
    token = _token(table, resource.feed, after, chosen, horizon if recent and not more else None)
    records = table.read(table.order[chosen])
    return orjson.dumps({"hasMore": more, "continueFrom": token, "data": records}), len(records)


def _position(table: Table, text: str | None, feed: str) -> int:
    """The place in the table's order at which `from` says to go on."""
    if not text:
        return 0
    mark = _read_token(text)
    if mark is None:
        return table.after(moment("from", text) - 1, _LAST_ID)
    name, ticks, record_id = mark
    if name != feed:
        raise invalid("from", "The continuation token belongs to another endpoint.")
    return table.after(ticks, record_id)


def _token(table: Table, feed: str, after: int, chosen: Ints, horizon: int | None) -> str:
    """Where to go on: behind the last record given, or at the horizon; with nothing given, where the call began."""
    place = int(chosen[-1]) if len(chosen) else after - 1
    if horizon is not None:
        place = min(place, horizon - 1)
    row = int(table.order[place]) if place >= 0 else -1
    ticks, record_id = START if row < 0 else (int(table.modified[row]), int(table.ids[row]))
    return base64.urlsafe_b64encode(orjson.dumps([feed, ticks, record_id])).decode()


def _read_token(text: str) -> tuple[str, int, int] | None:
    try:
        feed, ticks, record_id = orjson.loads(base64.urlsafe_b64decode(text.encode()))
        return str(feed), int(ticks), int(record_id)
    except (binascii.Error, ValueError, TypeError):
        return None
