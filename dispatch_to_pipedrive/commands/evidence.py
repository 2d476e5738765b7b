"""`evidence check`: is a pack of evidence as it was written? From the folder alone, wherever it lies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dispatch_to_pipedrive.commands.endings import OUT, end_open

evidence = typer.Typer(no_args_is_help=True, help="What a sign-off leaves behind as proof.")
SHOWN = 50


@evidence.callback()
def _group() -> None:
    """So that `check` stays a command of its own."""


@evidence.command("check")
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a pack of evidence.")],
) -> None:
    """Hash every file again and compute the chain of operations again; ends with 1 on any change."""
    from dispatch_to_pipedrive.migration.evidence.check import check_pack
    from dispatch_to_pipedrive.reports.pages import shown

    found = check_pack(folder)
    more = len(found.findings) - SHOWN
    lines = [shown(line) for line in found.findings[:SHOWN]]
    end_open([*lines, *([f"and {more} more findings"] if more > 0 else [])])
    about = found.about
    for line in (
        f"account {about.get('account')} ({about.get('company')}), tenant {about.get('tenant')}",
        f"made for a sign-off by {about.get('by')} at {about.get('made_at')}, with {about.get('program')}",
        f"{found.files} files and {found.operations} operations are as they were written",
        f"digest: {found.digest} (compare it with the one that the sign-off named, and that `status` shows)",
    ):
        OUT.print(shown(line), highlight=False, markup=False, soft_wrap=True)
