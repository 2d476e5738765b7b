"""What a Pipedrive plan allows: tokens a day, requests in a burst, custom fields, open deals.

Sources: Pipedrive's pages on rate limiting and on usage limits. A plan is a setting: no endpoint tells it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

TOKENS_PER_SEAT = 30_000
"""Daily tokens of one seat, before the plan's multiplier."""

BURST_SECONDS = 2.0
"""Length of the vendor's rolling burst window."""

OPTIONS_PER_FIELD = 10_000
OPTION_LABEL_LENGTH = 255
FIELD_NAME_LENGTH = 255
TEXT_LENGTH = 255
LONG_TEXT_LENGTH = 65_000
NOTE_BYTES = 100_000
LABELS_PER_RECORD = 100
OPEN_DEALS_CEILING = 300_000


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan's limits; None means without limit."""

    name: str
    multiplier: int | None
    burst: int | None
    custom_fields: int | None
    open_deals_per_seat: int | None

    def daily_tokens(self, seats: int) -> int | None:
        """Tokens a day for the whole company, without top-ups."""
        return None if self.multiplier is None else TOKENS_PER_SEAT * self.multiplier * seats

    @property
    def requests_per_second(self) -> float | None:
        """The burst as a steady rate."""
        return None if self.burst is None else self.burst / BURST_SECONDS

    def open_deals(self, seats: int) -> int | None:
        """Leads and open deals that the company may hold; won, lost and deleted ones do not count."""
        if self.open_deals_per_seat is None:
            return None
        return min(self.open_deals_per_seat * seats, OPEN_DEALS_CEILING)


PLANS: Mapping[str, Plan] = MappingProxyType(
    {
        plan.name: plan
        for plan in (
            Plan("lite", multiplier=1, burst=20, custom_fields=30, open_deals_per_seat=2_500),
            Plan("growth", multiplier=2, burst=40, custom_fields=100, open_deals_per_seat=5_000),
            Plan("premium", multiplier=5, burst=100, custom_fields=300, open_deals_per_seat=15_000),
            Plan("ultimate", multiplier=7, burst=120, custom_fields=500, open_deals_per_seat=20_000),
            # Not sold: for a sandbox whose limits are switched off.
            Plan("unlimited", multiplier=None, burst=None, custom_fields=None, open_deals_per_seat=None),
        )
    }
)


def reserved(daily: int, reserve: float) -> int:
    """Tokens of a day that are left to other apps: below 1 `reserve` is a part of the day, else tokens."""
    return round(reserve * daily if reserve < 1 else reserve)


def plan_named(name: str) -> Plan:
    """The plan of that name, or a ValueError that lists the names."""
    try:
        return PLANS[name.strip().lower()]
    except KeyError:
        raise ValueError(f"unknown Pipedrive plan {name!r}: one of {', '.join(PLANS)}") from None
