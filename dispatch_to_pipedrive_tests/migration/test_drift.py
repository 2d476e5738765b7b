"""What people did to the account's schema since it was made is found, told, and stops what depends on it."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dispatch_to_pipedrive.mapping.needs import schema_needs
from dispatch_to_pipedrive.migration.drift import (
    OPTION,
    drift,
    made_of,
    options_needed,
    options_of,
    options_to_record,
)
from dispatch_to_pipedrive.migration.errors import RunStopped
from dispatch_to_pipedrive.migration.prepare import SchemaReport, apply_schema, read_schema
from dispatch_to_pipedrive.migration.session import writing
from dispatch_to_pipedrive.migration.values import SchemaObject
from dispatch_to_pipedrive.pipedrive.account import Field, Option, Pipeline, Stage, Structure
from dispatch_to_pipedrive.pipedrive.schema import LABELS, AccountSchema, FieldNeed, SchemaNeeds, plan_schema
from dispatch_to_pipedrive_tests.migration.world import World

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


@pytest.mark.promise("R071")
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


# On an account


async def people_change_options(world: World, change: Callable[[list[dict[str, Any]]], Any]) -> None:
    """What somebody does to the job types in Pipedrive's own settings."""
    with world.ledger() as ledger:
        async with writing(ledger, world.access, purpose="people") as session:
            fields = await session.client.v1_fields("deals")
            (mine,) = [f for f in fields if f["name"] == "Job_Type__c"]
            standing = list(mine["options"])
            change(standing)
            await session.client.put_options("deals", int(mine["id"]), standing)


async def prepare(world: World) -> tuple[SchemaReport, AccountSchema, list[str]]:
    needs = schema_needs(world.maps, {("deals", "Job_Type__c"): ("Repair", "Install")})
    with world.ledger() as ledger:
        async with writing(ledger, world.access, purpose="prepare") as session:
            report = await apply_schema(session, needs)
            found = await read_schema(session)
            told = drift(ledger.schema_objects(session.scope.account), found.structure, options_needed(needs))
            return report, found, [str(one) for one in told]


async def test_preparing_again_follows_a_renamed_option_and_refuses_to_make_a_deleted_one_twice(
    world: World,
) -> None:
    _, before, told = await prepare(world)
    assert told == []
    await people_change_options(world, lambda options: options[0].update(label="Fix"))
    report, after, told = await prepare(world)
    assert report.made == 0
    label = next(name for name in ("Repair", "Install") if name not in _labels_of(after))
    assert after.option_id("deals", "Job_Type__c", label) == before.option_id("deals", "Job_Type__c", label)
    assert told == [
        f"option '{label}' of deals.Job_Type__c is called 'Fix' now; records go on to use it under that name"
    ]
    await people_change_options(world, lambda options: options.pop())
    with pytest.raises(
        RunStopped, match=r"people changed the account's schema: option '\w+' of .* was deleted"
    ):
        await prepare(world)


def _labels_of(schema: AccountSchema) -> set[str]:
    return {option.label for option in schema.field("deals", "Job_Type__c").options or ()}
