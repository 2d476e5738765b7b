"""Each write is an intent and an outcome, counted where it is sent and where it is logged, in a chain of hashes."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatch_to_pipedrive.migration.ledger import tables as t
from dispatch_to_pipedrive.migration.session import writing
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
