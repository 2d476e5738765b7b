"""How every command of the shell begins and ends: the settings, plain words for expected errors, exit codes.

Exit codes: 0 done, 1 a difference or a closed gate, 2 wrong use or settings, 3 another process holds the lease, 4 the
day's tokens are spent, 130 interrupted.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer
from rich.console import Console

if TYPE_CHECKING:
    from dispatch_to_pipedrive.settings import Settings

DONE, DIFFERENCE, WRONG_USE, LEASE_HELD, BUDGET_SPENT, INTERRUPTED = 0, 1, 2, 3, 4, 130

OUT = Console()
ERR = Console(stderr=True, soft_wrap=True)


def settings_of_process() -> Settings:
    """The settings; WrongSettings with every line that cannot be used."""
    from dispatch_to_pipedrive.settings import load_settings

    return load_settings()


@contextmanager
def plain_end() -> Iterator[None]:
    """End on expected errors with their words and their code, without a stack."""
    from dispatch_to_pipedrive.settings import WrongSettings

    try:
        yield
    except WrongSettings as error:
        refuse(str(error))
    except KeyboardInterrupt:
        end("interrupted: run it again to go on", INTERRUPTED)
    except typer.Exit:
        raise
    except Exception as error:
        from dispatch_to_pipedrive.orchestration.ending import code_of, words_of

        code = code_of(error)
        if code is None:
            raise
        end(words_of(error, settings_of_process()), code)


@contextmanager
def loud_warnings() -> Iterator[None]:
    """Show what the program warns of (for whom it waits, that it is stopping) while a job runs."""

    class Loud(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            ERR.print(record.getMessage(), style="yellow", highlight=False)

    logger = logging.getLogger("dispatch_to_pipedrive")
    handler = Loud(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def end_open(lines: Sequence[str]) -> None:
    """End with the code of a difference if anything was left open, each reason on a line; else go on."""
    if lines:
        end("\n".join(lines), DIFFERENCE)


def refuse(words: str) -> NoReturn:
    """End with the code of wrong use."""
    end(words, WRONG_USE)


def end(words: str, code: int) -> NoReturn:
    """Tell the words and end with the code."""
    ERR.print(words, style="bold red", highlight=False, markup=False)
    raise typer.Exit(code)
