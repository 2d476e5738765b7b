"""The jobs by which a data engineer undoes batches in the UI: one click each, and what came of it beside the run."""

import asyncio
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dispatch_to_pipedrive.migration.errors import GateClosed
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.plan import waiting
from dispatch_to_pipedrive.orchestration import undo
from dispatch_to_pipedrive.orchestration.resources import Migration as Migration_
from dispatch_to_pipedrive.orchestration.resources import open_ledger, writing
from dispatch_to_pipedrive.orchestration.run import execute, open_instance
from dispatch_to_pipedrive.orchestration.undo import ASSETS
from dispatch_to_pipedrive.settings import Settings, load_settings
from dispatch_to_pipedrive_tests.acceptance.accounts import stamps
from dispatch_to_pipedrive_tests.acceptance.world import Migrated, Migration

BATCH = "wave-0001"


@pytest.fixture
def migration(migrated: Migrated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Migration:
    """A migration that is done, and this process with its settings."""
    again = migrated.again(tmp_path / "home")
    for name, value in again.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DAGSTER_HOME", "")
    return again


def outputs(instance: dg.DagsterInstance, job: str) -> dict[str, Any]:
    """What the newest run of a job says of itself."""
    (run,) = instance.get_runs(dg.RunsFilter(job_name=job), limit=1)
    assert run.status is dg.DagsterRunStatus.SUCCESS
    found: dict[str, Any] = {}
    for event in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_OUTPUT):
        assert event.dagster_event is not None
        metadata = event.dagster_event.step_output_data.metadata
        found |= {name: value.value for name, value in metadata.items()}
    return found


def newest(instance: dg.DagsterInstance, key: list[str], batch: str) -> dict[str, Any]:
    """The metadata of an asset's newest materialization for a batch."""
    wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey(key), asset_partitions=[batch])
    (record,) = instance.fetch_materializations(wanted, limit=1).records
    assert record.asset_materialization is not None
    return {name: value.value for name, value in record.asset_materialization.metadata.items()}


async def write_to(ledger: Ledger, settings: Settings, batch: str) -> None:
    async with writing(ledger, settings, purpose="test", run="", batch=batch):
        pass


@pytest.mark.promise("R087")
def test_one_click_undoes_a_batch_and_another_lets_it_wait_again(
    migration: Migration, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings()
    ledger = open_ledger(settings)
    before = stamps(migration.account("dump"))
    with open_instance(settings) as instance:
        assert execute(instance, "rollback", batch="sample", config={"undo_batch": {"dry_run": True}})
        planned = outputs(instance, "rollback")
        assert planned["delete"] == len(before)
        assert planned["tokens"] > 0
        assert migration.writes == 0

        assert execute(instance, "rollback", batch="sample")
        done = outputs(instance, "rollback")
        assert (done["deleted"], done["kept"], done["refused"]) == (len(before), 0, 0)
        assert Path(done["folder"]).is_dir()
        assert stamps(migration.account("dump")) == []
        for key in ASSETS:
            told = newest(instance, key, "sample")
            assert (told["state"], told["dagster/row_count"], told["by"]) == ("rolled back", 0, "Dagster UI")
        with pytest.raises(GateClosed, match="rolled back: `reapply"):
            asyncio.run(write_to(ledger, settings, "sample"))
        assert execute(instance, "reapply")
        assert outputs(instance, "reapply")["batches"].split(", ")[0] == "sample"
    scope = ledger.bound_scope()
    assert scope is not None
    assert "sample" in [manifest.key for manifest in waiting(ledger, scope.account)]
    asyncio.run(write_to(ledger, settings, "sample"))
    milestones = [(one.name, one.by) for one in ledger.milestones(scope.account)]
    assert milestones == [
        (name, "Dagster UI") for name in ("rollback_begun", "rollback_ended", "reapply_asked")
    ]
    ledger.mark(
        scope.account, "rollback_begun", "Ada", {"batches": ["sample"], "schema": False, "force": False}
    )
    with pytest.raises(GateClosed, match="a rollback begun by Ada"):
        asyncio.run(write_to(ledger, settings, "sample"))
    # Gone on with, it is not planned again: a day's tokens may be no more than a plan takes.
    monkeypatch.setattr(undo, "undo_plan", None)
    done = asyncio.run(undo.roll_back(Migration_.over(settings, ledger), undo.Undoing(), by="Grace"))
    assert (done.outcome.deleted, done.batches) == (0, ("sample",))
    assert ledger.milestones(scope.account)[-1].name == "rollback_ended"
    ledger.close()
