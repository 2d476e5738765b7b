"""What undoing batches deletes, gives back, keeps, and cannot give back."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from dispatch_to_pipedrive.migration.errors import LeaseLost
from dispatch_to_pipedrive.migration.ledger import Scope
from dispatch_to_pipedrive.migration.undo import plan as plan_module
from dispatch_to_pipedrive.migration.undo.history import Op, in_force
from dispatch_to_pipedrive.migration.undo.plan import batches_to_undo
from dispatch_to_pipedrive.migration.values import ENTITIES, Link
from dispatch_to_pipedrive.pipedrive.errors import BudgetSpent
from dispatch_to_pipedrive_tests.migration.tenants import RootVersion, Tenant
from dispatch_to_pipedrive_tests.migration.world import Crash, World, dies_at, fresh_ledger

OPEN = RootVersion(True, 1, ((0, 1),), 0, photos=2, remarks=1)
WON = replace(OPEN, contacts=2, jobs=((2, 1), (0, 1)), flavour=1)
CLOSED = replace(OPEN, jobs=((2, 1),), flavour=3)
LOST = replace(OPEN, jobs=((3, 1),), flavour=2)
ORGANIZATION, PERSON, DEAL = "customer:1/organization", "customer:1/person", "job:100/deal"


@pytest.fixture
def copy(world: World) -> World:
    world.reset()
    return fresh_ledger(world)


def tenant_of(world: World, *histories: tuple[RootVersion, ...]) -> Tenant:
    return Tenant(dict(enumerate(histories, start=1)), world.maps)


def link_of(world: World, entity: str, key: str) -> Link:
    with world.ledger() as ledger:
        return ledger.links(_scope(world), entity, [key])[key]


def _scope(world: World) -> Scope:
    return Scope(str(world.base["company_id"]), "1")


def record_of(world: World, entity: str, key: str) -> dict[str, Any]:
    number = link_of(world, entity, key).pipedrive_id
    rows = world.control("dump")["entities"][entity]
    records: list[dict[str, Any]] = list(rows.values()) if isinstance(rows, dict) else rows
    return next(record for record in records if record["id"] == number)


def edit(world: World, entity: str, key: str, **changes: Any) -> None:
    """People change fields of a record; the account's clock moves on, for it has whole seconds."""
    world.control("clock", {"advance": 2})
    number = link_of(world, entity, key).pipedrive_id
    world.control("edit", {"entity": entity, "id": number, "changes": changes})


def spent(world: World, what: Callable[[], object]) -> int:
    """Tokens that it took."""
    before = world.control("stats")["tokens"]
    what()
    return int(world.control("stats")["tokens"]) - before


def between_look_and_write(world: World, **changes: Any) -> Callable[[str], None]:
    """A hook by which people edit the first deal once, when it was looked at and before it is written."""
    once = [1]

    def hook(point: str) -> None:
        if point == "undo_looked" and once:
            once.clear()
            edit(world, "deals", DEAL, **changes)

    return hook


def kept(world: World, batches: list[str] | None = None, *, force: bool = False) -> dict[str, str]:
    """Source key → why it stays."""
    return {step.source_key: step.why for step in world.undo_plan(batches, force=force).keeps}


@pytest.mark.promise("R001", "R087")
def test_all_that_a_batch_made_goes_and_a_plan_only_reads(copy: World) -> None:
    tenant = tenant_of(copy, (OPEN,), (WON,))
    copy.load(tenant, [1, 2], 1)
    writes = copy.control("stats")["writes"]
    plan = copy.undo_plan()
    assert copy.control("stats")["writes"] == writes
    assert plan.batches == ("wave-0001",)
    assert len(plan.deletes) == sum(copy.alive().values())
    assert not (plan.restores or plan.keeps or plan.irreversible or plan.cuts_into)
    assert [s.entity for s in plan.deletes] == sorted(
        (s.entity for s in plan.deletes), key=ENTITIES.index, reverse=True
    )
    report = copy.undo()
    assert (report.deleted, report.kept, report.refused) == (len(plan.deletes), 0, [])
    assert sum(copy.alive().values()) == 0
    assert not copy.undo_plan().deletes
    copy.load(tenant, [1, 2], 1)
    assert copy.verify(tenant, [1, 2], 1).differences == []


def test_a_delta_goes_and_the_wave_stays_as_it_was(copy: World) -> None:
    tenant = tenant_of(copy, (OPEN, WON))
    copy.load(tenant, [1], 1)
    copy.load(tenant, [1], 2, batch="delta-0001")
    plan = copy.undo_plan(["delta-0001"])
    assert {step.batch for step in plan.restores} == {"delta-0001"} and not plan.cuts_into
    assert DEAL in {step.source_key for step in plan.restores}
    assert {step.source_key for step in plan.deletes} >= {"job:101/deal"}
    copy.undo(["delta-0001"])
    assert copy.verify(tenant, [1], 1).differences == []
    copy.load(tenant, [1], 2, batch="delta-0001")
    assert copy.verify(tenant, [1], 2).differences == []


def test_undoing_a_batch_cuts_into_what_later_ones_did_to_its_records(copy: World) -> None:
    tenant = tenant_of(copy, (OPEN, WON, LOST), (OPEN, OPEN, WON))
    copy.load(tenant, [1, 2], 1)
    copy.load(tenant, [1], 2, batch="delta-0001")
    copy.load(tenant, [1, 2], 3, batch="delta-0002")
    plan = copy.undo_plan(["delta-0001"])
    assert plan.cuts_into == ("delta-0002",) and plan.undone == ("delta-0001", "delta-0002")
    copy.undo(["delta-0001"])
    # The other customer keeps what the later delta brought.
    assert [d.source_key for d in copy.verify(tenant, [2], 3).differences] == []
    with copy.ledger() as ledger:
        assert ledger.rolled_back(_scope(copy).account) == {"delta-0001", "delta-0002"}
    copy.load(tenant, [1], 2, batch="delta-0001")
    copy.load(tenant, [1, 2], 3, batch="delta-0002")
    assert copy.verify(tenant, [1, 2], 3).differences == []
    assert copy.undo_plan(["delta-0002"]).cuts_into == ()


def test_what_hangs_on_a_record_goes_with_it_whatever_batch_made_it(copy: World) -> None:
    alone = replace(OPEN, jobs=(), photos=0, remarks=0)
    tenant = tenant_of(copy, (alone, OPEN))
    copy.load(tenant, [1], 1)
    copy.load(tenant, [1], 2, batch="delta-0001")
    plan = copy.undo_plan(["wave-0001"])
    assert plan.cuts_into == ("delta-0001",)
    assert {s.source_key: s.batch for s in plan.deletes}[DEAL] == "delta-0001"
    copy.undo(["wave-0001"])
    assert sum(copy.alive().values()) == 0


def test_what_a_cut_left_standing_is_undone_with_everything(copy: World) -> None:
    tenant = tenant_of(copy, (OPEN, WON), (OPEN, OPEN))
    copy.load(tenant, [1], 1)
    copy.load(tenant, [1, 2], 2, batch="delta-0001")
    copy.undo(["wave-0001"])
    account = _scope(copy).account
    with copy.ledger() as ledger:
        assert ledger.rolled_back(account) == {"wave-0001", "delta-0001"}
        assert batches_to_undo(ledger, _scope(copy)) == ["delta-0001"]
    assert copy.alive()["deals"] == 1
    copy.undo()
    assert sum(copy.alive().values()) == 0
    with copy.ledger() as ledger:
        assert batches_to_undo(ledger, _scope(copy)) == []


def test_a_batch_that_found_its_records_made_loses_them_with_those_who_made_them(copy: World) -> None:
    tenant = tenant_of(copy, (OPEN, LOST), (OPEN,))
    copy.load(tenant, [1], 1, batch="sample")
    copy.load(tenant, [1, 2], 1)
    copy.load(tenant, [1], 2, batch="delta-0001")
    account = _scope(copy).account
    with copy.ledger() as ledger:
        ledger.plan(
            [
                *(tenant.manifest([1], 1, "sample"), tenant.manifest([1, 2], 1, "wave-0001")),
                *(tenant.manifest([1], 2, "delta-0001"), tenant.manifest([1, 2], 2, "delta-0002")),
            ]
        )
        for batch in ("sample", "wave-0001", "delta-0001"):
            ledger.report_batch(account, batch, "retired", "", {})
    assert copy.undo_plan(["delta-0001"]).cuts_into == ()
    assert set(copy.undo_plan(["sample"]).cuts_into) == {"wave-0001", "delta-0001"}
    copy.undo(["sample"])
    with copy.ledger() as ledger:
        assert ledger.rolled_back(account) == {"sample", "wave-0001", "delta-0001"}
        assert batches_to_undo(ledger, _scope(copy)) == ["wave-0001"]


@pytest.mark.parametrize("changes", [{"title": "Mine"}, {"probability": 40}])
def test_what_people_edited_stays_with_all_that_it_hangs_on(copy: World, changes: dict[str, Any]) -> None:
    tenant = tenant_of(copy, (OPEN,))
    copy.load(tenant, [1], 1)
    edit(copy, "deals", DEAL, **changes)
    plan = copy.undo_plan()
    assert {s.source_key: s.fields for s in plan.keeps} == {
        DEAL: tuple(changes),
        PERSON: (),
        ORGANIZATION: (),
    }
    copy.undo()
    assert copy.alive() == {**dict.fromkeys(ENTITIES, 0), "deals": 1, "persons": 1, "organizations": 1}
    assert link_of(copy, "deals", DEAL).state == "kept"
    edited = record_of(copy, "deals", DEAL)
    copy.load(tenant, [1], 1)
    assert {d.verdict for d in copy.verify(tenant, [1], 1).differences} <= {"kept"}
    assert record_of(copy, "deals", DEAL) == edited


def test_force_deletes_what_people_edited_but_not_what_they_hung_something_on(copy: World) -> None:
    tenant = tenant_of(copy, (OPEN,), (OPEN,))
    copy.load(tenant, [1, 2], 1)
    edit(copy, "deals", DEAL, title="Mine")
    host = link_of(copy, "deals", "job:200/deal").pipedrive_id
    copy.control(
        "edit", {"entity": "notes", "action": "create", "changes": {"content": "Mine", "deal_id": host}}
    )
    stay = {"job:200/deal", "customer:2/person", "customer:2/organization"}
    assert kept(copy, force=True).keys() == stay
    copy.undo(force=True)
    assert copy.alive()["deals"] == 1 and copy.alive()["notes"] == 1


@pytest.mark.parametrize("kind", ["notes", "files", "activities", "deals", "persons"])
def test_what_people_hang_on_a_record_keeps_it(copy: World, kind: str) -> None:
    tenant = tenant_of(copy, (OPEN,))
    copy.load(tenant, [1], 1)
    host = link_of(copy, "organizations", ORGANIZATION).pipedrive_id
    name = {"notes": "content", "activities": "subject", "deals": "title"}.get(kind, "name")
    body = {"entity": kind, "action": "create", "changes": {name: "Mine", "org_id": host}, "content": "aGk="}
    copy.control("edit", body)
    why = kept(copy)
    assert why.keys() == {ORGANIZATION} and f"{kind}: 1" in why[ORGANIZATION]
    copy.undo()
    assert copy.alive() == {**dict.fromkeys(ENTITIES, 0), "organizations": 1, kind: 1}
    copy.load(tenant, [1], 1)
    assert copy.verify(tenant, [1], 1).differences == []


@pytest.mark.parametrize(("name", "entity"), [("person_id", "persons"), ("organization_id", "organizations")])
def test_a_lead_of_theirs_keeps_its_contact(copy: World, name: str, entity: str) -> None:
    tenant = tenant_of(copy, (OPEN,))
    copy.load(tenant, [1], 1)
    key = PERSON if entity == "persons" else ORGANIZATION
    lead = {
        "title": "Mine",
        name: link_of(copy, entity, key).pipedrive_id,
        "is_archived": name == "person_id",
    }
    copy.control("edit", {"entity": "leads", "action": "create", "changes": lead})
    assert kept(copy)[key] == "people hung something on it (leads: 1)"
    copy.undo(force=True)
    hosts = {"organizations": 1, **({"persons": 1} if entity == "persons" else {})}
    assert copy.alive() == {**dict.fromkeys(ENTITIES, 0), **hosts}


def test_where_leads_cannot_be_read_the_plan_says_so(copy: World) -> None:
    tenant = tenant_of(copy, (OPEN,))
    copy.load(tenant, [1], 1)
    copy.control("faults", {"rules": [{"kind": "status", "status": 403, "method": "GET", "entity": "leads"}]})
    assert "leads cannot be read" in copy.undo_plan().irreversible[-1]
    copy.undo()
    assert sum(copy.alive().values()) == 0


def test_a_field_that_people_edited_stays_theirs_and_the_others_come_back(copy: World) -> None:
    tenant = tenant_of(copy, (OPEN, LOST))
    copy.load(tenant, [1], 1)
    before = record_of(copy, "deals", DEAL)
    copy.load(tenant, [1], 2, batch="delta-0001")
    edit(copy, "deals", DEAL, title="Mine")
    plan = copy.undo_plan(["delta-0001"])
    (step,) = [s for s in plan.restores if s.source_key == DEAL]
    assert "title" not in step.fields and "people edited title" in step.why
    copy.undo(["delta-0001"])
    after = record_of(copy, "deals", DEAL)
    assert after["title"] == "Mine" and after["value"] == before["value"]
    assert link_of(copy, "deals", DEAL).state == "kept"


def test_force_gives_back_what_people_edited(copy: World) -> None:
    tenant = tenant_of(copy, (OPEN, LOST))
    copy.load(tenant, [1], 1)
    before = record_of(copy, "deals", DEAL)
    copy.load(tenant, [1], 2, batch="delta-0001")
    edit(copy, "deals", DEAL, title="Mine")
    plan = copy.undo_plan(["delta-0001"], force=True)
    assert [step.why for step in plan.restores if step.source_key == DEAL] == [
        "changed by delta-0001; people's title goes"
    ]
    copy.undo(["delta-0001"], force=True)
    assert record_of(copy, "deals", DEAL)["title"] == before["title"]
    assert copy.verify(tenant, [1], 1).differences == []


def test_what_people_edit_between_the_look_and_the_write_stays(copy: World) -> None:
    tenant = tenant_of(copy, (OPEN, LOST))
    copy.load(tenant, [1], 1)
    copy.load(tenant, [1], 2, batch="delta-0001")
    copy.undo(["delta-0001"], crash=between_look_and_write(copy, title="Mine"))
    assert record_of(copy, "deals", DEAL)["title"] == "Mine"
    visit = "appointment:1000/activity"

    def hook(point: str) -> None:
        if point == "undo_looked" and link_of(copy, "activities", visit).state == "live":
            edit(copy, "activities", visit, subject="Mine")

    copy.undo(crash=hook)
    assert record_of(copy, "activities", visit)["subject"] == "Mine"
    assert (copy.alive()["activities"], copy.alive()["deals"]) == (1, 1)


@pytest.mark.parametrize(("first", "second"), [(OPEN, LOST), (LOST, OPEN), (LOST, CLOSED), (CLOSED, LOST)])
@pytest.mark.parametrize("both_at_once", [True, False])
def test_a_deals_state_comes_back_with_all_that_belongs_to_it(
    copy: World, first: RootVersion, second: RootVersion, *, both_at_once: bool
) -> None:
    copy.control("capabilities", {"won_with_time": both_at_once})
    tenant = tenant_of(copy, (first, second))
    copy.load(tenant, [1], 1)
    before = record_of(copy, "deals", DEAL)
    copy.load(tenant, [1], 2, batch="delta-0001")
    copy.undo(["delta-0001"])
    after = record_of(copy, "deals", DEAL)
    for name in ("status", "stage_id", "pipeline_id", "won_time", "lost_time", "lost_reason", "value"):
        assert after.get(name) == before.get(name), name
    assert copy.verify(tenant, [1], 1).differences == []
    assert not copy.undo_plan(["delta-0001"]).restores


def test_what_a_batch_deleted_is_listed_and_made_anew_by_the_next_load(copy: World) -> None:
    tenant = tenant_of(copy, (OPEN, replace(OPEN, jobs=((0, -1),))))
    copy.load(tenant, [1], 1)
    copy.load(tenant, [1], 2, batch="delta-0001")
    plan = copy.undo_plan(["delta-0001"])
    assert any(line.startswith(f"{DEAL}: deleted by delta-0001") for line in plan.irreversible)
    copy.undo(["delta-0001"])
    copy.load(tenant, [1], 1)
    assert copy.verify(tenant, [1], 1).differences == []
    copy.load(tenant, [1], 2, batch="delta-0001")
    assert copy.verify(tenant, [1], 2).differences == []


def test_a_person_whom_pipedrive_leaves_at_an_organization_keeps_it(copy: World) -> None:
    residential = replace(OPEN, commercial=False, jobs=(), photos=0, remarks=0)
    tenant = tenant_of(copy, (residential, replace(residential, commercial=True)))
    copy.load(tenant, [1], 1)
    copy.load(tenant, [1], 2, batch="delta-0001")
    plan = copy.undo_plan(["delta-0001"])
    assert plan.irreversible == (f"{PERSON}: keeps its org_id (Pipedrive takes no empty org_id there)",)
    assert {s.source_key: s.why for s in plan.keeps} == {ORGANIZATION: f"{PERSON} hangs on it and stays"}
    copy.undo(["delta-0001"])
    assert copy.alive()["organizations"] == 1
    copy.load(tenant, [1], 2, batch="delta-0001")
    assert copy.verify(tenant, [1], 2).differences == []
    copy.undo()
    assert sum(copy.alive().values()) == 0


def test_a_person_whose_organization_is_no_more_gets_back_all_else(copy: World) -> None:
    residential = replace(OPEN, commercial=False, jobs=(), photos=0, remarks=0, flavour=1)
    commercial = replace(residential, commercial=True, flavour=2)
    tenant = tenant_of(copy, (commercial, residential, commercial))
    copy.load(tenant, [1], 1)
    first = link_of(copy, "organizations", ORGANIZATION).pipedrive_id
    copy.load(tenant, [1], 2, batch="delta-0001")
    copy.load(tenant, [1], 3, batch="delta-0002")
    line = f"{PERSON}: keeps its org_id (organizations {first} stands there no more)"
    assert copy.undo_plan(["delta-0002"]).irreversible == (line,)
    assert copy.undo(["delta-0002"]).refused == []
    assert record_of(copy, "persons", PERSON)["name"] == "Person 1 v1"
    copy.load(tenant, [1], 3, batch="delta-0002")
    assert copy.verify(tenant, [1], 3).differences == []


def test_what_people_deleted_stays_deleted(copy: World) -> None:
    tenant = tenant_of(copy, (OPEN,))
    copy.load(tenant, [1], 1)
    number = link_of(copy, "deals", DEAL).pipedrive_id
    copy.control("edit", {"entity": "deals", "id": number, "action": "delete"})
    assert copy.undo().gone == 1
    copy.load(tenant, [1], 1)
    assert link_of(copy, "deals", DEAL).state == "gone" and copy.alive()["deals"] == 0


def test_a_record_that_was_made_anew_elsewhere_gives_its_place_back(copy: World) -> None:
    moved = replace(OPEN, jobs=(), photos=1)
    tenant = tenant_of(copy, (moved, replace(moved, jobs=((0, 0),))))
    copy.load(tenant, [1], 1)
    photo = "attachment:10/file"
    first = link_of(copy, "files", photo)

    def before_retiring(point: str) -> None:
        if point == "retiring":
            raise Crash(point)

    with suppress(Crash):
        copy.load(tenant, [1], 2, batch="delta-0001", crash=before_retiring)
    assert link_of(copy, "files", photo).pipedrive_id != first.pipedrive_id
    copy.undo(["delta-0001"])
    assert link_of(copy, "files", photo).pipedrive_id == first.pipedrive_id
    assert copy.verify(tenant, [1], 1).differences == []
    copy.load(tenant, [1], 2, batch="delta-0001")
    assert copy.verify(tenant, [1], 2).differences == []
    plan = copy.undo_plan(["delta-0001"])
    assert any(line.startswith(f"{photo}: made anew elsewhere and deleted") for line in plan.irreversible)
    copy.undo(["delta-0001"])
    copy.load(tenant, [1], 1)
    assert copy.verify(tenant, [1], 1).differences == []


@pytest.mark.promise("R088")
@pytest.mark.parametrize("lost", [0.0, 0.3])
def test_an_undo_that_is_killed_again_and_again_comes_to_its_end(copy: World, lost: float) -> None:
    tenant = tenant_of(copy, (OPEN, WON), (LOST, OPEN))
    copy.load(tenant, [1, 2], 1)
    copy.load(tenant, [1, 2], 2, batch="delta-0001")
    if lost:
        fault = {"kind": "lost_after_commit", "rate": lost, "seed": 3, "method": "PATCH|PUT|DELETE"}
        copy.control("faults", {"rules": [fault]})
    deaths = 0
    for count in (0, 1, 2, 3, 5, 8, 13, 21, 34, 55):
        try:
            copy.undo(["delta-0001"], crash=dies_at(count))
        except Crash:
            deaths += 1
            with copy.ledger() as ledger:
                assert count < 2 or ledger.rolled_back(_scope(copy).account) >= {"delta-0001"}
    copy.undo(["delta-0001"])
    copy.control("faults", {"clear": True})
    assert deaths > 5
    differences = copy.verify(tenant, [1, 2], 1).differences
    assert differences == []
    assert copy.undo(["delta-0001"]).deleted == 0
    copy.load(tenant, [1, 2], 2, batch="delta-0001")
    assert copy.verify(tenant, [1, 2], 2).differences == []


def test_a_lost_create_of_what_was_undone_is_not_taken_for_the_deleted_one(copy: World) -> None:
    tenant = tenant_of(copy, (OPEN,))
    copy.load(tenant, [1], 1)
    copy.undo()
    copy.control("faults", {"kind": "lost_after_commit", "method": "POST", "entity": "deals", "nth": [1]})
    copy.load(tenant, [1], 1)
    copy.control("faults", {"clear": True})
    assert copy.verify(tenant, [1], 1).differences == []


def test_what_an_edited_record_hangs_on_is_not_retired(copy: World) -> None:
    tenant = tenant_of(copy, (OPEN, replace(OPEN, jobs=((0, -1),))))
    copy.load(tenant, [1], 1)
    edit(copy, "activities", "appointment:1000/activity", subject="Mine")
    copy.load(tenant, [1], 2, batch="delta-0001")
    assert link_of(copy, "deals", DEAL).state == "kept"
    assert (copy.alive()["deals"], copy.alive()["activities"]) == (1, 1)
    # Undone and done again, it is the same.
    copy.undo(["delta-0001"])
    copy.load(tenant, [1], 2, batch="delta-0001")
    assert (copy.alive()["deals"], copy.alive()["activities"]) == (1, 1)


def test_what_pipedrive_refuses_stays_and_is_named(copy: World) -> None:
    tenant = tenant_of(copy, (OPEN,))
    copy.load(tenant, [1], 1)
    copy.control(
        "faults", {"rules": [{"kind": "status", "status": 403, "method": "DELETE", "entity": "activities"}]}
    )
    report = copy.undo()
    assert report.refused and report.deleted
    copy.control("faults", {"clear": True})
    assert copy.alive() == {**dict.fromkeys(ENTITIES, 0), **dict.fromkeys(ENTITIES[:4], 1)}
    copy.undo()
    assert sum(copy.alive().values()) == 0


def test_a_plan_tells_its_price_in_tokens_and_days(copy: World) -> None:
    tenant = tenant_of(copy, (OPEN,))
    copy.load(tenant, [1], 1)
    plan = replace(copy, access=replace(copy.access, plan="lite")).undo_plan()
    writes = {"organizations": 3, "persons": 3, "deals": 3, "activities": 3, "files": 6, "notes": 6}
    assert sum(writes[step.entity] for step in plan.deletes) < plan.tokens
    planning = spent(copy, lambda: copy.undo_plan()) - spent(copy, lambda: copy.undo_plan([]))
    assert planning + copy.undo().tokens == plan.tokens
    assert plan.days == round(plan.tokens / 30_000, 3)
    assert copy.undo_plan().digest != plan.digest


def test_a_plan_lists_notes_and_files_once_where_that_is_cheaper(
    copy: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = tenant_of(copy, *[(replace(OPEN, photos=3, remarks=3),)] * 6)
    copy.load(tenant, list(tenant.roots), 1)
    at_once = spent(copy, lambda: copy.undo_plan())
    monkeypatch.setattr(plan_module, "ROOTS", 1)
    six_times = spent(copy, lambda: copy.undo_plan())
    reads = {"organizations": 10, "persons": 10, "deals": 10, "activities": 10}
    assert six_times - at_once == 5 * sum(reads.values())


def test_an_undo_that_takes_days_goes_on_without_its_plan(
    copy: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = tenant_of(copy, *[(OPEN,)] * 6)
    copy.load(tenant, list(tenant.roots), 1)
    monkeypatch.setattr(plan_module, "ROOTS", 1)
    tokens = copy.undo_plan().tokens
    a_day = replace(copy, access=replace(copy.access, plan="ultimate", reserve=210_000 - tokens // 2))
    with pytest.raises(BudgetSpent):
        a_day.undo(["wave-0001"])
    left = sum(copy.alive().values())
    copy.control("clock", {"advance": 86_400})
    with suppress(BudgetSpent):
        a_day.undo(["wave-0001"], planned=True)
    assert sum(copy.alive().values()) < left / 2


def test_who_was_overtaken_rolls_nothing_back(copy: World) -> None:
    tenant = tenant_of(copy, (OPEN,))
    copy.load(tenant, [1], 1)
    account = _scope(copy).account
    with copy.ledger() as ledger:
        ledger.report_batch(account, "wave-0001", "deals", "", {})
        with pytest.raises(LeaseLost):
            ledger.roll_back_batch(account, "wave-0001", "", {}, fence=-1)
        assert ledger.rolled_back(account) == set()


def test_what_a_rollback_took_back_is_in_force_no_more() -> None:
    def op(number: int, verb: str, batch: str, undoes: int | None = None) -> Op:
        return Op(number, verb, "deals", DEAL, 7, batch, 1, 1, {"value": number}, {}, {"id": 7}, None, undoes)

    made, changed = op(1, "create", "wave-0001"), op(2, "update", "delta-0001")
    back, again = op(3, "update", "delta-0001", undoes=2), op(4, "update", "delta-0002")
    left = in_force([made, changed, back, again])
    assert [one.op for one in left.operations[DEAL]] == [made, again]
    # Before the last one stood what the restoring write had told.
    before = left.operations[DEAL][1].before
    assert before is not None and before.told["value"] == 3
    assert in_force([made, changed, op(5, "delete", "wave-0001", undoes=1)]).operations[DEAL] == []
