from collections.abc import Mapping

import pandas as pd
import pytest

from dispatch_to_pipedrive.dispatch_pro.records import empty_frames, empty_reference
from dispatch_to_pipedrive.normalize import NormalizeOptions, normalize
from dispatch_to_pipedrive.normalize.schemas import SCHEMAS, columns
from dispatch_to_pipedrive.normalize.times import BadTimestamp
from dispatch_to_pipedrive_tests.normalize.source import Source
from dispatch_to_pipedrive_tests.totals.world import world

ENTITIES = tuple(SCHEMAS)


def of_roots(frames: Mapping[str, pd.DataFrame], roots: list[int]) -> dict[str, pd.DataFrame]:
    return {name: frame[frame["root"].isin(roots)].reset_index(drop=True) for name, frame in frames.items()}


def test_a_root_gives_the_same_records_in_whatever_batch_it_is() -> None:
    made = world()
    frames, reference = made.frames(), made.reference()
    whole = normalize(frames, reference, NormalizeOptions())
    halves = [
        normalize(of_roots(frames, list(roots)), reference, NormalizeOptions())
        for roots in (made.roots[::2], made.roots[1::2])
    ]
    for entity in (*ENTITIES, "not_carried"):
        keys = ["root", "source_key"] if entity in ENTITIES else ["feed", "id", "key", "reason", "root"]
        parts = pd.concat([getattr(half, entity) for half in halves], ignore_index=True)
        parts = parts.sort_values(keys, kind="stable", ignore_index=True)
        expected = getattr(whole, entity).sort_values(keys, kind="stable", ignore_index=True)
        pd.testing.assert_frame_equal(parts, expected)


@pytest.mark.promise("R036")
def test_the_order_of_the_source_rows_changes_nothing() -> None:
    made = world()
    frames, reference = made.frames(), made.reference()
    shuffled = {
        name: frame.sample(frac=1, random_state=3).reset_index(drop=True) for name, frame in frames.items()
    }
    one, other = (normalize(source, reference, NormalizeOptions()) for source in (frames, shuffled))
    for entity in ENTITIES:
        pd.testing.assert_frame_equal(getattr(one, entity), getattr(other, entity))


def test_no_rows_give_frames_with_all_columns() -> None:
    made = normalize(empty_frames(), empty_reference(), NormalizeOptions())
    for entity in ENTITIES:
        assert list(getattr(made, entity)) == list(columns(entity, 4))
        assert len(getattr(made, entity)) == 0
    assert list(made.not_carried) == ["feed", "id", "key", "root", "reason"]


def test_what_belongs_to_no_customer_is_counted() -> None:
    source = Source()
    source.job(500, 99, 10)
    source.visit(600, 500)
    source.assign(900, 600, 500, 601)
    source.invoice(700, 500, "10.00")
    source.payment(800, (700, "10.00"))
    source.contact(100, 99, "Email", "a@x.example")
    source.location(10, 99)
    left = source.normalize().not_carried
    feeds = {"jobs", "appointments", "appointment_assignments", "invoices", "payments.applied_to"}
    assert set(left["feed"]) == feeds | {"customer_contacts", "locations"}


def test_a_timestamp_that_cannot_be_read_is_named() -> None:
    source = Source()
    source.customer(1, createdOn="yesterday")
    with pytest.raises(BadTimestamp, match=r"customers\.created_on: 'yesterday' is no timestamp"):
        source.normalize()


@pytest.mark.promise("R030")
def test_every_source_record_is_carried_or_counted() -> None:
    made = world()
    frames = made.frames()
    found = normalize(frames, made.reference(), NormalizeOptions())
    left = found.not_carried.groupby("feed")["id"].nunique()
    assert len(frames["jobs"]) == len(found.deals) + left.get("jobs", 0)
    visits = found.activities["kind"] == "visit"
    assert len(frames["appointments"]) == visits.sum() + left.get("appointments", 0)
    assert len(frames["calls"]) == (found.activities["kind"] == "call").sum() + left.get("calls", 0)
    for feed in ("job_notes", "customer_notes", "location_notes"):
        mine = found.notes["kind"] == feed.removesuffix("s").replace("_", " ")
        assert len(frames[feed]) == found.notes.loc[mine, "record_id"].nunique() + left.get(feed, 0) > 0
    large = (found.notes["kind"] == "oversized file").sum()
    moved = found.files["attachment_id"].notna().sum()
    assert len(frames["job_attachments"]) == moved + large + left.get("job_attachments", 0) > 0
    shown = found.notes["file_keys"].explode().dropna()
    images = found.files[found.files["attachment_id"].isna()]
    assert set(shown) == set(images["source_key"]) != set()
    customers = found.persons["source_key"].str.startswith("customer:").sum()
    assert len(frames["customers"]) == customers + left.get("customers", 0)
    points = sum(found.persons[name].list.len().fillna(0).sum() for name in ("emails", "phones"))
    contacts = len(frames["customer_contacts"]) + len(frames["location_contacts"])
    assert contacts == points + left.get("customer_contacts", 0) + left.get("location_contacts", 0)
