"""Every request of a migration, and every answer of the account, keeps to the vendor's documents."""

import pytest

from dispatch_to_pipedrive_tests.acceptance.conftest import EXCHANGES
from dispatch_to_pipedrive_tests.acceptance.world import Migrated
from dispatch_to_pipedrive_tests.contract import pipedrive_documents


@pytest.mark.promise("R008")
def test_a_whole_migration_keeps_to_the_documents(migrated: Migrated) -> None:
    pipedrive_documents.require()
    counts = pipedrive_documents.check_recording(migrated.home.parent / EXCHANGES)
    for entity in ("organizations", "persons", "deals", "activities"):
        assert any("POST" in operation and entity in operation for operation in counts), counts
