"""Files through v1: uploads in multipart, bytes on disk, lists, faults, and what an account's dump keeps of them."""

import hashlib
import io
from collections import Counter
from typing import Any

import httpx
import pytest

from dispatch_to_pipedrive.sandbox.pipedrive.contents import Contents

from .pipedrive_world import World, serve


def _bare(world: World, file: int) -> httpx.Response:
    """A download that no document is asked about: 410 is the sandbox's own answer."""
    headers = {"x-api-token": world.account.api_token}
    return world._plain.get(f"/api/v1/files/{file}/download", headers=headers)


def _deal(world: World) -> int:
    return int(world.post("deals", {"title": "x"})["id"])


def _upload(world: World, name: str, content: bytes, expect: int = 200, **links: int) -> Any:
    data = {key: str(value) for key, value in links.items()}
    answer = world.client.post("/api/v1/files", files={"file": (name, content)}, data=data)
    assert answer.status_code == expect, answer.text
    return answer.json().get("data")


def test_a_file_goes_up_and_comes_down_byte_for_byte(world: World) -> None:
    deal = _deal(world)
    content = bytes(range(256)) * 10
    answer = world.client.post(
        "/api/v1/files", files={"file": ("rüf.pdf", content, "application/pdf")}, data={"deal_id": str(deal)}
    )
    made = answer.json()["data"]
    assert answer.status_code == 200 and made["name"] == "rüf.pdf" and made["file_size"] == len(content)
    assert made["deal_id"] == deal and made["deal_name"] == "x"
    down = world.client.get(f"/api/v1/files/{made['id']}/download")
    assert down.content == content and down.headers["content-type"] == "application/octet-stream"
    renamed = world.client.put(f"/api/v1/files/{made['id']}", data={"name": "Invoice"})
    assert renamed.json()["data"]["name"] == "Invoice"
    assert [one["id"] for one in world.get(f"/api/v1/deals/{deal}/files")] == [made["id"]]
    assert world.delete(f"/api/v1/files/{made['id']}")["data"] == {"id": made["id"]}
    assert world.get("/api/v1/files") == []
    world.get(f"/api/v1/files/{made['id']}", 404)


def test_a_file_without_bytes_or_parent_is_refused(world: World) -> None:
    assert world.client.post("/api/v1/files", data={"deal_id": "1"}).status_code == 400
    files = {"file": ("a.txt", b"a")}
    assert world.client.post("/api/v1/files", files=files, data={"deal_id": "999999"}).status_code == 400
    world.get("/api/v1/files", 400, limit=101)
    world.control("habits", {"file_megabytes": 1})
    deal = str(_deal(world))
    sizes = {1_000_000: 200, 1_000_001: 400}
    for size, status in sizes.items():
        answer = world.client.post(
            "/api/v1/files", files={"file": ("a.bin", b"a" * size)}, data={"deal_id": deal}
        )
        assert answer.status_code == status


def test_a_name_longer_than_a_column_is_refused_and_an_empty_file_is_one(world: World) -> None:
    deal = _deal(world)
    assert _upload(world, "n" * 251 + ".pdf", b"x", deal_id=deal)["name"] == "n" * 251 + ".pdf"
    _upload(world, "n" * 252 + ".pdf", b"x", 400, deal_id=deal)
    assert _upload(world, "empty.txt", b"", deal_id=deal)["file_size"] == 0
    world.control("capabilities", {"long_file_name": True, "empty_file": False})
    assert _upload(world, "n" * 252 + ".pdf", b"x", deal_id=deal)
    _upload(world, "empty.txt", b"", 400, deal_id=deal)


def test_files_come_in_pages_of_a_hundred_in_two_orders(world: World) -> None:
    world.control("clock", {"speed": 0})
    deal, other = _deal(world), _deal(world)
    ids = []
    for at in range(103):
        ids.append(_upload(world, f"{at}.txt", b"%d" % at, deal_id=other if at % 50 == 0 else deal)["id"])
        world.clock.advance(1)
    world.client.put(f"/api/v1/files/{ids[0]}", data={"name": "renamed"})
    world.delete(f"/api/v1/files/{ids[1]}")
    live = [id_ for id_ in ids if id_ != ids[1]]

    def listed(path: str = "/api/v1/files", **query: Any) -> list[int]:
        found, start = [], 0
        while True:
            page = world.ask("GET", path, start=start, **query)
            found += [one["id"] for one in page["data"]]
            pages = page["additional_data"]["pagination"]
            if not pages["more_items_in_collection"]:
                return found
            start = pages["next_start"]

    assert listed() == live
    assert listed(limit=40) == live
    assert listed(sort="id DESC", limit=100) == live[::-1]
    assert listed(sort="update_time") == [*live[1:], ids[0]]
    assert listed(f"/api/v1/deals/{other}/files", limit=2) == [ids[0], ids[50], ids[100]]
    world.get("/api/v1/files", 400, sort="name")


def test_the_control_endpoint_tells_every_files_hash_and_parent(world: World) -> None:
    deal = _deal(world)
    person = world.post("persons", {"name": "P"})["id"]
    for name, content, links in (
        ("a", b"same", {"deal_id": deal}),
        ("a", b"same", {"deal_id": deal}),
        ("b", b"other", {"person_id": person}),
    ):
        _upload(world, name, content, **links)
    gone = _upload(world, "c", b"gone", deal_id=deal)["id"]
    world.delete(f"/api/v1/files/{gone}")
    told = Counter((one["deal_id"], one["person_id"], one["sha256"]) for one in world.control("files"))
    same, other = (hashlib.sha256(content).hexdigest() for content in (b"same", b"other"))
    assert told == {(deal, None, same): 2, (None, person, other): 1}


def test_an_account_that_keeps_no_bytes_still_knows_hash_and_size(world: World) -> None:
    world.control("habits", {"keep_file_bytes": False})
    content = bytes(range(256)) * 8192
    made = _upload(world, "a.bin", content, deal_id=_deal(world))
    assert made["file_size"] == len(content)
    assert world.control("files")[0]["sha256"] == hashlib.sha256(content).hexdigest()
    assert _bare(world, made["id"]).status_code == 410
    world.control("habits", {"keep_file_bytes": True})
    again = _upload(world, "b.bin", content, deal_id=made["deal_id"])
    assert world.client.get(f"/api/v1/files/{again['id']}/download").content == content


def test_an_account_is_put_back_with_its_files(world: World) -> None:
    deal = _deal(world)
    first = _upload(world, "a.txt", b"first", deal_id=deal)["id"]
    before = world.control("dump")
    second = _upload(world, "b.txt", b"second", deal_id=deal)["id"]
    world.delete(f"/api/v1/files/{first}")
    after = world.control("dump")
    assert "contents" not in before
    world.control("load", before)
    assert [one["id"] for one in world.get("/api/v1/files")] == [first]
    assert world.client.get(f"/api/v1/files/{first}/download").content == b"first"
    world.control("load", after)
    assert world.client.get(f"/api/v1/files/{second}/download").content == b"second"
    whole = world._plain.get("/_control/dump?contents=1").json()
    for dumped, status in ((whole, 200), (after, 410)):
        with serve(seed=77, load_dump=dumped) as other:
            assert _bare(other, second).status_code == status


@pytest.mark.parametrize(("kind", "kept"), [("lost_after_commit", 1), ("reset_before", 0)])
def test_the_answer_to_an_upload_may_be_lost_before_or_after_the_file_is_there(
    world: World, kind: str, kept: int
) -> None:
    deal = _deal(world)
    rule = {"kind": kind, "method": "POST", "entity": "files", "times": 1}
    world.control("faults", rule)
    with pytest.raises(httpx.TransportError):
        _upload(world, "a.bin", b"a" * 3_000_000, deal_id=deal)
    assert len(world.get("/api/v1/files")) == kept
    _upload(world, "a.bin", b"a" * 3_000_000, deal_id=deal)
    assert len(world.get("/api/v1/files")) == kept + 1


@pytest.mark.parametrize("commit", [True, False])
def test_an_upload_may_be_answered_with_an_error_and_be_there(world: World, commit: bool) -> None:
    world.control(
        "faults", {"kind": "status", "status": 500, "entity": "files", "commit": commit, "times": 1}
    )
    _upload(world, "a.bin", b"a", 500, deal_id=_deal(world))
    assert len(world.get("/api/v1/files")) == int(commit)


def test_who_hangs_up_amid_an_upload_has_uploaded_nothing(world: World) -> None:
    deal = _deal(world)

    def body() -> Any:
        yield b'--x\r\nContent-Disposition: form-data; name="deal_id"\r\n\r\n%d\r\n' % deal
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + b"a" * 100_000
        raise KeyboardInterrupt

    headers = {"content-type": "multipart/form-data; boundary=x", "content-length": "900000"}
    with pytest.raises(KeyboardInterrupt):
        world._plain.post(
            "/api/v1/files", content=body(), headers={**headers, "x-api-token": world.account.api_token}
        )
    assert world.get("/api/v1/files") == []


def test_each_content_is_kept_once() -> None:
    contents = Contents()
    large = bytes(range(256)) * 5000
    first = contents.add(io.BytesIO(large), keep=True)
    assert contents.add(io.BytesIO(large), keep=True) == first
    small = contents.add(io.BytesIO(b"x"), keep=True)
    assert b"".join(contents.pieces(first[0])) == large
    assert b"".join(contents.pieces(small[0])) == b"x"
    assert contents._disk().seek(0, 2) == len(large) + 1
    empty = contents.add(io.BytesIO(), keep=True)
    assert empty[1] == 0
    assert list(contents.pieces(empty[0])) == []
    assert contents.add(io.BytesIO(b"y"), keep=False)[0] not in contents
