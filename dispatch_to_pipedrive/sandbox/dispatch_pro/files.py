"""What is in a file: bytes made from the seed and the file's name in the store, piece by piece and never kept."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

PIECE = 1 << 16
_POOL = 1 << 20
_MAGIC = {
    "jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "png": b"\x89PNG\r\n\x1a\n",
    "gif": b"GIF89a",
    "pdf": b"%PDF-1.7\n",
    "txt": b"Notes\n",
}
TYPES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "pdf": "application/pdf",
    "txt": "text/plain",
}


@dataclass(frozen=True)
class File:
    """One file of the tenant: equal `content` and `size` mean equal bytes."""

    seed: int
    content: str
    name: str
    size: int
    media_type: str

    def pieces(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` to before `end`, at most `PIECE` at a time."""
        last = self.size if end is None else min(end, self.size)
        at = max(start, 0)
        while at < last:
            number, offset = divmod(at, PIECE)
            piece = self._piece(number)[offset : offset + last - at]
            yield piece
            at += len(piece)

    def sha256(self) -> str:
        """The hash of all bytes, as hexadecimal digits."""
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()

    def _piece(self, number: int) -> bytes:
        """A piece begins with what no other has; the rest is a window on noise that all files share."""
        own = hashlib.blake2b(f"{self.seed}/{self.content}/{number}".encode(), digest_size=64).digest()
        head = _MAGIC.get(suffix(self.name), b"") + own if number == 0 else own
        start = int.from_bytes(own[:4], "little") % (_POOL - PIECE)
        length = min(PIECE, self.size - number * PIECE)
        return (head + _noise(self.seed)[start : start + PIECE - len(head)])[:length]


def media_type(name: str) -> str:
    """The type a browser would be told."""
    return TYPES.get(suffix(name), "application/octet-stream")


def suffix(name: str) -> str:
    """What stands behind the last dot, in small letters."""
    return name.rpartition(".")[2].lower()


@cache
def _noise(seed: int) -> bytes:
    return np.random.default_rng(seed).bytes(_POOL)
