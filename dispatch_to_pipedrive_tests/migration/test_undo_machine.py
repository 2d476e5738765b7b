"""Migrate, edit, delta, crash, rollback, reapply, in any order: the account ends as if nothing was ever undone.

No stamp stands twice, no record is an orphan, children bear their parents' new ids, and what people touched survives.
"""

import os
from dataclasses import replace

import pytest

from dispatch_to_pipedrive.migration.ledger import tables
from dispatch_to_pipedrive.migration.undo import carry_out, look
from dispatch_to_pipedrive.migration.undo.restore import Restoration
from dispatch_to_pipedrive.migration.window import Draft
from dispatch_to_pipedrive_tests.migration.tenants import RootVersion
from dispatch_to_pipedrive_tests.migration.undo_machine import EVERYTHING, UndoMachine, run_machine
from dispatch_to_pipedrive_tests.migration.world import World, fresh_ledger
from dispatch_to_pipedrive_tests.postgres import Contents

EXAMPLES = int(os.environ.get("UNDO_EXAMPLES", "60"))


@pytest.mark.promise("R001", "R087", "R088")
@pytest.mark.parametrize("part", range(4))
def test_forth_and_back_in_any_order_ends_in_the_wanted_state(part: int, world: World) -> None:
    known = world.learn_schema()
    run_machine(lambda: fresh_ledger(known), EXAMPLES // 4)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(20))
def test_two_thousand_runs(part: int, world: World) -> None:
    known = world.learn_schema()
    run_machine(lambda: fresh_ledger(known), 100)


def test_the_same_holds_on_postgresql(world_on_postgres: World) -> None:
    contents = Contents(world_on_postgres.ledger_url, tables.metadata)
    known = world_on_postgres.learn_schema()

    def prepared() -> World:
        contents.put_back()
        return known

    run_machine(prepared, max(1, EXAMPLES * 10 // 60))


def scripted(world: World, **rooms: RootVersion) -> UndoMachine:
    """The machine with one customer, driven by hand: what it checks must be able to fail."""

    class Machine(UndoMachine):
        def __init__(self) -> None:
            self.world = fresh_ledger(world)
            super().__init__()

    machine = Machine()
    first = RootVersion(False, 1, ((0, 1),), 0)
    versions = [rooms.get("first", first), rooms.get("second", RootVersion(False, 1, ((0, 1),), 1))]
    machine.begin(rooms=[versions, [first]], lost=0.0, seed=0, loaded=1)
    return machine


def undo_all(machine: UndoMachine) -> None:
    machine.roll_back(which=EVERYTHING, force=False, crash=None)


def test_the_machine_fails_where_undo_ignores_what_people_edited(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = scripted(world)
    machine.edit(which=0, what="field")
    undo_all(machine)
    machine.teardown()
    for module in (look, carry_out):
        monkeypatch.setattr(module, "touched_fields", lambda *_: [])
    machine = scripted(world)
    machine.edit(which=0, what="field")
    with pytest.raises(AssertionError, match="was edited"):
        undo_all(machine)


def test_force_gives_back_what_people_edited_and_the_batch_had_changed(world: World) -> None:
    machine = scripted(world)
    machine.load(half=0, generation=2, crash=None)
    for which in range(len(machine.ours())):
        machine.edit(which=which, what="field")
    machine.roll_back(which=1, force=True, crash=None)
    now = machine.snapshot()
    kept = [
        now[place] for place, edits in machine.theirs.edits.items() if edits.items() <= now[place].items()
    ]
    assert 0 < len(kept) < len(machine.theirs.edits)
    machine.teardown()


async def _nothing(*_: object) -> list[str]:
    return []


def test_the_machine_fails_where_undo_ignores_what_people_hung_on_a_record(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (look, carry_out):
        monkeypatch.setattr(module, "others_on", _nothing)
    machine = scripted(world)
    machine.edit(which=5, what="hang")
    assert machine.theirs.made
    with pytest.raises(AssertionError, match="of theirs"):
        undo_all(machine)


def test_the_machine_fails_where_undo_gives_nothing_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = scripted(world)
    machine.load(half=0, generation=2, crash=None)
    machine.roll_back(which=1, force=False, crash=None)
    monkeypatch.setattr(look, "restoration", lambda *_, **__: Restoration({}))
    machine = scripted(world)
    machine.load(half=0, generation=2, crash=None)
    with pytest.raises(AssertionError):
        machine.roll_back(which=1, force=False, crash=None)


def test_the_machine_fails_where_links_of_what_was_deleted_keep_their_generation(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    deletion = carry_out._Undoing._deletion

    def as_it_was(self: carry_out._Undoing, one: look.Going) -> Draft:
        draft = deletion(self, one)
        return draft._replace(intent=replace(draft.intent, generation=9))

    monkeypatch.setattr(carry_out._Undoing, "_deletion", as_it_was)
    machine = scripted(world)
    undo_all(machine)
    with pytest.raises(AssertionError):
        machine.teardown()
