"""`sandbox` and `ui`: the programs that stay in the foreground."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from dispatch_to_pipedrive.commands.endings import plain_end, settings_of_process


def sandbox(context: typer.Context) -> None:
    """Run a Dispatch Pro tenant and a Pipedrive account on this machine (see `sandbox --help`)."""
    os.execv(sys.executable, [sys.executable, "-m", "dispatch_to_pipedrive.sandbox", *context.args])  # noqa: S606


def ui(
    port: Annotated[int, typer.Option(help="Port of the UI on 127.0.0.1.")] = 3000,
) -> None:
    """Open Dagster's UI on this migration: webserver, daemon and code in the foreground."""
    with plain_end():
        settings = settings_of_process()
        from dispatch_to_pipedrive.orchestration.run import open_instance
        from dispatch_to_pipedrive.settings import as_environment

        with open_instance(settings):
            pass
        environment = {**os.environ, **as_environment(settings), "DAGSTER_HOME": str(settings.dagster_home)}
        workspace = Path(__file__).resolve().parents[2] / "workspace.yaml"
        dagster = Path(sys.executable).with_name("dagster")
        command = [str(dagster), "dev", "-w", str(workspace), "-h", "127.0.0.1", "-p", str(port)]
        os.chdir(settings.home)  # a dagster.yaml in the working directory is not ours to read
        os.execve(command[0], command, environment)  # noqa: S606
