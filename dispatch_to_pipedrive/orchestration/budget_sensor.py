"""What goes on by itself when the account's next day has begun? Each run that ended for lack of tokens, once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG

from dispatch_to_pipedrive.migration.errors import GateClosed
from dispatch_to_pipedrive.migration.lifecycle import standing
from dispatch_to_pipedrive.migration.plan import undone_first
from dispatch_to_pipedrive.orchestration.jobs import deliver, load, reconcile
from dispatch_to_pipedrive.orchestration.lifecycle import known_scope
from dispatch_to_pipedrive.orchestration.reset import ACCOUNT, ended_by_the_budget, spent_of, waits_for_reset
from dispatch_to_pipedrive.orchestration.resources import Migration
from dispatch_to_pipedrive.orchestration.rollback_jobs import rollback, rollback_everything
from dispatch_to_pipedrive.orchestration.sensors import DELIVERS, closed_by
from dispatch_to_pipedrive.settings import WrongSettings

RESUMES = "dispatch/resumes"
"""Tag of a run that goes on for another: that one's id."""
_JOBS = (load.name, reconcile.name, deliver.name)
_UNDOING = (rollback.name, rollback_everything.name)
"""What alone may go on while a rollback is begun."""


@dg.sensor(
    name="resume_after_reset",
    jobs=[load, reconcile, deliver, rollback, rollback_everything],
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="The day's tokens were spent in the middle of a batch? Ask for it again when the next day has begun.",
)
def resume_after_reset(
    context: dg.SensorEvaluationContext, migration: Migration
) -> dg.SensorResult | dg.SkipReason:
    """Ask for every batch again whose last run ended for lack of tokens; a run is resumed once, a batch once a day."""
    try:
        ledger = migration.ledger
        account = known_scope(ledger).account
        force = standing(ledger.milestones(account))
        # A rollback that has begun goes on where it stopped; nothing else does, nor after it what it has undone.
        undone = "" if force.rollback is not None else undone_first(ledger, account)
        words = closed_by(replace(force, rollback=None), undone)
        if words:
            return dg.SkipReason(words)
        last_day = ledger.last_day(account)
    except (WrongSettings, GateClosed) as error:
        return dg.SkipReason(str(error))
    ended = unfinished(context.instance, account, _JOBS if force.rollback is None else _UNDOING)
    if not ended:
        return dg.SkipReason(closed_by(force) or "no batch waits for the next day")
    now = datetime.now(UTC)
    if (until := waits_for_reset(ended, now, last_day)) is not None:
        batches = ", ".join(sorted(map(_what, ended))[:5])
        return dg.SkipReason(
            f"the day's tokens are spent: {batches} goes on after {until:%Y-%m-%d %H:%M} UTC"
        )
    return dg.SensorResult(run_requests=[_again(run) for run in ended])


def unfinished(
    instance: dg.DagsterInstance, account: str, jobs: Sequence[str] = _JOBS
) -> Sequence[dg.DagsterRun]:
    """Of each batch the account's run that ended for lack of tokens, if none was begun since; the oldest first.

    Of what has no batch, the run of the job. What the sensor `deltas` asked for is its own to ask for again.
    """
    found: dict[str, dg.DagsterRun] = {}
    for run in ended_by_the_budget(instance, account):
        batch, what = run.tags.get(PARTITION_NAME_TAG), _what(run)
        if run.job_name not in jobs or what in found or DELIVERS in run.tags:
            continue
        alike = dg.RunsFilter(job_name=run.job_name) if batch is None else _of_batch(batch)
        # A run that has not ended does not tell its account yet.
        newest = next(r for r in instance.get_runs(alike) if r.tags.get(ACCOUNT, account) == account)
        if newest.run_id == run.run_id and spent_of(run.tags) is not None:
            found[what] = run
    return list(reversed(found.values()))


def _of_batch(batch: str) -> dg.RunsFilter:
    return dg.RunsFilter(tags={PARTITION_NAME_TAG: batch})


def _what(run: dg.DagsterRun) -> str:
    """The batch of a run, or its job where it has none."""
    return run.tags.get(PARTITION_NAME_TAG) or run.job_name


def _again(run: dg.DagsterRun) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"after-reset/{run.run_id}",
        job_name=run.job_name,
        partition_key=run.tags.get(PARTITION_NAME_TAG),
        run_config={
            "ops": run.run_config.get("ops", {})
        },  # the shell's runs are quiet, which is its own affair
        tags={RESUMES: run.run_id},
    )
