from pathlib import Path

import pytest

from dispatch_to_pipedrive.mapping import ENTITIES, MapError, check_columns, load_maps, schema_needs
from dispatch_to_pipedrive.normalize.schemas import kinds

MAPPINGS = Path(__file__).parents[2] / "mappings"
SMALLEST_PLAN = 30


def copy(folder: Path, changes: dict[str, tuple[str, str]]) -> Path:
    for entity in ENTITIES:
        text = (MAPPINGS / f"{entity}.yaml").read_text(encoding="utf-8")
        if entity in changes:
            old, new = changes[entity]
            assert old in text
            text = text.replace(old, new, 1)
        (folder / f"{entity}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_the_base_maps_load_and_fit_the_smallest_plan() -> None:
    maps = load_maps(MAPPINGS)
    assert tuple(maps) == ENTITIES
    assert sum(len(maps[entity].custom_fields()) for entity in maps) <= SMALLEST_PLAN
    assert maps["deals"].fields["title"].required
    assert maps["deals"].fields["add_time"].capability == "deal_add_time"
    assert schema_needs(maps, {}).pipeline.stages == (
        "Scheduled", "Dispatched", "In Progress", "Hold", "Completed", "Canceled"
    )  # fmt: skip


def test_every_column_the_base_maps_read_is_one_that_normalize_gives() -> None:
    assert (
        check_columns(load_maps(MAPPINGS), {entity: kinds(entity, 4) for entity in ENTITIES}, MAPPINGS) == []
    )


def test_a_column_that_does_not_exist_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    copy(tmp_path, {"deals": ("    from: summary", "    from: sumary")})
    maps = load_maps(tmp_path)
    [mistake] = check_columns(maps, {entity: kinds(entity, 4) for entity in ENTITIES}, tmp_path)
    assert (mistake.key, mistake.suggestion) == ("fields.Job_Summary__c.from", "summary")
    assert "sumary" in (tmp_path / "deals.yaml").read_text().splitlines()[mistake.line - 1]


MISTAKES = {
    "unknown key of a field": (
        "deals",
        "    follows_renames: true",
        "    follows_rename: true",
        "follows_renames",
    ),
    "unknown key of the file": ("deals", "pipeline:", "pipelin:", "pipeline"),
    "unknown key of the pipeline": ("deals", "  stages:", "  stage:", "stages"),
    "unknown type": ("deals", "    type: money", "    type: mony", "money"),
    "unknown transform": ("deals", "transform: html_to_text", "transform: html2text", "html_to_text"),
    "unknown argument": ("deals", 'args: {separator: ", "}', 'args: {seperator: ", "}', "separator"),
    "unknown key of a rule": ("activities", "        - when:", "        - whem:", "when"),
    "unknown setting": ("deals", "args: {name: currency}", "args: {name: curency}", "currency"),
    "unknown stage": ("deals", "InProgress: In Progress", "InProgress: In progress", "In Progress"),
    "unknown pipeline": (
        "deals",
        "args: {value: Dispatch Pro Jobs}",
        "args: {value: Jobs}",
        "Dispatch Pro Jobs",
    ),
    "unknown entity": ("deals", "    to: persons", "    to: person", "persons"),
    "no entity to refer to": ("deals", "    to: persons\n", "", None),
    "unknown policy": ("deals", "unmapped: add_option", "unmapped: add", None),
    "doubled field": ("deals", "  Invoice_Amount__c:", "  value:", None),
    "missing type": ("deals", "    type: money\n", "", None),
    "wrong scalar": ("deals", "    required: true", "    required: sure", None),
    "too few columns": ("activities", "from: [visit_start, visit_end]", "from: visit_start", None),
    "column in a template that is not named": ("deals", "{job_type} — ", "{job_typ} — ", "job_type"),
    "broken template": ("deals", "{job_type} — ", "{job_type — ", None),
    "no last rule": ("activities", "        - then: task\n", "", None),
    "custom field of a type that has none": ("deals", "    type: money", "    type: html", None),
    "a tab": ("deals", "  title:\n", "  title:\n\t", None),
    "not YAML": ("deals", "fields:", "fields: [", None),
    "another entity's map": ("deals", "entity: deals", "entity: persons", None),
    "not a mapping": ("deals", "entity: deals", "- entity: deals", None),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_has_its_file_line_and_the_nearest_right_word(name: str, tmp_path: Path) -> None:
    entity, old, new, suggestion = MISTAKES[name]
    copy(tmp_path, {entity: (old, new)})
    with pytest.raises(MapError) as error:
        load_maps(tmp_path)
    assert all(mistake.file.endswith(f"{entity}.yaml") for mistake in error.value.mistakes)
    assert all(mistake.line >= 1 and mistake.message for mistake in error.value.mistakes)
    if suggestion is not None:
        assert suggestion in [mistake.suggestion for mistake in error.value.mistakes]
        wrong = new.strip().splitlines()[0].split(":")[0].lstrip("- ")
        lines = (tmp_path / f"{entity}.yaml").read_text().splitlines()
        assert any(wrong in lines[mistake.line - 1] for mistake in error.value.mistakes)


def test_all_mistakes_of_all_files_come_at_once(tmp_path: Path) -> None:
    copy(
        tmp_path, {"deals": ("type: money", "type: mony"), "persons": ("    type: emails", "    typ: emails")}
    )
    (tmp_path / "activities.yaml").unlink()
    with pytest.raises(MapError) as error:
        load_maps(tmp_path)
    words = str(error.value)
    assert "activities.yaml:1: activities: this file is missing" in words
    assert "Did you mean 'money'?" in words
    assert "Did you mean 'type'?" in words
