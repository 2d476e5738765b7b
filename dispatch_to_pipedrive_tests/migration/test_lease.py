"""Who may write, and what an overtaken process may still do: nothing."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from dispatch_to_pipedrive.migration.errors import GateClosed, LeaseHeld, LeaseLost
from dispatch_to_pipedrive.migration.lease import acquire
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.migration.values import OwnerRow
from dispatch_to_pipedrive_tests.migration.tenants import RootVersion, Tenant
from dispatch_to_pipedrive_tests.migration.world import World, fresh_ledger

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")


def test_one_holder_at_a_time_and_the_other_is_told_for_whom_it_waits(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    with acquire(ledger, "1", purpose="load of wave-0001", seconds=5) as first:
        with pytest.raises(LeaseHeld, match="load of wave-0001"):
            acquire(ledger, "1", purpose="another", seconds=5, wait=False)
        threading.Timer(0.4, first.__exit__, (None, None, None)).start()
        with acquire(ledger, "1", purpose="another", seconds=5) as second:
            assert second.fence == first.fence + 1
    assert "waiting for the lease of account 1, held by load of wave-0001" in caplog.text


def test_a_lease_outlives_its_heartbeats_and_runs_out_without_them(ledger: Ledger) -> None:
    with acquire(ledger, "1", purpose="a", seconds=0.6) as lease:
        time.sleep(1.0)
        lease.assert_outlives(0.2)
        ledger.take_lease("1", replace(ledger.lease_holder("1"), owner="thief"), 5, lambda holder: True)  # type: ignore[type-var]
        time.sleep(0.3)
        with pytest.raises(LeaseLost):
            lease.assert_outlives(0.0)


def test_the_ledger_refuses_what_bears_an_old_fence(ledger: Ledger) -> None:
    scope = Scope("1", "t")
    with acquire(ledger, "1", purpose="a", seconds=5) as lease:
        old = lease.fence
    with acquire(ledger, "1", purpose="b", seconds=5) as lease, pytest.raises(LeaseLost):
        ledger.record(scope, old, capabilities={"x": True})
    assert ledger.capabilities("1") == {}


def test_a_milestone_is_refused_to_who_was_overtaken_and_where_something_happened_since_it_was_decided(
    ledger: Ledger,
) -> None:
    with acquire(ledger, "1", purpose="a", seconds=5) as lease:
        old = lease.fence
    with acquire(ledger, "1", purpose="b", seconds=5) as lease:
        with pytest.raises(LeaseLost):
            ledger.mark("1", "signed_off", "Ada", fence=old)
        seen = ledger.position("1")
        ledger.mark("1", "paused", "Bob")
        with pytest.raises(GateClosed, match="signed_off: something was written or decided meanwhile"):
            ledger.mark("1", "signed_off", "Ada", fence=lease.fence, seen=seen)
        ledger.mark("2", "paused", "Bob")  # another account's
        ledger.mark("1", "resumed", "Ada", fence=lease.fence, seen=(0, 1, 0))
    assert [one.name for one in ledger.milestones("1")] == ["paused", "resumed"]


def test_the_lease_of_a_dead_process_is_free_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    code = (
        "import os, sys; from dispatch_to_pipedrive.migration.lease import acquire;"
        "from dispatch_to_pipedrive.migration.ledger import Ledger;"
        f"acquire(Ledger({url!r}), '1', purpose='doomed', seconds=600).__enter__(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    started = time.monotonic()
    with acquire(Ledger(url), "1", purpose="heir", seconds=5) as lease:
        assert lease.fence == 2
    assert time.monotonic() - started < 60


def test_owners_are_kept_per_account(ledger: Ledger) -> None:
    ledger.save_owners("1", [OwnerRow(601, "Ann", "ann@example.com", 7, "matched")])
    ledger.save_owners("2", [OwnerRow(602, "Bob", "", None, "unmatched")])
    assert [o.technician_id for o in ledger.owners("1")] == [601]


VICTIM = """
import sys
from pathlib import Path
from dispatch_to_pipedrive.migration.errors import LeaseLost
from dispatch_to_pipedrive_tests.migration import test_lease
from dispatch_to_pipedrive_tests.migration.world import World, AccountAccess, load_maps, MAPPINGS
url, token, ledger, folder = sys.argv[1:]
world = World(test_lease.hasty(url, token), ledger, load_maps(MAPPINGS), Path(folder))
tenant = test_lease.tenant(world)
print("loading", flush=True)
try:
    world.load(tenant, list(tenant.roots), 1)
except LeaseLost:
    sys.exit(42)
"""


def hasty(url: str, token: str) -> object:
    """Access with a lease and a grace of about a second."""
    from dispatch_to_pipedrive.migration.session import AccountAccess

    return AccountAccess(url, token, "1", "unlimited", 1, 0, 0.5, 1.5, 1.0, 4)


def tenant(world: World) -> Tenant:
    return Tenant({r: (RootVersion(True, 1, ((0, 1), (2, 1)), 0),) for r in range(1, 31)}, world.maps)


def stop_outside_of_a_commit(pid: int, ledger: Path) -> None:
    """Stop a process; in the middle of a commit it would keep the ledger file's lock, so let it finish that."""
    with sqlite3.connect(ledger, timeout=0.2, isolation_level=None) as file:
        while True:
            os.kill(pid, signal.SIGSTOP)
            os.waitpid(pid, os.WUNTRACED)  # until all its threads stand still
            try:
                file.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                os.kill(pid, signal.SIGCONT)
                time.sleep(0.01)
            else:
                file.execute("ROLLBACK")
                return


def test_a_process_stopped_and_overtaken_sends_nothing_when_it_wakes(world: World, tmp_path: Path) -> None:
    world.reset()
    mine = fresh_ledger(world)
    world.control("faults", {"kind": "latency", "seconds": 0.05})
    access = hasty(world.access.api_url, world.access.api_token)
    heir = replace(mine, access=access)  # type: ignore[arg-type]
    with heir.ledger():
        pass  # its tables stand before anybody else writes
    arguments = [world.access.api_url, world.access.api_token, mine.ledger_url, str(tmp_path)]
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert victim.stdout is not None and victim.stdout.readline() == b"loading\n"
        before = world.control("stats")["writes"]
        while world.control("stats")["writes"] < before + 20:
            time.sleep(0.01)
        stop_outside_of_a_commit(victim.pid, tmp_path / "ledger.db")
        heir.load(tenant(heir), list(tenant(heir).roots), 1)
        writes = world.control("stats")["writes"]
        os.kill(victim.pid, signal.SIGCONT)
        assert victim.wait(30) == 42
    finally:
        victim.kill()
        victim.wait()
    world.control("faults", {"clear": True})
    assert world.control("stats")["writes"] == writes
    assert heir.verify(tenant(heir), list(tenant(heir).roots), 1).differences == []
