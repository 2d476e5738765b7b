"""What the UI shows and decides about the migration as a whole: jobs of one decision, and a check that turns red."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from dispatch_to_pipedrive.migration.lease import acquire
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.migration.values import Intent, Manifest, Outcome
from dispatch_to_pipedrive.orchestration.assets.state import migration_state, nothing_is_wrong
from dispatch_to_pipedrive.orchestration.lifecycle import STATE, pause, reopen, resume
from dispatch_to_pipedrive.orchestration.resources import Migration
from dispatch_to_pipedrive.orchestration.sensors import tell_state_changes
from dispatch_to_pipedrive.orchestration.sign_off import sign_off_job
from dispatch_to_pipedrive.settings import Settings

SCOPE = Scope("7", "42")
INTENT = Intent("create", "deals", "job:1/deal", None, {}, None, 1, 1, "wave-0001", "run", "2026", None)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """The ledger of the migration that the environment names."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("MIGRATION_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.bind(SCOPE, "Company")
    ledger.plan([Manifest("wave-0001", "wave", 0, 1, (1,), 1, 5)])
    yield ledger
    ledger.close()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(job: dg.JobDefinition, instance: dg.DagsterInstance, step: str, **config: Any) -> bool:
    return job.execute_in_process(
        instance=instance,
        resources={"migration": Migration()},
        run_config={**QUIET, "ops": {step: {"config": config}}},
        raise_on_error=False,
    ).success


def shown(instance: dg.DagsterInstance) -> Any:
    event = instance.get_latest_materialization_event(dg.AssetKey(STATE))
    assert event is not None and event.asset_materialization is not None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def checked(instance: dg.DagsterInstance) -> dg.AssetCheckEvaluation:
    result = dg.materialize(
        [migration_state, nothing_is_wrong],
        instance=instance,
        resources={"migration": Migration()},
        run_config=QUIET,
        raise_on_error=False,
    )
    assert result.success
    (found,) = result.get_asset_check_evaluations()
    return found


def test_each_decision_is_a_job_and_shows_at_once(ledger: Ledger, instance: dg.DagsterInstance) -> None:
    assert run(pause, instance, "pause_migration", by="Ada [x](javascript:alert)")
    found = shown(instance)
    assert (found["state"], found["paused"]) == ("not started", True)
    assert "\\[x\\]\\(javascript:alert\\)" in found["in_force"]
    assert not run(pause, instance, "pause_migration", by="Bob"), "it is paused already"
    assert not run(resume, instance, "resume_migration", by=" "), "a name is needed"
    assert run(resume, instance, "resume_migration", by="Ada")
    assert not shown(instance)["paused"]
    assert not run(reopen, instance, "reopen_migration", by="Ada"), "nothing is signed off"
    assert not run(sign_off_job, instance, "sign_the_migration_off", by="Ada"), "gates are closed"
    assert [one.name for one in ledger.milestones("7")] == ["paused", "resumed"]


def test_what_was_decided_in_the_shell_shows_once(ledger: Ledger, instance: dg.DagsterInstance) -> None:
    def told(cursor: str | None) -> dg.SensorResult | dg.SkipReason:
        with dg.build_sensor_context(
            instance=instance, cursor=cursor, resources={"migration": Migration()}
        ) as context:
            found = tell_state_changes(context)
        assert isinstance(found, dg.SensorResult | dg.SkipReason)
        return found

    first = told(None)
    assert isinstance(first, dg.SensorResult)
    assert isinstance(told(first.cursor), dg.SkipReason)
    ledger.mark("7", "paused", "Ada")
    then = told(first.cursor)
    assert isinstance(then, dg.SensorResult)
    (event,) = then.asset_events
    assert event.metadata["paused"].value is True
    assert isinstance(told(then.cursor), dg.SkipReason)


def test_the_state_turns_red_with_what_is_wrong(ledger: Ledger, instance: dg.DagsterInstance) -> None:
    assert checked(instance).passed
    with acquire(ledger, "7", purpose="test", seconds=60) as lease:
        (intent,), _ = ledger.record(SCOPE, lease.fence, intents=[INTENT])
        assert checked(instance).passed, "whoever holds the lease has requests under way"
    doubtful = checked(instance)
    assert not doubtful.passed
    assert "1 requests are without an outcome" in str(doubtful.description)
    assert shown(instance)["in_doubt"] == 1
    with acquire(ledger, "7", purpose="test", seconds=60) as lease:
        ledger.record(SCOPE, lease.fence, outcomes=[Outcome(replace(intent), "done", 5, 9, {"id": 9})])
    ledger.report_batch("7", "wave-0001", "reconciliation", "run", {"blocking": 2, "fields": 3})
    assert "wave-0001 differs" in str(checked(instance).description)
    ledger.report_batch("7", "wave-0001", "reconciliation", "run", {"blocking": 0, "fields": 3})
    assert checked(instance).passed


@pytest.mark.promise("R086")
def test_a_log_that_somebody_changed_turns_the_check_red(
    ledger: Ledger, instance: dg.DagsterInstance
) -> None:
    with acquire(ledger, "7", purpose="test", seconds=60) as lease:
        intents, _ = ledger.record(SCOPE, lease.fence, intents=[INTENT])
        ledger.record(SCOPE, lease.fence, outcomes=[Outcome(intents[0], "done", 5, 9, {"id": 9})])
    assert checked(instance).passed
    with ledger._write() as conn:
        conn.execute(sa.text("update operation set pipedrive_id = 10 where event = 'outcome'"))
    found = checked(instance)
    assert not found.passed
    assert "commit 2 of the chain does not fit" in str(found.description)
