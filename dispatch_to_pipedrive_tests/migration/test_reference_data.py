"""Reference data: every row of the source is a row of a table, and each has a disposition that a rule gives it."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dispatch_to_pipedrive.dispatch_pro.feeds import REFERENCE
from dispatch_to_pipedrive.dispatch_pro.paths import fields_of, rows_by_path
from dispatch_to_pipedrive.dispatch_pro.records import empty_reference
from dispatch_to_pipedrive.mapping import Maps, load_maps
from dispatch_to_pipedrive.migration.dispositions import AUTOMATION, FIELD, MANUAL, NOTHING, RULES
from dispatch_to_pipedrive.migration.reference_data import (
    DISPOSITIONS,
    Reference,
    by_disposition,
    reference_of,
)
from dispatch_to_pipedrive.migration.reference_tables import (
    PRIORITIES,
    TABLES,
    fields_exported,
    priority_rows,
)
from dispatch_to_pipedrive_tests.normalize.source import Source

MAPS = load_maps(Path(__file__).parents[2] / "mappings")
NOW = "2026-11-23T09:00:00Z"
PROFILE = pd.DataFrame(
    [
        ("jobs", "priority", None, 0, 2, 9),
        ("jobs", "priority", "Urgent", 4, 2, 9),
        ("jobs", "priority", "Normal", 5, 2, 9),
        ("jobs.custom_fields", "Dispatch Pro Priority", "P2", 7, 1, 9),
        ("jobs.custom_fields", "Dispatch Pro Priority", "P9 gone", 1, 1, 9),
    ],
    columns=["feed", "field", "value", "count", "distinct", "records"],
)
FLAGS = {"isSmartDispatched": False, "skills": [], "tagTypeIds": [], "businessUnitIds": [1]}


def tenant() -> Source:
    source = Source()
    source.named("business_units", 1, "HVAC")
    source.named("tag_types", 5, "VIP")
    source.add("job_types", 11, name="Plain", priority="Normal", **FLAGS)
    source.add("job_types", 12, name="Smart", priority="Urgent", **{**FLAGS, "isSmartDispatched": True})
    source.add("job_types", 13, name="Skilled", priority="Low", **{**FLAGS, "skills": ["Gas", "Roof"]})
    source.add("job_types", 14, name="Gone", priority="High", **{**FLAGS, "active": False, "skills": ["Gas"]})
    source.technician(21, "tess@example.com")
    source.technician(22, None)
    source.add("zones", 31, name="North", zips=["85001", "85002"], technicians=[21, 99])
    source.add("zones", 32, name="Old", active=False)
    source.add("technician_shifts", 41, technicianId=21, end="2026-11-22T09:00:00Z")
    source.add("technician_shifts", 42, technicianId=21, end="2026-12-22T09:00:00Z")
    source.add("job_custom_field_types", 51, name="Dispatch Pro Priority", dataTypeOptions=["P1", "P2"])
    source.add("job_custom_field_types", 52, name="Permit")
    return source


def made(source: Source, maps: Maps = MAPS) -> Reference:
    frames = {**empty_reference(), **source.reference()}
    rows = {feed: rows_by_path(feed, frames) for feed in REFERENCE}
    return reference_of(rows, priority_rows(PROFILE, ["P1", "P2"]), maps, NOW)


@pytest.fixture(scope="module")
def found() -> Reference:
    return made(tenant())


def row(found: Reference, table: str, name: str) -> dict[str, Any]:
    frame = found.tables[table]
    return {str(key): value for key, value in frame[frame["name"] == name].iloc[0].items()}


@pytest.mark.promise("R015")
def test_every_record_is_a_row_of_its_table(found: Reference) -> None:
    source = tenant()
    for feed, records in source.records.items():
        assert len(found.tables[feed]) == len(records), feed
    assert row(found, "job_types", "Skilled")["skills"] == "Gas; Roof"
    assert row(found, "job_types", "Skilled")["business_units"] == "HVAC"
    assert row(found, "zones", "North")["technicians"] == "Tech 21; #99"
    assert row(found, "zones", "North")["zips"] == "85001; 85002"


@pytest.mark.promise("R016")
def test_a_disposition_follows_a_rows_kind_and_values(found: Reference) -> None:
    told = {
        name: row(found, "job_types", name)["disposition"] for name in ("Plain", "Smart", "Skilled", "Gone")
    }
    assert told == {"Plain": FIELD, "Smart": AUTOMATION, "Skilled": MANUAL, "Gone": FIELD}
    assert "Deal: Job_Type__c" in row(found, "job_types", "Plain")["field"]
    smart = row(found, "job_types", "Smart")
    assert smart["trigger"].split("\n") == ["Deal created, Job_Type__c is Smart"] * 2
    assert "Dispatch_Pro_Priority__c becomes Urgent" in smart["action"]
    assert "Gas; Roof" in row(found, "job_types", "Skilled")["manual_step"]
    assert row(found, "zones", "North")["disposition"] == MANUAL
    assert row(found, "zones", "Old")["disposition"] == NOTHING
    shifts = found.tables["technician_shifts"].set_index("id")["disposition"]
    assert (shifts[41], shifts[42]) == (NOTHING, MANUAL)
    assert row(found, "technicians", "Tech 21")["field"] == "Deal: owner_id"
    assert "technicians.csv" in row(found, "technicians", "Tech 22")["manual_step"]


@pytest.mark.promise("R016")
def test_every_row_has_one_disposition_and_every_kind_a_rule(found: Reference) -> None:
    for name, frame in found.tables.items():
        assert frame["disposition"].isin(DISPOSITIONS).all(), name
    assert {rule.table for rule in RULES} == {*(table.name for table in TABLES), PRIORITIES}
    assert sum(by_disposition(found.tables).values()) == sum(map(len, found.tables.values()))


@pytest.mark.promise("R015", "R069")
def test_priorities_are_those_in_use_and_those_that_are_defined(found: Reference) -> None:
    table = found.tables[PRIORITIES]
    assert table[["name", "kind", "defined", "jobs"]].to_numpy().tolist() == [
        ["Urgent", "job priority", False, 4],
        ["Normal", "job priority", False, 5],
        ["P1", "bucket", True, 0],
        ["P2", "bucket", True, 7],
        ["P9 gone", "bucket", False, 1],
    ]
    assert list(table["disposition"]) == [AUTOMATION, FIELD, MANUAL, MANUAL, MANUAL]


@pytest.mark.promise("R016")
def test_what_no_map_takes_is_a_step_for_people() -> None:
    deals = MAPS["deals"]
    fields = {name: one for name, one in deals.fields.items() if "job_type" not in one.sources}
    without = Maps({**MAPS.by_entity, "deals": deals.model_copy(update={"fields": fields})})
    plain = row(made(tenant(), without), "job_types", "Plain")
    assert plain["disposition"] == MANUAL
    assert "deals.job_type" in plain["manual_step"]


@pytest.mark.promise("R016")
def test_a_custom_field_tells_who_reads_it(found: Reference) -> None:
    assert row(found, "job_custom_field_types", "Dispatch Pro Priority")["disposition"] == FIELD
    assert row(found, "job_custom_field_types", "Permit")["disposition"] == MANUAL


@pytest.mark.promise("R015")
def test_tables_take_only_fields_that_there_are_and_nothing_private() -> None:
    for name, table in fields_exported().items():
        feed, _, path = name.partition(".")
        assert path in fields_of(feed), f"{table}: {name}"
    private = ("hourlyRate", "home.", "dailyGoal", "mobilePhone", "phoneNumber", "loginName", "bio", "memo")
    taken = {name for name in fields_exported() if name.startswith("technicians.")}
    assert not {name for name in taken for word in private if name.startswith(f"technicians.{word}")}
