"""What was foreseen before the first record is what the migration took."""

import json

import pytest

from ..program import run, status
from .conftest import Migrated


@pytest.mark.promise("R005")
def test_the_forecast_is_off_by_ten_percent_at_most(migrated: Migrated) -> None:
    """R005. So small a tenant is the hardest: most of its tokens are spent around the records."""
    found = status(migrated.settings)
    told = found["forecast"]
    assert found["state"] == "verified"
    write = told["by_kind"]["write"]
    # What texts bring along (linked files, further parts) is known when they are read; all else was foreseen.
    assert abs(write["forecast"] - write["spent"]) <= 0.05 * write["spent"], told
    assert told["error_percent"] <= 10, told
    # What is read back later is spent, too, and no part of what was foreseen.
    assert told["spent"] <= sum(found["tokens"].values())
    assert f"off by {told['error_percent']:g} %" in " ".join(migrated.said.split())


@pytest.mark.promise("R005")
def test_the_page_of_the_assessment_foresaw_the_records_that_were_made(migrated: Migrated) -> None:
    values = json.loads((migrated.home / "reports" / "assessment" / "assessment.json").read_text())
    totals = status(migrated.settings)["totals"]
    made = {entity: numbers["created"] for entity, numbers in totals.items()}
    volume = {entity: values["forecast"]["volume"][entity] for entity in made}
    for entity in ("files", "notes"):  # what texts bring along is known when they are read
        assert abs(volume.pop(entity) - (count := made.pop(entity))) <= 0.1 * count
    assert volume == made
    assert "forecast:" in run(migrated.settings, "status").stdout
