"""How the shell's front door executes jobs: in its own process, on the instance that the UI opens.

Uses private names of Dagster: no public call runs a job in this process and tells the UI which of its jobs it was.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.errors import DagsterAssetCheckFailedError
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.storage.tags import PARTITION_NAME_TAG
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from dispatch_to_pipedrive.orchestration.build import build_defs
from dispatch_to_pipedrive.orchestration.dead_runs import bury_dead_runs, this_process
from dispatch_to_pipedrive.settings import Settings, make_dagster_home

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@contextmanager
def open_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance of this migration, with the runs of dead processes declared failed."""
    home = make_dagster_home(settings)
    os.environ["DAGSTER_HOME"] = str(home)
    # Two processes that make the tables of a fresh home at once get in each other's way.
    with (home / ".making").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        instance = dg.DagsterInstance.get()
        instance.get_runs(limit=1)
        bury_dead_runs(instance)
    with instance:
        yield instance


@cache
def _definitions() -> dg.Definitions:
    return build_defs()


def execute(
    instance: dg.DagsterInstance,
    job: str,
    *,
    batch: str | None = None,
    config: Mapping[str, Mapping[str, Any]] | None = None,
    tags: Mapping[str, str] | None = None,
) -> bool:
    """Run a job in this process; whether it succeeded, a blocking check included.

    config: step → its configuration. Raises the expected error that ended the run (see `errors`), or what surprised
    us; the run in the UI tells the same.
    """
    about = {**this_process(), "dispatch/from": "command line", **(tags or {})}
    partition = {} if batch is None else {PARTITION_NAME_TAG: batch}
    definition = _definitions().resolve_job_def(job)
    run = instance.create_run_for_job(
        definition,
        run_config={
            **_QUIET,
            "ops": {name: {"config": dict(values)} for name, values in (config or {}).items()},
        },
        tags={**definition.run_tags, **partition, **about},
        remote_job_origin=_as_the_ui_names_it(job),
    )
    try:
        return execute_run(InMemoryJob(definition), run, instance, raise_on_error=True).success
    except dg.Failure as failure:
        raise (failure.__cause__ or failure) from None
    except dg.DagsterExecutionInterruptedError:
        raise KeyboardInterrupt from None
    except DagsterAssetCheckFailedError:
        return False


def _as_the_ui_names_it(job: str) -> RemoteJobOrigin:
    """Where the UI finds the job of a run, so that it can run it again."""
    target = LoadableTargetOrigin(module_name="dispatch_to_pipedrive.definitions")
    location = ManagedGrpcPythonEnvCodeLocationOrigin(target, "dispatch_to_pipedrive")
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), job)
