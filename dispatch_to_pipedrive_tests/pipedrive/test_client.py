"""What the client sends, repeats and refuses to repeat, and what its errors say."""

import asyncio
import csv
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dispatch_to_pipedrive.pipedrive.budget import TokenBudget
from dispatch_to_pipedrive.pipedrive.client import PipedriveClient, whole_second
from dispatch_to_pipedrive.pipedrive.errors import (
    Ambiguous,
    Blocked,
    BudgetSpent,
    Forbidden,
    NotFound,
    PipedriveError,
    PlanCap,
    Rejected,
    Throttled,
    Transient,
)
from dispatch_to_pipedrive.pipedrive.prices import PRICES

from .vendor import TOKEN, Line, page, record, refused, vendor

CAPPED = refused(403, "Couldn't add the deal. Open deals limit reached.", code="feature_capping_deals_limit")
CLOUDFLARE = Line(403, b"<html><title>Error 1015</title>This error is produced by Cloudflare</html>")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (refused(400), Rejected),
        (refused(422), Rejected),
        (refused(415), Rejected),
        (refused(401, "unauthorized access", errorCode=401), Forbidden),
        (refused(402), Forbidden),
        (refused(403, "You do not have permissions to do this."), Forbidden),
        (CAPPED, PlanCap),
        (refused(404, "Entity was not found"), NotFound),
        (refused(410), NotFound),
        (refused(500), Ambiguous),
        (Line(502, b"<html>bad gateway</html>"), Ambiguous),
        (refused(503), Ambiguous),
        (Line(302, {}, {"location": "https://elsewhere.example/"}), Rejected),
        (Line(200, {"success": False, "error": "no"}), Rejected),
        (CLOUDFLARE, Blocked),
        (Line(fate="reset"), Ambiguous),
        (Line(body={"success": True, "data": {}}, fate="torso"), Ambiguous),
        (Line(200, b"<html>hello</html>"), Ambiguous),
        (Line(200, {"success": True, "data": None}), Ambiguous),
    ],
)
async def test_a_write_that_fails_is_sent_once_and_says_how(line: Line, kind: type[PipedriveError]) -> None:
    async with vendor(line) as place, place.client() as client:
        with pytest.raises(PipedriveError) as caught:
            await client.update("deals", 7, {"title": "x"})
    assert type(caught.value) is kind
    assert place.methods == ["PATCH"]
    error = caught.value
    assert (error.method, error.path, error.entity, error.record_id) == (
        "PATCH",
        "/api/v2/deals/7",
        "deals",
        7,
    )
    assert TOKEN not in f"{error} {error!r} {vars(error)}"


async def test_a_write_without_an_answer_in_time_is_ambiguous() -> None:
    async with vendor(Line(fate="hang")) as place, place.client(request_timeout=0.1) as client:
        with pytest.raises(Ambiguous):
            await client.create("deals", {"title": "x"})
    assert place.methods == ["POST"]


async def test_a_write_that_finds_nobody_there_was_not_sent_and_costs_nothing() -> None:
    async with vendor(record()) as place:
        pass
    budget = TokenBudget("premium")
    async with place.client(budget=budget) as client:
        with pytest.raises(Transient):
            await client.create("deals", {"title": "x"})
    assert budget.spent == 0


async def test_a_throttled_write_is_sent_again_after_the_pause_that_the_vendor_names() -> None:
    pause = Line(429, {"success": False}, {"retry-after": "0.05"})
    async with vendor(pause, pause, record(title="x")) as place, place.client() as client:
        began = asyncio.get_running_loop().time()
        answer = await client.create("deals", {"title": "x"})
        assert asyncio.get_running_loop().time() - began >= 0.1
        assert client.throttled == 2
        assert client.budget.spent == 15
    assert (answer.record["title"], place.methods) == ("x", ["POST"] * 3)


async def test_a_write_throttled_for_ever_ends_as_throttled() -> None:
    pause = Line(429, {"success": False}, {"x-ratelimit-reset": "0.01"})
    async with vendor(pause) as place, place.client() as client:
        with pytest.raises(Throttled) as caught:
            await client.create("deals", {"title": "x"})
    assert caught.value.retry_after == 0.01


async def test_429_with_no_tokens_left_is_the_end_of_the_day() -> None:
    spent = Line(429, {"success": False}, {"x-daily-ratelimit-token-remaining": "0"})
    async with vendor(spent) as place, place.client() as client:
        with pytest.raises(BudgetSpent) as caught:
            await client.create("deals", {"title": "x"})
        with pytest.raises(BudgetSpent):
            await client.create("deals", {"title": "x"})
    assert caught.value.until == datetime(2026, 11, 24, tzinfo=UTC)
    assert place.methods == ["POST"]


async def test_reads_are_repeated() -> None:
    pause = Line(429, {"success": False}, {"retry-after": "0.01"})
    script = (refused(500), Line(fate="reset"), pause, Line(200, b"no json"), record(title="x"))
    async with vendor(*script) as place, place.client() as client:
        answer = await client.get("deals", 1)
    assert (answer.record["title"], len(place.requests)) == ("x", 5)


async def test_a_read_that_never_succeeds_is_transient_and_a_missing_record_not_found_at_once() -> None:
    async with vendor(refused(500)) as place, place.client() as client:
        with pytest.raises(Transient):
            await client.get("deals", 1)
        assert len(place.requests) > 2
    async with vendor(refused(404)) as place, place.client() as client:
        with pytest.raises(NotFound):
            await client.get("deals", 1)
    assert len(place.requests) == 1


async def test_after_an_html_403_nothing_is_sent_until_it_has_cooled_off() -> None:
    async with vendor(CLOUDFLARE, record()) as place, place.client(cool_off=0.1) as client:
        with pytest.raises(Blocked):
            await client.create("deals", {"title": "x"})
        with pytest.raises(Blocked) as caught:
            await client.get("deals", 1)
        assert 0 < caught.value.seconds <= 0.1
        assert len(place.requests) == 1
        await asyncio.sleep(0.12)
        await client.create("deals", {"title": "x"})
    assert len(place.requests) == 2


async def test_before_send_can_stop_a_write_and_nothing_leaves_nor_is_paid() -> None:
    class LeaseLost(Exception):
        pass

    def lost() -> None:
        raise LeaseLost

    async with vendor(record()) as place, place.client(before_send=lost) as client:
        with pytest.raises(LeaseLost):
            await client.create("deals", {"title": "x"})
        assert client.budget.spent == 0
        await client.get("deals", 1)
    assert place.methods == ["GET"]


async def test_before_send_can_stop_a_write_in_its_last_breath() -> None:
    looks: list[str] = []

    def look() -> None:
        looks.append("look")
        if len(looks) == 2:
            raise PermissionError

    async with vendor(record()) as place, place.client(before_send=look) as client:
        with pytest.raises(PermissionError):
            await client.create("deals", {"title": "x"})
        await client.create("deals", {"title": "y"})
    assert [request.body for request in place.requests] == [{"title": "y"}]


async def test_before_send_is_asked_again_before_each_repetition_and_after_all_waiting() -> None:
    asked: list[int] = []
    pause = Line(429, {"success": False}, {"retry-after": "0.02"})
    async with vendor(pause, record()) as place:
        client = place.client(before_send=lambda: asked.append(len(place.requests)))
        async with client:
            await client.create("deals", {"title": "x"})
    # Twice each time: after all waiting, and when the last byte is handed over.
    assert asked == [0, 0, 1, 1]


async def test_each_call_says_what_it_cost_and_when_the_server_answered() -> None:
    async with vendor(record()) as place, place.client() as client:
        made = await client.create("organizations", {"name": "Ö"})
        assert (made.tokens, made.date) == (5, datetime(2026, 11, 23, 10, tzinfo=UTC))
        await client.update("persons", 2, {"name": "x"})
        await client.delete("activities", 3)
        await client.get("stages", 4)
        assert client.budget.spent == 5 + 5 + 3 + 1
        assert client.budget.by_kind == {"write": 13, "read": 1}
    first = place.requests[0]
    assert (first.method, first.path, first.body) == ("POST", "/api/v2/organizations", {"name": "Ö"})
    assert first.headers["x-api-token"] == TOKEN
    assert [r.path for r in place.requests[1:]] == [
        "/api/v2/persons/2",
        "/api/v2/activities/3",
        "/api/v2/stages/4",
    ]
    assert place.requests[2].body is None


async def test_a_list_follows_its_cursor_to_the_end() -> None:
    async with vendor(page([{"id": 1}], "abc="), page([{"id": 2}])) as place, place.client() as client:
        since = datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC)
        pages = [
            p
            async for p in client.list(
                "deals", updated_since=since, status=("won", "deleted"), custom_fields=["a" * 40]
            )
        ]
    assert [r["id"] for p in pages for r in p.records] == [1, 2]
    assert [p.tokens for p in pages] == [10, 10]
    first, second = (request.path for request in place.requests)
    assert "limit=500" in first
    assert "updated_since=2026-01-02T03%3A04%3A05Z" in first
    assert "status=won%2Cdeleted" in first
    assert "cursor=abc%3D" in second
    assert "cursor" not in first


async def test_archived_deals_have_a_list_and_a_price_of_their_own() -> None:
    async with vendor(page([])) as place, place.client() as client:
        (only,) = [p async for p in client.list("deals", archived=True)]
        with pytest.raises(ValueError, match="archived"):
            await anext(client.list("persons", archived=True).__aiter__())
    assert only.tokens == 20
    assert place.requests[0].path.startswith("/api/v2/deals/archived?")


async def test_v1_lists_are_read_by_offset() -> None:
    def offset(records: list[object], more: bool) -> Line:
        paging = {"start": 0, "limit": 500, "more_items_in_collection": more, "next_start": 1}
        return Line(body={"success": True, "data": records, "additional_data": {"pagination": paging}})

    async with (
        vendor(offset([{"id": 1}], True), offset([{"id": 2}], False)) as place,
        place.client() as client,
    ):
        assert [f["id"] for f in await client.v1_fields("deals")] == [1, 2]
    assert "start=1" in place.requests[1].path


async def test_a_token_that_the_server_repeats_is_not_repeated_by_us() -> None:
    async with (
        vendor(refused(400, f"bad token {TOKEN}", error_info=TOKEN)) as place,
        place.client() as client,
    ):
        with pytest.raises(Rejected) as caught:
            await client.create("deals", {"title": "x"})
        assert TOKEN not in repr(client)
    assert TOKEN not in f"{caught.value}{vars(caught.value)}"


@pytest.mark.parametrize("token", ["", "ab cd", "ab\ncd", "ä"])
def test_a_token_that_is_none_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(ValueError, match="API token") as caught:
        PipedriveClient("http://127.0.0.1:1", token, TokenBudget())
    assert not token or token not in str(caught.value)


async def test_many_writers_share_the_connections_and_all_are_answered() -> None:
    async with (
        vendor(record()) as place,
        place.client(concurrency=3, budget=TokenBudget("unlimited")) as client,
    ):
        await asyncio.gather(*(client.create("deals", {"title": str(n)}) for n in range(40)))
    assert sorted(int(r.body["title"]) for r in place.requests) == list(range(40))


async def test_a_cancelled_write_leaves_the_client_usable() -> None:
    async with vendor(Line(fate="hang"), record()) as place, place.client(concurrency=1) as client:
        task = asyncio.create_task(client.create("deals", {"title": "x"}))
        await place.reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await client.create("deals", {"title": "y"})).record["id"] == 1


def test_the_words_of_a_rejection_name_its_keys() -> None:
    words = (
        "Validation failed: 3b71f: Parameter '3b71f' is not allowed for this request; "
        "custom_fields: Unknown key 'title'; due_time: This value is not a valid datetime."
    )
    assert {"3b71f", "title", "due_time"} <= Rejected(words).keys


def test_moments_for_filters_are_whole_seconds_utc() -> None:
    assert whole_second(datetime(2026, 1, 1, 12, 0, 0, 900_000, tzinfo=UTC)) == "2026-01-01T12:00:00Z"
    with pytest.raises(ValueError, match="time zone"):
        whole_second(datetime(2026, 1, 1))


def test_prices_are_those_of_the_vendors_documents() -> None:
    root = Path(__file__).resolve().parents[2]
    table = (
        Path(os.environ.get("VENDOR_SPECS", root.parent / "shared" / "specs")) / "pipedrive-operations.tsv"
    )
    if not table.is_file():
        pytest.skip(f"vendor documents not found: {table}")
    with table.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        official = {(r["method"], f"/api/{r['api']}{r['path']}"): int(r["token_cost"]) for r in rows}
    assert dict(PRICES) == {operation: official[operation] for operation in PRICES}
