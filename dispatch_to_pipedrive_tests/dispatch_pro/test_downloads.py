"""Files come whole or not at all, from whom they may come, however their servers behave."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from dispatch_to_pipedrive.dispatch_pro.client import Credentials, DispatchProClient
from dispatch_to_pipedrive.dispatch_pro.downloads import Downloads, Measure
from dispatch_to_pipedrive.dispatch_pro.errors import Unfetchable
from dispatch_to_pipedrive.dispatch_pro.hosts import Hosts
from dispatch_to_pipedrive.dispatch_pro.parents import Files, fact_of, kept_at
from dispatch_to_pipedrive.dispatch_pro.readings import Fact

from ..sandbox_process import Sandbox, start_sandbox

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 3000


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with start_sandbox(customers=2, seed=4, no_limits=True) as started:
        yield started


@pytest.fixture
def detour(sandbox: Sandbox) -> Iterator[Callable[..., None]]:
    """Adds a rule of how files are handed out; none outlives the test."""

    def add(kind: str, **rule: Any) -> None:
        sandbox.control("dispatch", "downloads", {"kind": kind, **rule})

    yield add
    sandbox.control("dispatch", "downloads", {"clear": True})


@asynccontextmanager
async def fetching(
    sandbox: Sandbox, spool: Path, hosts: Hosts | None = None, **options: Any
) -> AsyncIterator[Downloads]:
    names = ("AUTH_URL", "API_URL", "TENANT_ID", "CLIENT_ID", "CLIENT_SECRET", "APP_KEY")
    credentials = Credentials(*(sandbox.env[f"DISPATCH_PRO_{name}"] for name in names))
    allowed = hosts or Hosts(credentials.api_url)
    async with (
        DispatchProClient(credentials, first_wait=0.001, attempts=2, calls_per_second=2000) as client,
        Downloads(client, allowed, spool, first_wait=0.001, **options) as downloads,
    ):
        yield downloads


def attached(sandbox: Sandbox, size: int, name: str = "a.png", **more: Any) -> str:
    jobs = httpx.get(
        f"{sandbox.dispatch_url}{sandbox.tenant_path('jpm/v2', 'jobs')}",
        headers={
            "Authorization": f"Bearer {sandbox.token()}",
            "ST-App-Key": sandbox.env["DISPATCH_PRO_APP_KEY"],
        },
    ).json()["data"]
    made = sandbox.change("add_attachment", job=jobs[0]["id"], name=name, size=size, **more)
    return f"attachment:{made['id']}"


def left(folder: Path) -> list[str]:
    """What lies in a folder."""
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


async def refused(call: Awaitable[Any]) -> Unfetchable:
    with pytest.raises(Unfetchable) as error:
        await call
    return error.value


@pytest.mark.promise("R054")
async def test_a_file_comes_whole_through_a_redirect_that_sees_no_credentials(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    source = await asyncio.to_thread(attached, sandbox, 2_500_000)
    async with fetching(sandbox, tmp_path) as downloads:
        told = await downloads.measure(source)
        file = await downloads.fetch(source, size=told.size)
        counted = await downloads.digest(source)
    assert (told.size, told.media_type) == (2_500_000, "image/png")
    content = file.path.read_bytes()
    assert len(content) == file.size == counted.size == 2_500_000
    assert hashlib.sha256(content).hexdigest() == file.sha256 == counted.sha256
    assert left(tmp_path) == [file.path.name]


async def test_an_empty_file_is_a_file_of_no_bytes(sandbox: Sandbox, tmp_path: Path) -> None:
    source = await asyncio.to_thread(attached, sandbox, 0)
    async with fetching(sandbox, tmp_path) as downloads:
        assert (await downloads.measure(source)).size == 0
        assert (await downloads.fetch(source, size=0)).size == 0


@pytest.mark.promise("R054")
@pytest.mark.parametrize(
    ("kind", "rule", "reason", "words"),
    [
        ("loop", {"path": "^/storage/"}, "refused", "redirects"),
        ("redirect", {"to": "https://evil.example.com/x"}, "refused", "evil.example.com is not on the list"),
        ("redirect", {"to": "http://listed.example.com/x"}, "refused", "without encryption"),
        ("redirect", {"to": "ftp://listed.example.com/x"}, "refused", "is no address"),
        ("redirect", {"to": "https://me:pw@listed.example.com/x"}, "refused", "user name"),
        ("redirect", {"to": "https://private.example.com/x"}, "refused", "private network"),
        ("early_end", {}, "broken", "ended early"),
        ("missing", {}, "missing", "does not have the file"),
    ],
)
async def test_what_must_not_or_cannot_be_fetched_says_why_and_leaves_nothing(
    sandbox: Sandbox,
    tmp_path: Path,
    detour: Callable[..., None],
    kind: str,
    rule: dict[str, str],
    reason: str,
    words: str,
) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["10.0.0.1"] if host == "private.example.com" else ["127.0.0.1"]

    source = await asyncio.to_thread(attached, sandbox, 2000)
    await asyncio.to_thread(detour, kind, **rule)
    hosts = Hosts(sandbox.dispatch_url, ("listed.example.com", "private.example.com"), resolve)
    async with fetching(sandbox, tmp_path, hosts) as downloads:
        error = await refused(downloads.fetch(source))
    assert error.reason == reason and words in error.words
    assert left(tmp_path) == []


async def test_a_file_of_unknown_length_is_counted_and_a_wrong_type_is_what_its_server_said(
    sandbox: Sandbox, tmp_path: Path, detour: Callable[..., None]
) -> None:
    source = await asyncio.to_thread(attached, sandbox, 5000, "a.pdf")
    await asyncio.to_thread(detour, "no_length")
    await asyncio.to_thread(detour, "wrong_type", media_type="text/html")
    async with fetching(sandbox, tmp_path) as downloads:
        fact = await fact_of(Files(downloads, 6000), int(source.partition(":")[2]), None)
    assert (fact.size, fact.sha256, fact.problem) == (5000, None, None)


@pytest.mark.promise("R055")
@pytest.mark.parametrize(("size", "large"), [(999, False), (1000, False), (1001, True)])
async def test_a_file_above_the_limit_is_hashed_and_kept_where_asked_for(
    sandbox: Sandbox, tmp_path: Path, size: int, large: bool
) -> None:
    number = int((await asyncio.to_thread(attached, sandbox, size)).partition(":")[2])
    async with fetching(sandbox, tmp_path / "spool") as downloads:
        plain = await fact_of(Files(downloads, 1000), number, None)
        kept = await fact_of(Files(downloads, 1000, tmp_path / "kept"), number, plain)
        assert await fact_of(Files(downloads, 1000, tmp_path / "kept"), number, kept) == kept
        lower = await fact_of(Files(downloads, 500), number, plain)
        higher = await fact_of(Files(downloads, 2000), number, plain)
    assert plain == kept and plain.size == size and (plain.sha256 is not None) == large
    assert kept_at(tmp_path / "kept", number).is_file() == large
    assert lower.sha256 is not None and higher.sha256 is None
    assert left(tmp_path / "spool") == []


async def test_a_refused_download_is_a_fact_and_asked_again(
    sandbox: Sandbox, tmp_path: Path, detour: Callable[..., None]
) -> None:
    number = int((await asyncio.to_thread(attached, sandbox, 10)).partition(":")[2])
    await asyncio.to_thread(detour, "redirect", to="https://evil.example.com/x", times=1)
    async with fetching(sandbox, tmp_path) as downloads:
        first = await fact_of(Files(downloads, 1000), number, None)
        second = await fact_of(Files(downloads, 1000), number, first)
    assert first.problem is not None and "evil.example.com" in first.problem
    assert second == Fact(number, 10, "image/png")


@asynccontextmanager
async def serving(*answers: bytes, then_wait: bool = False) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers each connection with the next of these bytes (at last with the last one)."""
    asked: list[bytes] = []
    stop = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        try:
            writer.write(answers[min(len(asked), len(answers)) - 1])
            await writer.drain()
            if then_wait:
                await stop.wait()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x.png", asked
    finally:
        stop.set()
        server.close()


def response(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *headers, "", ""]).encode() + body


async def fetched(sandbox: Sandbox, spool: Path, url: str, **options: Any) -> bytes:
    async with fetching(sandbox, spool, **options) as downloads:
        file = await downloads.fetch(url)
        return file.path.read_bytes()


@pytest.mark.promise("R056")
async def test_an_image_is_known_by_its_bytes(sandbox: Sandbox, tmp_path: Path) -> None:
    async with serving(response(PNG, "Content-Type: text/plain")) as (url, asked):
        assert await fetched(sandbox, tmp_path, url) == PNG
    packed = gzip.compress(PNG)
    async with serving(response(packed, "Content-Encoding: gzip", f"Content-Length: {len(packed)}")) as (
        url,
        _,
    ):
        assert await fetched(sandbox, tmp_path, url) == PNG
    assert b"authorization" not in asked[0].lower() and b"st-app-key" not in asked[0].lower()


@pytest.mark.promise("R056")
async def test_a_file_that_a_text_links_is_known_by_its_name(sandbox: Sandbox, tmp_path: Path) -> None:
    async with serving(response(b"%PDF-1.7 x", "Content-Type: application/pdf")) as (url, _):
        linked = f"{url.rpartition('/')[0]}/permit%20form.pdf?sig=1"
        assert await fetched(sandbox, tmp_path, linked) == b"%PDF-1.7 x"
    async with serving(response(b"<html>log in</html>", "Content-Type: text/html")) as (url, _):
        linked = f"{url.rpartition('/')[0]}/permit.pdf"
        assert "no image" in (await refused(fetched(sandbox, tmp_path, linked))).words


HOSTILE = {
    "cut off": (response(PNG, "Content-Length: 9000"), "ended early"),
    "a page for people": (
        response(b"<html>log in</html>", "Content-Type: text/html"),
        "no image (text/html)",
    ),
    "an error as an image": (response(b'{"error":1}', "Content-Type: image/png"), "no image"),
    "announced too long": (response(PNG, "Content-Length: 20000"), "more than 10,000 bytes"),
    "too long": (response(b"x" * 20_000), "more than 10,000 bytes"),
    "a broken chunk": (response(b"3\r\nabc\r\n", "Transfer-Encoding: chunked"), "ended early"),
    "not packed": (response(b"no gzip", "Content-Encoding: gzip"), "not packed as its server says"),
    "packed and cut off": (response(gzip.compress(PNG)[:20], "Content-Encoding: gzip"), "ended early"),
    "packed and too long": (
        response(gzip.compress(b"x" * 5_000_000), "Content-Encoding: gzip"),
        "more than 10,000 bytes",
    ),
    "packed otherwise": (response(PNG, "Content-Encoding: zstd"), "packs it in a way"),
    "rubbish": (b"rubbish\r\n\r\n", "did not answer"),
    "a failure": (response(b"", status="500 Oh"), "answered 500"),
    "nowhere": (response(b"", "Location: ", status="302 Found"), "leads nowhere"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_answer_is_refused_in_words(sandbox: Sandbox, tmp_path: Path, name: str) -> None:
    answer, words = HOSTILE[name]
    async with serving(answer) as (url, _):
        error = await refused(fetched(sandbox, tmp_path, url, most=10_000))
    assert words in error.words
    assert left(tmp_path) == []


async def test_a_download_that_never_ends_is_given_up(sandbox: Sandbox, tmp_path: Path) -> None:
    endless = response(b"x" * 100, "Content-Length: 5000")
    async with serving(endless, then_wait=True) as (url, _):
        error = await refused(fetched(sandbox, tmp_path, url, patience=0.2))
    assert "too slowly" in error.words and left(tmp_path) == []
    async with serving(b"HTTP/1.1 200 OK\r\nX-Endless: x", then_wait=True) as (url, _):
        error = await refused(fetched(sandbox, tmp_path, url, patience=0.2))
    assert "too slowly" in error.words and left(tmp_path) == []


async def test_lengths_that_a_server_makes_up_are_not_believed(sandbox: Sandbox, tmp_path: Path) -> None:
    """A number too large for any column, and the length of packed bytes, which is not the file's."""
    part = ("Content-Type: image/png", "Content-Range: bytes 0-0/")
    for more in (("9" * 30,), ("70", "Content-Encoding: gzip")):
        headers = (part[0], part[1] + more[0], *more[1:])
        async with (
            serving(response(b"x", *headers, status="206 Partial")) as (url, _),
            fetching(sandbox, tmp_path) as downloads,
        ):
            assert await downloads.measure(url) == Measure(None, "image/png")


async def test_an_address_of_the_api_that_lets_nobody_in_is_a_file_less_and_no_end(tmp_path: Path) -> None:
    nobody, token = (
        response(b"", status="401 No"),
        response(b'{"access_token":"t","expires_in":900}', "Content-Type: application/json"),
    )
    async with serving(nobody, token, nobody, token, nobody) as (url, asked):
        api = url.removesuffix("/x.png")
        credentials = Credentials(api, api, "1", "id", "secret", "key")
        async with (
            DispatchProClient(credentials) as client,
            Downloads(client, Hosts(api), tmp_path) as downloads,
        ):
            assert (await refused(downloads.fetch(url))).reason == "refused"
    assert len(asked) == 5 and b"Bearer t" in asked[4]


async def test_a_passing_fault_is_tried_again(sandbox: Sandbox, tmp_path: Path) -> None:
    cut = response(PNG, "Content-Length: 9000")
    async with serving(cut, response(b"", status="503 Busy"), response(PNG)) as (url, asked):
        assert await fetched(sandbox, tmp_path, url) == PNG
    assert len(asked) == 3


@pytest.mark.promise("R056")
async def test_an_image_inside_a_text_is_read_without_any_server(sandbox: Sandbox, tmp_path: Path) -> None:
    uri = "data:image/png;base64," + base64.b64encode(PNG).decode()
    async with fetching(sandbox, tmp_path) as downloads:
        file = await downloads.fetch(uri)
        assert (file.size, file.media_type, file.path.read_bytes()) == (len(PNG), "image/png", PNG)
        svg = await downloads.measure("data:image/svg+xml,%3Csvg%20/%3E")
        assert (svg.size, svg.media_type) == (7, "image/svg+xml")
        for bad in (
            "data:image/png;base64,****",
            "data:text/html,<p>",
            "data:",
            "cid:1",
            "/relative",
            "http://[",
        ):
            assert (await refused(downloads.fetch(bad))).words
        assert (await refused(downloads.fetch(uri, most=10))).reason == "large"
    assert left(tmp_path) == [file.path.name]
