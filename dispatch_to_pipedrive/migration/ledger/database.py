"""How the ledger's database is opened, read and written: one SQL database, SQLite or PostgreSQL."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from dispatch_to_pipedrive.migration.errors import LedgerClosed
from dispatch_to_pipedrive.migration.ledger import tables as t

_CHUNK = 900  # bound variables a statement: far below every database's limit


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


def chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    """The values in lists short enough for one statement."""
    values = list(values)
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


class Database:
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
            reason = " ".join(str(error.orig).split())
            raise LedgerClosed(
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


def _configure_sqlite(connection: Any, _record: object) -> None:
    # An intent must outlive a power cut before its request goes out: hence FULL, not NORMAL.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=60000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes its lock at once, or the check of the fence and the write could fall apart.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
