"""What people said yes to: approvals, added and never changed, each with the head of the chain at that time."""

from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from dispatch_to_pipedrive.migration.errors import WrongApproval
from dispatch_to_pipedrive.migration.ledger import tables as t
from dispatch_to_pipedrive.migration.ledger.database import canonical_json, utc_now
from dispatch_to_pipedrive.migration.ledger.operations import Operations
from dispatch_to_pipedrive.migration.values import Approval

SET_ASIDE = "set aside"
"""The subject under which a person accepts that a record is set aside."""
SUBJECTS = ("map", "sample", SET_ASIDE)
NAME_LENGTH, NOTE_LENGTH = 200, 2_000
"""Code points; a longer name or note is refused, not cut."""


class Approvals(Operations):
    """Who approved map and sample of which account."""

    def approve(
        self,
        account: str,
        subject: str,
        digest: str,
        *,
        name: str,
        note: str = "",
        document: Mapping[str, Any] | None = None,
    ) -> Approval:
        """Add an approval of one of `SUBJECTS`; WrongApproval for a name or note that cannot stand on record."""
        name, note = signature(name, note)
        if subject not in SUBJECTS:
            raise ValueError(f"{subject!r} is not approved by anybody: {', '.join(SUBJECTS)} are")
        row = {
            "account": account,
            "subject": subject,
            "digest": digest,
            "name": name,
            "note": note,
            "at": utc_now(),
            "head": self.chain_head(),
        }
        with self._write() as conn:
            conn.execute(t.approval.insert(), {**row, "document": canonical_json(dict(document or {}))})
        return Approval(**row, document=dict(document or {}))

    def latest_approval(self, account: str, subject: str) -> Approval | None:
        """The newest approval of a subject."""
        query = sa.select(t.approval).where(t.approval.c.account == account, t.approval.c.subject == subject)
        with self._read() as conn:
            row = conn.execute(query.order_by(t.approval.c.number.desc()).limit(1)).first()
        return None if row is None else _approval(row)

    def approval_of(self, account: str, subject: str, digest: str) -> Approval | None:
        """The newest approval of exactly this digest."""
        query = sa.select(t.approval).where(
            t.approval.c.account == account, t.approval.c.subject == subject, t.approval.c.digest == digest
        )
        with self._read() as conn:
            row = conn.execute(query.order_by(t.approval.c.number.desc()).limit(1)).first()
        return None if row is None else _approval(row)

    def approvals(self, account: str) -> list[Approval]:
        """Everything that was approved for an account, oldest first."""
        query = sa.select(t.approval).where(t.approval.c.account == account)
        with self._read() as conn:
            return [_approval(row) for row in conn.execute(query.order_by(t.approval.c.number))]


def signature(name: str, note: str = "") -> tuple[str, str]:
    """Name and note as they go on record, on one line without surrounding space; WrongApproval otherwise."""
    name, note = " ".join(name.split()), note.strip()
    if not name:
        raise WrongApproval("an approval needs a name: say who approves")
    for what, text, most in (("name", name, NAME_LENGTH), ("note", note, NOTE_LENGTH)):
        if len(text) > most:
            raise WrongApproval(
                f"the {what} has {len(text)} characters, and {most} can be stored: shorten it"
            )
        if not all(one.isprintable() or one.isspace() for one in text):
            raise WrongApproval(f"the {what} has characters that cannot be printed: leave them out")
    return name, note


def _approval(row: Any) -> Approval:
    return Approval(
        row.account,
        row.subject,
        row.digest,
        row.name,
        row.note,
        row.at,
        row.head,
        orjson.loads(row.document),
    )
