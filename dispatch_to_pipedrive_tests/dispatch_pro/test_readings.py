"""A reading of a parent is complete: the newest wins as a whole, and what it lacks is deleted."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.errors import BadRecord
from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS
from dispatch_to_pipedrive.dispatch_pro.placement import (
    CommittedSegment,
    build_placement,
    read_batch,
    root_bytes,
    root_sizes,
)
from dispatch_to_pipedrive.dispatch_pro.raw import land_records
from dispatch_to_pipedrive.dispatch_pro.readings import Fact, facts_of, reading
from dispatch_to_pipedrive.dispatch_pro.records import empty_frame, frames_from_records

from .worlds import customer, job, land

FILES, NOTES = FEEDS["job_attachments"], FEEDS["customer_notes"]


def note(id_: int, text: str = "x") -> bytes:
    return orjson.dumps({"id": id_, "text": text, "isPinned": False, "createdById": 7})


def file(id_: int, name: str = "a.jpg") -> bytes:
    return orjson.dumps({"id": id_, "fileName": name, "createdById": 7, "createdOn": "2026-01-01T00:00:00Z"})


def test_a_frame_has_one_row_for_each_item_with_what_was_found_out() -> None:
    facts = [Fact(2, 10, "image/jpeg"), Fact(3, None, None, None, "the host is not on the list")]
    records = [reading(FILES, 70, [file(3), file(2, "b.jpg")], facts), reading(FILES, 71, [])]
    frame = frames_from_records("job_attachments", records, [9, 9])["job_attachments"]
    assert frame[["id", "root", "job_id", "file_name"]].to_numpy().tolist() == [
        [2, 9, 70, "b.jpg"],
        [3, 9, 70, "a.jpg"],
    ]
    assert frame["size"].tolist() == [10, pd.NA] and frame["media_type"][0] == "image/jpeg"
    assert frame["problem"][1] == "the host is not on the list" and frame["sha256"].isna().all()
    assert frame.dtypes.to_dict() == empty_frame("job_attachments").dtypes.to_dict()
    assert facts_of(records[0].decode()) == {2: facts[0], 3: facts[1]}


def test_equal_content_gives_an_equal_reading_whatever_its_order() -> None:
    assert reading(NOTES, 1, [note(2), note(1)]) == reading(NOTES, 1, [note(1), note(2), note(2)])


def test_an_item_without_an_id_is_named() -> None:
    with pytest.raises(BadRecord, match=r"customer_notes.*id"):
        reading(NOTES, 1, [b'{"text":"x"}'])


FEW = st.integers(1, 3)
READING = st.dictionaries(FEW, st.dictionaries(st.integers(1, 6), st.sampled_from("abc"), max_size=3))
STEP = st.fixed_dictionaries({"notes": READING, "files": READING, "moves": st.dictionaries(FEW, FEW)})
Step = Mapping[str, Mapping[int, Any]]


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=st.lists(STEP, min_size=1, max_size=3), by_step=st.booleans())
def test_what_the_newest_reading_lacks_is_gone_and_what_moves_moves_with_its_parent(
    history: Sequence[Step], by_step: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = UPath(folder)
        segments: list[CommittedSegment] = []
        notes: dict[int, dict[int, str]] = {}
        files: dict[int, dict[int, str]] = {}
        owner = {1: 1, 2: 2, 3: 3}
        for number, step in enumerate(history, start=1):
            owner |= step["moves"]
            notes |= step["notes"]
            files |= step["files"]
            segments += land(
                data,
                number,
                {
                    "customers": [customer(id_, number) for id_ in (1, 2, 3)],
                    "jobs": [job(id_, at, number) for id_, at in owner.items()],
                },
            )
            for feed, make, changed in ((NOTES, note, step["notes"]), (FILES, file, step["files"])):
                records = [
                    reading(feed, parent, [make(*item) for item in items.items()], _sized(items))
                    for parent, items in changed.items()
                ]
                landed = land_records(data / "raw", feed, records)
                segments += [CommittedSegment(number, feed.name, one.path) for one in landed]
            if by_step:
                build_placement(data, segments, number, previous=number - 1 or None)
        last = len(history)
        if not by_step:
            build_placement(data, segments, last)
        sizes, bytes_ = root_sizes(data, last).set_index("root"), root_bytes(data, last).set_index("root")
        frames = read_batch(data, last, sizes.index, ("customer_notes", "job_attachments"))
        assert _held(frames["customer_notes"], "customer_id", "text") == {
            (root, root, id_, text) for root, items in notes.items() for id_, text in items.items()
        }
        expected = {
            (owner[parent], parent, id_, name)
            for parent, items in files.items()
            for id_, name in items.items()
        }
        assert _held(frames["job_attachments"], "job_id", "file_name") == expected
        for root in sizes.index:
            mine = [id_ for at, _, id_, _ in expected if at == root]
            assert sizes.loc[root, "job_attachments"] == len(mine)
            assert (bytes_.loc[root, "bytes"] if mine else 0) == sum(mine)


def _sized(items: Mapping[int, str]) -> list[Fact]:
    return [Fact(id_, id_) for id_ in items]


def _held(frame: pd.DataFrame, parent: str, text: str) -> set[tuple[Any, ...]]:
    rows = frame[["root", parent, "id", text]].astype(object).itertuples(index=False)
    return {tuple(row) for row in rows}
