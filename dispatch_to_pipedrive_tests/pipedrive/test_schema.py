"""The account's schema: what is missing, made step by step, known by recorded keys only (R062, R071)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_to_pipedrive.pipedrive.account import (
    Field,
    Option,
    Pipeline,
    Structure,
    read_company,
    read_structure,
)
from dispatch_to_pipedrive.pipedrive.client import PipedriveClient
from dispatch_to_pipedrive.pipedrive.errors import Ambiguous
from dispatch_to_pipedrive.pipedrive.making import SchemaOutcome, apply_step, find_made, learn
from dispatch_to_pipedrive.pipedrive.schema import (
    AccountSchema,
    Capabilities,
    FieldNeed,
    LabelNeed,
    Made,
    NotInSchema,
    PipelineNeed,
    SchemaChanged,
    SchemaNeeds,
    SchemaStep,
    adopt,
    fields_needed,
    plan_schema,
    read_account_schema,
)
from dispatch_to_pipedrive_tests.sandbox_process import Sandbox

from .checked import connected

NEEDS = SchemaNeeds(
    pipelines=(PipelineNeed("Dispatch Pro Jobs", ("Scheduled", "Dispatched", "In Progress")),),
    fields=(
        FieldNeed("deals", "Job_Type__c", "enum", ("Repair", "Tune-up", "Repair", "Wärme"), "what was done"),
        FieldNeed("deals", "Invoice_Amount__c", "monetary"),
        FieldNeed("organizations", "Site_2_Address__c", "address"),
        FieldNeed("persons", "Tags__c", "set", ("VIP",)),
        FieldNeed("deals", "Unused__c", "set"),
    ),
    labels=(LabelNeed("deals", ("VIP", "Recall")), LabelNeed("persons", ("VIP",))),
)


def empty_structure() -> Structure:
    label = Field(
        field_code="label_ids",
        field_name="Labels",
        field_type="set",
        options=(Option(id=1, label="Customer"),),
    )
    return Structure(
        fields={entity: {"label_ids": label} for entity in ("organizations", "persons", "deals")},
        pipelines=(Pipeline(id=1, name="Pipeline"),),
        stages=(),
    )


def pretend(step: SchemaStep, number: int) -> SchemaOutcome:
    """What a vendor would answer to a step."""
    options = [{"id": 1000 * number + n, "label": label} for n, label in enumerate(step.labels)]
    record: dict[str, Any] = {
        "id": number,
        "name": step.name,
        "field_code": f"{number:040x}",
        "field_name": step.name,
        "field_type": step.detail,
        "is_custom_field": True,
        "options": options or None,
    }
    made = None
    if step.kind == "stage":
        record["pipeline_id"] = int(step.target)
        made = Made("stage", "stages", step.name, str(number), step.detail)
    elif step.kind == "pipeline":
        made = Made("pipeline", "pipelines", step.name, str(number))
    elif step.kind == "field":
        made = Made("field", step.entity, step.name, record["field_code"], step.detail)
    return SchemaOutcome(step, made, record, 5, None)


def carried_out(
    schema: AccountSchema, needs: SchemaNeeds, first: int = 101
) -> tuple[AccountSchema, list[SchemaStep]]:
    done: list[SchemaStep] = []
    while steps := plan_schema(schema, needs):
        schema = learn(schema, pretend(steps[0], first + len(done)))
        done.append(steps[0])
    return schema, done


def test_the_needs_are_planned_in_the_order_in_which_they_depend() -> None:
    schema, done = carried_out(AccountSchema(empty_structure()), NEEDS)
    assert [(step.kind, step.name) for step in done] == [
        ("pipeline", "Dispatch Pro Jobs"),
        ("stage", "Scheduled"),
        ("stage", "Dispatched"),
        ("stage", "In Progress"),
        ("field", "Job_Type__c"),
        ("field", "Invoice_Amount__c"),
        ("field", "Site_2_Address__c"),
        ("field", "Tags__c"),
        ("labels", "label_ids"),
        ("labels", "label_ids"),
    ]
    assert fields_needed(done) == 4
    assert done[4].labels == ("Repair", "Tune-up", "Wärme")
    assert schema.stage_id("Dispatched") == schema.stage_id("Dispatched", "Dispatch Pro Jobs") == 103
    assert schema.pipeline_id() == schema.pipeline_id("Dispatch Pro Jobs") == 101
    assert schema.field_type("deals", "Job_Type__c") == "enum"
    assert schema.option_id("deals", "Job_Type__c", "Tune-up") == 105_001
    assert schema.label_id("persons", "VIP") == 110_000
    assert schema.customs("persons") == {f"{108:040x}": ("Tags__c", "set")}
    for missing in (
        lambda: schema.field_code("deals", "Nope__c"),
        lambda: schema.option_id("deals", "Job_Type__c", "Nope"),
        lambda: schema.label_id("organizations", "VIP"),
        lambda: schema.stage_id("Nope"),
        lambda: schema.pipeline_id("Nope"),
    ):
        with pytest.raises(NotInSchema):
            missing()


@pytest.mark.promise("R043", "R044")
@given(st.lists(st.sampled_from(["A", "B", "C", "a", " ", "ü"]), max_size=8).map(tuple), st.integers(0, 3))
def test_planning_again_finds_nothing_and_new_options_are_only_added(
    labels: tuple[str, ...], cut: int
) -> None:
    def needs(options: tuple[str, ...]) -> SchemaNeeds:
        return SchemaNeeds(
            fields=(FieldNeed("deals", "Kind__c", "enum", options),), labels=(LabelNeed("deals", options),)
        )

    schema, _ = carried_out(AccountSchema(empty_structure()), needs(labels[:cut]))
    before = {label: schema.option_id("deals", "Kind__c", label) for label in labels[:cut]}
    schema, done = carried_out(schema, needs(labels), first=201)
    assert plan_schema(schema, needs(labels)) == ()
    assert len(done) <= 2
    for label in labels:
        assert schema.label_id("deals", label)
        assert schema.option_id("deals", "Kind__c", label) == before.get(
            label, schema.option_id("deals", "Kind__c", label)
        )
    assert schema.label_id("deals", "Customer") == 1


def test_a_field_of_the_same_name_is_never_taken_for_ours_unless_people_said_so() -> None:
    theirs = Field(field_code="a" * 40, field_name="Fee__c", field_type="monetary", is_custom_field=True)
    structure = empty_structure()
    structure = replace(
        structure, fields={**structure.fields, "deals": {**structure.fields["deals"], "a" * 40: theirs}}
    )
    needs = SchemaNeeds(fields=(FieldNeed("deals", "Fee__c", "monetary"),))
    (step,) = plan_schema(AccountSchema(structure), needs)
    assert (step.kind, find_made(structure, step)) == ("field", ())
    told = adopt(structure, "deals", "Fee__c", "a" * 40)
    assert plan_schema(AccountSchema(structure, (told,)), needs) == ()
    with pytest.raises(NotInSchema):
        adopt(structure, "deals", "Fee__c", "b" * 40)


def test_steps_survive_the_ledger() -> None:
    for step in plan_schema(AccountSchema(empty_structure()), NEEDS):
        assert SchemaStep.from_dict(orjson.loads(orjson.dumps(step.as_dict()))) == step


def test_an_option_that_the_account_does_not_keep_is_an_error_and_no_endless_loop() -> None:
    (step,) = plan_schema(
        AccountSchema(empty_structure()), SchemaNeeds(labels=(LabelNeed("deals", (" VIP ",)),))
    )
    trimmed = SchemaOutcome(step, None, {"options": [{"id": 9, "label": "VIP"}]}, 10, None)
    with pytest.raises(NotInSchema):
        learn(AccountSchema(empty_structure()), trimmed)


def test_label_options_go_through_v2_only_where_the_account_has_shown_it() -> None:
    needs = SchemaNeeds(labels=(LabelNeed("deals", ("VIP",)),))
    schema = AccountSchema(empty_structure())
    for known, through_v2 in ((None, False), (False, False), (True, True)):
        (step,) = plan_schema(schema, needs, Capabilities(label_options_v2=known))
        assert step.through_v2 is through_v2


# On an account


@pytest.fixture
def account(new_sandbox: Callable[..., Sandbox]) -> Sandbox:
    return new_sandbox(customers=2, seed=3, plan="premium", no_limits=True)


async def make_all(client: PipedriveClient, needs: SchemaNeeds, made: tuple[Made, ...] = ()) -> AccountSchema:
    schema = await read_account_schema(client, made)
    while steps := plan_schema(schema, needs):
        schema = learn(schema, await apply_step(client, steps[0]))
    return schema


@pytest.mark.promise("R044", "R071")
async def test_the_schema_is_made_once_and_then_found(account: Sandbox) -> None:
    async with connected(account) as client:
        schema = await make_all(client, NEEDS)
        writes = client.writes
        again = await make_all(client, NEEDS, schema.made)
        assert client.writes == writes
        assert again.structure == schema.structure
        more = replace(NEEDS, fields=(FieldNeed("deals", "Job_Type__c", "enum", ("Repair", "New")),))
        grown = await make_all(client, more, schema.made)
        assert client.writes == writes + 1
    assert grown.option_id("deals", "Job_Type__c", "Repair") == schema.option_id(
        "deals", "Job_Type__c", "Repair"
    )
    assert grown.option_id("deals", "Job_Type__c", "Wärme")
    stages = [s.name for s in schema.structure.stages if s.pipeline_id == schema.pipeline_id()]
    assert stages == ["Scheduled", "Dispatched", "In Progress"]


async def test_labels_that_people_made_stay_as_they_were(account: Sandbox) -> None:
    async with connected(account) as client:
        before = (await read_structure(client)).label_field("deals")
        await make_all(client, SchemaNeeds(labels=(LabelNeed("deals", ("VIP",)),)))
        after = (await read_structure(client)).label_field("deals")
    assert before is not None
    assert after is not None
    assert before.options
    assert set(before.options) < set(after.options or ())


@pytest.mark.promise("R071")
async def test_a_recorded_field_that_vanished_stops_with_its_name_and_key(account: Sandbox) -> None:
    async with connected(account) as client:
        schema = await make_all(client, NEEDS)
        code = schema.field_code("deals", "Job_Type__c")
        await client.delete_field("deals", code)
        with pytest.raises(SchemaChanged) as caught:
            await read_account_schema(client, schema.made)
    (change,) = caught.value.changes
    assert (change.made.name, change.made.key, change.found) == ("Job_Type__c", code, None)
    assert "Job_Type__c" in str(caught.value)
    retyped = (
        *schema.made[:-1],
        Made("field", "persons", "Tags__c", schema.field_code("persons", "Tags__c"), "enum"),
    )
    with pytest.raises(SchemaChanged, match="now of type set"):
        plan_schema(
            AccountSchema(schema.structure, retyped),
            SchemaNeeds(fields=(FieldNeed("persons", "Tags__c", "enum", ("x",)),)),
        )


async def test_a_lost_answer_is_settled_by_what_was_not_there_before(account: Sandbox) -> None:
    """Every step's answer is lost after the account carried it out; a namesake from before is not taken for it."""
    settled = 0
    async with connected(account, checked=False) as client:
        await client.create_field(
            "deals", {"field_name": "Job_Type__c", "field_type": "enum", "options": [{"label": "x"}]}
        )
        schema = await read_account_schema(client)
        while steps := plan_schema(schema, NEEDS):
            account.control(
                "pipedrive", "faults", {"kind": "lost_after_commit", "method": "POST|PUT|PATCH", "times": 1}
            )
            with pytest.raises(Ambiguous):
                await apply_step(client, steps[0])
            (outcome,) = find_made(await read_structure(client), steps[0])
            schema = learn(schema, outcome)
            settled += 1
        account.control("pipedrive", "faults", {"clear": True})
        assert plan_schema(await read_account_schema(client, schema.made), NEEDS) == ()
        names = [f.field_name for f in schema.structure.fields["deals"].values() if f.is_custom_field]
    assert settled == 10
    assert sorted(names) == ["Invoice_Amount__c", "Job_Type__c", "Job_Type__c"]


async def test_the_company_names_its_users_and_admins(account: Sandbox) -> None:
    async with connected(account) as client:
        company = await read_company(client)
    assert company.me.is_admin
    assert company.me.company_id
    assert {user.is_admin for user in company.users} == {True, False}
    assert "USD" in {currency.code for currency in company.currencies}
    assert {"call", "meeting", "task"} <= {kind.key_string for kind in company.activity_types}
