"""`confirm-map`, `approve-sample`, `reassign-owners`: where a person decides, under a name that stands on record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dispatch_to_pipedrive.commands.endings import (
    ERR,
    OUT,
    end_open,
    loud_warnings,
    plain_end,
    refuse,
    settings_of_process,
)

Name = Annotated[str, typer.Option("--as", help="Who decides: your name, as it shall stand on record.")]
Note = Annotated[str, typer.Option("--note", help="What you want to say about it.")]


def confirm_map(
    name: Name,
    note: Note = "",
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept", metavar="ID=CHOICE", help="Take a proposal: number of its candidate, or create."
        ),
    ] = None,
    technician: Annotated[
        list[str] | None,
        typer.Option(
            "--technician", metavar="ID=E-MAIL", help="Who owns a technician's records: a user, or fallback."
        ),
    ] = None,
) -> None:
    """Confirm the map as it is now; before that nothing is written to the account."""
    accepted = pairs("--accept", accept or (), "ID=CHOICE")
    technicians = pairs("--technician", technician or (), "ID=E-MAIL")
    with plain_end(), loud_warnings():
        settings = settings_of_process()
        settings.require_destination()
        from dispatch_to_pipedrive.orchestration import decide

        done = decide.confirm_map(settings, name=name, note=note, accept=accepted, technicians=technicians)
        _say(
            f"the map is confirmed by {done.approval.name} ({done.approval.at}, {done.approval.digest[:12]})"
        )
        if done.undecided:
            who = ", ".join(f"{one.name} ({one.technician_id})" for one in done.undecided[:5])
            _say(f"{len(done.undecided)} technicians still have no owner, so nothing is loaded: {who}")


def approve_sample(name: Name, note: Note = "") -> None:
    """Approve the sample as it was loaded and read back; before that no wave is written."""
    with plain_end(), loud_warnings():
        settings = settings_of_process()
        settings.require_destination()
        from dispatch_to_pipedrive.orchestration import decide

        done = decide.approve_sample(settings, name=name, note=note)
        records = done.document["records"]
        _say(f"the sample of {records} records is approved by {done.name} ({done.at}, {done.digest[:12]})")


def reassign_owners(
    file: Annotated[
        Path, typer.Option("--file", help="CSV with technician_id and decision, as `technicians.csv`.")
    ],
    name: Name,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell whose records would move.")] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="End with 3 instead of waiting for who holds the lease.")
    ] = False,
) -> None:
    """Move records to users who were created after the load; what has the right owner is left alone."""
    with plain_end(), loud_warnings():
        settings = settings_of_process()
        settings.require_destination()
        from dispatch_to_pipedrive.orchestration import decide
        from dispatch_to_pipedrive.reports.bars import Bars
        from dispatch_to_pipedrive.reports.tables import summary

        moves = decide.planned_moves(settings, file)
        for move in moves:
            one = move.technician
            _say(f"{one.name} ({one.technician_id}): {move.before} → {move.after}")
        if not moves:
            _say("every technician in the file has that owner already")
        if dry_run:
            return
        settings.require_writable()
        with Bars(ERR) as bars:
            outcome = decide.reassign_owners(settings, file, name=name, wait=not no_wait, listener=bars)
        OUT.print(summary(outcome.status))
        end_open(outcome.open_ends)


def pairs(option: str, given: Sequence[str], shape: str) -> dict[str, str]:
    """`key=value` texts as a mapping; wrong ones end the program with all their mistakes."""
    found: dict[str, str] = {}
    wrong = []
    for text in given:
        key, equals, value = text.rpartition("=")
        if not equals or not key.strip() or not value.strip():
            wrong.append(f"{option} {text!r}: write {shape}")
        elif key.strip() in found:
            wrong.append(f"{option} {key.strip()!r} is given twice: keep one")
        found[key.strip()] = value.strip()
    if wrong:
        refuse("\n".join(wrong))
    return found


def _say(words: str) -> None:
    OUT.print(words, highlight=False, markup=False, soft_wrap=True)
