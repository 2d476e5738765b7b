"""What a placement consists of: its files, the roots that each spans, and what waits for a parent.

The index is written last; a placement without one does not exist.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import orjson
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.errors import DispatchProError
from dispatch_to_pipedrive.dispatch_pro.store import write_whole


class PlacementMissing(DispatchProError):
    """A generation that has not been placed yet."""

    def __init__(self, generation: int) -> None:
        self.generation = generation
        super().__init__(f"generation {generation} has no placement; materialize `placement` first.")


@dataclass(frozen=True)
class CommittedSegment:
    """A segment that a generation made visible; `path` is relative to the raw folder."""

    generation: int
    feed: str
    path: str


@dataclass(frozen=True)
class Span:
    """A file sorted by root: `path` relative to the data folder, first and last root (None: waiting rows)."""

    path: str
    rows: int
    first: int | None
    last: int | None

    def meets(self, roots: Sequence[int]) -> bool:
        """Whether one of the (sorted) roots may be in the file."""
        if self.first is None:
            return False
        at = bisect_left(roots, self.first)
        return at < len(roots) and (self.last is None or roots[at] <= self.last)


@dataclass(frozen=True)
class Index:
    """A placement's table of contents, by feed."""

    generation: int
    placed: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    files: dict[str, list[Span]] = field(default_factory=dict)
    clustered: dict[str, list[Span]] = field(default_factory=dict)


def write_index(data: UPath, index: Index) -> None:
    """Make the placement exist."""
    write_whole(_path(data, index.generation), orjson.dumps(asdict(index)))


def read_index(data: UPath, generation: int) -> Index:
    """Raises PlacementMissing."""
    try:
        found = orjson.loads(_path(data, generation).read_bytes())
    except FileNotFoundError:
        raise PlacementMissing(generation) from None
    spans = {
        part: {feed: [Span(**span) for span in files] for feed, files in found[part].items()}
        for part in ("files", "clustered")
    }
    return Index(found["generation"], found["placed"], found["waiting"], spans["files"], spans["clustered"])


def newest_placed(data: UPath, upto: int) -> int | None:
    """The newest generation up to this one that was placed; None where none was.

    While a generation is being placed, what was planned and what is read keep to the one before it.
    """
    return next((number for number in range(upto, 0, -1) if _path(data, number).exists()), None)


def placement_folder(generation: int) -> str:
    """Relative to the data folder."""
    return f"placement/{generation:06d}"


def _path(data: UPath, generation: int) -> UPath:
    return data / placement_folder(generation) / "index.json"
