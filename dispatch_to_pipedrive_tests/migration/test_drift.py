"""What people did to the account's schema since it was made is found, told, and stops what depends on it."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from dispatch_to_pipedrive.migration.drift import (
    OPTION,
    drift,
    made_of,
    options_of,
    options_to_record,
)
from dispatch_to_pipedrive.migration.values import SchemaObject
from dispatch_to_pipedrive.pipedrive.account import Field, Option, Pipeline, Stage, Structure
from dispatch_to_pipedrive.pipedrive.schema import LABELS, AccountSchema, FieldNeed, SchemaNeeds, plan_schema

CODE = "a" * 40
FIELD = Field(
    field_code=CODE,
    field_name="Job_Type__c",
    field_type="enum",
    is_custom_field=True,
    options=(Option(id=1, label="Repair"), Option(id=2, label="Install")),
)
LABEL = Field(
    field_code="label_ids", field_name="Labels", field_type="set", options=(Option(id=5, label="VIP"),)
)
STRUCTURE = Structure(
    fields={"deals": {CODE: FIELD, "label_ids": LABEL}},
    pipelines=(Pipeline(id=3, name="Jobs"),),
    stages=(
        Stage(id=10, name="New", pipeline_id=3, order_nr=1),
        Stage(id=11, name="Done", pipeline_id=3, order_nr=2),
    ),
)
THINGS = (
    SchemaObject("pipeline", "pipelines", "Jobs", "3", ""),
    SchemaObject("stage", "stages", "New", "10", "Jobs"),
    SchemaObject("stage", "stages", "Done", "11", "Jobs"),
    SchemaObject("field", "deals", "Job_Type__c", CODE, "enum"),
)
NEEDED = {
    ("deals", "Job_Type__c", "Repair"),
    ("deals", "Job_Type__c", "Install"),
    ("deals", LABELS, "VIP"),
}
RECORDED = (*THINGS, *options_to_record(AccountSchema(STRUCTURE, made_of(THINGS)), NEEDED))

Change = Callable[[Structure], Structure]


def with_field(field: Field | None) -> Change:
    def change(structure: Structure) -> Structure:
        deals = {k: v for k, v in structure.fields["deals"].items() if k != CODE}
        return replace(structure, fields={"deals": deals if field is None else {**deals, CODE: field}})

    return change


def options(*pairs: tuple[int, str]) -> Change:
    return with_field(FIELD.with_options(tuple(Option(id=number, label=label) for number, label in pairs)))


def stages(*facts: tuple[int, str, int]) -> Change:
    made = tuple(Stage(id=id_, name=name, pipeline_id=3, order_nr=order) for id_, name, order in facts)
    return lambda structure: replace(structure, stages=made)


def schema(structure: Structure) -> AccountSchema:
    return AccountSchema(structure, made_of(RECORDED), options_of(RECORDED))


def test_what_is_as_it_was_made_has_not_drifted() -> None:
    assert drift(RECORDED, STRUCTURE, NEEDED) == []
    assert len([x for x in RECORDED if x.kind == OPTION]) == 3
    assert options_to_record(schema(STRUCTURE), NEEDED) == []


@pytest.mark.parametrize(
    ("change", "blocks", "words"),
    [
        (with_field(None), True, "deals field 'Job_Type__c' .* is gone: restore it"),
        (with_field(FIELD.model_copy(update={"field_type": "set"})), True, "is now of type set"),
        (with_field(FIELD.model_copy(update={"field_name": "Kind"})), False, "is called 'Kind' now"),
        (options((1, "Repair")), True, "option 'Install' of deals.Job_Type__c was deleted"),
        (options((1, "Repair"), (9, "Install")), False, "made anew .option 9 instead of 2."),
        (options((1, "Fix"), (2, "Install")), False, "option 'Repair' of .* is called 'Fix' now"),
        (stages((10, "New", 1)), True, "stage 'Done' .* is gone"),
        (stages((10, "New", 1), (11, "Ready", 2)), False, "stage 'Done' is called 'Ready' now"),
        (stages((10, "New", 2), (11, "Done", 1)), False, "pipeline 'Jobs' has .* order: Done, New"),
        (lambda s: replace(s, pipelines=()), True, "pipeline 'Jobs' .* is gone"),
        (lambda s: replace(s, pipelines=(Pipeline(id=3, name="Work"),)), False, "is called 'Work' now"),
    ],
)
def test_each_change_is_told_and_closes_the_gate_only_where_records_need_it(
    change: Change, blocks: bool, words: str
) -> None:
    (found,) = drift(RECORDED, change(STRUCTURE), NEEDED)
    assert found.blocks is blocks
    assert re.search(words, str(found))


def test_an_option_that_no_record_needs_may_go() -> None:
    (found,) = drift(
        RECORDED, options((1, "Repair"))(STRUCTURE), NEEDED - {("deals", "Job_Type__c", "Install")}
    )
    assert not found.blocks
    assert "no record needs it" in str(found)


def test_a_renamed_option_goes_on_to_stand_for_its_value_and_none_is_made_beside_it() -> None:
    renamed = schema(options((1, "Fix"), (2, "Install"))(STRUCTURE))
    needs = SchemaNeeds(fields=(FieldNeed("deals", "Job_Type__c", "enum", ("Repair", "Install")),))
    assert renamed.option_id("deals", "Job_Type__c", "Repair") == 1
    assert plan_schema(renamed, needs) == ()
    swapped = schema(options((1, "Install"), (2, "Repair"))(STRUCTURE))
    assert swapped.option_id("deals", "Job_Type__c", "Install") == 2
    (step,) = plan_schema(renamed, SchemaNeeds(fields=(FieldNeed("deals", "Job_Type__c", "enum", ("Fix",)),)))
    assert step.labels == ("Fix",)  # the option of that name stands for another value
