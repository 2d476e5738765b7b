"""Two of the program at once: one writes, the other waits and says for whom."""

from collections.abc import Callable

import pytest

from dispatch_to_pipedrive_tests.acceptance.accounts import comparable, stamps
from dispatch_to_pipedrive_tests.acceptance.world import APPROVED, Migrated, Migration

SAMPLE = ("migrate", "--through", "sample", *APPROVED)
"""So small a tenant is its own sample."""


@pytest.mark.soak
def test_of_two_at_once_one_waits_and_nothing_is_done_twice(
    migrated: Migrated, migration: Callable[..., Migration]
) -> None:
    slow = migration(latency_ms=120)
    both = [slow.start(*SAMPLE), slow.start(*SAMPLE)]
    ended = [running.wait() for running in both]
    assert [one.code for one in ended] == [0, 0], "\n".join(one.said for one in ended)
    said = "".join(one.said for one in ended)
    assert "waiting for the lease of account" in said
    assert any(f"process {one.pid} on" in said for one in both)
    dump = slow.account("dump")
    assert stamps(dump) == stamps(migrated.dump)
    assert comparable(dump) == comparable(migrated.dump)
