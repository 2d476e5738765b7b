"""What was done to the account: operations, append-only and chained by hashes.

A write happens only in `record`, under the fence of the lease: operations, links, quarantine and tokens of one commit
become visible together or not at all, and each commit adds one hash to the chain.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import orjson
import sqlalchemy as sa

from dispatch_to_pipedrive.migration.ledger import tables as t
from dispatch_to_pipedrive.migration.ledger.database import Scope, canonical_json, chunks, utc_now
from dispatch_to_pipedrive.migration.ledger.leases import Leases
from dispatch_to_pipedrive.migration.values import (
    OPTION,
    Body,
    Intent,
    Link,
    Outcome,
    Quarantined,
    SchemaObject,
    Tokens,
)


class Operations(Leases):
    """Intents, outcomes, the chain, and the tokens they cost."""

    def record(
        self,
        scope: Scope,
        fence: int,
        *,
        intents: Sequence[Intent] = (),
        outcomes: Sequence[Outcome] = (),
        links: Sequence[Link] = (),
        quarantine: Sequence[Quarantined] = (),
        release: Sequence[tuple[str, str]] = (),
        schema: Sequence[SchemaObject] = (),
        forget: Sequence[SchemaObject] = (),
        capabilities: Mapping[str, bool] | None = None,
        tokens: Tokens | None = None,
        day: str = "",
    ) -> tuple[list[Intent], list[Outcome]]:
        """Commit one group of events; give the operations their numbers.

        `release` names quarantined records that are free again, `forget` what of the schema is no longer ours.
        Raises LeaseLost, with nothing written, when another process holds the fence.
        """
        now = utc_now()
        with self._write() as conn:
            self._assert_fence(conn, scope.account, fence)
            first = 1 + (conn.scalar(sa.select(sa.func.max(t.operation.c.number))) or 0)
            numbered_intents = [replace(x, number=first + i) for i, x in enumerate(intents)]
            after = first + len(intents)
            numbered_outcomes = [replace(x, number=after + i) for i, x in enumerate(outcomes)]
            rows = [_intent_row(scope, x) for x in numbered_intents]
            rows += [_outcome_row(scope, x, now) for x in numbered_outcomes]
            if rows:
                conn.execute(t.operation.insert(), rows)
                self._extend_chain(conn, rows)
            scoped = {"account": scope.account, "tenant": scope.tenant}
            self._upsert(conn, t.link, [{**scoped, **link._asdict()} for link in links])
            self._upsert(conn, t.quarantine, [{**scoped, **q._asdict(), "at": now} for q in quarantine])
            for entity, source_key in release:
                conn.execute(
                    t.quarantine.delete().where(
                        t.quarantine.c.account == scope.account,
                        t.quarantine.c.tenant == scope.tenant,
                        t.quarantine.c.entity == entity,
                        t.quarantine.c.source_key == source_key,
                    )
                )
            self._record_schema(conn, scope.account, schema)
            for one in forget:
                key = {
                    c.name: getattr(one, c.name) for c in t.schema_object.primary_key if c.name != "account"
                }
                conn.execute(t.schema_object.delete().filter_by(account=scope.account, **key))
            granted = [
                {"account": scope.account, "name": name, "granted": granted, "learnt_at": now}
                for name, granted in (capabilities or {}).items()
            ]
            self._upsert(conn, t.capability, granted)
            self._add_tokens(conn, scope.account, day, tokens or {})
        return numbered_intents, numbered_outcomes

    def _record_schema(self, conn: sa.Connection, account: str, schema: Sequence[SchemaObject]) -> None:
        """Keep what was made; an option has one name, and of one name there is one option."""
        table = t.schema_object
        options: dict[tuple[str, str], list[SchemaObject]] = {}
        for one in (x for x in schema if x.kind == OPTION):
            options.setdefault((one.entity, one.field_type), []).append(one)
        for (entity, field), mine in options.items():
            old = table.delete().where(
                table.c.account == account,
                table.c.kind == OPTION,
                table.c.entity == entity,
                table.c.field_type == field,
            )
            for some in chunks(one.code for one in mine):
                conn.execute(old.where(table.c.code.in_(some)))
            for some in chunks(one.name for one in mine):
                conn.execute(old.where(table.c.name.in_(some)))
        self._upsert(conn, table, [{"account": account, **asdict(x)} for x in schema])

    def compared(
        self, scope: Scope, entity: str, source_keys: Iterable[str], generation: int, fence: int
    ) -> None:
        """Note that links were compared at a generation, though nothing was sent."""
        with self._write() as conn:
            self._assert_fence(conn, scope.account, fence)
            for keys in chunks(source_keys):
                conn.execute(
                    t.link.update()
                    .where(
                        t.link.c.account == scope.account,
                        t.link.c.tenant == scope.tenant,
                        t.link.c.entity == entity,
                        t.link.c.source_key.in_(keys),
                        t.link.c.generation < generation,
                    )
                    .values(generation=generation)
                )

    def _extend_chain(self, conn: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        last = conn.execute(sa.select(t.chain).order_by(t.chain.c.number.desc()).limit(1)).first()
        before = last.hash if last else ""
        row = {
            "number": (last.number if last else 0) + 1,
            "first": rows[0]["number"],
            "last": rows[-1]["number"],
            "hash": chain_hash(before, rows),
        }
        conn.execute(t.chain.insert(), row)

    def chain_head(self) -> str:
        """The newest hash of the chain; empty before the first commit."""
        with self._read() as conn:
            query = sa.select(t.chain.c.hash).order_by(t.chain.c.number.desc()).limit(1)
            return conn.scalar(query) or ""

    def broken_chain_at(self, since: int = 1) -> int | None:
        """Number of the first chain row, from a row on, that does not fit its operations; None when all fit."""
        columns = [str(c.name) for c in t.operation.columns]
        with self._read() as conn:
            before, upto = "", 0
            earlier = conn.execute(sa.select(t.chain).where(t.chain.c.number == since - 1)).first()
            if earlier is not None:
                before, upto = earlier.hash, earlier.last
            rest = sa.select(t.chain).where(t.chain.c.number >= since)
            for row in conn.execute(rest.order_by(t.chain.c.number)).all():
                query = sa.select(t.operation).where(t.operation.c.number.between(row.first, row.last))
                rows = [
                    dict(zip(columns, values, strict=True))
                    for values in conn.execute(query.order_by(t.operation.c.number))
                ]
                if row.first != upto + 1 or not rows or chain_hash(before, rows) != row.hash:
                    return int(row.number)
                before, upto = row.hash, row.last
            if conn.scalar(sa.select(sa.func.max(t.operation.c.number))) not in (None, upto):
                return upto
        return None

    def open_intents(self, account: str) -> list[Intent]:
        """Intents without an outcome: requests that may or may not have been carried out."""
        intent, outcome = t.intent, t.outcome
        query = (
            sa.select(intent)
            .outerjoin(outcome, outcome.c.intent == intent.c.number)
            .where(intent.c.event == "intent", intent.c.account == account, outcome.c.number.is_(None))
            .order_by(intent.c.number)
        )
        with self._read() as conn:
            return [_intent(row) for row in conn.execute(query)]

    def schema_operations(self, account: str) -> list[tuple[Intent, Outcome]]:
        """Every write to the account's schema that was carried out, oldest first."""
        intent, outcome = t.intent, t.outcome
        query = (
            sa.select(intent, outcome.c.status.label("came_to"), outcome.c.tokens.label("cost"))
            .add_columns(outcome.c.echo.label("answer"), outcome.c.number.label("answered"))
            .join(outcome, outcome.c.intent == intent.c.number)
            .where(
                intent.c.account == account,
                intent.c.entity == "schema",
                outcome.c.status.in_(("done", "settled")),
            )
            .order_by(intent.c.number)
        )
        with self._read() as conn:
            return [
                (
                    one,
                    Outcome(one, r.came_to, r.cost, echo=orjson.loads(r.answer or "null"), number=r.answered),
                )
                for r in conn.execute(query)
                for one in (_intent(r),)
            ]

    def ambiguous_intents(self, account: str, entity: str, source_keys: Iterable[str]) -> list[Intent]:
        """Of each key the newest intent for which several records were found."""
        intent, outcome = t.intent, t.outcome
        query = (
            sa.select(intent)
            .join(outcome, outcome.c.intent == intent.c.number)
            .where(intent.c.account == account, intent.c.entity == entity, outcome.c.status == "ambiguous")
            .order_by(intent.c.number)
        )
        found: dict[str, Intent] = {}
        with self._read() as conn:
            for keys in chunks(source_keys):
                rows = conn.execute(query.where(intent.c.source_key.in_(keys)))
                found.update({row.source_key: _intent(row) for row in rows})
        return list(found.values())

    def written_entities(self, account: str) -> set[str]:
        """The entities of which anything was ever meant to be written."""
        c = t.operation.c
        query = sa.select(c.entity).where(c.account == account, c.verb == "create").distinct()
        with self._read() as conn:
            return set(conn.scalars(query))

    def _add_tokens(self, conn: sa.Connection, account: str, day: str, tokens: Tokens) -> None:
        for kind, count in tokens.items():
            where = (
                t.token_usage.c.account == account,
                t.token_usage.c.day == day,
                t.token_usage.c.kind == kind,
            )
            spent = conn.scalar(sa.select(t.token_usage.c.tokens).where(*where)) or 0
            row = {"account": account, "day": day, "kind": kind, "tokens": spent + count}
            self._upsert(conn, t.token_usage, [row])

    def add_tokens(self, account: str, day: str, tokens: Tokens) -> None:
        """Add what calls outside of a commit have cost."""
        with self._write() as conn:
            self._add_tokens(conn, account, day, tokens)

    def tokens(self, account: str, day: str | None = None) -> dict[str, int]:
        """Kind of call → tokens spent, on one day or altogether."""
        query = sa.select(t.token_usage.c.kind, sa.func.sum(t.token_usage.c.tokens)).where(
            t.token_usage.c.account == account
        )
        if day is not None:
            query = query.where(t.token_usage.c.day == day)
        with self._read() as conn:
            return {kind: int(count) for kind, count in conn.execute(query.group_by(t.token_usage.c.kind))}

    def last_day(self, account: str) -> str | None:
        """The newest day, by the account's own clock, on which tokens were spent."""
        with self._read() as conn:
            query = sa.select(sa.func.max(t.token_usage.c.day)).where(t.token_usage.c.account == account)
            day: str | None = conn.scalar(query)
            return day

    def operation_counts(self, account: str) -> dict[tuple[str, str, str], tuple[int, int]]:
        """(verb, entity, status) → (number of outcomes, their tokens)."""
        c = t.operation.c
        query = (
            sa.select(c.verb, c.entity, c.status, sa.func.count(), sa.func.sum(c.tokens))
            .where(c.account == account, c.event == "outcome")
            .group_by(c.verb, c.entity, c.status)
        )
        with self._read() as conn:
            return {(v, e, s): (int(n), int(k)) for v, e, s, n, k in conn.execute(query)}


def chain_hash(before: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The hash of one commit: over the hash before and the commit's rows."""
    return hashlib.sha256(before.encode() + canonical_json([dict(r) for r in rows]).encode()).hexdigest()


def _text(body: Body | None) -> str | None:
    return None if body is None else canonical_json(body)


def _intent_row(scope: Scope, intent: Intent) -> dict[str, Any]:
    return {
        "number": intent.number,
        "event": "intent",
        "intent": None,
        "account": scope.account,
        "verb": intent.verb,
        "entity": intent.entity,
        "source_key": intent.source_key,
        "pipedrive_id": intent.pipedrive_id,
        "root": intent.root,
        "generation": intent.generation,
        "status": "open",
        "body": _text(intent.body),
        "before": _text(intent.before),
        "echo": None,
        "words": None,
        "tokens": 0,
        "run": intent.run,
        "batch": intent.batch,
        "at": intent.at,
        "server_date": intent.server_date,
        "undoes": intent.undoes,
    }


def _outcome_row(scope: Scope, outcome: Outcome, now: str) -> dict[str, Any]:
    intent = outcome.intent
    return {
        **_intent_row(scope, intent),
        "number": outcome.number,
        "event": "outcome",
        "intent": intent.number,
        "pipedrive_id": outcome.pipedrive_id,
        "status": outcome.status,
        "body": None,
        "before": None,
        "echo": _text(outcome.echo),
        "words": outcome.words,
        "tokens": outcome.tokens,
        "at": now,
        "server_date": outcome.server_date,
    }


def _intent(row: Any) -> Intent:
    return Intent(
        verb=row.verb,
        entity=row.entity,
        source_key=row.source_key,
        pipedrive_id=row.pipedrive_id,
        body=None if row.body is None else orjson.loads(row.body),
        before=None if row.before is None else orjson.loads(row.before),
        root=row.root,
        generation=row.generation,
        batch=row.batch,
        run=row.run,
        at=row.at,
        server_date=row.server_date,
        number=row.number,
        undoes=row.undoes,
    )
