"""The day's tokens: never into the reserve, corrected by headers, counted by the server's own day."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_to_pipedrive.pipedrive.budget import Balance, Ticket, TokenBudget
from dispatch_to_pipedrive.pipedrive.errors import BudgetSpent
from dispatch_to_pipedrive.pipedrive.plans import PLANS, plan_named

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TOMORROW = datetime(2026, 11, 24, 0, 0, 1, tzinfo=UTC)


def heard(budget: TokenBudget, ticket: Ticket, left: int | None = None, at: datetime = NOON) -> None:
    headers = {} if left is None else {b"x-daily-ratelimit-token-remaining": str(left).encode()}
    budget.observe(ticket, headers, at)


async def answered(budget: TokenBudget, price: int, left: int | None = None, at: datetime = NOON) -> None:
    heard(budget, await budget.spend(price), left, at)


def test_a_plan_gives_tokens_by_seat() -> None:
    assert {name: plan.daily_tokens(2) for name, plan in PLANS.items()} == {
        "lite": 60_000,
        "growth": 120_000,
        "premium": 300_000,
        "ultimate": 420_000,
        "unlimited": None,
    }
    assert plan_named(" Premium ").burst == 100
    assert PLANS["ultimate"].open_deals(100) == 300_000
    with pytest.raises(ValueError, match="lite, growth"):
        plan_named("gold")


@pytest.mark.promise("R064")
async def test_a_request_that_would_break_into_the_reserve_is_refused_before_it_leaves() -> None:
    budget = TokenBudget("lite", reserve=29_985)
    await answered(budget, 10)
    await answered(budget, 5)
    with pytest.raises(BudgetSpent) as caught:
        await budget.spend(1)
    assert caught.value.until == datetime(2026, 11, 24, tzinfo=UTC)
    assert (caught.value.remaining, caught.value.reserve, budget.spent) == (29_985, 29_985, 15)
    assert budget.burst.take(0).held == 3  # it took no place in the burst either


async def test_a_reserve_below_one_is_a_part_of_the_day() -> None:
    assert TokenBudget("premium", seats=2, reserve=0.1).reserve == 30_000


async def test_requests_under_way_count_as_spent() -> None:
    budget = TokenBudget("lite", reserve=29_990, spent_today=0)
    await answered(budget, 1)
    await budget.spend(5)
    with pytest.raises(BudgetSpent):
        await budget.spend(5)


async def test_headers_correct_down_at_once_and_up_only_after_a_reset() -> None:
    budget = TokenBudget("lite")
    await answered(budget, 5, left=20_000)
    assert budget.remaining == 20_000
    await answered(budget, 5, left=29_000)
    assert budget.remaining == 19_995
    await answered(budget, 5, left=149_995, at=TOMORROW)
    assert (budget.remaining, budget.spent, budget.day) == (149_995, 5, date(2026, 11, 24))
    await answered(budget, 5, left=500_000, at=TOMORROW)
    assert budget.remaining == 149_990


async def test_a_header_of_yesterday_that_comes_late_changes_nothing() -> None:
    budget = TokenBudget("lite")
    late = await budget.spend(5)
    heard(budget, late, at=NOON)
    old = await budget.spend(5)
    await answered(budget, 5, left=29_995, at=TOMORROW)
    heard(budget, old, left=3, at=NOON)
    assert budget.remaining is not None and budget.remaining > 29_000
    assert budget.day == date(2026, 11, 24)


async def test_a_request_that_never_left_is_paid_back() -> None:
    budget = TokenBudget("lite")
    budget.withdraw(await budget.spend(5, "schema"))
    assert (budget.spent, budget.remaining, budget.by_kind["schema"]) == (0, 30_000, 0)


async def test_a_snapshot_goes_on_on_the_same_day_and_is_forgotten_on_the_next() -> None:
    budget = TokenBudget("lite")
    await answered(budget, 5, left=12_000)
    kept = budget.snapshot()
    assert kept == Balance(date(2026, 11, 23), 5, 12_000, {"write": 5})
    same, later = (TokenBudget("lite", balance=kept) for _ in range(2))
    await answered(same, 5)
    assert (same.spent, same.remaining) == (10, 11_995)
    await answered(later, 5, at=TOMORROW)
    assert (later.spent, later.remaining) == (5, 29_995)


async def test_a_spent_day_still_allows_the_question_what_day_it_is() -> None:
    budget = TokenBudget("lite", balance=Balance(date(2026, 11, 23), 30_000, 0))
    with pytest.raises(BudgetSpent):
        await budget.spend(5)
    heard(budget, await budget.spend(2, "read", asks_clock=True), at=TOMORROW)
    await answered(budget, 5, at=TOMORROW)
    assert budget.spent == 7


async def test_what_other_processes_spent_is_carried() -> None:
    budget = TokenBudget("lite")
    await answered(budget, 2)
    budget.carry(29_990)
    assert (budget.spent, budget.remaining) == (29_992, 8)


async def test_without_limits_nothing_is_refused() -> None:
    budget = TokenBudget("unlimited")
    for _ in range(500):
        await answered(budget, 1000)
    assert (budget.spent, budget.remaining, budget.available) == (500_000, None, None)


@pytest.mark.promise("R064")
@given(
    st.lists(st.tuples(st.sampled_from([1, 3, 5, 10, 20]), st.integers(0, 200) | st.none()), max_size=60),
    st.integers(0, 150),
)
async def test_the_reserve_is_never_touched_whatever_others_spend(
    steps: list[tuple[int, int | None]], reserve: int
) -> None:
    """`true` is the vendor's own balance; others spend from it between our requests."""
    true = 300
    budget = TokenBudget("unlimited", reserve=reserve)
    budget._remaining = true
    for price, others in steps:
        try:
            ticket = await budget.spend(price)
        except BudgetSpent:
            assert budget.remaining is not None and budget.remaining - price < reserve
            continue
        true -= price
        assert budget.remaining is not None and budget.remaining >= reserve
        if others is not None:
            true -= others
        heard(budget, ticket, left=max(0, true))
        assert budget.remaining <= max(0, true)
