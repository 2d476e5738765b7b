"""Migrate, edit, delta, crash, rollback, reapply, in any order: the account ends as if nothing was ever undone.

No stamp stands twice, no record is an orphan, children bear their parents' new ids, and what people touched survives.
"""

import os

import pytest

from dispatch_to_pipedrive.migration.ledger import tables
from dispatch_to_pipedrive_tests.migration.undo_machine import run_machine
from dispatch_to_pipedrive_tests.migration.world import World, fresh_ledger
from dispatch_to_pipedrive_tests.postgres import Contents

EXAMPLES = int(os.environ.get("UNDO_EXAMPLES", "100"))


@pytest.mark.promise("R001", "R087", "R088")
@pytest.mark.parametrize("part", range(4))
def test_forth_and_back_in_any_order_ends_in_the_wanted_state(part: int, world: World) -> None:
    run_machine(lambda: fresh_ledger(world), EXAMPLES // 4)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(20))
def test_two_thousand_runs(part: int, world: World) -> None:
    run_machine(lambda: fresh_ledger(world), 100)


def test_the_same_holds_on_postgresql(world_on_postgres: World) -> None:
    contents = Contents(world_on_postgres.ledger_url, tables.metadata)

    def prepared() -> World:
        contents.put_back()
        return world_on_postgres

    run_machine(prepared, max(1, EXAMPLES * 15 // 100))
