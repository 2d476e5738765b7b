"""What the migration remembers: every SQL statement on the ledger stands here.

Writes that concern the account happen only in `Ledger.record`, under the fence of the lease: operations, links,
quarantine and tokens of one commit become visible together or not at all, and each commit adds one hash to the chain.
"""

import hashlib
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from dispatch_to_pipedrive.migration import tables as t
from dispatch_to_pipedrive.migration.errors import LeaseLost, MigrationError, WrongAccount
from dispatch_to_pipedrive.migration.past import Past, after_write
from dispatch_to_pipedrive.migration.values import (
    Body,
    Intent,
    LeaseHolder,
    Link,
    Manifest,
    Outcome,
    OwnerRow,
    Quarantined,
    SchemaObject,
    SegmentRow,
    Tokens,
)

_CHUNK = 900  # bound variables a statement: far below every database's limit


class LandedSegment(Protocol):
    """A segment that has landed and is not visible yet."""

    @property
    def feed(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def rows(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def sha256(self) -> str: ...


class FeedAdvance(Protocol):
    """How far one feed came."""

    @property
    def feed(self) -> str: ...
    @property
    def segments(self) -> Sequence[LandedSegment]: ...
    @property
    def cursor(self) -> str: ...


@dataclass(frozen=True)
class Scope:
    """The account and the tenant whose rows are meant."""

    account: str
    tenant: str


def utc_now() -> str:
    """Now, as the ledger writes it: ISO-8601, UTC, microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def canonical_json(value: object) -> str:
    """The one text of a JSON value: keys sorted, no spaces."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def digest_of(value: object) -> str:
    """SHA-256 of the one text of a JSON value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def _chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    values = list(values)
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


class Ledger:
    """One SQL database: SQLite file by default, PostgreSQL by URL."""

    def __init__(self, url: str) -> None:
        local = url.startswith("sqlite")
        # A process that is stopped in the middle of a commit must not hold its locks for longer than a lease.
        options = {} if local else {"options": "-c idle_in_transaction_session_timeout=15s"}
        self._engine = sa.create_engine(url, pool_pre_ping=not local, connect_args=options)
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _configure_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)
        try:
            with self._write() as conn:
                t.metadata.create_all(conn)
        except sa.exc.OperationalError as error:
            reason = str(error.orig).strip()
            raise MigrationError(
                f"cannot open the ledger at {self._engine.url.render_as_string(hide_password=True)}: {reason}"
            ) from None

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    @contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        with self._engine.connect() as conn:
            yield conn

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        with self._engine.execution_options(writes=True).begin() as conn:
            yield conn

    def _upsert(self, conn: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        insert = sqlite.insert if self._engine.dialect.name == "sqlite" else postgresql.insert
        statement = insert(table)
        keys = [c.name for c in table.primary_key]
        values = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
        conn.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), list(rows))

    # binding

    def bind(self, scope: Scope, company: str) -> None:
        """Bind the ledger to an account and a tenant, or refuse another pair."""
        with self._write() as conn:
            bound = conn.execute(sa.select(t.binding)).first()
            if bound is None:
                row = {
                    "account": scope.account,
                    "tenant": scope.tenant,
                    "company": company,
                    "bound_at": utc_now(),
                }
                conn.execute(t.binding.insert(), row)
            elif (bound.account, bound.tenant) != (scope.account, scope.tenant):
                raise WrongAccount(
                    f"this ledger belongs to Pipedrive company {bound.account} ({bound.company}) and Dispatch Pro "
                    f"tenant {bound.tenant}, but the settings lead to company {scope.account} ({company}) and tenant "
                    f"{scope.tenant}: correct the settings, or use another MIGRATION_HOME"
                )

    def bound_scope(self) -> Scope | None:
        """The pair this ledger belongs to, if it has met one."""
        with self._read() as conn:
            bound = conn.execute(sa.select(t.binding)).first()
        return None if bound is None else Scope(bound.account, bound.tenant)

    def bound_company(self) -> str | None:
        """The name of the company that this ledger belongs to."""
        with self._read() as conn:
            return conn.scalar(sa.select(t.binding.c.company))

    # the source

    def cursors(self) -> dict[str, str]:
        """Feed → cursor to continue from."""
        with self._read() as conn:
            return {row.feed: row.value for row in conn.execute(sa.select(t.cursor))}

    def commit_generation(self, advances: Sequence[FeedAdvance], since: Mapping[str, str]) -> int | None:
        """Make segments and cursors visible and give them a generation; None if nothing new arrived.

        `since` are the cursors that the advance started from: another advance in between refuses this one.
        """
        now = utc_now()
        with self._write() as conn:
            for advance in advances:
                stored = conn.scalar(sa.select(t.cursor.c.value).where(t.cursor.c.feed == advance.feed))
                if stored != since.get(advance.feed):
                    raise LeaseLost(
                        f"feed {advance.feed} was advanced by another process meanwhile: run again"
                    )
            self._upsert(
                conn, t.cursor, [{"feed": a.feed, "value": a.cursor, "advanced_at": now} for a in advances]
            )
            landed = [s for a in advances for s in a.segments]
            if not landed:
                return None
            number = 1 + (conn.scalar(sa.select(sa.func.max(t.generation.c.number))) or 0)
            rows = sum(s.rows for s in landed)
            conn.execute(t.generation.insert(), {"number": number, "committed_at": now, "rows": rows})
            conn.execute(
                t.segment.insert(),
                [
                    {
                        "path": s.path,
                        "generation": number,
                        "feed": s.feed,
                        "rows": s.rows,
                        "bytes": s.bytes,
                        "sha256": s.sha256,
                    }
                    for s in landed
                ],
            )
            return number

    def latest_generation(self) -> int:
        """Number of the newest generation; 0 before the first."""
        with self._read() as conn:
            return conn.scalar(sa.select(sa.func.max(t.generation.c.number))) or 0

    def segments(self, upto: int) -> list[SegmentRow]:
        """Committed segments of generations 1 … `upto`, oldest first."""
        query = sa.select(t.segment).where(t.segment.c.generation <= upto)
        with self._read() as conn:
            rows = conn.execute(query.order_by(t.segment.c.generation, t.segment.c.path))
            return [SegmentRow(r.generation, r.feed, r.path) for r in rows]

    # manifests

    def plan(self, manifests: Sequence[Manifest]) -> None:
        """Add manifests, all or none."""
        now = utc_now()
        rows = [{**asdict(m), "roots": canonical_json(m.roots), "planned_at": now} for m in manifests]
        with self._write() as conn:
            if rows:
                conn.execute(t.manifest.insert(), rows)

    def manifests(self) -> list[Manifest]:
        """All manifests in the order of planning."""
        with self._read() as conn:
            rows = conn.execute(sa.select(t.manifest).order_by(t.manifest.c.planned_at, t.manifest.c.key))
            return [_manifest(row) for row in rows]

    def manifest(self, key: str) -> Manifest:
        """The manifest of a batch."""
        with self._read() as conn:
            row = conn.execute(sa.select(t.manifest).where(t.manifest.c.key == key)).first()
        if row is None:
            raise MigrationError(f"no batch {key!r} is planned: materialize `batches` first")
        return _manifest(row)

    # what the account holds

    def links(self, scope: Scope, entity: str, source_keys: Iterable[str]) -> dict[str, Link]:
        """Source key → link, for the keys that have one."""
        found: dict[str, Link] = {}
        with self._read() as conn:
            for keys in _chunks(source_keys):
                query = _links(scope, entity).where(t.link.c.source_key.in_(keys))
                found.update({row.source_key: _link(row) for row in conn.execute(query)})
        return found

    def links_of_roots(self, scope: Scope, entity: str, roots: Iterable[int]) -> dict[str, Link]:
        """Source key → link of every record that hangs on one of the roots."""
        found: dict[str, Link] = {}
        with self._read() as conn:
            for chunk in _chunks(roots):
                query = _links(scope, entity).where(t.link.c.root.in_(chunk))
                found.update({row.source_key: _link(row) for row in conn.execute(query)})
        return found

    def linked_ids(self, scope: Scope, entity: str, ids: Iterable[int]) -> set[int]:
        """Those of the ids that some link names."""
        found: set[int] = set()
        with self._read() as conn:
            for chunk in _chunks(ids):
                query = sa.select(t.link.c.pipedrive_id).where(
                    t.link.c.account == scope.account,
                    t.link.c.entity == entity,
                    t.link.c.pipedrive_id.in_(chunk),
                )
                found.update(conn.scalars(query))
        return found

    def link_counts(self, scope: Scope) -> dict[tuple[str, str], int]:
        """(entity, state) → number of links."""
        query = sa.select(t.link.c.entity, t.link.c.state, sa.func.count()).where(
            t.link.c.account == scope.account, t.link.c.tenant == scope.tenant
        )
        with self._read() as conn:
            rows = conn.execute(query.group_by(t.link.c.entity, t.link.c.state))
            return {(entity, state): count for entity, state, count in rows}

    def past(self, scope: Scope, entity: str, source_keys: Iterable[str]) -> dict[str, Past]:
        """Source key → what the record was told and what it answered, its writes laid one over the other."""
        intent, outcome = t.operation.alias("i"), t.operation.alias("o")
        query = (
            sa.select(
                intent.c.source_key, intent.c.verb, intent.c.body, outcome.c.echo, outcome.c.server_date
            )
            .join(outcome, outcome.c.intent == intent.c.number)
            .where(
                intent.c.account == scope.account,
                intent.c.entity == entity,
                intent.c.verb.in_(("create", "update")),
                outcome.c.status.in_(("done", "settled")),
                outcome.c.echo.is_not(None),
            )
            .order_by(intent.c.number)
        )
        found: dict[str, Past] = {}
        with self._read() as conn:
            for keys in _chunks(source_keys):
                for row in conn.execute(query.where(intent.c.source_key.in_(keys))):
                    body, echo = orjson.loads(row.body), orjson.loads(row.echo)
                    before = None if row.verb == "create" else found.get(row.source_key)
                    found[row.source_key] = after_write(before, body, echo, row.server_date)
        return found

    def open_intents(self, account: str) -> list[Intent]:
        """Intents without an outcome: requests that may or may not have been carried out."""
        intent, outcome = t.operation.alias("i"), t.operation.alias("o")
        query = (
            sa.select(intent)
            .outerjoin(outcome, outcome.c.intent == intent.c.number)
            .where(intent.c.event == "intent", intent.c.account == account, outcome.c.number.is_(None))
            .order_by(intent.c.number)
        )
        with self._read() as conn:
            return [_intent(row) for row in conn.execute(query)]

    def quarantined(self, scope: Scope) -> list[Quarantined]:
        """Everything that is set aside."""
        query = sa.select(t.quarantine).where(
            t.quarantine.c.account == scope.account, t.quarantine.c.tenant == scope.tenant
        )
        with self._read() as conn:
            rows = conn.execute(query.order_by(t.quarantine.c.entity, t.quarantine.c.source_key))
            return [Quarantined(r.entity, r.source_key, r.reason, r.words, r.digest, r.batch) for r in rows]

    def capabilities(self, account: str) -> dict[str, bool]:
        """What the account has shown that it can or cannot do."""
        with self._read() as conn:
            rows = conn.execute(sa.select(t.capability).where(t.capability.c.account == account))
            return {row.name: row.granted for row in rows}

    def schema_objects(self, account: str) -> list[SchemaObject]:
        """Pipelines, stages, fields and labels recorded for the account."""
        with self._read() as conn:
            rows = conn.execute(sa.select(t.schema_object).where(t.schema_object.c.account == account))
            return [SchemaObject(r.kind, r.entity, r.name, r.code, r.field_type) for r in rows]

    def owners(self, account: str) -> list[OwnerRow]:
        """What was decided for each technician."""
        query = sa.select(t.technician_owner).where(t.technician_owner.c.account == account)
        with self._read() as conn:
            rows = conn.execute(query.order_by(t.technician_owner.c.technician_id))
            return [OwnerRow(r.technician_id, r.name, r.email, r.user_id, r.verdict) for r in rows]

    def save_owners(self, account: str, owners: Sequence[OwnerRow]) -> None:
        """Replace what was decided for the technicians."""
        with self._write() as conn:
            conn.execute(t.technician_owner.delete().where(t.technician_owner.c.account == account))
            if owners:
                conn.execute(t.technician_owner.insert(), [{"account": account, **asdict(o)} for o in owners])

    # writing under the fence

    def record(
        self,
        scope: Scope,
        fence: int,
        *,
        intents: Sequence[Intent] = (),
        outcomes: Sequence[Outcome] = (),
        links: Sequence[tuple[Link, Outcome | None]] = (),
        quarantine: Sequence[Quarantined] = (),
        release: Sequence[tuple[str, str]] = (),
        schema: Sequence[SchemaObject] = (),
        capabilities: Mapping[str, bool] | None = None,
        tokens: Tokens | None = None,
        day: str = "",
    ) -> tuple[list[Intent], list[Outcome]]:
        """Commit one group of events; give the operations their numbers.

        A link that comes with an outcome takes that outcome as its base. `release` names quarantined records
        that are free again. Raises LeaseLost, with nothing written, when another process holds the fence.
        """
        now = utc_now()
        with self._write() as conn:
            self._assert_fence(conn, scope.account, fence)
            first = 1 + (conn.scalar(sa.select(sa.func.max(t.operation.c.number))) or 0)
            numbered_intents = [replace(x, number=first + i) for i, x in enumerate(intents)]
            after = first + len(intents)
            numbered = {id(x): replace(x, number=after + i) for i, x in enumerate(outcomes)}
            rows = [_intent_row(scope, x) for x in numbered_intents]
            rows += [_outcome_row(scope, x, now) for x in numbered.values()]
            if rows:
                conn.execute(t.operation.insert(), rows)
                self._extend_chain(conn, rows)
            self._upsert(conn, t.link, [_link_row(scope, link, numbered.get(id(o))) for link, o in links])
            scoped = {"account": scope.account, "tenant": scope.tenant}
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
            self._upsert(conn, t.schema_object, [{"account": scope.account, **asdict(s)} for s in schema])
            granted = [
                {"account": scope.account, "name": name, "granted": granted, "learnt_at": now}
                for name, granted in (capabilities or {}).items()
            ]
            self._upsert(conn, t.capability, granted)
            self._add_tokens(conn, scope.account, day, tokens or {})
        return numbered_intents, list(numbered.values())

    def compared(
        self, scope: Scope, entity: str, source_keys: Iterable[str], generation: int, fence: int
    ) -> None:
        """Note that links were compared at a generation, though nothing was sent."""
        with self._write() as conn:
            self._assert_fence(conn, scope.account, fence)
            for keys in _chunks(source_keys):
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

    def broken_chain_at(self) -> int | None:
        """Number of the first chain row that does not fit its operations; None when all fit."""
        columns = [str(c.name) for c in t.operation.columns]
        with self._read() as conn:
            before, upto = "", 0
            for row in conn.execute(sa.select(t.chain).order_by(t.chain.c.number)).all():
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

    # tokens

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

    # what each batch came to

    def batch_operations(self, account: str) -> dict[tuple[str, str, str, str], tuple[int, int]]:
        """(batch, entity, verb, status) → (number of outcomes, their tokens)."""
        c = t.operation.c
        query = (
            sa.select(c.batch, c.entity, c.verb, c.status, sa.func.count(), sa.func.sum(c.tokens))
            .where(c.account == account, c.event == "outcome")
            .group_by(c.batch, c.entity, c.verb, c.status)
        )
        with self._read() as conn:
            return {(b, e, v, s): (int(n), int(k)) for b, e, v, s, n, k in conn.execute(query)}

    def report_batch(self, account: str, batch: str, stage: str, run: str, report: Mapping[str, Any]) -> None:
        """Keep what the latest run of a batch's stage came to."""
        row = {"account": account, "batch": batch, "stage": stage, "at": utc_now(), "run": run}
        with self._write() as conn:
            self._upsert(conn, t.batch_report, [{**row, "report": canonical_json(dict(report))}])

    def batch_reports(self, account: str) -> dict[tuple[str, str], dict[str, Any]]:
        """(batch, stage) → its latest report, with `at` and `run`."""
        with self._read() as conn:
            rows = conn.execute(sa.select(t.batch_report).where(t.batch_report.c.account == account))
            return {(r.batch, r.stage): {**orjson.loads(r.report), "at": r.at, "run": r.run} for r in rows}

    def sign(self, account: str, stage: str, generation: int, name: str) -> None:
        """Keep who approved a stage, as of which generation, at which head of the chain."""
        head = self.chain_head()
        row = {"account": account, "stage": stage, "generation": generation, "name": name}
        with self._write() as conn:
            self._upsert(conn, t.sign_off, [{**row, "at": utc_now(), "head": head}])

    def sign_offs(self, account: str) -> list[dict[str, Any]]:
        """Who approved what, oldest first."""
        with self._read() as conn:
            rows = conn.execute(
                sa.select(t.sign_off).where(t.sign_off.c.account == account).order_by(t.sign_off.c.at)
            )
            return [
                {"stage": r.stage, "generation": r.generation, "name": r.name, "at": r.at, "head": r.head}
                for r in rows
            ]

    # lease

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


class HolderCheck(Protocol):
    """Whether a holder's process is known to be dead."""

    def __call__(self, holder: LeaseHolder) -> bool: ...


def chain_hash(before: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The hash of one commit: over the hash before and the commit's rows."""
    return hashlib.sha256(before.encode() + canonical_json([dict(r) for r in rows]).encode()).hexdigest()


def _configure_sqlite(connection: Any, _record: object) -> None:
    # An intent must outlive a power cut before its request goes out: hence FULL, not NORMAL.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=60000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes its lock at once, or the check of the fence and the write could fall apart.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _links(scope: Scope, entity: str) -> sa.Select[Any]:
    return sa.select(t.link).where(
        t.link.c.account == scope.account, t.link.c.tenant == scope.tenant, t.link.c.entity == entity
    )


def _link(row: Any) -> Link:
    return Link(
        row.entity,
        row.source_key,
        row.pipedrive_id,
        row.state,
        row.root,
        row.generation,
        row.digest,
        row.base,
    )


def _link_row(scope: Scope, link: Link, outcome: Outcome | None) -> dict[str, Any]:
    base = link.base if outcome is None else outcome.number
    return {"account": scope.account, "tenant": scope.tenant, **link._asdict(), "base": base}


def _manifest(row: Any) -> Manifest:
    return Manifest(
        row.key,
        row.kind,
        row.generation_from,
        row.generation_to,
        tuple(orjson.loads(row.roots)),
        row.records,
        row.tokens,
    )


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
    )


def _holder(row: Any, now: float) -> LeaseHolder:
    return LeaseHolder(
        row.owner, row.purpose, row.host, row.pid, row.process_started, row.fence, row.expires - now
    )
