"""When the next request may go out, so that the vendor never counts too many in one rolling window.

The vendor counts arrivals, this process knows departures and answers. A request that left at `s` and was
answered at `s + r` arrived no later than `s + up + (r - floor)`, where `floor` is the shortest round trip and
`up` its way there; every later request needs at least `up`. So a place that is given back at `s + r + window
- floor` can never push two windows together, however the network or the server stalls, and at an even latency
it costs nothing.

Why not pyrate-limiter: it counts departures. Measured against a server with 100 requests in 2 s, 100 ms
latency and stalls of up to 0.25 s, it was refused 18 to 23 times in 16 s although its window was 2.1 s; this
way never, at the same or a higher pace.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections.abc import Callable
from typing import NamedTuple

MARGIN = 0.03
"""Seconds added to each window: the shortest way there and the shortest way back are never seen in one request."""

APART = 0.5
"""Part of the even distance that requests keep at least: in a crowd they queue, and no round trip is the shortest."""

TICK = 0.0001
"""The shortest wait."""

FLOOR_SECONDS = 300.0
"""Half of how long the shortest round trip is remembered.

Forgotten too soon, a machine that is short of breath for a while passes for a longer way, and when it recovers requests
arrive closer together than they left. Remembered too long, a way that has become longer costs its part of the window.
"""


class Passage(NamedTuple):
    """One request let through: when, and what this process then had in the window (itself included)."""

    left: float
    held: int
    number: int


class Burst:
    """A rolling window of `limit` requests in `seconds`, of which `share` belongs to this process."""

    def __init__(
        self,
        limit: int | None,
        *,
        seconds: float,
        share: float = 1.0,
        opening: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit = limit
        self.seconds = seconds
        self.waited = 0.0
        self.high_water = 0
        self._clock = clock
        self._share = share
        self._next_share: tuple[float, float] | None = None
        self._closed_until = clock() + opening
        self._floor = self._floor_before = math.inf
        self._floor_since = 0.0
        self._in_flight = 0
        self._number = 0
        self._last = -math.inf
        self._answers: list[float] = []
        self._others: tuple[int, float] = (0, 0.0)
        self._turn = asyncio.Lock()
        self._woken: asyncio.Future[None] | None = None

    def continue_from(self, earlier: Burst) -> None:
        """Count what an earlier session of this process has just sent: the vendor's window outlives a session."""
        now = self._clock()
        self._answers = [*earlier._answers, *[now] * earlier._in_flight]
        heapq.heapify(self._answers)
        self._others = earlier._others
        self._floor, self._floor_before = earlier._floor, earlier._floor_before
        self._floor_since, self._last = earlier._floor_since, earlier._last
        self._closed_until = max(self._closed_until, earlier._closed_until)

    async def enter(self) -> Passage:
        """Wait for a place in the window, first come first served."""
        if self.limit is None and self._closed_until == 0.0:
            return Passage(self._clock(), 0, 0)
        async with self._turn:
            began = now = self._clock()
            while (wait := self.wait(now)) != 0.0:
                await self._pause(wait)
                now = self._clock()
            self.waited += now - began
            return self.take(now)

    def wait(self, now: float) -> float | None:
        """Seconds until a place may be free; 0 if one is; None if only an answer can free one."""
        if now < self._closed_until:
            return self._closed_until - now
        self._closed_until = 0.0
        if self.limit is None:
            return 0.0
        window = self.seconds + MARGIN - self.floor
        while self._answers and self._answers[0] + window <= now:
            heapq.heappop(self._answers)
        if self._floor == math.inf and self._in_flight:
            return None  # the very first answer tells whether the window is clear
        others, others_until = self._others if self._others[1] > now else (0, 0.0)
        ours = self._in_flight + len(self._answers)
        if ours < self.places(now) and ours + others < self.limit:
            apart = self._last + self.seconds / self.limit * APART - now
            return apart if apart > TICK else 0.0
        times = [answer + window for answer in self._answers[:1]]
        if others:
            times.append(others_until)
        return max(min(times) - now, TICK) if times else None

    def take(self, now: float) -> Passage:
        """Occupy a place."""
        self._in_flight += 1
        self._number += 1
        self._last = now
        held = self._in_flight + len(self._answers)
        self.high_water = max(self.high_water, held)
        return Passage(now, held, self._number)

    def leave(
        self, passage: Passage, *, answered: bool, limit: int | None = None, remaining: int | None = None
    ) -> None:
        """Give a place back once its window is over.

        answered: it was carried out, and its answer came. limit, remaining: as the vendor's headers say.
        """
        if passage.number == 0:
            self.limit = limit
            return
        now = self._clock()
        self._in_flight -= 1
        if answered:
            self._learn(now - passage.left, now)
            heapq.heappush(self._answers, now)
        else:
            # A refusal may come from the vendor's front, and nothing may come at all: no round trip to go by.
            heapq.heappush(self._answers, now + self.floor)
        if limit is not None and limit > 0:
            self.limit = limit
            if remaining is not None:
                ours = passage.held + self._number - passage.number
                others = limit - remaining - ours
                # Requests on the way make this guess too low: a higher one holds for its window.
                known = self._others[0] if self._others[1] > now else 0
                if others > 0 and others >= known:
                    self._others = (others, now + self.seconds)
        self._wake()

    def withdraw(self, passage: Passage) -> None:
        """Give a place back at once: its request never left."""
        if passage.number:
            self._in_flight -= 1
            self._wake()

    def close(self, seconds: float) -> None:
        """Let nothing through for that long: the vendor asked for it."""
        self._closed_until = max(self._closed_until, self._clock() + seconds)

    def set_share(self, share: float) -> None:
        """Give places up at once; take them back only after a full window, when their last user is gone."""
        if not 0.0 < share <= 1.0:
            raise ValueError(f"a share lies above 0 and is at most 1, not {share}")
        if share > self._share:
            if self._next_share is None or self._next_share[0] != share:
                self._next_share = (share, self._clock() + self.seconds)
        else:
            self._share, self._next_share = share, None

    def places(self, now: float) -> int:
        """Places of this process's share; at least one."""
        if self._next_share is not None and self._next_share[1] <= now:
            self._share, self._next_share = self._next_share[0], None
        assert self.limit is not None
        return max(1, int(self.limit * self._share + 1e-9))

    @property
    def floor(self) -> float:
        """The shortest round trip of the last two periods, so that a lasting change is learnt."""
        floor = min(self._floor, self._floor_before)
        return 0.0 if floor == math.inf else floor

    def _learn(self, trip: float, now: float) -> None:
        if now - self._floor_since > FLOOR_SECONDS:
            self._floor_before, self._floor, self._floor_since = self._floor, trip, now
        self._floor = min(self._floor, trip)

    async def _pause(self, seconds: float | None) -> None:
        loop = asyncio.get_running_loop()
        woken = self._woken = loop.create_future()
        timer = None if seconds is None else loop.call_later(seconds, self._wake)
        try:
            await woken
        finally:
            self._woken = None
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)
