"""The written account of the tenant that was moved: nothing unaccounted for, whole tables, a list to tick through."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from dispatch_to_pipedrive.mapping.proposal import read_proposals
from dispatch_to_pipedrive.orchestration.build import build_defs
from dispatch_to_pipedrive.orchestration.resources import Migration, open_ledger
from dispatch_to_pipedrive.settings import load_settings

from .conftest import Migrated


@pytest.fixture(scope="module")
def account(migrated: Migrated) -> Iterator[dict[str, dg.AssetCheckEvaluation]]:
    """The job's checks by name; its files lie in the home."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in migrated.settings.items():
            patch.setenv(name, value)
        settings = load_settings()
        ledger = open_ledger(settings)
        defs = build_defs(resources={"migration": Migration.over(settings, ledger)})
        ended = defs.resolve_job_def("take_inventory").execute_in_process()
        ledger.close()
    assert ended.success
    yield {one.check_name: one for one in ended.get_asset_check_evaluations()}


def reports(migrated: Migrated, name: str) -> Path:
    return migrated.home / "reports" / name


@pytest.mark.promise("R006", "R068")
def test_no_field_of_the_tenant_is_unaccounted_for(
    migrated: Migrated, account: dict[str, dg.AssetCheckEvaluation]
) -> None:
    check = account["every_source_field_is_accounted_for"]
    assert check.passed, check.description
    rows = pd.read_parquet(reports(migrated, "inventory") / "inventory.parquet")
    assert (rows["state"] != "unaccounted").all()
    assert rows.loc[(rows["object"] == "jobs") & (rows["field"] == "jobNumber"), "records"].item() > 0
    assert "Every field is accounted for" in (reports(migrated, "inventory") / "inventory.html").read_text()


@pytest.mark.promise("R006")
def test_a_custom_field_that_is_open_names_where_it_is_proposed(
    migrated: Migrated, account: dict[str, dg.AssetCheckEvaluation]
) -> None:
    rows = pd.read_parquet(reports(migrated, "inventory") / "inventory.parquet")
    mine = rows[(rows["kind"] == "custom field") & rows["why"].str.startswith("Open: ")]
    proposed = {
        entry.name
        for standing in read_proposals(Path(migrated.settings["MAPPINGS_DIR"])).values()
        for entry in standing.content.proposals
        if entry.kind == "field"
    }
    assert set(mine["field"]) <= proposed
    assert "Permit Number" in set(mine["field"])


@pytest.mark.promise("R015", "R016")
def test_every_table_has_as_many_rows_as_the_source_and_each_row_its_disposition(
    migrated: Migrated, account: dict[str, dg.AssetCheckEvaluation]
) -> None:
    check = account["rows_equal_the_source"]
    assert check.passed, check.description
    for name in ("job_types", "zones", "technician_shifts", "capacity", "arrival_windows", "priorities"):
        table = pd.read_csv(reports(migrated, "reference") / f"{name}.csv")
        assert len(table) > 0, name
        assert table["disposition"].notna().all(), name


@pytest.mark.promise("R014", "R059", "R065")
def test_the_checklist_has_what_the_tables_ask_for_and_who_owns_what(
    migrated: Migrated, account: dict[str, dg.AssetCheckEvaluation]
) -> None:
    check = account["whatever_asks_for_work_is_on_the_list"]
    assert check.passed, check.description
    owners = pd.read_csv(reports(migrated, "checklist") / "owners.csv")
    assert owners["jobs"].sum() > 0
    assert owners.loc[owners["jobs"] > 0, "owner"].notna().all()
    items = pd.read_csv(reports(migrated, "checklist") / "checklist.csv")
    assert items["title"].str.contains("Dispatch rule of a job type").any()


def test_a_table_that_lost_a_row_is_told(
    migrated: Migrated, account: dict[str, dg.AssetCheckEvaluation]
) -> None:
    from dispatch_to_pipedrive.orchestration.assets.inventory import rows_that_differ

    folder = reports(migrated, "reference")
    wanted = {"zones": len(pd.read_parquet(folder / "zones.parquet")) + 1}
    assert rows_that_differ(folder, wanted) == [
        f"zones: {wanted['zones'] - 1} rows, {wanted['zones']} in the source"
    ]
