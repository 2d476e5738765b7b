"""`relink`: a person says which record has taken the place of one that was deleted or merged."""

from __future__ import annotations

from typing import Annotated

import typer

from dispatch_to_pipedrive.commands.decide import Name
from dispatch_to_pipedrive.commands.endings import OUT, loud_warnings, plain_end, settings_of_process


def relink(
    source_key: Annotated[
        str,
        typer.Argument(metavar="SOURCE_KEY", help="As `status` names it: customer:41000123/organization."),
    ],
    pipedrive_id: Annotated[
        int, typer.Argument(metavar="PIPEDRIVE_ID", help="The record that has taken its place.")
    ],
    name: Name,
) -> None:
    """Connect a record that people deleted or merged with the one that took its place; nothing is sent."""
    with plain_end(), loud_warnings():
        settings = settings_of_process()
        settings.require_destination()
        from dispatch_to_pipedrive.orchestration import relink as work

        done = work.relink(settings, source_key.strip(), pipedrive_id, name)
        OUT.print(work.told(done), highlight=False, markup=False, soft_wrap=True)
