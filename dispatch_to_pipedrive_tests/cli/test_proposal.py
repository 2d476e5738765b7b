"""What is open in the tenant that was moved is proposed beside its maps."""

from pathlib import Path

import pytest

from dispatch_to_pipedrive.mapping.proposal import read_proposals

from .conftest import Migrated


@pytest.mark.promise("R020")
def test_a_migration_leaves_proposals_and_accepts_none(migrated: Migrated) -> None:
    maps = Path(migrated.settings["MAPPINGS_DIR"])
    found = read_proposals(maps)
    ids = {entry.id for standing in found.values() for entry in standing.content.proposals}
    assert "deals/jobs.custom_fields/Permit Number" in ids
    assert "persons/customers.custom_fields/Gate Code" in ids
    assert "organizations/locations.custom_fields/Roof Type" in ids
    assert not any("Dispatch Pro Priority" in one for one in ids)
    assert not (maps / "accepted").exists()
