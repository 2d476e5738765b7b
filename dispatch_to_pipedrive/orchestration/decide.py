"""What a person decides from the shell: the same jobs as in the UI, and records moved to other owners."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dispatch_to_pipedrive.migration.approval import MAP, SAMPLE
from dispatch_to_pipedrive.migration.decisions import WrongDecisions, read_decisions, write_decisions
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.ledger.approvals import signature
from dispatch_to_pipedrive.migration.owners import match_technicians, undecided
from dispatch_to_pipedrive.migration.values import Approval, OwnerRow
from dispatch_to_pipedrive.orchestration.assets.owners import Staff, read_staff
from dispatch_to_pipedrive.orchestration.bring import Road, Wish
from dispatch_to_pipedrive.orchestration.outcome import Outcome, outcome_of
from dispatch_to_pipedrive.orchestration.progress import Listener, listening
from dispatch_to_pipedrive.orchestration.resources import Migration, open_ledger, reading
from dispatch_to_pipedrive.orchestration.road import maps_of
from dispatch_to_pipedrive.orchestration.run import execute, open_instance
from dispatch_to_pipedrive.settings import Settings


@dataclass(frozen=True)
class Confirmed:
    """The map's approval, and the technicians who still wait for a decision."""

    approval: Approval
    undecided: Sequence[OwnerRow]


@dataclass(frozen=True)
class Move:
    """A technician whose records get another owner."""

    technician: OwnerRow
    before: str
    after: str


def confirm_map(
    settings: Settings,
    *,
    name: str,
    note: str = "",
    accept: Mapping[str, str] | None = None,
    technicians: Mapping[str, str] | None = None,
) -> Confirmed:
    """Confirm the map under a name, by the job `confirm_map`."""
    signature(name, note)
    maps_of(settings)
    config = {
        "approver": name,
        "note": note,
        "accept": dict(accept or {}),
        "technicians": dict(technicians or {}),
    }
    ledger = open_ledger(settings)
    try:
        with open_instance(settings) as instance:
            execute(instance, "confirm_map", config={"map_confirmation": config})
        approval = _latest(ledger, MAP)
        return Confirmed(approval, undecided(ledger.owners(approval.account)))
    finally:
        ledger.close()


def approve_sample(settings: Settings, *, name: str, note: str = "") -> Approval:
    """Approve the sample under a name, by the job `approve_sample`."""
    signature(name, note)
    maps_of(settings)
    ledger = open_ledger(settings)
    try:
        with open_instance(settings) as instance:
            execute(instance, "approve_sample", config={"sample_approval": {"approver": name, "note": note}})
        return _latest(ledger, SAMPLE)
    finally:
        ledger.close()


def planned_moves(settings: Settings, file: Path) -> list[Move]:
    """Whose records a file of decisions would move, and to whom; nothing is written. WrongDecisions as told."""
    ledger = open_ledger(settings)
    try:
        return _moves(ledger, *_staff(settings, ledger, file))
    finally:
        ledger.close()


def reassign_owners(settings: Settings, file: Path, *, name: str, wait: bool, listener: Listener) -> Outcome:
    """Take a file's decisions over and bring every loaded batch again: only owners change, through the normal load.

    What the sample looks like with them is approved under `name`, if a sample was approved before.
    """
    signature(name)
    maps_of(settings)
    ledger = open_ledger(settings)
    try:
        account, staff = _staff(settings, ledger, file)
        rows = match_technicians(
            staff.technicians, staff.users, staff.decisions.by_technician, staff.fallback
        )
        write_decisions(staff.decisions.listing(rows, undecided(rows)))
        began = datetime.now(UTC).isoformat(timespec="microseconds")
        with open_instance(settings) as instance, listening(listener):
            road = Road(settings, Wish("full", approved_by=name, wait=wait), ledger, instance)
            road.run("match_technicians")
            loaded = {batch for batch, stage in ledger.batch_reports(account) if stage == "retired"}
            batches = {kind: _of_kind(ledger, loaded, kind) for kind in ("sample", "wave", "delta")}
            ends = road.bring(batches["sample"], began)
            if not ends and ledger.latest_approval(account, SAMPLE) is not None:
                road.run("approve_sample", config={"sample_approval": {"approver": name}})
            ends = ends or road.bring([*batches["wave"], *batches["delta"]], began)
        return outcome_of(settings, ledger, ends, [])
    finally:
        ledger.close()


def _of_kind(ledger: Ledger, loaded: set[str], kind: str) -> list[str]:
    return [m.key for m in ledger.manifests() if m.kind == kind and m.key in loaded]


def _staff(settings: Settings, ledger: Ledger, file: Path) -> tuple[str, Staff]:
    """The account, and the staff with the file's decisions over those that stand."""
    if not file.is_file():
        raise WrongDecisions([f"{file}: there is no such file"])
    given = read_decisions(file)
    if not given.by_technician:
        raise WrongDecisions([f"{file}: nobody is decided in it: fill the column `decision`"])

    async def ask() -> tuple[str, Staff]:
        migration = Migration.over(settings, ledger)
        async with reading(ledger, settings, purpose="match technicians again") as session:
            return session.scope.account, await read_staff(migration, session, given)

    return asyncio.run(ask())


def _moves(ledger: Ledger, account: str, staff: Staff) -> list[Move]:
    before = {row.technician_id: row.owner_email or row.verdict for row in ledger.owners(account)}
    rows = match_technicians(staff.technicians, staff.users, staff.decisions.by_technician, staff.fallback)
    return [
        Move(row, before.get(row.technician_id, "nobody"), row.owner_email or row.verdict)
        for row in rows
        if before.get(row.technician_id) != (row.owner_email or row.verdict)
    ]


def _latest(ledger: Ledger, subject: str) -> Approval:
    scope = ledger.bound_scope()
    found = None if scope is None else ledger.latest_approval(scope.account, subject)
    if found is None:
        raise RuntimeError(f"the job ended well, but the ledger holds no approval of the {subject}")
    return found
