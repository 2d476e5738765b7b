import shutil
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


@pytest.mark.promise("R027")
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


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "      body: content\n",
            "      body: place\n",
            "args.body: place holds text, and the body alone is HTML",
        ),
        (
            "      body: content\n",
            "      body: place\n",
            "args.lines: content holds HTML, and the body alone is HTML",
        ),
        ("    from: author_email\n", "    from: content\n", "which a field of type author does not take"),
    ],
)
def test_what_is_html_stands_where_html_belongs(old: str, new: str, told: str, tmp_path: Path) -> None:
    shutil.copytree(MAPPINGS, tmp_path, dirs_exist_ok=True)
    notes = tmp_path / "notes.yaml"
    notes.write_text(notes.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    found = check_columns(load_maps(tmp_path), {entity: kinds(entity, 4) for entity in ENTITIES}, tmp_path)
    assert any(told in str(mistake) for mistake in found)


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


EXACT = {
    "an alias": (
        "deals",
        "    from: job_type\n",
        "    from: &x job_type\n    default: *x\n",
        "anchors and aliases",
    ),
    "an empty column": ("deals", "    from: summary", '    from: ""', "an empty name of a column"),
    "no column": ("deals", "    from: summary\n", "", "html_to_text takes one column, not none"),
    "a number as a column": (
        "deals",
        "    from: summary",
        "    from: 7",
        "the name of a column, or a list of names",
    ),
    "a key that is no text": ("deals", "      Hold: open", "      1: open", "put it in quotes"),
    "a list as a value": (
        "deals",
        "      Hold: open",
        "      Hold: [open]",
        "text, a number, true, false or nothing",
    ),
    "a field in two cases": (
        "deals",
        "  Job_Type__c:\n",
        "  job_type__c: {type: text, from: job_type}\n  Job_Type__c:\n",
        "by case only",
    ),
    "a standard field that is none": (
        "deals",
        "  lost_reason:",
        "  lost_reasons:",
        "Did you mean 'lost_reason'?",
    ),
    "a standard field of another type": (
        "deals",
        "    type: user",
        "    type: text",
        "owner_id is of type user",
    ),
    "add_time with every change": ("persons", "    create_only: true\n", "", "say create_only: true"),
    "no stamp": ("persons", "  Source_Key__c:", "  Source__c:", "Source_Key__c is missing"),
    "a stamp of something else": (
        "deals",
        "    from: source_key",
        "    from: job_number",
        "leave it a text from",
    ),
    "a note without its stamp": (
        "activities",
        '        - "[{stamp}]"\n',
        "",
        "the program knows its own activities by the last",
    ),
    "a note of a job without its stamp": (
        "notes",
        '        - "[{stamp}]"\n',
        "",
        "the program knows its own notes by the last",
    ),
    "a visibility that Pipedrive does not know": (
        "deals",
        "    args: {value: everyone}\n",
        "    args: {value: evryone}\n",
        "'evryone' is none of everyone, group, subgroups, owner",
    ),
    "bytes that are made of text": (
        "files",
        "    from: source\n    create_only",
        "    from: source\n    transform: html_to_text\n    create_only",
        "a field of type content is made by copy, not by html_to_text",
    ),
    "a template after the first that is none": (
        "activities",
        '        - "{subject}"\n',
        '        - "{sub ject}"\n',
        "is not a column name",
    ),
    "a body that is no column of the field": (
        "notes",
        "      body: content\n",
        "      body: contents\n",
        "contents is not named under from",
    ),
    "a custom field of a note": (
        "notes",
        "  user_id:\n",
        "  User__c:\n",
        "notes have no custom fields",
    ),
    "a custom field of an activity": (
        "activities",
        "  due_date:\n",
        "  Due__c:\n",
        "activities have no custom fields",
    ),
    "a lookup of itself": (
        "deals",
        "    to: persons",
        "    to: deals",
        "looked up in a circle: deals → deals",
    ),
    "a lookup of what comes later": (
        "persons",
        "    to: organizations",
        "    to: deals",
        "persons → deals → persons",
    ),
    "another entity than the field names": (
        "deals",
        "    to: persons",
        "    to: organizations",
        "one of the persons",
    ),
    "a reference without a lookup": ("persons", "    transform: lookup\n", "", "say transform: lookup"),
    "a lookup that is none": (
        "deals",
        "    from: job_type\n    unmapped",
        "    from: job_type\n    transform: lookup\n    unmapped",
        "and this field is of type option",
    ),
    "two values on one option": (
        "deals",
        "      unpaid: Unpaid",
        "      unpaid: no  INVOICE",
        "would become one option",
    ),
    "a value of another type": (
        "activities",
        "Done: true",
        "Done: done",
        "'done' is no value for a field of type boolean",
    ),
    "a default of another type": (
        "deals",
        "    from: value\n",
        "    from: value\n    default: none\n",
        "no value for a field",
    ),
    "a value map of references": (
        "persons",
        "    from: organization_key",
        "    from: organization_key\n    value_map: {a: b}",
        "takes no value map",
    ),
    "add_option where nothing can be added": (
        "deals",
        "    type: stage",
        "    type: stage\n    unmapped: add_option",
        "cannot take any value",
    ),
    "nobody who wins": (
        "deals",
        "    follows_renames: true",
        "    conflict: both",
        "'both': must be 'people' or 'source'",
    ),
    "no pipeline": ("deals", "pipeline:\n", "pipelines:\n", "Did you mean 'pipeline'?"),
    "a pipeline of persons": (
        "persons",
        "entity: persons",
        "entity: persons\npipeline: {name: A, stages: [B]}",
        "persons stand in no pipeline",
    ),
    "a stage twice": (
        "deals",
        "[Scheduled, Dispatched",
        "[Scheduled, scheduled, Dispatched",
        "stands here twice",
    ),
    "rules without rules": ("activities", "      rules:\n", "      rulez:\n", "Did you mean 'rules'?"),
    "a rule of the wrong shape": (
        "activities",
        "        - then: task",
        "        - [task]",
        "must be a valid dictionary",
    ),
    "arguments where none belong": (
        "deals",
        "    transform: html_to_text",
        "    transform: html_to_text\n    args: {x: 1}",
        "unknown key",
    ),
}


@pytest.mark.parametrize("name", EXACT)
def test_a_mistake_is_told_in_its_own_words(name: str, tmp_path: Path) -> None:
    entity, old, new, words = EXACT[name]
    copy(tmp_path, {entity: (old, new)})
    with pytest.raises(MapError) as error:
        load_maps(tmp_path)
    assert words in str(error.value), str(error.value)


def test_every_line_that_a_tab_indents_is_named(tmp_path: Path) -> None:
    copy(tmp_path, {"deals": ("    type: money\n    from: value\n", "\ttype: money\n\tfrom: value\n")})
    with pytest.raises(MapError) as error:
        load_maps(tmp_path)
    lines = (tmp_path / "deals.yaml").read_text(encoding="utf-8").splitlines()
    tabs = [number for number, line in enumerate(lines, 1) if line.startswith("\t")]
    assert [mistake.line for mistake in error.value.mistakes] == tabs
    assert {mistake.message for mistake in error.value.mistakes} == {"a tab stands where blanks belong"}


def test_yes_no_and_dates_are_texts(tmp_path: Path) -> None:
    copy(
        tmp_path,
        {
            "deals": (
                "      Hold: open",
                "      Hold: open\n      No: open\n      2025-01-01: open\n      on: open",
            )
        },
    )
    statuses = load_maps(tmp_path)["deals"].fields["status"].value_map
    assert statuses is not None
    assert [statuses[name] for name in ("No", "2025-01-01", "on")] == ["open"] * 3


def test_a_lookup_that_goes_round_is_told_as_a_circle(tmp_path: Path) -> None:
    lines = (
        "  person_id:\n    type: reference\n    to: persons\n    from: source_key\n    transform: lookup\n"
    )
    copy(tmp_path, {"organizations": ("fields:\n", "fields:\n" + lines)})
    with pytest.raises(MapError) as error:
        load_maps(tmp_path)
    assert "looked up in a circle: organizations → persons → organizations" in str(error.value)


def test_a_folder_that_is_not_there_is_one_mistake(tmp_path: Path) -> None:
    with pytest.raises(MapError, match="no such folder of maps") as error:
        load_maps(tmp_path / "maps")
    assert len(error.value.mistakes) == 1


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
