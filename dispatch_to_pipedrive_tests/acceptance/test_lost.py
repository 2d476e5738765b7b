"""Answers that are lost after the vendor has carried the write out lead to no duplicate and no loss."""

from collections.abc import Callable

import pytest

from dispatch_to_pipedrive_tests.acceptance.accounts import comparable, stamps
from dispatch_to_pipedrive_tests.acceptance.world import Migrated, Migration

LOST = {"kind": "lost_after_commit", "method": "POST|PUT|PATCH|DELETE", "rate": 0.05}
RECORDS = {**LOST, "path": "/(organizations|persons|deals|activities)(/|$)", "seed": 5}
SCHEMA = {**LOST, "path": "(Fields|pipelines|stages)", "seed": 2}


@pytest.mark.promise("R029")
@pytest.mark.soak
def test_five_in_a_hundred_answers_lost(migrated: Migrated, migration: Callable[..., Migration]) -> None:
    """R029: of all writes, those of the schema too."""
    unlucky = migration()
    unlucky.account("faults", {"rules": [RECORDS, SCHEMA]})
    ended = unlucky.sample()
    assert ended.code == 0, ended.said
    records, schema = unlucky.account("faults")["rules"]
    assert records["struck"] >= 3
    assert schema["struck"] >= 1
    unlucky.account("faults", {"clear": True})

    dump = unlucky.account("dump")
    assert stamps(dump) == stamps(migrated.dump)
    assert comparable(dump) == comparable(migrated.dump)
    ended = unlucky.run("verify")
    assert ended.code == 0, ended.said
