"""A batch is made again of what was exported, without asking the source."""

from pathlib import Path

import dagster as dg
import pytest

from dispatch_to_pipedrive.mapping import ENTITIES
from dispatch_to_pipedrive.orchestration.build import build_defs
from dispatch_to_pipedrive.orchestration.partitions import add_batches
from dispatch_to_pipedrive_tests.acceptance.world import Migrated

WAVE = "wave-0001"
CLOSED = "http://127.0.0.1:9"


@pytest.mark.promise("R007", "R060")
def test_a_batch_is_normalized_and_loaded_while_the_source_is_down(
    migrated: Migrated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = migrated.again(tmp_path / "home")
    frames = sorted(again.home.rglob("normalized/*/wave-0001.parquet"))
    assert {file.parent.name for file in frames} >= set(ENTITIES)
    before = {file: file.read_bytes() for file in frames}
    for file in frames:
        file.unlink()
    down = {"DISPATCH_PRO_API_URL": CLOSED, "DISPATCH_PRO_AUTH_URL": CLOSED}
    for name, value in again.environment(down).items():
        monkeypatch.setenv(name, value)
    assets = [dg.AssetKey([room, entity]) for room in ("normalized", "pipedrive") for entity in ENTITIES]
    assets.append(dg.AssetKey(["normalized", "not_carried"]))
    job = (
        build_defs()
        .resolve_implicit_global_asset_job_def()
        .get_subset(asset_selection=set(assets), asset_check_selection=frozenset())
    )
    with dg.DagsterInstance.ephemeral() as instance:
        add_batches(instance, ["sample", WAVE])
        assert job.execute_in_process(instance=instance, partition_key=WAVE).success
    assert {file: file.read_bytes() for file in frames} == before
    assert again.writes == 0
