"""Somebody pauses while a load is running: what was begun is finished, nothing else is sent, and it goes on later."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from dispatch_to_pipedrive.migration import session as sessions
from dispatch_to_pipedrive.migration import window
from dispatch_to_pipedrive.migration.errors import GateClosed, Interrupted, Paused
from dispatch_to_pipedrive.migration.lifecycle import require_may_mark, require_may_write
from dispatch_to_pipedrive_tests.migration.tenants import RootVersion, Tenant
from dispatch_to_pipedrive_tests.migration.world import World, fresh_ledger

ROOTS = range(1, 13)


@pytest.mark.promise("R060", "R086")
def test_a_pause_in_the_middle_of_a_load_ends_it_at_the_next_group_and_resuming_loses_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "GROUP", 3)
    monkeypatch.setattr(sessions, "LOOK", 0.0)
    world.reset()
    migration = fresh_ledger(world)
    tenant = Tenant(dict.fromkeys(ROOTS, (RootVersion(True, 1, ((0, 1),), 0),)), migration.maps)
    with migration.ledger() as ledger:
        scope = ledger.bound_scope()
        assert scope is not None
        groups = 0

        def pause_after_two_groups(point: str) -> None:
            nonlocal groups
            groups += point == "intents_committed"
            if point == "intents_committed" and groups == 2:
                ledger.mark(scope.account, "paused", "Ada")

        with pytest.raises(Paused, match=r"paused by Ada .*`resume --as NAME`"):
            migration.load(tenant, list(ROOTS), 1, crash=pause_after_two_groups)
        assert groups == 2
        assert ledger.open_intents(scope.account) == []  # nothing is left in doubt
        made = migration.alive()
        assert 0 < made["organizations"] <= 6
        assert sum(made.values()) == made["organizations"]

        with pytest.raises(Paused):
            require_may_write(ledger, scope.account)
        ledger.mark(scope.account, "resumed", "Ada")
        require_may_write(ledger, scope.account)
        migration.load(tenant, list(ROOTS), 1)
        assert migration.alive()["organizations"] == len(ROOTS)
        assert migration.verify(tenant, list(ROOTS), 1).differences == []
        assert ledger.broken_chain_at() is None


async def test_an_interrupt_while_a_session_closes_is_heeded_too(world: World) -> None:
    with fresh_ledger(world).ledger() as ledger, pytest.raises(Interrupted):
        async with sessions.writing(ledger, world.access, purpose="a test"):
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0.05)  # the work is done by then


def test_what_makes_no_sense_now_is_refused_with_what_to_do(world: World) -> None:
    migration = fresh_ledger(world)

    def refused(name: str) -> str:
        with migration.ledger() as ledger:
            scope = ledger.bound_scope()
            assert scope is not None
            try:
                require_may_mark(ledger, scope.account, name)
            except GateClosed as closed:
                return str(closed)
            ledger.mark(scope.account, name, "Ada")
        return ""

    assert "not paused" in refused("resumed")
    assert "not signed off" in refused("reopened")
    assert refused("paused") == ""
    assert "`resume --as NAME`" in refused("paused")
    assert "`resume --as NAME`" in refused("signed_off")
    assert refused("resumed") == refused("rollback_begun") == ""
    assert "run `rollback` again" in refused("signed_off")
    assert "run `rollback` again" in refused("frozen")
    assert refused("rollback_ended") == refused("signed_off") == ""
    for name in ("paused", "rollback_begun", "window_opened", "signed_off"):
        assert "`reopen --as NAME` lifts it" in refused(name)
    assert refused("reopened") == refused("window_opened") == ""
