"""No rolling second sees more calls than the vendor allows, whatever the road does to them."""

from __future__ import annotations

import asyncio
import random

import pytest

from dispatch_to_pipedrive.dispatch_pro.pace import Pace


class Clockwork(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer, so that a minute takes a moment."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._now = max(self._now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def arrivals(seed: int, *, there: tuple[float, float], back: tuple[float, float], calls: int) -> list[float]:
    """When calls arrive that take a random time there and a random time back."""
    chance = random.Random(seed)
    seen: list[float] = []

    async def worker(pace: Pace, share: int) -> None:
        for _ in range(share):
            async with pace.call():
                await asyncio.sleep(chance.uniform(*there))
                seen.append(asyncio.get_running_loop().time())
                await asyncio.sleep(chance.uniform(*back))

    async def run() -> None:
        pace = Pace(60)
        await asyncio.gather(*(worker(pace, calls // 60) for _ in range(60)))

    loop = Clockwork()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
    return sorted(seen)


ROADS = [((0.0, 0.002), (0.0, 0.002)), ((0.001, 0.4), (0.001, 0.4)), ((0.05, 0.055), (0.05, 0.055))]


@pytest.mark.promise("R096")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("there", "back"), ROADS)
def test_never_more_than_sixty_in_a_rolling_second(
    seed: int, there: tuple[float, float], back: tuple[float, float]
) -> None:
    seen = arrivals(seed, there=there, back=back, calls=1800)
    assert all(later - earlier >= 1.0 for earlier, later in zip(seen, seen[60:], strict=False))


@pytest.mark.promise("R096")
@pytest.mark.parametrize(("there", "back"), [ROADS[0], ROADS[2]])
def test_a_steady_road_is_used_to_95_percent(there: tuple[float, float], back: tuple[float, float]) -> None:
    seen = arrivals(1, there=there, back=back, calls=6000)
    assert len(seen) / (seen[-1] - seen[0]) >= 0.95 * 60
