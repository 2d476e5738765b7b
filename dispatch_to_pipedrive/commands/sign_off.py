"""`sign-off`: under a name, when every gate is open; writes the evidence, and after it nothing may be written."""

from __future__ import annotations

from typing import Annotated

import typer

from dispatch_to_pipedrive.commands.decide import Name, pairs
from dispatch_to_pipedrive.commands.endings import OUT, loud_warnings, plain_end, settings_of_process


def sign_off(
    name: Name,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept",
            metavar="'ENTITY SOURCE_KEY=REASON'",
            help="Accept that a record stays set aside, and say why; as often as needed.",
        ),
    ] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="End with 3 instead of waiting for who holds the lease.")
    ] = False,
) -> None:
    """Sign the migration off; ends with 1 and what is still to do where a gate is closed."""
    reasons = pairs("--accept", accept or (), "ENTITY SOURCE_KEY=REASON")
    with plain_end(), loud_warnings():
        settings = settings_of_process()
        from dispatch_to_pipedrive.orchestration import sign_off as offices

        done = offices.sign_off(settings, name, accept=reasons, wait=not no_wait)
        for gate in done.gates:
            _say(f"{gate.name}: {gate.words}")
        _say(f"signed off by {done.milestone.by} at {done.milestone.at[:19]}")
        _say(f"evidence: {done.pack.folder}")
        _say(f"its digest: {done.pack.digest}")


def _say(words: str) -> None:
    OUT.print(words, highlight=False, markup=False, soft_wrap=True)
