"""Parents are asked when something may have changed with them, and only what differs lands."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS
from dispatch_to_pipedrive.dispatch_pro.placement import CommittedSegment
from dispatch_to_pipedrive.dispatch_pro.raw import Extent, land_records
from dispatch_to_pipedrive.dispatch_pro.readings import Fact, reading

from .shelves import CRM, FORMS, Road
from .worlds import Record, appointment, customer, job, location

PARENTS = ("customers", "locations", "jobs", "appointments")
PER_PARENT = ("job_attachments", "customer_notes", "location_notes")
CUSTOMERS, LOCATIONS, JOBS = f"{CRM}/customers/", f"{CRM}/locations/", f"{FORMS}/jobs/"


def note(id_: int, text: str = "x") -> Record:
    return {"id": id_, "text": text, "isPinned": False}


def file(id_: int, name: str = "a.jpg") -> Record:
    return {"id": id_, "fileName": name, "createdById": 7, "createdOn": "2026-01-01T00:00:00Z"}


@pytest.fixture
async def road(tmp_path: Path) -> Road:
    """Two customers; customer 1 has an open job, customer 2 a finished one. Read once."""
    road = Road(UPath(tmp_path), *PARENTS, *PER_PARENT)
    for id_ in (1, 2):
        road.shelves.lists[f"{CUSTOMERS}{id_}/notes"] = []
        road.shelves.lists[f"{LOCATIONS}{10 + id_}/notes"] = []
        road.shelves.lists[f"{JOBS}{100 + id_}/attachments"] = []
    road.shelves.lists[f"{CUSTOMERS}1/notes"] = [note(5), note(6)]
    road.shelves.lists[f"{JOBS}102/attachments"] = [file(7)]
    await road.advance(
        customers=[customer(1), customer(2)],
        locations=[location(11, 1), location(12, 2)],
        jobs=[
            job(101, 1, jobStatus="Hold", locationId=11),
            job(102, 2, jobStatus="Completed", locationId=12),
        ],
    )
    return road


@pytest.mark.promise("R006", "R023")
async def test_the_first_advance_asks_all_parents_and_lands_those_that_have_something(road: Road) -> None:
    assert road.asked(CUSTOMERS) == ["1/notes", "2/notes"]
    assert road.asked(LOCATIONS) == ["11/notes", "12/notes"]
    assert road.asked(JOBS) == ["101/attachments", "102/attachments"]
    frames = road.frames()
    assert frames["customer_notes"][["root", "customer_id", "id"]].to_numpy().tolist() == [
        [1, 1, 5],
        [1, 1, 6],
    ]
    assert frames["job_attachments"][["root", "job_id", "id", "file_name"]].to_numpy().tolist() == [
        [2, 102, 7, "a.jpg"]
    ]
    assert frames["job_attachments"]["size"].isna().all()
    assert frames["location_notes"].empty


@pytest.mark.promise("R023")
async def test_afterwards_those_with_open_work_are_asked_and_nothing_new_lands_nothing(road: Road) -> None:
    found = await road.advance()
    assert road.asked(CUSTOMERS) == ["1/notes"]
    assert road.asked(LOCATIONS) == ["11/notes"]
    assert road.asked(JOBS) == ["101/attachments"]
    assert not any(found[name].segments for name in found)


async def test_whoever_is_named_by_what_arrives_is_asked(road: Road) -> None:
    await road.advance(appointments=[appointment(900, 102, 1), appointment(901, 777, 1)])
    assert road.asked(JOBS) == ["101/attachments", "102/attachments"]  # of job 777 nothing is known
    await road.advance(customers=[customer(2, 2, merged_to=1)])
    assert road.asked(CUSTOMERS) == ["1/notes", "2/notes"]
    await road.advance(jobs=[job(101, 1, 3, jobStatus="Completed")])
    assert road.asked(JOBS) == ["101/attachments"]
    await road.advance()
    assert road.asked(JOBS) == road.asked(CUSTOMERS) == []


@pytest.mark.promise("R023")
async def test_what_arrived_in_an_advance_of_other_feeds_alone_is_asked_in_the_next(road: Road) -> None:
    """Somebody reads files and notes alone, then all other feeds: a finished job comes with these."""
    everything = list(road.feeds)
    road.shelves.lists[f"{JOBS}103/attachments"] = [file(9)]
    road.feeds = [feed for feed in everything if feed.name in PER_PARENT]
    await road.advance(Extent(sweep=True))
    road.feeds = [feed for feed in everything if feed.name not in PER_PARENT]
    await road.advance(jobs=[job(103, 2, jobStatus="Completed", locationId=12)])
    road.feeds = everything
    await road.advance()
    assert road.asked(JOBS) == ["101/attachments", "103/attachments"]
    assert sorted(road.frames()["job_attachments"]["id"]) == [7, 9]
    await road.advance()
    assert road.asked(JOBS) == ["101/attachments"]


@pytest.mark.promise("R054")
async def test_a_parent_whose_file_could_not_be_looked_at_is_asked_again(road: Road) -> None:
    """Job 102 is finished; nothing else would lead back to it."""
    trouble = reading(FEEDS["job_attachments"], 102, [orjson.dumps(file(7))], [Fact(7, problem="no host")])
    (segment,) = land_records(road.data / "raw", FEEDS["job_attachments"], [trouble])
    road.generation += 1
    road.segments.append(CommittedSegment(road.generation, "job_attachments", segment.path))
    assert road.frames()["job_attachments"]["problem"].tolist() == ["no host"]
    await road.advance()
    assert road.asked(JOBS) == ["101/attachments", "102/attachments"]


@pytest.mark.promise("R023")
async def test_what_is_no_longer_listed_is_gone_and_may_come_back(road: Road) -> None:
    notes = f"{CUSTOMERS}1/notes"
    road.shelves.lists[notes] = [note(6, "changed"), note(8)]
    found = await road.advance()
    assert sum(segment.rows for segment in found["customer_notes"].segments) == 1
    assert dict(zip(*_texts(road), strict=True)) == {6: "changed", 8: "x"}
    del road.shelves.lists[notes]  # the customer is not there any more
    await road.advance()
    assert road.frames()["customer_notes"].empty
    road.shelves.lists[notes] = [note(5)]
    await road.advance()
    assert dict(zip(*_texts(road), strict=True)) == {5: "x"}
    assert not any(one.segments for one in (await road.advance()).values())


@pytest.mark.promise("R023")
async def test_nothing_is_gone_because_it_could_not_be_listed(road: Road) -> None:
    """Customer 1 is there, and its notes answer 404 once; then it is merged away."""
    del road.shelves.lists[f"{CUSTOMERS}1/notes"]
    road.shelves.lists[f"{CUSTOMERS}1"] = customer(1)
    found = (await road.advance())["customer_notes"]
    assert not found.segments and "what was read before stays" in found.remark
    assert sorted(road.frames()["customer_notes"]["id"]) == [5, 6]
    road.shelves.lists[f"{CUSTOMERS}1"] = customer(1, merged_to=2)
    await road.advance()
    assert road.frames()["customer_notes"].empty


def _texts(road: Road) -> tuple[list[int], list[str]]:
    notes = road.frames()["customer_notes"]
    return notes["id"].tolist(), notes["text"].tolist()


@pytest.mark.promise("R023")
async def test_a_sweep_asks_everybody_once_more(road: Road) -> None:
    road.shelves.lists[f"{CUSTOMERS}2/notes"] = [note(9)]
    assert not any(one.segments for one in (await road.advance()).values())
    found = await road.advance(Extent(sweep=True))
    assert road.asked(CUSTOMERS) == ["1/notes", "2/notes"]
    assert [name for name, one in found.items() if one.segments] == ["customer_notes"]
    assert sorted(road.frames()["customer_notes"]["id"]) == [5, 6, 9]


@pytest.mark.promise("R023", "R060")
async def test_a_long_sweep_comes_in_portions_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    road = Road(UPath(tmp_path), "customers", "customer_notes")
    for id_ in range(1, 8):
        road.shelves.lists[f"{CUSTOMERS}{id_}/notes"] = [note(id_)]
    few = Extent(portion=3)
    first = await road.advance(few, customers=[customer(id_) for id_ in range(1, 8)])
    assert (road.asked(CUSTOMERS), first["customer_notes"].drained) == (
        ["1/notes", "2/notes", "3/notes"],
        False,
    )
    second = await road.advance(few, customers=[customer(2, 5)])
    assert road.asked(CUSTOMERS) == ["2/notes", "4/notes", "5/notes", "6/notes"]
    third = await road.advance(few)
    assert (second["customer_notes"].drained, third["customer_notes"].drained) == (False, True)
    assert sorted(road.frames()["customer_notes"]["id"]) == list(range(1, 8))
    await road.advance(few)
    assert road.asked(CUSTOMERS) == []
    await road.advance(replace(few, sweep=True))
    await road.advance(replace(few, sweep=True))  # begun today, so it is gone on with
    assert road.asked(CUSTOMERS) == ["4/notes", "5/notes", "6/notes"]
    later = datetime.now(UTC) + timedelta(days=2)
    await road.advance(replace(few, sweep=True, now=lambda: later))
    assert road.asked(CUSTOMERS) == ["1/notes", "2/notes", "3/notes"]


async def test_a_failure_takes_back_what_landed(road: Road) -> None:
    road.shelves.lists[f"{CUSTOMERS}1/notes"] = [note(1, "new"), {"text": "without an id"}]
    before = sorted(road.data.rglob("*.parquet"))
    with pytest.raises(Exception, match="customer_notes"):
        await road.advance(customers=[customer(3)])
    assert sorted(road.data.rglob("*.parquet")) == before
