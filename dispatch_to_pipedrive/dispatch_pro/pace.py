"""How many calls a second may go out, counted as the vendor counts them: where they arrive.

A limiter that counts departures (pyrate-limiter's window of 60 in a second) lets calls that bunch up on the
road arrive as more than 60 in some second: 1 to 3 % of them were answered 429 on loopback, and evenly spaced
departures reached a quarter of the limit. Here a call occupies one of 60 places until a second after its
answer. A call arrives before it is answered, so two calls in the same place arrive at least a second apart,
and no rolling second sees more than 60.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_SURE_AFTER = 120  # answers, after which the shortest time seen counts as the road's own length
_MARGIN = 0.85


class Pace:
    """`async with pace:` around each call; one for each client, in one event loop."""

    def __init__(self, calls: int = 60, period: float = 1.0) -> None:
        self._places = asyncio.Semaphore(calls)
        self._period = period
        self._shortest = period
        self._answers = 0
        self._held_until = 0.0

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Wait for a place; it is free again a period after the block ends."""
        loop = asyncio.get_running_loop()
        await self._places.acquire()
        try:
            await asyncio.sleep(max(0.0, self._held_until - loop.time()))
        except BaseException:
            self._places.release()
            raise
        sent = loop.time()
        try:
            yield
        finally:
            loop.call_later(self._rest(loop.time() - sent), self._places.release)

    def hold(self, seconds: float) -> None:
        """Let no call leave before `seconds` have passed: what a 429 asks for."""
        self._held_until = max(self._held_until, asyncio.get_running_loop().time() + seconds)

    def _rest(self, took: float) -> float:
        """The rest of the period that a place must stay empty.

        The next call in this place is on the road for a while too, and so was this one's answer: together at
        least as long as the quickest call ever seen. So much earlier may it leave.
        """
        self._answers += 1
        self._shortest = min(self._shortest, took)
        if self._answers < _SURE_AFTER:
            return self._period
        return self._period - _MARGIN * self._shortest
