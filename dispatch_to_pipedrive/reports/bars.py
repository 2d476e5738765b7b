"""How progress looks in a terminal: one bar a stage; where nobody watches, one line when a stage has ended."""

import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Tick(Protocol):
    """How far a stage has come; `total` None while nobody knows it."""

    @property
    def batch(self) -> str: ...
    @property
    def stage(self) -> str: ...
    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int | None: ...


class Bars:
    """A context manager that takes ticks."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began: dict[tuple[str, str], float] = {}
        self._ended: set[tuple[str, str]] = set()
        self._bars: dict[tuple[str, str], TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.fields[batch]:<10}"),
            TextColumn("{task.description:<14}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._progress.stop()

    def __call__(self, tick: Tick) -> None:
        """Show it."""
        key = (tick.batch, tick.stage)
        if self._console.is_terminal:
            self._show(key, tick)
        else:
            self._tell(key, tick)

    def _show(self, key: tuple[str, str], tick: Tick) -> None:
        if key not in self._bars:
            self._bars[key] = self._progress.add_task(tick.stage, total=tick.total, batch=tick.batch)
        self._progress.update(self._bars[key], completed=tick.done, total=tick.total)
        if tick.total is not None and tick.done >= tick.total:
            self._progress.stop_task(self._bars[key])

    def _tell(self, key: tuple[str, str], tick: Tick) -> None:
        ended = tick.total is not None and tick.done >= tick.total
        if not ended:
            self._ended.discard(key)
            self._began.setdefault(key, time.monotonic())
        elif key not in self._ended:
            self._ended.add(key)
            now = time.monotonic()
            took = now - self._began.pop(key, now)
            where = f"{tick.batch} {tick.stage}".strip()
            self._console.print(f"{where}: {tick.total} in {took:.1f} s", highlight=False)
