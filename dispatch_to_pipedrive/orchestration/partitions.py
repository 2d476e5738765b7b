"""What the keys of batches look like: one dynamic partitions definition carries a batch along its whole chain."""

import re
from collections.abc import Iterable

import dagster as dg

BATCHES = dg.DynamicPartitionsDefinition(name="batch")
_KEY = re.compile(r"sample|(?:wave|delta)-[0-9]{4,}")


def batch_key(key: str) -> str:
    """The key itself, if it is one; Dagster checks nothing, and `..`, `,`, `|` and `/` have meanings of their own."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is no batch key: sample, wave-0001, delta-0001")
    return key


def add_batches(instance: dg.DagsterInstance, keys: Iterable[str]) -> list[str]:
    """Make every batch known to Dagster; the keys that were new."""
    known = set(instance.get_dynamic_partitions("batch"))
    new = [batch_key(key) for key in keys if key not in known]
    if new:
        instance.add_dynamic_partitions("batch", new)
    return new
