"""An advance brings every record once it is committed, whatever happened before the commit."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.client import Credentials, DispatchProClient
from dispatch_to_pipedrive.dispatch_pro.errors import BadRecord, Forbidden, NotFound, Unavailable
from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS, Feed
from dispatch_to_pipedrive.dispatch_pro.placement import CommittedSegment
from dispatch_to_pipedrive.dispatch_pro.raw import Advance, Extent, Progress, advance, land_records
from dispatch_to_pipedrive.dispatch_pro.segments import segment_schema

from ..contract import dispatch_documents
from ..sandbox_process import Sandbox
from .worlds import customer, job

T = TypeVar("T")


class Checked(httpx.AsyncHTTPTransport):
    """Holds every exchange against the vendor's documents."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        await response.aread()
        if request.url.path != "/connect/token" and dispatch_documents.available():
            assert response.headers["Content-Type"].startswith("application/json"), response.text[:500]
            body = orjson.loads(response.content)
            query = list(request.url.params.multi_items())
            dispatch_documents.check_exchange(
                request.method, request.url.path, query, response.status_code, body
            )
        return response


@asynccontextmanager
async def reading(sandbox: Sandbox) -> AsyncIterator[DispatchProClient]:
    names = ("AUTH_URL", "API_URL", "TENANT_ID", "CLIENT_ID", "CLIENT_SECRET", "APP_KEY")
    credentials = Credentials(*(sandbox.env[f"DISPATCH_PRO_{name}"] for name in names))
    async with DispatchProClient(
        credentials, first_wait=0.01, transport=Checked(), calls_per_second=2000
    ) as client:
        yield client


def landed(raw: UPath, advances: list[Advance]) -> dict[str, list[dict[str, Any]]]:
    """The records in each feed's segments, in order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in advances:
        tables = [pq.read_table(str(raw / segment.path)) for segment in one.segments]
        rows = pa.concat_tables(tables).to_pylist() if tables else []
        found[one.feed] = [
            orjson.loads(row["record"]) for row in sorted(rows, key=lambda row: row["position"])
        ]
    return found


def committed(advances: list[Advance]) -> list[CommittedSegment]:
    """As the ledger names the segments of the first generation."""
    return [CommittedSegment(1, one.feed, segment.path) for one in advances for segment in one.segments]


class Pages:
    """A source that answers from a list of pages and remembers what it was asked."""

    def __init__(self, *pages: bytes | Exception) -> None:
        self.pages = list(pages)
        self.asked: list[dict[str, str]] = []

    async def read(
        self,
        path: str,
        params: Mapping[str, str],
        parse: Callable[[bytes], T],
        question: Mapping[str, Any] | None = None,
    ) -> T:
        self.asked.append(dict(params))
        page = self.pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return parse(page)


def page(*records: dict[str, Any], more: bool = False, token: str | None = "t") -> bytes:
    return orjson.dumps({"hasMore": more, "continueFrom": token, "data": records})


class Refusing:
    """A source that lets nobody read anything, or has nothing."""

    def __init__(self, refusal: Exception) -> None:
        self.refusal = refusal

    async def read(
        self,
        path: str,
        params: Mapping[str, str],
        parse: Callable[[bytes], T],
        question: Mapping[str, Any] | None = None,
    ) -> T:
        raise self.refusal


@pytest.mark.parametrize(
    ("refusal", "words"), [(NotFound("/x", 404, ""), "has no"), (Forbidden("/x", 403, ""), "tn.dis.")]
)
async def test_reference_data_that_is_not_there_or_not_allowed_is_said_and_stops_nothing(
    refusal: Exception, words: str, tmp_path: Path
) -> None:
    feeds = [FEEDS[name] for name in ("capacity", "business_hours", "teams")]
    found = await advance(Refusing(refusal), feeds, {}, UPath(tmp_path))
    assert all(words in one.remark and not one.segments for one in found)
    with pytest.raises(type(refusal)):
        await advance(Refusing(refusal), [FEEDS["zones"]], {}, UPath(tmp_path))


@pytest.mark.promise("R006", "R007", "R096")
async def test_the_whole_tenant_arrives_as_documented(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    raw = UPath(tmp_path)
    seen: list[Progress] = []
    async with reading(shared_sandbox) as client:
        first = await advance(client, FEEDS.values(), {}, raw, on_progress=seen.append)
        cursors = {one.feed: one.cursor for one in first}
        second = await advance(client, FEEDS.values(), cursors, raw, Extent(committed(first)))
    assert {one.feed for one in first} == set(FEEDS) == {one.feed for one in seen}
    assert all(one.drained and one.rows == sum(segment.rows for segment in one.segments) for one in first)
    assert sum(one.rows for one in first if one.feed == "customers") == 20
    assert not [one for one in second if one.segments]  # nothing new, nothing lands
    assert [one.cursor for one in second] == [one.cursor for one in first]
    for one in first:
        for segment in one.segments:
            content = (raw / segment.path).read_bytes()
            assert hashlib.sha256(content).hexdigest() == segment.sha256
            assert pq.read_schema(str(raw / segment.path)).equals(segment_schema(FEEDS[one.feed]))


async def test_a_change_arrives_with_the_next_advance_and_alone(
    new_sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    sandbox = new_sandbox(customers=5, seed=2, no_limits=True)
    raw = UPath(tmp_path)
    async with reading(sandbox) as client:
        first = await advance(client, FEEDS.values(), {}, raw)
        cursors = {one.feed: one.cursor for one in first}
        changed = await asyncio.to_thread(_change_a_customer_and_a_job_type, sandbox, landed(raw, first))
        before = committed(first)
        early = await advance(client, FEEDS.values(), cursors, raw, Extent(before, recent=True))
        await asyncio.to_thread(sandbox.advance, 3600)
        late = await advance(client, FEEDS.values(), cursors, raw, Extent(before))
    for advances in (early, late):
        found = {
            feed: {record["id"] for record in records} for feed, records in landed(raw, advances).items()
        }
        assert changed["customers"] in found["customers"]
        assert changed["job_types"] in found["job_types"]
        assert len(found["customers"]) < 5


def _change_a_customer_and_a_job_type(
    sandbox: Sandbox, before: dict[str, list[dict[str, Any]]]
) -> dict[str, int]:
    ids = {feed: int(before[feed][0]["id"]) for feed in ("customers", "job_types")}
    sandbox.change("edit", entity="customer", id=ids["customers"], fields={"name": "Renamed"})
    sandbox.change("rename", entity="job_types", id=ids["job_types"], name="Renamed")
    return ids


@pytest.mark.promise("R060")
async def test_faults_on_the_way_lose_and_double_nothing(
    new_sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    sandbox = new_sandbox(customers=30, seed=3, no_limits=True)
    faults = [{"kind": "status", "status": 503, "html": True, "rate": 0.2, "path": "export"}]
    await asyncio.to_thread(sandbox.control, "dispatch", "faults", {"rules": faults})
    async with reading_unchecked(sandbox) as client:
        disturbed = landed(UPath(tmp_path), await advance(client, FEEDS.values(), {}, UPath(tmp_path)))
        await asyncio.to_thread(sandbox.control, "dispatch", "faults", {"clear": True})
        quiet = landed(UPath(tmp_path), await advance(client, FEEDS.values(), {}, UPath(tmp_path)))
    for found in (disturbed, quiet):
        assert found.pop("capacity")  # it bears the time of its answer
    assert disturbed == quiet


@asynccontextmanager
async def reading_unchecked(sandbox: Sandbox) -> AsyncIterator[DispatchProClient]:
    names = ("AUTH_URL", "API_URL", "TENANT_ID", "CLIENT_ID", "CLIENT_SECRET", "APP_KEY")
    credentials = Credentials(*(sandbox.env[f"DISPATCH_PRO_{name}"] for name in names))
    async with DispatchProClient(credentials, first_wait=0.001, attempts=12, calls_per_second=2000) as client:
        yield client


async def test_a_feed_goes_on_where_it_stopped_and_asks_for_inactive_assignments(tmp_path: Path) -> None:
    source = Pages(page({"id": 1, "jobId": 2, "appointmentId": 3}, more=True, token="a"), page(token="b"))
    feed = FEEDS["appointment_assignments"]
    (one,) = await advance(source, [feed], {}, UPath(tmp_path))
    assert (one.cursor, one.rows, one.pages) == ("b", 1, 2)
    assert source.asked == [{"active": "Any"}, {"active": "Any", "from": "a"}]
    again = Pages(page(token="b"))
    await advance(again, [feed], {feed.name: "b"}, UPath(tmp_path), Extent(recent=True))
    assert again.asked == [{"active": "Any", "from": "b", "includeRecentChanges": "true"}]


@pytest.mark.promise("R060")
async def test_a_failed_advance_leaves_nothing_behind(tmp_path: Path) -> None:
    broken = Unavailable("/jobs", 503, "down")
    source = Pages(page(customer(1), more=True), broken)
    with pytest.raises(Unavailable):
        await advance(source, [FEEDS["customers"]], {}, UPath(tmp_path))
    assert _files(tmp_path) == []


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_feed_that_does_not_move_on_is_reported(tmp_path: Path) -> None:
    stuck = Pages(*[page(more=True, token="a")] * 2)
    with pytest.raises(Unavailable, match="does not move on"):
        await advance(stuck, [FEEDS["customers"]], {"customers": "a"}, UPath(tmp_path))


async def test_a_record_without_an_id_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadRecord, match=r"customers.*id"):
        await advance(Pages(page({"id": None, "name": "x"})), [FEEDS["customers"]], {}, UPath(tmp_path))


async def test_braces_in_texts_do_not_confuse_and_a_broken_page_is_reported(tmp_path: Path) -> None:
    raw, feed = UPath(tmp_path), FEEDS["customers"]
    records = [customer(1, name="}},{{"), customer(2, name='{"'), customer(3, name="},{")]
    (one,) = await advance(Pages(page(*records)), [feed], {}, raw)
    assert landed(raw, [one])["customers"] == records
    broken = b'{"hasMore":false,"continueFrom":"a","data":[{"id":1,]}'
    with pytest.raises(Unavailable, match="broken"):
        await advance(Pages(broken), [feed], {}, raw)


SHIFTS = FEEDS["technician_shifts"]


def shift(id_: int, hour: int) -> dict[str, Any]:
    return {"id": id_, "technicianId": 1, "active": True, "modifiedOn": f"2026-01-01T{hour:02d}:00:00Z"}


async def test_a_list_that_grows_is_read_from_its_last_change_less_an_overlap(tmp_path: Path) -> None:
    raw = UPath(tmp_path)
    (first,) = await advance(
        Pages(page(shift(1, 1), shift(2, 8), more=True), page(shift(3, 9))), [SHIFTS], {}, raw
    )
    source = Pages(page(shift(3, 9), shift(2, 8)))
    (same,) = await advance(source, [SHIFTS], {SHIFTS.name: first.cursor}, raw)
    assert source.asked[0]["modifiedOnOrAfter"] == "2026-01-01T08:00:00Z"
    assert source.asked[0]["active"] == "Any" and source.asked[0]["page"] == "1"
    assert (same.segments, same.cursor) == ((), first.cursor)
    (new,) = await advance(Pages(page(shift(2, 8), shift(4, 11))), [SHIFTS], {SHIFTS.name: first.cursor}, raw)
    assert new.cursor != first.cursor and sum(segment.rows for segment in new.segments) == 2


async def test_a_list_with_the_same_content_in_another_order_lands_nothing(tmp_path: Path) -> None:
    zones, raw = FEEDS["zones"], UPath(tmp_path)
    (first,) = await advance(Pages(page({"id": 1}, {"id": 2})), [zones], {}, raw)
    (same,) = await advance(Pages(page({"id": 2}, {"id": 1})), [zones], {"zones": first.cursor}, raw)
    (less,) = await advance(Pages(page({"id": 2})), [zones], {"zones": first.cursor}, raw)
    assert (len(first.segments), len(same.segments), len(less.segments)) == (1, 0, 1)


def segment_rows(raw: UPath, feed: Feed, *records: dict[str, Any]) -> list[dict[str, Any]]:
    texts = [orjson.dumps(record) for record in records]
    (segment,) = land_records(raw, feed, texts)
    return list(pq.read_table(str(raw / segment.path)).to_pylist())


@pytest.mark.promise("R007")
def test_a_segment_holds_keys_exact_times_and_the_record_itself(tmp_path: Path) -> None:
    text = b'{"id":5,"modifiedOn":"2026-01-01T00:00:00.0000001Z","customerId":0,"locationId":7,"total":1.10}'
    raw = UPath(tmp_path)
    (segment,) = land_records(raw, FEEDS["jobs"], [text])
    (row,) = pq.read_table(str(raw / segment.path)).to_pylist()
    assert row == {
        "id": "5",
        "modified_on": 17672256000000001,
        "position": 0,
        "active": None,
        "customer_id": None,  # the vendor writes 0 for none
        "location_id": 7,
        "record": text.decode(),
    }


def test_a_payment_belongs_to_the_first_invoice_it_was_applied_to(tmp_path: Path) -> None:
    rows = segment_rows(
        UPath(tmp_path),
        FEEDS["payments"],
        {"id": 1, "appliedTo": [{"appliedTo": 8}, {"appliedTo": 9}], "customer": {"id": 3}},
        {"id": 2, "appliedTo": [], "customer": None},
        {"id": 3, "appliedTo": None},
        {"id": 4},
    )
    assert [row["invoice_id"] for row in rows] == [8, None, None, None]
    assert [row["customer_id"] for row in rows] == [3, None, None, None]


def test_of_texts_that_came_twice_in_a_row_the_later_stays(tmp_path: Path) -> None:
    old, new = job(1, 1), job(1, 2)
    rows = segment_rows(UPath(tmp_path), FEEDS["jobs"], old, new, old)
    assert [row["customer_id"] for row in rows] == [2, 1]


def test_landing_holds_segments_to_size_and_counts_positions_through(tmp_path: Path) -> None:
    raw = UPath(tmp_path)
    texts = [orjson.dumps(customer(id_)) for id_ in range(1, 1001)]
    segments = land_records(raw, FEEDS["customers"], iter(texts), rows=300)
    assert [segment.rows for segment in segments] == [300, 300, 300, 100]
    table = pa.concat_tables(pq.read_table(str(raw / segment.path)) for segment in segments)
    assert table["position"].to_pylist() == list(range(1000))
    assert pc.count_distinct(table["id"]).as_py() == 1000
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]
