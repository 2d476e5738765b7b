"""May this request come in now? Token prices against the day's budget, the rolling burst window, the long stop.

The burst runs on the machine's monotonic clock, because real clients run on it; the day follows the sandbox's clock
and ends at midnight UTC.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import plans
from .account import Account
from .errors import Refused, too_many

WINDOW = 2.0
DAY = 86_400


class Blocked(Exception):
    """The gateway has had enough: HTML 403 until the cool-off is over."""


@dataclass
class Meter:
    """What the last request left over, for the headers."""

    limit: int
    remaining: int
    reset: float


class Window:
    """At most `limit` requests in any 2 seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._times: deque[float] = deque()
        self.high_water = 0

    def meter(self, limit: int) -> Meter:
        """How full the window is now."""
        now = self._monotonic()
        while self._times and self._times[0] <= now - WINDOW:
            self._times.popleft()
        reset = self._times[0] + WINDOW - now if self._times else WINDOW
        return Meter(limit, limit - len(self._times), reset)

    def enter(self) -> None:
        """Count a request."""
        self._times.append(self._monotonic())
        self.high_water = max(self.high_water, len(self._times))


class Limits:
    """The limits of one account: a day's tokens for the company, a burst for the token of each user."""

    def __init__(
        self, account: Account, *, enforced: bool = True, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.account = account
        self.enforced = enforced
        self.monotonic = monotonic
        self.day = account.now() // DAY
        self.spent = 0
        self.total = 0
        self.block_after = 60  # refusals in `block_within` seconds that a client may cause
        self.block_within = 10.0
        self.cool_off = 60.0
        self.overrides: dict[str, int] = {}
        self.reset_windows()

    def reset_windows(self) -> None:
        """Forget what came in within the last seconds, and the block."""
        self.window = Window(self.monotonic)
        self.search = Window(self.monotonic)
        self._others: dict[int, tuple[Window, Window]] = {}
        self._refusals: deque[float] = deque()
        self._blocked_until = 0.0

    @property
    def daily(self) -> int:
        """The company's tokens for a day."""
        plan = self.account.plan
        return self.overrides.get("daily_tokens", plans.BASE_TOKENS * plan.multiplier * self.account.seats)

    @property
    def burst(self) -> int:
        """Requests in 2 seconds."""
        return self.overrides.get("burst", self.account.plan.burst)

    def admit(self, cost: int, *, search: bool, user: int = 1) -> list[tuple[bytes, bytes]]:
        """Charge a request and give its headers; raises Refused (429) or Blocked."""
        self._new_day()
        window, searches = self._windows(user)
        if not self.enforced:
            self._charge(cost)
            window.meter(self.burst)
            window.enter()
            return []
        self._still_blocked()
        meter = window.meter(self.burst)
        asked = searches.meter(plans.SEARCH_BURST) if search else None
        if meter.remaining <= 0 or (asked and asked.remaining <= 0):
            full = asked if asked and asked.remaining <= 0 else meter
            raise self._refuse(full)
        if self.spent + cost > self.daily:
            raise self._refuse(meter)
        self._charge(cost)
        window.enter()
        meter.remaining -= 1
        if asked:
            searches.enter()
            meter = Meter(asked.limit, min(asked.remaining - 1, meter.remaining), asked.reset)
        return self._headers(meter)

    def _windows(self, user: int) -> tuple[Window, Window]:
        """The windows of all requests and of searches; `window` and `search` are those of the first user's token."""
        if user == 1:
            return self.window, self.search
        return self._others.setdefault(user, (Window(self.monotonic), Window(self.monotonic)))

    def _charge(self, cost: int) -> None:
        self.spent += cost
        self.total += cost

    def _new_day(self) -> None:
        today = self.account.now() // DAY
        if today != self.day:
            self.day, self.spent = today, 0

    def _headers(self, meter: Meter) -> list[tuple[bytes, bytes]]:
        made = [
            (b"x-ratelimit-limit", b"%d" % meter.limit),
            (b"x-ratelimit-remaining", b"%d" % max(0, meter.remaining)),
            (b"x-ratelimit-reset", b"%d" % max(1, -int(-meter.reset // 1))),
        ]
        if self.account.habits["daily_headers"]:
            made.append((b"x-daily-ratelimit-token-limit", b"%d" % self.daily))
            made.append((b"x-daily-ratelimit-token-remaining", b"%d" % max(0, self.daily - self.spent)))
        return made

    def _refuse(self, meter: Meter) -> Refused:
        now = self.monotonic()
        self._refusals.append(now)
        while self._refusals[0] < now - self.block_within:
            self._refusals.popleft()
        if len(self._refusals) > self.block_after:
            self._blocked_until = now + self.cool_off
            self._refusals.clear()
        refusal = too_many()
        headers = self._headers(meter)
        if self.account.habits["retry_after"]:
            headers.append((b"retry-after", b"%d" % max(1, -int(-meter.reset // 1))))
        refusal.headers = tuple(headers)
        return refusal

    def _still_blocked(self) -> None:
        if self.monotonic() < self._blocked_until:
            raise Blocked

    def state(self) -> dict[str, Any]:
        """The day's balance, for a dump."""
        return {"day": self.day, "spent": self.spent, "total": self.total, "overrides": self.overrides}

    def load(self, state: dict[str, Any]) -> None:
        """Take over what `state()` gave."""
        self.day, self.spent, self.total = state["day"], state["spent"], state["total"]
        self.overrides = state["overrides"]
