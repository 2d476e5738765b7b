"""Where Dagster keeps its runs and events: SQLite in DAGSTER_HOME, or PostgreSQL by MIGRATION_DATABASE_URL.

Imports private modules of Dagster, because YAML alone cannot choose: hence the pin below 1.14 and a test.
"""

import os
from collections.abc import Mapping
from typing import Any

from dagster._core.storage.base_storage import DagsterStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClass, ConfigurableClassData

from dispatch_to_pipedrive.settings import load_settings, make_dagster_home


class EnvStorage(DagsterStorage, ConfigurableClass):
    """A name in dagster.yaml: what it makes is one of Dagster's own storages."""

    @classmethod
    def config_type(cls) -> Mapping[str, Any]:
        """Nothing to configure: the environment decides."""
        return {}

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> DagsterStorage:
        """The storage that the environment names."""
        settings = load_settings()
        url = settings.migration_database_url.get_secret_value()
        if url:
            from dagster_postgres import DagsterPostgresStorage

            return DagsterPostgresStorage(url, should_autocreate_tables=True, inst_data=inst_data)
        # Dagster's own commands may be started without a home.
        base = {"base_dir": os.environ.get("DAGSTER_HOME") or str(make_dagster_home(settings))}
        return DagsterSqliteStorage.from_config_value(inst_data, base)  # type: ignore[arg-type]
