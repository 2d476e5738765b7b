"""The front door for the shell: every command of the program under one name."""

from __future__ import annotations

from typing import Annotated

import typer

from dispatch_to_pipedrive import __version__
from dispatch_to_pipedrive.commands.decide import approve_sample, confirm_map, reassign_owners
from dispatch_to_pipedrive.commands.estimate import estimate
from dispatch_to_pipedrive.commands.evidence import evidence
from dispatch_to_pipedrive.commands.history import history
from dispatch_to_pipedrive.commands.look import status, verify
from dispatch_to_pipedrive.commands.map import maps
from dispatch_to_pipedrive.commands.migrate import migrate
from dispatch_to_pipedrive.commands.pause import pause, reopen, resume
from dispatch_to_pipedrive.commands.relink import relink
from dispatch_to_pipedrive.commands.servers import sandbox, ui
from dispatch_to_pipedrive.commands.sign_off import sign_off
from dispatch_to_pipedrive.commands.undo import reapply, rollback
from dispatch_to_pipedrive.commands.window import window

app = typer.Typer(
    help="Moves a field-service company from Dispatch Pro to Pipedrive: verified, exactly once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"dispatch-to-pipedrive {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Options of all commands."""


for command in (
    *(estimate, migrate, confirm_map, approve_sample, reassign_owners),
    *(pause, resume, relink, sign_off, reopen),
    *(rollback, reapply),
    *(status, history, verify, ui),
):
    app.command()(command)
app.command(
    add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)(sandbox)
app.add_typer(maps, name="map")
app.add_typer(window, name="window")
app.add_typer(evidence, name="evidence")


def main() -> None:
    """Run the program."""
    app()


if __name__ == "__main__":
    main()
