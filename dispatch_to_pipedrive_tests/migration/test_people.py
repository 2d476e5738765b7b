"""What people do in the account while the migration runs stays theirs, and is told: edits, deletions, merges."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from dispatch_to_pipedrive.mapping.model import Maps
from dispatch_to_pipedrive.migration import editors
from dispatch_to_pipedrive.migration import relink as engine
from dispatch_to_pipedrive.migration.errors import WrongApproval, WrongRecord
from dispatch_to_pipedrive.migration.kept import LENGTH, KeptLine, Reader, lines
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.migration.loading import LoadReport
from dispatch_to_pipedrive.migration.relink import Relinked
from dispatch_to_pipedrive.migration.session import writing
from dispatch_to_pipedrive.migration.values import GONE, KEPT, OVERWRITTEN, KeptEdit
from dispatch_to_pipedrive_tests.migration.tenants import RootVersion, Tenant
from dispatch_to_pipedrive_tests.migration.world import Crash, World, fresh_ledger

ORGANIZATION = "customer:{}/organization"


@pytest.fixture
def migration(world: World, tmp_path: Path) -> Iterator[World]:
    """A fresh account with its schema, and a ledger that knows it."""
    world.reset()
    yield fresh_ledger(world)
    world.reset()


def tenant_of(world: World, *flavours: int, roots: int = 4) -> Tenant:
    versions = tuple(RootVersion(True, 1, ((0, 1),), flavour) for flavour in flavours)
    return Tenant(dict.fromkeys(range(1, roots + 1), versions), world.maps)


def load(world: World, tenant: Tenant, generation: int = 1, **options: Any) -> dict[str, LoadReport]:
    reports = world.load(tenant, list(tenant.roots), generation, batch=f"wave-{generation:04}", **options)
    return {report.entity: report for report in reports}


def verdicts(world: World, tenant: Tenant, generation: int = 1) -> list[tuple[str, str, str]]:
    found = world.verify(tenant, list(tenant.roots), generation).differences
    return sorted((one.source_key, one.field, one.verdict) for one in found)


def scope_of(ledger: Ledger) -> Scope:
    scope = ledger.bound_scope()
    assert scope is not None
    return scope


def number_of(world: World, entity: str, source_key: str) -> int:
    with world.ledger() as ledger:
        return ledger.links(scope_of(ledger), entity, [source_key])[source_key].pipedrive_id


def record(world: World, entity: str, number: int) -> dict[str, Any]:
    (found,) = (one for one in world.control("dump")["entities"][entity] if one and one["id"] == number)
    return dict(found)


def edit(world: World, entity: str, number: int, **body: Any) -> Any:
    world.control("clock", {"advance": 2})
    found = world.control("edit", {"entity": entity, "id": number, **body})
    world.control("clock", {"advance": 2})
    return found


def edits(world: World) -> list[KeptEdit]:
    with world.ledger() as ledger:
        return ledger.kept_edits(scope_of(ledger))


def writes(world: World) -> int:
    return int(world.control("stats")["writes"])


def tokens_for_changelogs(world: World) -> int:
    spent = world.control("stats")["tokens_by"]
    return sum(count for name, count in spent.items() if name.endswith("/changelog"))


def test_an_edit_is_listed_with_who_and_when_and_asked_for_once(migration: World) -> None:
    tenant = tenant_of(migration, 0)
    load(migration, tenant)
    deal = number_of(migration, "deals", "job:100/deal")
    edit(migration, "deals", deal, changes={"title": "We like it", "owner_id": 3}, user_id=3)
    migration.control("clock", {"advance": 60})
    assert verdicts(migration, tenant) == [
        ("job:100/deal", "owner_id", KEPT),
        ("job:100/deal", "title", KEPT),
    ]
    owner, title = edits(migration)
    assert (title.ours, title.theirs, title.field) == ("Job 100 v0", "We like it", "title")
    names = {user["id"]: user["name"] for user in migration.control("dump")["users"]}
    assert (owner.ours, owner.theirs) == ("user 1", "user 3"), "nobody has read the users yet"
    assert owner.edited_by == title.edited_by == names[3]
    assert title.edited_at == record(migration, "deals", deal)["update_time"]
    before = tokens_for_changelogs(migration)
    assert before >= 20
    verdicts(migration, tenant)
    assert tokens_for_changelogs(migration) == before, "nobody is asked a second time"
    edit(migration, "deals", deal, changes={"title": "Job 100 v0", "owner_id": 1})
    assert verdicts(migration, tenant) == []
    assert edits(migration) == [], "what was put back is no edit any more"


def test_what_came_by_our_own_token_is_nobodys_and_not_whose_change_came_before(migration: World) -> None:
    tenant = tenant_of(migration, 0, roots=1)
    load(migration, tenant)
    deal = number_of(migration, "deals", "job:100/deal")
    edit(migration, "deals", deal, changes={"title": "For a moment"}, user_id=3)
    edit(migration, "deals", deal, changes={"title": "Job 100 v0"}, user_id=3)
    url, token = migration.access.api_url, migration.access.api_token
    httpx.patch(
        f"{url}/api/v2/deals/{deal}", headers={"x-api-token": token}, json={"title": "By an integration"}
    ).raise_for_status()
    migration.control("clock", {"advance": 5})
    verdicts(migration, tenant)
    (found,) = edits(migration)
    assert (found.theirs, found.edited_by) == ("By an integration", "")


def test_two_long_values_that_differ_at_their_end_are_two_values() -> None:
    schema: Any = SimpleNamespace(customs=lambda _entity: {})
    reader = Reader(schema, {}, "", "")
    one, other = (reader.value("notes", "content", "n" * 400 + end) for end in "12")
    assert one != other
    assert len(one) == LENGTH
    assert one.startswith("nnn") and "401 characters" in one


def test_what_a_load_keeps_is_listed_before_it_is_read_back(migration: World) -> None:
    tenant = tenant_of(migration, 0, 2)
    load(migration, tenant)
    person = number_of(migration, "persons", "customer:1/person")
    edit(migration, "persons", person, changes={"name": "By Hand"})
    assert load(migration, tenant, 2)["persons"].kept == 1
    (kept,) = edits(migration)
    assert (kept.entity, kept.field, kept.ours, kept.theirs) == ("persons", "name", "Person 1 v0", "By Hand")
    assert (kept.batch, kept.edited_by) == ("wave-0002", None)


def test_what_people_edited_to_the_sources_own_value_follows_the_source_again(migration: World) -> None:
    tenant = tenant_of(migration, 0, 2, 4)
    load(migration, tenant)
    person = number_of(migration, "persons", "customer:1/person")
    edit(migration, "persons", person, changes={"name": "Person 1 v2"})
    assert load(migration, tenant, 2)["persons"].kept == 0
    load(migration, tenant, 3)
    assert record(migration, "persons", person)["name"] == "Person 1 v4"
    assert verdicts(migration, tenant, 3) == []


def source_wins(maps: Maps, entity: str, name: str) -> Maps:
    one = maps[entity]
    field = one.fields[name].model_copy(update={"conflict": "source"})
    changed = one.model_copy(update={"fields": {**one.fields, name: field}})
    return Maps({**maps.by_entity, entity: changed})


def test_where_the_source_wins_an_edit_is_overwritten_counted_and_listed(migration: World) -> None:
    tenant = tenant_of(migration, 0, 2)
    migration.maps = source_wins(migration.maps, "deals", "title")
    load(migration, tenant)
    one, other = (number_of(migration, "deals", f"job:{job}/deal") for job in (100, 200))
    edit(migration, "deals", one, changes={"title": "Not for long", "value": 7})
    report = load(migration, tenant, 2)["deals"]
    assert (report.kept, report.overwritten) == (1, 1)
    now = record(migration, "deals", one)
    assert (now["title"], now["value"]) == ("Job 100 v2", 7)
    assert {(e.field, e.verdict, e.theirs) for e in edits(migration)} == {
        ("title", OVERWRITTEN, "Not for long"),
        ("value", KEPT, "7"),
    }
    # Where nothing changed at the source, reading back finds the edit and the next load writes over it.
    edit(migration, "deals", other, changes={"title": "Me too"})
    assert ("job:200/deal", "title", KEPT) in verdicts(migration, tenant, 2)
    assert load(migration, tenant, 2)["deals"].overwritten == 1
    assert record(migration, "deals", other)["title"] == "Job 200 v2"
    assert verdicts(migration, tenant, 2) == [("job:100/deal", "value", KEPT)]
    assert [e.theirs for e in edits(migration) if e.verdict == OVERWRITTEN] == ["Not for long", "Me too"]
    before = writes(migration)
    load(migration, tenant, 2)
    assert writes(migration) == before


def test_an_edit_whose_overwriting_is_refused_was_not_overwritten(migration: World) -> None:
    tenant = tenant_of(migration, 0, 2, roots=1)
    migration.maps = source_wins(migration.maps, "deals", "title")
    load(migration, tenant)
    edit(migration, "deals", number_of(migration, "deals", "job:100/deal"), changes={"title": "Stays"})
    words = {
        "success": False,
        "error": "Validation failed: title: no",
        "code": "ERR_SCHEMA_VALIDATION_FAILED",
    }
    fault = {"kind": "status", "status": 400, "body": words, "entity": "deals", "method": "PATCH"}
    migration.control("faults", fault)
    assert load(migration, tenant, 2)["deals"].overwritten == 0
    migration.control("faults", {"clear": True})
    assert [e for e in edits(migration) if e.verdict == OVERWRITTEN] == []


def test_an_automations_stage_moves_are_one_line_however_many(
    migration: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Done when: with the habits on and nobody editing, one grouped line, and a second run makes zero writes."""
    monkeypatch.setattr(editors, "OF_ONE_LINE", 3)
    monkeypatch.setattr(editors, "DOUBTS", 4)  # it moves most of them in the very second of their creation
    tenant = tenant_of(migration, 0, roots=12)
    pipelines = migration.control("dump")
    (ours,) = (p["id"] for p in pipelines["pipelines"] if p["name"] == "Dispatch Pro Jobs")
    stages = {s["name"]: s["id"] for s in pipelines["stages"] if s["pipeline_id"] == ours}
    rule = {"to_stage": stages["Hold"], "from_stage": stages["Scheduled"], "seconds": 0}
    migration.control("habits", {"automation": rule})
    load(migration, tenant)
    migration.control("clock", {"advance": 5})
    assert {verdict for *_, verdict in verdicts(migration, tenant)} == {KEPT}
    before = tokens_for_changelogs(migration)
    before_writes = writes(migration)
    load(migration, tenant)
    verdicts(migration, tenant)
    assert writes(migration) == before_writes
    assert tokens_for_changelogs(migration) <= before + 20 * editors.PROVEN, (
        "doubts are settled with every reading"
    )
    (line,) = lines(edits(migration))
    names = {user["id"]: user["name"] for user in pipelines["users"]}
    assert (line.entity, line.field, line.ours, line.theirs) == ("deals", "stage_id", "Scheduled", "Hold")
    assert (line.records, line.by) == (12, names[2])
    migration.control("habits", {"automation": False})


def test_asking_who_ends_at_a_number_and_begins_with_one_of_each_line() -> None:
    def unasked(number: int, theirs: str, by: str | None = None) -> KeptEdit:
        what = ("deals", f"job:{number}/deal", number, "title", KEPT, "old", theirs)
        return KeptEdit(*what, by, "", "wave-0001", "")

    many = [unasked(n, "same") for n in range(40)] + [unasked(100, "other"), unasked(101, "third")]
    assert editors.to_ask(many, 3) == [("deals", 0), ("deals", 100), ("deals", 101)]
    assert len(editors.to_ask(many, 100)) == editors.OF_ONE_LINE + 2
    known = [unasked(n, "same", "Ann") for n in range(editors.OF_ONE_LINE)]
    assert editors.to_ask([*known, unasked(50, "same")], 100) == []
    assert editors.MOST_TOKENS == 2_000


def test_lines_are_grouped_by_field_and_both_values() -> None:
    def one(
        number: int, theirs: str, by: str, at: str, field: str = "title", verdict: str = KEPT
    ) -> KeptEdit:
        return KeptEdit("deals", f"job:{number}/deal", number, field, verdict, "old", theirs, by, at, "", "")

    found = lines(
        [
            one(2, "new", "Bo", "2026-01-02T00:00:00Z"),
            one(1, "new", "Ann", "2026-01-01T00:00:00Z"),
            one(3, "new", "Bo", ""),
            one(4, "else", "", ""),
            one(5, "merged into deals 7", "", "", "", GONE),
            one(6, "merged into deals 8", "", "", "", GONE),
            one(7, "deleted", "", "", "", GONE),
        ]
    )
    assert found[0] == KeptLine(
        *("deals", "title", KEPT, "old", "new", 3, "Bo, Ann"),
        *("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "job:1/deal", 1),
    )
    assert [(line.theirs, line.records) for line in found[1:]] == [("merged", 2), ("deleted", 1), ("else", 1)]


def merge(world: World, entity: str, loser: int, survivor: int) -> None:
    edit(world, entity, loser, action="merge", merge_with_id=survivor)


def relink(world: World, source_key: str, number: int, by: str = "Ann") -> Relinked:
    async def run() -> Relinked:
        with world.ledger() as ledger:
            async with writing(ledger, world.access, purpose="relink") as session:
                return await engine.relink(session, source_key, number, by)

    return asyncio.run(run())


def gone(world: World) -> dict[str, str]:
    return {edit.source_key: edit.theirs for edit in edits(world) if edit.verdict == GONE}


def held(world: World) -> dict[str, str]:
    with world.ledger() as ledger:
        return {q.source_key: q.words for q in ledger.quarantined(scope_of(ledger)) if q.reason == "held"}


def test_what_people_deleted_is_told_and_its_children_are_held_with_its_name(migration: World) -> None:
    versions = (RootVersion(True, 1, ((0, 1),), 0), RootVersion(True, 1, ((0, 1), (1, 0)), 2))
    tenant = Tenant(dict.fromkeys(range(1, 4), versions), migration.maps)
    load(migration, tenant)
    organization = number_of(migration, "organizations", ORGANIZATION.format(1))
    edit(migration, "organizations", organization, action="delete")
    assert verdicts(migration, tenant) == [(ORGANIZATION.format(1), "", GONE)]
    assert gone(migration) == {ORGANIZATION.format(1): "deleted"}
    reports = load(migration, tenant, 2)
    assert reports["organizations"].gone == 1
    assert migration.alive()["organizations"] == 2
    words = held(migration)
    assert {"customer:1/person", "job:100/deal", "job:101/deal"} <= set(words)
    named = (
        f"customer:1/organization, which people deleted or merged in Pipedrive (organizations {organization})"
    )
    assert named in words["job:101/deal"]
    assert "`relink customer:1/organization ID --as NAME`" in words["job:101/deal"]
    # Somebody makes it again by hand, and says so.
    made = edit(migration, "organizations", 0, action="create", changes={"name": "By hand"})["id"]
    assert relink(migration, ORGANIZATION.format(1), made).shares_with == ""
    assert gone(migration) == {}
    load(migration, tenant, 2)
    assert held(migration) == {}
    now = record(migration, "organizations", made)
    assert now["name"] == "By hand", "what people have there stays"
    assert ORGANIZATION.format(1) in now["custom_fields"].values(), "what is empty is filled"
    for job in (100, 101):
        deal = record(migration, "deals", number_of(migration, "deals", f"job:{job}/deal"))
        assert deal["org_id"] == made
    found = verdicts(migration, tenant, 2)
    assert {key for key, *_ in found} == {ORGANIZATION.format(1)}
    assert ("name", KEPT) in {tuple(one) for _, *one in found}
    assert {verdict for *_, verdict in found} == {KEPT}
    before = writes(migration)
    load(migration, tenant, 2)
    assert writes(migration) == before


@pytest.mark.parametrize("entity", ["organizations", "persons", "deals"])
def test_two_of_ours_merged_the_survivor_keeps_its_key_and_takes_the_others_children(
    migration: World, entity: str
) -> None:
    keys = {"organizations": ORGANIZATION, "persons": "customer:{}/person", "deals": "job:{}00/deal"}[entity]
    ours, other = keys.format(1), keys.format(2)
    tenant = tenant_of(migration, 0, 2)
    load(migration, tenant)
    loser, survivor = (number_of(migration, entity, key) for key in (ours, other))
    merge(migration, entity, loser, survivor)
    found = {(key, field): verdict for key, field, verdict in verdicts(migration, tenant)}
    assert found[ours, ""] == GONE
    assert set(found.values()) <= {GONE, KEPT}
    assert gone(migration) == {ours: f"merged into {entity} {survivor}"}
    load(migration, tenant, 2)
    assert migration.alive()[entity] == 3
    assert held(migration), "what hung on it waits for a person's word"
    assert relink(migration, ours, survivor).shares_with == other
    load(migration, tenant, 2)
    assert held(migration) == {}
    with migration.ledger() as ledger:
        links = ledger.links(scope_of(ledger), entity, [ours, other])
    assert [links[key][2:4] for key in (ours, other)] == [(survivor, GONE), (survivor, links[other].state)]
    now = record(migration, entity, survivor)
    assert str(now.get("name") or now.get("title")).endswith("v2"), "it follows its own key alone"
    found = {(key, field): verdict for key, field, verdict in verdicts(migration, tenant, 2)}
    assert set(found.values()) <= {GONE, KEPT}
    assert found[ours, ""] == GONE
    before = writes(migration)
    load(migration, tenant, 2)
    assert writes(migration) == before


def test_one_of_ours_merged_into_one_of_theirs_and_the_other_way_round(migration: World) -> None:
    tenant = tenant_of(migration, 0, 2)
    load(migration, tenant)
    theirs = [
        edit(migration, "organizations", 0, action="create", changes={"name": f"Theirs {n}"})["id"]
        for n in range(2)
    ]
    into_theirs, into_ours = (number_of(migration, "organizations", ORGANIZATION.format(n)) for n in (1, 2))
    merge(migration, "organizations", into_theirs, theirs[0])
    merge(migration, "organizations", theirs[1], into_ours)
    found = verdicts(migration, tenant)
    assert (ORGANIZATION.format(1), "", GONE) in found
    assert {verdict for *_, verdict in found} <= {GONE, KEPT}, "the survivor bears our stamp, and is no stray"
    assert gone(migration) == {ORGANIZATION.format(1): f"merged into organizations {theirs[0]}"}
    assert relink(migration, ORGANIZATION.format(1), theirs[0]).before == into_theirs
    load(migration, tenant, 2)
    assert record(migration, "organizations", theirs[0])["name"] == "Theirs 0"
    assert record(migration, "organizations", into_ours)["name"] == "Company 2 v2"
    assert held(migration) == {}
    found = verdicts(migration, tenant, 2)
    assert (ORGANIZATION.format(1), "name", KEPT) in found
    assert {verdict for *_, verdict in found} == {KEPT}
    # The source wants it no more: a record that this program did not make is never deleted.
    leaves = Tenant({1: (*tenant.roots[1], RootVersion(False, 1, (), 2))}, migration.maps)
    load(migration, leaves, 3)
    assert not record(migration, "organizations", theirs[0]).get("is_deleted")


def test_a_record_that_has_another_ones_place_is_not_retired(migration: World) -> None:
    commercial, private = RootVersion(True, 1, ((0, 1),), 0), RootVersion(False, 1, ((0, 1),), 0)
    tenant = Tenant({1: (commercial, commercial), 2: (commercial, private)}, migration.maps)
    load(migration, tenant)
    loser, survivor = (number_of(migration, "organizations", ORGANIZATION.format(n)) for n in (1, 2))
    merge(migration, "organizations", loser, survivor)
    relink(migration, ORGANIZATION.format(1), survivor)
    assert [(e.theirs, e.edited_by) for e in edits(migration) if e.verdict == GONE] == [
        (f"merged into organizations {survivor}", "")  # who says it need not be who did it
    ]
    load(migration, tenant, 2)
    deal = record(migration, "deals", number_of(migration, "deals", "job:100/deal"))
    assert deal["org_id"] == survivor
    assert not record(migration, "organizations", survivor).get("is_deleted")
    assert {verdict for *_, verdict in verdicts(migration, tenant, 2)} == {GONE}


def test_what_people_relink_while_a_change_is_in_doubt_is_not_undone(
    migration: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ORGANIZATION.format(1)
    tenant = tenant_of(migration, 0, 2, roots=1)
    load(migration, tenant)

    def dies(name: str) -> None:
        if name == "request_sending":
            raise Crash(name)

    with pytest.raises(Crash):
        load(migration, tenant, 2, crash=dies)
    theirs = edit(migration, "organizations", 0, action="create", changes={"name": "Theirs"})["id"]
    merge(migration, "organizations", number_of(migration, "organizations", key), theirs)
    with pytest.raises(WrongRecord, match="load its batch wave-0002 first"):
        relink(migration, key, theirs)
    # Said to a program that did not refuse it, it holds as well.
    with monkeypatch.context() as before:
        before.setattr(Ledger, "open_intents", lambda *_: [])
        relink(migration, key, theirs)
    load(migration, tenant, 2)
    with migration.ledger() as ledger:
        link = ledger.links(scope_of(ledger), "organizations", [key])[key]
    assert (link.pipedrive_id, link.state) == (theirs, "kept")


def test_an_undo_deletes_nothing_that_people_put_in_a_gone_ones_place(migration: World) -> None:
    tenant = tenant_of(migration, 0)
    load(migration, tenant)
    ours, other, third = (number_of(migration, "organizations", ORGANIZATION.format(n)) for n in (1, 2, 3))
    theirs = edit(migration, "organizations", 0, action="create", changes={"name": "Theirs"})["id"]
    merge(migration, "organizations", ours, theirs)
    merge(migration, "organizations", other, third)
    relink(migration, ORGANIZATION.format(1), theirs)
    relink(migration, ORGANIZATION.format(2), third)
    load(migration, tenant)
    migration.undo()
    alive = {
        r["id"] for r in migration.control("dump")["entities"]["organizations"] if not r.get("is_deleted")
    }
    assert theirs in alive
    load(migration, tenant)
    # What stood for two keys went with its own one: what hung on the other waits for a person again.
    assert {verdict for *_, verdict in verdicts(migration, tenant)} <= {KEPT, GONE, "quarantined"}


def test_an_edit_in_the_second_of_our_own_write_is_told_apart_by_the_changelog(
    migration: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = tenant_of(migration, 0)
    load(migration, tenant)
    one, other = (
        record(migration, "deals", number_of(migration, "deals", f"job:{n}00/deal")) for n in (1, 2)
    )
    for deal, how in ((one, {}), (other, {"silent": True})):
        changes = {"title": "At once", "update_time": deal["update_time"]}
        migration.control("edit", {"entity": "deals", "id": deal["id"], "changes": changes, **how})
    assert verdicts(migration, tenant) == [
        ("job:100/deal", "title", KEPT),
        ("job:200/deal", "title", "wrong"),
    ]
    monkeypatch.setattr(editors, "DOUBTS", 0)
    assert {verdict for *_, verdict in verdicts(migration, tenant)} == {"wrong"}


def test_what_cannot_be_relinked_is_refused_in_words(migration: World) -> None:
    tenant = tenant_of(migration, 0, roots=2)
    load(migration, tenant)
    number = number_of(migration, "organizations", ORGANIZATION.format(1))
    other = edit(migration, "organizations", 0, action="create", changes={"name": "Other"})["id"]
    for key, record_id, words in (
        ("customer 1", number, "is no source key"),
        ("customer:99/organization", number, "no record was ever made for"),
        (ORGANIZATION.format(1), number, "already"),
        (ORGANIZATION.format(1), other, "which is there: merge or delete it"),
        (ORGANIZATION.format(1), 999_999, "there is no organizations 999999"),
    ):
        with pytest.raises(WrongRecord, match=words):
            relink(migration, key, record_id)
    with pytest.raises(WrongApproval):
        relink(migration, ORGANIZATION.format(1), other, by=" ")


def test_a_deal_that_people_duplicated_is_theirs_and_is_listed(migration: World) -> None:
    tenant = tenant_of(migration, 0, 2)
    load(migration, tenant)
    deal = number_of(migration, "deals", "job:100/deal")
    copy = edit(migration, "deals", deal, action="duplicate")["id"]
    assert verdicts(migration, tenant) == [("job:100/deal", "", KEPT)]
    (found,) = edits(migration)
    assert (found.field, found.theirs, found.edited_by) == ("", f"copied as deals {copy}", "user 2")
    load(migration, tenant, 2)
    assert record(migration, "deals", copy)["title"] == "Job 100 v0"
    edit(migration, "deals", copy, action="delete")
    assert verdicts(migration, tenant, 2) == []
    assert edits(migration) == []


def test_all_that_people_do_in_a_whole_account_survives_delta_and_rollback_and_is_listed(
    migration: World,
) -> None:
    """200 edits, 20 deletions, 20 merges, duplicates, own notes and files."""
    roots = list(range(1, 121))
    versions = tuple(RootVersion(True, 1, ((0, 1),), flavour) for flavour in (0, 2))
    tenant = Tenant(dict.fromkeys(roots, versions), migration.maps)
    load(migration, tenant)
    with migration.ledger() as ledger:
        scope = scope_of(ledger)
        ids = {
            entity: {
                root: link.pipedrive_id
                for root in roots
                for link in ledger.links_of_roots(scope, entity, [root]).values()
            }
            for entity in ("organizations", "persons", "deals")
        }
    # Roots 1 to 80: edits; to 90: deletions; to 110: merges of two of ours; to 120: copies, notes and files.
    body = [
        {"entity": "deals", "id": ids["deals"][n], "changes": {"title": f"Theirs {n}"}} for n in range(1, 81)
    ]
    body += [
        {"entity": "persons", "id": ids["persons"][n], "changes": {"name": f"Called {n}"}}
        for n in range(1, 81)
    ]
    body += [{"entity": "deals", "id": ids["deals"][n], "changes": {"value": 1}} for n in range(1, 41)]
    body += [
        {"entity": entity, "id": ids[entity][n], "action": "delete"}
        for n in range(81, 91)
        for entity in ("deals", "persons")
    ]
    body += [
        {"entity": entity, "id": ids[entity][n], "action": "merge", "merge_with_id": ids[entity][n + 1]}
        for n in range(91, 111, 2)
        for entity in ("deals", "organizations")
    ]
    body += [{"entity": "deals", "id": ids["deals"][n], "action": "duplicate"} for n in range(111, 121)]
    for n in range(111, 121):
        about = {"deal_id": ids["deals"][n], "content": "<p>Call back</p>"}
        body.append({"entity": "notes", "action": "create", "changes": about})
        body.append(
            {
                "entity": "files",
                "action": "create",
                "changes": {"deal_id": ids["deals"][n], "name": f"{n}.txt"},
            }
        )
    migration.control("clock", {"advance": 5})
    migration.control("edit", body)
    migration.control("clock", {"advance": 5})
    verdicts(migration, tenant)
    load(migration, tenant, 2)
    dump = migration.control("dump")["entities"]
    alive = {entity: {r["id"]: r for r in dump[entity] if r and not r.get("is_deleted")} for entity in dump}
    for n in range(1, 81):
        assert alive["deals"][ids["deals"][n]]["title"] == f"Theirs {n}"
        assert alive["deals"][ids["deals"][n]]["value"] == (1 if n <= 40 else 102.5)
        assert alive["persons"][ids["persons"][n]]["name"] == f"Called {n}"
        assert alive["persons"][ids["persons"][n]]["emails"][0]["value"] == f"{n}.2@example.com"
    assert len(alive["deals"]) == 120 - 10 - 10 + 10
    assert len(alive["persons"]) == 110 and len(alive["organizations"]) == 110
    assert len(alive["notes"]) == len(alive["files"]) == 10
    found = {verdict for *_, verdict in verdicts(migration, tenant, 2)}
    assert found <= {KEPT, GONE, "quarantined"}
    listed = edits(migration)
    by_field = Counter((e.entity, e.field, e.verdict) for e in listed)
    assert by_field["deals", "title", KEPT] >= 80 and by_field["deals", "value", KEPT] >= 40
    assert by_field["persons", "name", KEPT] == 80
    assert by_field["deals", "", GONE] == by_field["persons", "", GONE] + 10 == 20
    assert by_field["organizations", "", GONE] == 10
    assert by_field["deals", "", KEPT] == 10, "the copies"
    merged = [e.theirs for e in listed if e.verdict == GONE and e.theirs != "deleted"]
    assert len(merged) == 20
    assert tokens_for_changelogs(migration) <= 2 * editors.MOST_TOKENS
    assert sum(bool(e.edited_by) for e in listed) >= 100
    before = writes(migration)
    load(migration, tenant, 2)
    assert writes(migration) == before
    assert migration.undo().refused == []
    dump = migration.control("dump")["entities"]
    alive = {entity: {r["id"]: r for r in dump[entity] if r and not r.get("is_deleted")} for entity in dump}
    for n in range(1, 81):
        assert alive["deals"][ids["deals"][n]]["title"] == f"Theirs {n}"
        assert alive["persons"][ids["persons"][n]]["name"] == f"Called {n}"
    assert {ids["deals"][n] for n in range(111, 121)} <= set(alive["deals"]), "theirs hangs on them"
    assert len(alive["notes"]) == len(alive["files"]) == 10
