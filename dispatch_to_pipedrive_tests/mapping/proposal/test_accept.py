"""Proposals in files, and what accepting them makes of the map."""

import shutil
from pathlib import Path

import pytest
import yaml

from dispatch_to_pipedrive.mapping import MapError, load_maps
from dispatch_to_pipedrive.mapping.proposal import CannotWriteMaps, accept, read_proposals, write_proposals

from .world import MAPPINGS, proposed

JOBS = "jobs.custom_fields"
PERMIT = "deals/jobs.custom_fields/Permit Number"
HOURS = "deals/jobs.custom_fields/Hours"
HOLD = "deals/jobs.job_status/On Hold"
LEAD = "deals/jobs.tag_type_ids/hot lead"
FIELDS = (
    (JOBS, "Permit Number", ["A", "B"]),
    (JOBS, "Permit #", ["C"]),
    (JOBS, "Hours", ["1e3", "Yes"]),
    (JOBS, "SSN", ["1"]),
    ("jobs", "job_status", ["On Hold"]),
    ("jobs.tag_type_ids", "value", ["hot lead", "HOT LEAD!"]),
)


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    folder = tmp_path / "maps"
    shutil.copytree(MAPPINGS, folder, ignore=shutil.ignore_patterns("proposed", "accepted"))
    write_proposals(folder, proposed(*FIELDS).values())
    return folder


def mistakes(folder: Path, choices: dict[str, int | str]) -> list[str]:
    before = {path: path.read_bytes() for path in folder.rglob("*.yaml")}
    with pytest.raises(MapError) as caught:
        accept(folder, choices)
    assert {path: path.read_bytes() for path in folder.rglob("*.yaml")} == before, "nothing may be written"
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.mark.promise("R020")
def test_a_proposed_file_is_no_part_of_the_map(maps: Path) -> None:
    assert load_maps(maps) == load_maps(MAPPINGS)
    text = (maps / "proposed" / "deals.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["status"] == "proposed"
    assert text.startswith("# ")


def test_names_and_samples_come_back_as_they_were(tmp_path: Path) -> None:
    names = [
        "yes",
        "1e3",
        "08",
        "=cmd()",
        "a: b",
        "<b>&",
        "- x",
        "#7",
        "'q\"",
        "نص",
        "🔥",
        "tab\there",
        "{x}",
        "null",
    ]
    names += ["two\nlines", "next\u0085line", "bell\x07", "a\u2028b", "x" * 300]
    shutil.copytree(MAPPINGS, tmp_path / "maps")
    write_proposals(tmp_path / "maps", proposed(*((JOBS, name, names) for name in names)).values())
    entries = read_proposals(tmp_path / "maps")["deals"].content.proposals
    assert sorted(entry.name for entry in entries) == sorted(names)
    assert {sample for entry in entries for sample in entry.samples} <= set(names)
    for entry in entries:
        for one in entry.candidates:
            assert all(field.args == {"name": entry.name} for field in one.fields.values())


def test_the_same_proposals_make_the_same_files(maps: Path) -> None:
    path = maps / "proposed" / "deals.yaml"
    before = path.read_bytes()
    write_proposals(maps, reversed(list(proposed(*FIELDS).values())))
    write_proposals(maps, proposed(*FIELDS).values())
    assert path.read_bytes() == before


def test_files_of_entities_without_a_proposal_go(maps: Path) -> None:
    write_proposals(maps, proposed(("locations.custom_fields", "x", ["1"])).values())
    write_proposals(maps, [])
    assert list((maps / "proposed").glob("*.yaml")) == []


def test_what_is_accepted_is_in_the_map_and_stays_there(maps: Path) -> None:
    assert accept(maps, {PERMIT: 1}) == [
        f"{PERMIT}: the account's field 'Permit Number'; adds Permit_Number__c"
    ]
    accept(maps, {HOURS: "create", HOLD: "1", LEAD: 1})
    fields = load_maps(maps)["deals"].fields
    assert fields["Permit_Number__c"].adopts == "Permit Number"
    assert fields["Hours__c"].args == {"name": "Hours"}
    assert (fields["stage_id"].value_map or {})["On Hold"] == "Hold"
    assert (fields["status"].value_map or {})["On Hold"] == "open"
    assert fields["label_ids"].value_map == {"hot lead": "Hot lead"}


def test_an_id_whose_blanks_the_shell_lost_is_found(maps: Path) -> None:
    write_proposals(maps, proposed(("jobs.tag_type_ids", "value", ["hot lead "])).values())
    accept(maps, {LEAD: 1})
    assert load_maps(maps)["deals"].fields["label_ids"].value_map == {"hot lead ": "Hot lead"}


def test_the_same_answer_twice_changes_nothing(maps: Path) -> None:
    accept(maps, {PERMIT: 1, HOLD: 1})
    before = {path: path.read_bytes() for path in maps.rglob("*.yaml")}
    assert accept(maps, {PERMIT: 1, HOLD: 1}) == [
        f"{PERMIT}: the account's field 'Permit Number'; nothing to add",
        f"{HOLD}: the same as 'Hold'; nothing to add",
    ]
    assert {path: path.read_bytes() for path in maps.rglob("*.yaml")} == before


def test_every_mistake_is_told_at_once_with_its_place(maps: Path) -> None:
    told = mistakes(
        maps,
        {
            PERMIT + "s": 1,
            PERMIT: 9,
            HOURS: "createe",
            "deals/jobs.custom_fields/SSN": "create",
            HOLD: 0,
        },
    )
    assert len(told) == 5
    assert any(f"Did you mean '{PERMIT}'?" in one for one in told)
    assert any("9 is not offered: choose 1 or 2 or create" in one for one in told)
    assert any("'createe' is not offered" in one for one in told)
    assert any("nothing is offered here" in one for one in told)
    lines = (maps / "proposed" / "deals.yaml").read_text(encoding="utf-8").splitlines()
    [place] = [one for one in told if HOURS in one]
    assert HOURS in lines[int(place.split("deals.yaml:")[1].split(":")[0]) - 1]


def test_two_onto_one_target_are_refused(maps: Path) -> None:
    other = "deals/jobs.custom_fields/Permit #"
    entries = {entry.id: entry for entry in read_proposals(maps)["deals"].content.proposals}
    number = [one.target for one in entries[other].candidates].index("account:Permit Number") + 1
    [told] = mistakes(maps, {PERMIT: 1, other: number})
    assert "was given the same target" in told


def test_two_tags_under_one_label_are_refused(maps: Path) -> None:
    other = "deals/jobs.tag_type_ids/HOT LEAD!"
    entries = {entry.id: entry for entry in read_proposals(maps)["deals"].content.proposals}
    targets = {key: [one.target for one in entries[key].candidates] for key in (LEAD, other)}
    choices: dict[str, int | str] = {key: targets[key].index("=Hot lead") + 1 for key in (LEAD, other)}
    [told] = mistakes(maps, choices)
    assert "two values need two names" in told


def test_what_the_map_has_overtaken_is_refused(maps: Path) -> None:
    path = maps / "deals.yaml"
    with path.open("a", encoding="utf-8") as file:
        file.write("  Hours__c: {type: text, from: summary}\n")
        file.write(
            "  Permits__c: {type: text, from: custom_fields, transform: custom_field, args: {name: PERMIT number}}\n"
        )
    told = mistakes(maps, {HOURS: "create", PERMIT: 1})
    assert any("Hours__c stands in the map already" in one for one in told)
    assert any("the map reads 'Permit Number' already" in one for one in told)


def test_a_proposed_file_that_people_broke_is_told(maps: Path) -> None:
    path = maps / "proposed" / "deals.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("status: proposed", "status: accepted"), encoding="utf-8"
    )
    [told] = mistakes(maps, {PERMIT: 1})
    assert "materialize mapping_proposal" in told


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "proposed").write_text("in the way", encoding="utf-8")
    with pytest.raises(CannotWriteMaps, match="MAPPINGS_DIR"):
        write_proposals(tmp_path, proposed(*FIELDS).values())
