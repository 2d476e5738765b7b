"""Fields that really occur, and the tenant whose custom fields no map has ever seen: none of them is lost."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pytest
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS
from dispatch_to_pipedrive.dispatch_pro.placement import (
    CommittedSegment,
    build_placement,
    read_reference,
    source_profile,
)
from dispatch_to_pipedrive.dispatch_pro.placement.seen import fields_seen
from dispatch_to_pipedrive.dispatch_pro.placement.tally import count_reference
from dispatch_to_pipedrive.dispatch_pro.raw import land_records
from dispatch_to_pipedrive.dispatch_pro.shapes import READINGS
from dispatch_to_pipedrive.mapping import load_maps
from dispatch_to_pipedrive.mapping.model import folded
from dispatch_to_pipedrive.mapping.proposal import Catalogue, open_slots, propose, worth_asking
from dispatch_to_pipedrive.migration.inventory import CUSTOM, inventory, unaccounted
from dispatch_to_pipedrive.orchestration.assets.proposal import with_options
from dispatch_to_pipedrive.sandbox.dispatch_pro.tenant import generate
from dispatch_to_pipedrive_tests.migration.test_inventory import sources

from .worlds import as_landed, at, customer, job, land

MAPS = load_maps(Path(__file__).parents[2] / "mappings")
DEFINED = {f"{one}s.custom_fields": f"{one}_custom_field_types" for one in ("customer", "location", "job")}


def counts(found: pd.DataFrame, feed: str) -> dict[str, int]:
    mine = found[found["feed"] == feed]
    return dict(zip(mine["field"], mine["records"].astype(int), strict=True))


def test_paths_are_counted_in_winning_versions_and_empty_ones_are_told(tmp_path: Path) -> None:
    data = UPath(tmp_path)
    first = {
        "customers": [customer(1, hologram={"seed": 4, "of": []}), customer(2, hologram=None)],
        "jobs": [job(9, 1)],
    }
    zones = {"id": 5, "zips": ["1", "2"], "modifiedOn": at(0), "glow": True}
    segments = land(data, 1, {**first, "zones": [zones]})
    segments += land(
        data,
        2,
        {
            "customers": [customer(1, 5, hologram={"seed": None})],
            "zones": [{**zones, "modifiedOn": at(3), "glow": None}],
        },
    )
    build_placement(data, segments, 1)
    build_placement(data, segments, 2, previous=1)
    before, after = (fields_seen(data, segments, generation) for generation in (1, 2))
    assert counts(before, "customers")["hologram.seed"] == 1
    assert counts(before, "customers")["hologram.of[]"] == 0
    assert counts(after, "customers") | {"hologram.seed": 0, "id": 2} == counts(after, "customers")
    assert (counts(before, "zones")["glow"], counts(after, "zones")["glow"]) == (1, 0)
    assert counts(after, "zones")["zips[]"] == 1
    assert count_reference(data, segments, 2)["zones"] == 1


def paths(value: Any, above: str = "") -> Iterator[str]:
    """The paths that have a value in a record, worked out one by one."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, f"{above}.{name}" if above else name)
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{above}[]")
    elif value is not None:
        yield above


class Tenant:
    """A generated tenant with 40 custom fields that no map knows, as one advance lands it."""

    def __init__(self, data: UPath) -> None:
        tenant = generate(15, 3, extra_fields=True)
        self.data = data
        self.landed = {name: as_landed(tenant, feed) for name, feed in FEEDS.items()}
        self.segments = [
            CommittedSegment(1, name, segment.path)
            for name, texts in self.landed.items()
            for segment in land_records(data / "raw", FEEDS[name], texts)
        ]
        build_placement(data, self.segments, 1)
        seen = fields_seen(data, self.segments, 1)
        # The vendor's lists of notes do not say whether a note is active; the generator's own table does.
        own = seen["feed"].isin(["customer_notes", "location_notes"]) & (seen["field"] == "active")
        self.seen = seen[~own]
        self.profile = source_profile(data, self.segments, 1)
        self.reference = read_reference(data, self.segments, 1, tuple(DEFINED.values()))


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Tenant:
    return Tenant(UPath(tmp_path_factory.mktemp("extra")))


@pytest.mark.promise("R006")
def test_a_tenants_paths_are_those_of_its_records_one_by_one(tenant: Tenant) -> None:
    for feed in ("customers", "invoices", "job_types", "job_attachments"):
        expected: Counter[str] = Counter()
        for text in tenant.landed[feed]:
            record = orjson.loads(text)
            for one in record["items"] if feed in READINGS else [record]:
                expected.update(set(paths(one)))
        found = {path: number for path, number in counts(tenant.seen, feed).items() if number}
        assert found == dict(expected), feed


@pytest.mark.promise("R006", "R068")
def test_a_tenant_with_forty_fields_that_no_map_has_seen_loses_none(tenant: Tenant) -> None:
    definitions = {feed: with_options(tenant.reference, types) for feed, types in DEFINED.items()}
    slots = open_slots(
        MAPS,
        tenant.profile,
        definitions,
        Catalogue((), {}),
        elsewhere={"jobs.custom_fields/Dispatch Pro Priority": "priority_bucket"},
    )
    proposals = [one for one in propose(MAPS, slots, Catalogue((), {})) if worth_asking(one)]
    proposed = {
        (one.slot.feed, folded(one.slot.name)): str(one.verdict)
        for one in proposals
        if one.slot.kind == "field"
    }
    given = replace(sources(), seen=tenant.seen, profile=tenant.profile, proposed=proposed)
    told = inventory(given, MAPS)
    assert unaccounted(told) == []
    mine = told[told["kind"] == CUSTOM].set_index("field")
    names = {name for types in DEFINED.values() for name in tenant.reference[types]["name"]}
    assert len(names) >= 40
    assert names <= set(mine.index)
    filled = mine[(mine["records"] > 0) & (mine["state"] != "moved")]
    assert filled["why"].str.startswith("Open: ").all()
