"""Lists and searches of the account: pages, filters, sorting, extras, lag."""

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .pipedrive_world import World, serve


def _deals(world: World, count: int) -> list[int]:
    world.control("clock", {"speed": 0})
    made = []
    for at in range(count):
        if at % 3 == 0:
            world.clock.advance(1)
        made.append(world.post("deals", {"title": f"Deal {at}", "value": at})["id"])
    return made


@pytest.fixture(scope="module")
def twenty() -> World:
    with serve(limits=False) as world:
        ids = _deals(world, 20)
        for id_ in ids[::4]:
            world.clock.advance(1)
            world.patch(f"deals/{id_}", {"title": "changed"})
        yield world


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.integers(1, 25),
    sort=st.sampled_from(["id", "add_time", "update_time"]),
    direction=st.sampled_from(["asc", "desc"]),
)
def test_pages_give_every_record_once_and_in_order(
    twenty: World, limit: int, sort: str, direction: str
) -> None:
    found = twenty.every("deals", limit=limit, sort_by=sort, sort_direction=direction)
    keys = [(one[sort], one["id"]) for one in found]
    assert keys == sorted(keys, reverse=direction == "desc") and len({key[1] for key in keys}) == 20


def test_a_cursor_survives_what_happens_between_pages(world: World) -> None:
    ids = _deals(world, 6)
    page = world.ask("GET", "deals", limit=3)
    world.delete(f"deals/{ids[3]}")
    late = world.post("deals", {"title": "late"})["id"]
    rest = world.get("deals", limit=3, cursor=page["additional_data"]["next_cursor"])
    assert [one["id"] for one in rest] == [ids[4], ids[5], late]


def test_updated_since_takes_the_second_itself_and_until_does_not(world: World) -> None:
    _deals(world, 6)
    moments = sorted({one["update_time"] for one in world.get("deals")})
    assert len(world.get("deals", updated_since=moments[1])) == 3
    assert len(world.get("deals", updated_until=moments[1])) == 3
    assert len(world.get("deals", updated_since=moments[0], updated_until=moments[1])) == 3
    for bad in ("2026-01-01T00:00:00.000Z", "2026-01-01", "yesterday"):
        assert "not a valid datetime" in world.get("deals", 400, updated_since=bad)


@pytest.mark.parametrize(
    "query",
    [
        {"foo": "1"},
        {"limit": 501},
        {"limit": 0},
        {"limit": "x"},
        {"cursor": "nonsense"},
        {"sort_by": "title"},
        {"ids": ",".join(map(str, range(101)))},
        {"custom_fields": ",".join("x" * 16)},
        {"owner_id": "me"},
        {"status": "gone"},
        {"include_fields": "everything"},
    ],
)
def test_a_list_refuses_what_it_does_not_know(world: World, query: dict[str, object]) -> None:
    assert "Validation failed" in world.get("deals", 400, **query)


def test_lists_filter_by_what_they_are_linked_to(world: World) -> None:
    org = world.post("organizations", {"name": "O", "owner_id": 2})["id"]
    person = world.post("persons", {"name": "P", "org_id": org})["id"]
    deal = world.post("deals", {"title": "x", "person_id": person})["id"]
    other = world.post("deals", {"title": "y", "status": "won"})["id"]
    participants = [{"person_id": person}]
    body = {"subject": "s", "type": "call", "deal_id": deal, "participants": participants, "done": True}
    activity = world.post("activities", body)["id"]
    world.post("activities", {"subject": "s", "type": "call"})

    def found(path: str, **query: object) -> list[int]:
        return [one["id"] for one in world.get(path, **query)]

    assert found("organizations", owner_id=2) == [org] and found("organizations", owner_id=1) == []
    assert found("persons", org_id=org) == found("persons", deal_id=deal) == [person]
    assert found("deals", org_id=org) == found("deals", person_id=person) == [deal]
    assert found("deals", status="won") == found("deals", ids=f"{other},999999") == [other]
    assert found("deals", pipeline_id=1) == [deal, other] and found("deals", stage_id=2) == []
    for query in ({"deal_id": deal}, {"person_id": person}, {"org_id": org}, {"done": "true"}):
        assert found("activities", **query) == [activity]
    world.get("deals", 404, filter_id=1)


def test_readers_may_ask_for_more_or_for_less(world: World) -> None:
    codes = [
        world.post("personFields", {"field_name": name, "field_type": "varchar"})["field_code"]
        for name in "ab"
    ]
    label = world.get("personFields/label_ids")["options"][0]
    person = world.post("persons", {"name": "P", "label_ids": [label["id"]]})["id"]
    deal = world.post("deals", {"title": "x", "person_id": person})["id"]
    world.post(
        "activities", {"subject": "s", "type": "call", "participants": [{"person_id": person}], "done": True}
    )
    world.post("/api/v1/notes", {"content": "n", "person_id": person})
    counts = "activities_count,done_activities_count,notes_count,files_count,open_deals_count"
    (shown,) = world.get("persons", include_fields=counts, include_labels="true", custom_fields=codes[0])
    assert [shown[name] for name in counts.split(",")] == [1, 1, 1, 0, 1]
    assert shown["labels"] == [{"id": label["id"], "label": label["label"]}]
    assert shown["custom_fields"] == {codes[0]: None}
    assert world.get(f"deals/{deal}", include_fields="activities_count")["activities_count"] == 0


def test_a_list_may_lag_behind_the_writes(world: World) -> None:
    deal = world.post("deals", {"title": "old"})["id"]
    world.control("faults", {"kind": "list_lag", "seconds": 3600})
    new = world.post("deals", {"title": "new"})["id"]
    world.patch(f"deals/{deal}", {"title": "changed"})
    assert [one["title"] for one in world.get("deals")] == ["old"]
    assert world.get(f"deals/{new}")["title"] == "new"
    world.control("faults", {"clear": True})
    assert [one["title"] for one in world.get("deals")] == ["changed", "new"]


def test_search_finds_names_numbers_and_custom_texts(world: World) -> None:
    code = world.post("dealFields", {"field_name": "Source_Key__c", "field_type": "varchar"})["field_code"]
    org = world.post("organizations", {"name": "Ácme GmbH", "address": {"value": "1 Main St"}})["id"]
    world.post("persons", {"name": "Jane", "phones": [{"value": "555-0100"}], "org_id": org})
    world.post("deals", {"title": "Heat pump", "org_id": org, "custom_fields": {code: "job:51/deal"}})
    (hit,) = world.get("deals/search", term="job:51/deal", fields="custom_fields", exact_match="true")[
        "items"
    ]
    assert hit["item"]["title"] == "Heat pump" and hit["item"]["custom_fields"] == ["job:51/deal"]
    assert world.get("persons/search", term="555-0100")["items"][0]["item"]["organization"]["id"] == org
    assert world.get("organizations/search", term="main st", fields="address")["items"]
    assert len(world.get("itemSearch", term="ácme")["items"]) == 1
    url = f"{world.url}/api/v2/itemSearch/field"
    query = {"term": "job:51/deal", "entity_type": "deal", "field": code}
    answer = httpx.get(url, params=query, headers={"x-api-token": world.account.api_token})
    assert [one[code] for one in answer.json()["data"]] == ["job:51/deal"]
    world.get("deals/search", 400, term="x")
    world.get("deals/search", 400, term="xx", limit=101)
    world.control("habits", {"search_lag": 60})
    assert world.get("deals/search", term="Heat")["items"] == []
    world.clock.advance(120)
    assert len(world.get("deals/search", term="Heat")["items"]) == 1
