"""The client on a whole account: each exchange as the vendor's documents say, echoes equal to what was sent."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dispatch_to_pipedrive.pipedrive.budget import TokenBudget
from dispatch_to_pipedrive.pipedrive.canonical import canonical_record, differences
from dispatch_to_pipedrive.pipedrive.client import Entity, PipedriveClient
from dispatch_to_pipedrive.pipedrive.errors import Ambiguous, NotFound, Rejected
from dispatch_to_pipedrive.pipedrive.schema import (
    AccountSchema,
    FieldNeed,
    LabelNeed,
    PipelineNeed,
    SchemaNeeds,
)
from dispatch_to_pipedrive_tests.sandbox_process import Sandbox

from .checked import connected
from .test_schema import make_all

NEEDS = SchemaNeeds(
    pipelines=(PipelineNeed("Dispatch Pro Jobs", ("Scheduled", "Completed")),),
    fields=(
        FieldNeed("deals", "Job_Type__c", "enum", ("Repair", "Tune-up")),
        FieldNeed("deals", "Invoice_Amount__c", "monetary"),
        FieldNeed("deals", "Original_Created_At__c", "varchar"),
        FieldNeed("deals", "Original_Created_Date__c", "date"),
        FieldNeed("organizations", "Site_2_Address__c", "address"),
        FieldNeed("persons", "Tags__c", "set", ("VIP", "Gate code")),
    ),
    labels=(LabelNeed("deals", ("VIP",)), LabelNeed("persons", ("VIP",))),
)


@pytest.fixture
def account(new_sandbox: Callable[..., Sandbox]) -> Sandbox:
    return new_sandbox(customers=2, seed=4, plan="premium", no_limits=True)


async def test_records_of_all_four_kinds_come_back_as_they_were_meant(account: Sandbox) -> None:
    async with connected(account) as client:
        schema = await make_all(client, NEEDS)
        bodies: dict[Entity, dict[str, Any]] = {}
        ids: dict[Entity, int] = {}

        async def make(entity: Entity, body: dict[str, Any]) -> None:
            answer = await client.create(entity, body)
            bodies[entity], ids[entity] = body, answer.record["id"]
            assert unlike(entity, body, answer.record, schema) == ()

        code = schema.field_code
        await make(
            "organizations",
            {
                "name": "Müller & Söhne",
                "add_time": "2019-05-29T04:21:51Z",
                "address": {"value": "1 Main St, Denver", "locality": "Denver"},
                "custom_fields": {code("organizations", "Site_2_Address__c"): {"value": "2 Side St"}},
            },
        )
        tags = [schema.option_id("persons", "Tags__c", label) for label in ("VIP", "Gate code")]
        await make(
            "persons",
            {
                "name": "Jane  Doe",
                "org_id": ids["organizations"],
                "emails": [{"value": "jane@acme.example"}, {"value": "jd@home.example", "label": "home"}],
                "phones": [{"value": "+14085550100", "primary": True, "label": "mobile"}],
                "label_ids": [schema.label_id("persons", "VIP")],
                "custom_fields": {code("persons", "Tags__c"): list(reversed(tags))},
            },
        )
        await make(
            "deals",
            {
                "title": "Repair — Jane Doe #1",
                "org_id": ids["organizations"],
                "person_id": ids["persons"],
                "pipeline_id": schema.pipeline_id(),
                "stage_id": schema.stage_id("Completed"),
                "value": 18450.50,
                "currency": "USD",
                "label_ids": [schema.label_id("deals", "VIP")],
                "custom_fields": {
                    code("deals", "Job_Type__c"): schema.option_id("deals", "Job_Type__c", "Tune-up"),
                    code("deals", "Invoice_Amount__c"): {"value": 18450.5, "currency": "USD"},
                    code("deals", "Original_Created_At__c"): "2019-05-29T04:21:51.1234567Z",
                    code("deals", "Original_Created_Date__c"): "2019-05-29",
                },
            },
        )
        await make(
            "activities",
            {
                "subject": "Visit",
                "type": "meeting",
                "deal_id": ids["deals"],
                "due_date": "2023-03-02",
                "due_time": "15:30",
                "duration": "01:15",
                "done": True,
                "participants": [{"person_id": ids["persons"], "primary": True}],
                "location": {"value": "1 Main St, Denver"},
                "note": '<p onclick="x()">Hi &amp; bye<br/>there<script>x()</script></p>',
            },
        )
        account.advance(60)  # what the vendor fills in later is there now
        for entity, body in bodies.items():
            shown = (await client.get(entity, ids[entity])).record
            assert unlike(entity, body, shown, schema) == ()
            listed = {r["id"]: r async for page in client.list(entity, limit=1) for r in page.records}
            assert unlike(entity, body, listed[ids[entity]], schema) == ()
        for entity in reversed(bodies):
            await client.delete(entity, ids[entity])
        left = [r async for page in client.list("deals", status="deleted") for r in page.records]
        assert [r["id"] for r in left] == [ids["deals"]]


def unlike(entity: Entity, body: dict[str, Any], shown: dict[str, Any], schema: AccountSchema) -> Any:
    return differences(canonical_record(entity, body, schema), canonical_record(entity, shown, schema))


@pytest.mark.promise("R028")
async def test_a_status_and_its_time_are_probed_by_the_first_real_write(account: Sandbox) -> None:
    won = {"title": "x", "status": "won", "won_time": "2023-04-12T16:05:00Z"}
    async with connected(account) as client:
        with pytest.raises(Rejected):
            await client.create("deals", won)
        with pytest.raises(Rejected) as caught:
            await client.create("deals", {"title": "x", "add_time": "2023-04-12T16:05:00Z"})
        assert "add_time" in caught.value.keys
        account.control("pipedrive", "capabilities", {"won_with_time": True})
        answer = await client.create("deals", won)
    assert answer.record["won_time"] == "2023-04-12T16:05:00Z"


async def test_a_write_whose_answer_is_lost_was_carried_out_once(account: Sandbox) -> None:
    account.control("pipedrive", "faults", {"kind": "lost_after_commit", "method": "POST", "times": 1})
    async with connected(account, checked=False) as client:
        with pytest.raises(Ambiguous):
            await client.create("organizations", {"name": "Only once"})
        names = [r["name"] async for page in client.list("organizations") for r in page.records]
        assert names.count("Only once") == 1
        with pytest.raises(NotFound):
            await client.delete("organizations", 999_999)


async def write(client: PipedriveClient, count: int) -> None:
    for n in range(count):
        await client.create("organizations", {"name": str(n)})


@pytest.mark.promise("R064")
async def test_no_429_comes_back_while_the_burst_is_used_to_the_full(
    new_sandbox: Callable[..., Sandbox],
) -> None:
    """R064: 0 responses 429."""
    sandbox = new_sandbox(customers=1, seed=5, plan="ultimate", latency_ms=20)
    async with connected(sandbox, checked=False, budget=TokenBudget("ultimate"), concurrency=24) as client:
        await client.me()
        await asyncio.gather(*(write(client, 10) for _ in range(20)))
    stats = sandbox.control("pipedrive", "stats")
    assert (stats["responses_429"], client.throttled) == (0, 0)
    assert 100 <= stats["burst_high_water"] <= 120


@pytest.mark.promise("R064")
async def test_a_reader_beside_the_writer_brings_no_429_either(new_sandbox: Callable[..., Sandbox]) -> None:
    """R064: the reader starts when the places that the writer gave up have left the window."""
    sandbox = new_sandbox(customers=1, seed=5, plan="lite", latency_ms=20)
    async with connected(sandbox, checked=False, budget=TokenBudget("lite"), concurrency=12) as writer:
        await write(writer, 20)
        writer.budget.set_share(0.9)
        beside = TokenBudget("lite", share=0.1, opening=2.0)
        async with connected(sandbox, checked=False, budget=beside) as reader:
            await asyncio.gather(write(reader, 2), *(write(writer, 3) for _ in range(12)))
    stats = sandbox.control("pipedrive", "stats")
    assert (stats["responses_429"], writer.throttled, reader.throttled) == (0, 0, 0)


@pytest.mark.promise("R064")
async def test_the_days_balance_follows_the_account(new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox(customers=1, seed=6, plan="lite", seats=1)
    budget = TokenBudget("premium", seats=2)
    async with connected(sandbox, budget=budget) as client:
        await client.me()
        assert budget.remaining == 30_000 - 2
        for n in range(3):
            await client.create("organizations", {"name": str(n)})
        assert budget.remaining == sandbox.control("pipedrive", "stats")["daily_tokens"] - budget.spent
        assert budget.spent == sandbox.control("pipedrive", "stats")["spent_today"] == 17
        sandbox.control("dispatch", "clock", {"advance": 86_400})
        await client.me()
        assert (budget.spent, budget.remaining) == (2, 29_998)
