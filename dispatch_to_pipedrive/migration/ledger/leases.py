"""Who holds an account, by the database's own clock where several machines share it."""

import math
import time
from dataclasses import asdict, replace
from typing import Any, Protocol

import sqlalchemy as sa

from dispatch_to_pipedrive.migration.errors import LeaseLost
from dispatch_to_pipedrive.migration.ledger import tables as t
from dispatch_to_pipedrive.migration.ledger.database import Database
from dispatch_to_pipedrive.migration.values import (
    LeaseHolder,
)


class HolderCheck(Protocol):
    """Whether a holder's process is known to be dead."""

    def __call__(self, holder: LeaseHolder) -> bool: ...


class Leases(Database):
    """Leases with fencing numbers, and readers beside them."""

    def _now(self, conn: sa.Connection) -> float:
        if conn.dialect.name == "postgresql":
            return float(conn.scalar(sa.text("select extract(epoch from clock_timestamp())")) or 0)
        return time.time()

    def _assert_fence(self, conn: sa.Connection, account: str, fence: int) -> None:
        query = sa.select(t.lease.c.fence).where(t.lease.c.account == account)
        if conn.dialect.name == "postgresql":
            query = query.with_for_update()
        if conn.scalar(query) != fence:
            raise LeaseLost("another process has taken over the lease: nothing more is written by this one")

    def take_lease(
        self, account: str, owner: LeaseHolder, seconds: float, is_dead: "HolderCheck"
    ) -> LeaseHolder:
        """The new holder: `owner` with the next fencing number, or who holds the lease already."""
        with self._write() as conn:
            now = self._now(conn)
            query = sa.select(t.lease).where(t.lease.c.account == account)
            row = conn.execute(
                query.with_for_update() if conn.dialect.name == "postgresql" else query
            ).first()
            if row is not None:
                holder = _holder(row, now)
                if holder.seconds_left > 0 and not is_dead(holder):
                    return holder
            taken = replace(
                owner,
                fence=(row.fence if row else 0) + 1,
                seconds_left=seconds,
                others_silent=now - row.heartbeat if row else math.inf,
            )
            values = {k: v for k, v in asdict(taken).items() if k in t.lease.columns}
            self._upsert(
                conn, t.lease, [{"account": account, **values, "expires": now + seconds, "heartbeat": now}]
            )
            return taken

    def beat(self, account: str, fence: int, seconds: float) -> int:
        """Prolong the lease; the number of readers that are registered."""
        with self._write() as conn:
            self._assert_fence(conn, account, fence)
            now = self._now(conn)
            conn.execute(
                t.lease.update()
                .where(t.lease.c.account == account)
                .values(expires=now + seconds, heartbeat=now)
            )
            query = sa.select(sa.func.count()).select_from(t.reader)
            return conn.scalar(query.where(t.reader.c.account == account, t.reader.c.expires > now)) or 0

    def give_back(self, account: str, fence: int) -> None:
        """End the lease, if it is still ours; its fencing number stays."""
        with self._write() as conn:
            mine = (t.lease.c.account == account, t.lease.c.fence == fence)
            conn.execute(t.lease.update().where(*mine).values(expires=0))

    def lease_holder(self, account: str) -> LeaseHolder | None:
        """Who holds the lease now."""
        with self._read() as conn:
            row = conn.execute(sa.select(t.lease).where(t.lease.c.account == account)).first()
            holder = None if row is None else _holder(row, self._now(conn))
        return holder if holder is not None and holder.seconds_left > 0 else None

    def register_reader(self, account: str, owner: str, seconds: float) -> None:
        """Announce (or prolong) a reader outside of the lease."""
        with self._write() as conn:
            expires = self._now(conn) + seconds
            self._upsert(conn, t.reader, [{"account": account, "owner": owner, "expires": expires}])

    def unregister_reader(self, account: str, owner: str) -> None:
        """A reader is gone."""
        with self._write() as conn:
            conn.execute(t.reader.delete().where(t.reader.c.account == account, t.reader.c.owner == owner))


def _holder(row: Any, now: float) -> LeaseHolder:
    return LeaseHolder(
        row.owner, row.purpose, row.host, row.pid, row.process_started, row.fence, row.expires - now
    )
