"""`history`: all that ever happened to a record, asked by either side's id."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Annotated

import typer

from dispatch_to_pipedrive.commands.endings import OUT, plain_end, settings_of_process


def history(
    record: Annotated[
        list[str],
        typer.Argument(
            metavar="RECORD",
            help="A source key (job:7/deal), a record of the source (customer 41000123), or of Pipedrive (deal 123).",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON.")] = False,
) -> None:
    """All that happened to a record: operations, edits of people, what is set aside; from the ledger alone."""
    with plain_end():
        settings = settings_of_process()
        from dispatch_to_pipedrive.migration.history import history as found_in
        from dispatch_to_pipedrive.orchestration.lifecycle import known_scope
        from dispatch_to_pipedrive.orchestration.resources import open_ledger
        from dispatch_to_pipedrive.reports.history import story

        with closing(open_ledger(settings)) as ledger:
            found = found_in(ledger, known_scope(ledger), " ".join(record)).as_json()
        if as_json:
            typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        else:
            OUT.print(story(found))
