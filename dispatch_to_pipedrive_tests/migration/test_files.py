"""What a load does to files and notes: exactly once, whatever is lost or killed; moved by replacing; mended later."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

from dispatch_to_pipedrive.migration import files
from dispatch_to_pipedrive.migration.errors import RunStopped, SourceAway
from dispatch_to_pipedrive.migration.file_bytes import (
    chosen,
    files_to_read,
    read_bytes,
    readback_tokens,
    stratum_of,
)
from dispatch_to_pipedrive.migration.files import Fetched
from dispatch_to_pipedrive.migration.listing import take_listing
from dispatch_to_pipedrive.migration.prepare import read_schema
from dispatch_to_pipedrive.migration.session import reading
from dispatch_to_pipedrive.migration.values import AccountUser
from dispatch_to_pipedrive_tests.migration.tenants import RootVersion, Tenant
from dispatch_to_pipedrive_tests.migration.test_load import account, last_body, load, record_of, writes
from dispatch_to_pipedrive_tests.migration.world import Crash, World, fresh_ledger

PHOTO, TWIN = "attachment:10/file", "attachment:11/file"
NOTE, PICTURE = "customer_note:10/note", "customer_note:10/image-0123456789ab"
GATE = "https://files.example/1/0.png?signature=secret"


@pytest.fixture
def migration(world: World) -> Iterator[World]:
    """A fresh account with its schema, and a ledger that knows it."""
    world.reset()
    yield fresh_ledger(world)
    world.control("capabilities", {"admin": True})
    world.control("habits", {"file_megabytes": 100})
    world.reset()


def tenant_of(world: World, *versions: RootVersion, roots: int = 1) -> Tenant:
    return Tenant(dict.fromkeys(range(1, roots + 1), versions), world.maps)


def home(
    photos: int = 2, remarks: int = 0, *, commercial: bool = True, jobs: int = 1, flavour: int = 0
) -> Any:
    return RootVersion(commercial, 0, ((0, 0),) * jobs, flavour, photos, remarks)


def alive(world: World, entity: str) -> list[dict[str, Any]]:
    return [r for r in world.control("dump")["entities"][entity] if not r.get("is_deleted")]


def differences(world: World, tenant: Tenant, generation: int = 1) -> list[tuple[str, str, str]]:
    found = world.verify(tenant, list(tenant.roots), generation).differences
    return [(d.source_key, d.field, d.verdict) for d in found]


def dies(point: str, passes: int) -> Callable[[str], None]:
    left = [passes]

    def hook(name: str) -> None:
        left[0] -= name == point
        if left[0] == 0:
            raise Crash(point)

    return hook


@pytest.mark.promise("R023", "R054")
def test_files_arrive_with_name_size_parent_and_their_ledger_says_what_was_sent(migration: World) -> None:
    tenant = tenant_of(migration, home(3, 1))
    migration.control("stats/reset", {})
    reports = load(migration, tenant)
    assert (reports["files"].created, reports["notes"].created) == (4, 1)
    asked = migration.control("stats")["requests"]
    assert not [line for line in asked if line.startswith("GET") and ("notes" in line or "files" in line)]
    deal = record_of(migration, "deals", "job:100/deal")
    photos = [f for f in alive(migration, "files") if f.get("deal_id") == deal["id"]]
    assert Counter(f["name"] for f in photos) == {"photo.jpg": 2, "photo 2 v0.jpg": 1}
    body = last_body(migration, "files", PICTURE)
    assert (body["content"], body["size"]) == ("https://files.example/1/0.png", 29)
    assert len(body["sha256"]) == 64
    assert differences(migration, tenant) == []
    assert list(migration.spool.iterdir()) == []


@pytest.mark.promise("R056")
def test_a_note_shows_its_picture_where_it_stands_now(migration: World) -> None:
    tenant = tenant_of(migration, home(0, 1))
    load(migration, tenant)
    picture = record_of(migration, "files", PICTURE)
    content = record_of(migration, "notes", NOTE)["content"]
    assert f".pipedrive.com/v1/files/{picture['id']}/download" in content
    assert "files.example" not in content
    assert "file:" not in content


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "lost_after_commit", "nth": [1, 2, 4]},
        {"kind": "reset_before", "nth": [1]},
    ],
)
def test_two_equal_photos_are_two_although_answers_are_lost(migration: World, fault: dict[str, Any]) -> None:
    migration.control("faults", {**fault, "entity": "files", "method": "POST"})
    tenant = tenant_of(migration, home(2), roots=2)
    report = load(migration, tenant)["files"]
    migration.control("faults", {"clear": True})
    assert len(alive(migration, "files")) == 4
    assert report.quarantined == []
    assert differences(migration, tenant) == []


@pytest.mark.promise("R054")
@pytest.mark.parametrize(
    ("point", "passes"),
    [
        ("file_fetched", 2),
        ("last_look", 8),
        ("response_received", 4),
        ("response_received", 5),
        ("outcomes_committed", 4),
    ],
)
def test_killed_in_the_middle_of_uploads_two_equal_photos_end_as_two(
    migration: World, point: str, passes: int
) -> None:
    tenant = tenant_of(migration, home(2))
    with pytest.raises(Crash):
        load(migration, tenant, crash=dies(point, passes))
    load(migration, tenant)
    assert len(alive(migration, "files")) == 2
    assert differences(migration, tenant) == []
    before = writes(migration)
    load(migration, tenant)
    assert writes(migration) == before


def test_of_two_photos_of_one_name_and_size_the_bytes_say_which_is_lost(migration: World) -> None:
    """Else the other one would be sent twice, and this one never."""
    tenant = tenant_of(migration, home(2))
    one, other = (b"%d" % n * 50 for n in (1, 2))

    async def differing(source: str) -> Fetched:
        file = await migration.fetch(source)
        file.path.write_bytes(one if source.endswith("0") else other)
        return replace(file, size=50, sha256=hashlib.sha256(file.path.read_bytes()).hexdigest())

    copy = replace(migration, fetching=differing)
    migration.control(
        "faults", {"kind": "lost_after_commit", "entity": "files", "method": "POST", "nth": [2]}
    )
    load(copy, tenant)
    migration.control("faults", {"clear": True})
    found = sha_of_all(copy)
    assert len(found) == len(set(found)) == 2


def sha_of_all(world: World) -> list[str]:
    async def read() -> list[str]:
        with world.ledger() as ledger:
            async with reading(ledger, world.access, purpose="look") as session:
                return [
                    (await session.client.digest_of_file(int(r["id"]))).sha256
                    async for page in session.client.list("files")
                    for r in page.records
                ]

    return asyncio.run(read())


def test_a_file_that_hangs_on_another_record_now_is_sent_there_and_the_old_one_deleted(
    migration: World,
) -> None:
    tenant = tenant_of(migration, home(2, 1), home(2, 1, commercial=False, jobs=0))
    load(migration, tenant)
    reports = load(migration, tenant, 2)
    assert reports["files"].created == 3
    assert reports["notes"].created == 1
    person = record_of(migration, "persons", "customer:1/person")["id"]
    assert [f.get("person_id") for f in alive(migration, "files")] == [person] * 3
    assert [n.get("person_id") for n in alive(migration, "notes")] == [person]
    assert differences(migration, tenant, 2) == []


@pytest.mark.parametrize(("point", "passes"), [("response_received", 3), ("settled", 6), ("retiring", 1)])
def test_killed_while_a_file_moves_there_is_one_of_it(migration: World, point: str, passes: int) -> None:
    tenant = tenant_of(migration, home(2, 1), home(2, 1, commercial=False, jobs=0))
    load(migration, tenant)
    with pytest.raises(Crash):
        load(migration, tenant, 2, crash=dies(point, passes))
    load(migration, tenant, 2)
    assert (len(alive(migration, "files")), len(alive(migration, "notes"))) == (3, 1)
    assert differences(migration, tenant, 2) == []


def test_a_new_name_is_a_rename(migration: World) -> None:
    tenant = tenant_of(migration, home(3), home(3, flavour=1))
    load(migration, tenant)
    fetched = len(migration.fetched)
    report = load(migration, tenant, 2)["files"]
    assert (report.updated, report.created) == (1, 0)
    assert len(migration.fetched) == fetched
    assert last_body(migration, "files", "attachment:12/file") == {"name": "photo 2 v1.jpg"}


def test_what_people_did_to_files_and_notes_stays(migration: World) -> None:
    tenant = tenant_of(migration, home(3, 1), home(3, 1, flavour=1))
    load(migration, tenant)
    migration.control("clock", {"advance": 60})
    renamed = record_of(migration, "files", "attachment:12/file")["id"]
    migration.control("edit", {"entity": "files", "id": renamed, "changes": {"name": "ours.jpg"}})
    deleted = record_of(migration, "files", PHOTO)["id"]
    migration.control("edit", {"entity": "files", "id": deleted, "action": "delete"})
    note = record_of(migration, "notes", NOTE)["id"]
    migration.control("edit", {"entity": "notes", "id": note, "changes": {"content": "<p>By hand</p>"}})
    reports = load(migration, tenant, 2)
    assert (reports["files"].kept, reports["notes"].kept) == (1, 1)
    assert record_of(migration, "notes", NOTE)["content"] == "<p>By hand</p>"
    assert sorted(differences(migration, tenant, 2)) == [
        (PHOTO, "", "gone"),
        ("attachment:12/file", "name", "kept"),
        (NOTE, "content", "kept"),
    ]


def test_a_file_without_bytes_is_set_aside_and_its_note_mended_when_it_comes(migration: World) -> None:
    migration.unfetchable[GATE] = "files.example is not on the list"
    tenant = tenant_of(migration, home(0, 1))
    (aside,) = load(migration, tenant)["files"].quarantined
    assert (aside.source_key, aside.reason) == (PICTURE, "unfetchable")
    assert "gate [files.example is not on the list]" in record_of(migration, "notes", NOTE)["content"]
    migration.unfetchable.clear()
    assert load(migration, tenant)["files"].created == 0, "it is not tried again by itself"
    reports = load(migration, tenant, retry_quarantined=True)
    assert (reports["files"].created, reports["notes"].updated) == (1, 1)
    assert differences(migration, tenant) == []


def test_a_file_that_pipedrive_finds_too_large_is_set_aside_with_its_words(migration: World) -> None:
    migration.control("habits", {"file_megabytes": 0.0005})
    tenant = tenant_of(migration, home(2, 1))
    reports = load(migration, tenant)
    assert [(q.reason, q.words) for q in reports["files"].quarantined] == [
        ("rejected", "The file is too large.")
    ] * 2
    assert (reports["files"].created, reports["notes"].created) == (1, 1)


def test_a_source_that_gives_nothing_ends_the_load_and_sets_nothing_aside(migration: World) -> None:
    async def nothing(source: str) -> Fetched:
        raise SourceAway("Dispatch Pro gives no files")

    with pytest.raises(SourceAway):
        load(replace(migration, fetching=nothing), tenant_of(migration, home(2)))
    load(migration, tenant_of(migration, home(2)))
    assert len(alive(migration, "files")) == 2


def test_few_files_are_on_disk_at_a_time(migration: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SPOOLED", 3)
    most = [0]

    async def counting(source: str) -> Fetched:
        file = await migration.fetch(source)
        most[0] = max(most[0], len(list(migration.spool.iterdir())))
        return file

    load(replace(migration, fetching=counting), tenant_of(migration, home(8), roots=2))
    assert len(alive(migration, "files")) == 16
    assert 0 < most[0] <= 3


@pytest.mark.parametrize("granted", [True, False])
def test_who_may_name_an_author_is_learnt_from_the_first_note(migration: World, granted: bool) -> None:
    with migration.ledger() as ledger:
        ledger.save_users(account(ledger), [AccountUser(2, "author@company.example", "A. Author", True)])
    migration.control("capabilities", {"admin": granted})
    tenant = tenant_of(migration, home(0, 1), roots=3)
    assert load(migration, tenant)["notes"].created == 3
    with migration.ledger() as ledger:
        assert ledger.capabilities(account(ledger))["note_author"] is granted
        refused = ledger.operation_counts(account(ledger)).get(("create", "notes", "rejected"), (0, 0))[0]
    assert refused == (0 if granted else 1)
    assert {n["user_id"] for n in alive(migration, "notes")} == {2 if granted else 1}
    assert differences(migration, tenant) == []


def test_a_file_of_ours_that_is_there_once_more_is_named(migration: World) -> None:
    tenant = tenant_of(migration, home(2))
    load(migration, tenant)
    deal = record_of(migration, "deals", "job:100/deal")["id"]
    size = record_of(migration, "files", PHOTO)["file_size"]
    for content in (b"x" * size, b"another size"):
        httpx.post(
            f"{migration.access.api_url}/api/v1/files",
            headers={"x-api-token": migration.access.api_token},
            files={"file": ("photo.jpg", content)},
            data={"deal_id": str(deal)},
        ).raise_for_status()
    (found,) = differences(migration, tenant)
    assert found in [(PHOTO, "", "extra"), (TWIN, "", "extra")]


def bytes_read(world: World, share: float, *, fresh: bool = False) -> tuple[int, list[tuple[str, str, str]]]:
    async def read() -> tuple[int, list[tuple[str, str, str]]]:
        with world.ledger() as ledger:
            async with reading(ledger, world.access, purpose="look") as session:
                schema = await read_schema(session)
                listing = await take_listing(session, schema, world.folder / "bytes")
                found = await read_bytes(session, listing, share, fresh=fresh)
                return found.read, [(d.source_key, d.field, d.verdict) for d in found.verdicts.differences]

    return asyncio.run(read())


@pytest.mark.promise("R023")
def test_bytes_are_read_back_from_every_kind_and_damage_is_named(migration: World) -> None:
    async def damaged(source: str) -> Fetched:
        file = await migration.fetch(source)
        return replace(file, sha256="0" * 64) if source == "attachment:12" else file

    tenant = tenant_of(migration, home(3, 1))
    load(replace(migration, fetching=damaged), tenant)
    assert bytes_read(migration, 0) == (0, [])
    wrong = [("attachment:12/file", "sha-256", "wrong")]
    assert bytes_read(migration, 1) == (4, wrong)
    assert bytes_read(migration, 1) == (1, wrong), "what was equal once is not read again"
    assert bytes_read(migration, 1, fresh=True) == (4, wrong)
    assert bytes_read(migration, 0.01, fresh=True)[0] == 2, "a photo and a picture"


def test_a_share_of_every_stratum_is_chosen_and_always_the_same() -> None:
    rows = [(n, f"attachment:{n}/file", "jpg" if n % 10 else "pdf") for n in range(1, 1001)]
    table = pd.DataFrame(rows, columns=["pipedrive_id", "source_key", "stratum"])
    counts = {"jpg": 900, "pdf": 100}
    first = chosen(table, 0.015, set())
    assert first["stratum"].value_counts().to_dict() == {"jpg": 14, "pdf": 2}
    assert readback_tokens(counts, 0.015) == 20 * 16
    again = chosen(table.sample(frac=1, random_state=1), 0.015, set())
    assert set(again["source_key"]) == set(first["source_key"])
    assert len(chosen(table, 0.015, set(first["pipedrive_id"]))) == 0
    assert [files_to_read(n, s) for n, s in ((0, 1), (5, 0), (5, 0.01), (5, 1), (100, 0.01))] == [
        0,
        0,
        1,
        5,
        1,
    ]
    assert stratum_of({"name": "a.b.JPG", "deal_id": 1, "size": 9}) == "jpg, small"
    assert stratum_of({"name": "noend", "person_id": 1, "size": 0}) == "other, empty"
    numbered = {stratum_of({"name": f"Job.{n}", "deal_id": 1, "size": 9}) for n in range(50)}
    assert numbered == {"other, small"}, "else every file would be read"


def test_refusals_of_the_same_words_still_stop_the_run(
    migration: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatch_to_pipedrive.migration.window.SAME_REFUSALS", 3)
    words = {"success": False, "error": "No file was uploaded."}
    migration.control(
        "faults", {"kind": "status", "status": 400, "body": words, "entity": "files", "method": "POST"}
    )
    with pytest.raises(RunStopped, match="the fault is not theirs"):
        load(migration, tenant_of(migration, home(3), roots=2))


def test_nothing_of_notes_and_files_is_asked_where_none_was_ever_written(
    migration: World, tmp_path: Path
) -> None:
    tenant = tenant_of(migration, home(0))
    load(migration, tenant)
    migration.control("stats/reset", {})
    assert differences(migration, tenant) == []
    asked = migration.control("stats")["requests"]
    assert not [line for line in asked if "notes" in line or "files" in line]
