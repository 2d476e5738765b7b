"""Has the export brought everything up to a moment, and how far behind is it?

A feed shows a change late, by its horizon. So all that happened until the freeze has arrived when every feed has come
to its end in a reading that began after the freeze plus the horizon, and when what is asked parent by parent was read
as a whole in a sweep that began after that, too, and once more since the others brought anything.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatch_to_pipedrive.migration.values import Poll


@dataclass(frozen=True)
class Undrained:
    """A feed that may still hold something back, and why."""

    feed: str
    words: str


def undrained(
    polls: Mapping[str, Poll],
    moment: datetime,
    horizon: timedelta,
    *,
    feeds: Collection[str],
    swept: Collection[str],
) -> list[Undrained]:
    """Which of `feeds` may still hold something back that happened until `moment`; none, if the export is drained.

    polls: `ledger.polls()`. moment: aware, by the source's clock. swept: those of the feeds that need a sweep besides.
    """
    after = moment + horizon
    others = [polls[feed].generation for feed in feeds if feed in polls and feed not in swept]
    return [
        Undrained(feed, words)
        for feed in feeds
        if (words := _why(polls.get(feed), after, horizon, max(others, default=0) if feed in swept else None))
    ]


def _why(poll: Poll | None, after: datetime, horizon: timedelta, others: int | None) -> str:
    """others: of a feed that needs a sweep, the newest generation that was there when the other feeds were read."""
    due = f"{after:%Y-%m-%d %H:%M:%S} UTC, the freeze and {horizon.total_seconds() / 60:g} minutes"
    if poll is None:
        return "was never read to its end"
    if (began := datetime.fromisoformat(poll.began_at)) <= after:
        return f"was last read to its end from {began:%Y-%m-%d %H:%M:%S} on, and that must begin after {due}"
    if others is None:
        return ""
    if not poll.whole_since:
        return f"was never read as a whole; a sweep must begin after {due}"
    if (since := datetime.fromisoformat(poll.whole_since)) <= after:
        return f"was last swept from {since:%Y-%m-%d %H:%M:%S} on; the last sweep must begin after {due}"
    if poll.generation < others:
        return "was not read since other feeds brought something: what is new there was not asked for it yet"
    return ""


def lag_seconds(
    polls: Mapping[str, Poll], now: datetime, horizon: timedelta, *, feeds: Collection[str]
) -> float | None:
    """How old a change at the source can be at most without having arrived; None while a feed was never read.

    now: aware, by our clock.
    """
    since = arrived_until(polls, horizon, feeds=feeds)
    return None if since is None else (now - since).total_seconds()


def arrived_until(
    polls: Mapping[str, Poll], horizon: timedelta, *, feeds: Collection[str]
) -> datetime | None:
    """The moment by our clock before which every change has arrived; None while a feed was never read."""
    if any(feed not in polls for feed in feeds):
        return None
    return min(datetime.fromisoformat(polls[feed].at) for feed in feeds) - horizon
