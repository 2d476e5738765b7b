"""What a load does to files and notes where jobs change hands, answers are lost and people delete their parents."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
import pytest

from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.values import Intent
from dispatch_to_pipedrive_tests.migration.tenants import RootVersion, Tenant
from dispatch_to_pipedrive_tests.migration.test_files import (
    GATE,
    NOTE,
    alive,
    dies,
    differences,
    home,
    tenant_of,
)
from dispatch_to_pipedrive_tests.migration.test_load import load, record_of, writes
from dispatch_to_pipedrive_tests.migration.world import Crash, World, fresh_ledger


@pytest.fixture
def migration(world: World) -> Iterator[World]:
    """A fresh account with its schema, and a ledger that knows it."""
    world.reset()
    yield fresh_ledger(world)
    world.reset()


@dataclass(frozen=True)
class Handed(Tenant):
    """From generation 2 on the first job of customer 1, its visits and photos belong to customer 2."""

    def frames(self, roots: Sequence[int], generation: int) -> dict[str, pd.DataFrame]:
        found = {}
        for entity, frame in super().frames(sorted(self.roots), generation).items():
            of_job = frame["source_key"].str.fullmatch(
                r"job:100/deal|appointment:100./activity|attachment:1./file"
            )
            if generation > 1:
                frame.loc[of_job, "root"] = 2
            found[entity] = frame[frame["root"].isin(list(roots))].reset_index(drop=True)
        return found


def test_files_of_a_job_that_went_to_another_customer_outlive_the_next_batch_of_the_first(
    migration: World,
) -> None:
    """Nothing of the file itself has changed: it hangs on the same deal."""
    one, two = home(2), RootVersion(True, 0, (), 0)
    tenant = Handed({1: (one, one, one), 2: (two,)}, migration.maps)
    load(migration, tenant)
    load(migration, tenant, 2)
    migration.load(tenant, [1], 3)
    assert len(alive(migration, "files")) == 2
    assert differences(migration, tenant, 3) == []


def test_a_file_whose_way_to_its_new_parent_was_lost_is_sent_again(migration: World) -> None:
    """The request came to nothing, and nobody said so: it must not pass for moved."""
    tenant = tenant_of(migration, home(2, 1), home(2, 1, commercial=False, jobs=0))
    load(migration, tenant)
    for entity, nth in (("files", [1, 2]), ("notes", [1])):
        migration.control("faults", {"kind": "reset_before", "entity": entity, "method": "POST", "nth": nth})
    load(migration, tenant, 2)
    migration.control("faults", {"clear": True})
    assert differences(migration, tenant, 2) == []
    assert (len(alive(migration, "files")), len(alive(migration, "notes"))) == (3, 1)


def test_what_the_source_has_deleted_since_is_not_set_aside_any_more(migration: World) -> None:
    migration.unfetchable[GATE] = "files.example is not on the list"
    tenant = tenant_of(migration, home(0, 1), home(0, 0))
    load(migration, tenant)
    with migration.ledger() as ledger:
        scope = ledger.bound_scope()
        assert scope is not None
        assert ledger.quarantined(scope) != []
        migration.unfetchable.clear()
        load(migration, tenant, 2)
        assert ledger.quarantined(scope) == []


def test_what_was_found_again_is_not_set_aside_any_more(migration: World) -> None:
    migration.unfetchable[GATE] = "files.example is not on the list"
    tenant = tenant_of(migration, home(0, 1))
    load(migration, tenant)
    migration.unfetchable.clear()
    with pytest.raises(Crash):
        load(migration, tenant, retry_quarantined=True, crash=dies("response_received", 1))
    reports = load(migration, tenant)
    assert reports["files"].quarantined == []
    assert differences(migration, tenant) == []
    with migration.ledger() as ledger:
        scope = ledger.bound_scope()
        assert scope is not None
        assert ledger.quarantined(scope) == []


def test_many_files_of_a_deal_that_people_deleted_are_set_aside_and_the_rest_goes_on(
    migration: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatch_to_pipedrive.migration.window.SAME_REFUSALS", 3)
    tenant = tenant_of(migration, home(1), home(6))
    load(migration, tenant)
    deal = record_of(migration, "deals", "job:100/deal")["id"]
    migration.control("edit", {"entity": "deals", "id": deal, "action": "delete"})
    report = load(migration, tenant, 2)["files"]
    assert len(report.quarantined) == 5
    found = differences(migration, tenant, 2)
    assert {verdict for _, _, verdict in found} <= {"gone", "quarantined"}, found


def test_where_the_fetching_of_the_only_file_dies_the_load_ends(migration: World) -> None:
    tenant = tenant_of(migration, home(1))
    with pytest.raises(Crash, match="file_fetched"):
        load(migration, tenant, crash=dies("file_fetched", 1))
    assert load(migration, tenant)["files"].created == 1


def test_a_file_that_went_with_its_deal_is_gone_and_not_missing(migration: World) -> None:
    tenant = tenant_of(migration, home(1))
    load(migration, tenant)
    file = record_of(migration, "files", "attachment:10/file")
    for entity, number in (("files", file["id"]), ("deals", file["deal_id"])):
        migration.control("edit", {"entity": entity, "id": number, "action": "delete"})
    found = [d for d in differences(migration, tenant) if d[0].startswith(("attachment", "job"))]
    assert found == [("job:100/deal", "", "gone"), ("attachment:10/file", "", "gone")]


def test_a_new_text_that_was_refused_is_set_aside_and_not_wrong(migration: World) -> None:
    tenant = tenant_of(migration, home(0, 1), home(0, 1, flavour=2))
    load(migration, tenant)
    words = {"success": False, "error": "Note content is not allowed."}
    migration.control(
        "faults", {"kind": "status", "status": 400, "body": words, "entity": "notes", "method": "PUT"}
    )
    (aside,) = load(migration, tenant, 2)["notes"].quarantined
    migration.control("faults", {"clear": True})
    assert aside.words == "Note content is not allowed."
    assert differences(migration, tenant, 2) == [(NOTE, "", "quarantined")]


def test_many_changes_whose_answers_are_lost_wait_for_one_grace_period(
    migration: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[int] = []

    def counted(session: Session, intents: Sequence[Intent]) -> float:
        waits.append(len(intents))
        return 0.0

    monkeypatch.setattr(Session, "grace_left", counted)
    tenant = tenant_of(migration, home(0, 1), home(0, 1, flavour=2), roots=4)
    load(migration, tenant)
    fault = {"kind": "reset_before", "entity": "notes", "method": "PUT", "nth": [1, 2, 3, 4]}
    migration.control("faults", fault)
    assert load(migration, tenant, 2)["notes"].updated == 4
    migration.control("faults", {"clear": True})
    assert waits == [4]


def test_a_pin_does_not_put_a_note_back_from_where_people_hung_it(migration: World) -> None:
    tenant = tenant_of(migration, home(0, 1), home(0, 1, flavour=1))
    load(migration, tenant)
    migration.control("clock", {"advance": 60})
    note, deal = record_of(migration, "notes", NOTE), record_of(migration, "deals", "job:100/deal")
    theirs = {"org_id": None, "deal_id": deal["id"]}
    migration.control("edit", {"entity": "notes", "id": note["id"], "changes": theirs})
    load(migration, tenant, 2)
    after = record_of(migration, "notes", NOTE)
    assert (after.get("org_id"), after.get("deal_id")) == (None, deal["id"])
    assert "Remark v1" in after["content"]
    assert {verdict for _, _, verdict in differences(migration, tenant, 2)} == {"kept"}


def test_what_a_newer_batch_retired_is_not_missing_from_an_older_one(migration: World) -> None:
    tenant = tenant_of(migration, home(2, 1), home(0))
    load(migration, tenant)
    load(migration, tenant, 2)
    assert differences(migration, tenant, 2) == []
    assert differences(migration, tenant, 1) == []


@dataclass(frozen=True)
class Merged(Tenant):
    """From generation 2 on customer 1 is merged into customer 2, and nothing is left of him."""

    def frames(self, roots: Sequence[int], generation: int) -> dict[str, pd.DataFrame]:
        found = super().frames(roots, generation)
        if generation > 1:
            for entity, frame in found.items():
                left = frame[frame["source_key"] != "customer:1/person"]
                found[entity] = left.map(_winner).assign(root=2).reset_index(drop=True)
        return found


def _winner(value: object) -> object:
    if isinstance(value, list):
        return [_winner(one) for one in value]
    return "customer:2/person" if value == "customer:1/person" else value


def test_who_was_merged_at_the_source_is_not_made_by_an_older_batch_that_comes_late(
    migration: World,
) -> None:
    """What is left of him hangs on the winner: only the batch itself tells that it has brought him."""
    one = RootVersion(False, 1, ((0, 1),), 0)
    tenant = Merged({1: (one, one), 2: (one, one)}, migration.maps)
    migration.load(tenant, [1, 2], 2, batch="delta-0001")
    with migration.ledger() as ledger:
        scope = ledger.bound_scope()
        assert scope is not None
        ledger.plan([tenant.manifest([1, 2], 2, "delta-0001")])
        ledger.report_batch(scope.account, "delta-0001", "retired", "", {})
    before = writes(migration)
    load(migration, tenant)
    assert writes(migration) == before
    assert differences(migration, tenant, 1) == differences(migration, tenant, 2) == []


def test_what_is_deleted_at_the_source_is_not_made_by_an_older_batch_that_comes_late(
    migration: World,
) -> None:
    """Deltas go before waves: a wave may reach a customer whom a newer batch has brought already."""
    tenant = tenant_of(migration, home(2, 1, jobs=2), home(0, jobs=1))
    load(migration, tenant, 2)
    before = writes(migration)
    load(migration, tenant, 1)
    assert writes(migration) == before
    assert differences(migration, tenant, 2) == []
    assert differences(migration, tenant, 1) == []
