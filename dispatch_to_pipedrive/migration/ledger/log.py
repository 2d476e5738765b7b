"""The log of operations as a whole: when was last written, and every row with the chain, to be carried elsewhere."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from dispatch_to_pipedrive.migration.ledger import tables as t
from dispatch_to_pipedrive.migration.ledger.database import Scope
from dispatch_to_pipedrive.migration.ledger.operations import Operations
from dispatch_to_pipedrive.migration.values import Link

_COMMITS = 500


class Log(Operations):
    """Operations in their order."""

    def last_operation(self, account: str) -> int:
        """The number of the newest operation on an account; 0 before the first."""
        c = t.operation.c
        query = sa.select(c.number).where(c.account == account).order_by(c.number.desc()).limit(1)
        with self._read() as conn:
            return conn.scalar(query) or 0

    def last_writes(self, account: str) -> dict[str, str]:
        """Batch → when its last write was answered (ISO, UTC); what was written outside of batches stands under ''."""
        c = t.operation.c
        query = sa.select(c.batch, sa.func.max(c.at)).where(
            c.account == account, c.event == "outcome", c.status.in_(("done", "settled"))
        )
        with self._read() as conn:
            return {row[0]: row[1] for row in conn.execute(query.group_by(c.batch))}

    def every_link(self, scope: Scope) -> Iterator[Link]:
        """All links of an account and a tenant, by entity and source key."""
        c = t.link.c
        query = sa.select(t.link).where(c.account == scope.account, c.tenant == scope.tenant)
        with self._read() as conn:
            for row in conn.execute(query.order_by(c.entity, c.source_key)):
                yield Link(*(getattr(row, name) for name in Link._fields))

    def last_commit(self) -> tuple[int, str]:
        """The number and the hash of the chain's newest row; 0 and '' before the first."""
        query = sa.select(t.chain.c.number, t.chain.c.hash).order_by(t.chain.c.number.desc()).limit(1)
        with self._read() as conn:
            row = conn.execute(query).first()
        return (0, "") if row is None else (row.number, row.hash)

    def commits(self, upto: int) -> Iterator[tuple[dict[str, Any], Sequence[dict[str, Any]]]]:
        """The commits of the log up to a number, oldest first: row of the chain, and operations as they were hashed.

        All accounts share the chain, so it may grow while it is read.
        """
        chain = [str(c.name) for c in t.chain.columns]
        operation = [str(c.name) for c in t.operation.columns]
        begin = 0
        while True:
            query = sa.select(t.chain).where(t.chain.c.number > begin, t.chain.c.number <= upto)
            with self._read() as conn:
                found_rows = conn.execute(query.order_by(t.chain.c.number).limit(_COMMITS))
                links = [dict(zip(chain, row, strict=True)) for row in found_rows]
                if not links:
                    return
                numbers = t.operation.c.number.between(links[0]["first"], links[-1]["last"])
                rows = conn.execute(sa.select(t.operation).where(numbers).order_by(t.operation.c.number))
                found = {row.number: dict(zip(operation, row, strict=True)) for row in rows}
            for link in links:
                numbers_of = range(link["first"], link["last"] + 1)
                yield link, [found[number] for number in numbers_of if number in found]
            begin = links[-1]["number"]
