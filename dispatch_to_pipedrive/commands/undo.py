"""`rollback` and `reapply`: undo what was brought, and bring it again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from dispatch_to_pipedrive.commands.decide import Name
from dispatch_to_pipedrive.commands.endings import (
    ERR,
    OUT,
    end_open,
    loud_warnings,
    plain_end,
    refuse,
    settings_of_process,
)

if TYPE_CHECKING:
    from dispatch_to_pipedrive.orchestration.undo import Foreseen

NoWait = Annotated[
    bool, typer.Option("--no-wait", help="End with 3 instead of waiting for who holds the lease.")
]


def rollback(
    batch: Annotated[
        list[str] | None,
        typer.Option("--batch", metavar="KEY", help="Undo only this batch; may be repeated."),
    ] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Delete the schema, too, as far as nobody else uses it.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show the plan; nothing is written.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Undo records whose fields people edited, too; their edits are lost."),
    ] = False,
    name: Annotated[
        str, typer.Option("--as", help="Who decides: your name, as it shall stand on record.")
    ] = "",
    no_wait: NoWait = False,
) -> None:
    """Undo batches, or all of them: what was created is deleted, what was changed restored, what people touched kept.

    Started again after it was cut off it goes on with the same batches; meanwhile nothing else writes to the account.
    """
    if not dry_run and not name.strip():
        refuse("say who decides: --as NAME (or look first: --dry-run)")
    with plain_end(), loud_warnings():
        settings = settings_of_process()
        settings.require_destination()
        from dispatch_to_pipedrive.orchestration import undo_from_shell
        from dispatch_to_pipedrive.orchestration.undo import Undoing
        from dispatch_to_pipedrive.reports.bars import Bars
        from dispatch_to_pipedrive.reports.rollback import outcome_tables, plan_tables

        def show(foreseen: Foreseen) -> None:
            OUT.print(plan_tables(foreseen.view))

        asked = Undoing(tuple(batch or ()), schema, force)
        if dry_run:
            show(asyncio.run(undo_from_shell.look_ahead(settings, asked)))
            return
        with Bars(ERR) as bars:
            done = asyncio.run(
                undo_from_shell.carry_out(
                    settings, asked, name=name, wait=not no_wait, on_plan=show, listener=bars
                )
            )
        OUT.print(outcome_tables(done.outcome))
        end_open(done.outcome.refused)


def reapply(name: Name, no_wait: NoWait = False) -> None:
    """Bring again what was rolled back, deltas included: loaded and read back in the order of planning."""
    with plain_end(), loud_warnings():
        settings = settings_of_process()
        settings.require_destination()
        from dispatch_to_pipedrive.orchestration import undo_from_shell
        from dispatch_to_pipedrive.reports.bars import Bars
        from dispatch_to_pipedrive.reports.tables import summary

        with Bars(ERR) as bars:
            outcome = undo_from_shell.reapply(settings, name=name, wait=not no_wait, listener=bars)
        OUT.print(summary(outcome.status))
        end_open(outcome.open_ends)
