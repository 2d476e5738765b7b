"""What a load does to records that are new, equal, changed, edited by people, refused, or gone."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from dispatch_to_pipedrive.migration import conflicts, window
from dispatch_to_pipedrive.migration.errors import RunStopped
from dispatch_to_pipedrive.migration.ledger import tables
from dispatch_to_pipedrive.migration.loading import LoadReport
from dispatch_to_pipedrive.migration.values import ENTITIES
from dispatch_to_pipedrive.pipedrive.errors import PlanCap
from dispatch_to_pipedrive.pipedrive.recorded import SchemaChanged
from dispatch_to_pipedrive_tests.migration.tenants import RootVersion, Tenant
from dispatch_to_pipedrive_tests.migration.world import Crash, World, fresh_ledger


@pytest.fixture
def migration(world: World, tmp_path: Path) -> Iterator[World]:
    """A fresh account with its schema, and a ledger that knows it."""
    world.reset()
    copy = fresh_ledger(world)
    yield copy
    world.control("capabilities", {"deal_add_time": False, "won_with_time": False})
    world.control("plan", {"plan": "premium", "seats": 1})
    world.reset()


def tenant_of(world: World, *flavours: int, roots: int = 4, status: int = 0) -> Tenant:
    versions = tuple(RootVersion(True, 1, ((status, 1),), flavour) for flavour in flavours)
    return Tenant(dict.fromkeys(range(1, roots + 1), versions), world.maps)


def load(world: World, tenant: Tenant, generation: int = 1, **options: Any) -> dict[str, LoadReport]:
    reports = world.load(tenant, list(tenant.roots), generation, **options)
    return {report.entity: report for report in reports}


def writes(world: World) -> int:
    return int(world.control("stats")["writes"])


def record_of(world: World, entity: str, source_key: str) -> dict[str, Any]:
    with world.ledger() as ledger:
        scope = ledger.bound_scope()
        assert scope is not None
        number = ledger.links(scope, entity, [source_key])[source_key].pipedrive_id
    dump = world.control("dump")["entities"][entity]
    records = dump.values() if isinstance(dump, dict) else dump
    return next(r for r in records if r["id"] == number)


def last_body(world: World, entity: str, source_key: str) -> dict[str, Any]:
    with world.ledger() as ledger:
        return [body for key, body in bodies(ledger, entity) if key == source_key][-1]


def bodies(ledger: Any, entity: str) -> list[tuple[str, dict[str, Any]]]:
    with ledger._read() as conn:
        query = tables.operation.select().where(tables.operation.c.event == "intent").order_by("number")
        rows = [r for r in conn.execute(query) if r.entity == entity and r.body]
        return [(r.source_key, orjson.loads(r.body)) for r in rows]


def test_equal_payloads_cost_no_write(migration: World) -> None:
    version = RootVersion(True, 1, ((0, 1),), 0, photos=2, remarks=1)
    tenant = Tenant(dict.fromkeys(range(1, 5), (version,)), migration.maps)
    load(migration, tenant)
    before, fetched = writes(migration), len(migration.fetched)
    reports = load(migration, tenant)
    assert writes(migration) == before
    assert len(migration.fetched) == fetched
    assert {e: reports[e].equal for e in ENTITIES} == {**dict.fromkeys(ENTITIES, 4), "files": 12}


def test_an_update_carries_only_what_changed_at_the_source(migration: World) -> None:
    tenant = tenant_of(migration, 0, 2)
    load(migration, tenant)
    load(migration, tenant, 2)
    assert set(last_body(migration, "organizations", "customer:1/organization")) == {"name"}
    assert set(last_body(migration, "activities", "appointment:1000/activity")) == {"subject", "note"}


def test_the_newer_generation_wins_record_by_record(migration: World) -> None:
    tenant = tenant_of(migration, 0, 1)
    load(migration, tenant, 2)
    before = writes(migration)
    assert load(migration, tenant, 1)["deals"].newer == 4
    assert writes(migration) == before
    assert migration.verify(tenant, list(tenant.roots), 2).differences == []


def test_the_deal_that_tried_a_capability_is_of_its_batchs_generation(migration: World) -> None:
    """Else an older batch overwrites it, if the process dies before the deal is whole."""
    tenant = tenant_of(migration, 0, 1, status=3)

    def dies_after_the_first_deal(name: str) -> None:
        if name == "outcomes_committed" and migration.alive()["deals"] == 1:
            raise Crash(name)

    with pytest.raises(Crash):
        load(migration, tenant, 2, crash=dies_after_the_first_deal)
    load(migration, tenant, 1)
    assert record_of(migration, "deals", "job:100/deal")["title"] == "Job 100 v1"


@pytest.mark.promise("R027")
def test_a_deal_that_is_lost_again_gets_its_reason_again(migration: World) -> None:
    """Pipedrive clears it when the deal is opened (R027)."""
    states = (3, 0, 3)
    versions = tuple(RootVersion(True, 0, ((state, 0),), 0) for state in states)
    tenant = Tenant({1: versions}, migration.maps)
    for generation in (1, 2, 3):
        load(migration, tenant, generation)
        assert migration.verify(tenant, [1], generation).differences == []
    assert record_of(migration, "deals", "job:100/deal")["lost_reason"] == "Customer canceled"


def test_a_field_that_people_edited_stays_theirs_and_the_others_follow_the_source(migration: World) -> None:
    tenant = tenant_of(migration, 0, 2)
    load(migration, tenant)
    person = record_of(migration, "persons", "customer:1/person")
    migration.control(
        "edit", {"entity": "persons", "id": person["id"], "changes": {"name": "Edited By Hand"}}
    )
    report = load(migration, tenant, 2)["persons"]
    assert report.kept == 1
    after = record_of(migration, "persons", "customer:1/person")
    assert after["name"] == "Edited By Hand"
    assert after["emails"][0]["value"] == "1.2@example.com"
    verdicts = migration.verify(tenant, list(tenant.roots), 2)
    assert [(d.source_key, d.field, d.verdict) for d in verdicts.differences] == [
        ("customer:1/person", "name", "kept")
    ]


def test_what_people_deleted_is_gone_and_not_made_again(migration: World) -> None:
    tenant = tenant_of(migration, 0, 2)
    load(migration, tenant)
    deal = record_of(migration, "deals", "job:100/deal")
    migration.control("edit", {"entity": "deals", "id": deal["id"], "action": "delete"})
    load(migration, tenant, 2)
    before = writes(migration)
    assert load(migration, tenant, 2)["deals"].gone == 1
    assert writes(migration) == before
    verdicts = migration.verify(tenant, list(tenant.roots), 2)
    assert ("job:100/deal", "gone") in [(d.source_key, d.verdict) for d in verdicts.differences]


def test_a_refused_record_is_set_aside_with_the_vendors_words_and_its_children_wait(migration: World) -> None:
    tenant = tenant_of(migration, 0)
    words = {
        "success": False,
        "error": "Validation failed: name: too odd",
        "code": "ERR_SCHEMA_VALIDATION_FAILED",
    }
    fault = {
        "kind": "status",
        "status": 400,
        "body": words,
        "entity": "persons",
        "method": "POST",
        "nth": [2],
    }
    migration.control("faults", fault)
    reports = load(migration, tenant)
    migration.control("faults", {"clear": True})
    (aside,) = reports["persons"].quarantined
    assert (aside.reason, aside.words) == ("rejected", "Validation failed: name: too odd")
    assert [q.reason for q in reports["deals"].quarantined] == ["held"]
    assert [q.reason for q in reports["activities"].quarantined] == ["held"]
    assert reports["deals"].created == 3
    before = writes(migration)
    load(migration, tenant)
    assert writes(migration) == before, "a refused record is not tried again by itself"
    healed = load(migration, tenant, retry_quarantined=True)
    assert {e: healed[e].created for e in ENTITIES[1:4]} == {"persons": 1, "deals": 1, "activities": 1}
    assert migration.verify(tenant, list(tenant.roots), 1).differences == []
    with migration.ledger() as ledger:
        scope = ledger.bound_scope()
        assert scope is not None
        assert ledger.quarantined(scope) == []


def test_the_same_refusal_of_many_stops_the_run_and_sets_nothing_aside(
    migration: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "SAME_REFUSALS", 5)
    words = {
        "success": False,
        "error": "Validation failed: name: 'x' is bad",
        "code": "ERR_SCHEMA_VALIDATION_FAILED",
    }
    fault = {"kind": "status", "status": 400, "body": words, "entity": "persons", "method": "POST"}
    migration.control("faults", fault)
    with pytest.raises(RunStopped, match="the fault is not theirs"):
        load(migration, tenant_of(migration, 0, roots=20))
    with migration.ledger() as ledger:
        scope = ledger.bound_scope()
        assert scope is not None
        assert ledger.quarantined(scope) == []


@pytest.mark.promise("R071")
def test_a_vanished_field_stops_the_run(migration: World) -> None:
    tenant = tenant_of(migration, 0)
    with migration.ledger() as ledger:
        code = next(o.code for o in ledger.schema_objects(account(ledger)) if o.name == "Site_2_Address__c")
    headers = {"x-api-token": migration.access.api_token}
    httpx.delete(
        f"{migration.access.api_url}/api/v2/organizationFields/{code}", headers=headers
    ).raise_for_status()
    with pytest.raises(SchemaChanged, match="Site_2_Address__c"):
        load(migration, tenant)


def account(ledger: Any) -> str:
    scope = ledger.bound_scope()
    assert scope is not None
    return str(scope.account)


def test_a_plan_cap_stops_the_run_and_sets_nothing_aside(migration: World) -> None:
    words = {
        "success": False,
        "error": "Couldn't add the deal. Open deals limit reached.",
        "error_info": "Please check developers.pipedrive.com for more information about Pipedrive API.",
        "data": None,
        "additional_data": None,
        "code": "feature_capping_deals_limit",
    }
    migration.control(
        "faults", {"kind": "status", "status": 403, "body": words, "entity": "deals", "method": "POST"}
    )
    with pytest.raises(PlanCap):
        load(migration, tenant_of(migration, 0))
    with migration.ledger() as ledger:
        scope = ledger.bound_scope()
        assert scope is not None
        assert ledger.quarantined(scope) == []


def test_what_the_source_no_longer_wants_is_retired_children_first(migration: World) -> None:
    gone = (RootVersion(True, 1, ((0, 1),), 0), RootVersion(False, 1, (), 0))
    tenant = Tenant(dict.fromkeys(range(1, 4), gone), migration.maps)
    load(migration, tenant)
    load(migration, tenant, 2)
    assert migration.alive() == {**dict.fromkeys(ENTITIES, 0), "persons": 3}
    assert migration.verify(tenant, list(tenant.roots), 2).differences == []


def test_what_holds_peoples_work_is_not_retired_and_is_listed(migration: World) -> None:
    """Whatever field they edited, whatever they hung on it, and where lists do not show it any more."""
    gone = (RootVersion(True, 1, ((0, 0),), 0), RootVersion(False, 1, (), 0))
    tenant = Tenant(dict.fromkeys(range(1, 10), gone), migration.maps)
    load(migration, tenant)
    deals = {n: record_of(migration, "deals", f"job:{n}00/deal") for n in tenant.roots}
    orgs = {n: int(deal["org_id"]) for n, deal in deals.items()}

    def edit(entity: str, number: int = 0, action: str = "edit", **changes: Any) -> int:
        body = {"entity": entity, "id": number, "action": action, "changes": changes}
        return int(migration.control("edit", body)["id"])

    edit("deals", deals[1]["id"], title="We like it")
    edit("deals", deals[2]["id"], expected_close_date="2026-07-01")  # no field of the map
    edit("organizations", orgs[3], website="https://example.com")
    edit("deals", deals[4]["id"], title="We like it", is_archived=True)
    note = edit("notes", action="create", deal_id=deals[5]["id"], content="Call back")
    edit("deals", edit("deals", action="create", title="Mine", org_id=orgs[6]), is_archived=True)
    edit("files", action="create", org_id=orgs[7], name="plan.pdf")
    lead = {"title": "Their lead", "organization_id": orgs[8], "person_id": None}
    migration.control("edit", {"entity": "leads", "action": "create", "changes": lead})
    load(migration, tenant, 2)
    assert [n for n in deals if stands(migration, "deals", deals[n]["id"])] == [1, 2, 4, 5]
    kept = [n for n in orgs if stands(migration, "organizations", orgs[n])]
    assert kept == [1, 2, 3, 4, 5, 6, 7, 8], "what they hang on stays, too"
    with migration.ledger() as ledger:
        scope = ledger.bound_scope()
        assert scope is not None
        listed = {(e.source_key, e.field): e.theirs for e in ledger.kept_edits(scope)}
    assert listed["job:200/deal", "expected_close_date"] == "2026-07-01"
    assert listed["job:400/deal", "is_archived"] == "yes"
    assert listed["job:500/deal", "what hangs on it"] == "notes: 1"
    assert listed["customer:6/organization", "what hangs on it"] == "deals: 1"
    assert listed["customer:7/organization", "what hangs on it"] == "files: 1"
    assert listed["customer:8/organization", "what hangs on it"] == "leads: 1"
    found = migration.verify(tenant, list(tenant.roots), 2)
    assert {d.verdict for d in found.differences} <= {"kept"}
    with migration.ledger() as ledger:
        assert listed == {(e.source_key, e.field): e.theirs for e in ledger.kept_edits(scope)}
    # Once their work is gone, so is the record, and what was told of it.
    migration.control("edit", {"entity": "notes", "id": note, "action": "delete"})
    load(migration, tenant, 3)
    assert not stands(migration, "deals", deals[5]["id"]) and not stands(migration, "organizations", orgs[5])
    with migration.ledger() as ledger:
        del listed["job:500/deal", "what hangs on it"]
        assert listed == {(e.source_key, e.field): e.theirs for e in ledger.kept_edits(scope)}


def stands(world: World, entity: str, number: int) -> bool:
    (found,) = (r for r in world.control("dump")["entities"][entity] if r["id"] == number)
    return not found.get("is_deleted")


@pytest.mark.parametrize("singly", [True, False])
def test_an_archived_deal_stays_as_it_is_and_stops_nothing(
    migration: World, monkeypatch: pytest.MonkeyPatch, singly: bool
) -> None:
    """Pipedrive takes no change of it, and no list of all deals shows it."""
    monkeypatch.setattr(conflicts, "price", lambda verb, _entity: 100 if (verb == "list") is singly else 0)
    tenant = tenant_of(migration, 0, 2, 4, roots=3)
    load(migration, tenant)
    for n, changes in ((1, {}), (2, {"title": "Done with it"})):
        deal = record_of(migration, "deals", f"job:{n}00/deal")
        changes = {**changes, "is_archived": True}
        migration.control("clock", {"advance": 2})
        migration.control("edit", {"entity": "deals", "id": deal["id"], "changes": changes})
    report = load(migration, tenant, 2)["deals"]
    assert (report.updated, report.kept, report.quarantined) == (1, 2, [])
    found = migration.verify(tenant, list(tenant.roots), 2)
    assert {(d.source_key, d.verdict) for d in found.differences} == {
        (f"job:{n}00/deal", "kept") for n in (1, 2)
    }
    with migration.ledger() as ledger:
        scope = ledger.bound_scope()
        assert scope is not None
        listed = {(e.source_key, e.field): e.theirs for e in ledger.kept_edits(scope)}
    assert listed == {
        ("job:100/deal", "is_archived"): "yes",
        ("job:200/deal", "is_archived"): "yes",
        ("job:200/deal", "title"): "Done with it",
    }
    # Archived between our look and our write: refused alone, however many they are.
    monkeypatch.setattr(conflicts, "ARCHIVED", "")
    monkeypatch.setattr(window, "SAME_REFUSALS", 2)
    assert len(load(migration, tenant, 3)["deals"].quarantined) == 2


def test_one_records_own_refusal_teaches_nothing_of_the_account_and_stops_nothing(migration: World) -> None:
    """Its person was deleted there: the first deal of all is refused with and without what it was to try."""
    bare, full = RootVersion(False, 1, (), 0), RootVersion(False, 1, ((0, 0),), 0)
    tenant = Tenant({1: (bare, full)}, migration.maps)
    load(migration, tenant)
    person = record_of(migration, "persons", "customer:1/person")["id"]
    migration.control("edit", {"entity": "persons", "id": person, "action": "delete"})
    (aside,) = load(migration, tenant, 2)["deals"].quarantined
    assert (aside.source_key, aside.reason) == ("job:100/deal", "rejected")
    with migration.ledger() as ledger:
        assert ledger.capabilities(account(ledger)) == {}


@pytest.mark.promise("R028")
@pytest.mark.parametrize("granted", [False, True])
def test_a_capability_is_learnt_from_the_first_record_that_needs_it(migration: World, granted: bool) -> None:
    """R028: no test record is made; a refused add_time is left out, a refused won_time follows in a second request."""
    migration.control("capabilities", {"deal_add_time": granted, "won_with_time": granted})
    tenant = tenant_of(migration, 0, status=2)
    report = load(migration, tenant)["deals"]
    assert report.created == 4
    with migration.ledger() as ledger:
        assert ledger.capabilities(account(ledger)) == {
            "deal_add_time": granted,
            "close_times_with_status": granted,
        }
        outcomes = ledger.operation_counts(account(ledger))
    assert outcomes["create", "deals", "done"][0] == 4
    assert outcomes.get(("create", "deals", "rejected"), (0, 0))[0] == (0 if granted else 2)
    # The probe of one capability does not yet know the other: its closing time follows in any case.
    assert outcomes["update", "deals", "done"][0] == (1 if granted else 4)
    deal = record_of(migration, "deals", "job:100/deal")
    assert deal["won_time"].startswith("2024-05-01")
    assert deal["add_time"].startswith("2021-06-07") is granted
    assert migration.verify(tenant, list(tenant.roots), 1).differences == []


def test_two_records_with_the_stamp_of_an_open_intent_are_left_to_people(migration: World) -> None:
    tenant = tenant_of(migration, 0, roots=1)
    migration.control(
        "faults", {"kind": "lost_after_commit", "entity": "organizations", "method": "POST", "nth": [1]}
    )

    def twin(name: str) -> None:
        if name == "request_sending" and not made:
            made.append(name)
            with migration.ledger() as ledger:
                objects = ledger.schema_objects(account(ledger))
            code = next(o.code for o in objects if (o.entity, o.name) == ("organizations", "Source_Key__c"))
            changes = {"name": "Twin", "custom_fields": {code: "customer:1/organization"}}
            migration.control("edit", {"entity": "organizations", "action": "create", "changes": changes})

    made: list[str] = []
    report = load(migration, tenant, crash=twin)["organizations"]
    migration.control("faults", {"clear": True})
    assert [q.reason for q in report.quarantined] == ["ambiguous"]
    assert migration.alive()["organizations"] == 2
    assert [q.reason for q in load(migration, tenant)["organizations"].quarantined] == ["ambiguous"]
    again = load(migration, tenant, retry_quarantined=True)["organizations"]
    assert [q.reason for q in again.quarantined] == ["ambiguous"]
    assert migration.alive()["organizations"] == 2, "a third one helps nobody"
    (twin_id,) = (
        r["id"] for r in migration.control("dump")["entities"]["organizations"] if r["name"] == "Twin"
    )
    migration.control("edit", {"entity": "organizations", "id": twin_id, "action": "delete"})
    load(migration, tenant, retry_quarantined=True)
    assert migration.alive()["organizations"] == 1
    assert migration.verify(tenant, list(tenant.roots), 1).differences == []


def test_a_commit_later_than_the_grace_is_named_by_the_stray_sweep(migration: World) -> None:
    hasty = replace(migration, access=replace(migration.access, request_timeout=0.3, lease_seconds=5))
    tenant = tenant_of(migration, 0, roots=2)
    fault = {"kind": "hold_commit", "seconds": 2.5, "entity": "organizations", "method": "POST", "nth": [1]}
    migration.control("faults", fault)
    load(hasty, tenant)
    migration.control("faults", {"clear": True})
    time.sleep(2.5)
    verdicts = migration.verify(tenant, list(tenant.roots), 1)
    assert [(d.entity, d.verdict) for d in verdicts.differences] == [("organizations", "extra")]
