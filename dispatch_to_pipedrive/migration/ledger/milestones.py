"""What people and jobs decided about the migration as a whole, in the order in which they did."""

from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa

from dispatch_to_pipedrive.migration.errors import GateClosed
from dispatch_to_pipedrive.migration.ledger import tables as t
from dispatch_to_pipedrive.migration.ledger.database import canonical_json, utc_now
from dispatch_to_pipedrive.migration.ledger.operations import Operations
from dispatch_to_pipedrive.migration.values import Milestone

MILESTONES = (
    *("window_opened", "window_closed", "frozen"),
    *("paused", "resumed"),
    *("rollback_begun", "rollback_ended", "reapply_asked"),
    *("signed_off", "reopened"),
)


class Milestones(Operations):
    """Milestones of one account."""

    def mark(
        self,
        account: str,
        name: str,
        by: str,
        details: Mapping[str, Any] | None = None,
        *,
        fence: int | None = None,
        seen: tuple[int, int, int] | None = None,
    ) -> Milestone:
        """Add a milestone; `details` are plain JSON values.

        fence: raise LeaseLost, with nothing added, where another process holds the account by now. seen: the
        `position` that the milestone was decided at; raise GateClosed where it is another one by now.
        """
        if name not in MILESTONES:
            raise ValueError(f"{name!r} is no milestone: {', '.join(MILESTONES)}")
        found = dict(details or {})
        row = {"account": account, "name": name, "by": by, "at": utc_now(), "head": self.chain_head()}
        with self._write() as conn:
            if fence is not None:
                self._assert_fence(conn, account, fence)
            if seen is not None:
                if conn.dialect.name == "postgresql":  # no other milestone slips in between look and insert
                    conn.execute(sa.text("lock table milestone in share row exclusive mode"))
                if _position(conn, account) != seen:
                    raise GateClosed(
                        f"{name}: something was written or decided meanwhile; nothing was put on record, so look at "
                        "`status` and do it again"
                    )
            insert = t.milestone.insert().returning(t.milestone.c.number)
            number: int = conn.execute(insert, {**row, "details": canonical_json(found)}).scalar_one()
        return Milestone(number, name, by, row["at"], row["head"], found)

    def position(self, account: str) -> tuple[int, int, int]:
        """The numbers of an account's newest operation and milestone, and of the source's newest generation; else 0."""
        with self._read() as conn:
            return _position(conn, account)

    def milestones(self, account: str) -> list[Milestone]:
        """All of an account, oldest first."""
        query = sa.select(t.milestone).where(t.milestone.c.account == account)
        with self._read() as conn:
            rows = conn.execute(query.order_by(t.milestone.c.number))
            return [Milestone(r.number, r.name, r.by, r.at, r.head, orjson.loads(r.details)) for r in rows]


def _position(conn: sa.Connection, account: str) -> tuple[int, int, int]:
    def newest(table: sa.Table) -> int:
        query = sa.select(table.c.number).where(table.c.account == account)
        return conn.scalar(query.order_by(table.c.number.desc()).limit(1)) or 0

    generation = conn.scalar(sa.select(sa.func.max(t.generation.c.number))) or 0
    return newest(t.operation), newest(t.milestone), generation
