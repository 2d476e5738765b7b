"""Every attachment of the tenant is a file of the right deal, every picture in a text a file beside its note."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from dispatch_to_pipedrive_tests.acceptance.accounts import stamp
from dispatch_to_pipedrive_tests.acceptance.world import Migrated

LIMIT = 25_000_000
PARENTS = {"deal_id": "deals", "person_id": "persons", "org_id": "organizations"}
LINK = re.compile(r'href="https://[^"/]+\.pipedrive\.com/v1/files/(\d+)/download"')

Record = dict[str, Any]


def alive(migrated: Migrated, entity: str) -> Iterator[Record]:
    return (record for record in migrated.dump["entities"][entity] if not record.get("is_deleted"))


def parent(record: Record) -> tuple[str, int]:
    """(entity, id) of the one record that a file or note hangs on."""
    (found,) = [(entity, record[name]) for name, entity in PARENTS.items() if record.get(name) is not None]
    return found


def attachments(migrated: Migrated) -> list[tuple[int, Record]]:
    """(deal, what arrives when it is downloaded) of every attachment of a job that became a deal."""
    deals = {stamp(migrated.dump, "deals", deal): deal["id"] for deal in alive(migrated, "deals")}
    files = migrated.sandbox.control("dispatch", "files")
    return [(deals[key], file) for file in files if (key := f"job:{file['jobId']}/deal") in deals]


@pytest.mark.promise("R023", "R054")
def test_every_attachment_is_a_file_of_its_jobs_deal_byte_for_byte(migrated: Migrated) -> None:
    wanted = Counter(
        (("deals", deal), file["size"], file["sha256"])
        for deal, file in attachments(migrated)
        if file["size"] <= LIMIT
    )
    found = Counter((parent(file), file["file_size"], file["sha256"]) for file in alive(migrated, "files"))
    assert wanted - found == Counter(), "missing, or there once too few"
    assert max(wanted.values()) > 1, "two equal photos of one job"
    assert LIMIT in {size for _, size, _ in wanted}, "the limit itself is moved"
    shown = {int(number) for note in alive(migrated, "notes") for number in LINK.findall(note["content"])}
    others = [file for file in alive(migrated, "files") if file["id"] in shown]
    pictures = Counter((parent(file), file["file_size"], file["sha256"]) for file in others)
    assert found - wanted - pictures == Counter(), "nothing else was uploaded"


@pytest.mark.promise("R055")
def test_an_attachment_above_the_limit_stands_in_a_note_with_name_size_hash_and_id(
    migrated: Migrated,
) -> None:
    large = [(deal, file) for deal, file in attachments(migrated) if file["size"] > LIMIT]
    assert large
    for deal, file in large:
        (note,) = [
            note
            for note in alive(migrated, "notes")
            if note["content"].endswith(f"[Dispatch Pro attachment {file['id']}]")
        ]
        assert parent(note) == ("deals", deal)
        for fact in (file["fileName"], file["sha256"]):
            assert fact in note["content"]
        digits = re.sub(r"(?<=\d)[,.\s\u202f](?=\d{3})", "", note["content"])
        assert str(file["size"]) in digits


@pytest.mark.promise("R056")
def test_no_address_of_the_source_is_left_and_every_picture_hangs_where_its_note_does(
    migrated: Migrated,
) -> None:
    source = urlsplit(migrated.sandbox.env["DISPATCH_PRO_API_URL"]).netloc
    texts = [note["content"] for note in alive(migrated, "notes")]
    texts += [visit.get("note") or "" for visit in alive(migrated, "activities")]
    for text in texts:
        assert source not in text and "servicetitan.io" not in text and 'href="data:' not in text
    files = {file["id"]: file for file in alive(migrated, "files")}
    links = [(note, int(n)) for note in alive(migrated, "notes") for n in LINK.findall(note["content"])]
    assert len(links) > 3
    for note, number in links:
        assert parent(files[number]) == parent(note)
