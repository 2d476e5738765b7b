"""When may a run go on that ended because the day's tokens were spent? It says so itself, by tags.

Such a run is a failure in plain words: it did not do what it was asked for, alerts should see it, and a canceled run
would say that a person ended it. The day is over at midnight UTC of the account's own clock, which ours need not agree
with.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from dispatch_to_pipedrive.pipedrive.errors import BudgetSpent

ENDED_BY, BUDGET = "dispatch/ended_by", "budget"
ACCOUNT = "dispatch/account"
"""Tag of a run that has ended: the account that it was for."""
UNTIL, RESUME_AFTER = "dispatch/spent_until", "dispatch/resume_after"


@dataclass(frozen=True)
class Spent:
    """A day whose tokens are spent: until when by the account's clock, and the same moment by ours."""

    until: datetime
    resume_after: datetime

    def over(self, now: datetime, last_day: str | None) -> bool:
        """Whether the next day has begun; `last_day` is the newest on which the account has answered."""
        return now >= self.resume_after or (last_day or "") >= self.until.date().isoformat()


def tell_run(error: BudgetSpent) -> None:
    """Tag the run that is under way in this process, if there is one, with when it may go on."""
    context = _running()
    if context is None:
        return
    tags = {
        ENDED_BY: BUDGET,
        UNTIL: error.until.isoformat(timespec="seconds"),
        RESUME_AFTER: (datetime.now(UTC) + error.wait).isoformat(timespec="seconds"),
    }
    context.instance.add_run_tags(context.run_id, tags)


def _running() -> dg.OpExecutionContext | None:
    try:
        return dg.OpExecutionContext.get()
    except dg.DagsterInvariantViolationError:
        return None


def spent_of(tags: Mapping[str, str]) -> Spent | None:
    """What a run's tags say of the day; None for a run that ended otherwise."""
    if tags.get(ENDED_BY) != BUDGET:
        return None
    try:
        return Spent(datetime.fromisoformat(tags[UNTIL]), datetime.fromisoformat(tags[RESUME_AFTER]))
    except (KeyError, ValueError):
        return None


def ended_by_the_budget(instance: dg.DagsterInstance, account: str, most: int = 200) -> list[dg.DagsterRun]:
    """The newest runs for the account that ended for that, newest first."""
    tags = {ENDED_BY: BUDGET, ACCOUNT: account}
    wanted = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], tags=tags)
    return list(instance.get_runs(wanted, limit=most))


def waits_for_reset(runs: Iterable[dg.DagsterRun], now: datetime, last_day: str | None) -> datetime | None:
    """Until when (by our clock) the day is still spent; None if it is not."""
    found = [spent_of(run.tags) for run in runs]
    return max((s.resume_after for s in found if s is not None and not s.over(now, last_day)), default=None)
