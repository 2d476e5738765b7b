"""Which Pipedrive user stands for which technician?

Matched by e-mail, case and surrounding space folded. Who has none is listed with name, id and last-known e-mail;
the team creates the user, or a fallback owner stands in.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import pandas as pd

from dispatch_to_pipedrive.migration.errors import MigrationError
from dispatch_to_pipedrive.migration.resolve import Owners, fold_email
from dispatch_to_pipedrive.migration.values import OwnerRow
from dispatch_to_pipedrive.pipedrive.account import User

MATCHED, UNMATCHED, INACTIVE, AMBIGUOUS = "matched", "unmatched", "user inactive", "several users"
FALLBACK = "stands in"


def match_technicians(technicians: pd.DataFrame, users: Iterable[User]) -> list[OwnerRow]:
    """One row a technician. technicians: id, name, email."""
    by_email: dict[str, list[User]] = defaultdict(list)
    for user in users:
        if not user.is_deleted:
            by_email[fold_email(user.email)].append(user)
    columns = technicians[["id", "name", "email"]].astype(object)
    records = columns.where(columns.notna(), None).to_dict("records")
    return [_match(int(r["id"]), str(r["name"] or ""), r["email"], by_email) for r in records]


def _match(technician_id: int, name: str, email: str | None, by_email: dict[str, list[User]]) -> OwnerRow:
    folded = fold_email(email)
    users = by_email.get(folded, []) if folded else []
    active = [u for u in users if u.active]
    if len(active) == 1:
        return OwnerRow(technician_id, name, email or "", active[0].id, MATCHED)
    verdict = AMBIGUOUS if active else INACTIVE if users else UNMATCHED
    return OwnerRow(technician_id, name, email or "", None, verdict)


def fallback_user(users: Iterable[User], email: str | None) -> int | None:
    """The user who stands in for technicians without one.

    Raises MigrationError when the setting names nobody who is active.
    """
    if not email:
        return None
    found = [u.id for u in users if u.active and fold_email(u.email) == fold_email(email)]
    if not found:
        raise MigrationError(f"FALLBACK_OWNER_EMAIL {email} is no active user of the Pipedrive account")
    return found[0]


def owners(rows: Sequence[OwnerRow], fallback: int | None) -> Owners:
    """How loads look a technician's user up."""
    by_email = {fold_email(r.email): r.user_id for r in rows if r.user_id is not None}
    return Owners(by_email, fallback)


def fallback_row(user_id: int, email: str) -> OwnerRow:
    """How the ledger keeps who stands in for technicians without a user: as technician 0."""
    return OwnerRow(0, "(fallback owner)", email, user_id, FALLBACK)


def decided(rows: Sequence[OwnerRow]) -> Owners:
    """The owners as the ledger keeps them, with who stands in."""
    fallback = next((r.user_id for r in rows if r.verdict == FALLBACK), None)
    return owners([r for r in rows if r.verdict != FALLBACK], fallback)
