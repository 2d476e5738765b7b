"""How do the bytes of a file travel without being held: up from a path, down into a hash?

A server can carry an upload out only when it has the last chunk. So what must hold before a write leaves is looked at
once more before that chunk, and the time a request may take is counted anew from each: a slow line may need minutes,
while the last word to the account is as fresh as that of any other write.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import httpx

FALLBACK_MEDIA = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on this machine that is to be sent."""

    path: Path
    media_type: str = FALLBACK_MEDIA


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart body: one file read from its path, and text fields beside it."""

    file: LocalFile
    name: str
    fields: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def opened(self, request: Callable[..., httpx.Request]) -> Iterator[httpx.Request]:
        """The request with this body; its file is open until the block ends.

        request: `httpx.Request` with all its other arguments.
        """
        media = self.file.media_type
        if not media.isascii() or not media.isprintable() or "/" not in media:
            media = FALLBACK_MEDIA  # a source's word must not break the header that it stands in
        with self.file.path.open("rb") as file:
            made = request(data=dict(self.fields), files={"file": (self.name, file, media)})
            if not isinstance(made.stream, httpx.AsyncByteStream):
                raise TypeError("a multipart body that cannot be streamed")
            made.stream = Outgoing(made.stream)
            yield made


@dataclass(frozen=True, slots=True)
class Form:
    """A form-encoded body."""

    fields: Mapping[str, str]


class Outgoing(httpx.AsyncByteStream):
    """A body that goes out chunk by chunk, one held back: so the last is known before it is handed over.

    `on_chunk` is called before each chunk, `look` before the last; `complete` says that the last was handed over.
    """

    def __init__(self, chunks: httpx.AsyncByteStream) -> None:
        self._chunks = chunks
        self.look: Callable[[], None] = lambda: None
        self.on_chunk: Callable[[], None] = lambda: None
        self.complete = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        held = b""
        async for chunk in self._chunks:
            if held:
                self.on_chunk()
                yield held
            held = chunk
        self.on_chunk()
        self.look()
        self.complete = True
        yield held


class Digest(NamedTuple):
    """What a file's bytes come to: how many, and their SHA-256 in hex."""

    size: int
    sha256: str


class Incoming:
    """Reads an answer's bytes into a hash; `on_chunk` is called after each chunk."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._size = 0

    async def read(self, response: httpx.Response, on_chunk: Callable[[], None]) -> None:
        """Take in the whole answer."""
        async for chunk in response.aiter_bytes():
            on_chunk()
            self._hash.update(chunk)
            self._size += len(chunk)

    @property
    def digest(self) -> Digest:
        """What was taken in so far."""
        return Digest(self._size, self._hash.hexdigest())


def renewed(limit: asyncio.Timeout, seconds: float) -> Callable[[], None]:
    """A call that lets a time limit begin anew."""
    loop = asyncio.get_running_loop()
    return lambda: limit.reschedule(loop.time() + seconds)
