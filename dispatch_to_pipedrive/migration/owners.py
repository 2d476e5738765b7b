"""Which Pipedrive user stands for which technician?

A decision of a person comes first, then the e-mail, case and surrounding space folded. Who has neither is listed with
name, id and last-known e-mail, and nothing is loaded until somebody has decided.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from dispatch_to_pipedrive.migration.decisions import TO_FALLBACK
from dispatch_to_pipedrive.migration.errors import WrongFallback
from dispatch_to_pipedrive.migration.resolve import Owners, fold_email
from dispatch_to_pipedrive.migration.values import AccountUser, OwnerRow
from dispatch_to_pipedrive.pipedrive.account import User

MATCHED, DECIDED, LEFT_TO_FALLBACK = "matched", "decided", "left to the fallback owner"
UNMATCHED, INACTIVE, AMBIGUOUS = "unmatched", "user inactive", "several users"
FALLBACK = "stands in"
SETTLED = (MATCHED, DECIDED, LEFT_TO_FALLBACK, FALLBACK)
"""Verdicts of rows that nobody has to decide any more."""


def match_technicians(
    technicians: pd.DataFrame,
    users: Iterable[User],
    decisions: Mapping[int, str] | None = None,
    fallback: User | None = None,
) -> list[OwnerRow]:
    """One row a technician, and one more for who stands in.

    technicians: id, name, email. decisions: technician id → a user's e-mail, or `fallback`; they were checked before
    (see `decisions.mistakes_in`).
    """
    by_email: dict[str, list[User]] = defaultdict(list)
    for user in users:
        if not user.is_deleted:
            by_email[fold_email(user.email)].append(user)
    columns = technicians[["id", "name", "email"]].astype(object)
    records = columns.where(columns.notna(), None).to_dict("records")
    found = []
    for record in records:
        row = OwnerRow(int(record["id"]), str(record["name"] or ""), record["email"] or "", None, UNMATCHED)
        found.append(_match(row, by_email, (decisions or {}).get(row.technician_id, ""), fallback))
    return [*found, *([] if fallback is None else [fallback_row(fallback.id, fallback.email)])]


def _match(
    row: OwnerRow, by_email: Mapping[str, Sequence[User]], decision: str, fallback: User | None
) -> OwnerRow:
    if decision == TO_FALLBACK and fallback is not None:
        return _owned(row, fallback, LEFT_TO_FALLBACK)
    email = decision or fold_email(row.email)
    users = by_email.get(email, ()) if email else ()
    active = [user for user in users if user.active]
    if len(active) == 1:
        return _owned(row, active[0], DECIDED if decision else MATCHED)
    verdict = AMBIGUOUS if active else INACTIVE if users else UNMATCHED
    return OwnerRow(row.technician_id, row.name, row.email, None, verdict)


def _owned(row: OwnerRow, user: User, verdict: str) -> OwnerRow:
    return OwnerRow(row.technician_id, row.name, row.email, user.id, verdict, user.email)


def undecided(rows: Iterable[OwnerRow]) -> list[OwnerRow]:
    """The technicians whom nobody stands for."""
    return [row for row in rows if row.verdict not in SETTLED]


def fallback_user(users: Iterable[User], email: str | None) -> User | None:
    """The user who owns what has no technician, and the technicians that people leave to him.

    Raises WrongFallback when the setting names nobody who is active.
    """
    if not email:
        return None
    found = [u for u in users if u.active and fold_email(u.email) == fold_email(email)]
    if not found:
        raise WrongFallback(
            f"FALLBACK_OWNER_EMAIL {email} is no active user of the Pipedrive account: name another, or create the user"
        )
    return found[0]


def fallback_row(user_id: int, email: str) -> OwnerRow:
    """How the ledger keeps who stands in: as technician 0."""
    return OwnerRow(0, "(fallback owner)", email, user_id, FALLBACK, email)


def users_to_keep(users: Iterable[User]) -> list[AccountUser]:
    """The account's users as the ledger keeps them: who wrote a note at the source is looked up among them."""
    return [AccountUser(user.id, fold_email(user.email), user.name, user.active) for user in users]


def decided(rows: Sequence[OwnerRow]) -> Owners:
    """How loads look a technician's user up: by e-mail, and by id where the technician has none."""
    fallback = next((row.user_id for row in rows if row.verdict == FALLBACK), None)
    found = [row for row in rows if row.user_id is not None and row.verdict != FALLBACK]
    by_id = {str(row.technician_id): row.user_id for row in found if row.user_id is not None}
    by_email = {fold_email(row.email): row.user_id for row in found if row.email and row.user_id is not None}
    return Owners({**by_id, **by_email}, fallback)


def emails_of(rows: Iterable[OwnerRow]) -> dict[int, str]:
    """User id → e-mail, of all users who own something."""
    return {row.user_id: fold_email(row.owner_email) for row in rows if row.user_id is not None}
