"""A rehearsal account and the real one share a ledger and a tenant, and nothing of theirs mixes."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from dispatch_to_pipedrive.migration.errors import WrongAccount
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope, door_of
from dispatch_to_pipedrive.migration.lifecycle import standing
from dispatch_to_pipedrive.orchestration.homes import apart, frame_path, home_of
from dispatch_to_pipedrive.settings import Settings
from dispatch_to_pipedrive_tests.migration.tenants import RootVersion, Tenant
from dispatch_to_pipedrive_tests.migration.world import World, fresh_ledger, prepared
from dispatch_to_pipedrive_tests.sandbox_process import start_sandbox

ROOTS = [1, 2, 3]


@pytest.fixture(scope="module")
def accounts(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    """The rehearsal account and another one, on one ledger."""
    world.reset()
    rehearsal = fresh_ledger(world)
    with start_sandbox(customers=3, seed=8, no_limits=True, plan="premium") as sandbox:
        token = sandbox.env["PIPEDRIVE_API_TOKEN"]
        real = prepared(
            sandbox.pipedrive_url, token, tmp_path_factory.mktemp("real"), rehearsal.ledger_url, grace=0.05
        )
        yield rehearsal, real
    world.reset()


def scope_of(ledger: Ledger, world: World) -> Scope:
    scope = ledger.bound_scope(world.access.door)
    assert scope is not None
    return scope


def test_nothing_of_two_accounts_mixes(accounts: tuple[World, World]) -> None:
    rehearsal, real = accounts
    versions = tuple(RootVersion(True, 1, ((0, 1),), flavour, 1, 1) for flavour in (0, 2, 3))
    tenant = Tenant(dict.fromkeys(ROOTS, versions), rehearsal.maps)
    rehearsal.load(tenant, ROOTS, 1)
    rehearsal.load(tenant, ROOTS, 2)
    real.load(tenant, ROOTS, 1, batch="wave-0001")
    # People edit in the rehearsal, which is of no concern for the real one.
    with rehearsal.ledger() as ledger:
        one, other = scope_of(ledger, rehearsal), scope_of(ledger, real)
        assert one.account != other.account and one.tenant == other.tenant
        numbers = {
            scope.account: {
                entity: {link.pipedrive_id for link in ledger.links_of_roots(scope, entity, ROOTS).values()}
                for entity in ("organizations", "persons", "deals")
            }
            for scope in (one, other)
        }
        assert [
            ledger.links(scope, "deals", ["job:100/deal"])["job:100/deal"].generation
            for scope in (one, other)
        ] == [*(2, 1)]
        deal = ledger.links(one, "deals", ["job:100/deal"])["job:100/deal"].pipedrive_id
        ledger.mark(one.account, "paused", "Ann")
        assert standing(ledger.milestones(one.account)).pause is not None
        assert standing(ledger.milestones(other.account)).pause is None
        ledger.mark(one.account, "resumed", "Ann")
    rehearsal.control("clock", {"advance": 5})
    rehearsal.control("edit", {"entity": "deals", "id": deal, "changes": {"title": "Only a rehearsal"}})
    assert [d.verdict for d in rehearsal.verify(tenant, ROOTS, 2).differences] == ["kept"]
    assert real.verify(tenant, ROOTS, 1).differences == []
    real.load(tenant, ROOTS, 3, batch="delta-0001")
    rehearsal.load(tenant, ROOTS, 3, batch="delta-0001")
    assert real.verify(tenant, ROOTS, 3).differences == []
    assert {d.verdict for d in rehearsal.verify(tenant, ROOTS, 3).differences} == {"kept"}
    for world in accounts:
        before = world.control("stats")["writes"]
        world.load(tenant, ROOTS, 3)
        assert world.control("stats")["writes"] == before
    with rehearsal.ledger() as ledger:
        assert ledger.broken_chain_at() is None
        assert len(ledger.kept_edits(one)) == 1 and ledger.kept_edits(other) == []
        for world, scope in zip(accounts, (one, other), strict=True):
            assert ledger.capabilities(scope.account)
            assert all(count.agrees for count in ledger.counts(scope.account))
            spent = sum(ledger.tokens(scope.account).values())
            assert spent == world.control("stats")["tokens"], "tokens are the account's own"
            assert ledger.lease_holder(scope.account) is None
            dump = world.control("dump")["entities"]
            for entity, ids in numbers[scope.account].items():
                assert ids <= {record["id"] for record in dump[entity] if record}


def test_the_door_tells_which_account_is_meant_without_asking(
    accounts: tuple[World, World], tmp_path: Path
) -> None:
    rehearsal, real = accounts
    with rehearsal.ledger() as ledger:
        first, second = scope_of(ledger, rehearsal), scope_of(ledger, real)
        assert ledger.bound_scope() == second, "without a door it is the one that was met last"
        assert list(ledger.bound_accounts()) == [first.account, second.account]
        assert ledger.bound_scope(door_of(real.access.api_url, "a new token")) is None
        token = real.access.api_token
        assert token not in "".join(str(row) for row in rows_of(rehearsal.ledger_url))
        with pytest.raises(WrongAccount, match=r"belongs to Dispatch Pro tenant 1 .* name tenant 2"):
            ledger.bind(replace(first, tenant="2"), "Other")
    homes = {}
    for world, scope in ((rehearsal, first), (real, second)):
        settings = Settings(
            migration_home=tmp_path / "home",
            pipedrive_api_url=world.access.api_url,
            pipedrive_api_token=SecretStr(world.access.api_token),
        )
        opened = Ledger(rehearsal.ledger_url, world.access.door)
        assert opened.bound_scope() == scope
        homes[scope.account] = home_of(settings, opened)
        paths = {
            str(frame_path(settings, opened, asset, "wave-0001")) for asset in ("clearance", "normalized")
        }
        apart_too = {path for path in paths if f"/accounts/{scope.account}/" in path}
        assert len(apart_too) == (scope == second), "what comes from the source alone is shared"
        assert apart(opened) == (() if scope == first else ("accounts", second.account))
        opened.close()
    assert homes[first.account] == tmp_path / "home"
    assert homes[second.account] == tmp_path / "home" / "accounts" / second.account


def rows_of(url: str) -> list[bytes]:
    copy = Path(url.removeprefix("sqlite:///")).with_suffix(".copy")
    shutil.copy(url.removeprefix("sqlite:///"), copy)
    return [copy.read_bytes()]
