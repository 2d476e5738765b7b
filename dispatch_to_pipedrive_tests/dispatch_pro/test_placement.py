"""Where records stand: the stories behind the properties, and what a batch costs to read."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import fsspec
import orjson
import pandas as pd
import pytest
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS
from dispatch_to_pipedrive.dispatch_pro.placement import (
    CommittedSegment,
    PlacementMissing,
    PlacementSummary,
    build_placement,
    features_of,
    newest_change,
    read_batch,
    read_reference,
    root_features,
    root_sizes,
    sweep_seconds,
    touched_roots,
)
from dispatch_to_pipedrive.dispatch_pro.placement.build import ends_of_merges
from dispatch_to_pipedrive.dispatch_pro.raw import land_records
from dispatch_to_pipedrive.dispatch_pro.readings import Fact
from dispatch_to_pipedrive.dispatch_pro.ticks import tick_of

from .worlds import Generation, appointment, customer, invoice, job, land, location, payment, read_of


class Tenant:
    """A data folder that takes generation after generation."""

    def __init__(self, data: UPath) -> None:
        self.data = data
        self.generation = 0
        self.segments: list[CommittedSegment] = []

    def arrive(self, **feeds: Sequence[dict[str, object]]) -> PlacementSummary:
        previous = self.generation or None
        self.generation += 1
        arrived: Generation = feeds
        self.segments += land(self.data, self.generation, arrived)
        return build_placement(self.data, self.segments, self.generation, previous=previous)

    def roots(self, feed: str, generation: int | None = None) -> dict[int, int]:
        at = generation or self.generation
        frame = read_batch(self.data, at, root_sizes(self.data, at)["root"])[feed]
        return {int(id_): int(root) for id_, root in zip(frame["id"], frame["root"], strict=True)}


@pytest.fixture(params=["folder", "object store"])
def tenant(request: pytest.FixtureRequest, tmp_path: Path) -> Tenant:
    if request.param == "folder":
        return Tenant(UPath(tmp_path))
    fsspec.filesystem("memory").store.clear()
    return Tenant(UPath(f"memory://tenant/{tmp_path.name}"))


def test_merges_are_followed_to_their_end_and_circles_have_one() -> None:
    assert ends_of_merges({1: 2, 2: 3, 5: 5, 7: 8, 8: 9, 9: 8, 10: 7}) == {
        1: 3, 2: 3, 5: 5, 7: 8, 8: 8, 9: 8, 10: 8,
    }  # fmt: skip


def test_a_merge_moves_what_did_not_change_itself(tenant: Tenant) -> None:
    tenant.arrive(
        customers=[customer(1), customer(2), customer(3)],
        jobs=[job(10, 1), job(11, 3)],
        appointments=[appointment(20, 10)],
        invoices=[invoice(30, 10, 1)],
        payments=[payment(40, 30, 1)],
    )
    tenant.arrive(customers=[customer(1, 5, merged_to=2)])
    assert tenant.roots("jobs") == {10: 2, 11: 3}
    assert tenant.roots("appointments") == {20: 2} and tenant.roots("payments") == {40: 2}
    assert tenant.roots("jobs", 1) == {10: 1, 11: 3}  # the generation before still reads as it was
    assert touched_roots(tenant.data, 1, 2) == [1, 2]
    assert touched_roots(tenant.data, None, 1) == [1, 2, 3]


def test_what_hangs_on_a_job_moves_with_it(tenant: Tenant) -> None:
    tenant.arrive(
        customers=[customer(1), customer(2)],
        jobs=[job(10, 1)],
        appointments=[appointment(20, 10, customerId=1)],
    )
    tenant.arrive(jobs=[job(10, 2, 5)])
    assert tenant.roots("appointments") == {20: 2}
    assert touched_roots(tenant.data, 1, 2) == [1, 2]


def test_a_record_waits_for_its_parent_and_is_counted(tenant: Tenant) -> None:
    summary = tenant.arrive(customers=[customer(1, merged_to=9)], appointments=[appointment(20, 10)])
    assert (summary.waiting["customers"], summary.waiting["appointments"]) == (1, 1)
    assert tenant.roots("appointments") == {}
    summary = tenant.arrive(customers=[customer(9)], jobs=[job(10, 1)])
    assert sum(summary.waiting.values()) == 0
    assert tenant.roots("appointments") == {20: 9}
    assert touched_roots(tenant.data, 1, 2) == [9]


def test_what_belongs_to_nobody_stands_at_the_house_root(tenant: Tenant) -> None:
    summary = tenant.arrive(calls=[{"id": 1, "modifiedOn": "2026-01-01T00:00:00Z", "customer": None}])
    assert tenant.roots("calls") == {1: 0}
    assert summary.placed["calls"] == 1


def test_later_versions_win_and_of_equal_ones_the_later_generation(tenant: Tenant) -> None:
    tenant.arrive(customers=[customer(1, 5, name="newest"), customer(1, 4, name="old")])
    tenant.arrive(customers=[customer(1, 4.9999999, name="late but older")])
    assert newest_change(tenant.data, 2) == tick_of("2026-01-01T00:00:05Z")
    assert read_batch(tenant.data, 2, [1])["customers"]["name"].tolist() == ["newest"]
    tenant.arrive(customers=[customer(1, 5, name="same time, later")])
    assert read_batch(tenant.data, 3, [1])["customers"]["name"].tolist() == ["same time, later"]


def test_a_generation_without_a_placement_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlacementMissing, match="generation 4"):
        read_batch(UPath(tmp_path), 4, [1])


def test_reference_frames_hold_the_latest_version_as_of_a_generation(tenant: Tenant) -> None:
    def types(generation: int, name: str) -> list[CommittedSegment]:
        text = orjson.dumps({"id": 1, "name": name, "modifiedOn": "2026-01-01T00:00:00Z"})
        landed = land_records(tenant.data / "raw", FEEDS["job_types"], [text])
        return [CommittedSegment(generation, "job_types", segment.path) for segment in landed]

    segments = [*types(2, "new"), *types(1, "old")]
    assert read_reference(tenant.data, segments, 1)["job_types"]["name"].tolist() == ["old"]
    frames = read_reference(tenant.data, segments, 2)
    assert frames["job_types"]["name"].tolist() == ["new"]
    assert frames["zones.zips"].empty and "value" in frames["zones.zips"]


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="counts bytes by Linux's /proc")
def test_a_batch_reads_its_own_share_of_the_history(tmp_path: Path) -> None:
    tenant = Tenant(UPath(tmp_path))
    chance = random.Random(1)
    tenant.arrive(customers=[customer(id_, name=chance.randbytes(100).hex()) for id_ in range(1, 70_001)])

    def cost(first: int) -> int:
        before = _read_so_far()
        frames = read_batch(tenant.data, 1, range(first, first + 500), ["customers"])
        assert frames["customers"]["id"].tolist() == list(range(first, first + 500))
        return _read_so_far() - before

    cost(1)
    whole = sum(file.stat().st_size for file in (tmp_path / "clustered").rglob("*.parquet"))
    assert max(cost(1), cost(35_000), cost(69_000)) < whole / 8


def _read_so_far() -> int:
    facts = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(facts["rchar"])


def test_a_sample_can_see_notes_and_files_and_how_long_a_sweep_takes(tmp_path: Path) -> None:
    tenant = Tenant(UPath(tmp_path))
    tenant.arrive(
        customers=[customer(1), customer(2)],
        locations=[location(5, 1)],
        jobs=[job(10, 1, summary='<p><IMG src="x"></p>'), job(11, 2)],
        customer_notes=[read_of("customer_notes", 1, {"id": 1, "text": "<img src=x>", "isPinned": True})],
        location_notes=[read_of("location_notes", 5, {"id": 2, "text": "x"})],
        job_attachments=[
            read_of("job_attachments", 10, {"id": 3}, {"id": 4}, facts=[Fact(3, 9, sha256="f" * 64)]),
            read_of("job_attachments", 11, {"id": 5}, facts=[Fact(5, problem="no")]),
        ],
    )
    found = root_features(tenant.data, 1)
    features = {root: set(rows["feature"]) for root, rows in found.groupby("root")}
    assert features[1] >= {
        "note on a customer", "note on a site", "pinned note", "note with a picture",
        "summary of a job with a picture", "file", "several files on a job", "file that is too large",
    }  # fmt: skip
    assert features[2] >= {"file", "file that could not be looked at"}
    assert not features[2] & {"note on a customer", "file that is too large"}
    assert sweep_seconds(tenant.data, 1, 10) == 0.5  # two customers, a site, two jobs


def test_a_sample_can_see_what_each_root_covers(tenant: Tenant) -> None:
    field = {"customFields": [{"typeId": 1, "name": "Dispatch Pro Priority", "value": "3"}]}
    tenant.arrive(
        customers=[customer(1), customer(2, type="Commercial"), customer(3, merged_to=1)],
        locations=[location(5, 1), location(6, 1)],
        jobs=[job(10, 1, jobTypeId=7, tagTypeIds=[4], recallForId=9, soldById=8, priority="High", **field)],
        appointments=[appointment(20, 10), appointment(21, 10)],
        invoices=[invoice(30, 10, 1, total="-1"), invoice(31, 10, 1, total="0.00")],
    )
    found = root_features(tenant.data, 1)
    features = {root: set(rows["feature"]) for root, rows in found.groupby("root")}
    assert features[1] >= {
        "job type 7", "job tag 4", "priority High", "priority bucket 3", "sites 2", "recall", "credit",
        "several invoices on a job", "invoice of zero", "several appointments on a job", "merged customer",
    }  # fmt: skip
    assert features[2] >= {"customer type Commercial", "customer without a job", "no e-mail"}
    assert root_features(tenant.data, 1, [2])["root"].unique().tolist() == [2]
    staff = pd.DataFrame({"id": [8, 9], "name": ["Crew", "Truck"], "value": ["A", "7"]})
    sold = root_features(tenant.data, 1, reference={"technicians.custom_fields": staff})
    assert "technician's field Crew" in set(sold.loc[sold["root"] == 1, "feature"])
    few = root_features(tenant.data, 1, per_feature=1)
    assert set(few["feature"]) == set(found["feature"])  # every feature keeps a root
    assert not found.duplicated().any()
    assert features_of(read_batch(tenant.data, 1, [])).empty
