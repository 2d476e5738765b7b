"""How the bytes of a file are fetched, from servers that may answer anything.

A source is `attachment:610000001`, an https URL (an image in a text) or a data: URI. The bytes go to a spool file as
they come, so that memory stays flat however large the file is. Credentials go to Dispatch Pro's own host only, and
for a URL only if it does not answer without them; a redirect is followed without them, at most five times, to hosts
that `Hosts` allows. What is not whole, too long, too slow or not an image where one must be is refused in words that
say so; nothing of it stays.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import mimetypes
import random
import re
import uuid
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeVar
from urllib.parse import unquote_to_bytes, urlsplit

import httpx

from dispatch_to_pipedrive.dispatch_pro.client import TOKEN_PATH, DispatchProClient
from dispatch_to_pipedrive.dispatch_pro.errors import NotFound, RequestFailed, Unauthorized, Unfetchable
from dispatch_to_pipedrive.dispatch_pro.feeds import ATTACHMENT
from dispatch_to_pipedrive.dispatch_pro.hosts import Hosts, host_of

T = TypeVar("T")

MOST_BYTES = 20_000_000_000
"""More than that no file may have: a body without an end must end here."""
_REDIRECTS = 5
_CHUNK = 1 << 20
_TRIES = 3
_SLOWEST = 10_000  # bytes a second, on the average, after the patience has run out
_STREAMS = 4  # whole files read at once for their sha256
_PLAIN = {"Accept-Encoding": "identity"}  # lengths are those of the file itself
_SOURCE = re.compile(r"attachment:(\d+)")
_RANGE = re.compile(r"bytes (?:\d+-\d+|\*)/(\d{1,18})")  # more digits are no length
_LENGTH = re.compile(r"[0-9]{1,18}")
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
_DATA = re.compile(r"data:([^,]*),(.*)", re.DOTALL)
_IMAGES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"BM": "image/bmp",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
}


@dataclass(frozen=True)
class Download:
    """A file that has come whole; `path` is the caller's to remove. media_type: as the server calls it."""

    path: Path
    size: int
    sha256: str
    media_type: str | None


@dataclass(frozen=True)
class Measure:
    """What a server tells of a file without sending it; None where it does not tell."""

    size: int | None
    media_type: str | None


class _Again(Exception):
    """A failure that another try may mend; `why` is what is said if none does."""

    def __init__(self, why: Unfetchable) -> None:
        self.why = why
        super().__init__(str(why))


class Downloads:
    """Fetches files for one tenant; an async context manager. Calls to Dispatch Pro keep to the client's pace.

    most: bytes that no file may exceed. patience: seconds after which a file must have come, plus what a slow line
    needs for its size. first_wait: seconds before the second try.
    """

    def __init__(
        self,
        client: DispatchProClient,
        hosts: Hosts,
        spool: Path,
        *,
        most: int = MOST_BYTES,
        patience: float = 120.0,
        first_wait: float = 0.5,
    ) -> None:
        self._client, self._hosts, self._spool = client, hosts, spool
        self._most, self._patience, self._first_wait = most, patience, first_wait
        self._streams = asyncio.Semaphore(_STREAMS)
        # Nothing is kept open: a connection that was made for one host must not serve another at the same address.
        # No proxy either: it would look the host up itself.
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(limits=httpx.Limits(max_keepalive_connections=0)),
            timeout=httpx.Timeout(30.0, connect=10.0),
            follow_redirects=False,
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def fetch(self, source: str, *, size: int | None = None, most: int | None = None) -> Download:
        """The whole file in the spool folder. Raises Unfetchable; Unauthorized where nobody is let in at all.

        size: bytes that it must have, if that is known. most: bytes that it may have.
        """
        self._spool.mkdir(parents=True, exist_ok=True)
        path = self._spool / uuid.uuid4().hex
        try:
            with path.open("wb") as file:
                return await self._whole(source, size, self._most if most is None else most, path, file)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    async def digest(self, source: str, *, size: int | None = None) -> Download:
        """As `fetch`, but the bytes are only counted and hashed: there is no file at `path`."""
        async with self._streams:
            return await self._whole(source, size, self._most, Path(), None)

    async def measure(self, source: str) -> Measure:
        """Size and type without the bytes, as far as the server tells. Raises as `fetch` does."""
        if source.startswith("data:"):
            content, media_type = _from_data_uri(source)
            return Measure(len(content), media_type)
        return await self._tried(lambda: self._measured(source))

    async def _measured(self, source: str) -> Measure:
        response = await self._answer(source, {**_PLAIN, "Range": "bytes=0-0"})
        try:
            told = response.headers.get("Content-Range", "")
            if response.status_code in (206, 416):
                found = _RANGE.fullmatch(told.strip().lower())
                size = int(found[1]) if found else None
                if response.status_code == 206 and _encoding(response) != "identity":
                    size = None  # that of the packed bytes
            else:  # ranges are not heeded: the headers tell what would come
                size = _declared(response)
            # Of an empty file no byte can be asked for, so the answer to it tells an error's type.
            return Measure(size, None if response.status_code == 416 else _type_of(response))
        finally:
            await response.aclose()

    async def _whole(
        self, source: str, size: int | None, most: int, path: Path, file: IO[bytes] | None
    ) -> Download:
        if source.startswith("data:"):
            content, media_type = _from_data_uri(source)
            if len(content) > most:
                raise _too_large(most)
            if file is not None:
                file.write(content)
            return Download(path, len(content), hashlib.sha256(content).hexdigest(), media_type)
        return await self._tried(lambda: self._streamed(source, size, most, path, file))

    async def _streamed(
        self, source: str, size: int | None, most: int, path: Path, file: IO[bytes] | None
    ) -> Download:
        response = await self._answer(source, _PLAIN)
        try:
            if response.status_code != 200:
                raise _Again(Unfetchable("broken", f"the server answered {response.status_code}"))
            declared = _declared(response)
            if (declared or 0) > most:
                raise _too_large(most)
            taken = _Taking(most, file, _encoding(response))
            await self._take(response, taken)
        finally:
            await response.aclose()
        for expected in (declared, size):
            if expected is not None and taken.size != expected:
                raise _Again(Unfetchable("broken", f"{taken.size} bytes came instead of {expected}"))
        media_type = _type_of(response)
        if not _SOURCE.fullmatch(source):
            media_type = _linked_type(source, taken.head, media_type)
        return Download(path, taken.size, taken.sha256.hexdigest(), media_type)

    async def _take(self, response: httpx.Response, taken: _Taking) -> None:
        """The body, chunk by chunk, no slower than a bad line."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        try:
            async with asyncio.timeout_at(deadline) as limit:
                # Not unpacked by httpx: a few bytes could become gigabytes at once.
                async for chunk in response.aiter_raw(_CHUNK):
                    await asyncio.to_thread(taken.add, chunk)
                    limit.reschedule(deadline + taken.size / _SLOWEST)
            if not taken.whole:
                raise _Again(Unfetchable("broken", "the download ended early"))
        except TimeoutError:
            raise Unfetchable("broken", "the download came too slowly and was given up") from None
        except zlib.error:
            raise Unfetchable("broken", "what came is not packed as its server says") from None
        except httpx.RemoteProtocolError:
            raise _Again(Unfetchable("broken", "the download ended early")) from None
        except httpx.TransportError as error:
            raise _Again(Unfetchable("broken", f"the download broke ({type(error).__name__})")) from None

    async def _answer(self, source: str, headers: dict[str, str]) -> httpx.Response:
        """The answer of the server that has the file: a success or 416; its body is not read yet."""
        attachment = _SOURCE.fullmatch(source)
        if attachment:
            path = ATTACHMENT.replace("{id}", attachment[1])
            response, url = await self._own(path, headers), httpx.URL(self._client.credentials.api_url)
        else:
            url = _url(source)
            response = await self._other(url, headers)
            if response.status_code in (401, 403) and self._client.is_own(url):
                await response.aclose()
                try:
                    response = await self._own(str(url), headers)
                except Unauthorized as error:
                    if error.path == TOKEN_PATH:
                        raise
                    raise _failure(host_of(url), 401) from None
        for _ in range(_REDIRECTS):
            if response.status_code not in (301, 302, 303, 307, 308):
                break
            await response.aclose()
            url = _url(response.headers.get("Location", ""), url)
            response = await self._other(url, headers)
        status = response.status_code
        if status in (200, 206, 416):
            return response
        await response.aclose()
        raise _failure(host_of(url), status)

    async def _own(self, path: str, headers: dict[str, str]) -> httpx.Response:
        try:
            return await self._client.open(path, headers)
        except Unauthorized:
            raise
        except NotFound:
            raise Unfetchable("missing", "Dispatch Pro does not have the file any more") from None
        except RequestFailed as error:
            raise Unfetchable("broken", f"Dispatch Pro answered {error.status or 'nothing'}") from None

    async def _other(self, url: httpx.URL, headers: dict[str, str]) -> httpx.Response:
        """Without credentials, at the address that was checked."""
        self._hosts.check(url)
        address = await self._hosts.address(url)
        host = host_of(url)
        request = self._http.build_request(
            "GET",
            url.copy_with(host=address),
            headers={**headers, "Host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": host},
        )
        try:
            # A server may send its headers letter by letter, too: no timeout of a single reading ends that.
            async with asyncio.timeout(self._patience):
                if host == host_of(httpx.URL(self._client.credentials.api_url)):
                    async with self._client.pace.call():
                        return await self._http.send(request, stream=True)
                return await self._http.send(request, stream=True)
        except TimeoutError:
            raise Unfetchable("broken", f"{host} answered too slowly and was given up") from None
        except httpx.TransportError as error:
            raise _Again(Unfetchable("broken", f"{host} did not answer ({type(error).__name__})")) from None

    async def _tried(self, call: Callable[[], Awaitable[T]]) -> T:
        for number in range(1, _TRIES + 1):
            try:
                return await call()
            except _Again as failure:
                if number == _TRIES:
                    raise failure.why from None
            jitter = random.uniform(0.5, 1.5)  # noqa: S311 (no secret)
            await asyncio.sleep(self._first_wait * 2 ** (number - 1) * jitter)
        raise AssertionError("unreachable")


class _Taking:
    """Bytes on their way: unpacked, counted, hashed, written."""

    def __init__(self, most: int, file: IO[bytes] | None, encoding: str) -> None:
        self.size, self.sha256, self.head = 0, hashlib.sha256(), b""
        self._most, self._file = most, file
        self._unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if encoding == "gzip" else None
        if file is not None:
            file.seek(0)
            file.truncate()

    @property
    def whole(self) -> bool:
        """Whether a packed body has come to its end; of a plain one the server's length tells."""
        return self._unpack is None or self._unpack.eof

    def add(self, chunk: bytes) -> None:
        """Raises Unfetchable when it becomes too much, zlib.error for what cannot be unpacked."""
        if self._unpack is None:
            self._add(chunk)
        while self._unpack is not None and chunk and not self._unpack.eof:
            self._add(self._unpack.decompress(chunk, _CHUNK))
            chunk = self._unpack.unconsumed_tail

    def _add(self, chunk: bytes) -> None:
        self.head = self.head or chunk[:1024]
        self.size += len(chunk)
        if self.size > self._most:
            raise _too_large(self._most)
        self.sha256.update(chunk)
        if self._file is not None:
            self._file.write(chunk)


def _too_large(most: int) -> Unfetchable:
    return Unfetchable("large", f"it has more than {most:,} bytes")


def _failure(host: str, status: int) -> Exception:
    if status in (404, 410):
        return Unfetchable("missing", f"{host} does not have the file any more")
    if status in (401, 403):
        return Unfetchable("refused", f"{host} does not hand the file out ({status})")
    if status in (301, 302, 303, 307, 308):
        return Unfetchable("refused", f"more than {_REDIRECTS} redirects, the last one by {host}")
    broken = Unfetchable("broken", f"{host} answered {status}")
    return _Again(broken) if status >= 500 or status in (408, 429) else broken


def _url(text: str, base: httpx.URL | None = None) -> httpx.URL:
    text = text.strip()
    try:
        if base is None:
            return httpx.URL(f"https:{text}" if text.startswith("//") else text)
        if text:
            return base.join(text)
    except (httpx.InvalidURL, ValueError):
        pass
    raise Unfetchable("refused", "a redirect leads nowhere" if base else "the address cannot be read")


def _encoding(response: httpx.Response) -> str:
    """How the body is packed, though we asked for it as it is."""
    found = str(response.headers.get("Content-Encoding", "")).strip().lower() or "identity"
    if found not in ("identity", "gzip"):
        raise Unfetchable("broken", "its server packs it in a way that was not asked for")
    return found


def _declared(response: httpx.Response) -> int | None:
    """Content-Length, where it counts the bytes of the file itself."""
    if _encoding(response) != "identity":
        return None
    text = response.headers.get("Content-Length", "")
    return int(text) if _LENGTH.fullmatch(text) else None


def _type_of(response: httpx.Response) -> str | None:
    text = str(response.headers.get("Content-Type", "")).partition(";")[0].strip().lower()
    return text if _TYPE.fullmatch(text) and len(text) <= 100 else None


def _linked_type(source: str, head: bytes, said: str | None) -> str | None:
    """The type of what a text shows or links: an image, or another kind of file by its name; no page of a server."""
    named, _ = mimetypes.guess_type(urlsplit(source).path)
    other = named is not None and not named.startswith(("image/", "text/html"))
    page = said in ("text/html", "application/json") and said != named
    if other and not page and head.lstrip()[:1] != b"<":
        return said or named
    return _image_type(head, said)


def _image_type(head: bytes, said: str | None) -> str:
    """The type of an image by its first bytes, else as its server says; Unfetchable for what is none."""
    for start, media_type in _IMAGES.items():
        if head.startswith(start):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if said is not None and said.startswith("image/"):
        text = head.lstrip()[:1] in (b"<", b"{")
        if not text or (said == "image/svg+xml" and b"<svg" in head):
            return said
    raise Unfetchable("broken", f"what came is no image ({said or 'of no type'})")


def _from_data_uri(source: str) -> tuple[bytes, str]:
    """The bytes and the type of an image that stands in the text itself."""
    found = _DATA.fullmatch(source)
    if found is None:
        raise Unfetchable("broken", "the image in the text cannot be read")
    about, text = found[1].lower(), found[2]
    content = unquote_to_bytes(text)
    if "base64" in [part.strip() for part in about.split(";")[1:]]:
        with suppress(binascii.Error, ValueError):
            content = base64.b64decode(b"".join(content.split()), validate=True)
            return content, _image_type(content[:1024], about.partition(";")[0].strip())
        raise Unfetchable("broken", "the image in the text is not whole")
    return content, _image_type(content[:1024], about.partition(";")[0].strip())
