"""Notes, files and merges through v1, and what other people do behind the API's back."""

import base64

from .pipedrive_world import World


def _deal(world: World) -> int:
    return world.post("deals", {"title": "x"})["id"]


def test_a_note_keeps_its_historic_time_and_author_and_loses_its_scripts(world: World) -> None:
    deal = _deal(world)
    body = {
        "content": "<p>Gate <script>x</script>4411</p>",
        "deal_id": deal,
        "add_time": "2021-07-01 14:03:22",
    }
    made = world.post("/api/v1/notes", {**body, "user_id": 2, "pinned_to_deal_flag": 1})
    assert made["content"] == "<p>Gate 4411</p>" and made["add_time"] == "2021-07-01 14:03:22"
    assert made["user_id"] == 2 and made["deal"] == {"title": "x"} and made["pinned_to_deal_flag"] is True
    path = f"/v1/notes/{made['id']}"
    assert world.ask("PUT", path, {"content": "new"})["data"]["content"] == "new"
    assert [one["id"] for one in world.get("/api/v1/notes", deal_id=deal)] == [made["id"]]
    assert world.delete(path) == {"success": True, "data": True}
    assert world.get("/api/v1/notes", deal_id=deal) == []
    assert world.get(path)["active_flag"] is False
    world.delete(path, 404)


def test_a_note_needs_content_a_parent_and_a_measure(world: World) -> None:
    deal = _deal(world)
    for body in (
        {"content": "x"},
        {"deal_id": deal},
        {"content": "x", "deal_id": 10**6},
        {"content": "x" * 102_401, "deal_id": deal},
        {"content": "x", "deal_id": deal, "add_time": "2021-07-01T14:03:22Z"},
        {"content": "x", "deal_id": deal, "pinned_to_person_flag": 1},
        {"content": "x", "deal_id": deal, "user_id": 99},
        {"content": "x", "deal_id": deal, "colour": "red"},
    ):
        world.post("/api/v1/notes", body, 400)


def test_notes_come_in_pages_by_offset(world: World) -> None:
    deal = _deal(world)
    for at in range(5):
        world.post("/api/v1/notes", {"content": str(at), "deal_id": deal})
    page = world.ask("GET", "/api/v1/notes", start=0, limit=3)
    assert page["additional_data"]["pagination"] == {
        "start": 0,
        "limit": 3,
        "more_items_in_collection": True,
        "next_start": 3,
    }
    rest = world.ask("GET", "/api/v1/notes", start=3, limit=3)
    assert len(rest["data"]) == 2 and "next_start" not in rest["additional_data"]["pagination"]


def test_notes_are_filtered_and_sorted_as_the_documents_say(world: World) -> None:
    deal, other = _deal(world), _deal(world)
    for day, to, pinned in ((3, deal, 0), (1, deal, 1), (2, other, 0)):
        body = {"content": f"n{day}", "deal_id": to, "add_time": f"2021-07-0{day} 10:00:00"}
        world.post("/api/v1/notes", {**body, "pinned_to_deal_flag": pinned})

    def seen(**query: object) -> list[str]:
        return [one["content"] for one in world.get("/api/v1/notes", **query)]

    assert seen(sort="add_time ASC") == ["n1", "n2", "n3"]
    assert seen(sort="deal_id DESC, add_time ASC") == ["n2", "n1", "n3"]
    assert seen(sort="deal_id ASC, add_time DESC") == ["n3", "n1", "n2"]
    assert seen(sort="user_id ASC, content ASC") == ["n1", "n2", "n3"]
    assert seen(start_date="2021-07-02") == ["n3", "n2"]
    assert seen(start_date="2021-07-02", end_date="2021-07-02") == ["n2"]
    assert seen(pinned_to_deal_flag=1) == ["n1"]
    assert seen(deal_id=deal, sort="update_time DESC, id ASC")[0] in ("n3", "n1")
    assert seen(updated_since="2030-01-01T00:00:00Z") == []
    assert seen(lead_id="adf21080-0e10-11eb-879b-05d71fb426ec") == []
    for wrong in ({"sort": "user.name ASC"}, {"start_date": "July"}, {"updated_since": "yesterday"}):
        world.get("/api/v1/notes", 400, **wrong)


def test_pictures_leave_a_note_and_links_stay(world: World) -> None:
    html = (
        '<h2>H</h2><p><img src="https://x.example/a.jpg"><a href="https://x.example/b?c=1&amp;d=2">b</a></p>'
    )
    made = world.post("/api/v1/notes", {"content": html, "deal_id": _deal(world)})
    assert made["content"] == 'H<p><a href="https://x.example/b?c=1&amp;d=2">b</a></p>'


def test_only_an_admin_names_a_notes_author(world: World) -> None:
    world.control("capabilities", {"admin": False})
    note = {"content": "x", "deal_id": _deal(world)}
    world.post("/api/v1/notes", {**note, "user_id": 2}, 403)
    assert world.post("/api/v1/notes", note)["user_id"] == 1


def test_a_list_that_lags_does_not_show_a_note_or_file_yet(world: World) -> None:
    deal = _deal(world)
    rule = {"kind": "list_lag", "seconds": 60}
    world.control("faults", rule)
    note = world.post("/api/v1/notes", {"content": "x", "deal_id": deal})
    assert world.get("/api/v1/notes") == []
    assert world.get(f"/api/v1/notes/{note['id']}")["content"] == "x"
    world.control("faults", {"clear": True})
    assert len(world.get("/api/v1/notes")) == 1


def test_merging_moves_what_hangs_on_the_one_to_the_other(world: World) -> None:
    keep = world.post("persons", {"name": "Keep", "emails": [{"value": "k@x.co"}]})["id"]
    lose = world.post("persons", {"name": "Lose", "emails": [{"value": "l@x.co"}, {"value": "k@x.co"}]})["id"]
    deal = world.post("deals", {"title": "x", "person_id": lose})["id"]
    activity = world.post(
        "activities", {"subject": "s", "type": "call", "participants": [{"person_id": lose}]}
    )["id"]
    answer = world.ask("PUT", f"/api/v1/persons/{lose}/merge", {"merge_with_id": keep})["data"]
    assert answer["id"] == keep and answer["merge_what_id"] == lose
    assert [one["id"] for one in world.get("persons")] == [keep]
    world.get(f"persons/{lose}", 404)
    assert [one["value"] for one in world.get(f"persons/{keep}")["emails"]] == ["k@x.co", "l@x.co"]
    assert world.get(f"deals/{deal}")["person_id"] == keep
    assert world.get(f"activities/{activity}")["person_id"] == keep
    for entity, name in (("organizations", "name"), ("deals", "title")):
        one, other = (world.post(entity, {name: at})["id"] for at in "ab")
        assert (
            world.ask("PUT", f"/api/v1/{entity}/{one}/merge", {"merge_with_id": other})["data"]["id"] == other
        )
        assert [kept["id"] for kept in world.get(entity)][-1] == other and len(
            world.get(entity, ids=one)
        ) == 0
    assert world.get("deals", status="deleted") == [], "a merged deal is not listed as deleted"
    world.ask("PUT", f"/api/v1/persons/{keep}/merge", {"merge_with_id": 10**6}, 400)


def test_others_edit_delete_create_and_merge_behind_the_api(world: World) -> None:
    world.control("clock", {"speed": 0})
    code = world.post("dealFields", {"field_name": "F", "field_type": "varchar"})["field_code"]
    made = world.post("deals", {"title": "x", "custom_fields": {code: "v"}})
    world.clock.advance(5)
    edit = {"entity": "deals", "id": made["id"], "changes": {"title": "theirs"}}
    world.control("edit", edit)
    seen = world.get(f"deals/{made['id']}")
    assert seen["title"] == "theirs" and seen["update_time"] > made["update_time"]
    assert seen["custom_fields"] == {code: "v"}
    world.clock.advance(5)
    world.control("edit", {**edit, "silent": True, "changes": {"custom_fields": {code: None}}})
    silent = world.get(f"deals/{made['id']}")
    assert silent["custom_fields"] == {code: None} and silent["update_time"] == seen["update_time"]
    new = world.control(
        "edit", {"action": "create", "entity": "activities", "changes": {"subject": "s", "type": "call"}}
    )
    assert world.get(f"activities/{new['id']}")["creator_user_id"] == 2
    note = {"action": "create", "entity": "notes", "changes": {"content": "hi", "deal_id": made["id"]}}
    world.control("edit", note)
    assert world.get("/api/v1/notes", deal_id=made["id"])[0]["user"]["name"] == "Eddie Editor"
    file = {"action": "create", "entity": "files", "content": base64.b64encode(b"abc").decode()}
    added = world.control("edit", {**file, "changes": {"name": "a.txt", "deal_id": made["id"]}})
    assert world.client.get(f"/api/v1/files/{added['id']}/download").content == b"abc"
    other = world.control("edit", {"action": "create", "entity": "deals", "changes": {"title": "other"}})
    world.control(
        "edit", {"action": "merge", "entity": "deals", "id": made["id"], "merge_with_id": other["id"]}
    )
    world.get(f"deals/{made['id']}", 404)
    world.control("edit", {"action": "delete", "entity": "deals", "id": other["id"]})
    assert [one["id"] for one in world.get("deals", status="deleted")] == [other["id"]]
    world.control("edit", {"action": "delete", "entity": "activities", "id": new["id"], "purge": True})
    assert world.control("dump")["entities"]["activities"] == [None]
