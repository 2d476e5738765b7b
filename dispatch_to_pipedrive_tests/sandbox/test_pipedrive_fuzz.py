"""Whatever a client sends, the account answers with the vendor's words: never a server error, never half a write."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch_to_pipedrive.sandbox.pipedrive.bodies import TABLES

from .pipedrive_world import World, serve

SMALLEST = {"deals": {"title": "x"}, "activities": {"subject": "x", "type": "call"}}
ENTITIES = ("organizations", "persons", "deals", "activities")
TYPES = (
    "varchar",
    "double",
    "monetary",
    "date",
    "daterange",
    "time",
    "timerange",
    "set",
    "enum",
    "address",
    "user",
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 12),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(
        [
            "call",
            "open",
            "won",
            "2024-02-30",
            "2024-02-28",
            "15:30",
            "0001-01-01T00:00:00+14:00",
            "USD",
            "a@b.co",
            "",
        ]
    ),
)
keys = st.sampled_from(
    ["value", "primary", "label", "person_id", "currency", "until", "timezone_name", "id", "country", "x"]
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[tuple[World, dict[str, list[str]]]]:
    with serve() as world:
        codes: dict[str, list[str]] = {"activities": ["x"]}
        world.control("habits", {"fill_address": False})
        for entity in ENTITIES[:3]:
            made = []
            for kind in TYPES:
                body: dict[str, Any] = {"field_name": kind, "field_type": kind}
                if kind in ("set", "enum"):
                    body["options"] = [{"label": "A"}, {"label": "B"}]
                made.append(world.post(f"{entity.removesuffix('s')}Fields", body)["field_code"])
            codes[entity] = made
        world.client.event_hooks = {}
        yield world, codes


def _send(world: World, method: str, path: str, body: Any) -> None:
    answer = world.client.request(method, path, json=body)
    assert answer.status_code < 500, f"{method} {path} {body}: {answer.text[:300]}"
    read = answer.json()
    assert read["success"] is (answer.status_code == 200)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), entity=st.sampled_from(ENTITIES), creating=st.booleans())
def test_any_record_body_is_answered(fuzzed: Any, data: st.DataObject, entity: str, creating: bool) -> None:
    world, codes = fuzzed
    body = data.draw(st.dictionaries(st.sampled_from([*TABLES[entity], "foo"]), values, max_size=4))
    if data.draw(st.booleans()):
        body["custom_fields"] = data.draw(st.dictionaries(st.sampled_from(codes[entity]), values, max_size=4))
    id_ = world.post(entity, SMALLEST.get(entity, {"name": "x"}))["id"]
    count = len(world.account.stores[entity])
    before = world.account.stores[entity].get(id_)
    if creating:
        answer = world.client.post(f"/api/v2/{entity}", json=body)
    else:
        answer = world.client.patch(f"/api/v2/{entity}/{id_}", json=body)
    assert answer.status_code in (200, 400, 403, 404), f"{entity} {body}: {answer.text[:300]}"
    if answer.status_code != 200:
        assert answer.json()["success"] is False
        assert len(world.account.stores[entity]) == count
        assert world.account.stores[entity].get(id_) == before, "a refused request changes nothing"
    else:
        shown = answer.json()["data"]
        assert world.client.get(f"/api/v2/{entity}/{shown['id']}").json()["data"] == shown


@settings(max_examples=150, deadline=None)
@given(
    body=values,
    method=st.sampled_from(["POST", "PATCH", "PUT", "DELETE"]),
    path=st.sampled_from(
        [
            *("/api/v2/dealFields", "/api/v2/dealFields/{code}", "/api/v2/dealFields/{option}/options"),
            *("/api/v2/pipelines", "/api/v2/stages", "/api/v2/stages/1", "/api/v2/deals", "/api/v2/nope"),
            *("/api/v1/notes", "/v1/activityTypes", "/api/v1/dealFields/{id}", "/api/v1/persons/1/merge"),
        ]
    ),
)
def test_any_other_body_is_answered(fuzzed: Any, body: Any, method: str, path: str) -> None:
    world, codes = fuzzed
    field = world.account.fields["deals"][codes["deals"][7]]
    _send(world, method, path.format(code=field.code, option=field.code, id=field.id), body)


@settings(max_examples=100, deadline=None)
@given(
    query=st.dictionaries(
        st.sampled_from(
            [
                "limit",
                "cursor",
                "ids",
                "sort_by",
                "updated_since",
                "owner_id",
                "status",
                "term",
                "start",
                "custom_fields",
            ]
        ),
        st.one_of(st.text(max_size=6), st.integers(-1, 600).map(str), st.just("2024-01-01T00:00:00Z")),
        max_size=4,
    ),
    path=st.sampled_from(
        ["v2/deals", "v2/persons/search", "v2/stages", "v2/dealFields", "v1/notes", "v1/files"]
    ),
)
def test_any_query_is_answered(fuzzed: Any, query: dict[str, str], path: str) -> None:
    world, _ = fuzzed
    answer = world.client.get(f"/api/{path}", params=query)
    assert answer.status_code in (200, 400), f"{path} {query}: {answer.text[:300]}"
