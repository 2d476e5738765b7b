"""Money adds up to the cent, month by month and job type by job type, computed twice on separate ways (R048)."""

from decimal import Decimal

import orjson
import pandas as pd
import pytest

from dispatch_to_pipedrive.migration.money import AMOUNTS, compare_money
from dispatch_to_pipedrive.migration.totals import money_of_raw
from dispatch_to_pipedrive.sandbox.dispatch_pro.tenant import generate
from dispatch_to_pipedrive_tests.totals.test_totals import found
from dispatch_to_pipedrive_tests.totals.world import world


def cents(amounts: pd.Series) -> pd.Series:
    return (amounts.astype(float) * 100).round().astype("Int64")


def account() -> pd.DataFrame:
    """What an account holds that took every deal as it was meant."""
    deals = found(world())["deals"]
    return pd.DataFrame(
        {
            "job_id": deals["source_key"].str.extract(r"(\d+)", expand=False).astype("int64"),
            "value_cents": cents(deals["value"]),
            "invoiced_cents": cents(deals["Invoice_Amount__c"].map(lambda money: money["value"])),
            "currency": "USD",
        }
    )


def source() -> pd.DataFrame:
    made = world()
    return money_of_raw(made.data, 1, made.segments, made.roots)


@pytest.mark.promise("R048")
def test_the_sums_are_the_sources_by_month_and_by_job_type() -> None:
    sums = compare_money(source(), account(), "USD")
    assert sums.equal
    assert sums.left_out == 0
    by_month, by_type = (sums.rows[sums.rows["by"] == by] for by in ("month of creation", "job type"))
    assert len(by_month) > 12
    assert len(by_type) > 5
    assert by_month["source_cents"].sum() == by_type["source_cents"].sum() == account()["value_cents"].sum()


@pytest.mark.promise("R048")
def test_credits_and_refunds_are_those_of_the_vendors_records() -> None:
    tenant = generate(120, 7)
    carried = set(source()["job_id"])
    invoices = [one for one in map(orjson.loads, tenant.records("invoices")) if one["active"] and one["job"]]
    mine = {one["id"]: Decimal(one["total"]) for one in invoices if one["job"]["id"] in carried}
    payments = [one for one in map(orjson.loads, tenant.records("payments")) if one["active"]]
    applied = [part for one in payments for part in one["appliedTo"] or () if part["appliedTo"] in mine]
    rows = compare_money(source(), account(), "USD").rows
    rows = rows[rows["by"] == "job type"]
    credit = sum(total for total in mine.values() if total < 0)
    refund = sum(Decimal(part["appliedAmount"]) for part in applied if Decimal(part["appliedAmount"]) < 0)
    assert rows["credit_cents"].sum() == round(credit * 100) < 0
    assert rows["refund_cents"].sum() == round(refund * 100) <= 0


@pytest.mark.parametrize("amount", AMOUNTS)
def test_a_cent_too_little_shows_in_its_month_and_in_its_job_type(amount: str) -> None:
    short = account()
    short.loc[17, amount] -= 1
    wrong = compare_money(source(), short, "USD").wrong
    assert sorted(wrong["by"]) == ["job type", "month of creation"]
    assert (wrong[amount] == wrong["source_cents"] - 1).all()
    assert compare_money(source(), short, "USD", compared=[one for one in AMOUNTS if one != amount]).equal


def test_a_deal_that_is_not_there_is_missed_unless_people_took_it_away() -> None:
    there = account()
    billed = there.index[there["value_cents"] > 0][0]
    job, fewer = int(there.loc[billed, "job_id"]), there.drop(index=billed)
    assert not compare_money(source(), fewer, "USD").equal
    sums = compare_money(source(), fewer, "USD", aside=frozenset({job}))
    assert sums.equal
    assert sums.left_out == 1


def test_another_currency_is_a_difference() -> None:
    mixed = account()
    mixed.loc[3, "currency"] = "EUR"
    assert compare_money(source(), mixed, "USD").strange == {"EUR"}
    assert not compare_money(source(), mixed).equal
    assert compare_money(source(), account()).equal
    assert compare_money(source(), account(), "EUR").strange == {"USD"}


def test_no_jobs_have_no_sums() -> None:
    made = world()
    nothing = money_of_raw(made.data, 1, made.segments, [])
    assert compare_money(nothing, account().head(0), "USD").equal
