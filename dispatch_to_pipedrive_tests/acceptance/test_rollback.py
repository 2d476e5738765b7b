"""One can always go back: a migration undone is an account as it was before, and reapplied it is the same again."""

import json
from pathlib import Path
from typing import Any

import pytest

from dispatch_to_pipedrive_tests.acceptance.accounts import comparable, stamps
from dispatch_to_pipedrive_tests.acceptance.world import Migrated, Migration
from dispatch_to_pipedrive_tests.undone import without_what_is_gone

ADA = ("--as", "Ada Lovelace")


def seen(migration: Migration) -> dict[str, Any]:
    """The account as people see it."""
    return without_what_is_gone(migration.account("dump"))


def status(migration: Migration) -> dict[str, Any]:
    ended = migration.run("status", "--json")
    found: dict[str, Any] = json.loads(ended.said)
    return found


@pytest.mark.promise("R001", "R087", "R088")
def test_undone_in_spite_of_a_kill_and_brought_again(migrated: Migrated, tmp_path: Path) -> None:
    migration = migrated.again(tmp_path / "home")
    meant = without_what_is_gone(migrated.dump)
    looked = migration.run("rollback", "--schema", "--dry-run")
    assert looked.code == 0, looked.said
    assert "price:" in looked.said
    assert "schema, would be deleted" in looked.said
    assert migration.writes == 0
    assert not (migration.home / "reports" / "rollback").exists()

    killed = migration.start("rollback", "--schema", *ADA, kill_at=("outcomes_committed", 2)).wait()
    assert killed.code == -9, killed.said
    assert 0 < len(stamps(migration.account("dump"))) < len(stamps(meant))
    assert status(migration)["state"] == "rolling back"
    refused = migration.migrate()
    assert refused.code == 1
    assert "a rollback begun by Ada Lovelace" in refused.said
    other = migration.run("rollback", "--batch", "sample", "--as", "Eve")
    assert (other.code, "has not ended" in other.said) == (1, True), other.said

    ended = migration.run("rollback", "--as", "Grace Hopper")
    assert ended.code == 0, ended.said
    assert "goes on with the rollback that was begun by Ada Lovelace" in ended.said
    assert f"{len(stamps(meant)):,} records deleted" in ended.said
    assert seen(migration) == without_what_is_gone(migrated.before)
    told = status(migration)
    assert told["state"] == "rolled back"
    assert {batch["state"] for batch in told["batches"]} == {"rolled back"}
    (folder,) = (migration.home / "reports" / "rollback").iterdir()
    assert {file.name for file in folder.iterdir()} == {
        *("plan.csv", "kept.csv", "irreversible.csv", "refused.csv", "schema.csv")
    }
    assert len((folder / "plan.csv").read_text(encoding="utf-8-sig").splitlines()) - 1 == len(stamps(meant))

    again = migration.run("reapply", *ADA)
    assert again.code == 0, again.said
    now = seen(migration)
    assert stamps(now) == stamps(meant)
    assert comparable(now) == comparable(meant)
    assert migration.run("rollback", "--schema").code == 2

    edited = people_work(migration, now)
    before = seen(migration)
    ended = migration.run("rollback", "--schema", *ADA)
    assert ended.code == 0, ended.said
    only_theirs_is_left(seen(migration), before, edited)


def people_work(migration: Migration, now: dict[str, Any]) -> dict[str, set[int]]:
    """An edit, a note on a deal of ours, and a deal of their own in our pipeline; entity → ids of theirs."""

    def edit(**body: Any) -> int:
        return int(migration.account("edit", body)["id"])

    organization = next(one for one in now["entities"]["organizations"] if one.get("label_ids"))
    edit(entity="organizations", id=organization["id"], changes={"name": "Renamed by people"})
    deal = next(one for one in now["entities"]["deals"] if one.get("person_id"))
    note = edit(entity="notes", action="create", changes={"content": "call back", "deal_id": deal["id"]})
    (pipeline,) = (one["id"] for one in now["pipelines"] if one["id"] == deal["pipeline_id"])
    place = {"pipeline_id": pipeline, "stage_id": deal["stage_id"]}
    own = edit(entity="deals", action="create", changes={"title": "theirs", **place})
    return {"notes": {note}, "deals": {own}, "kept": {organization["id"], deal["id"], deal["person_id"]}}


def only_theirs_is_left(after: dict[str, Any], before: dict[str, Any], edited: dict[str, set[int]]) -> None:
    """What people made or touched, with what it hangs on, and of the schema what these records need."""
    left = {entity: {one["id"]: one for one in records} for entity, records in after["entities"].items()}
    for entity, records in left.items():
        was = {one["id"]: one for one in before["entities"][entity]}
        assert {number: was[number] for number in records} == records
        assert edited.get(entity, set()) <= set(records)
    kept = [
        (entity, number) for entity in left for number in left[entity] if number not in edited.get(entity, ())
    ]
    assert {number for _, number in kept} >= edited["kept"]
    assert {entity for entity, _ in kept} <= {"organizations", "persons", "deals"}
    assert len(kept) < 8
    for entity in ("organizations", "persons", "deals"):
        custom = {field["code"] for field in after["fields"][entity] if field["custom"]}
        borne = {code for one in left[entity].values() for code in one.get("custom_fields") or ()}
        assert custom == borne
    stages = {one["stage_id"] for one in left["deals"].values()}
    assert stages <= {one["id"] for one in after["stages"]}
    ours = {one["id"] for one in before["pipelines"]} - {1}
    assert {one["id"] for one in after["stages"] if one["pipeline_id"] in ours} == stages
