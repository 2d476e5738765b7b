"""What starts by itself in the delta window? A schedule reads the source on, a sensor brings what waits.

The schedule only asks whether an advance is due, the sensor only whether a batch waits: a manifest without a run. What
both do is safe to do twice. Batches are brought one after another. A run key that was used once is spent for ever, so
it counts attempts; a batch whose attempts failed is asked for again after a pause that grows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS, HORIZON
from dispatch_to_pipedrive.migration.approval import SAMPLE
from dispatch_to_pipedrive.migration.drained import arrived_until
from dispatch_to_pipedrive.migration.errors import GateClosed
from dispatch_to_pipedrive.migration.ledger import Ledger, digest_of
from dispatch_to_pipedrive.migration.lifecycle import Standing, standing
from dispatch_to_pipedrive.migration.plan import is_unplanned, undone_first, waiting
from dispatch_to_pipedrive.migration.values import Milestone
from dispatch_to_pipedrive.orchestration.dead_runs import UNFINISHED, bury_dead_runs
from dispatch_to_pipedrive.orchestration.drain import held_back
from dispatch_to_pipedrive.orchestration.jobs import advance_and_plan, deliver, prepare
from dispatch_to_pipedrive.orchestration.lifecycle import STATE, about, known_scope, why_unknown
from dispatch_to_pipedrive.orchestration.partitions import add_batches
from dispatch_to_pipedrive.orchestration.prepared import preparing_is_due
from dispatch_to_pipedrive.orchestration.reset import ACCOUNT, ended_by_the_budget, waits_for_reset
from dispatch_to_pipedrive.orchestration.resources import Migration
from dispatch_to_pipedrive.orchestration.tell import stands_of
from dispatch_to_pipedrive.settings import WrongSettings

DELIVERS = "dispatch/delivers"
"""Tag of the sensor's runs: what they bring, a batch's key or `schema`."""
SCHEMA = "schema"
LONGEST_PAUSE = timedelta(minutes=30)
_UNDER_WAY = [*UNFINISHED, dg.DagsterRunStatus.QUEUED]
_FREEZING = 5
"""Minutes between two advances where the window is over, or was closed, and what comes late is still waited for."""
_EARLY = timedelta(seconds=30)
"""So much sooner an advance may begin than it is due: the daemon's ticks are not exact."""


@dataclass(frozen=True)
class Attempts:
    """How bringing something was tried: how often in all, how often it failed since it last went well, and when."""

    made: int = 0
    failed: int = 0
    ended: datetime | None = None

    @property
    def next_at(self) -> datetime | None:
        """When it may be tried again after failures: after 1, 2, 4, … minutes, half an hour at most."""
        if not self.failed or self.ended is None:
            return None
        return self.ended + min(timedelta(minutes=2 ** min(self.failed - 1, 10)), LONGEST_PAUSE)


def closed_by(now: Standing, undone: str = "") -> str:
    """Why nothing may be brought now, in words; '' if it may. undone: as `plan.undone_first` tells it."""
    if now.sign_off is not None:
        return f"the migration was signed off by {now.sign_off.by}: `reopen --as NAME` lifts it"
    if now.rollback is not None:
        return f"a rollback begun by {now.rollback.by} has not ended"
    if now.pause is not None:
        return f"paused by {now.pause.by}: `resume --as NAME` lets it go on"
    return undone


def advance_closed_by(ledger: Ledger, now: datetime, last: datetime | None) -> str:
    """Why the source is not read on now, in words; '' if an advance is due. last: when the last one began."""
    scope = ledger.bound_scope()
    if scope is None:
        return why_unknown(ledger)
    if not ledger.manifests():
        return "nothing is planned yet: begin with `migrate --through assess`"
    force = standing(ledger.milestones(scope.account))
    if words := closed_by(force, undone_first(ledger, scope.account)):
        return words
    window, freeze = force.window, force.freeze
    closes = None if window is None else datetime.fromisoformat(window.details["closes_at"])
    if freeze is None and closes is None:
        return "the delta window is not open: `window open --as NAME`, or the job `open_window`"
    if (words := _all_read(ledger, freeze, closes)) and not is_unplanned(ledger, scope.account):
        return words
    delta = next((one.key for one in waiting(ledger, scope.account) if one.kind == "delta"), "")
    if words and delta:
        return f"{words}; what arrived while {delta} waited is planned once it is brought"
    minutes = _FREEZING
    if window is not None and closes is not None and now < closes:
        minutes = int(window.details["minutes"])
    if last is not None and now < (due := last + timedelta(minutes=minutes)) - _EARLY:
        return f"the next advance is due at {due:%H:%M:%S} UTC"
    return ""


def _all_read(ledger: Ledger, freeze: Milestone | None, closes: datetime | None) -> str:
    """That all up to the freeze, or to the end of the window, was read, in words; '' while it was not."""
    if freeze is not None:
        words = f"everything up to the freeze at {freeze.details['moment']} has arrived"
        return "" if held_back(ledger) else words
    until = arrived_until(ledger.polls(), HORIZON, feeds=tuple(FEEDS))
    if closes is None or until is None or until <= closes:
        return ""
    return f"the delta window closed at {closes:%Y-%m-%d %H:%M} UTC: `window open --as NAME` opens another"


@dg.schedule(
    name="delta_window",
    job=advance_and_plan,
    cron_schedule="* * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="While the delta window is open: read the source on every so many minutes and plan the next delta.",
)
def delta_window(
    context: dg.ScheduleEvaluationContext, migration: Migration
) -> dg.RunRequest | dg.SkipReason:
    """Ask for an advance when one is due; the minutes are the window's own."""
    instance = context.instance
    try:
        ledger = migration.ledger
        bury_dead_runs(instance)
        jobs = {"advance_and_plan", "advance_source", "plan_batches"}
        if busy := [run for run in instance.get_runs(_filter()) if run.job_name in jobs]:
            return dg.SkipReason(f"an advance is under way: run {busy[0].run_id[:8]}")
        if words := advance_closed_by(ledger, datetime.now(UTC), _last_advance(instance, ledger)):
            return dg.SkipReason(words)
    except WrongSettings as error:
        return dg.SkipReason(str(error))
    at = context.scheduled_execution_time
    return dg.RunRequest(run_key=f"advance/{at:%Y-%m-%dT%H:%M}")


def _filter() -> dg.RunsFilter:
    return dg.RunsFilter(statuses=_UNDER_WAY)


def _last_advance(instance: dg.DagsterInstance, ledger: Ledger) -> datetime | None:
    """When the newest advance began, whatever became of it."""
    told = [datetime.fromisoformat(poll.at) for poll in ledger.polls().values()]
    runs = instance.get_run_records(dg.RunsFilter(job_name=advance_and_plan.name), limit=1)
    return max([*told, *(run.create_timestamp for run in runs)], default=None)


@dg.sensor(
    name="deltas",
    jobs=[deliver, prepare],
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A manifest without a run? Bring it and read it back, one batch after another.",
)
def deltas(context: dg.SensorEvaluationContext, migration: Migration) -> dg.RunRequest | dg.SkipReason:
    """Ask for the batch that waits longest; for the schema alone, where only names changed at the source."""
    try:
        ledger = migration.ledger
        account = known_scope(ledger).account
        if words := closed_by(standing(ledger.milestones(account)), undone_first(ledger, account)):
            return dg.SkipReason(words)
        what, job = _wanted(ledger, account)
    except (WrongSettings, GateClosed) as error:
        return dg.SkipReason(str(error))
    if not what:
        return dg.SkipReason("no batch waits")
    if what != SAMPLE and ledger.latest_approval(account, SAMPLE) is None:
        return dg.SkipReason(
            f"{what} waits until somebody has approved the sample: `approve-sample --as NAME`"
        )
    bury_dead_runs(context.instance)
    if busy := [run for run in context.instance.get_runs(_filter()) if _loads(run)]:
        return dg.SkipReason(f"{what} waits for run {busy[0].run_id[:8]} ({busy[0].job_name})")
    if (holder := ledger.lease_holder(account)) is not None:
        return dg.SkipReason(f"{what} waits for who writes to the account: {holder}")
    now, last_day = datetime.now(UTC), ledger.last_day(account)
    if (until := waits_for_reset(ended_by_the_budget(context.instance, account), now, last_day)) is not None:
        return dg.SkipReason(f"the day's tokens are spent: {what} waits until {until:%Y-%m-%d %H:%M} UTC")
    attempts = _attempts(context.instance, what, account)
    if attempts.next_at is not None and now < attempts.next_at:
        return dg.SkipReason(
            f"{what} failed {attempts.failed} times, so the next attempt is at {attempts.next_at:%H:%M:%S} UTC: "
            "look at its last run, and at its `clearance`"
        )
    number = attempts.made + 1
    tags = {DELIVERS: what, ACCOUNT: account, "dispatch/attempt": str(number)}
    if job == prepare.name:
        return dg.RunRequest(run_key=f"{what}/{number}", job_name=job, tags=tags)
    add_batches(context.instance, [what])
    return dg.RunRequest(run_key=f"{what}/{number}", job_name=job, partition_key=what, tags=tags)


@dg.sensor(
    name="tell_state_changes",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Where the migration stands has changed, by whomever? The asset `migration_state` shows it.",
)
def tell_state_changes(
    context: dg.SensorEvaluationContext, migration: Migration
) -> dg.SensorResult | dg.SkipReason:
    """Materialize the state, once a change."""
    try:
        account = known_scope(migration.ledger).account
        stands = stands_of(migration.ledger, account)
    except (WrongSettings, GateClosed) as error:
        return dg.SkipReason(str(error))
    now = digest_of([account, stands.state, *stands.words])
    if now == context.cursor:
        return dg.SkipReason(f"still {stands.state}")
    return dg.SensorResult(asset_events=[dg.AssetMaterialization(STATE, metadata=about(stands))], cursor=now)


def _wanted(ledger: Ledger, account: str) -> tuple[str, str]:
    """What waits longest, and the job that brings it; '' if nothing waits."""
    if batches := waiting(ledger, account):
        return batches[0].key, deliver.name
    if preparing_is_due(ledger, account):
        return SCHEMA, prepare.name
    return "", ""


def _loads(run: dg.DagsterRun) -> bool:
    """Whether a run writes to the account, or is to."""
    return run.tags.get("dispatch/lane") == "load"


def _attempts(instance: dg.DagsterInstance, what: str, account: str) -> Attempts:
    """How often it was tried for any account, for run keys; how often in vain for this one."""
    records = instance.get_run_records(dg.RunsFilter(tags={DELIVERS: what}))
    mine = [one for one in records if one.dagster_run.tags.get(ACCOUNT) == account]
    failed = _failed_last(sorted(mine, key=lambda one: one.create_timestamp, reverse=True))
    ended = max((one.update_timestamp for one in failed), default=None)
    return Attempts(len(records), len(failed), ended)


def _failed_last(newest_first: Sequence[dg.RunRecord]) -> list[dg.RunRecord]:
    """The runs since the last one that went well."""
    found = []
    for record in newest_first:
        if record.dagster_run.status is dg.DagsterRunStatus.SUCCESS:
            break
        found.append(record)
    return found


SCHEDULES = [delta_window]
SENSORS = [deltas, tell_state_changes]
