"""The schema that the program made goes again; what people use, added or had before stays."""

import asyncio
import shutil
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from dispatch_to_pipedrive.mapping.needs import SchemaNeeds, schema_needs
from dispatch_to_pipedrive.migration import faults
from dispatch_to_pipedrive.migration.drift import split_option
from dispatch_to_pipedrive.migration.prepare import apply_schema
from dispatch_to_pipedrive.migration.session import reading, writing
from dispatch_to_pipedrive.migration.undo.schema import SchemaUndone, schema_to_undo, undo_schema
from dispatch_to_pipedrive.migration.undo.schema_plan import plan_schema_undo
from dispatch_to_pipedrive.migration.values import OPTION
from dispatch_to_pipedrive_tests.migration.world import HTTP, Crash, World, prepared
from dispatch_to_pipedrive_tests.sandbox_process import start_sandbox
from dispatch_to_pipedrive_tests.undone import without_what_is_gone

ENTITIES = ("organizations", "persons", "deals")
POINTS = ("schema_intent_committed", "schema_step_sent", "schema_outcome_committed")


@dataclass(frozen=True)
class Prepared:
    """An account with schema and labels made, and its dump from before."""

    world: World
    before: dict[str, Any]

    @property
    def now(self) -> dict[str, Any]:
        return without_what_is_gone(self.world.control("dump"))

    def edit(self, entity: str, action: str = "create", **more: Any) -> int:
        return int(self.world.control("edit", {"entity": entity, "action": action, **more})["id"])

    def call(self, method: str, path: str, body: Any) -> Any:
        """A person's change of the schema, through the API."""
        headers = {"x-api-token": self.world.access.api_token}
        answer = HTTP.request(method, f"{self.world.access.api_url}{path}", json=body, headers=headers)
        return answer.raise_for_status().json()["data"]

    def key(self, kind: str, name: str, entity: str = "") -> str:
        """Code or id that the ledger has for something."""
        with self.world.ledger() as ledger:
            scope = ledger.bound_scope()
            assert scope is not None
            (found,) = (
                one.code
                for one in ledger.schema_objects(scope.account)
                if one.kind == kind
                and one.entity == (entity or one.entity)
                and (split_option(one.name)[1] if kind == OPTION else one.name) == name
            )
            return found


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    folder = tmp_path_factory.mktemp("schema")
    with start_sandbox(customers=3, seed=7, no_limits=True, plan="premium") as sandbox:
        before = sandbox.control("pipedrive", "dump")
        world = prepared(sandbox.pipedrive_url, sandbox.env["PIPEDRIVE_API_TOKEN"], folder, grace=0.05)
        prepare(world)
        yield Prepared(replace(world, base=world.control("dump")), before)


@pytest.fixture
def made(once: Prepared, tmp_path: Path) -> Prepared:
    """The account and a ledger of its own, as they were prepared."""
    once.world.reset()
    shutil.copy(once.world.folder / "ledger.db", tmp_path / "ledger.db")
    world = replace(once.world, folder=tmp_path, ledger_url=f"sqlite:///{tmp_path / 'ledger.db'}")
    return Prepared(world, once.before)


def needs(world: World) -> SchemaNeeds:
    labels = {(entity, "label_ids"): ("VIP", "Gold") for entity in ENTITIES}
    return schema_needs(world.maps, {("deals", "Job_Type__c"): ("Repair", "Install"), **labels})


def prepare(world: World) -> int:
    """Things that were made."""

    async def run() -> int:
        with world.ledger() as ledger:
            async with writing(ledger, world.access, purpose="prepare") as session:
                return (await apply_schema(session, needs(world))).made

    return asyncio.run(run())


def undo(world: World, crash: Any = None) -> SchemaUndone:
    async def run() -> SchemaUndone:
        with world.ledger() as ledger:
            async with writing(ledger, world.access, purpose="undo") as session:
                return await undo_schema(session)

    faults.install(crash)
    try:
        return asyncio.run(run())
    finally:
        faults.install(None)


def rows(world: World) -> list[tuple[str, str, str]]:
    """What the ledger still knows of the schema."""
    with world.ledger() as ledger:
        scope = ledger.bound_scope()
        assert scope is not None
        assert not ledger.open_intents(scope.account)
        assert ledger.broken_chain_at() is None
        return sorted((x.kind, x.entity, x.name) for x in ledger.schema_objects(scope.account))


def test_nothing_of_it_is_left_and_it_can_be_made_again(made: Prepared) -> None:
    old = made.key("field", "Source_Key__c", "deals")
    done = undo(made.world)
    assert done.stays == ()
    assert made.now == without_what_is_gone(made.before)
    assert rows(made.world) == []
    made.world.control("stats/reset", {})
    again = undo(made.world)
    assert (again.removed, again.stays) == ((), ())
    assert made.world.control("stats")["writes"] == 0
    # An account that gives a new pipeline stages of its own: they go with it.
    made.world.control("capabilities", {"pipeline_default_stages": True})
    assert prepare(made.world) > 10
    assert made.key("field", "Source_Key__c", "deals") != old
    assert undo(made.world).stays == ()
    made.world.control("capabilities", {"pipeline_default_stages": False})
    assert made.now == without_what_is_gone(made.before)


def test_the_plan_writes_nothing_and_tells_the_price(made: Prepared) -> None:
    async def look() -> int:
        with made.world.ledger() as ledger:
            async with reading(ledger, made.world.access, purpose="look") as session:
                schema = await schema_to_undo(session)
                before = sum(session.client.budget.by_kind.values())
                plan = await plan_schema_undo(session, schema.structure)
                listed = sum(session.client.budget.by_kind.values()) - before
                return plan.tokens - listed - 40

    made.world.control("stats/reset", {})
    price = asyncio.run(look())
    assert made.world.control("stats")["writes"] == 0
    made.world.control("stats/reset", {})
    undo(made.world)
    spent = made.world.control("stats")["tokens_by"]
    writes = sum(count for call, count in spent.items() if not call.startswith("GET"))
    looks = sum(
        count for call, count in spent.items() if call.startswith("GET /api/v1/") and "Fields" in call
    )
    assert price == writes + looks


def test_what_people_use_or_added_stays_with_the_reason(made: Prepared) -> None:
    key = made.key("field", "Source_Key__c", "deals")
    jobs = made.key("field", "Job_Type__c", "deals")
    vip = int(made.key(OPTION, "VIP", "organizations"))
    pipeline = int(made.key("pipeline", made_pipeline(made.world)))
    stages = made.world.control("dump")["stages"]
    mine = [one for one in stages if one["pipeline_id"] == pipeline]
    deal = made.edit(
        "deals",
        changes={
            "title": "theirs",
            "pipeline_id": pipeline,
            "stage_id": mine[1]["id"],
            "custom_fields": {key: "a number of our own"},
        },
    )
    amount = made.key("field", "Invoice_Amount__c", "deals")
    made.world.control("edit", {"entity": "leads", "action": "create", "changes": {amount: 12.5}})
    organization = made.edit("organizations", changes={"name": "theirs", "label_ids": [vip]})
    made.call("POST", f"/api/v2/dealFields/{jobs}/options", [{"label": "Added by people"}])
    labels = next(one for one in made.call("GET", "/api/v1/personFields", None) if one["key"] == "label_ids")
    made.call(
        "PUT",
        f"/api/v1/personFields/{labels['id']}",
        {"options": [*labels["options"], {"label": "People's"}]},
    )
    before = made.now
    done = undo(made.world)
    assert [(one.what, one.why) for one in done.stays] == [
        ("label 'VIP' of organizations", "1 record bears it"),
        ("deals field 'Invoice_Amount__c'", "1 record has a value in it"),
        ("deals field 'Job_Type__c'", "people added the options 'Added by people'"),
        ("deals field 'Source_Key__c'", "1 record has a value in it"),
        (f"stage {mine[1]['name']!r}", "1 deal stands in it"),
        (f"pipeline {made_pipeline(made.world)!r}", f"its stages {mine[1]['name']!r} stay"),
    ]
    after = made.now
    assert after["entities"] == before["entities"]
    expected = deepcopy(without_what_is_gone(made.before))
    assert {one["label"] for one in labels_of(after, "organizations")} == {
        *(one["label"] for one in labels_of(expected, "organizations")),
        "VIP",
    }
    assert [one["label"] for one in labels_of(after, "persons")] == [
        *(one["label"] for one in labels_of(expected, "persons")),
        "People's",
    ]
    assert labels_of(after, "deals") == labels_of(expected, "deals")
    custom = {one["name"]: one["options"] for e in ENTITIES for one in after["fields"][e] if one["custom"]}
    assert set(custom) == {"Source_Key__c", "Job_Type__c", "Invoice_Amount__c"}
    assert [one["label"] for one in custom["Job_Type__c"]] == ["Added by people"]
    assert [one["id"] for one in after["stages"] if one["pipeline_id"] == pipeline] == [mine[1]["id"]]
    # What stays is still ours: made again it serves, and when nobody uses it any more it goes.
    prepare(made.world)
    assert made.key("field", "Source_Key__c", "deals") == key
    for entity, number in (("deals", deal), ("organizations", organization)):
        made.edit(entity, "delete", id=number)
    made.call("DELETE", f"/api/v2/dealFields/{jobs}/options", [{"id": custom["Job_Type__c"][0]["id"]}])
    assert [one.what for one in undo(made.world).stays] == ["deals field 'Invoice_Amount__c'"]
    after = made.now
    assert [one["name"] for e in ENTITIES for one in after["fields"][e] if one["custom"]] == [
        "Invoice_Amount__c"
    ]
    assert after["pipelines"] == expected["pipelines"]


def labels_of(dump: dict[str, Any], entity: str) -> list[dict[str, Any]]:
    (field,) = (one for one in dump["fields"][entity] if one["code"] == "label_ids")
    return list(field["options"])


def made_pipeline(world: World) -> str:
    return needs(world).pipeline.name


@pytest.mark.parametrize(("point", "passes"), list(zip(POINTS, (1, 4, 2), strict=True)))
def test_killed_at_any_point_it_goes_on(made: Prepared, point: str, passes: int) -> None:
    left = passes

    def crash(name: str) -> None:
        nonlocal left
        left -= name == point
        if not left:
            raise Crash

    with pytest.raises(Crash):
        undo(made.world, crash)
    assert undo(made.world).stays == ()
    assert made.now == without_what_is_gone(made.before)
    assert rows(made.world) == []


def test_lost_answers_and_people_who_were_quicker_do_not_matter(made: Prepared) -> None:
    made.call("DELETE", f"/api/v2/dealFields/{made.key('field', 'Source_Key__c', 'deals')}", None)
    made.world.control("faults", {"kind": "lost_after_commit", "method": "PUT|DELETE", "rate": 0.3})
    assert undo(made.world).stays == ()
    assert made.now == without_what_is_gone(made.before)
    assert rows(made.world) == []


def test_a_stage_that_people_added_keeps_its_pipeline(made: Prepared) -> None:
    pipeline = int(made.key("pipeline", made_pipeline(made.world)))
    made.call("POST", "/api/v2/stages", {"name": "People's own", "pipeline_id": pipeline})
    done = undo(made.world)
    assert [one.why for one in done.stays] == ["people added it", 'its stages "People\'s own" stay']


def test_fields_of_deals_stay_where_nobody_can_tell_whether_leads_use_them(made: Prepared) -> None:
    body = {"success": False, "error": "Scope and URL mismatch"}
    made.world.control("faults", {"kind": "status", "path": "leads", "status": 403, "body": body})
    stays = undo(made.world).stays
    assert len(stays) > 3
    assert {one.why for one in stays} == {
        "leads share the fields of deals, and cannot be read: Scope and URL mismatch"
    }
    made.world.control("faults", {"clear": True})
    assert undo(made.world).stays == ()


def test_what_pipedrive_refuses_stays_in_its_words(made: Prepared) -> None:
    made.world.control(
        "faults",
        {
            "kind": "status",
            "method": "DELETE",
            "path": "stages",
            "status": 400,
            "times": 1,
            "body": {"success": False, "error": "Stage is in use"},
        },
    )
    done = undo(made.world)
    assert "Stage is in use" in done.stays[0].why
    assert undo(made.world).stays == ()
