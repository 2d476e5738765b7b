"""A migration that has ended finds nothing to do."""

from pathlib import Path

from dispatch_to_pipedrive_tests.acceptance.world import Migrated


def test_a_second_migration_writes_nothing(migrated: Migrated, tmp_path: Path) -> None:
    migration = migrated.again(tmp_path / "home")
    ended = migration.migrate()
    assert ended.code == 0, ended.said
    assert migration.writes == 0
    again = migration.account("dump")
    assert {k: again[k] for k in ("entities", "fields", "stages", "pipelines")} == {
        k: migrated.dump[k] for k in ("entities", "fields", "stages", "pipelines")
    }
