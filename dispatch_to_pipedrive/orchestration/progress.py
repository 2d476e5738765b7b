"""How far is the work? Rooms below call back with numbers; here they become log lines or a listener's bars."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

log = logging.getLogger("dispatch_to_pipedrive.progress")

EVERY = 5.0
"""Seconds between two log lines of one stage."""


@dataclass(frozen=True)
class Progress:
    """How far one stage has come; `batch` is empty for what has no batch, `total` None while nobody knows it."""

    batch: str
    stage: str
    done: int
    total: int | None

    @property
    def finished(self) -> bool:
        """Whether nothing is left."""
        return self.done == self.total


Listener = Callable[[Progress], None]
_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Give all progress of this process to a listener instead of the log."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


class Stage:
    """One stage that tells how far it is; calls are cheap."""

    def __init__(self, batch: str, stage: str) -> None:
        self._batch, self._stage = batch, stage
        self._began = self._told = time.monotonic()

    def __call__(self, done: int, total: int | None) -> None:
        """Tell that `done` of `total` are finished."""
        progress = Progress(self._batch, self._stage, done, total)
        for listener in _listeners:
            listener(progress)
        now = time.monotonic()
        if not _listeners and (now - self._told >= EVERY or progress.finished):
            self._told = now
            log.info("%s", self._line(progress, now))

    def _line(self, progress: Progress, now: float) -> str:
        where = f"{progress.batch} {progress.stage}".strip()
        rate = progress.done / (now - self._began) if now > self._began else 0.0
        if progress.total is None:
            return f"{where}: {progress.done} ({rate:.0f}/s)"
        left = (progress.total - progress.done) / rate if rate else 0.0
        return f"{where}: {progress.done}/{progress.total} ({rate:.0f}/s, {left:.0f} s to go)"
