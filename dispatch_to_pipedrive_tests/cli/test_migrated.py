"""A tenant was moved by one command: what stands in the account, what is said of it, what a second run does."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dispatch_to_pipedrive.migration.lease import Lease, acquire
from dispatch_to_pipedrive.migration.ledger import Ledger

from ..program import records, run, status
from .conftest import Migrated

ENTITIES = ("organizations", "persons", "deals", "activities", "files", "notes")


def verify(migrated: Migrated, file: Path) -> tuple[int, list[dict[str, Any]]]:
    ended = run(migrated.settings, "verify", "--json", str(file))
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.returncode, json.loads(file.read_text())


def test_every_record_that_the_source_asks_for_is_there_once(migrated: Migrated) -> None:
    found = status(migrated.settings)
    assert found["state"] == "verified"
    there = records(migrated.sandbox)
    for entity in ENTITIES:
        totals = found["totals"][entity]
        assert totals["source"] == totals["created"] == len(there[entity]) > 0
        assert totals["quarantined"] == 0
    assert found["quarantined"] == []
    assert found["in_doubt"] == 0
    assert found["lease"] is None


def test_status_knows_batches_tokens_and_who_approved(migrated: Migrated) -> None:
    found = status(migrated.settings)
    kinds = Counter(batch["kind"] for batch in found["batches"])
    assert kinds["sample"] == 1
    assert kinds["wave"] >= 2
    assert {batch["state"] for batch in found["batches"]} == {"reconciled"}
    approved = [(one["subject"], one["name"]) for one in found["approvals"]]
    assert approved == [("map", "Ada Lovelace"), ("sample", "Ada Lovelace")]
    assert [(sign["stage"], sign["name"]) for sign in found["sign_offs"]][-1] == ("full", "Ada Lovelace")
    written = sum(batch["tokens_spent"] for batch in found["batches"])
    assert written == found["floor"]
    assert found["fields_verified"] > 300
    assert found["chain_head"]


def test_status_and_the_summary_are_readable(migrated: Migrated) -> None:
    told = run(migrated.settings, "status")
    assert told.returncode == 0
    assert "state: verified" in told.stdout
    assert "Ada Lovelace" in told.stdout
    assert "wave-0001" in told.stdout
    assert "differences: 0" in migrated.said
    assert "the floor of" in migrated.said


@pytest.mark.promise("R019", "R021")
def test_verify_passes_on_a_clean_account(migrated: Migrated, tmp_path: Path) -> None:
    assert verify(migrated, tmp_path / "differences.json") == (0, [])


def test_the_jobs_ran_on_the_instance_that_the_ui_opens(
    migrated: Migrated, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in migrated.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DAGSTER_HOME", str(migrated.home / "dagster"))
    with dg.DagsterInstance.get() as instance:
        runs = [r for r in instance.get_runs() if r.tags.get("dispatch/approved_by") == "Ada Lovelace"]
        assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}
        assert {run.job_name for run in runs} == {
            "advance_source",
            "plan_batches",
            "assess",
            "confirm_map",
            "prepare",
            "load",
            "reconcile",
            "approve_sample",
        }
        event = instance.get_latest_materialization_event(dg.AssetKey(["pipedrive", "deals"]))
    assert event is not None
    assert event.asset_materialization is not None
    metadata = event.asset_materialization.metadata
    assert {"dagster/row_count", "created", "equal", "tokens", "quarantined", "chain_head"} <= set(metadata)


def test_who_holds_the_lease_is_told_to_those_who_will_not_wait(migrated: Migrated) -> None:
    ledger = Ledger(f"sqlite:///{migrated.home / 'ledger.db'}")
    scope = ledger.bound_scope()
    assert scope is not None
    lease: Lease
    with acquire(ledger, scope.account, purpose="holding it for a test", seconds=30) as lease:
        assert lease.fence
        ended = run(migrated.settings, "migrate", "--through", "sample", "--no-wait")
        assert status(migrated.settings)["lease"]["purpose"] == "holding it for a test"
    ledger.close()
    assert ended.returncode == 3
    assert "holding it for a test" in ended.stderr
    assert "Traceback" not in ended.stderr
