"""Each write is an intent and an outcome, counted where it is sent and where it is logged, in a chain of hashes."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from dispatch_to_pipedrive.migration.errors import WrongRecord
from dispatch_to_pipedrive.migration.history import history
from dispatch_to_pipedrive.migration.ledger import tables as t
from dispatch_to_pipedrive.migration.session import writing
from dispatch_to_pipedrive.orchestration.ending import code_of
from dispatch_to_pipedrive.reports.history import story
from dispatch_to_pipedrive_tests.migration.tenants import RootVersion, Tenant
from dispatch_to_pipedrive_tests.migration.world import Crash, World, fresh_ledger


@pytest.fixture
def migration(world: World, tmp_path: Path) -> Iterator[World]:
    """A fresh account with its schema, and a ledger that knows it."""
    world.reset()
    yield fresh_ledger(world)
    world.reset()


def tenant_of(world: World) -> Tenant:
    versions = (RootVersion(True, 1, ((2, 1),), 0, 1, 1), RootVersion(True, 1, ((2, 1),), 3))
    return Tenant(dict.fromkeys(range(1, 5), versions), world.maps)


@pytest.mark.promise("R086")
def test_the_log_has_as_many_entries_as_the_account_accepted_writes(migration: World) -> None:
    tenant = tenant_of(migration)
    migration.control("stats/reset", {})
    with migration.ledger() as ledger:
        account = getattr(ledger.bound_scope(), "account", "")
        before = {one.run for one in ledger.counts(account)}
    migration.load(tenant, [1, 2, 3, 4], 1)
    fault = {"kind": "lost_after_commit", "entity": "persons", "method": "PATCH", "nth": [2]}
    migration.control("faults", fault)
    migration.load(tenant, [1, 2, 3, 4], 2)
    migration.control("faults", {"clear": True})
    with migration.ledger() as ledger:
        counts = [one for one in ledger.counts(account) if one.run not in before]
        settled = sum(
            number
            for (_, _, status), (number, _) in ledger.operation_counts(account).items()
            if status == "settled"
        )
    assert all(one.agrees and one.whole for one in counts)
    assert settled == 1, "whose answer was lost was accepted, too: nobody could count it"
    assert sum(one.counted for one in counts) + settled == migration.control("stats")["writes"]


def test_of_a_killed_run_the_log_may_say_more_and_never_less(migration: World) -> None:
    tenant = tenant_of(migration)

    def dies(name: str) -> None:
        if name == "outcomes_committed":
            raise Crash(name)

    with pytest.raises(Crash):
        migration.load(tenant, [1, 2, 3, 4], 1, crash=dies)
    migration.load(tenant, [1, 2, 3, 4], 1)
    with migration.ledger() as ledger:
        scope = ledger.bound_scope()
        assert scope is not None
        counts = ledger.counts(scope.account)
    assert all(one.agrees for one in counts)
    assert not all(one.whole for one in counts)


def test_a_write_past_the_log_and_a_bent_log_are_found(migration: World) -> None:
    tenant = tenant_of(migration)
    migration.load(tenant, [1], 1)

    async def sneak(run: str) -> None:
        with migration.ledger() as ledger:
            async with writing(ledger, migration.access, purpose="sneak", run=run) as session:
                await session.client.create("organizations", {"name": "Nobody logged me"})

    run = uuid.uuid4().hex
    asyncio.run(sneak(run))
    with migration.ledger() as ledger:
        scope = ledger.bound_scope()
        assert scope is not None
        assert [
            (one.run, one.counted, one.logged) for one in ledger.counts(scope.account) if not one.agrees
        ] == [(run, 1, 0)]
        first = ledger.first_commit(scope.account, "wave-0001")
        assert first is not None and first > 1
        assert ledger.broken_chain_at() is None and ledger.broken_chain_at(first) is None
        assert ledger.first_commit(scope.account, "wave-0099") is None
        with ledger._write() as conn:
            last = t.operation.c.number == conn.exec_driver_sql("SELECT max(number) FROM operation").scalar()
            conn.execute(t.operation.update().where(last).values(words="bent"))
        assert ledger.broken_chain_at(first) == ledger.broken_chain_at() is not None


@pytest.mark.promise("R086")
def test_the_history_of_a_record_is_found_by_either_sides_id(migration: World) -> None:
    tenant = tenant_of(migration)
    migration.load(tenant, [1, 2], 1)
    migration.load(tenant, [1, 2], 2, batch="delta-0001")
    with migration.ledger() as ledger:
        scope = ledger.bound_scope()
        assert scope is not None
        ledger.approve(scope.account, "map", "ab" * 32, name="Ann")
        number = ledger.links(scope, "deals", ["job:200/deal"])["job:200/deal"].pipedrive_id
        by_key = history(ledger, scope, "job:200/deal").as_json()
        assert by_key == {**history(ledger, scope, f"deal {number}").as_json(), "asked": "job:200/deal"}
        assert by_key == {**history(ledger, scope, f"deals/{number}").as_json(), "asked": "job:200/deal"}
        assert by_key["operations"][0]["words"], (
            "why it was refused at first: the account takes no such value"
        )
        by_key["operations"] = [one for one in by_key["operations"] if one["status"] == "done"]
        told = [(one["verb"], one["status"], one["batch"]) for one in by_key["operations"]]
        assert told[0] == ("create", "done", "wave-0001") and told[-1] == ("update", "done", "delta-0001")
        changes = {one["field"]: one for done in by_key["operations"][1:] for one in done["changes"]}
        assert (changes["title"]["old"], changes["title"]["new"]) == ("Job 200 v0", "Job 200 v3")
        created = {one["field"]: one["new"] for one in by_key["operations"][0]["changes"]}
        assert created["Source_Key__c"] == "job:200/deal", "by its logical name"
        assert created["stage_id"] == "Completed", "by its name"
        assert all(one["run"] and one["at"] for one in by_key["operations"])
        assert [one["name"] for one in by_key["approvals"]] == ["Ann"]
        customer = history(ledger, scope, "customer 1")
        assert {link.source_key for link in customer.links} == {
            "customer:1/organization",
            "customer:1/person",
        }
        console = Console(width=160)
        with console.capture() as capture:
            console.print(story(by_key))
        assert "title: Job 200 v0 → Job 200 v3" in capture.get()
        for unknown in (
            *("job:999/deal", "customer 999", "deals/999999", f"deal {10**19}"),
            *("what is this?", "job:200/planet"),
        ):
            with pytest.raises(WrongRecord):
                history(ledger, scope, unknown)
    assert code_of(WrongRecord("")) == 2
