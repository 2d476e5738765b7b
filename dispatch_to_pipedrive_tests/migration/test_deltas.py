"""Which deltas are planned and which wait; and whether the export is drained for a freeze. Pure, on a real ledger."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from dispatch_to_pipedrive.dispatch_pro.segments import Segment
from dispatch_to_pipedrive.migration.drained import lag_seconds, undrained
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.migration.lifecycle import LOADED, UNDONE
from dispatch_to_pipedrive.migration.plan import is_unplanned, plan_delta, waiting
from dispatch_to_pipedrive.migration.values import Manifest, Poll

SCOPE = Scope("7", "42")
MOMENT = datetime(2026, 6, 15, 18, 0, tzinfo=UTC)
HORIZON = timedelta(minutes=15)
FEEDS, SWEPT = ("customers", "jobs", "customer_notes"), ("customer_notes",)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.bind(SCOPE, "Company")
    ledger.plan([Manifest("wave-0001", "wave", 0, 1, (1, 2, 3), records=30, tokens=150)])
    yield ledger
    ledger.close()


def plan(ledger: Ledger, generation: int, touched: Sequence[int] = (1, 2)) -> Manifest | None:
    def between(since: int, upto: int) -> Sequence[int]:
        assert since < upto
        return touched

    def priced(roots: Sequence[int]) -> pd.DataFrame:
        known = [root for root in roots if root < 100]
        return pd.DataFrame({"root": known, "records": 10, "tokens": 50}).astype("int64")

    return plan_delta(ledger, SCOPE.account, generation=generation, touched=between, priced=priced)


def bring(ledger: Ledger, key: str, but: str = "") -> None:
    for stage in (*LOADED, "reconciliation"):
        if stage != but:
            ledger.report_batch(SCOPE.account, key, stage, "run", {"blocking": 0})


def keys(ledger: Ledger) -> list[str]:
    return [manifest.key for manifest in waiting(ledger, SCOPE.account)]


def test_a_delta_begins_where_the_batch_planned_last_ends(ledger: Ledger) -> None:
    first = plan(ledger, 3)
    assert first is not None
    assert (first.key, first.kind, first.generation_from, first.generation_to) == (
        "delta-0001",
        "delta",
        1,
        3,
    )
    assert (first.roots, first.records, first.tokens) == ((1, 2), 20, 100)
    bring(ledger, "delta-0001")
    second = plan(ledger, 4)
    assert second is not None
    assert (second.key, second.generation_from, second.generation_to) == ("delta-0002", 3, 4)


def test_what_arrives_while_a_delta_waits_joins_the_next_one(ledger: Ledger) -> None:
    assert plan(ledger, 2) is not None
    assert plan(ledger, 3) is None
    assert plan(ledger, 4) is None
    bring(ledger, "delta-0001", but="reconciliation")  # loaded, not read back
    assert plan(ledger, 4) is None
    bring(ledger, "delta-0001")
    planned = plan(ledger, 5)
    assert planned is not None
    assert (planned.generation_from, planned.generation_to) == (2, 5)


def test_a_second_tick_plans_nothing_more(ledger: Ledger) -> None:
    assert plan(ledger, 2) is not None
    bring(ledger, "delta-0001")
    assert plan(ledger, 2) is None
    assert len(ledger.manifests()) == 2


def test_generations_that_touch_nobody_make_no_delta_and_are_not_lost(ledger: Ledger) -> None:
    for number in (1, 2):
        segment = Segment("jobs", f"{number}.parquet", 1, 1, "0")
        landed = SimpleNamespace(feed="jobs", segments=[segment], cursor=str(number))
        assert ledger.commit_generation([landed], ledger.cursors()) == number
        assert is_unplanned(ledger, SCOPE.account) == (number == 2)
    assert plan(ledger, 2, touched=()) is None
    assert not is_unplanned(ledger, SCOPE.account)
    planned = plan(ledger, 3)
    assert planned is not None
    assert planned.generation_from == 1


def test_a_root_that_holds_nothing_any_more_is_in_the_delta_and_costs_nothing(ledger: Ledger) -> None:
    planned = plan(ledger, 2, touched=(1, 500))
    assert planned is not None
    assert (planned.roots, planned.records) == ((1, 500), 10)


def test_before_there_is_a_plan_there_is_no_delta(tmp_path: Path) -> None:
    empty = Ledger(f"sqlite:///{tmp_path / 'empty.db'}")
    assert plan(empty, 2) is None
    empty.close()


def test_what_is_rolled_back_waits_for_nobody_until_somebody_asks_for_it(ledger: Ledger) -> None:
    assert plan(ledger, 2) is not None
    assert keys(ledger) == ["delta-0001"]
    ledger.report_batch(SCOPE.account, "delta-0001", UNDONE, "run", {})
    assert keys(ledger) == []
    planned = plan(ledger, 3)
    assert planned is not None
    assert planned.generation_from == 2
    assert keys(ledger) == ["delta-0002"]


def test_batches_that_are_to_be_brought_again_wait_in_the_order_of_planning(ledger: Ledger) -> None:
    assert plan(ledger, 2) is not None
    for key in ("wave-0001", "delta-0001"):
        bring(ledger, key)
    assert keys(ledger) == []
    ledger.mark(SCOPE.account, "reapply_asked", "Ada", {"batches": ["delta-0001", "wave-0001"]})
    assert keys(ledger) == ["wave-0001", "delta-0001"]
    bring(ledger, "wave-0001")
    assert keys(ledger) == ["delta-0001"]
    bring(ledger, "delta-0001")
    assert keys(ledger) == []


def poll(feed: str, began: datetime, swept: datetime | None = None, generation: int = 1) -> Poll:
    at = began.isoformat(timespec="microseconds")
    whole = "" if swept is None else swept.isoformat(timespec="microseconds")
    return Poll(feed, at, at, True, generation, whole)


def held_back(*polls: Poll) -> dict[str, str]:
    found = undrained({one.feed: one for one in polls}, MOMENT, HORIZON, feeds=FEEDS, swept=SWEPT)
    return {one.feed: one.words for one in found}


@pytest.mark.promise("R085")
def test_the_export_is_drained_when_all_was_read_and_swept_after_the_freeze_and_the_horizon() -> None:
    after, late = MOMENT + HORIZON + timedelta(seconds=1), MOMENT + HORIZON
    assert not held_back(poll("customers", after), poll("jobs", after), poll("customer_notes", after, after))
    found = held_back(poll("customers", late), poll("customer_notes", after, late))
    assert set(found) == set(FEEDS)
    assert "from 2026-06-15 18:15:00 on" in found["customers"]
    assert "the freeze and 15 minutes" in found["customers"]
    assert found["jobs"] == "was never read to its end"
    assert "swept from" in found["customer_notes"]
    assert "never read as a whole" in held_back(poll("customer_notes", after))["customer_notes"]


def test_what_is_asked_parent_by_parent_is_asked_again_when_other_feeds_were_read_later() -> None:
    after = MOMENT + HORIZON + timedelta(seconds=1)
    swept = poll("customer_notes", after, after, generation=2)
    assert not held_back(poll("customers", after), poll("jobs", after), swept)
    found = held_back(poll("customers", after), poll("jobs", after, generation=3), swept)
    assert list(found) == ["customer_notes"]
    assert "since other feeds brought something" in found["customer_notes"]


def test_the_ledger_keeps_the_last_reading_to_the_end_and_the_last_sweep(ledger: Ledger) -> None:
    def at(minute: int) -> str:
        return (MOMENT + timedelta(minutes=minute)).isoformat(timespec="microseconds")

    ledger.record_polls([Poll("customer_notes", at(1), at(1), False, 1), Poll("jobs", at(1), at(1), True, 1)])
    ledger.record_polls([Poll("customer_notes", at(2), at(2), True, 2, at(1))])
    ledger.record_polls([Poll("customer_notes", at(3), at(3), True, 2), Poll("jobs", at(3), at(3), False, 2)])
    assert ledger.polls() == {
        "customer_notes": Poll("customer_notes", at(3), at(3), True, 2, at(1)),
        "jobs": Poll("jobs", at(1), at(1), True, 1),
    }


def test_the_lag_is_the_age_of_the_oldest_reading_and_the_horizon() -> None:
    read = {
        "customers": poll("customers", MOMENT),
        "jobs": poll("jobs", MOMENT - timedelta(minutes=2)),
    }
    now = MOMENT + timedelta(minutes=1)
    assert lag_seconds(read, now, HORIZON, feeds=("customers", "jobs")) == 18 * 60
    assert lag_seconds(read, now, HORIZON, feeds=FEEDS) is None
