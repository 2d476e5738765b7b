"""How many reference records are there? Counted by SQL over the keys of the segments, without a frame."""

from __future__ import annotations

from collections.abc import Iterable

from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.feeds import REFERENCE
from dispatch_to_pipedrive.dispatch_pro.placement.engine import engine, parquet
from dispatch_to_pipedrive.dispatch_pro.placement.index import CommittedSegment

_IDS = "SELECT count(DISTINCT id) FROM stored"
# Of what is free for booking only the newest answer counts: the others are its history.
_NEWEST = """
SELECT count(DISTINCT id) FROM (
    SELECT id, rank() OVER (ORDER BY record ->> '$.timeStamp' DESC) AS age FROM stored
) WHERE age = 1
"""


def count_reference(data: UPath, segments: Iterable[CommittedSegment], generation: int) -> dict[str, int]:
    """Reference feed → how many records it has as of a generation, retired ones included."""
    paths: dict[str, set[str]] = {feed: set() for feed in REFERENCE}
    for segment in segments:
        if segment.generation <= generation and segment.feed in paths:
            paths[segment.feed].add(segment.path)
    counts = dict.fromkeys(REFERENCE, 0)
    with engine(data) as connection:
        for feed, files in paths.items():
            if files:
                parquet(connection, [data / "raw" / path for path in sorted(files)]).create_view(
                    "stored", True
                )
                query = _NEWEST if feed == "capacity" else _IDS
                (counts[feed],) = connection.execute(query).fetchall()[0]
    return counts
