"""Killed again and again, the migration ends where an undisturbed one does."""

import random
from collections.abc import Callable

import pytest

from dispatch_to_pipedrive.migration.faults import POINTS
from dispatch_to_pipedrive_tests.acceptance.accounts import comparable, stamps
from dispatch_to_pipedrive_tests.acceptance.world import APPROVED, Migrated, Migration

ROUND_TRIP = ("request_sending", "response_received", "intents_committed", "outcomes_committed")
"""The points that a record passes: met in turn, with so few passes that work is left for the next."""
PASSES = {
    "schema_intent_committed": 4,
    "schema_step_sent": 4,
    "schema_outcome_committed": 4,
    "request_sending": 9,
    "response_received": 4,
    "file_fetched": 2,
    "last_look": 4,
    "settled": 3,
    "entity_loaded": 3,
    "retiring": 3,
}
"""The most passes after which a point may kill; 1 where none is said."""


ROAD = tuple(point for point in POINTS if not point.startswith("undo_"))
"""What a migration passes; the points of an undo have tests of their own."""
ONCE = ("placement_written", "manifests_planned")
"""A generation is placed once, and batches are planned once: who is killed there twice was killed in two homes."""


def kills() -> list[tuple[str, int]]:
    """34 kills in the order of the road: each point twice where a home can, at seeded passes."""
    chance = random.Random("kills")
    before = ROAD[: ROAD.index("file_fetched")]
    after = [point for point in ROAD if point not in (*before, *ROUND_TRIP)]
    order = [
        *(point for point in before for _ in range(2 - (point in ONCE)) if point not in ROUND_TRIP),
        *(*ROUND_TRIP, *ROUND_TRIP, "response_received", "outcomes_committed"),
        *(point for point in after for _ in range(2)),
    ]
    return [(point, chance.randint(1, PASSES.get(point, 1))) for point in order]


def test_the_kills_meet_every_point() -> None:
    assert {point for point, _ in kills()} == set(ROAD)
    assert len(kills()) == 34


@pytest.mark.parametrize(
    ("chosen", "through"),
    [(slice(5, None, 5), "sample"), pytest.param(slice(None), "full", marks=pytest.mark.soak)],
    ids=["6", "34"],
)
def test_killed_again_and_again_it_ends_where_an_undisturbed_run_does(
    chosen: slice, through: str, migrated: Migrated, migration: Callable[..., Migration]
) -> None:
    """So small a tenant is its own sample, so the sample passes every point."""
    disturbed = migration()
    for point, passes in kills()[chosen]:
        ended = disturbed.start("migrate", "--through", through, *APPROVED, kill_at=(point, passes)).wait()
        assert ended.code == -9, f"{point} was not passed {passes} times:\n{ended.said}"
    ended = disturbed.migrate()
    assert ended.code == 0, ended.said
    dump = disturbed.account("dump")
    assert stamps(dump) == stamps(migrated.dump)
    assert comparable(dump) == comparable(migrated.dump)
