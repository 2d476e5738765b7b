"""What is a reading? All items that the vendor lists for one parent, verbatim, with what was found out about them.

The record of a per-parent segment: `{"jobId": 7, "count": 1, "bytes": 5120, "problems": 0, "items": [...],
"facts": [...]}`. The newest reading of a parent wins as a whole, so what it lacks is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from dispatch_to_pipedrive.dispatch_pro.errors import BadRecord
from dispatch_to_pipedrive.dispatch_pro.feeds import Feed


@dataclass(frozen=True)
class Fact:
    """What is known of an attachment's file: bytes, type as its server calls it, sha256 where it is too large to move.

    `problem`: why its bytes cannot be had, in words; then the rest is what was found out nevertheless.
    """

    id: int
    size: int | None = None
    media_type: str | None = None
    sha256: str | None = None
    problem: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As it stands in a reading."""
        return {
            "id": self.id,
            "size": self.size,
            "mediaType": self.media_type,
            "sha256": self.sha256,
            "problem": self.problem,
        }


def reading(feed: Feed, parent: int, items: Sequence[bytes], facts: Sequence[Fact] = ()) -> bytes:
    """The record of one parent; of an item that was listed twice the later text stays."""
    by_id = items_by_id(feed, items)
    facts = [fact for fact in facts if fact.id in by_id]
    told = [fact.as_json() for fact in facts]
    counts = {
        "count": len(by_id),
        "bytes": sum(fact.size or 0 for fact in facts),
        "problems": sum(fact.problem is not None for fact in facts),
    }
    head = orjson.dumps({feed.id_field: parent, **counts})
    tail = b'],"facts":' + orjson.dumps(told) + b"}" if told else b"]}"
    return b"".join([head[:-1], b',"items":[', b",".join(by_id.values()), tail])


def items_by_id(feed: Feed, items: Iterable[bytes]) -> dict[int, bytes]:
    """Items by their id, in ascending order, so that equal content gives an equal reading. Raises BadRecord."""
    found: dict[int, bytes] = {}
    for item in items:
        id_ = orjson.loads(item).get("id")
        if not isinstance(id_, int):
            raise BadRecord(feed.name, None, "id", f"should be of kind id, found {id_!r}")
        found[id_] = item
    return dict(sorted(found.items()))


def facts_of(record: str) -> dict[int, Fact]:
    """The facts of a reading by attachment."""
    told: Iterable[Mapping[str, Any]] = orjson.loads(record).get("facts") or ()
    facts = (
        Fact(one["id"], one.get("size"), one.get("mediaType"), one.get("sha256"), one.get("problem"))
        for one in told
    )
    return {fact.id: fact for fact in facts}
