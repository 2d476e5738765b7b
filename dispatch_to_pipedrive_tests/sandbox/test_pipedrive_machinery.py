"""Limits, faults, habits, statistics, dumps: the account as a machine under test."""

import threading
from pathlib import Path

import httpx
import pytest

from dispatch_to_pipedrive.sandbox.clock import Clock
from dispatch_to_pipedrive.sandbox.pipedrive.account import Account
from dispatch_to_pipedrive.sandbox.pipedrive.errors import Refused
from dispatch_to_pipedrive.sandbox.pipedrive.limits import Blocked, Limits
from dispatch_to_pipedrive.sandbox.pipedrive.routes import build

from ..contract import pipedrive_documents as documents
from .pipedrive_world import World, serve


def test_every_operation_is_in_the_documents_and_costs_what_they_say() -> None:
    documents.require()
    prices = documents.prices()
    for (api, path), methods in build().items():
        name = f"/{path.replace('{id}', '{field_code}') if 'Fields' in path and api == 'v2' else '/' + path}"
        name = "/" + name.strip("/")
        for method, route in methods.items():
            assert prices[api, method, name] == route.cost, f"{api} {method} {name}"


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def limits() -> tuple[Limits, Time]:
    clock, real = Clock(speed=0), Time()
    return Limits(Account(clock, seed=1, plan="lite"), monotonic=real), real


def _headers(made: list[tuple[bytes, bytes]]) -> dict[str, int]:
    return {name.decode(): int(value) for name, value in made}


def test_the_burst_is_a_rolling_window_of_two_seconds(limits: tuple[Limits, Time]) -> None:
    limit, real = limits
    for at in range(20):
        real.now += 0.05
        headers = _headers(limit.admit(1, search=False))
        assert headers["x-ratelimit-limit"] == 20 and headers["x-ratelimit-remaining"] == 19 - at
    with pytest.raises(Refused) as refused:
        limit.admit(1, search=False)
    assert refused.value.status == 429
    real.now += 1.0
    with pytest.raises(Refused):
        limit.admit(1, search=False)
    real.now = 102.06
    limit.admit(1, search=False)
    with pytest.raises(Refused):
        limit.admit(1, search=False)
    assert limit.window.high_water == 20 and limit.spent == 21


def test_search_has_a_burst_of_its_own(limits: tuple[Limits, Time]) -> None:
    limit, _ = limits
    for _ in range(10):
        limit.admit(20, search=True)
    with pytest.raises(Refused):
        limit.admit(20, search=True)
    limit.admit(1, search=False)


def test_the_day_ends_at_midnight_utc_of_the_sandbox_clock(limits: tuple[Limits, Time]) -> None:
    limit, _ = limits
    limit.spent = 29_998
    with pytest.raises(Refused):
        limit.admit(5, search=False)
    assert _headers(limit.admit(2, search=False))["x-daily-ratelimit-token-remaining"] == 0
    limit.account.clock.advance(86_400)  # type: ignore[attr-defined]
    headers = _headers(limit.admit(5, search=False))
    assert (
        headers["x-daily-ratelimit-token-remaining"] == headers["x-daily-ratelimit-token-limit"] - 5 == 29_995
    )


def test_a_client_that_hammers_on_is_locked_out_for_a_while(limits: tuple[Limits, Time]) -> None:
    limit, real = limits
    refused = 0
    with pytest.raises(Blocked):
        for _ in range(200):
            try:
                limit.admit(1, search=False)
            except Refused:
                refused += 1
    assert refused == limit.block_after + 1
    real.now += limit.cool_off / 2
    with pytest.raises(Blocked):
        limit.admit(1, search=False)
    real.now += limit.cool_off / 2 + 0.1
    limit.admit(1, search=False)


def test_limits_show_on_the_wire() -> None:
    with serve(limits=True, plan="lite") as world:
        world.server.limits = Limits(world.account, monotonic=lambda: 100.0)
        answers = [world.client.get("/api/v2/pipelines") for _ in range(21)]
        assert [one.status_code for one in answers] == [200] * 20 + [429]
        assert answers[0].headers["x-ratelimit-remaining"] == "19"
        assert answers[0].headers["x-daily-ratelimit-token-remaining"] == "29995"
        world.control("plan", {"block_after": 0})
        world.client.get("/api/v2/pipelines")
        blocked = world.client.get("/api/v2/pipelines")
        assert blocked.status_code == 403 and blocked.headers["content-type"].startswith("text/html")
        stats = world.control("stats")
        assert stats["tokens"] == 100 and stats["responses_429"] == 2 and stats["burst_high_water"] == 20
        world.control("stats/reset", {})
        assert world.control("stats")["tokens"] == 0


def test_without_limits_prices_are_still_counted(world: World) -> None:
    world.post("deals", {"title": "x"})
    world.post("deals", {"nope": 1}, 400)
    world.get("deals")
    stats = world.control("stats")
    assert stats["tokens"] == 20 and stats["writes"] == 1
    assert stats["requests"]["POST /api/v2/deals 200"] == stats["requests"]["POST /api/v2/deals 400"] == 1
    answer = world.client.get("/api/v2/pipelines")
    assert "x-ratelimit-limit" not in answer.headers


def test_a_response_is_lost_after_the_commit(world: World) -> None:
    world.control("faults", {"kind": "lost_after_commit", "method": "POST", "entity": "deals", "nth": 2})
    world.post("deals", {"title": "one"})
    with pytest.raises(httpx.TransportError):
        world.client.post("/api/v2/deals", json={"title": "two"})
    world.post("deals", {"title": "three"})
    assert [one["title"] for one in world.get("deals")] == ["one", "two", "three"]
    assert world.control("stats")["faults"] == {"lost_after_commit": 1}


def test_a_connection_is_reset_before_anything_happens(world: World) -> None:
    world.control("faults", {"kind": "reset_before", "path": "/deals$", "method": "POST", "times": 1})
    with pytest.raises(httpx.TransportError):
        world.client.post("/api/v2/deals", json={"title": "x"})
    assert world.get("deals") == [] and world.control("stats")["tokens"] == 10
    world.post("deals", {"title": "x"})


def test_a_held_write_commits_after_the_client_gave_up(world: World) -> None:
    world.control("faults", {"kind": "hold_commit", "method": "POST", "seconds": 0.4, "times": 1})
    with pytest.raises(httpx.ReadTimeout):
        world.client.post("/api/v2/deals", json={"title": "held"}, timeout=0.1)
    assert world.get("deals") == []
    done = threading.Event()
    for _ in range(200):
        if world.get("deals"):
            done.set()
            break
        threading.Event().wait(0.02)
    assert done.is_set()


def test_faults_strike_as_the_seed_says(world: World) -> None:
    rule = {"kind": "status", "status": 503, "rate": 0.5, "seed": 3, "headers": {"Retry-After": "1"}}
    runs = []
    for _ in range(2):
        world.control("faults", {"clear": True, "rules": [rule]})
        runs.append([world.client.get("/api/v2/pipelines").status_code for _ in range(20)])
    assert runs[0] == runs[1] and set(runs[0]) == {200, 503}
    world.control(
        "faults", {"clear": True, "rules": [{"kind": "status", "status": 500, "commit": True, "times": 1}]}
    )
    assert world.client.post("/api/v2/deals", json={"title": "x"}).status_code == 500
    assert len(world.get("deals")) == 1
    url = f"{world.url}/_control/faults"
    assert httpx.post(url, json={"kind": "earthquake"}).status_code == 400
    assert httpx.post(url, json={"kind": "status", "whom": 1}).status_code == 400
    assert httpx.post(f"{world.url}/_control/habits", json={"tidy": True}).status_code == 400


def test_an_answer_may_be_slow_though_the_write_is_done(world: World) -> None:
    world.control("faults", {"kind": "latency", "method": "POST", "seconds": 30, "times": 1})
    with pytest.raises(httpx.ReadTimeout):
        world.client.post("/api/v2/deals", json={"title": "slow"}, timeout=0.2)
    assert [one["title"] for one in world.get("deals")] == ["slow"]


def test_a_command_that_means_nothing_is_refused_in_words(world: World) -> None:
    for path, body in (
        ("plan", {"plan": "galactic"}),
        ("edit", {"entity": "unicorns"}),
        ("edit", {"entity": "deals", "id": 1}),
        ("edit", {"entity": "users", "id": 99}),
        ("clock", {"set": "soon"}),
        ("load", {"not": "a dump"}),
        ("capabilities", [1]),
    ):
        answer = httpx.post(f"{world.url}/_control/{path}", json=body)
        assert answer.status_code == 400 and answer.json()["error"], path
    assert httpx.get(f"{world.url}/_control/unknown").status_code == 404
    merge = {"action": "merge", "entity": "deals", "id": world.post("deals", {"title": "x"})["id"]}
    assert httpx.post(f"{world.url}/_control/edit", json={**merge, "merge_with_id": 1}).status_code == 400


def test_address_parts_arrive_later_and_do_not_move_the_update_time(world: World) -> None:
    world.control("clock", {"speed": 0})
    address = {"value": "123 Main St, Sunnyvale, CA 94085, USA", "country": "United States"}
    made = world.post("organizations", {"name": "O", "address": address})
    assert made["address"]["locality"] is None
    world.clock.advance(10)
    filled = world.get(f"organizations/{made['id']}")
    assert filled["address"]["locality"] == "Sunnyvale" and filled["address"]["postal_code"] == "94085"
    assert filled["address"]["country"] == "United States", "what was given stays"
    assert filled["update_time"] == made["update_time"]
    world.control("habits", {"fill_address_bumps": True})
    world.patch(f"organizations/{made['id']}", {"address": {"value": "1 Elm St, Reno, NV 89501"}})
    world.clock.advance(10)
    again = world.get(f"organizations/{made['id']}")
    assert again["address"]["locality"] == "Reno" and again["update_time"] > made["update_time"]


def test_an_automation_moves_deals_when_switched_on(world: World) -> None:
    world.control("clock", {"speed": 0})
    world.control("habits", {"automation": {"to_stage": 3, "seconds": 2}})
    deal = world.post("deals", {"title": "x", "stage_id": 1})["id"]
    assert world.get(f"deals/{deal}")["stage_id"] == 1
    world.clock.advance(3)
    assert world.get(f"deals/{deal}")["stage_id"] == 3


def _fill(world: World) -> None:
    code = world.post("dealFields", {"field_name": "F", "field_type": "set", "options": [{"label": "A"}]})
    org = world.post("organizations", {"name": "O", "address": {"value": "1 Main St, Reno, NV 89501"}})["id"]
    person = world.post("persons", {"name": "P", "org_id": org})["id"]
    custom = {code["field_code"]: [code["options"][0]["id"]]}
    deal = world.post("deals", {"title": "x", "person_id": person, "custom_fields": custom})["id"]
    world.post("/api/v1/notes", {"content": "n", "deal_id": deal})
    world.client.post("/api/v1/files", files={"file": ("a.bin", b"\x00\xff")}, data={"deal_id": str(deal)})
    world.delete(f"persons/{person}")
    world.post("pipelines", {"name": "P2"})


def test_a_dump_is_the_whole_account_and_loads_into_another(world: World) -> None:
    world.control("clock", {"speed": 0})
    _fill(world)
    dump = world.control("dump")
    assert dump == world.control("dump")
    with serve(seed=99, load_dump=dump) as other:
        assert other.account.api_token == world.account.api_token
        same = other.control("dump")
        assert {key: value for key, value in same.items() if key != "now"} == {
            key: value for key, value in dump.items() if key != "now"
        }
        for path in ("deals", "organizations", "persons", "dealFields", "/api/v1/notes", "/api/v1/users"):
            assert other.get(path) == world.get(path)
        new = [one.post("deals", {"title": "next"}) for one in (world, other)]
        assert new[0]["id"] == new[1]["id"]
    world.control("load", dump)
    assert len(world.get("deals")) == 1


def test_the_same_requests_give_the_same_dump() -> None:
    dumps = []
    for _ in range(2):
        with serve(clock=Clock(speed=0)) as world:
            _fill(world)
            dumps.append(world.control("dump"))
    assert dumps[0] == dumps[1]


def test_what_went_over_the_wire_can_be_recorded_and_checked(world: World, tmp_path: Path) -> None:
    documents.require()
    file = tmp_path / "exchanges.jsonl"
    world.control("record", {"path": str(file)})
    _fill(world)
    world.client.event_hooks = {}
    world.post("deals", {"title": 5}, 400)
    assert world.control("record", {"stop": True})["count"] == 9
    counts = documents.check_recording(file)
    assert counts["v2 POST /deals"] == 1 and counts["error 400"] == 1 and counts["v1 POST /files"] == 1
    world.control("record", {"path": str(file)})
    world.account.habits["sparse_open_deals"] = False
    world.get("deals")
    world.control("record", {"stop": True})
    lines = file.read_text().splitlines()
    file.write_text("\n".join(lines).replace("local_won_date", "local_invented_date"))
    with pytest.raises(documents.Mismatch, match="local_invented_date"):
        documents.check_recording(file)


def test_only_one_operation_has_no_schema(world: World) -> None:
    documents.require()
    _fill(world)
    world.client.get("/api/v1/files/1/download")
    assert documents.seen_without_schema <= documents.NO_SCHEMA
