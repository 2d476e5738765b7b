"""The account's schema: fields, options, labels, pipelines, stages, users, types, and the plan's caps."""

import pytest

from .pipedrive_world import World


def test_a_field_is_made_renamed_and_deleted(world: World) -> None:
    body = {"field_name": "Priority", "field_type": "enum", "options": [{"label": "Low"}, {"label": "High"}]}
    made = world.post("dealFields", {**body, "description": "how soon"})
    path = f"dealFields/{made['field_code']}"
    assert made["is_custom_field"] is True and [one["label"] for one in made["options"]] == ["Low", "High"]
    assert world.get(path) == made
    assert world.patch(path, {"field_name": "Job priority"})["field_name"] == "Job priority"
    deal = world.post(
        "deals", {"title": "x", "custom_fields": {made["field_code"]: made["options"][0]["id"]}}
    )
    world.delete(path)
    world.get(path, 404)
    assert made["field_code"] not in world.get(f"deals/{deal['id']}")["custom_fields"]
    assert "Unknown key" in world.patch(
        f"deals/{deal['id']}", {"custom_fields": {made["field_code"]: None}}, 400
    )


@pytest.mark.parametrize(
    "body",
    [
        {"field_name": "x"},
        {"field_name": "", "field_type": "varchar"},
        {"field_name": "x" * 256, "field_type": "varchar"},
        {"field_name": "x", "field_type": "datetime"},
        {"field_name": "x", "field_type": "enum"},
        {"field_name": "x", "field_type": "varchar", "options": [{"label": "a"}]},
        {"field_name": "x", "field_type": "enum", "options": [{"label": ""}]},
        {"field_name": "x", "field_type": "enum", "options": ["a"]},
        {"field_name": "x", "field_type": "varchar", "color": "red"},
    ],
)
def test_a_field_that_makes_no_sense_is_refused(world: World, body: dict[str, object]) -> None:
    assert "Validation failed" in world.post("personFields", body, 400)


def test_options_are_added_renamed_and_removed(world: World) -> None:
    made = world.post("dealFields", {"field_name": "S", "field_type": "set", "options": [{"label": "A"}]})
    path, first = f"dealFields/{made['field_code']}/options", made["options"][0]["id"]
    (added,) = world.post(path, [{"label": "B"}])
    assert added["id"] != first
    assert world.patch(path, [{"id": first, "label": "A2"}]) == [{"id": first, "label": "A2"}]
    deal = world.post("deals", {"title": "x", "custom_fields": {made["field_code"]: [first, added["id"]]}})
    removed = world.ask("DELETE", path, [{"id": first}])
    assert removed["data"] == [{"id": first, "label": "A2"}]
    after = world.get(f"deals/{deal['id']}")
    assert after["custom_fields"][made["field_code"]] == [added["id"]]
    assert after["update_time"] == deal["update_time"]
    world.patch(path, [{"id": first, "label": "gone"}], 400)


@pytest.mark.parametrize(
    ("entity", "key"), [("deal", "label"), ("person", "label_ids"), ("organization", "label_ids")]
)
def test_label_options_change_through_v1_with_the_whole_list(world: World, entity: str, key: str) -> None:
    known = world.get(f"/api/v1/{entity}Fields")
    labels = next(one for one in known if one["key"] == key)
    options = [*labels["options"][1:], {"label": "VIP", "color": "green"}]
    changed = world.ask("PUT", f"/api/v1/{entity}Fields/{labels['id']}", {"options": options})["data"]
    assert [one["label"] for one in changed["options"]][-1] == "VIP"
    shown = world.get(f"{entity}Fields/label_ids")["options"]
    assert [one["label"] for one in shown] == [one["label"] for one in changed["options"]]
    assert labels["options"][0]["id"] not in {one["id"] for one in shown}
    name = {"title": "x"} if entity == "deal" else {"name": "x"}
    made = world.post(f"{entity}s", {**name, "label_ids": [shown[-1]["id"]]})
    assert made["label_ids"] == [shown[-1]["id"]]
    world.post(f"{entity}Fields/label_ids/options", [{"label": "New"}], 400)
    world.control("capabilities", {"label_options_v2": True})
    assert world.post(f"{entity}Fields/label_ids/options", [{"label": "New"}])[0]["label"] == "New"


def test_field_lists_have_pages_and_extras(world: World) -> None:
    everything = world.every("dealFields")
    assert [one["field_code"] for one in world.every("dealFields", limit=4)] == [
        one["field_code"] for one in everything
    ]
    assert "required_fields" in world.get("dealFields", include_fields="required_fields")[0]
    assert {one["field_code"] for one in world.get("activityFields")} >= {"subject", "due_date", "priority"}
    world.post("activityFields", {"field_name": "x", "field_type": "varchar"}, 405)


def test_pipelines_and_stages_keep_their_order(world: World) -> None:
    pipeline = world.post("pipelines", {"name": "Dispatch Pro Jobs"})
    assert pipeline["order_nr"] == 2
    names = ["Scheduled", "Dispatched", "Done"]
    made = [world.post("stages", {"name": name, "pipeline_id": pipeline["id"]}) for name in names]
    listed = world.get("stages", pipeline_id=pipeline["id"], sort_by="order_nr")
    assert [one["name"] for one in listed] == names and [one["order_nr"] for one in made] == [1, 2, 3]
    assert world.patch(f"stages/{made[0]['id']}", {"name": "Planned"})["name"] == "Planned"
    world.delete(f"stages/{made[2]['id']}")
    assert len(world.get("stages", pipeline_id=pipeline["id"])) == 2
    assert world.get("stages", pipeline_id=99) == []
    world.post("stages", {"name": "x", "pipeline_id": 99}, 400)
    world.post("stages", {"name": "x", "pipeline_id": 1, "deal_probability": 101}, 400)
    world.delete(f"pipelines/{pipeline['id']}")
    world.get(f"pipelines/{pipeline['id']}", 404)


def test_users_show_who_is_admin_and_who_is_not_active(world: World) -> None:
    admin, editor, tech, gone = world.get("/api/v1/users")
    assert {one["app"]: one["admin"] for one in admin["access"]}["global"] is True
    assert {one["app"]: one["admin"] for one in editor["access"]}["global"] is False
    assert (tech["email"], tech["active_flag"], gone["active_flag"]) == ("Tina.Tech@example.com", True, False)
    me = world.get("/v1/users/me")
    assert me["id"] == admin["id"] and me["company_id"] == world.account.company_id
    assert world.get(f"/api/v1/users/{tech['id']}") == tech
    world.get("/api/v1/users/99", 404)
    edit = {"entity": "users", "id": tech["id"], "changes": {"active_flag": False}}
    assert world.control("edit", edit)["active_flag"] is False
    new = world.control("edit", {"entity": "users", "action": "create", "changes": {"email": "new@x.co"}})
    assert world.get("/api/v1/users")[-1] == new
    world.control("capabilities", {"admin": False})
    world.post("pipelines", {"name": "x"}, 403)
    assert not any(one["admin"] for one in world.get("/v1/users/me")["access"])
    assert {"USD", "EUR"} <= {one["code"] for one in world.get("/api/v1/currencies")}


def test_an_activity_type_gets_its_key_from_its_name(world: World) -> None:
    made = world.post("/api/v1/activityTypes", {"name": "Site Visit", "icon_key": "truck"})
    assert made["key_string"] == "site_visit" and made["is_custom_flag"] is True
    assert (
        world.post("/api/v1/activityTypes", {"name": "Site visit", "icon_key": "car"})["key_string"]
        == "site_visit2"
    )
    assert world.post("activities", {"subject": "s", "type": "site_visit"})["type"] == "site_visit"
    world.post("/api/v1/activityTypes", {"name": "x", "icon_key": "unicorn"}, 400)
    assert "site_visit" in {one["key_string"] for one in world.get("/api/v1/activityTypes")}


def test_the_plan_caps_custom_fields_of_all_entities_together(world: World) -> None:
    world.control("plan", {"custom_fields": 2})
    for entity in ("dealFields", "personFields"):
        world.post(entity, {"field_name": "x", "field_type": "varchar"})
    refused = world.ask("POST", "organizationFields", {"field_name": "x", "field_type": "varchar"}, 403)
    assert refused["code"] == "feature_capping_custom_fields_limit"


def test_the_plan_caps_open_deals_only(world: World) -> None:
    world.control("plan", {"open_deals": 2})
    first = world.post("deals", {"title": "1"})["id"]
    world.post("deals", {"title": "2"})
    won = world.post("deals", {"title": "3", "status": "won"})["id"]
    assert world.ask("POST", "deals", {"title": "4"}, 403)["code"] == "feature_capping_deals_limit"
    world.patch(f"deals/{won}", {"status": "open"}, 403)
    assert world.get(f"deals/{won}")["status"] == "won"
    world.delete(f"deals/{first}")
    world.patch(f"deals/{won}", {"status": "open"})
    assert world.control("plan", {"plan": "lite", "seats": 3, "open_deals": None})["open_deals"] == 7_500
