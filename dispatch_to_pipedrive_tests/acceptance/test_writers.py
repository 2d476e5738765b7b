"""The people who work beside the tests do what they say, and the same again by the same seed."""

from collections.abc import Callable
from pathlib import Path

from dispatch_to_pipedrive_tests.acceptance.accounts import stamp
from dispatch_to_pipedrive_tests.acceptance.world import Migrated
from dispatch_to_pipedrive_tests.program import wait_until
from dispatch_to_pipedrive_tests.sandbox_process import Sandbox
from dispatch_to_pipedrive_tests.writers import Office, Users, at_work
from dispatch_to_pipedrive_tests.writers.office import KINDS


def test_an_office_does_everything_that_offices_do_in_an_order_of_its_seed(
    new_sandbox: Callable[..., Sandbox],
) -> None:
    said = []
    for _ in range(2):
        sandbox = new_sandbox(customers=10, seed=3, no_limits=True)
        sandbox.control("dispatch", "clock", {"speed": 0, "set": "2026-06-15T15:00:00Z"})
        office = Office(sandbox)
        for kind in KINDS:
            assert office.change(kind) == kind
        for _ in range(40):
            office.change()
        said.append(office.recent)
        office.close()
    assert said[0] == said[1]


def test_who_works_beside_a_test_keeps_to_the_sandboxs_clock(new_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = new_sandbox(customers=2, seed=3, no_limits=True)
    sandbox.control("dispatch", "clock", {"speed": 0})
    office = Office(sandbox)
    with at_work(office):
        sandbox.advance(10)
        wait_until(lambda: office.done.total() >= 20, 60)
    assert office.done.total() == 20


def test_users_leave_in_the_account_what_they_did(migrated: Migrated, tmp_path: Path) -> None:
    migrated.fresh(tmp_path / "home")
    users = Users(migrated.sandbox)
    for action in (users.edit, users.delete, users.merge, users.duplicate, users.note, users.file, users.add):
        for _ in range(4):
            assert action() is not None
    users.merge_into_own("persons")
    users.close()
    dump = migrated.sandbox.control("pipedrive", "dump")
    found = {entity: {r["id"]: r for r in records} for entity, records in dump["entities"].items()}
    lost = {(one.entity, one.id) for one in users.done if one.kind in ("delete", "merge", "merge_into_own")}
    edited = {(one.entity, one.id, one.field): one.value for one in users.done if one.kind == "edit"}
    for entity, number in lost:
        assert found[entity][number]["is_deleted"]
    for (entity, number, field), value in edited.items():
        assert (entity, number) in lost or found[entity][number][field] == value
    for one in users.done:
        if one.kind == "duplicate":
            copy = found["deals"][one.made]
            assert (copy["creator_user_id"], stamp(dump, "deals", copy)) == (2, one.stamp)
        elif one.kind in ("note", "file"):
            assert found[f"{one.kind}s"][one.made]["user_id"] == 2
        elif one.kind == "merge_into_own":
            assert stamp(dump, one.entity, found[one.entity][one.value]) == one.stamp
    assert migrated.sandbox.control("pipedrive", "stats")["writes"] == 0
