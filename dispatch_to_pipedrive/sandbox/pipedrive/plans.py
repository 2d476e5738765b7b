"""What does a plan allow? Budget, burst and caps, from the vendor's limits pages."""

from dataclasses import dataclass

BASE_TOKENS = 30_000
OPEN_DEALS_CEILING = 300_000
SEARCH_BURST = 10
OPTIONS_PER_FIELD = 10_000
LABELS_PER_RECORD = 100


@dataclass(frozen=True)
class Plan:
    """One plan's figures; daily tokens and open deals are for each seat, custom fields for the company."""

    name: str
    multiplier: int
    burst: int
    custom_fields: int
    open_deals: int
    visibilities: frozenset[int]
    everyone: int


_SMALL = frozenset({1, 3})
_LARGE = frozenset({1, 3, 5, 7})

PLANS: dict[str, Plan] = {
    plan.name: plan
    for plan in (
        Plan("lite", 1, 20, 30, 2_500, _SMALL, 3),
        Plan("growth", 2, 40, 100, 5_000, _SMALL, 3),
        Plan("premium", 5, 100, 300, 15_000, _LARGE, 7),
        Plan("ultimate", 7, 120, 500, 20_000, _LARGE, 7),
    )
}
