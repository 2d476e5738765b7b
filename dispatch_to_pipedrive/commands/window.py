"""`window open`, `window close`, `window freeze`: the hours in which both systems are in use, and their end."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from dispatch_to_pipedrive.commands.decide import Name
from dispatch_to_pipedrive.commands.endings import OUT, loud_warnings, plain_end, settings_of_process

window = typer.Typer(
    no_args_is_help=True,
    help="The delta window: while it is open, what changes in Dispatch Pro is brought after.",
)


@window.command("open")
def open_(
    name: Name,
    hours: Annotated[
        float | None, typer.Option("--hours", help="Hours until it closes; else DELTA_HOURS.")
    ] = None,
    minutes: Annotated[
        int | None, typer.Option("--minutes", help="Minutes between two advances; else DELTA_MINUTES.")
    ] = None,
) -> None:
    """Open the delta window; a daemon (`ui`) reads on and brings deltas until it closes."""
    with plain_end(), loud_warnings():
        settings = settings_of_process()
        from dispatch_to_pipedrive.orchestration import cutover

        done = cutover.open_window(settings, name, hours=hours, minutes=minutes)
        closes, every = done.details["closes_at"], done.details["minutes"]
        _say(f"the window is open until {closes}, by {done.by}; the source is read on every {every} minutes")


@window.command("close")
def close(name: Name) -> None:
    """Close the delta window before its time; deltas that are planned are still brought."""
    with plain_end(), loud_warnings():
        settings = settings_of_process()
        from dispatch_to_pipedrive.orchestration import cutover

        done = cutover.close_window(settings, name)
        _say(f"the window was closed by {done.by}; what changes in Dispatch Pro from now on is not brought")


@window.command("freeze")
def freeze(
    name: Name,
    at: Annotated[
        str,
        typer.Option("--at", metavar="ISO", help="The moment by Dispatch Pro's clock, with zone; else now."),
    ] = "",
) -> None:
    """Say from when on nobody works in Dispatch Pro any more; the last reading waits for its feeds to be complete."""
    with plain_end(), loud_warnings():
        settings = settings_of_process()
        from dispatch_to_pipedrive.orchestration import cutover

        done = cutover.freeze(settings, name, at=at)
        moment = datetime.fromisoformat(done.details["moment"])
        after = cutover.drained_from(moment)
        _say(
            f"frozen at {moment:%Y-%m-%d %H:%M:%S} UTC by {done.by}: what reads everything may begin after "
            f"{after:%H:%M:%S}, the schedule does it, or `migrate --through delta`"
        )


def _say(words: str) -> None:
    OUT.print(words, highlight=False, markup=False, soft_wrap=True)
