"""How many requests had a server answered, and when? Looked at from outside, while somebody else makes them."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

PAUSE = 0.1


class Watch(threading.Thread):
    """Reads a counter until the block ends; `seen` are (monotonic seconds, count)."""

    def __init__(self, read: Callable[[], int]) -> None:
        super().__init__(daemon=True)
        self.seen: list[tuple[float, int]] = []
        self._read = read
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(PAUSE):
            count = self._read()
            self.seen.append((time.monotonic(), count))

    def rate(self, begin: float, end: float) -> float:
        """Requests a second between two moments, as far as the readings between them tell."""
        within = [(at, count) for at, count in self.seen if begin <= at <= end]
        if len(within) < 2:
            raise ValueError("too short to tell a rate: take more records")
        (first_at, first), (last_at, last) = within[0], within[-1]
        return (last - first) / (last_at - first_at)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self.join()
