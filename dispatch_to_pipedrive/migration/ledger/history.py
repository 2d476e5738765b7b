"""Which records does somebody mean, and what was ever done to them? Found by source key, source id or Pipedrive id."""

from collections.abc import Iterable
from typing import Any

import orjson
import sqlalchemy as sa

from dispatch_to_pipedrive.migration.ledger import tables as t
from dispatch_to_pipedrive.migration.ledger.database import Scope, chunks
from dispatch_to_pipedrive.migration.ledger.operations import Operations
from dispatch_to_pipedrive.migration.values import Event, Link


class History(Operations):
    """All that the log says of a record."""

    def keys_of_source(self, scope: Scope, record: str) -> set[tuple[str, str]]:
        """(entity, source key) of all that was made, or meant to be, of a record of the source (customer:41000123)."""
        found: set[tuple[str, str]] = set()
        with self._read() as conn:
            for table in (t.link, t.operation, t.quarantine):
                query = sa.select(table.c.entity, table.c.source_key).where(
                    table.c.account == scope.account,
                    table.c.source_key.startswith(f"{record}/", autoescape=True),
                )
                found.update((row.entity, row.source_key) for row in conn.execute(query.distinct()))
        return found

    def keys_of_number(self, scope: Scope, entity: str, pipedrive_id: int) -> set[tuple[str, str]]:
        """(entity, source key) of all that a record of the account stands for, or once stood for."""
        found: set[tuple[str, str]] = set()
        with self._read() as conn:
            for table in (t.link, t.operation):
                query = sa.select(table.c.source_key).where(
                    table.c.account == scope.account,
                    table.c.entity == entity,
                    table.c.pipedrive_id == pipedrive_id,
                )
                found.update((entity, key) for key in conn.scalars(query.distinct()))
        return found

    def events(self, scope: Scope, entity: str, source_keys: Iterable[str]) -> list[Event]:
        """Every operation on the records, with its outcome, oldest first."""
        intent, outcome = t.intent, t.outcome
        query = (
            sa.select(
                intent,
                outcome.c.status.label("ended"),
                outcome.c.at.label("ended_at"),
                outcome.c.pipedrive_id.label("number_then"),
                outcome.c.words.label("said"),
                outcome.c.tokens.label("spent"),
            )
            .outerjoin(outcome, outcome.c.intent == intent.c.number)
            .where(
                intent.c.account == scope.account,
                intent.c.entity == entity,
                intent.c.event == "intent",
            )
        )
        found: list[Event] = []
        with self._read() as conn:
            for keys in chunks(source_keys):
                found.extend(_event(row) for row in conn.execute(query.where(intent.c.source_key.in_(keys))))
        return sorted(found, key=lambda event: event.number)

    def links_of(self, scope: Scope, keys: Iterable[tuple[str, str]]) -> list[Link]:
        """The links of the records, in the order of their keys."""
        c = t.link.c
        found: list[Link] = []
        with self._read() as conn:
            for entity, key in sorted(keys):
                query = sa.select(*(c[name] for name in Link._fields)).where(
                    c.account == scope.account,
                    c.tenant == scope.tenant,
                    c.entity == entity,
                    c.source_key == key,
                )
                found.extend(Link(*row) for row in conn.execute(query))
        return found


def _event(row: Any) -> Event:
    return Event(
        number=row.number,
        at=row.at,
        verb=row.verb,
        entity=row.entity,
        source_key=row.source_key,
        pipedrive_id=row.number_then or row.pipedrive_id,
        status=row.ended or "open",
        ended_at=row.ended_at or "",
        body=orjson.loads(row.body or "{}"),
        before=orjson.loads(row.before or "{}"),
        words=row.said or "",
        tokens=row.spent or 0,
        run=row.run,
        batch=row.batch,
        generation=row.generation,
    )
