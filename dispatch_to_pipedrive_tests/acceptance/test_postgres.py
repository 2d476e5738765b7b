"""The ledger and Dagster's storage may lie in PostgreSQL."""

from collections.abc import Callable

import pytest

from dispatch_to_pipedrive_tests.acceptance.accounts import comparable
from dispatch_to_pipedrive_tests.acceptance.world import Migrated, Migration
from dispatch_to_pipedrive_tests.postgres import running_postgres


@pytest.mark.soak
def test_a_whole_migration_on_postgres(migrated: Migrated, migration: Callable[..., Migration]) -> None:
    with running_postgres() as server:
        url = server.create().replace("+psycopg2", "")
        elsewhere = migration(env={"MIGRATION_DATABASE_URL": url})
        ended = elsewhere.migrate()
        assert ended.code == 0, ended.said
        assert comparable(elsewhere.account("dump")) == comparable(migrated.dump)
        ended = elsewhere.run("verify")
        assert ended.code == 0, ended.said
        assert not list(elsewhere.home.rglob("*.db"))
