"""A record that the vendor refuses is set aside with the vendor's words, and what hangs on it waits with it."""

import json
from collections.abc import Callable

import pytest

from dispatch_to_pipedrive_tests.acceptance.accounts import comparable
from dispatch_to_pipedrive_tests.acceptance.world import Migrated, Migration

WORDS = "Validation failed: phones: Phone was refused today"
REFUSAL = {
    "kind": "status",
    "method": "POST",
    "path": "/api/v2/persons$",
    "nth": [1],
    "status": 400,
    "body": {"success": False, "error": WORDS, "code": "ERR_SCHEMA_VALIDATION_FAILED"},
}


@pytest.mark.soak
def test_refused_records_are_set_aside_listed_and_healed(
    migrated: Migrated, migration: Callable[..., Migration]
) -> None:
    fussy = migration()
    fussy.account("faults", REFUSAL)
    ended = fussy.sample()
    assert ended.code == 1, ended.said
    assert "set aside" in ended.said
    assert "Traceback" not in ended.said

    aside = json.loads(fussy.run("status", "--json").said)["quarantined"]
    refused = [q for q in aside if q["reason"] == "rejected"]
    held = [q for q in aside if q["reason"] == "held"]
    assert len(refused) == 1
    assert refused[0]["entity"] == "persons"
    assert refused[0]["words"] == WORDS
    assert len(refused) + len(held) == len(aside)
    assert held, "the person's deals and visits wait with it"
    told = fussy.run("status").said
    assert all(q["source_key"] in told for q in [*refused, *held][:20])
    assert WORDS in told

    ended = fussy.run("verify")
    assert ended.code == 1, ended.said
    ended = fussy.sample("--retry-quarantined")
    assert ended.code == 0, ended.said
    assert comparable(fussy.account("dump")) == comparable(migrated.dump)
    assert json.loads(fussy.run("status", "--json").said)["quarantined"] == []
