"""Notes and files on an account: as the vendor's documents say, as v2 records above the client, never in memory."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from dispatch_to_pipedrive.pipedrive.errors import Ambiguous, NotFound, Transient
from dispatch_to_pipedrive.pipedrive.prices import price
from dispatch_to_pipedrive.pipedrive.requests import WRITE_ATTEMPTS
from dispatch_to_pipedrive.pipedrive.streams import LocalFile
from dispatch_to_pipedrive_tests.sandbox_process import Sandbox

from .checked import connected
from .vendor import Line, page, record, vendor


@pytest.fixture
def account(new_sandbox: Callable[..., Sandbox]) -> Sandbox:
    return new_sandbox(customers=2, seed=4, plan="premium", no_limits=True)


@pytest.fixture
def photo(tmp_path: Path) -> LocalFile:
    path = tmp_path / "spooled"
    path.write_bytes(bytes(range(256)) * 1_000)
    return LocalFile(path, "image/jpeg")


async def test_a_note_goes_the_whole_way_as_a_v2_record(account: Sandbox) -> None:
    async with connected(account) as client:
        parent = (await client.create("organizations", {"name": "Acme"})).record["id"]
        body = {
            "content": "<p>Gate code 4411</p>",
            "org_id": parent,
            "add_time": "2021-07-01T14:03:22Z",
            "pinned_to_organization_flag": True,
            "pinned_to_deal_flag": False,
        }
        made = await client.create("notes", body)
        assert {name: made.record[name] for name in body} == body
        assert (made.record["is_deleted"], made.tokens) == (False, 10)
        number = made.record["id"]
        changed = await client.update(
            "notes",
            number,
            {"content": "<p>9922</p>", "pinned_to_organization_flag": False, "org_id": parent},
        )
        assert changed.record["content"] == "<p>9922</p>"
        assert changed.record["pinned_to_organization_flag"] is False
        assert (await client.get("notes", number)).record == changed.record
        listed = [r async for p in client.list("notes", updated_since=made.date) for r in p.records]
        assert listed == [changed.record]
        await client.delete("notes", number)
        assert (await client.get("notes", number)).record["is_deleted"] is True
        assert [r async for p in client.list("notes") for r in p.records] == []


async def test_a_file_goes_the_whole_way_as_a_v2_record(account: Sandbox, photo: LocalFile) -> None:
    async with connected(account) as client:
        parent = (await client.create("persons", {"name": "Jane Doe"})).record["id"]
        name = 'Größe "1" – фото \U0001f600.jpg'
        body = {"name": name, "person_id": parent, "content": "attachment:1", "size": 256_000}
        made = await client.create("files", body, photo)
        file = made.record
        assert (file["name"], file["size"], file["person_id"], made.tokens) == (
            name.replace('"', "%22"),
            256_000,
            parent,
            10,
        )
        digest = await client.digest_of_file(file["id"])
        assert digest == (256_000, hashlib.sha256(photo.path.read_bytes()).hexdigest())
        renamed = await client.update("files", file["id"], {"name": "new.jpg"})
        assert renamed.record["name"] == "new.jpg"
        listed = [r async for p in client.files_of("persons", parent) for r in p.records]
        assert listed == [r async for p in client.list("files") for r in p.records] == [renamed.record]
        await client.delete("files", file["id"])
        with pytest.raises(NotFound):
            await client.get("files", file["id"])
        with pytest.raises(ValueError, match="only the name"):
            await client.update("files", file["id"], {"person_id": 1})
    assert price("create", "files") == 10


async def test_an_upload_that_was_cut_before_its_last_chunk_was_not_carried_out(photo: LocalFile) -> None:
    photo.path.write_bytes(bytes(4_000_000))
    async with vendor(Line(fate="deaf")) as place, place.client() as client:
        with pytest.raises(Transient):
            await client.create("files", {"name": "x", "deal_id": 1}, photo)
    assert place.methods == ["POST"] * (1 + WRITE_ATTEMPTS)


async def test_an_upload_whose_answer_is_lost_is_in_doubt(photo: LocalFile) -> None:
    async with vendor(Line(fate="reset")) as place, place.client() as client:
        with pytest.raises(Ambiguous):
            await client.create("files", {"name": "x", "deal_id": 1}, photo)
    assert place.methods == ["POST"]


async def test_the_lease_is_looked_at_before_the_last_chunk(photo: LocalFile) -> None:
    looks = []

    def lost_meanwhile() -> None:
        looks.append(1)
        if len(looks) > 1:
            raise LookupError("the lease is lost")

    async with vendor(record()) as place, place.client(before_send=lost_meanwhile) as client:
        with pytest.raises(LookupError):
            await client.create("files", {"name": "x", "deal_id": 1}, photo)
        await asyncio.sleep(0)
    assert (len(looks), place.requests) == (2, [])


class _SlowLine(httpx.AsyncBaseTransport):
    """Takes a third of the time limit for each chunk."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        async for _ in request.stream:
            await asyncio.sleep(0.1)
        return httpx.Response(200, json={"success": True, "data": {"id": 1}})


async def test_a_slow_line_may_take_longer_than_a_request(photo: LocalFile) -> None:
    """Each chunk begins the time anew: what is waited for is the answer."""
    async with vendor(record()) as place, place.client(request_timeout=0.3, transport=_SlowLine()) as client:
        answer = await client.create("files", {"name": "x", "deal_id": 1}, photo)
    assert answer.record["id"] == 1


async def test_reading_goes_back_where_others_delete_between_two_pages() -> None:
    def rows(*ids: int) -> list[dict[str, object]]:
        return [{"id": number, "name": str(number), "active_flag": True} for number in ids]

    def some(more: bool, *ids: int) -> Line:
        line = page(rows(*ids))
        line.body["additional_data"] = {"pagination": {"more_items_in_collection": more}}
        return line

    moved = some(False, 6, 7)  # 4 should come first: it was moved to the front
    pages = (some(True, 1, 2, 3, 4), moved, some(False, 3, 4, 5, 6, 7))
    async with vendor(*pages) as place, place.client() as client:
        found = [r["id"] async for p in client.list("files") for r in p.records]
    assert found == [1, 2, 3, 4, 5, 6, 7]
    assert len(place.requests) == 3


async def test_a_redirect_of_a_download_is_followed_without_the_token(photo: LocalFile) -> None:
    async with vendor(Line(200, b"the bytes", {"content-type": "image/png"})) as store:
        away = Line(302, {}, {"location": f"{store.url}/bytes"})
        async with vendor(away) as place, place.client() as client:
            with pytest.raises(Exception, match="redirect"):
                await client.digest_of_file(1)
    assert store.requests == []
    near = Line(302, {}, {"location": "/store/1"})
    bytes_of_it = Line(200, b"the bytes", {"content-type": "image/png"})
    async with vendor(near, bytes_of_it) as place, place.client() as client:
        assert await client.digest_of_file(1) == (9, hashlib.sha256(b"the bytes").hexdigest())
    assert [("x-api-token" in request.headers) for request in place.requests] == [True, False]
