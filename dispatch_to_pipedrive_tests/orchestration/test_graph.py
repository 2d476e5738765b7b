"""What the code location holds: every change to the asset graph is a change of the snapshot."""

from itertools import pairwise
from typing import Any

import dagster as dg
import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from dispatch_to_pipedrive.definitions import defs
from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS
from dispatch_to_pipedrive.mapping import ENTITIES
from dispatch_to_pipedrive.orchestration.partitions import BATCHES, add_batches, batch_key

GRAPH = defs.resolve_asset_graph()
SPECS = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


def test_the_definitions_load() -> None:
    dg.Definitions.validate_loadable(defs)


def test_the_asset_graph(snapshot: SnapshotAssertion) -> None:
    graph: dict[str, Any] = {
        name: {
            "after": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
            "group": spec.group_name,
            "kinds": sorted(spec.kinds),
            "owners": list(spec.owners),
            "partitioned": spec.partitions_def is not None,
            "pool": sorted(GRAPH.get(spec.key).pools or ()),
        }
        for name, spec in sorted(SPECS.items())
    }
    assert graph == snapshot(extension_class=JSONSnapshotExtension)


def test_the_jobs(snapshot: SnapshotAssertion) -> None:
    jobs = {
        job.name: sorted(key.to_user_string() for key in job.asset_layer.executable_asset_keys)
        for job in (defs.resolve_job_def(name) for name in ("plan_batches", "prepare", "load", "reconcile"))
    }
    assert jobs == snapshot(extension_class=JSONSnapshotExtension)
    advance = defs.resolve_job_def("advance_source").asset_layer.executable_asset_keys
    assert {key.to_user_string() for key in advance} == {
        *(f"raw/{feed}" for feed in FEEDS),
        "placement",
        "features",
    }


def test_every_asset_says_what_it_is_for_and_whose_it_is() -> None:
    silent = [
        name for name, spec in SPECS.items() if not (spec.description and spec.owners and spec.group_name)
    ]
    assert silent == []


@pytest.mark.promise("R017", "R078")
def test_entities_are_loaded_in_the_order_of_foreign_keys_and_retired_last() -> None:
    chain = [f"pipedrive/{entity}" for entity in ENTITIES] + ["pipedrive/retired"]
    for before, after in pairwise(chain):
        assert before in {dep.asset_key.to_user_string() for dep in SPECS[after].deps}


def test_whatever_writes_to_the_account_waits_its_turn_in_one_pool() -> None:
    writing = [name for name in SPECS if name.startswith("pipedrive/")] + ["pipedrive_schema"]
    assert {pool for name in writing for pool in GRAPH.get(SPECS[name].key).pools or ()} == {"pipedrive"}


def test_one_partitions_definition_carries_a_batch_along_its_chain() -> None:
    partitioned = {name for name, spec in SPECS.items() if spec.partitions_def is not None}
    assert all(SPECS[name].partitions_def == BATCHES for name in partitioned)
    assert partitioned == {
        "clearance",
        "reconciliation",
        "pipedrive/retired",
        "normalized/not_carried",
        *(f"{room}/{entity}" for entity in ENTITIES for room in ("normalized", "pipedrive")),
    }


@pytest.mark.promise("R083")
def test_the_gates_and_the_verdicts_block() -> None:
    blocking = {
        (spec.asset_key.to_user_string(), spec.name)
        for checks in defs.asset_checks or []
        for spec in checks.check_specs  # type: ignore[union-attr]
        if spec.blocking
    }
    assert blocking == {
        ("clearance", "every_gate_is_open"),
        ("reconciliation", "nothing_missing_wrong_or_extra"),
        ("reconciliation", "money_is_the_sources_to_the_cent"),
        ("reconciliation", "audit_chain_is_whole"),
        ("reconciliation", "every_write_is_in_the_log"),
    }


@pytest.mark.parametrize("key", ["sample", "wave-0001", "delta-12345"])
def test_batch_keys(key: str) -> None:
    assert batch_key(key) == key


@pytest.mark.parametrize("key", ["", "wave-1", "wave-0001,wave-0002", "a..b", "sample/1", "Wave-0001"])
def test_what_is_no_batch_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="no batch key"):
        batch_key(key)


def test_batches_become_partitions_once() -> None:
    instance = dg.DagsterInstance.ephemeral()
    assert add_batches(instance, ["sample", "wave-0001"]) == ["sample", "wave-0001"]
    assert add_batches(instance, ["sample", "wave-0001", "wave-0002"]) == ["wave-0002"]
