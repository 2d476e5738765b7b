"""What the account will get is told before anything is made, and what people changed since (R070, R071)."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from dispatch_to_pipedrive.mapping import load_maps, schema_needs
from dispatch_to_pipedrive.mapping.needs import SchemaNeeds
from dispatch_to_pipedrive.migration.drift import made_of, options_needed, options_to_record
from dispatch_to_pipedrive.migration.owners import fallback_row
from dispatch_to_pipedrive.migration.resolve import VISIBLE_TO
from dispatch_to_pipedrive.migration.schema_plan import COLUMNS, Allowed, schema_plan_of, to_do_first
from dispatch_to_pipedrive.migration.values import OwnerRow, SchemaObject
from dispatch_to_pipedrive.migration.volume import schema_size
from dispatch_to_pipedrive.pipedrive.account import Field, Option, Pipeline, Stage, Structure
from dispatch_to_pipedrive.pipedrive.plans import PLANS
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema, fitting

ROOT = Path(__file__).resolve().parents[2]
MAPS = load_maps(ROOT / "mappings")
VALUES = {
    ("deals", "Job_Type__c"): ("Repair", "Install"),
    ("deals", "label_ids"): ("Recall",),
    ("persons", "label_ids"): ("VIP",),
}
NEEDS: SchemaNeeds = schema_needs(MAPS, VALUES)
LABEL = Field(field_code="label_ids", field_name="Labels", field_type="set", options=())
EMPTY = Structure(
    fields={entity: {"label_ids": LABEL} for entity in ("organizations", "persons", "deals")},
    pipelines=(Pipeline(id=1, name="Pipeline"),),
    stages=(),
)
OWNERS = [
    OwnerRow(1, "Tess", "tess@x.example", 11, "matched", "tess@x.example"),
    OwnerRow(2, "Tom", "", None, "unmatched", ""),
    fallback_row(12, "boss@x.example"),
]


def made() -> tuple[list[SchemaObject], Structure]:
    """An account in which everything was made, and what the ledger recorded of it."""
    recorded = [SchemaObject("pipeline", "pipelines", NEEDS.pipeline.name, "5", "")]
    stages = []
    for number, name in enumerate(NEEDS.pipeline.stages, start=10):
        recorded.append(SchemaObject("stage", "stages", name, str(number), NEEDS.pipeline.name))
        stages.append(Stage(id=number, name=name, pipeline_id=5, order_nr=number))
    fields: dict[str, dict[str, Field]] = {entity: {} for entity in EMPTY.fields}
    for number, need in enumerate(NEEDS.fields, start=1):
        if need.field_type in ("enum", "set") and not need.options:
            continue
        code = f"{number:040x}"
        options = tuple(Option(id=100 * number + i, label=label) for i, label in enumerate(need.options))
        fields[need.entity][code] = Field(
            field_code=code, field_name=need.name, field_type=need.field_type, options=options or None
        )
        recorded.append(SchemaObject("field", need.entity, need.name, code, need.field_type))
    for entity, labels in NEEDS.labels.items():
        options = tuple(Option(id=9_000 + i, label=label) for i, label in enumerate(labels))
        fields.setdefault(entity, {})["label_ids"] = LABEL.with_options(options)
    structure = Structure(fields, (Pipeline(id=5, name=NEEDS.pipeline.name),), tuple(stages))
    schema = AccountSchema(structure, made_of(recorded))
    return [*recorded, *options_to_record(schema, options_needed(NEEDS))], structure


def of(plan: pd.DataFrame, kind: str, name: str) -> dict[str, str]:
    (row,) = plan[(plan["kind"] == kind) & (plan["name"] == name)].to_dict("records")
    return {str(key): str(value) for key, value in row.items()}


@pytest.mark.promise("R070")
def test_an_untouched_account_gets_everything() -> None:
    plan = schema_plan_of(NEEDS, [], EMPTY, [])
    assert tuple(plan.columns) == COLUMNS
    assert set(plan.loc[plan["kind"] != "user", "action"]) == {"make"}
    counts = plan["kind"].value_counts()
    assert counts["stage"] == len(NEEDS.pipeline.stages)
    assert counts["field"] == len(NEEDS.fields)
    assert of(plan, "field", "Job_Type__c")["options"] == "Repair; Install"
    assert of(plan, "label", "VIP")["entity"] == "persons"
    assert "match_technicians" in of(plan, "user", "(technicians)")["what_to_do"]
    assert not plan.isna().any().any()


@pytest.mark.promise("R070", "R071")
def test_what_stands_has_its_key_and_asks_for_nothing() -> None:
    recorded, structure = made()
    plan = schema_plan_of(NEEDS, recorded, structure, OWNERS)
    things = plan[plan["kind"] != "user"]
    waiting = things["what_to_do"] == "made as soon as a record has a value for it"
    assert set(things.loc[~waiting, "action"]) == {"stands"}
    assert (things.loc[~waiting, "key"] != "").all()
    assert of(plan, "user", "Tess (1)")["what_to_do"] == "matched: tess@x.example"
    assert of(plan, "user", "Tom (2)")["action"] == "differs"
    assert of(plan, "user", "(fallback owner)")["key"] == "12"


def test_what_people_changed_differs_and_comes_first() -> None:
    recorded, structure = made()
    code = next(x.code for x in recorded if x.name == "Job_Type__c")
    field = structure.fields["deals"][code].with_options((Option(id=1, label="Repair"),))
    deals = {**structure.fields["deals"], code: field}
    stages = (structure.stages[0].model_copy(update={"name": "Planned"}), *structure.stages[1:])
    changed = replace(structure, fields={**structure.fields, "deals": deals}, stages=stages)
    more = schema_needs(MAPS, {**VALUES, ("deals", "Job_Type__c"): ("Repair", "Install", "Estimate")})
    plan = schema_plan_of(more, recorded, changed, OWNERS)
    assert of(plan, "option", "Repair")["action"] == "differs"  # made anew by people, under another id
    assert "was deleted" in of(plan, "option", "Install")["what_to_do"]
    assert of(plan, "option", "Estimate")["action"] == "make"
    assert "is called 'Planned' now" in of(plan, "stage", NEEDS.pipeline.stages[0])["what_to_do"]
    first = to_do_first(plan)
    assert first["action"].iloc[0] == "differs"
    assert len(first) == len(plan)


def test_a_namesake_is_left_alone_and_named() -> None:
    theirs = Field(field_code="f" * 40, field_name="Invoice_Amount__c", field_type="monetary")
    deals = {**EMPTY.fields["deals"], theirs.field_code: theirs}
    plan = schema_plan_of(NEEDS, [], replace(EMPTY, fields={**EMPTY.fields, "deals": deals}), OWNERS)
    row = of(plan, "field", "Invoice_Amount__c")
    assert row["action"] == "make"
    assert "another field of that name stands there" in row["what_to_do"]


@pytest.mark.promise("R071")
def test_a_field_that_vanished_says_so_and_its_options_ask_for_nothing_more() -> None:
    recorded, structure = made()
    code = next(x.code for x in recorded if x.name == "Job_Type__c")
    deals = {key: field for key, field in structure.fields["deals"].items() if key != code}
    plan = schema_plan_of(
        NEEDS, recorded, replace(structure, fields={**structure.fields, "deals": deals}), OWNERS
    )
    assert "is gone: restore it" in of(plan, "field", "Job_Type__c")["what_to_do"]
    assert of(plan, "option", "Repair")["action"] == "make"


@pytest.mark.promise("R051", "R052", "R070")
def test_an_option_that_follows_its_source_is_told_before_it_is_renamed() -> None:
    recorded, structure = made()
    recorded = [replace(x, source="tag_type:7") if x.name == "label_ids: VIP" else x for x in recorded]
    long = "A service contract " * 20
    labels = {**NEEDS.labels, "persons": ("Key account", long)}
    names = {"Key account": ("tag_type:7",), long: ("tag_type:8",)}
    needs = replace(NEEDS, labels=labels, sources={("persons", "label_ids"): names})
    plan = schema_plan_of(needs, recorded, structure, OWNERS)
    row = of(plan, "label", "Key account")
    assert (row["action"], row["key"]) == ("rename", "9000")
    assert "is called 'VIP' until now" in row["what_to_do"]
    assert of(plan, "label", long)["action"] == "make"
    assert fitting(long) in of(plan, "label", long)["what_to_do"]
    theirs = structure.fields["persons"]["label_ids"].with_options((Option(id=9_000, label="Friends"),))
    persons = {**structure.fields["persons"], "label_ids": theirs}
    plan = schema_plan_of(
        needs, recorded, replace(structure, fields={**structure.fields, "persons": persons}), OWNERS
    )
    row = of(plan, "label", "Key account")
    assert (row["action"], row["what_to_do"]) == (
        "stands",
        "people call it 'Friends', and it keeps that name",
    )


@pytest.mark.promise("R063", "R066")
def test_what_the_plan_does_not_allow_is_told_before_anything_is_made() -> None:
    new = len(NEEDS.fields)
    words = {"deals": "everyone", "persons": "subgroups"}
    small = schema_plan_of(NEEDS, [], EMPTY, OWNERS, Allowed(PLANS["lite"], words))
    assert (
        f"0 stand there, {new} are to be made, lite allows 30 in all"
        in of(small, "plan", "custom fields")["what_to_do"]
    )
    assert of(small, "visibility", "everyone")["action"] == "stands"
    assert "plan lite knows no visibility 'subgroups'" in of(small, "visibility", "subgroups")["what_to_do"]
    theirs = {
        f"{number:040x}": Field(
            field_code=f"{number:040x}", field_name=f"F{number}", field_type="text", is_custom_field=True
        )
        for number in range(100)
    }
    full = replace(EMPTY, fields={**EMPTY.fields, "deals": {**EMPTY.fields["deals"], **theirs}})
    row = of(schema_plan_of(NEEDS, [], full, OWNERS, Allowed(PLANS["growth"], {})), "plan", "custom fields")
    assert (row["action"], "PIPEDRIVE_PLAN" in row["what_to_do"]) == ("differs", True)
    large = schema_plan_of(NEEDS, [], full, OWNERS, Allowed(PLANS["premium"], words))
    assert set(large.loc[large["kind"].isin(["plan", "visibility"]), "action"]) == {"stands"}


@pytest.mark.promise("R066")
def test_the_documentation_tells_what_each_plan_leaves_beside_the_delivered_maps() -> None:
    text = (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
    fields = {entity: len(MAPS[entity].custom_fields()) for entity in ("deals", "persons", "organizations")}
    together = sum(fields.values())
    assert together == schema_size(MAPS).custom_fields
    words = (
        f"as they are delivered make {together}: {fields['deals']} on deals, {fields['persons']} on persons"
    )
    assert words in " ".join(text.split())
    for name, seen in VISIBLE_TO.items():
        plan = PLANS[name]
        assert plan.custom_fields is not None
        assert (
            f"| {name.capitalize()} | {plan.custom_fields} | {plan.custom_fields - together} | "
            f"{plan.open_deals_per_seat:,} | {', '.join(seen)} |"
        ) in text
