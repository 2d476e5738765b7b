"""After a migration every batch has evidence that its money adds up, with the sums to look at (R048)."""

import dagster as dg
import pytest

from dispatch_to_pipedrive.migration.ledger import Ledger

from ..program import records
from .conftest import Migrated

CHECK = dg.AssetCheckKey(dg.AssetKey("reconciliation"), "money_is_the_sources_to_the_cent")


@pytest.mark.promise("R048")
def test_every_batch_adds_up_to_the_cent(migrated: Migrated, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in migrated.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DAGSTER_HOME", str(migrated.home / "dagster"))
    ledger = Ledger(f"sqlite:///{migrated.home / 'ledger.db'}")
    manifests = {manifest.key: manifest.kind for manifest in ledger.manifests()}
    ledger.close()
    with dg.DagsterInstance.get() as instance:
        history = instance.event_log_storage.get_asset_check_execution_history(CHECK, limit=100)
    found = {}
    for record in history:
        assert record.event is not None
        assert record.event.dagster_event is not None
        evaluation = record.event.dagster_event.asset_check_evaluation_data
        found[evaluation.partition] = evaluation
    assert set(found) == set(manifests)
    assert all(evaluation.passed for evaluation in found.values()), found
    waves = [found[key].metadata for key, kind in manifests.items() if kind == "wave"]
    deals = records(migrated.sandbox)["deals"]
    assert sum(metadata["jobs"].value for metadata in waves) == len(deals)
    assert sum(metadata["cents"].value for metadata in waves) == sum(round(d["value"] * 100) for d in deals)
    assert {"by_month", "by_job_type"} <= set(waves[0])
