"""`migrate`: run the road's jobs, as far as asked."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from dispatch_to_pipedrive.commands.endings import (
    ERR,
    OUT,
    end_open,
    loud_warnings,
    plain_end,
    settings_of_process,
)


class Through(StrEnum):
    """How far `migrate` goes."""

    assess = "assess"
    sample = "sample"
    full = "full"
    delta = "delta"
    signoff = "signoff"


def migrate(
    through: Annotated[
        Through,
        typer.Option(
            help="How far to go; full for all of it, delta for what changed since, too, signoff to its end."
        ),
    ],
    approve_as: Annotated[
        str,
        typer.Option(
            help="Confirm the map, approve the sample and sign off under this name, else stop where a person is asked."
        ),
    ] = "",
    retry_quarantined: Annotated[
        bool, typer.Option("--retry-quarantined", help="Try records again that were set aside.")
    ] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="End with 3 instead of waiting for who holds the lease.")
    ] = False,
) -> None:
    """Run the road's jobs, as far as asked; started again it goes on where it ended."""
    with plain_end(), loud_warnings():
        settings = settings_of_process()
        settings.require_source()
        settings.require_writable()
        from dispatch_to_pipedrive.orchestration.bring import Wish
        from dispatch_to_pipedrive.orchestration.migrate import run_migration

        wish = Wish(
            through=through.value,
            approved_by=approve_as.strip(),
            retry_quarantined=retry_quarantined,
            wait=not no_wait,
        )
        from dispatch_to_pipedrive.reports.bars import Bars
        from dispatch_to_pipedrive.reports.tables import summary

        with Bars(ERR) as bars:
            outcome = run_migration(settings, wish, bars)
        if through is not Through.assess:
            OUT.print(summary(outcome.status))
        for line in outcome.notes:
            OUT.print(line, highlight=False, markup=False, soft_wrap=True)
        end_open(outcome.open_ends)
