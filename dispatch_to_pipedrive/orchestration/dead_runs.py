"""Whose process has ended without a word? Such a run is declared failed, or it would be under way for ever."""

import socket
from collections.abc import Mapping

import dagster as dg
import psutil

HOST, PROCESS, STARTED = "dispatch/host", "dispatch/pid", "dispatch/process_started"
"""Tags of a run: the process that it runs in."""
UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def this_process() -> dict[str, str]:
    """The tags of a run in this process."""
    process = psutil.Process()
    return {
        HOST: socket.gethostname(),
        PROCESS: str(process.pid),
        STARTED: str(process.create_time()),
    }


def bury_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Declare runs failed whose process on this host has ended without a word, and free their slots."""
    mine = dg.RunsFilter(statuses=UNFINISHED, tags={HOST: socket.gethostname()})
    dead = [run for run in instance.get_runs(mine) if not _alive(run.tags) and not _inherited(instance, run)]
    for run in dead:
        instance.report_run_failed(run, "The process of this run has ended; run it again to go on.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return [run.run_id for run in dead]


def _inherited(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the tags are those of the run that this one repeats: it has not come to tell its own."""
    before = instance.get_run_by_id(run.parent_run_id) if run.parent_run_id else None
    return before is not None and all(run.tags.get(tag) == before.tags.get(tag) for tag in (PROCESS, STARTED))


def _alive(tags: Mapping[str, str]) -> bool:
    try:
        process = psutil.Process(int(tags[PROCESS]))
        return abs(process.create_time() - float(tags[STARTED])) < 1 and (
            process.status() != psutil.STATUS_ZOMBIE
        )
    except (psutil.NoSuchProcess, KeyError, ValueError):
        return False
