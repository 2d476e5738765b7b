"""Stamps are read back as they are written; notes show their files; words of the map become the account's numbers."""

from typing import Any

import pytest

from dispatch_to_pipedrive.migration.errors import RunStopped
from dispatch_to_pipedrive.migration.files import source_name
from dispatch_to_pipedrive.migration.hosted import Hosted, file_keys, hosted_files, with_links
from dispatch_to_pipedrive.migration.resolve import entity_of, visible_to
from dispatch_to_pipedrive.migration.stamps import key_of, stamp_for
from dispatch_to_pipedrive.migration.values import Link, Quarantined, key_after, key_before

STAMPS = {
    "appointment:51000001/activity": "Dispatch Pro appointment 51000001",
    "call:620000001/activity": "Dispatch Pro call 620000001",
    "email:9f3c0123456789ab/activity": "Dispatch Pro e-mail 9f3c0123456789ab",
    "job_note:530000001/note": "Dispatch Pro job note 530000001",
    "job_note:530000001/note-2": "Dispatch Pro job note 530000001 part 2",
    "customer_note:5/note-12": "Dispatch Pro customer note 5 part 12",
    "location_note:6/note": "Dispatch Pro location note 6",
    "job:50000001/note": "Dispatch Pro job summary 50000001",
    "customer:41000001/note": "Dispatch Pro sites of customer 41000001",
    "attachment:610000001/note": "Dispatch Pro attachment 610000001",
}


@pytest.mark.parametrize(("key", "stamp"), STAMPS.items())
def test_a_stamp_leads_back_to_its_source_key(key: str, stamp: str) -> None:
    assert stamp_for(key) == stamp
    text = f"<p>quoted: [Dispatch Pro appointment 1] [Dispatch Pro job note 1]</p>[{stamp}]"
    assert key_of(entity_of(key), text) == key


def test_what_bears_no_stamp() -> None:
    assert key_of("notes", "[Dispatch Pro appointment 5]") is None
    assert key_of("activities", "[Dispatch Pro job note 5]") is None
    assert key_of("notes", "") is None
    for key in ("attachment:1/file", "customer:1/person", "job:1/deal"):
        with pytest.raises(ValueError, match="no stamp"):
            stamp_for(key)


def test_a_note_shows_files_by_their_address_or_says_why_not() -> None:
    keys = ["job_note:1/image-00", "job_note:1/image-11", "job_note:1/image-22"]
    html = (
        "<p>"
        + " ".join(f'<a rel="noopener" href="file:{key}">n{i}</a>' for i, key in enumerate(keys))
        + "</p>"
    )
    assert file_keys(html) == keys
    link = Link("files", keys[0], 7, "gone", 1, 1, "")
    aside = [Quarantined("files", keys[1], "unfetchable", "<host> is " + "not listed " * 40, "", "wave-0001")]
    shown = with_links(html, hosted_files(keys, {keys[0]: link}, aside, "acme"))
    assert '<a href="https://acme.pipedrive.com/v1/files/7/download">n0</a>' in shown
    assert "n1 [&lt;host&gt; is not listed" in shown
    assert "n2 [not moved]</p>" in shown
    assert "file:" not in shown
    assert len(shown) < 400
    assert with_links("<p>no file: here</p>", {"x": Hosted("")}) == "<p>no file: here</p>"


@pytest.mark.promise("R063")
@pytest.mark.parametrize(
    ("word", "plan", "number"),
    [
        ("everyone", "lite", 3),
        ("everyone", "growth", 3),
        ("everyone", "premium", 7),
        ("everyone", "ultimate", 7),
    ]
    + [("owner", plan, 1) for plan in ("lite", "growth", "premium", "ultimate")]
    + [("group", "premium", 3), ("subgroups", "ultimate", 5)],
)
def test_who_sees_a_record_is_another_number_on_another_plan(word: str, plan: str, number: int) -> None:
    assert visible_to(word, plan) == number


@pytest.mark.parametrize("word", ["group", "subgroups"])
def test_a_group_is_refused_where_the_plan_has_none(word: str) -> None:
    with pytest.raises(RunStopped, match="PIPEDRIVE_PLAN"):
        visible_to(word, "lite")


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("attachment:610000001", "attachment:610000001"),
        ("https://user:pw@files.example:8443/a/b.png?signature=x#y", "https://files.example/a/b.png"),
        ("data:image/png;base64,AAAA", "data:image/png"),
    ],
)
def test_the_ledger_keeps_no_signature_and_no_bytes_of_a_source(source: str, kept: Any) -> None:
    assert source_name(source) == kept


def test_a_replaced_record_stays_known_under_a_key_of_its_own() -> None:
    key = key_before("job_note:1/note-2", 9)
    assert key_after(key) == "job_note:1/note-2"
    assert key_after("job_note:1/note-2") == "job_note:1/note-2"
    assert entity_of(key) == "notes"
