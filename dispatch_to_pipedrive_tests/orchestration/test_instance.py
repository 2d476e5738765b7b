"""Dagster's instance of a migration: where it keeps its runs, and what becomes of runs whose process died."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster_postgres import DagsterPostgresStorage

from dispatch_to_pipedrive.migration.ledger import Scope
from dispatch_to_pipedrive.orchestration.dead_runs import STARTED, bury_dead_runs, this_process
from dispatch_to_pipedrive.orchestration.reset import ACCOUNT
from dispatch_to_pipedrive.orchestration.resources import Migration
from dispatch_to_pipedrive.orchestration.run import open_instance
from dispatch_to_pipedrive.settings import Settings, load_settings

from ..postgres import running_postgres


@dg.op
def nothing() -> None:
    """Do nothing."""


@dg.job
def a_job() -> None:
    nothing()


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Settings]:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("MIGRATION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", "to be set by the program")
    monkeypatch.chdir(tmp_path)
    yield load_settings()


def test_without_a_database_runs_are_kept_in_the_migrations_home(settings: Settings) -> None:
    with open_instance(settings) as instance:
        assert isinstance(instance._ref.storage, DagsterSqliteStorage)  # type: ignore[union-attr]
        result = a_job.execute_in_process(instance=instance)
        assert instance.get_run_by_id(result.run_id) is not None
    assert (settings.home / "dagster" / "history" / "runs.db").is_file()
    assert os.environ["DAGSTER_HOME"] == str(settings.home / "dagster")


def test_with_a_database_runs_are_kept_there(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_postgres() as server:
        plain = server.create().replace("postgresql+psycopg2://", "postgresql://")
        monkeypatch.setenv("MIGRATION_DATABASE_URL", plain)
        with open_instance(load_settings()) as instance:
            assert isinstance(instance._ref.storage, DagsterPostgresStorage)  # type: ignore[union-attr]
            result = a_job.execute_in_process(instance=instance)
            assert [run.run_id for run in instance.get_runs()] == [result.run_id]
    assert not (settings.home / "dagster" / "history").exists()


def test_a_run_whose_process_is_gone_is_declared_failed_and_a_living_one_is_not(settings: Settings) -> None:
    me = psutil.Process()

    def begun(pid: int, started: float, host: str) -> dict[str, str]:
        return {
            "dispatch/host": host,
            "dispatch/pid": str(pid),
            "dispatch/process_started": str(started),
        }

    here = socket.gethostname()
    with open_instance(settings) as instance:
        runs = {
            name: instance.create_run_for_job(a_job, status=dg.DagsterRunStatus.STARTED, tags=tags)
            for name, tags in {
                "alive": begun(me.pid, me.create_time(), here),
                "dead": begun(me.pid, me.create_time() - 1000, here),
                "elsewhere": begun(me.pid, 0.0, "another host"),
                "the UI's": {},
            }.items()
        }
        assert bury_dead_runs(instance) == [runs["dead"].run_id]
        found = {name: instance.get_run_by_id(run.run_id) for name, run in runs.items()}
    assert {name: run.status.value for name, run in found.items() if run} == {
        "alive": "STARTED",
        "dead": "FAILURE",
        "elsewhere": "STARTED",
        "the UI's": "STARTED",
    }


def test_a_run_that_the_daemon_began_is_buried_too_and_its_repetition_is_not(settings: Settings) -> None:
    """It tells its process as it begins; Dagster hands the tags of a run on to the one that repeats it."""

    @dg.op
    def somewhere(migration: Migration) -> None:
        migration.ledger.bind(Scope("7", "42"), "Company")

    @dg.job(resource_defs={"migration": Migration()})
    def daemons() -> None:
        somewhere()

    with open_instance(settings) as instance:
        run = instance.get_run_by_id(daemons.execute_in_process(instance=instance).run_id)
        assert run is not None
        assert this_process().items() <= run.tags.items()
        assert run.tags[ACCOUNT] == "7"
        dead = {**this_process(), STARTED: "0.0"}
        first = instance.create_run_for_job(a_job, status=dg.DagsterRunStatus.STARTED, tags=dead)
        again = instance.create_run_for_job(
            a_job,
            status=dg.DagsterRunStatus.STARTED,
            tags=dead,
            parent_run_id=first.run_id,
            root_run_id=first.run_id,
        )
        assert bury_dead_runs(instance) == [first.run_id]
        instance.add_run_tags(again.run_id, {STARTED: "1.0"})
        assert bury_dead_runs(instance) == [again.run_id]


def test_loads_of_the_ui_queue_up_run_by_run(settings: Settings) -> None:
    with open_instance(settings) as instance:
        pools = instance.get_concurrency_config().pool_config
        assert pools.default_pool_limit == 1
        assert pools.pool_granularity is not None
        assert pools.pool_granularity.value == "run"
        assert not instance.telemetry_enabled
        assert not instance.run_retries_enabled or instance.run_retries_max_retries == 1
