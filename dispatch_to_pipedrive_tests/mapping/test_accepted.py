from pathlib import Path

import pytest

from dispatch_to_pipedrive.mapping import MapError, load_maps
from dispatch_to_pipedrive.mapping.reads import custom_fields_read
from dispatch_to_pipedrive_tests.mapping.test_load import copy

GATE = """entity: organizations
fields:
  Gate_Code__c:
    type: text
    from: custom_fields
    transform: custom_field
    args: {name: Gate  CODE}
"""


def accepted(folder: Path, entity: str, text: str) -> Path:
    copy(folder, {})
    (folder / "accepted").mkdir()
    (folder / "accepted" / f"{entity}.yaml").write_text(text, encoding="utf-8")
    return folder


def mistakes(folder: Path) -> list[str]:
    with pytest.raises(MapError) as error:
        load_maps(folder)
    return [str(mistake).removeprefix(f"{folder}/") for mistake in error.value.mistakes]


def test_accepted_fields_follow_the_curated_ones(tmp_path: Path) -> None:
    maps = load_maps(accepted(tmp_path, "organizations", GATE))
    assert list(maps["organizations"].fields)[-1] == "Gate_Code__c"
    assert custom_fields_read(maps) == {("organizations", "custom_fields", "gate code")}


def test_accepted_values_join_the_fields_value_map(tmp_path: Path) -> None:
    text = "entity: deals\nvalues:\n  stage_id: {Paused: Hold}\n  Job_Type__c: {No Cooling: Cooling}\n"
    maps = load_maps(accepted(tmp_path, "deals", text))
    stages = maps["deals"].fields["stage_id"].value_map
    assert stages is not None and (stages["Paused"], stages["Hold"]) == ("Hold", "Hold")
    assert maps["deals"].fields["Job_Type__c"].value_map == {"No Cooling": "Cooling"}


def test_a_field_in_both_files_is_named_with_both_places(tmp_path: Path) -> None:
    folder = accepted(
        tmp_path, "deals", "entity: deals\nfields:\n\n  value:\n    type: number\n    from: value\n"
    )
    line = (folder / "deals.yaml").read_text().splitlines().index("  value:") + 1
    assert mistakes(folder) == [
        "accepted/deals.yaml:4: fields.value: duplicate target: this field stands in "
        f"{folder}/deals.yaml:{line} too."
    ]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("entity: deals\nvalues:\n  stage: {A: Hold}\n", 3, "Did you mean 'stage_id'?"),
        (
            "entity: deals\nvalues:\n  stage_id:\n    Paused: hold\n",
            4,
            "no such stage: 'hold'. Did you mean 'Hold'?",
        ),
        ("entity: deals\nvalues:\n  status:\n    Hold: open\n", 4, "this value is mapped in "),
        ("entity: deals\nvalues:\n  title: {A: B}\n", 3, "has no value map"),
        ("entity: persons\nfields: {}\n", 1, "this file is the map of deals"),
        ("entity: deals\nvalue: {}\n", 2, "unknown key. Did you mean 'values'?"),
        ("entity: deals\nfields:\n  X__c: {type: text, from: summary, transfrom: copy}\n", 3, "'transform'"),
        ("entity: deals\nfields:\n  X__c:\n    type: text\n    transform: joni\n", 5, "Did you mean 'join'?"),
        ("entity: deals\nfields:\n\tX__c: 1\n", 3, "a tab stands where blanks belong"),
    ],
)
def test_a_mistake_in_the_accepted_file_has_its_own_line(
    text: str, line: int, words: str, tmp_path: Path
) -> None:
    found = mistakes(accepted(tmp_path, "deals", text))
    assert any(one.startswith(f"accepted/deals.yaml:{line}: ") and words in one for one in found), found


def test_a_file_that_nothing_would_read_is_named(tmp_path: Path) -> None:
    assert mistakes(accepted(tmp_path, "deal", "entity: deals\n")) == [
        "accepted/deal.yaml:1: deal.yaml: no entity has a map of this name. Did you mean 'deals.yaml'?"
    ]
