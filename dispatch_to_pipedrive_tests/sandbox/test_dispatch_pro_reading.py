"""How the tenant is read: token, app key, lists, feeds, limits, faults — as the vendor describes them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from dispatch_to_pipedrive.sandbox.clock import DEFAULT_NOW, Clock
from dispatch_to_pipedrive.sandbox.dispatch_pro.app import build_app
from dispatch_to_pipedrive.sandbox.dispatch_pro.errors import ApiError
from dispatch_to_pipedrive.sandbox.dispatch_pro.table import Columns, Record, Table
from dispatch_to_pipedrive.sandbox.dispatch_pro.tenant import Tenant
from dispatch_to_pipedrive.sandbox.dispatch_pro.times import Ints, parse_ticks, write_ticks
from dispatch_to_pipedrive.sandbox.dispatch_pro.traffic import Traffic


@dataclass
class World:
    """A tenant served in this process, under a clock that stands still."""

    clock: Clock
    tenant: Tenant
    app: Starlette
    http: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)

    async def log_in(self, **changes: str) -> httpx.Response:
        credentials = self.tenant.credentials
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            **changes,
        }
        answer = await self.http.post("/connect/token", data=form)
        if answer.is_success:
            token = answer.json()["access_token"]
            self.headers = {"Authorization": f"Bearer {token}", "ST-App-Key": credentials.app_key}
        return answer

    async def get(self, module: str, rest: str, **query: Any) -> httpx.Response:
        path = f"/{module}/v2/tenant/{self.tenant.credentials.tenant_id}/{rest}"
        return await self.http.get(path, params=query, headers=self.headers)

    async def page(self, module: str, rest: str, **query: Any) -> dict[str, Any]:
        answer = await self.get(module, rest, **query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def change(self, action: str, **parameters: Any) -> Record:
        answer = await self.http.post("/_control/tenant", json={"action": action, **parameters})
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["record"])

    async def drain(self, module: str, rest: str, token: str = "", **query: Any) -> tuple[list[Record], str]:
        rows: list[Record] = []
        while True:
            page = await self.page(module, rest, **({"from": token} if token else {}), **query)
            rows += page["data"]
            token = page["continueFrom"]
            if not page["hasMore"]:
                return rows, token


Start = Callable[..., Any]


@pytest_asyncio.fixture
async def start() -> AsyncIterator[Start]:
    opened: list[httpx.AsyncClient] = []

    async def make(customers: int = 30, limits: bool = False, **options: Any) -> World:
        clock = Clock(DEFAULT_NOW, speed=0)
        app, tenant = build_app(clock, customers=customers, seed=1, now=DEFAULT_NOW, limits=limits, **options)
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox")
        opened.append(http)
        world = World(clock, tenant, app, http)
        await world.log_in()
        return world

    yield make
    for http in opened:
        await http.aclose()


async def test_a_token_lives_900_seconds_of_the_sandbox_clock(start: Start) -> None:
    world = await start()
    assert (await world.log_in()).json()["expires_in"] == 900
    world.clock.advance(899)
    assert (await world.get("crm", "customers")).status_code == 200
    world.clock.advance(1)
    refused = await world.get("crm", "customers")
    assert refused.status_code == 401
    assert "Bearer" in refused.headers["www-authenticate"]


@pytest.mark.parametrize(
    "wrong", [{"client_secret": "cs1.no"}, {"client_id": "cid.no"}, {"grant_type": "password"}]
)
async def test_a_wrong_secret_is_refused_and_shown_to_nobody(start: Start, wrong: dict[str, str]) -> None:
    world = await start()
    refused = await world.log_in(**wrong)
    assert refused.status_code == 400
    assert refused.json()["error"] in ("invalid_client", "unsupported_grant_type")
    assert world.tenant.credentials.client_secret not in refused.text + repr(world.tenant)


async def test_a_call_needs_the_app_key_and_the_right_tenant(start: Start) -> None:
    world = await start()
    path = f"/crm/v2/tenant/{world.tenant.credentials.tenant_id}/customers"
    bare = {"Authorization": world.headers["Authorization"]}
    assert (await world.http.get(path, headers=bare)).status_code == 403
    key = {"servicetitanapplicationkey": world.tenant.credentials.app_key}
    assert (await world.http.get(path, headers=bare, params=key)).status_code == 200
    other = await world.http.get("/crm/v2/tenant/42/customers", headers=world.headers)
    assert other.status_code == 403
    assert set(other.json()) == {"type", "title", "status", "traceId", "errors", "data"}
    assert (await world.http.get(path)).status_code == 401
    unknown = await world.get("crm", "nothing")
    assert unknown.status_code == 404
    assert set(unknown.json()) == {"type", "title", "status", "traceId", "errors", "data"}


async def test_pages_of_a_list_hold_every_record_once(start: Start) -> None:
    world = await start()
    seen: list[int] = []
    for number in range(1, 100):
        page = await world.page("jpm", "jobs", page=number, pageSize=7)
        seen += [record["id"] for record in page["data"]]
        assert page["totalCount"] is None
        if not page["hasMore"]:
            break
    total = (await world.page("jpm", "jobs", pageSize=1, includeTotal="true"))["totalCount"]
    assert len(seen) == len(set(seen)) == total
    assert (await world.page("jpm", "jobs"))["pageSize"] == 50
    assert "active" not in (await world.page("jpm", "jobs"))["data"][0]


async def test_a_list_shows_active_records_unless_asked_for_others(start: Start) -> None:
    world = await start()
    some = {
        choice: {
            r["id"] for r in (await world.page("crm", "customers", pageSize=5000, active=choice))["data"]
        }
        for choice in ("True", "Any", "False")
    }
    plain = {r["id"] for r in (await world.page("crm", "customers", pageSize=5000))["data"]}
    assert plain == some["True"]
    assert some["False"]
    assert some["Any"] == some["True"] | some["False"]
    reasons = await world.page("jpm", "job-cancel-reasons")
    assert any(not reason["active"] for reason in reasons["data"])
    voided = await world.page("accounting", "invoices", activeState="InactiveOnly", pageSize=5000)
    assert all(not invoice["active"] for invoice in voided["data"])


async def test_filters_and_sort_of_a_list_do_what_their_names_say(start: Start) -> None:
    world = await start()
    everything = (await world.page("jpm", "jobs", pageSize=5000))["data"]
    middle = sorted(job["modifiedOn"] for job in everything)[len(everything) // 2]
    since = (await world.page("jpm", "jobs", pageSize=5000, modifiedOnOrAfter=middle))["data"]
    before = (await world.page("jpm", "jobs", pageSize=5000, modifiedBefore=middle))["data"]
    assert {j["id"] for j in since} | {j["id"] for j in before} == {j["id"] for j in everything}
    assert not {j["id"] for j in since} & {j["id"] for j in before}
    assert all(parse_ticks(j["modifiedOn"]) >= parse_ticks(middle) for j in since)
    held = (await world.page("jpm", "jobs", jobStatus="Hold"))["data"]
    assert held
    assert all(job["jobStatus"] == "Hold" for job in held)
    mine = (await world.page("jpm", "jobs", customerId=410_000_001))["data"]
    assert all(job["customerId"] == 410_000_001 for job in mine)
    by_id = (await world.page("jpm", "jobs", ids="500000002,500000000"))["data"]
    assert [job["id"] for job in by_id] == [500_000_000, 500_000_002]
    backwards = (await world.page("jpm", "jobs", sort="-ModifiedOn", pageSize=5000))["data"]
    times = [parse_ticks(job["modifiedOn"]) for job in backwards]
    assert times == sorted(times, reverse=True)
    forwards = (await world.page("jpm", "jobs", sort="+Id"))["data"]
    assert [job["id"] for job in forwards] == sorted(job["id"] for job in forwards)
    invoices = (await world.page("accounting", "invoices", jobId=500_000_001))["data"]
    assert [invoice["job"]["id"] for invoice in invoices] == [500_000_001] * 2
    named = (await world.page("crm", "customers", name="jane doe"))["data"]
    assert named
    assert all("jane doe" in customer["name"].lower() for customer in named)


async def test_a_parameter_nobody_documents_is_ignored(start: Start) -> None:
    world = await start()
    plain = await world.page("jpm", "jobs")
    assert plain == await world.page("jpm", "jobs", customer_id="1", Active="False", colour="red")
    tags = await world.page("settings", "tag-types")
    assert tags == await world.page("settings", "tag-types", ids="3301")
    notes = await world.page("crm", "customers/410000000/notes")
    assert notes == await world.page("crm", "customers/410000000/notes", sort="-Id", active="False")


async def test_fifty_ids_are_looked_up_and_not_one_more(start: Start) -> None:
    world = await start()
    ids = [str(410_000_000 + at) for at in range(51)]
    assert (await world.get("crm", "customers", ids=",".join(ids[:50]))).status_code == 200
    refused = await world.get("crm", "customers", ids=",".join(ids))
    assert refused.status_code == 400
    assert "Simple IDs lookup should n" in refused.json()["errors"]["Ids"][0]


async def test_a_feed_gives_everything_once_in_the_order_of_change(start: Start) -> None:
    world = await start(export_page_size=11)
    for module, rest, feed in (("crm", "export/customers", "customers"), ("jpm", "export/jobs", "jobs")):
        rows, token = await world.drain(module, rest)
        places = [(parse_ticks(row["modifiedOn"]), row["id"]) for row in rows]
        assert places == sorted(places)
        assert len(set(places)) == len(rows) == len(world.tenant.tables[feed])
        assert any(not row["active"] for row in rows) or feed == "jobs"
        assert await world.drain(module, rest, token) == ([], token)


async def test_a_feed_starts_at_a_date_inclusive(start: Start) -> None:
    world = await start()
    rows, _ = await world.drain("jpm", "export/jobs")
    at = rows[len(rows) // 2]["modifiedOn"]
    page = await world.page("jpm", "export/jobs", **{"from": at})
    assert page["data"][0]["modifiedOn"] == at
    later = await world.page("jpm", "export/jobs", **{"from": write_ticks(parse_ticks(at) + 1)})
    assert all(parse_ticks(row["modifiedOn"]) > parse_ticks(at) for row in later["data"])
    assert len((await world.page("jpm", "export/jobs", **{"from": "2020-01-01"}))["data"]) == len(rows)


async def test_a_token_belongs_to_its_feed(start: Start) -> None:
    world = await start()
    token = (await world.page("jpm", "export/jobs"))["continueFrom"]
    assert (await world.get("crm", "export/customers", **{"from": token})).status_code == 400


async def test_a_change_shows_after_the_lag_or_at_once_and_then_again(start: Start) -> None:
    world = await start()
    _, token = await world.drain("crm", "export/customers")
    await world.change("edit", entity="customer", id=410_000_000, fields={"name": "Anew"})
    assert await world.drain("crm", "export/customers", token) == ([], token)
    after = token
    for _ in range(3):
        recent, after = await world.drain("crm", "export/customers", after, includeRecentChanges="true")
        assert [row["name"] for row in recent] == ["Anew"]
    world.clock.advance(901)
    await world.log_in()
    late, after = await world.drain("crm", "export/customers", after)
    assert [row["name"] for row in late] == ["Anew"]
    assert await world.drain("crm", "export/customers", after) == ([], after)


async def test_assignments_are_exported_active_only_and_appointments_whole(start: Start) -> None:
    world = await start()
    plain, _ = await world.drain("dispatch", "export/appointment-assignments")
    whole, _ = await world.drain("dispatch", "export/appointment-assignments", active="Any")
    assert all(row["active"] for row in plain)
    assert {r["id"] for r in whole if r["active"]} == {r["id"] for r in plain}
    assert len(whole) > len(plain)
    visits, _ = await world.drain("jpm", "export/appointments")
    assert any(not visit["active"] for visit in visits)


async def test_changes_between_pages_of_a_feed_are_never_lost(start: Start) -> None:
    world = await start(export_page_size=5)
    token, seen, round_ = "", {}, 0
    while True:
        page = await world.page("crm", "export/customers", **({"from": token} if token else {}))
        seen |= {row["id"]: row["name"] for row in page["data"]}
        token = page["continueFrom"]
        if round_ < 8:
            name = f"Name {round_}"
            await world.change("edit", entity="customer", id=410_000_000 + round_ * 3, fields={"name": name})
            world.clock.advance(1000)
            await world.log_in()
            round_ += 1
        elif not page["hasMore"]:
            break
    whole, _ = await world.drain("crm", "export/customers")
    assert seen == {row["id"]: row["name"] for row in whole}


async def test_sixty_calls_a_second_and_then_the_vendors_429(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await start(limits=True)
    monkeypatch.setattr(world.app.state.traffic, "_monotonic", lambda: 100.0)
    answers = [await world.get("settings", "tag-types") for _ in range(61)]
    assert [answer.status_code for answer in answers[:60]] == [200] * 60
    refused = answers[60]
    assert refused.status_code == 429
    wait = int(refused.json()["title"].split(" ")[-2])
    assert refused.json()["title"] == f"Rate limit is exceeded. Try again in {wait} seconds."
    assert refused.headers["retry-after"] == str(wait)
    stats = (await world.http.get("/_control/stats")).json()
    assert stats["responses_429"] == 1
    assert stats["most_in_a_second"] == 60


def test_the_limit_is_a_window_that_slides() -> None:
    now = [100.0]
    traffic = Traffic(limits=True, latency_ms=0, monotonic=lambda: now[0])
    for at in range(60):
        now[0] = 100 + at * 0.01
        traffic.admit()
    now[0] = 100.9
    with pytest.raises(ApiError) as caught:
        traffic.admit()
    assert caught.value.headers["Retry-After"] == "1"
    now[0] = 101.001
    traffic.admit()
    with pytest.raises(ApiError):
        traffic.admit()


async def test_faults_hit_the_calls_they_name(start: Start) -> None:
    world = await start()
    rules = [
        {"kind": "status", "path": "export/jobs", "status": 500, "nth": 2},
        {"kind": "status", "path": "export/customers", "status": 502, "html": True, "times": 1},
        {"kind": "status", "path": "tag-types", "status": 429, "rate": 0.5, "seed": 3},
    ]
    assert (await world.http.post("/_control/faults", json={"rules": rules})).status_code == 200
    jobs = [(await world.get("jpm", "export/jobs")).status_code for _ in range(3)]
    assert jobs == [200, 500, 200]
    page = await world.get("crm", "export/customers")
    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (502, "text/html")
    assert (await world.get("crm", "export/customers")).status_code == 200
    tags = [(await world.get("settings", "tag-types")).status_code for _ in range(20)]
    assert set(tags) == {200, 429}
    await world.http.post("/_control/faults", json={"clear": True})
    assert {(await world.get("settings", "tag-types")).status_code for _ in range(20)} == {200}
    await world.http.post(
        "/_control/faults", json={"kind": "status", "path": "connect", "status": 503, "times": 1}
    )
    assert [(await world.log_in()).status_code for _ in range(2)] == [503, 200]
    wrong = await world.http.post("/_control/faults", json={"kind": "flood"})
    assert wrong.status_code == 400


@given(
    ticks=st.integers(0, 4_000_000_000 * 10_000_000),
    digits=st.integers(0, 7),
)
def test_timestamps_are_written_trimmed_and_read_back_exactly(ticks: int, digits: int) -> None:
    moment = ticks // 10 ** (7 - digits) * 10 ** (7 - digits)
    text = write_ticks(moment)
    assert parse_ticks(text) == moment
    assert text.endswith("Z")
    fraction = text.partition(".")[2].rstrip("Z")
    assert not fraction.endswith("0")
    assert len(fraction) <= digits


@settings(max_examples=60)
@given(
    times=st.lists(st.integers(0, 5), min_size=1, max_size=12),
    changes=st.lists(st.tuples(st.integers(0, 15), st.integers(0, 8)), max_size=12),
)
def test_a_table_keeps_its_records_in_the_order_of_change(
    times: list[int], changes: list[tuple[int, int]]
) -> None:
    ids = np.arange(len(times), dtype=np.int64)

    def render(rows: Ints) -> list[Record]:
        return [{"id": int(ids[row]), "value": -1} for row in rows.tolist()]

    moments = np.array(times, dtype=np.int64)
    active = np.ones(len(times), dtype=np.bool_)
    table = Table("things", Columns(ids.copy(), moments.copy(), moments.copy(), active, render))
    model = {at: (time, -1) for at, time in enumerate(times)}
    for value, (which, at) in enumerate(changes):
        record_id = which if which in model else table.next_id()
        table.put({"id": record_id, "value": value}, modified=at)
        model[record_id] = (at, value)
    expected = [(i, model[i][1]) for i in sorted(model, key=lambda i: (model[i][0], i))]
    assert [(r["id"], r["value"]) for block in table.blocks() for r in block] == expected
    for place, (record_id, _) in enumerate(expected):
        assert table.after(model[record_id][0], record_id) == place + 1


async def test_calls_are_served_side_by_side(start: Start) -> None:
    world = await start(latency_ms=20)
    answers = await asyncio.gather(*(world.get("settings", "tag-types") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
