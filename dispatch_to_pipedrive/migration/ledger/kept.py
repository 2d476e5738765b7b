"""What people did in the account to records of ours: fields that they edited, records that they deleted or merged."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from dispatch_to_pipedrive.migration.ledger import tables as t
from dispatch_to_pipedrive.migration.ledger.database import Scope, chunks
from dispatch_to_pipedrive.migration.ledger.operations import Operations
from dispatch_to_pipedrive.migration.values import KeptEdit


class KeptEdits(Operations):
    """Kept edits of one account and tenant. None of them is an operation: nothing was written to the account."""

    def keep_edits(self, scope: Scope, edits: Sequence[KeptEdit]) -> None:
        """Add edits or bring them up to date; who and when are not forgotten while the value stays the same."""
        if not edits:
            return
        with self._write() as conn:
            known = {
                _identity(edit): edit
                for edit in _edits(conn, scope, keys=(edit.source_key for edit in edits))
            }
            rows = []
            for edit in edits:
                before = known.get(_identity(edit))
                if before is not None and before.theirs == edit.theirs and edit.edited_by is None:
                    edit = edit._replace(
                        edited_by=before.edited_by, edited_at=before.edited_at or edit.edited_at
                    )
                rows.append({"account": scope.account, "tenant": scope.tenant, **edit._asdict()})
            self._upsert(conn, t.kept_edit, rows)

    def forget_edits(self, scope: Scope, edits: Iterable[KeptEdit]) -> None:
        """Remove edits that a later reading no longer found, or that did not come about."""
        c = t.kept_edit.c
        with self._write() as conn:
            for edit in edits:
                conn.execute(
                    t.kept_edit.delete().where(
                        c.account == scope.account,
                        c.tenant == scope.tenant,
                        c.entity == edit.entity,
                        c.source_key == edit.source_key,
                        c.field == edit.field,
                        c.verdict == edit.verdict,
                    )
                )

    def user_names(self, account: str) -> dict[int, str]:
        """Id → name of the account's users, as last read."""
        c = t.account_user.c
        with self._read() as conn:
            rows = conn.execute(sa.select(c.id, c.name).where(c.account == account))
            return {row.id: row.name for row in rows}

    def kept_edits(
        self, scope: Scope, entity: str | None = None, source_keys: Iterable[str] | None = None
    ) -> list[KeptEdit]:
        """All of them, or those of an entity, or of some records, in the order of their keys."""
        with self._read() as conn:
            found = _edits(conn, scope, entity=entity, keys=source_keys)
        return sorted(found, key=lambda edit: (edit.entity, edit.source_key, edit.field, edit.verdict))


def _identity(edit: KeptEdit) -> tuple[str, str, str, str]:
    return edit.entity, edit.source_key, edit.field, edit.verdict


def _edits(
    conn: sa.Connection, scope: Scope, *, entity: str | None = None, keys: Iterable[str] | None = None
) -> list[KeptEdit]:
    c = t.kept_edit.c
    query = sa.select(*(c[name] for name in KeptEdit._fields)).where(
        c.account == scope.account, c.tenant == scope.tenant
    )
    if entity is not None:
        query = query.where(c.entity == entity)
    if keys is None:
        return [_edit(row) for row in conn.execute(query)]
    return [
        _edit(row) for some in chunks(set(keys)) for row in conn.execute(query.where(c.source_key.in_(some)))
    ]


def _edit(row: Any) -> KeptEdit:
    return KeptEdit(*row)
