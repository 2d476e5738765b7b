"""A batch whose run ended for lack of tokens goes on by itself, once, when the account's next day has begun."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.tags import PARTITION_NAME_TAG

from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.migration.lifecycle import UNDONE
from dispatch_to_pipedrive.migration.values import Manifest
from dispatch_to_pipedrive.orchestration.budget_sensor import resume_after_reset, unfinished
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.partitions import add_batches
from dispatch_to_pipedrive.orchestration.reset import (
    BUDGET,
    ENDED_BY,
    RESUME_AFTER,
    UNTIL,
    Spent,
    ended_by_the_budget,
    waits_for_reset,
)
from dispatch_to_pipedrive.orchestration.resources import Migration
from dispatch_to_pipedrive.pipedrive.budget import TokenBudget
from dispatch_to_pipedrive.pipedrive.errors import BudgetSpent
from dispatch_to_pipedrive.settings import Settings

MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
WAIT = timedelta(hours=3)


@dg.op
def load_records(migration: Migration) -> None:
    assert migration.ledger.bound_scope() is not None
    with plain_words():
        raise BudgetSpent(until=MIDNIGHT, price=5, remaining=2, reserve=0, wait=WAIT)


@dg.job(name="load", resource_defs={"migration": Migration()})
def a_load() -> None:
    load_records()


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """The ledger of the migration that the environment names."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("MIGRATION_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.bind(Scope("7", "42"), "Company")
    ledger.add_tokens("7", "2026-11-23", {"write": 100})
    yield ledger
    ledger.close()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        add_batches(instance, ["wave-0001", "wave-0002"])
        yield instance


def fail(instance: dg.DagsterInstance, batch: str, **tags: str) -> str:
    ended = a_load.execute_in_process(
        instance=instance, raise_on_error=False, tags={PARTITION_NAME_TAG: batch, **tags}
    )
    assert not ended.success
    return ended.run_id


def tick(instance: dg.DagsterInstance) -> dict[str, str] | str:
    """Run key → batch of what is asked for, or why nothing is."""
    with dg.build_sensor_context(instance=instance, resources={"migration": Migration()}) as context:
        result = resume_after_reset(context)
    if isinstance(result, dg.SkipReason):
        return str(result.skip_message)
    assert isinstance(result, dg.SensorResult)
    assert {request.job_name for request in result.run_requests or ()} == {"load"}
    return {str(r.run_key): str(r.partition_key) for r in result.run_requests or ()}


@pytest.mark.promise("R064")
def test_a_spent_day_ends_the_run_as_a_failure_in_words_and_each_batch_is_asked_for_once_after_the_reset(
    instance: dg.DagsterInstance, ledger: Ledger
) -> None:
    assert tick(instance) == "no batch waits for the next day"
    first, second = fail(instance, "wave-0001"), fail(instance, "wave-0002")
    record = instance.get_run_by_id(first)
    assert record is not None and record.status is dg.DagsterRunStatus.FAILURE
    assert record.tags[ENDED_BY] == BUDGET
    words = tick(instance)
    assert isinstance(words, str)
    assert words.startswith("the day's tokens are spent: wave-0001, wave-0002 goes on after ")

    ledger.add_tokens("7", "2026-11-24", {"read": 2})  # the account has answered on its next day
    asked = {f"after-reset/{first}": "wave-0001", f"after-reset/{second}": "wave-0002"}
    assert tick(instance) == asked
    assert tick(instance) == asked  # the same keys: Dagster launches each once

    again = fail(instance, "wave-0001")  # that day is spent as well, by its own clock
    instance.add_run_tags(again, {UNTIL: "2026-11-25T00:00:00+00:00"})
    assert [run.run_id for run in unfinished(instance, "7")] == [second, again]
    assert isinstance(tick(instance), str)
    ledger.add_tokens("7", "2026-11-25", {"read": 2})
    found = tick(instance)
    assert isinstance(found, dict)
    assert found[f"after-reset/{again}"] == "wave-0001"


def test_what_somebody_has_begun_since_and_what_the_delta_sensor_brings_is_left_alone(
    instance: dg.DagsterInstance, ledger: Ledger
) -> None:
    fail(instance, "wave-0001")
    instance.create_run_for_job(a_load, tags={PARTITION_NAME_TAG: "wave-0001"})
    fail(instance, "wave-0002", **{"dispatch/delivers": "wave-0002"})
    assert unfinished(instance, "7") == []


def test_what_ended_for_one_account_is_not_asked_for_against_another(
    instance: dg.DagsterInstance, ledger: Ledger
) -> None:
    """The rehearsal's tokens were spent; then the settings lead to the real account, on the same ledger."""
    run = fail(instance, "wave-0001")
    ledger.add_tokens("7", "2026-11-24", {"read": 2})
    ledger.bind(Scope("8", "42"), "The real one")
    assert tick(instance) == "no batch waits for the next day"
    fail(instance, "wave-0001")
    ledger.bind(Scope("7", "42"), "Company", "the way back")
    assert tick(instance) == {f"after-reset/{run}": "wave-0001"}


def test_a_rollback_goes_on_and_nothing_else_does_meanwhile(
    instance: dg.DagsterInstance, ledger: Ledger
) -> None:
    @dg.job(name="rollback_everything", resource_defs={"migration": Migration()})
    def undo() -> None:
        load_records()

    fail(instance, "wave-0001")
    run = undo.execute_in_process(instance=instance, raise_on_error=False).run_id
    ledger.add_tokens("7", "2026-11-24", {"read": 2})
    ledger.mark("7", "rollback_begun", "Ada")
    with dg.build_sensor_context(instance=instance, resources={"migration": Migration()}) as context:
        result = resume_after_reset(context)
    assert isinstance(result, dg.SensorResult)
    assert [(one.run_key, one.job_name) for one in result.run_requests or ()] == [
        (f"after-reset/{run}", "rollback_everything")
    ]
    ledger.mark("7", "rollback_ended", "Ada")
    ledger.plan([Manifest("wave-0001", "wave", 0, 1, (1,), 10, 50)])
    ledger.report_batch("7", "wave-0001", UNDONE, "run", {})
    assert "`reapply --as NAME`" in str(tick(instance))


@pytest.mark.parametrize(
    ("milestone", "words"),
    [("paused", "`resume --as NAME`"), ("rollback_begun", "rollback"), ("signed_off", "`reopen --as NAME`")],
)
def test_nothing_goes_on_while_people_have_said_no(
    instance: dg.DagsterInstance, ledger: Ledger, milestone: str, words: str
) -> None:
    fail(instance, "wave-0001")
    ledger.add_tokens("7", "2026-11-24", {"read": 2})
    ledger.mark("7", milestone, "Ada")
    said = tick(instance)
    assert isinstance(said, str)
    assert words in said


def test_the_reset_is_the_accounts_midnight_by_whichever_clock_tells_it_first() -> None:
    now = datetime(2026, 11, 23, 21, tzinfo=UTC)
    spent = Spent(MIDNIGHT, now + WAIT)
    assert not spent.over(now, "2026-11-23")
    assert not spent.over(now, None)
    assert spent.over(now, "2026-11-24")
    assert spent.over(now + WAIT, "2026-11-23")


def test_how_long_to_wait_is_told_by_the_servers_clock_not_by_ours() -> None:
    budget = TokenBudget("lite")
    error = budget.exhausted()
    assert timedelta() < error.wait <= timedelta(days=1)
    assert error.until == budget.reset_at()


def test_a_run_that_ended_otherwise_waits_for_no_reset(instance: dg.DagsterInstance, ledger: Ledger) -> None:
    run = fail(instance, "wave-0001")
    assert waits_for_reset(ended_by_the_budget(instance, "7"), datetime.now(UTC), None) is not None
    instance.add_run_tags(run, {RESUME_AFTER: "whenever"})
    assert waits_for_reset(ended_by_the_budget(instance, "7"), datetime.now(UTC), None) is None
