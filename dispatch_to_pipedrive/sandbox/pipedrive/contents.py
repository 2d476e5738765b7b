"""Where are the bytes of uploaded files? In one nameless file on disk, gone with the process."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from typing import IO

_PIECE = 1 << 18


class Contents:
    """Bytes by their sha-256, each content once.

    Nothing is forgotten while the process lives, so a dump needs the hashes only.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._places: dict[str, tuple[int, int]] = {}

    def add(self, source: IO[bytes], *, keep: bool) -> tuple[str, int]:
        """Read `source` to its end; answers sha-256 and size. Without `keep` the bytes themselves are dropped."""
        digest, size = hashlib.sha256(), 0
        start = self._disk().seek(0, os.SEEK_END) if keep else 0
        while piece := source.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            if keep:
                self._disk().write(piece)
        name = digest.hexdigest()
        if keep and name in self._places:
            self._disk().truncate(start)
        elif keep:
            self._disk().flush()
            self._places[name] = (start, size)
        return name, size

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes with this hash, a piece at a time."""
        at, left = self._places[name]
        descriptor = self._disk().fileno()
        while left:
            piece = os.pread(descriptor, min(_PIECE, left), at)
            yield piece
            at, left = at + len(piece), left - len(piece)

    def everything(self) -> Iterator[bytes]:
        """Each content, whole."""
        for name in self._places:
            yield b"".join(self.pieces(name))

    def _disk(self) -> IO[bytes]:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="pipedrive-files-")  # noqa: SIM115 - lives as long as we do
        return self._file
