"""After the sample is approved, what alters one of its payloads stops every load, however it is launched.

Assets run by themselves here, as a backfill or a person in the UI would launch them: no clearance, no check selected.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from dispatch_to_pipedrive.normalize import batch as normalizing
from dispatch_to_pipedrive.normalize.deals import deals
from dispatch_to_pipedrive.orchestration import present
from dispatch_to_pipedrive.orchestration.build import build_defs
from dispatch_to_pipedrive.orchestration.partitions import add_batches
from dispatch_to_pipedrive.pipedrive.client import PipedriveClient
from dispatch_to_pipedrive_tests.acceptance.accounts import comparable
from dispatch_to_pipedrive_tests.acceptance.world import Migrated, Migration

WAVE = "wave-0001"
LOADS = (
    "pipedrive/organizations",
    "pipedrive/persons",
    "pipedrive/deals",
    "pipedrive/activities",
    "pipedrive/retired",
)


@dataclass
class Held:
    """A migration that has ended, whose assets can be launched by themselves."""

    migration: Migration
    dump: dict[str, Any]
    maps: Path
    _definitions: dg.Definitions

    def launch(self, *assets: str, batch: str | None = WAVE) -> str:
        """Run these assets and nothing else; what stopped them, '' if nothing did."""
        keys = {dg.AssetKey(name.split("/")) for name in assets}
        whole = self._definitions.resolve_implicit_global_asset_job_def()
        job = whole.get_subset(asset_selection=keys, asset_check_selection=frozenset())
        with dg.DagsterInstance.ephemeral() as instance:
            add_batches(instance, ["sample", WAVE])
            ended = job.execute_in_process(instance=instance, partition_key=batch, raise_on_error=False)
        failed = [event.step_failure_data for event in ended.all_node_events if event.is_step_failure]
        told = [data.user_failure_data for data in failed]
        assert all(told), failed
        return "\n".join(str(one.description) for one in told if one is not None)

    def edit(self, old: str, new: str, file: str = "deals.yaml") -> None:
        text = (self.maps / file).read_text(encoding="utf-8")
        assert old in text
        (self.maps / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    def rename_option(self, field: str, label: str) -> None:
        """Somebody renames an option of a deals' field in Pipedrive."""
        dump = self.migration.account("dump")
        fields = dump["fields"]["deals"]
        (options,) = (f["options"] for f in fields if f["name"] == field)
        option = next(option for option in options if option["label"] == label)
        option["label"] = f"{label} (new)"
        self.migration.account("load", dump)
        self.migration.account("stats/reset", {})


@pytest.fixture(scope="module")
def home(migrated: Migrated, tmp_path_factory: pytest.TempPathFactory) -> Migration:
    return migrated.again(tmp_path_factory.mktemp("held") / "home")


@pytest.fixture
def held(
    home: Migration, migrated: Migrated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Held]:
    """The home and the account as they were when the migration had ended, also after the test before."""
    maps, ledger = tmp_path / "maps", home.home / "ledger.db"
    shutil.copytree(f"{home.home}.maps", maps)
    shutil.copy(ledger, tmp_path / "ledger.db")
    migrated.fresh(home.home)
    for name, value in home.environment({"MAPPINGS_DIR": str(maps)}).items():
        monkeypatch.setenv(name, value)
    yield Held(home, migrated.dump, maps, build_defs())
    shutil.copy(tmp_path / "ledger.db", ledger)


def test_nothing_stops_where_nothing_has_changed(held: Held) -> None:
    assert held.launch("pipedrive/deals") == ""
    assert held.migration.writes == 0


@pytest.mark.promise("R083")
@pytest.mark.parametrize(
    "change",
    [
        lambda held: held.edit("description: The job's tags.", "description: Its tags.  # a comment"),
        lambda held: held.edit("    follows_renames: true\n", ""),
        lambda held: held.rename_option("Payment_Status__c", "Credit"),
        lambda held: (held.maps / "technicians.csv").write_bytes(
            b"\xef\xbb\xbf" + (held.maps / "technicians.csv").read_bytes().replace(b"\n", b"\r\n")
        ),
    ],
    ids=[
        "words",
        "a rule that no record meets",
        "an option that the sample does not use",
        "the file saved anew",
    ],
)
def test_a_change_that_alters_no_payload_stops_nothing(held: Held, change: Callable[[Held], None]) -> None:
    change(held)
    assert held.launch("pipedrive/deals") == ""
    assert held.migration.writes == 0


@pytest.mark.promise("R020", "R083")
def test_r083_one_character_in_the_map_stops_every_load(held: Held) -> None:
    held.edit("{job_type} — {customer_name}", "{job_type} – {customer_name}")
    for asset in LOADS:
        words = held.launch(asset)
        assert "wave-0001 may not be written" in words, asset
        assert "map_confirmed: changed since me confirmed it" in words
        assert "sample_approved: since the sample was approved by me" in words
        assert "deals.title" in words
    assert "map_confirmed" in held.launch("pipedrive/deals", batch="sample")
    assert held.migration.writes == 0
    after = held.migration.account("dump")
    assert comparable(after) == comparable(held.dump), "the sample's own records stay"


@pytest.mark.promise("R083")
def test_one_option_renamed_in_the_account_stops(held: Held) -> None:
    held.rename_option("Payment_Status__c", "Paid")
    words = held.launch("pipedrive/deals")
    assert "deals.Payment_Status__c: Paid → Paid (new) ×" in words
    assert "map_confirmed" not in words
    assert held.migration.writes == 0


@pytest.mark.promise("R083")
def test_one_line_of_normalize_stops(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    def shouting(*arguments: Any) -> tuple[pd.DataFrame, Any]:
        found, leftovers = deals(*arguments)
        return found.assign(customer_name=found["customer_name"].str.upper()), leftovers

    for kept in ("_frames", "_logical"):  # a process has one code, or so it may believe
        monkeypatch.setattr(present, kept, {})
    monkeypatch.setattr(normalizing, "deals", shouting)
    words = held.launch("pipedrive/deals")
    assert "deals.title: " in words
    assert "approve-sample --as NAME" in words
    assert held.migration.writes == 0


@pytest.mark.promise("R083")
def test_one_line_of_the_owner_file_stops(held: Held) -> None:
    file = held.maps / "technicians.csv"
    lines = file.read_text(encoding="utf-8").splitlines()
    changed = [line.replace(",fallback", f",{second_user(held)}") for line in lines]
    file.write_text("\n".join(changed), encoding="utf-8")
    assert "owners_decided: `technicians.csv` was changed" in held.launch("pipedrive/deals")
    assert held.launch("technician_owners", batch=None) == ""
    words = held.launch("pipedrive/deals")
    assert f"deals.owner_id: admin@company.example → {second_user(held)} ×" in words
    assert held.migration.writes == 0


def second_user(held: Held) -> str:
    active = [user for user in held.dump["users"] if user["active_flag"]]
    return str(active[1]["email"])


@pytest.mark.promise("R020")
def test_r020_without_a_confirmation_no_write_leaves_the_program(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that fails on any write shows that none is even tried."""
    with closing(sqlite3.connect(held.migration.home / "ledger.db")) as ledger:
        ledger.execute("DELETE FROM approval")
        ledger.execute("DELETE FROM schema_object")
        ledger.commit()

    async def tried(*arguments: Any, **options: Any) -> None:
        raise AssertionError(f"a write was tried: {arguments[1:]}")

    assert hasattr(PipedriveClient, "_write")
    monkeypatch.setattr(PipedriveClient, "_write", tried)
    assert "schema may not be written: map_confirmed: nobody" in held.launch("pipedrive_schema", batch=None)
    for batch in ("sample", WAVE):
        assert "map_confirmed: nobody has confirmed the map" in held.launch(*LOADS, batch=batch)
    assert held.migration.writes == 0
