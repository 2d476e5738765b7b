"""`status` and `verify`: how the migration stands, and whether the account holds what was meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dispatch_to_pipedrive.commands.endings import (
    DIFFERENCE,
    ERR,
    OUT,
    loud_warnings,
    plain_end,
    settings_of_process,
)


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON.")] = False,
) -> None:
    """How the migration stands, from the ledger alone."""
    with plain_end():
        settings = settings_of_process()
        from dispatch_to_pipedrive.orchestration.resources import open_ledger
        from dispatch_to_pipedrive.orchestration.tell import status as told

        if (
            not settings.migration_database_url.get_secret_value()
            and not (settings.home / "ledger.db").exists()
        ):
            found = None
        else:
            ledger = open_ledger(settings)
            found = told(ledger, settings)
            ledger.close()
        if as_json:
            typer.echo(json.dumps({"state": "not started"} if found is None else found.as_json(), indent=2))
        elif found is None:
            OUT.print(f"not started: there is no ledger in {settings.home}")
        else:
            from dispatch_to_pipedrive.reports.tables import overview

            OUT.print(overview(found))


def verify(
    file: Annotated[
        Path | None, typer.Option("--json", help="Write the differences to this file.", dir_okay=False)
    ] = None,
) -> None:
    """Read everything back and compare; ends with 1 on any verdict but equal."""
    with plain_end(), loud_warnings():
        settings = settings_of_process()
        settings.require_destination()
        from dispatch_to_pipedrive.orchestration.verify import verify_all
        from dispatch_to_pipedrive.reports.bars import Bars
        from dispatch_to_pipedrive.reports.tables import verdicts

        with Bars(ERR) as bars:
            found = verify_all(settings, bars)
        rows = [row._asdict() for row in found.differences]
        if file is not None:
            file.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        OUT.print(verdicts(found.records, found.fields, rows))
        if rows:
            raise typer.Exit(DIFFERENCE)
