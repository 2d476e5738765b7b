"""Does the log hold every write that was carried out, and is it as it was written?

Whoever writes counts the answers by which the account accepted a write, apart from the log, and leaves the sum here
when it ends. What the log says of the same run must be the same number; of a run that was killed it may be more, and
never less.
"""

from typing import NamedTuple

import sqlalchemy as sa

from dispatch_to_pipedrive.migration.ledger import tables as t
from dispatch_to_pipedrive.migration.ledger.operations import Operations


class Count(NamedTuple):
    """One run: writes that the account accepted, as counted and as logged, and whether it ended in order."""

    run: str
    counted: int
    logged: int
    whole: bool

    @property
    def agrees(self) -> bool:
        """Whether the log holds what was counted."""
        return self.logged == self.counted if self.whole else self.logged >= self.counted


class Audit(Operations):
    """Counts of writes beside the log, and the chain from a batch on."""

    def count_begins(self, account: str, session: str, run: str) -> None:
        """Somebody is about to write: until `count_ends` its run does not count as whole."""
        row = {"account": account, "session": session, "run": run, "writes": 0, "whole": False}
        with self._write() as conn:
            conn.execute(t.write_count.insert(), row)

    def count_ends(self, account: str, session: str, writes: int, *, whole: bool) -> None:
        """So many writes were accepted; `whole`: all their outcomes are in the log."""
        c = t.write_count.c
        with self._write() as conn:
            conn.execute(
                t.write_count.update()
                .where(c.account == account, c.session == session)
                .values(writes=writes, whole=whole)
            )

    def counts(self, account: str) -> list[Count]:
        """Every run that counted, with what the log says of it."""
        c, o = t.write_count.c, t.operation.c
        counted = (
            sa.select(c.run, sa.func.sum(c.writes), sa.func.min(sa.cast(c.whole, sa.Integer)))
            .where(c.account == account)
            .group_by(c.run)
        )
        logged = (
            sa.select(o.run, sa.func.count())
            .where(o.account == account, o.event == "outcome", o.status == "done", o.tokens > 0)
            .group_by(o.run)
        )
        with self._read() as conn:
            found = {run: int(number) for run, number in conn.execute(logged)}
            rows = conn.execute(counted.order_by(c.run))
            return [Count(run, int(n), found.get(run, 0), bool(whole)) for run, n, whole in rows]

    def first_commit(self, account: str, batch: str) -> int | None:
        """The number of the chain's row with the first operation of a batch; None where it wrote nothing."""
        c = t.operation.c
        with self._read() as conn:
            first = conn.scalar(
                sa.select(sa.func.min(c.number)).where(c.account == account, c.batch == batch)
            )
            if first is None:
                return None
            row = sa.select(sa.func.max(t.chain.c.number)).where(t.chain.c.first <= first)
            number: int | None = conn.scalar(row)
            return number
