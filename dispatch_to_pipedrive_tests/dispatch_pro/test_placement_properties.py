"""Whatever arrives, in whatever order: each record has one winner, one root, and is in one batch."""

from __future__ import annotations

import random
import tempfile

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.placement import (
    CommittedSegment,
    build_placement,
    read_batch,
    root_sizes,
    touched_roots,
)

from .worlds import Generation, Record, appointment, customer, invoice, job, land, location, model, payment

SECONDS = st.sampled_from([0, 0.0000001, 1, 59.9999999])
FEW = st.integers(1, 5)
MAYBE = st.none() | FEW

GENERATION = st.fixed_dictionaries(
    {
        "customers": st.lists(st.builds(customer, FEW, SECONDS, MAYBE), max_size=5),
        "locations": st.lists(st.builds(location, FEW, FEW, SECONDS), max_size=2),
        "jobs": st.lists(st.builds(job, FEW, FEW, SECONDS), max_size=4),
        "appointments": st.lists(st.builds(appointment, FEW, FEW, SECONDS), max_size=4),
        "invoices": st.lists(st.builds(invoice, FEW, MAYBE, MAYBE, SECONDS), max_size=3),
        "payments": st.lists(st.builds(payment, FEW, MAYBE, MAYBE, SECONDS), max_size=3),
    }
)
HISTORY = st.lists(GENERATION, min_size=2, max_size=3)
PLENTY = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))


def placed(data: UPath, generation: int) -> dict[tuple[str, int], int]:
    """(feed, id) → root of all batches together, asserting that none holds a record twice."""
    roots = root_sizes(data, generation)["root"]
    found: dict[tuple[str, int], int] = {}
    for chunk in (roots[::2], roots[1::2]):  # two batches that interleave
        for name, frame in read_batch(data, generation, chunk).items():
            if "." not in name:
                for id_, root in zip(frame["id"], frame["root"], strict=True):
                    assert (name, id_) not in found
                    assert root in set(chunk)
                    found[name, int(id_)] = int(root)
    return found


def numbered(history: list[Generation], upto: int | None = None) -> list[tuple[int, Generation]]:
    return list(enumerate(history[:upto], start=1))


@PLENTY
@given(history=HISTORY, seed=st.randoms(use_true_random=False))
def test_all_batches_together_hold_every_winner_exactly_once(
    history: list[Generation], seed: random.Random
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = UPath(folder)
        segments = [
            one for number, arrived in numbered(history) for one in land(data, number, arrived, pieces=2)
        ]
        seed.shuffle(segments)
        summary = build_placement(data, segments, len(history))
        expected = model(numbered(history))
        assert placed(data, len(history)) == {
            key: root for key, (root, _) in expected.items() if root is not None
        }
        assert sum(summary.waiting.values()) == sum(root is None for root, _ in expected.values())
        everything = read_batch(data, len(history), root_sizes(data, len(history))["root"])
        for (feed, id_), (root, record) in expected.items():
            if root is not None:
                row = everything[feed].set_index("id").loc[id_]
                assert row["modified_on"] == record["modifiedOn"]


@PLENTY
@given(history=HISTORY)
def test_generation_by_generation_gives_the_same_and_tells_what_it_touched(history: list[Generation]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = UPath(folder)
        segments: list[CommittedSegment] = []
        for number, arrived in numbered(history):
            segments += land(data, number, arrived)
            build_placement(data, segments, number, previous=number - 1 or None)
        last = len(history)
        before, after = model(numbered(history, last - 1)), model(numbered(history))
        changed = [key for key in after if before.get(key) != after[key]]
        roots = {side[key][0] for key in changed for side in (before, after) if key in side} - {None}
        assert set(touched_roots(data, last - 1, last)) >= roots
        assert touched_roots(data, last, last) == []
        step_by_step, sizes = placed(data, last), root_sizes(data, last)
        build_placement(data, segments, last)
        assert placed(data, last) == step_by_step
        pd.testing.assert_frame_equal(root_sizes(data, last), sizes)


@pytest.mark.promise("R007", "R060")
@PLENTY
@given(arrived=GENERATION, replayed=st.randoms(use_true_random=False))
def test_an_advance_that_is_repeated_or_replayed_changes_no_winner(
    arrived: Generation, replayed: random.Random
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = UPath(folder)
        land(data, 1, arrived)  # an advance that was interrupted: landed, never committed
        segments = land(data, 1, arrived)
        build_placement(data, segments, 1)
        winners = {key: record for key, (_, record) in model([(1, arrived)]).items()}
        again: dict[str, list[Record]] = {feed: [] for feed in arrived}
        for (feed, _), record in winners.items():
            again[feed] += [record] * replayed.randint(0, 2)
        segments += land(data, 2, again)
        build_placement(data, segments, 2, previous=1)
        roots = root_sizes(data, 1)["root"]
        first, second = read_batch(data, 1, roots), read_batch(data, 2, roots)
        for name, frame in first.items():
            pd.testing.assert_frame_equal(frame, second[name])
