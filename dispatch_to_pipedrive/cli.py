"""The front door for the shell: migrate, status, verify, sandbox, ui.

Dagster and the rooms are imported inside the commands, so that `--help` answers at once. Exit codes: 0 done,
1 a difference or a closed gate, 2 wrong use or settings, 3 another process holds the lease, 4 the day's tokens are
spent, 130 interrupted.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from dispatch_to_pipedrive import __version__

if TYPE_CHECKING:
    from dispatch_to_pipedrive.settings import Settings

DONE, DIFFERENCE, WRONG_USE, LEASE_HELD, BUDGET_SPENT, INTERRUPTED = 0, 1, 2, 3, 4, 130

app = typer.Typer(
    help="Moves a field-service company from Dispatch Pro to Pipedrive: verified, exactly once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_out = Console()
_err = Console(stderr=True, soft_wrap=True)


class Through(StrEnum):
    """How far `migrate` goes."""

    assess = "assess"
    sample = "sample"
    full = "full"
    delta = "delta"
    signoff = "signoff"


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


@app.command()
def migrate(
    through: Annotated[Through, typer.Option(help="How far to go; here sample and full.")],
    approve_as: Annotated[str, typer.Option(help="Who approves; the name is stored.")] = "",
    retry_quarantined: Annotated[
        bool, typer.Option("--retry-quarantined", help="Try records again that were set aside.")
    ] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="End with 3 instead of waiting for who holds the lease.")
    ] = False,
) -> None:
    """Run the road's jobs, as far as asked; started again it goes on where it ended."""
    if through not in (Through.sample, Through.full):
        _refuse(f"--through {through.value} is not available yet; sample and full are")
    with _plain_end(), _loud_warnings():
        settings = _settings()
        settings.require_source()
        settings.require_writable()
        from dispatch_to_pipedrive.orchestration.migrate import Wish, run_migration

        wish = Wish(
            through=through.value,
            approved_by=approve_as.strip(),
            retry_quarantined=retry_quarantined,
            wait=not no_wait,
        )
        from dispatch_to_pipedrive.reports.bars import Bars
        from dispatch_to_pipedrive.reports.tables import summary

        with Bars(_err) as bars:
            outcome = run_migration(settings, wish, bars)
        _out.print(summary(outcome.status))
        if outcome.open_ends:
            for line in outcome.open_ends:
                _err.print(line, style="bold red", highlight=False)
            raise typer.Exit(DIFFERENCE)


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON.")] = False,
) -> None:
    """How the migration stands, from the ledger alone."""
    with _plain_end():
        settings = _settings()
        from dispatch_to_pipedrive.migration.ledger import Ledger
        from dispatch_to_pipedrive.orchestration.tell import status as told

        if (
            not settings.migration_database_url.get_secret_value()
            and not (settings.home / "ledger.db").exists()
        ):
            found = None
        else:
            ledger = Ledger(settings.ledger_url)
            found = told(ledger, settings)
            ledger.close()
        if as_json:
            typer.echo(json.dumps({"state": "not started"} if found is None else found.as_json(), indent=2))
        elif found is None:
            _out.print(f"not started: there is no ledger in {settings.home}")
        else:
            from dispatch_to_pipedrive.reports.tables import overview

            _out.print(overview(found))


@app.command()
def verify(
    file: Annotated[
        Path | None, typer.Option("--json", help="Write the differences to this file.", dir_okay=False)
    ] = None,
) -> None:
    """Read everything back and compare; ends with 1 on any verdict but equal."""
    with _plain_end(), _loud_warnings():
        settings = _settings()
        settings.require_destination()
        from dispatch_to_pipedrive.orchestration.verify import verify_all
        from dispatch_to_pipedrive.reports.bars import Bars
        from dispatch_to_pipedrive.reports.tables import verdicts

        with Bars(_err) as bars:
            found = verify_all(settings, bars)
        rows = [row._asdict() for row in found.differences]
        if file is not None:
            file.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        _out.print(verdicts(found.records, found.fields, rows))
        if rows:
            raise typer.Exit(DIFFERENCE)


@app.command(
    add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def sandbox(context: typer.Context) -> None:
    """Run a Dispatch Pro tenant and a Pipedrive account on this machine (see `sandbox --help`)."""
    os.execv(sys.executable, [sys.executable, "-m", "dispatch_to_pipedrive.sandbox", *context.args])  # noqa: S606


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port of the UI on 127.0.0.1.")] = 3000,
) -> None:
    """Open Dagster's UI on this migration: webserver, daemon and code in the foreground."""
    with _plain_end():
        settings = _settings()
        from dispatch_to_pipedrive.orchestration.run import open_instance
        from dispatch_to_pipedrive.settings import as_environment

        with open_instance(settings):
            pass
        environment = {**os.environ, **as_environment(settings), "DAGSTER_HOME": str(settings.dagster_home)}
        workspace = Path(__file__).resolve().parent.parent / "workspace.yaml"
        dagster = Path(sys.executable).with_name("dagster")
        command = [str(dagster), "dev", "-w", str(workspace), "-h", "127.0.0.1", "-p", str(port)]
        os.chdir(settings.home)  # a dagster.yaml in the working directory is not ours to read
        os.execve(command[0], command, environment)  # noqa: S606


def main() -> None:
    """Run the program."""
    app()


def _settings() -> Settings:
    from dispatch_to_pipedrive.settings import load_settings

    return load_settings()


@contextmanager
def _plain_end() -> Iterator[None]:
    """End on expected errors with their words and their code, without a stack."""
    from dispatch_to_pipedrive.settings import WrongSettings

    try:
        yield
    except WrongSettings as error:
        _refuse(str(error))
    except KeyboardInterrupt:
        _end("interrupted: run it again to go on", INTERRUPTED)
    except typer.Exit:
        raise
    except Exception as error:
        from dispatch_to_pipedrive.orchestration.ending import code_of, words_of

        code = code_of(error)
        if code is None:
            raise
        _end(words_of(error, _settings()), code)


@contextmanager
def _loud_warnings() -> Iterator[None]:
    """Show what the program warns of (for whom it waits, that it is stopping) while a job runs."""

    class Loud(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            _err.print(record.getMessage(), style="yellow", highlight=False)

    logger = logging.getLogger("dispatch_to_pipedrive")
    handler = Loud(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _refuse(words: str) -> NoReturn:
    _end(words, WRONG_USE)


def _end(words: str, code: int) -> NoReturn:
    _err.print(words, style="bold red", highlight=False, markup=False)
    raise typer.Exit(code)


if __name__ == "__main__":
    main()
