"""The burst: a vendor that counts arrivals never counts too many, and little of its window is wasted."""

import asyncio
import heapq
import random
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch_to_pipedrive.pipedrive.burst import Burst, Passage


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Network:
    """A vendor that counts arrivals in a rolling window, behind a network of uneven ways."""

    def __init__(self, burst: Burst, clock: Clock, concurrency: int, up: float, back: float) -> None:
        self.burst, self.clock, self.concurrency, self.up, self.back = burst, clock, concurrency, up, back
        self.arrivals: list[float] = []
        self.answered = 0

    def run(self, requests: int, delays: "deque[tuple[float, float]]") -> float:
        """Send all requests; answers the seconds it took."""
        clock, burst = self.clock, self.burst
        began, sent = clock.now, 0
        under_way: list[tuple[float, int, Passage]] = []
        while self.answered < requests:
            while sent < requests and len(under_way) < self.concurrency and burst.wait(clock.now) == 0.0:
                more_up, more_back = delays[sent % len(delays)]
                passage = burst.take(clock.now)
                arrival = clock.now + self.up + more_up
                self.arrivals.append(arrival)
                heapq.heappush(under_way, (arrival + self.back + more_back, sent, passage))
                sent += 1
            wait = burst.wait(clock.now) if sent < requests and len(under_way) < self.concurrency else None
            free = clock.now + wait if wait else float("inf")
            if under_way and under_way[0][0] <= free:
                clock.now, _, passage = heapq.heappop(under_way)
                burst.leave(passage, answered=True)
                self.answered += 1
            else:
                clock.now = free
        return clock.now - began

    def high_water(self, seconds: float) -> int:
        most, window = 0, deque[float]()
        for arrival in sorted(self.arrivals):
            window.append(arrival)
            while window[0] <= arrival - seconds:
                window.popleft()
            most = max(most, len(window))
        return most


DELAYS = st.lists(st.tuples(st.floats(0, 1.5), st.floats(0, 0.5)), max_size=40).map(
    lambda delays: deque([(0.0, 0.0), *delays])
)


@settings(max_examples=60, deadline=None)
@given(DELAYS, st.sampled_from([20, 40, 100]), st.integers(1, 60), st.floats(0.001, 0.2))
def test_the_vendor_never_counts_too_many_however_the_network_stalls(
    delays: "deque[tuple[float, float]]", limit: int, concurrency: int, up: float
) -> None:
    clock = Clock()
    network = Network(Burst(limit, seconds=2.0, clock=clock), clock, concurrency, up=up, back=0.05)
    network.run(limit * 4, delays)
    assert network.high_water(2.0) <= limit


@pytest.mark.parametrize("limit", [20, 40, 100, 120])
def test_at_100_ms_latency_97_percent_of_the_burst_are_used(limit: int) -> None:
    clock, chance = Clock(), random.Random(1)
    network = Network(Burst(limit, seconds=2.0, clock=clock), clock, 32, up=0.05, back=0.05)
    jitter = deque((chance.random() * 0.004, chance.random() * 0.004) for _ in range(997))
    seconds = network.run(limit * 30, jitter)
    # The first window fills at twice the pace, so half of it is free and does not count.
    assert limit * 29.5 / seconds >= 0.97 * limit / 2
    assert network.high_water(2.0) <= limit


async def test_passages_are_given_in_the_order_of_asking() -> None:
    burst = Burst(2, seconds=0.02)
    order: list[int] = []

    async def one(number: int) -> None:
        passage = await burst.enter()
        order.append(number)
        burst.leave(passage, answered=True)

    await asyncio.gather(*(one(number) for number in range(9)))
    assert order == list(range(9))


async def test_a_cancelled_waiter_does_not_stop_the_others() -> None:
    burst = Burst(1, seconds=0.02)
    burst.leave(await burst.enter(), answered=True)
    waiting = [asyncio.create_task(burst.enter()) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    assert (await waiting[1]).number == 2


def test_a_reader_takes_a_tenth_and_the_writer_gives_it_up() -> None:
    clock = Clock()
    writer, reader = Burst(100, seconds=2.0, clock=clock), Burst(100, seconds=2.0, share=0.1, clock=clock)
    writer.set_share(0.9)
    assert (writer.places(clock.now), reader.places(clock.now)) == (90, 10)
    writer.set_share(1.0)
    assert writer.places(clock.now) == 90  # the reader's last requests are still in the window
    clock.now += 1.9
    writer.set_share(1.0)
    assert writer.places(clock.now) == 90
    clock.now += 0.2
    assert writer.places(clock.now) == 100
    with pytest.raises(ValueError, match="share"):
        writer.set_share(0)


def test_what_others_use_of_the_window_is_read_from_the_headers() -> None:
    clock = Clock()
    burst = Burst(20, seconds=2.0, clock=clock)
    assert burst.wait(clock.now) == 0
    first = burst.take(clock.now)
    assert burst.wait(clock.now) is None  # the first answer is awaited
    clock.now += 0.1
    burst.leave(first, answered=True, limit=20, remaining=0)
    wait = burst.wait(clock.now)
    assert wait is not None and wait > 1.8  # 19 places are somebody else's
    clock.now += 2.0
    assert burst.wait(clock.now) == 0


def test_the_headers_tell_the_burst_of_another_plan() -> None:
    clock = Clock()
    burst = Burst(20, seconds=2.0, clock=clock)
    burst.leave(burst.take(clock.now), answered=True, limit=100, remaining=99)
    assert burst.places(clock.now) == 100
