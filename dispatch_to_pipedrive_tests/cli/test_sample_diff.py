"""A migrated tenant's sample: its diff shows every field, and the full run took its records over."""

import json
from collections import Counter

import dagster as dg
import pandas as pd
import pytest

from dispatch_to_pipedrive.mapping import load_maps
from dispatch_to_pipedrive.migration.diff import COLUMNS, SECTIONS, VERDICTS
from dispatch_to_pipedrive.migration.ledger import Ledger

from ..program import records, status
from ..sandbox_process import ROOT
from .conftest import Migrated

ENTITIES = ("organizations", "persons", "deals", "activities", "files", "notes")


@pytest.mark.promise("R019", "R080", "R081", "R082")
def test_the_diff_shows_every_field_of_every_record_of_the_sample(migrated: Migrated) -> None:
    """R019, R080, R081."""
    folder = migrated.home / "reports" / "sample"
    rows = pd.read_parquet(folder / "diff.parquet")
    maps = load_maps(ROOT / "mappings")
    assert tuple(rows.columns) == COLUMNS
    (sample,) = [batch for batch in status(migrated.settings)["batches"] if batch["kind"] == "sample"]
    for entity in ENTITIES:
        mine = rows[rows["entity"] == entity]
        assert mine["source_key"].nunique() == sample["entities"][entity]["wanted"]
        assert set(mine["field"]) == set(maps[entity].fields)
        assert len(mine) == mine["source_key"].nunique() * len(maps[entity].fields)
    assert set(rows["verdict"]) <= {"equal", "not taken"}
    assert set(SECTIONS) <= set(rows["section"])
    told = rows[(rows["verdict"] == "equal") & (rows["field"].isin(["person_id", "stage_id", "Job_Type__c"]))]
    assert (told["mapped"] == told["read_back"]).all()
    owners = rows[rows["field"] == "owner_id"]
    assert owners["read_back"].str.contains("@").all()
    assert (owners["mapped"] == owners["read_back"]).all()
    with_csv = pd.read_csv(folder / "diff.csv", dtype="string", keep_default_na=False)
    assert len(with_csv) == len(rows)
    page = (folder / "diff.html").read_text(encoding="utf-8")
    embedded = json.loads(page.partition('id="rows">')[2].partition("</script>")[0])
    assert len(embedded) == len(rows)
    assert f"{(rows['verdict'] == 'equal').sum():,} fields, all equal" in page


@pytest.mark.promise("R080", "R083")
def test_the_full_run_adopts_the_samples_records_and_makes_nothing_twice(migrated: Migrated) -> None:
    """R080, R083: each record was created by one operation, those of the sample before any wave."""
    ledger = Ledger(f"sqlite:///{migrated.home / 'ledger.db'}")
    try:
        waves = {root for m in ledger.manifests() if m.kind == "wave" for root in m.roots}
        (sample,) = [m for m in ledger.manifests() if m.kind == "sample"]
        scope = ledger.bound_scope()
        assert scope is not None
        assert set(sample.roots) <= waves
        reports = ledger.batch_reports(scope.account)
        links = {entity: ledger.links_of_roots(scope, entity, sample.roots) for entity in ENTITIES}
    finally:
        ledger.close()
    there = records(migrated.sandbox)
    for entity in ENTITIES:
        made = Counter({key: reports[key, entity]["created"] for key, stage in reports if stage == entity})
        assert made["sample"] == len(links[entity]) > 0
        assert sum(made.values()) == len(there[entity])


@pytest.mark.promise("R070", "R080")
def test_the_assets_show_the_paths_the_verdicts_and_what_the_sample_covers(
    migrated: Migrated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(migrated.home / "dagster"))
    with dg.DagsterInstance.get() as instance:
        found = {
            name: instance.fetch_materializations(
                dg.AssetRecordsFilter(asset_key=dg.AssetKey(name), asset_partitions=partitions), limit=1
            ).records[0]
            for name, partitions in (("reconciliation", ["sample"]), ("batches", None), ("schema_plan", None))
        }
    told = {
        name: record.asset_materialization.metadata
        for name, record in found.items()
        if record.asset_materialization
    }
    reconciliation, batches, plan = told["reconciliation"], told["batches"], told["schema_plan"]
    assert str(reconciliation["diff"].value).endswith("reports/sample/diff.html")
    assert len(reconciliation["fields"].records) == 20  # type: ignore[union-attr]
    assert set(reconciliation["fields_by_verdict"].value) <= set(VERDICTS)  # type: ignore[arg-type]
    assert batches["sample_covers"].value
    assert batches["sample_lacks"].value == 0
    kinds = {row.data["kind"] for row in batches["coverage"].records}  # type: ignore[union-attr]
    assert {"job type", "job status", "payment", "sites", "owner", "customer type", "circumstance"} <= kinds
    assert plan["make"].value
    table = pd.read_csv(migrated.home / "reports" / "schema_plan.csv", dtype="string", keep_default_na=False)
    assert {"pipeline", "stage", "field", "option", "label", "user"} <= set(table["kind"])
