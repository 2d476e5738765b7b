"""The forecast is arithmetic over counts: every figure can be worked out again from its lines."""

from dataclasses import asdict
from pathlib import Path

import pytest

from dispatch_to_pipedrive.mapping.load import load_maps
from dispatch_to_pipedrive.migration.forecast import Account, files_read_back, forecast, tokens_per_day
from dispatch_to_pipedrive.migration.volume import SchemaSize, Volume, schema_size
from dispatch_to_pipedrive.pipedrive.plans import PLANS

MAPPINGS = Path(__file__).parents[2] / "mappings"
VOLUME = Volume(organizations=100, persons=1_000, deals=3_000, closed_deals=2_900, activities=4_000)
SCHEMA = SchemaSize(custom_fields=27, stages=6, label_lists=3)


@pytest.mark.promise("R005")
def test_the_sums_are_those_of_the_lines() -> None:
    found = forecast(VOLUME, SCHEMA, Account("growth", 2, 0.1)).as_json()
    assert found["tokens"] == sum(line["count"] * line["price"] for line in found["lines"])
    assert found["tokens"] == sum(found["by_kind"].values())
    assert found["tokens_per_day"] == 2 * 2 * 30_000 * 0.9
    assert found["days"] == pytest.approx(found["tokens"] / found["tokens_per_day"], abs=0.001)
    assert found["seconds"] == pytest.approx(found["requests"] / 20, abs=0.1)
    assert found["by_kind"]["write"] == 5 * (100 + 1_000 + 3_000 + 4_000) + 5 * 2_900 + 2 * 5


def test_files_and_notes_have_prices_and_pages_of_their_own() -> None:
    more = Volume(
        **{**asdict(VOLUME), "files": 1_000, "notes": 600, "parents": 7_200, "file_bytes": 50_000_000}
    )
    plain, found = (forecast(one, SCHEMA, Account("growth", 2, file_readback=0.05)) for one in (VOLUME, more))
    assert found.by_kind["write"] - plain.by_kind["write"] == 10 * (1_000 + 600)
    listed = 20 * (2 + 10 - 2) + 20 * (1 + 2 - 2)
    waves = found.batches - plain.batches
    assert found.by_kind["read"] - plain.by_kind["read"] == listed + 20 * 50 + waves * 8 * 2
    assert (found.sweep_seconds, found.download_seconds) == (120, 20)
    slower = forecast(more, SCHEMA, Account("growth", 2), source_calls_a_second=30).as_json()
    assert slower["sweep"] == {"calls_a_second": 30, "seconds": 240}


def test_of_each_kind_of_files_that_is_known_one_is_read_back() -> None:
    files = Volume(
        0, 100, 100, 100, 100, files=120, file_kinds={"jpg, small": 50, "pdf, small": 9, "mp4, large": 1}
    )
    assert files_read_back(files, 0.01) == 4, "the 60 pictures in texts are one kind"
    assert files_read_back(files, 0.1) == 5 + 1 + 1 + 6
    assert files_read_back(files, 1) == 120
    assert files_read_back(files, 0) == 0
    assert files_read_back(Volume(0, 100, 100, 100, 100, files=3), 0.01) == 3


def test_an_account_that_takes_closing_times_at_once_costs_less() -> None:
    follows = forecast(VOLUME, SCHEMA, Account("growth", 2))
    at_once = forecast(VOLUME, SCHEMA, Account("growth", 2, closing_follows=False))
    assert follows.by_kind["write"] - at_once.by_kind["write"] >= 5 * 2_900


def test_what_others_have_in_the_account_is_read_back_too() -> None:
    alone = forecast(VOLUME, SCHEMA, Account("growth", 2))
    beside = forecast(VOLUME, SCHEMA, Account("growth", 2, records={"persons": 50_000}))
    assert beside.tokens - alone.tokens == 2 * 100 * 10


@pytest.mark.promise("R066")
@pytest.mark.parametrize(
    ("plan", "caps"),
    [
        ("lite", {"custom fields": False, "open deals": False}),
        ("premium", {"custom fields": True, "open deals": True}),
    ],
)
def test_the_caps_of_the_plan_count_what_others_have(plan: str, caps: dict[str, bool]) -> None:
    account = Account(plan, 1, custom_fields=4, open_deals=2_450)
    found = forecast(VOLUME, SCHEMA, account)
    assert {cap.name: cap.fits for cap in found.caps} == caps
    assert found.feasible == all(caps.values())
    assert all("lite allows" in words for words in found.obstacles)


@pytest.mark.promise("R102")
def test_a_deadline_decides_seats_and_the_shortage_of_a_day() -> None:
    account = Account("lite", 1)
    found = forecast(VOLUME, SCHEMA, account, deadline_days=1)
    assert not found.feasible
    assert found.short_a_day == found.tokens - 30_000
    for offer in found.offers:
        assert offer.seats is not None
        assert offer.days is not None
        assert offer.days <= 1
        fewer = offer.seats - 1
        assert fewer == 0 or found.tokens > PLANS[offer.plan].daily_tokens(fewer)  # type: ignore[operator]
    assert found.best_offer == found.offers[1]  # growth: one seat is enough


@pytest.mark.promise("R066")
def test_no_seats_of_a_plan_help_where_its_fields_do_not_fit() -> None:
    found = forecast(VOLUME, SchemaSize(120, 6, 3), Account("lite", 50))
    assert [offer.seats is None for offer in found.offers] == [True, True, False, False]
    best = found.best_offer
    assert best is not None
    assert best.plan == "premium"


@pytest.mark.promise("R097")
def test_a_large_tenant_is_counted_like_a_small_one() -> None:
    large = Volume(200_000, 1_200_000, 3_000_000, 2_950_000, 4_000_000)
    found = forecast(large, SCHEMA, Account("ultimate", 10, 0.1), deadline_days=31)
    assert found.volume.records == 8_400_000
    assert found.tokens > 5 * found.volume.records
    assert found.obstacles == ()
    assert forecast(large, SCHEMA, Account("ultimate", 10, 0.1), deadline_days=10).obstacles


def test_without_a_limit_nothing_is_divided() -> None:
    found = forecast(VOLUME, SCHEMA, Account("unlimited", 1))
    assert (found.tokens_per_day, found.requests_per_second, found.seconds, found.days) == (
        None,
        None,
        0.0,
        0.0,
    )
    assert found.feasible


def test_a_reserve_may_be_a_part_or_tokens_and_must_leave_something() -> None:
    lite = PLANS["lite"]
    assert tokens_per_day(lite, 1, 0.25) == 22_500
    assert tokens_per_day(lite, 1, 10_000) == 20_000
    with pytest.raises(ValueError, match="leaves nothing"):
        tokens_per_day(lite, 1, 30_000)
    with pytest.raises(ValueError, match="leaves nothing"):
        forecast(VOLUME, SCHEMA, Account("lite", 1, -1))
    offers = forecast(VOLUME, SCHEMA, Account("growth", 1, 50_000)).offers
    assert offers[0].seats == 2  # one seat of lite would leave nothing
    assert offers[0].tokens_per_day == 10_000


def test_the_schema_is_as_large_as_the_maps_say() -> None:
    maps = load_maps(MAPPINGS)
    size = schema_size(maps)
    assert size.custom_fields == sum(len(maps[entity].custom_fields()) for entity in maps)
    assert (size.stages, size.label_lists) == (6, 3)
