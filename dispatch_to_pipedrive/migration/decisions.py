"""What did people decide for technicians who have no Pipedrive user? A small file beside the maps, `technicians.csv`.

One line a technician: `technician_id,name,email,decision`. The decision is a Pipedrive user's e-mail, or `fallback` for
whom FALLBACK_OWNER_EMAIL names; while it is empty nothing is loaded. The program adds who is missing and never changes
what a person wrote.
"""

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from dispatch_to_pipedrive.migration.errors import MigrationError
from dispatch_to_pipedrive.migration.ledger import digest_of
from dispatch_to_pipedrive.migration.resolve import fold_email
from dispatch_to_pipedrive.migration.values import OwnerRow
from dispatch_to_pipedrive.pipedrive.account import User

FILE = "technicians.csv"
COLUMNS = ("technician_id", "name", "email", "decision")
TO_FALLBACK = "fallback"
"""The decision that leaves a technician's records to the fallback owner."""
_NEEDED = ("technician_id", "decision")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula; such a cell is written with a ' before it."""


class WrongDecisions(MigrationError):
    """The owner file cannot be used; `mistakes` has every reason, each with file, line and what to do."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


@dataclass(frozen=True, slots=True)
class Decision:
    """One line of the file; `line` is 0 for one that is not written yet, `decision` empty while nobody decided."""

    technician_id: int
    name: str
    email: str
    decision: str
    line: int = 0


@dataclass(frozen=True)
class Decisions:
    """The file as it stands."""

    file: Path
    rows: tuple[Decision, ...] = ()

    @property
    def by_technician(self) -> dict[int, str]:
        """Technician id → what was decided, case and space folded."""
        return {row.technician_id: fold_email(row.decision) for row in self.rows if row.decision}

    @property
    def digest(self) -> str:
        """One text for all that was decided, however it is written down."""
        return digest_of({str(key): value for key, value in self.by_technician.items()})

    def with_choices(self, choices: Mapping[int, str]) -> "Decisions":
        """The file with further decisions, which win over those that stand there."""
        known = {row.technician_id for row in self.rows}
        rows = [replace(row, decision=choices.get(row.technician_id, row.decision)) for row in self.rows]
        new = [Decision(key, "", "", choice) for key, choice in choices.items() if key not in known]
        return Decisions(self.file, (*rows, *new))

    def listing(self, owners: Iterable[OwnerRow], undecided: Iterable[OwnerRow]) -> "Decisions":
        """The file with everybody who waits for a decision; who needs none any more and has none leaves it."""
        by_id = {row.technician_id: row for row in owners}
        waiting = {row.technician_id: row for row in undecided}
        kept = [row for row in self.rows if row.decision or row.technician_id in waiting]
        known = {row.technician_id for row in kept}
        rows = [_named(row, by_id.get(row.technician_id)) for row in kept]
        rows += [
            Decision(o.technician_id, o.name, o.email, "") for key, o in waiting.items() if key not in known
        ]
        return Decisions(self.file, tuple(sorted(rows, key=lambda row: row.technician_id)))


def _named(row: Decision, owner: OwnerRow | None) -> Decision:
    return row if owner is None else replace(row, name=owner.name, email=owner.email)


def read_decisions(file: Path) -> Decisions:
    """The file, as far as it can be understood without asking anybody; WrongDecisions with all its mistakes.

    A file that is not there holds no decisions.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return Decisions(file)
    except UnicodeDecodeError:
        raise WrongDecisions([f"{file}:1: not UTF-8 text: save it as CSV UTF-8"]) from None
    except OSError as error:
        raise WrongDecisions([f"{file}: cannot be read: {error.strerror}"]) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [(reader.line_num, [_bare(cell) for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise WrongDecisions([f"{file}:{reader.line_num}: no CSV: {error}"]) from None
    lines = [(number, cells) for number, cells in lines if any(cells)]
    if not lines:
        return Decisions(file)
    mistakes = _header_mistakes(file, *lines[0])
    if mistakes:
        raise WrongDecisions(mistakes)
    header = [cell.casefold() for cell in lines[0][1]]
    rows: list[Decision] = []
    for number, cells in lines[1:]:
        mistakes += _line_mistakes(file, number, header, cells, rows)
    if mistakes:
        raise WrongDecisions(mistakes)
    return Decisions(file, tuple(rows))


def _header_mistakes(file: Path, number: int, cells: Sequence[str]) -> list[str]:
    names = [cell.casefold() for cell in cells]
    wanted = ",".join(COLUMNS)
    mistakes = []
    for name in names:
        if name not in COLUMNS:
            near = get_close_matches(name, COLUMNS, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            mistakes.append(f"{file}:{number}: unknown column {name!r}{hint}: the header is {wanted}")
    missing = [name for name in _NEEDED if name not in names]
    mistakes += [
        f"{file}:{number}: the column {name!r} is missing: the header is {wanted}" for name in missing
    ]
    twice = sorted({name for name in names if names.count(name) > 1})
    mistakes += [f"{file}:{number}: the column {name!r} stands there twice" for name in twice]
    return mistakes


def _line_mistakes(
    file: Path, number: int, header: Sequence[str], cells: Sequence[str], rows: list[Decision]
) -> list[str]:
    """What is wrong with one line; a line without mistakes is added to `rows`."""
    if len(cells) > len(header):
        return [
            f"{file}:{number}: {len(cells)} cells, but {len(header)} columns: put texts with commas into quotes"
        ]
    found = dict(zip(header, cells, strict=False))
    text = found.get("technician_id", "")
    if not text.isascii() or not text.isdigit():
        return [f"{file}:{number}: {text!r} is no technician id: give the number that Dispatch Pro shows"]
    technician_id = int(text)
    before = next((row.line for row in rows if row.technician_id == technician_id), None)
    if before is not None:
        return [
            f"{file}:{number}: technician {technician_id} stands already in line {before}: delete one of the lines"
        ]
    decision = found.get("decision", "")
    if decision.casefold() != TO_FALLBACK and decision and "@" not in decision:
        return [
            f"{file}:{number}: technician {technician_id}: {decision!r} is neither an e-mail nor `{TO_FALLBACK}`: "
            "name a Pipedrive user by e-mail"
        ]
    rows.append(Decision(technician_id, found.get("name", ""), found.get("email", ""), decision, number))
    return []


def mistakes_in(
    decisions: Decisions, technicians: Mapping[int, str], users: Iterable[User], *, fallback: bool
) -> list[str]:
    """What is wrong with the decisions in the light of the tenant and the account, all at once.

    technicians: id → last-known e-mail of every technician of the tenant. fallback: whether somebody stands in.
    """
    by_email: dict[str, list[User]] = {}
    for user in users:
        if not user.is_deleted:
            by_email.setdefault(fold_email(user.email), []).append(user)
    sharing: dict[str, list[int]] = {}
    for key, email in technicians.items():
        sharing.setdefault(fold_email(email), []).append(key)
    decided = decisions.by_technician
    mistakes: list[str] = []
    for row in decisions.rows:
        key, decision = row.technician_id, fold_email(row.decision)
        who = f"{decisions.file}:{row.line}: technician {key}" if row.line else f"technician {key}"
        if key not in technicians:
            mistakes.append(f"{who} is not in Dispatch Pro: correct the id or delete the line")
            continue
        if not decision:
            continue
        if wrong := _wrong_decision(decision, by_email, fallback):
            mistakes.append(f"{who}: {wrong}")
        email = fold_email(technicians[key])
        others = [str(x) for x in sharing[email] if x != key and decided.get(x) != decision] if email else []
        if others:
            mistakes.append(
                f"{who} has the e-mail {email} of technician {', '.join(others)}: decide the same for all of them"
            )
    return mistakes


def _wrong_decision(decision: str, by_email: Mapping[str, Sequence[User]], fallback: bool) -> str:
    if decision == TO_FALLBACK:
        return (
            "" if fallback else "is left to the fallback owner, but FALLBACK_OWNER_EMAIL is not set: set it"
        )
    users = by_email.get(decision, ())
    active = [user for user in users if user.active]
    if len(active) > 1:
        return f"{decision} is the e-mail of {len(active)} active users: name another user"
    if active:
        return ""
    if users:
        return f"{decision} is an inactive user of the Pipedrive account: activate the user or name another"
    near = get_close_matches(decision, list(by_email), n=1, cutoff=0.8)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"{decision} is no user of the Pipedrive account{hint}: create the user or name another"


def write_decisions(decisions: Decisions) -> None:
    """Write the file whole or not at all; it stays untouched where nothing changes."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in decisions.rows:
        writer.writerow([row.technician_id, *map(_safe, (row.name, row.email, row.decision))])
    content = sheet.getvalue().encode("utf-8")
    file = decisions.file
    try:
        standing = file.read_bytes() if file.is_file() else None
        if standing == content or (standing is None and not decisions.rows):
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f".{file.name}.{os.getpid()}")
        part.write_bytes(content)
        part.replace(file)
    except OSError as error:
        raise WrongDecisions([f"{file}: cannot be written: {error.strerror}"]) from None


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _bare(cell: str) -> str:
    cell = cell.strip(" ")
    return (cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell).strip()
