"""A generated tenant as it stands after one advance: frames for normalize, records for the second totals."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS
from dispatch_to_pipedrive.dispatch_pro.placement import (
    CommittedSegment,
    build_placement,
    read_batch,
    read_reference,
    root_sizes,
)
from dispatch_to_pipedrive.dispatch_pro.raw import land_records
from dispatch_to_pipedrive.sandbox.dispatch_pro.tenant import generate
from dispatch_to_pipedrive_tests.dispatch_pro.worlds import as_landed


@dataclass(frozen=True)
class World:
    data: UPath
    segments: tuple[CommittedSegment, ...]
    roots: tuple[int, ...]
    generation: int = 1

    def frames(self, roots: tuple[int, ...] | None = None) -> dict[str, pd.DataFrame]:
        return read_batch(self.data, self.generation, self.roots if roots is None else roots)

    def reference(self) -> dict[str, pd.DataFrame]:
        return read_reference(self.data, self.segments, self.generation)


@cache
def world(customers: int = 120, seed: int = 7) -> World:
    data = UPath(mkdtemp(prefix="totals-world-"))
    return land(data, customers, seed)


def land(data: UPath, customers: int, seed: int) -> World:
    tenant = generate(customers, seed)
    segments = []
    for feed in FEEDS.values():
        landed = land_records(data / "raw", feed, as_landed(tenant, feed))
        segments += [CommittedSegment(1, feed.name, segment.path) for segment in landed]
    build_placement(data, segments, 1)
    return World(data, tuple(segments), tuple(int(root) for root in root_sizes(data, 1)["root"]))


def later(made: World, changes: dict[str, list[bytes]]) -> World:
    """The tenant one generation on: these records have changed."""
    generation = made.generation + 1
    segments = list(made.segments)
    for feed, records in changes.items():
        landed = land_records(made.data / "raw", FEEDS[feed], records)
        segments += [CommittedSegment(generation, feed, segment.path) for segment in landed]
    build_placement(made.data, segments, generation, previous=made.generation)
    return World(made.data, tuple(segments), made.roots, generation)


MAPPINGS = Path(__file__).parents[2] / "mappings"
