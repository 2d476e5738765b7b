"""How many tokens may still be spent today, and whose turn it is in the burst.

The day's balance starts from the plan (or from what the ledger kept), goes down with every request before it
leaves, and is corrected by the vendor's headers: down at once, up only after a reset. The reset is midnight
UTC by the server's own clock, read from its `Date` headers.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple

from dispatch_to_pipedrive.pipedrive.burst import Burst, Passage
from dispatch_to_pipedrive.pipedrive.errors import BudgetSpent
from dispatch_to_pipedrive.pipedrive.plans import BURST_SECONDS, Plan, plan_named, reserved
from dispatch_to_pipedrive.pipedrive.prices import PRICES

__all__ = ["PRICES", "READER_SHARE", "WRITER_SHARE", "Balance", "Kind", "Ticket", "TokenBudget"]

Kind = Literal["write", "read", "schema"]

READER_SHARE = 0.1
"""What a reader outside the lease takes of the burst."""
WRITER_SHARE = 0.9
"""What the writer keeps while a reader is registered."""


@dataclass(frozen=True, slots=True)
class Balance:
    """The day's tokens as the ledger keeps them; `remaining` None means without limit."""

    day: date | None
    spent: int = 0
    remaining: int | None = None
    by_kind: Mapping[str, int] = field(default_factory=dict)


class Ticket(NamedTuple):
    """One paid request."""

    passage: Passage
    price: int
    kind: Kind
    day: date | None


class TokenBudget:
    """The tokens of one company and the burst of one token, as one process may use them."""

    def __init__(
        self,
        plan: str | Plan = "lite",
        *,
        seats: int = 1,
        reserve: float = 0,
        share: float = 1.0,
        spent_today: int = 0,
        balance: Balance | None = None,
        opening: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set the day up.

        reserve: tokens of the day left to the company's other apps; below 1 it is a fraction of the day.
        spent_today: what the ledger knows as spent, where it has no `balance`.
        balance: the last `snapshot()`; it holds if the server's day is still the same.
        opening: seconds to wait before the first request (a reader waits until the writer has made room).
        """
        self.plan = plan if isinstance(plan, Plan) else plan_named(plan)
        self.seats = seats
        self.daily = self.plan.daily_tokens(seats)
        self.reserve = reserved(self.daily or 0, reserve)
        self.burst = Burst(self.plan.burst, seconds=BURST_SECONDS, share=share, opening=opening, clock=clock)
        self._clock = clock
        self._day: date | None = None
        self._spent = spent_today if balance is None else 0
        self._remaining = None if self.daily is None else self.daily - self._spent
        self._by_kind: Counter[str] = Counter()
        self._kept = balance
        self._flying = 0
        self._heard: tuple[datetime, float] | None = None
        self._fresh = False
        if balance is not None:
            self._take(balance)

    @property
    def spent(self) -> int:
        """Tokens spent on the server's current day, as far as the ledger and this process know."""
        return self._spent

    @property
    def remaining(self) -> int | None:
        """Tokens left in the company's day, the reserve included; None without limit."""
        return self._remaining

    @property
    def available(self) -> int | None:
        """Tokens that this program may still spend today."""
        return None if self._remaining is None else max(0, self._remaining - self.reserve)

    @property
    def by_kind(self) -> Mapping[str, int]:
        """Tokens that this process spent, by kind of call."""
        return dict(self._by_kind)

    @property
    def day(self) -> date | None:
        """The server's day (UTC), once it has answered."""
        return self._day

    def snapshot(self) -> Balance:
        """The day as the ledger should keep it."""
        day = self._day or (self._kept.day if self._kept else None)
        return Balance(day, self._spent, self._remaining, dict(self._by_kind))

    def carry(self, spent: int) -> None:
        """Count what other processes spent on the server's day, once the first answer has told which day it is."""
        self._spent += spent
        if self._remaining is not None:
            self._remaining -= spent

    def set_share(self, share: float) -> None:
        """Change the part of the burst that this process may use."""
        self.burst.set_share(share)

    def server_now(self) -> datetime:
        """The server's clock, as far as its last answer tells it; before any answer, ours."""
        if self._heard is None:
            return datetime.now(UTC)
        heard, at = self._heard
        return heard + timedelta(seconds=self._clock() - at)

    def reset_at(self) -> datetime:
        """The next midnight UTC of the server's clock."""
        now = self.server_now()
        return datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)

    async def spend(self, price: int, kind: Kind = "write", *, asks_clock: bool = False) -> Ticket:
        """Wait for the burst and pay.

        Raises BudgetSpent before a request that would break into the reserve. `asks_clock` marks the one
        cheap question that is let through all the same: its answer tells whether the day is over.
        """
        if not asks_clock:
            self._refuse_if_spent(price)
        passage = await self.burst.enter()
        if not asks_clock:
            try:
                self._refuse_if_spent(price)
            except BudgetSpent:
                self.burst.withdraw(passage)
                raise
        self._spent += price
        self._flying += price
        self._by_kind[kind] += price
        if self._remaining is not None:
            self._remaining -= price
        return Ticket(passage, price, kind, self._day)

    def withdraw(self, ticket: Ticket) -> None:
        """Take a payment back: the request never left."""
        self.burst.withdraw(ticket.passage)
        self._flying -= ticket.price
        self._by_kind[ticket.kind] -= ticket.price
        if ticket.day == self._day:
            self._spent -= ticket.price
            if self._remaining is not None:
                self._remaining += ticket.price

    def lost(self, ticket: Ticket) -> None:
        """No answer came; the tokens count as spent."""
        self._flying -= ticket.price
        self.burst.leave(ticket.passage, answered=False)

    def observe(
        self, ticket: Ticket, headers: Mapping[bytes, bytes], date: datetime, *, carried_out: bool = True
    ) -> None:
        """Learn from an answer's headers (names in lower case): clock, burst, the day's balance."""
        self._flying -= ticket.price
        self._hear(date, ticket.price)
        self.burst.leave(
            ticket.passage,
            answered=carried_out,
            limit=_number(headers.get(b"x-ratelimit-limit")),
            remaining=_number(headers.get(b"x-ratelimit-remaining")),
        )
        left = _number(headers.get(b"x-daily-ratelimit-token-remaining"))
        if left is None or date.date() != self._day:
            return
        # Those still on the way are paid here already and perhaps not yet there.
        left -= self._flying
        if self._fresh:
            self._remaining, self._fresh = left, False
        elif self._remaining is None or left < self._remaining:
            self._remaining = left

    def exhausted(self) -> BudgetSpent:
        """The vendor said that the day is over: nothing is left."""
        self._remaining = 0
        return self._spent_until_reset(0, 0)

    def _refuse_if_spent(self, price: int) -> None:
        if self._remaining is None or self._remaining - price >= self.reserve:
            return
        if self._day is not None and self.server_now().date() > self._day:
            self._new_day(self.server_now().date())
            return
        raise self._spent_until_reset(price, self._remaining)

    def _spent_until_reset(self, price: int, remaining: int) -> BudgetSpent:
        until = self.reset_at()
        return BudgetSpent(
            until=until,
            price=price,
            remaining=remaining,
            reserve=self.reserve,
            wait=until - self.server_now(),
        )

    def _hear(self, date: datetime, price: int) -> None:
        if self._heard is not None and date < self._heard[0]:
            return
        if self._heard is None or date > self._heard[0]:
            self._heard = (date, self._clock())
        day = date.date()
        if self._day == day:
            return
        if self._day is None and (self._kept is None or self._kept.day is None or self._kept.day == day):
            self._day = day
            return
        self._new_day(day)
        self._spent = price + self._flying
        if self._remaining is not None:
            self._remaining -= price + self._flying

    def _new_day(self, day: date) -> None:
        self._day = day
        self._spent = 0
        self._remaining = self.daily
        self._fresh = True

    def _take(self, balance: Balance) -> None:
        self._spent = balance.spent
        if self.daily is not None:
            planned = self.daily - balance.spent
            self._remaining = planned if balance.remaining is None else min(planned, balance.remaining)


def _number(text: bytes | None) -> int | None:
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        return None
