"""What other users do in the account: with tokens of their own, in the web app, and by duplicating deals."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from dispatch_to_pipedrive.sandbox.pipedrive.limits import Limits

from .pipedrive_world import World, serve

TEXT = {"field_name": "Source_Key__c", "field_type": "varchar"}


@contextmanager
def _editor(world: World) -> Iterator[httpx.Client]:
    """A client with the token of the second user."""
    headers = {"x-api-token": world.control("account")["tokens"]["2"]}
    hooks = world.client.event_hooks
    with httpx.Client(base_url=world.url, headers=headers, event_hooks=hooks, verify=False) as client:
        yield client


def test_what_a_second_user_makes_is_theirs(world: World) -> None:
    ours = world.post("deals", {"title": "ours"})
    with _editor(world) as editor:
        assert editor.get("/api/v1/users/me").json()["data"]["name"] == "Eddie Editor"
        deal = editor.post("/api/v2/deals", json={"title": "theirs"}).json()["data"]
        assert deal["creator_user_id"] == deal["owner_id"] == 2
        note = editor.post("/api/v1/notes", json={"content": "x", "deal_id": ours["id"]}).json()["data"]
        assert note["user_id"] == 2 and note["user"]["is_you"]
        files = {"file": ("a.txt", b"a", "text/plain")}
        file = editor.post("/api/v1/files", files=files, data={"deal_id": str(ours["id"])}).json()["data"]
        assert file["user_id"] == 2
        edited = editor.patch(f"/api/v2/deals/{ours['id']}", json={"title": "mine now"}).json()["data"]
        assert edited["title"] == "mine now" and edited["creator_user_id"] == 1
        body = {"content": "y"}
        assert editor.put(f"/api/v1/notes/{note['id']}", json=body).json()["data"]["last_update_user_id"] == 2
        assert editor.delete(f"/api/v2/deals/{ours['id']}").status_code == 200
    assert not world.get(f"/api/v1/notes/{note['id']}")["user"]["is_you"]


def test_a_second_user_is_no_admin(world: World) -> None:
    deal = world.post("deals", {"title": "x"})["id"]
    with _editor(world) as editor:
        assert editor.post("/api/v2/dealFields", json=TEXT).status_code == 403
        body = {"content": "x", "deal_id": deal, "user_id": 1}
        assert editor.post("/api/v1/notes", json=body).status_code == 403
        world.control("edit", {"entity": "users", "id": 2, "changes": {"active_flag": False}})
        assert editor.get("/api/v2/deals").status_code == 401


def test_what_others_ask_is_counted_and_limited_apart() -> None:
    with serve(limits=True, plan="lite") as world, _editor(world) as editor:
        world.server.limits = Limits(world.account, monotonic=lambda: 100.0)
        for _ in range(20):
            editor.get("/api/v2/pipelines")
        assert editor.get("/api/v2/pipelines").status_code == 429
        answer = world.client.get("/api/v2/pipelines")
        assert answer.headers["x-ratelimit-remaining"] == "19"
        assert answer.headers["x-daily-ratelimit-token-remaining"] == str(30_000 - 21 * 5)
        stats = world.control("stats")
        assert stats["requests"] == {"GET /api/v2/pipelines 200": 1} and stats["tokens"] == 5
        assert stats["others"] == {"GET /api/v2/pipelines 200": 20, "GET /api/v2/pipelines 429": 1}


def test_a_fault_may_meet_one_user_only(world: World) -> None:
    world.control("faults", {"kind": "status", "status": 503, "user": 1})
    with _editor(world) as editor:
        assert editor.get("/api/v2/deals").status_code == 200
    assert world.client.get("/api/v2/deals").status_code == 503


def test_a_duplicate_has_every_field_and_nothing_that_hangs_on_the_deal(world: World) -> None:
    code = world.post("dealFields", TEXT)["field_code"]
    person = world.post("persons", {"name": "p"})["id"]
    stamped = {"title": "x", "person_id": person, "value": 7, "custom_fields": {code: "job:1/deal"}}
    deal = world.post("deals", {**stamped, "status": "won"})["id"]
    world.post("/api/v1/notes", {"content": "x", "deal_id": deal})
    with _editor(world) as editor:
        by_api = editor.post(f"/api/v1/deals/{deal}/duplicate").json()["data"]
    in_the_app = world.control("edit", {"entity": "deals", "id": deal, "action": "duplicate"})
    for copy in (by_api["id"], in_the_app["id"]):
        shown = world.get(f"deals/{copy}")
        assert copy != deal and {name: shown[name] for name in ("title", "person_id", "value")} == {
            name: stamped[name] for name in ("title", "person_id", "value")
        }
        assert shown["custom_fields"][code] == "job:1/deal"
        assert (shown["creator_user_id"], shown["status"], shown.get("won_time")) == (2, "open", None)
        assert world.get("/api/v1/notes", deal_id=copy) == []


def test_a_duplicate_needs_a_deal_and_room_for_it(world: World) -> None:
    deal = world.post("deals", {"title": "x"})["id"]
    world.control("plan", {"open_deals": 1})
    assert world.post(f"/api/v1/deals/{deal}/duplicate", None, 403).startswith("Couldn't add the deal")
    world.delete(f"deals/{deal}")
    world.post(f"/api/v1/deals/{deal}/duplicate", None, 404)


def test_who_edited_a_note_in_the_app_shows(world: World) -> None:
    org = world.post("organizations", {"name": "o"})["id"]
    note = world.post("/api/v1/notes", {"content": "x", "org_id": org})["id"]
    world.control("edit", {"entity": "notes", "id": note, "changes": {"content": "y"}})
    assert world.get(f"/api/v1/notes/{note}")["last_update_user_id"] == 2


@pytest.mark.parametrize("entity", ["organizations", "persons", "deals"])
def test_a_second_user_merges(world: World, entity: str) -> None:
    name = "title" if entity == "deals" else "name"
    ours, theirs = (world.post(entity, {name: word})["id"] for word in ("ours", "theirs"))
    with _editor(world) as editor:
        answer = editor.put(f"/api/v1/{entity}/{ours}/merge", json={"merge_with_id": theirs})
    assert answer.status_code == 200
    assert [one["id"] for one in world.get(entity)] == [theirs]


def test_who_changed_what_stands_in_the_changelog(world: World) -> None:
    made = world.post("dealFields", TEXT)["field_code"]
    organization = world.post("organizations", {"name": "An organization"})["id"]
    other = world.post("organizations", {"name": "Another"})["id"]
    deal = world.post("deals", {"title": "ours", "org_id": other})["id"]
    path = f"/api/v1/deals/{deal}/changelog"
    assert world.get(path) == []
    world.patch(f"deals/{deal}", {"title": "still ours", "custom_fields": {made: "a key"}})
    world.control("edit", {"entity": "deals", "id": deal, "changes": {"owner_id": 3}, "user_id": 3})
    world.control("edit", {"entity": "deals", "id": deal, "changes": {"title": "unseen"}, "silent": True})
    world.control(
        "edit", {"entity": "organizations", "id": other, "action": "merge", "merge_with_id": organization}
    )
    stages = world.get("stages")
    world.control("habits", {"automation": {"to_stage": stages[-1]["id"], "seconds": 0}})
    moved = world.post("deals", {"title": "moved"})["id"]
    world.clock.advance(1)
    told = [
        (x["field_key"], x["old_value"], x["new_value"], x["actor_user_id"], x["change_source"])
        for x in world.get(path)
    ]
    assert told == [
        ("org_id", str(other), str(organization), 2, "app"),
        ("user_id", "1", "3", 3, "app"),
        ("title", "ours", "still ours", 1, "api"),
        (made, None, "a key", 1, "api"),
    ]
    (change,) = world.get(f"/api/v1/deals/{moved}/changelog")
    assert (change["field_key"], change["change_source"]) == ("stage_id", "automation")
    first = world.ask("GET", path, limit=1)
    more = world.ask("GET", path, limit=9, cursor=first["additional_data"]["next_cursor"])
    assert [x["field_key"] for x in first["data"] + more["data"]] == [x[0] for x in told]
    assert more["additional_data"]["next_cursor"] is None
    world.delete(f"deals/{deal}")
    world.get(path, 404)
