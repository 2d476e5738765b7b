"""Records of the account: what v2 takes, what it refuses and with which words, what it answers."""

import re

import pytest

from .pipedrive_world import World, serve


def _field(world: World, entity: str, name: str, kind: str, options: tuple[str, ...] = ()) -> dict:
    body = {"field_name": name, "field_type": kind}
    if options:
        body["options"] = [{"label": label} for label in options]
    return world.post(f"{entity}Fields", body)


def test_an_organization_echoes_what_it_was_given_and_nulls_for_the_rest(world: World) -> None:
    address = {"value": "123 Main St, Sunnyvale", "locality": "Sunnyvale"}
    made = world.post(
        "organizations", {"name": "Acme", "address": address, "add_time": "2019-05-29T04:21:51Z"}
    )
    assert made["add_time"] == "2019-05-29T04:21:51Z"
    assert made["address"]["locality"] == "Sunnyvale" and made["address"]["country"] is None
    assert made["owner_id"] == 1 and made["visible_to"] == 7 and made["is_deleted"] is False
    assert world.get(f"organizations/{made['id']}") == made
    moved = world.patch(f"organizations/{made['id']}", {"address": {"value": "Elsewhere 1"}})
    assert moved["address"]["locality"] is None, "parts that are left out are null from then on"


def test_a_person_has_one_name_in_two_forms(world: World) -> None:
    made = world.post("persons", {"name": "Jane van Doe"})
    assert (made["first_name"], made["last_name"]) == ("Jane", "van Doe")
    made = world.post("persons", {"first_name": "Ann", "last_name": "Lee"})
    assert made["name"] == "Ann Lee"
    assert world.patch(f"persons/{made['id']}", {"first_name": "Bo"})["name"] == "Bo Lee"
    words = world.post("persons", {"name": "A B", "first_name": "A", "last_name": "B"}, 400)
    assert words == "Cannot set 'name' and 'first_name'/'last_name' at the same time"


def test_emails_are_replaced_as_a_whole_and_get_a_label_and_a_primary(world: World) -> None:
    made = world.post(
        "persons", {"name": "J", "emails": [{"value": "a@b.co"}, {"value": "c@d.co", "label": "home"}]}
    )
    assert made["emails"] == [
        {"value": "a@b.co", "primary": True, "label": "work"},
        {"value": "c@d.co", "primary": False, "label": "home"},
    ]
    changed = world.patch(f"persons/{made['id']}", {"emails": [{"value": "new@b.co", "primary": True}]})
    assert [one["value"] for one in changed["emails"]] == ["new@b.co"]
    two = [{"value": "a@b.co", "primary": True}, {"value": "c@d.co", "primary": True}]
    assert "primary" in world.patch(f"persons/{made['id']}", {"emails": two}, 400)
    assert "email" in world.patch(f"persons/{made['id']}", {"emails": [{"value": "n/a"}]}, 400)
    world.control("capabilities", {"any_email": True})
    world.patch(f"persons/{made['id']}", {"emails": [{"value": "n/a"}]})


def test_contact_sync_fields_are_forbidden_until_it_is_set_up(world: World) -> None:
    world.post("persons", {"name": "J", "job_title": "Owner"}, 403)
    world.control("capabilities", {"contact_sync": True})
    assert world.post("persons", {"name": "J", "job_title": "Owner"})["job_title"] == "Owner"


def test_unknown_keys_and_wrong_types_are_all_named(world: World) -> None:
    words = world.post("deals", {"title": 5, "foo": 1, "owner_id": "1", "custom_fields": {"bar": 2}}, 400)
    assert words == (
        "Validation failed: title: The value is not a valid 'string'; "
        "foo: Parameter 'foo' is not allowed for this request; owner_id: The value is not a valid 'integer'; "
        "custom_fields: Unknown key 'bar'"
    )
    hex_key = "ab" * 20
    assert f"Parameter '{hex_key}' is not allowed" in world.post("deals", {"title": "x", hex_key: 1}, 400)
    assert "required" in world.post("deals", {}, 400)
    world.post("deals", {"title": "x", "add_time": "2020-01-01T00:00:00Z"}, 400)
    world.post("activities", {"subject": "s", "type": "call", "person_id": 1}, 400)
    world.post("activities", {"subject": "s", "type": "nope"}, 400)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("varchar", "x" * 255, ["x" * 256, 5, ["x"]]),
        ("text", "x" * 65_535, ["x" * 65_536]),
        ("double", 5.5, ["5.5", True]),
        ("monetary", {"value": 5, "currency": "USD"}, [5, {"value": 5}, {"value": "5", "currency": "USD"}]),
        ("date", "2024-02-29", ["2023-02-29", "2024-02-29T00:00:00Z", 20240229]),
        ("daterange", {"value": "2024-01-01", "until": "2024-01-02"}, [{"value": "2024-01-01"}]),
        ("address", {"value": "1 Main St"}, ["1 Main St", {"route": "Main St"}, {"value": "x", "town": "y"}]),
        ("user", 2, [99, "2"]),
        ("org", None, [99]),
        ("phone", "+1 555", [5]),
    ],
)
def test_a_custom_value_of_each_type_is_stored_or_refused(
    world: World, kind: str, good: object, bad: list[object]
) -> None:
    code = _field(world, "organization", "F", kind)["field_code"]
    made = world.post("organizations", {"name": "O", "custom_fields": {code: good}})
    if kind == "address":
        assert made["custom_fields"][code]["value"] == "1 Main St"
        assert made["custom_fields"][code]["locality"] is None
    else:
        assert made["custom_fields"][code] == good
    for value in bad:
        assert "custom_fields" in world.post(
            "organizations", {"name": "O", "custom_fields": {code: value}}, 400
        )
    assert (
        world.patch(f"organizations/{made['id']}", {"custom_fields": {code: None}})["custom_fields"][code]
        is None
    )


def test_options_are_ids_of_the_field_and_a_set_is_cleared_with_null_only(world: World) -> None:
    one = _field(world, "deal", "Kind", "enum", ("A", "B"))
    several = _field(world, "deal", "Tags", "set", ("C", "D"))
    a, c, d = one["options"][0]["id"], several["options"][0]["id"], several["options"][1]["id"]
    values = {one["field_code"]: a, several["field_code"]: [c, d]}
    made = world.post("deals", {"title": "x", "custom_fields": values})
    assert made["custom_fields"] == values
    for bad in ({one["field_code"]: "A"}, {one["field_code"]: c}, {several["field_code"]: []}):
        world.patch(f"deals/{made['id']}", {"custom_fields": bad}, 400)
    cleared = world.patch(f"deals/{made['id']}", {"custom_fields": {several["field_code"]: None}})
    assert cleared["custom_fields"] == {one["field_code"]: a, several["field_code"]: None}
    shown = world.get(f"deals/{made['id']}", include_option_labels="true")
    assert shown["custom_fields"][one["field_code"]] == {"id": a, "label": "A"}


def test_a_time_is_answered_with_seconds_and_its_zone(world: World) -> None:
    code = _field(world, "deal", "At", "time")["field_code"]
    value = {"value": "09:30", "timezone_name": "Europe/London"}
    shown = world.post("deals", {"title": "x", "custom_fields": {code: value}})["custom_fields"][code]
    assert shown["value"] == "09:30:00" and shown["timezone_name"] == "Europe/London"
    assert isinstance(shown["timezone_id"], int)


def test_an_empty_custom_fields_object_clears_everything_on_patch(world: World) -> None:
    code = _field(world, "deal", "T", "varchar")["field_code"]
    made = world.post("deals", {"title": "x", "custom_fields": {code: "v"}})
    assert world.patch(f"deals/{made['id']}", {"custom_fields": {}})["custom_fields"] == {code: None}


def test_a_deal_finds_its_place_and_its_defaults(world: World) -> None:
    pipeline = world.post("pipelines", {"name": "Dispatch Pro Jobs"})
    assert world.get("stages", pipeline_id=pipeline["id"]) == []
    stages = [world.post("stages", {"name": name, "pipeline_id": pipeline["id"]}) for name in ("One", "Two")]
    made = world.post("deals", {"title": "x"})
    assert (made["pipeline_id"], made["stage_id"], made["currency"], made["status"]) == (1, 1, "USD", "open")
    assert world.post("deals", {"title": "x", "pipeline_id": pipeline["id"]})["stage_id"] == stages[0]["id"]
    assert world.post("deals", {"title": "x", "stage_id": stages[1]["id"]})["pipeline_id"] == pipeline["id"]
    world.post("deals", {"title": "x", "pipeline_id": 1, "stage_id": stages[1]["id"]}, 400)
    moved = world.patch(f"deals/{made['id']}", {"stage_id": stages[1]["id"]})
    assert moved["stage_change_time"] == moved["update_time"] and moved["pipeline_id"] == pipeline["id"]


def test_a_status_and_its_time_take_two_calls_unless_switched(world: World) -> None:
    then = "2023-04-12T16:05:00Z"
    both = {"title": "x", "status": "won", "won_time": then, "close_time": then}
    assert "won_time" in world.post("deals", both, 400)
    made = world.post("deals", {"title": "x", "status": "won"})
    assert made["won_time"] == made["close_time"] == made["update_time"]
    changed = world.patch(f"deals/{made['id']}", {"won_time": then, "close_time": then})
    assert changed["won_time"] == then and changed["local_won_date"] == "2023-04-12"
    world.patch(f"deals/{made['id']}", {"lost_reason": "no"}, 400)
    world.patch(f"deals/{made['id']}", {"lost_time": then}, 400)
    reopened = world.patch(f"deals/{made['id']}", {"status": "open"})
    assert "won_time" not in reopened and reopened["close_time"] is None
    lost = world.patch(f"deals/{made['id']}", {"status": "lost", "lost_reason": "Budget"})
    assert lost["lost_time"] and lost["won_time"] is None
    world.control("capabilities", {"won_with_time": True})
    assert world.post("deals", both)["won_time"] == then


def test_deal_add_time_is_refused_until_switched_on(world: World) -> None:
    body = {"title": "x", "add_time": "2020-01-01T00:00:00Z"}
    assert "add_time" in world.post("deals", body, 400)
    world.control("capabilities", {"deal_add_time": True})
    assert world.post("deals", body)["add_time"] == "2020-01-01T00:00:00Z"
    for bad in ("2020-01-01 00:00:00", "2020-01-01T00:00:00.000Z", "2020-01-01"):
        world.post("deals", {"title": "x", "add_time": bad}, 400)


def test_the_organization_of_a_deal_and_an_activity_comes_from_the_person(world: World) -> None:
    org = world.post("organizations", {"name": "O"})["id"]
    person = world.post("persons", {"name": "P", "org_id": org})["id"]
    assert world.post("deals", {"title": "x", "person_id": person})["org_id"] == org
    activity = {"subject": "s", "type": "call", "participants": [{"person_id": person}]}
    made = world.post("activities", activity)
    assert made["org_id"] == org and made["person_id"] == person
    assert made["participants"] == [{"person_id": person, "primary": True}]
    world.control("habits", {"fill_org_from_person": False})
    assert "org_id" not in world.post("deals", {"title": "x", "person_id": person})


def test_an_activity_is_reformatted_and_its_note_cleaned(world: World) -> None:
    body = {
        "subject": "s",
        "type": "meeting",
        "due_date": "2023-03-02",
        "due_time": "15:30",
        "duration": "00:15",
    }
    note = '<p onclick="x()">Hi <b>you</b><script>bad()</script><img src="x"><br></p>'
    made = world.post("activities", {**body, "note": note, "done": True})
    assert (made["due_time"], made["duration"]) == ("15:30:00", "00:15:00")
    assert made["note"] == "<p>Hi <b>you</b><br></p>"
    assert made["done"] is True and made["marked_as_done_time"] == made["update_time"]
    assert "not a valid datetime" in world.post("activities", {**body, "due_time": "5:30"}, 400)
    assert "not a valid datetime" in world.post("activities", {**body, "duration": "25:00"}, 400)
    world.post("activities", {**body, "note": "x" * 102_401}, 400)
    world.post("activities", {"type": "call"}, 400)


def test_references_must_exist_and_be_alive(world: World) -> None:
    org = world.post("organizations", {"name": "O"})["id"]
    world.delete(f"organizations/{org}")
    for body in ({"org_id": org}, {"org_id": 10**9}, {"owner_id": 99}, {"owner_id": 4}, {"stage_id": 99}):
        assert "not found" in world.post("deals", {"title": "x", **body}, 400)
    assert "exist" in world.post("deals", {"title": "x", "label_ids": [1]}, 400)


def test_deleting_is_soft_and_does_not_cascade(world: World) -> None:
    org = world.post("organizations", {"name": "O"})["id"]
    person = world.post("persons", {"name": "P", "org_id": org})["id"]
    deal = world.post("deals", {"title": "x", "org_id": org})["id"]
    assert world.delete(f"organizations/{org}") == {"success": True, "data": {"id": org}}
    assert world.get("organizations") == [] and world.get(f"persons/{person}")["org_id"] == org
    world.get(f"organizations/{org}", 404)
    world.patch(f"organizations/{org}", {"name": "again"}, 404)
    world.delete(f"organizations/{org}", 404)
    world.delete(f"deals/{deal}")
    assert world.get("deals") == []
    assert [one["id"] for one in world.get("deals", status="deleted")] == [deal]
    world.clock.advance(31 * 86_400)
    assert world.get("deals", status="deleted") == [], "gone for good after 30 days"
    world.clock.advance(-31 * 86_400)
    world.control("capabilities", {"get_deleted": True, "restore": True})
    assert world.get(f"organizations/{org}")["is_deleted"] is True
    assert world.patch(f"deals/{deal}", {"is_deleted": False})["is_deleted"] is False
    assert [one["id"] for one in world.get("deals")] == [deal]


def test_archived_deals_have_a_list_of_their_own_and_stay_as_they_are(world: World) -> None:
    deal = world.post("deals", {"title": "x"})["id"]
    archived = world.patch(f"deals/{deal}", {"is_archived": True, "archive_time": "2024-01-02 03:04:05"})
    assert archived["archive_time"] == "2024-01-02T03:04:05Z"
    assert world.get("deals") == [] and [one["id"] for one in world.get("deals/archived")] == [deal]
    world.patch(f"deals/{deal}", {"title": "y"}, 400)
    world.control("capabilities", {"unarchive": True})
    assert world.patch(f"deals/{deal}", {"is_archived": False})["is_archived"] is False


def test_the_empty_date_is_stored_as_zeros_and_null_is_refused(world: World) -> None:
    deal = world.post("deals", {"title": "x", "expected_close_date": "2024-01-01"})["id"]
    assert "The value is not a valid 'string'" in world.patch(
        f"deals/{deal}", {"expected_close_date": None}, 400
    )
    cleared = world.patch(f"deals/{deal}", {"expected_close_date": ""})
    assert cleared["expected_close_date"] == "0000-00-00"


def test_open_deals_leave_out_what_they_do_not_have(world: World) -> None:
    made = world.post("deals", {"title": "x"})
    assert {"won_time", "lost_time", "expected_close_date", "org_id"}.isdisjoint(made)
    world.control("habits", {"sparse_open_deals": False})
    assert world.get(f"deals/{made['id']}")["org_id"] is None


def test_every_answer_carries_the_sandbox_clock_and_it_alone(world: World) -> None:
    world.control("clock", {"set": "2026-07-01T12:00:00Z", "speed": 0})
    answer = world.client.get("/api/v2/deals")
    assert answer.headers.get_list("date") == ["Wed, 01 Jul 2026 12:00:00 GMT"]
    assert world.post("deals", {"title": "x"})["add_time"] == "2026-07-01T12:00:00Z"


def test_two_accounts_share_nothing_and_one_seed_gives_the_same_account(world: World) -> None:
    with serve(seed=8) as other, serve(seed=7) as same:
        assert other.account.api_token != world.account.api_token == same.account.api_token
        codes = [_field(one, "deal", "Job Type", "varchar")["field_code"] for one in (world, other, same)]
        assert codes[0] != codes[1] and codes[0] == codes[2]
        assert all(re.fullmatch("[0-9a-f]{40}", code) for code in codes)


def test_only_the_header_opens_the_door(world: World) -> None:
    token = world.account.api_token
    world.client.headers.pop("x-api-token")
    refused = world.client.get("/api/v2/deals")
    assert refused.status_code == 401 and refused.headers["x-401-by-gw"] == "true"
    assert world.client.get("/api/v2/deals", headers={"x-api-token": "0" * 40}).status_code == 401
    world.client.event_hooks = {}
    assert world.client.get("/api/v2/deals", params={"api_token": token}).status_code == 401
    world.control("capabilities", {"query_token": True})
    assert world.client.get("/api/v2/deals", params={"api_token": token}).status_code == 200
