"""What maps decide is told apart from how they are written."""

import shutil
from pathlib import Path

import pytest

from dispatch_to_pipedrive.mapping import load_maps
from dispatch_to_pipedrive.mapping.meaning import changed_fields, digest, meaning, newly_overwritten

MAPPINGS = Path(__file__).parents[2] / "mappings"
MEANT = meaning(load_maps(MAPPINGS))


def changed(folder: Path, old: str, new: str) -> list[str]:
    """The fields that differ once a text of the deals' map was replaced."""
    shutil.copytree(MAPPINGS, folder)
    deals = folder / "deals.yaml"
    text = deals.read_text(encoding="utf-8")
    assert old in text
    deals.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = meaning(load_maps(folder))
    fields = changed_fields(MEANT, found)
    assert (digest(found) == digest(MEANT)) == (not fields)
    return fields


@pytest.mark.parametrize(
    ("old", "new", "fields"),
    [
        ("{job_type} — {customer_name}", "{job_type} – {customer_name}", ["deals.title"]),
        ("Hold, Completed, Canceled]", "Hold, Canceled, Completed]", ["deals.pipeline"]),
        ("      paid: Paid\n", "      paid: Settled\n", ["deals.Payment_Status__c"]),
        ("    unmapped: add_option\n", "", ["deals.Job_Type__c"]),
        ("  Job_Summary__c:\n", "  Summary__c:\n", ["deals.Job_Summary__c", "deals.Summary__c"]),
    ],
)
def test_what_alters_the_meaning_is_named(tmp_path: Path, old: str, new: str, fields: list[str]) -> None:
    assert changed(tmp_path / "maps", old, new) == fields


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# One deal", "# Exactly one deal"),
        ("description: The job's tags.", "description: Its tags."),
        ("    type: user\n    from: owner_email\n", "    from: [owner_email]\n    type: user\n"),
        ("  value:\n    type: number\n", "  value:\n    type: number\n    unmapped: stop\n"),
    ],
)
def test_what_is_only_written_differently_is_the_same_map(tmp_path: Path, old: str, new: str) -> None:
    assert changed(tmp_path / "maps", old, new) == []


def test_that_the_source_wins_over_people_is_another_meaning_and_the_default_is_the_old_one(
    tmp_path: Path,
) -> None:
    title = MEANT["deals"]["fields"]["title"]
    assert title["people_win"] is True, "maps confirmed before there was a choice stay confirmed"
    assert "conflict" not in title
    assert (
        changed(
            tmp_path / "same",
            "  value:\n    type: number\n",
            "  value:\n    type: number\n    conflict: people\n",
        )
        == []
    )
    source = "  value:\n    type: number\n    conflict: source\n"
    assert changed(tmp_path / "maps", "  value:\n    type: number\n", source) == ["deals.value"]
    found = meaning(load_maps(tmp_path / "maps"))
    assert newly_overwritten(MEANT, found) == ["deals.value"]
    assert newly_overwritten(found, MEANT) == newly_overwritten(found, found) == []
