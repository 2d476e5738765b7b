"""What chance says about a row: draws that depend on the seed, a name and the row only.

No generator state: any row's value can be drawn again when it is rendered, in any order, and the first customers
of a large tenant draw what the same customers of a small one draw.
"""

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from .times import Ints

Flags = NDArray[np.bool_]
Bits = NDArray[np.uint64]

_GOLD = np.uint64(0x9E3779B97F4A7C15)
_A = np.uint64(0xBF58476D1CE4E5B9)
_B = np.uint64(0x94D049BB133111EB)


class Draw:
    """The draws of one room of the generator under one seed."""

    def __init__(self, seed: int, room: str) -> None:
        self.seed = seed
        self.room = room

    def bits(self, what: str, rows: Ints) -> Bits:
        """64 random bits for each row."""
        key = _key(self.seed, self.room, what)
        with np.errstate(over="ignore"):
            mixed = (rows.astype(np.uint64) + np.uint64(1)) * _GOLD + key
            mixed = (mixed ^ (mixed >> np.uint64(30))) * _A
            mixed = (mixed ^ (mixed >> np.uint64(27))) * _B
            return mixed ^ (mixed >> np.uint64(31))

    def unit(self, what: str, rows: Ints) -> NDArray[np.float64]:
        """A number in [0, 1) for each row."""
        return (self.bits(what, rows) >> np.uint64(11)).astype(np.float64) / float(1 << 53)

    def below(self, what: str, rows: Ints, limit: int | Ints) -> Ints:
        """A whole number in [0, limit) for each row."""
        return np.floor(self.unit(what, rows) * limit).astype(np.int64)

    def between(self, what: str, rows: Ints, low: int | Ints, high: int | Ints) -> Ints:
        """A whole number in [low, high) for each row."""
        return low + self.below(what, rows, np.asarray(high - low, dtype=np.int64))

    def chance(self, what: str, rows: Ints, share: float) -> Flags:
        """True for about `share` of the rows."""
        return self.unit(what, rows) < share

    def weighted(self, what: str, rows: Ints, weights: Sequence[float]) -> Ints:
        """An index into `weights` for each row, drawn in their proportion."""
        edges = np.cumsum(np.asarray(weights, dtype=np.float64))
        return np.searchsorted(edges[:-1] / edges[-1], self.unit(what, rows), side="right").astype(np.int64)


def count_up(counts: Ints) -> tuple[Ints, Ints, Ints]:
    """Children of parents with `counts` each: where a parent's start, and each child's parent and ordinal."""
    starts = np.concatenate(([0], np.cumsum(counts)[:-1])).astype(np.int64)
    parents = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    ordinals = np.arange(len(parents), dtype=np.int64) - starts[parents] if len(parents) else parents
    return starts, parents, ordinals


@cache
def _key(seed: int, room: str, what: str) -> np.uint64:
    digest = blake2b(f"{seed}/{room}/{what}".encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))
