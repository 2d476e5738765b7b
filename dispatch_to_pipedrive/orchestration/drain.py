"""Has the export brought everything up to the freeze, and how far behind is it now?

Binds what the ledger keeps of the readings to the feeds that the source's room knows.
"""

from datetime import UTC, datetime

from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS, HORIZON, SWEPT
from dispatch_to_pipedrive.migration.drained import Undrained, lag_seconds, undrained
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.lifecycle import standing


def frozen_at(ledger: Ledger) -> datetime | None:
    """The moment of the freeze by the source's clock; None where nothing is frozen."""
    scope = ledger.bound_scope()
    freeze = None if scope is None else standing(ledger.milestones(scope.account)).freeze
    return None if freeze is None else datetime.fromisoformat(freeze.details["moment"])


def held_back(ledger: Ledger) -> list[Undrained]:
    """The feeds that may still hold something back from before the freeze; without a freeze, that there is none."""
    moment = frozen_at(ledger)
    if moment is None:
        words = "no freeze was named: `window freeze --as NAME`, once nobody works in Dispatch Pro any more"
        return [Undrained("(all)", words)]
    return undrained(ledger.polls(), moment, HORIZON, feeds=tuple(FEEDS), swept=SWEPT)


def last_sweep_is_due(ledger: Ledger, now: datetime) -> bool:
    """Whether the sweep that the freeze asks for can begin, and has not ended yet. now: the source's clock."""
    moment = frozen_at(ledger)
    if moment is None or now <= moment + HORIZON:
        return False
    return bool(undrained(ledger.polls(), moment, HORIZON, feeds=SWEPT, swept=SWEPT))


def lag(ledger: Ledger) -> float | None:
    """Seconds that a change at the source can be old at most without having arrived; None before all was read."""
    found = lag_seconds(ledger.polls(), datetime.now(UTC), HORIZON, feeds=tuple(FEEDS))
    return None if found is None else round(found, 1)
