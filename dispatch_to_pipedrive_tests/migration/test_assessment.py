"""The assessment is computed from this tenant: the same input gives the same grade, another tenant another one."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dispatch_to_pipedrive.mapping.load import load_maps
from dispatch_to_pipedrive.mapping.model import Maps
from dispatch_to_pipedrive.migration.assessment import Assessment, Inputs, Twins, assess
from dispatch_to_pipedrive.migration.assessment import grade as g
from dispatch_to_pipedrive.migration.file_checks import Oversized
from dispatch_to_pipedrive.migration.forecast import Account, forecast
from dispatch_to_pipedrive.migration.twins import no_twins
from dispatch_to_pipedrive.migration.volume import Volume, schema_size, volume_of
from dispatch_to_pipedrive.orchestration.reference import origins

ROOT = Path(__file__).parents[2]
MAPS = load_maps(ROOT / "mappings")

Row = tuple[str, str, str | None, int, int, int]
TENANT: list[Row] = [
    ("customers", "active", None, 0, 2, 50),
    ("customers", "active", "true", 48, 2, 50),
    ("customers", "active", "false", 2, 2, 50),
    ("customers", "carried_as", None, 2, 2, 50),
    ("customers", "carried_as", "person", 40, 2, 50),
    ("customers", "carried_as", "organization and person", 8, 2, 50),
    ("customers", "created_on", None, 5, 45, 50),
    ("customers.custom_fields", "Gate Code", None, 10, 40, 50),
    ("customers.custom_fields", "Gate Code", "#1 <b>", 30, 40, 50),
    ("customers.custom_fields", "Never filled", None, 50, 0, 50),
    ("locations", "carried_as", "person", 3, 1, 60),
    ("jobs", "active", None, 0, 1, 100),
    ("jobs", "active", "true", 100, 1, 100),
    ("jobs", "carried_as", "open deal", 10, 2, 100),
    ("jobs", "carried_as", "won or lost deal", 90, 2, 100),
    ("jobs", "job_status", None, 0, 3, 100),
    ("jobs", "job_status", "Completed", 80, 3, 100),
    ("jobs", "job_status", "Canceled", 10, 3, 100),
    ("jobs", "job_status", "Postponed", 10, 3, 100),
    ("jobs", "payment_state", None, 0, 1, 100),
    ("jobs", "payment_state", "Partially paid", 100, 1, 100),
    ("jobs.custom_fields", "Dispatch Pro Priority", None, 0, 1, 100),
    ("jobs.custom_fields", "Dispatch Pro Priority", "P1", 100, 1, 100),
    ("appointments", "carried_as", "activity", 120, 1, 130),
    ("calls", "carried_as", "activity", 30, 1, 33),
    ("job_notes", "carried_as", "note", 60, 1, 61),
    ("job_notes", "brings", "file", 4, 1, 61),
    ("job_attachments", "carried_as", "file", 80, 2, 83),
    ("job_attachments", "carried_as", "note", 1, 2, 83),
    ("job_attachments", "bytes", "known", 160_000_000, 2, 83),
    ("job_attachments", "kind", None, 1, 3, 80),
    ("job_attachments", "kind", "jpg, up to 1 MB", 60, 3, 80),
    ("job_attachments", "kind", "jpg, not known", 10, 3, 80),
    ("job_attachments", "kind", ", above 25 MB", 9, 3, 80),
    ("invoices.items", "id", None, 3, 250, 90),
    ("job_types", "is_smart_dispatched", None, 0, 1, 4),
    ("job_types", "is_smart_dispatched", "true", 4, 1, 4),
]


def profile(rows: list[Row]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["feed", "field", "value", "count", "distinct", "records"])
    texts = dict.fromkeys(("feed", "field", "value"), "string")
    return frame.astype({**texts, **dict.fromkeys(("count", "distinct", "records"), "Int64")})


def assessed(rows: list[Row] = TENANT, maps: Maps = MAPS, plan: str = "growth", **more: Any) -> Assessment:
    frame = profile(rows)
    ahead = forecast(volume_of(frame), schema_size(maps), Account(plan, 1))
    kinds = {("customers", "Gate Code"): "Text"}
    more = {"origins": origins(), **more}
    return assess(Inputs("1", "7", 1, frame, kinds, maps, ahead, Twins(no_twins(), {}, 0), **more))


def test_records_to_be_made_come_from_the_profile() -> None:
    made = Volume(8, 51, 100, 90, 150, files=84, notes=61, parents=50 + 60 + 100, file_bytes=160_000_000)
    kinds = {"jpg, small": 70, "other, large": 9}
    assert volume_of(profile(TENANT)) == replace(made, file_kinds=kinds)


@pytest.mark.promise("R004", "R069", "R090")
def test_the_same_tenant_gets_the_same_grade_and_another_one_another() -> None:
    """R004, R090."""
    first, again = assessed(), assessed()
    assert json.dumps(first.as_json()) == json.dumps(again.as_json())
    large = [
        (feed, field, value, count * 50_000, distinct, records * 50_000)
        for feed, field, value, count, distinct, records in TENANT
    ]
    assert assessed(large, plan="lite").grade.letter > first.grade.letter
    assert first.grade.letter in "ABCD"


@pytest.mark.promise("R090", "R091", "R092", "R093", "R095")
def test_the_grade_is_the_weighted_mean_of_its_lines() -> None:
    """R091 to R095."""
    found = assessed()
    lines = found.lines()
    assert list(lines["line"]) == [g.OBJECTS, g.CLARITY, g.CONSTRAINTS, g.VOLUME, g.TIMELINE]
    mean = (lines["score"] * lines["weight"]).sum() / lines["weight"].sum()
    assert found.grade.score == pytest.approx(float(mean), abs=0.05)
    assert int(lines["weight"].sum()) == 100


@pytest.mark.promise("R004", "R095")
@pytest.mark.parametrize(
    ("volume", "plan", "name", "score"),
    [
        (Volume(0, 10_000, 0, 0, 0), "premium", g.VOLUME, 100),
        (Volume(0, 100_000, 0, 0, 0), "premium", g.VOLUME, 80),
        (Volume(0, 100, 5_000, 0, 0), "lite", g.CONSTRAINTS, 60),
        (Volume(0, 100, 2_000, 0, 0), "lite", g.CONSTRAINTS, 100),
    ],
)
def test_lines_follow_the_documented_formula(volume: Volume, plan: str, name: str, score: float) -> None:
    ahead = forecast(volume, schema_size(MAPS), Account(plan, 1))
    lines = g.graded(g.Objects(10, 8, 7, 2), g.Clarity(1, 2), ahead).lines
    found = {line.name: line.score for line in lines}
    assert (found[g.OBJECTS], found[g.CLARITY]) == (80, 50)
    if name == g.CONSTRAINTS and ahead.days > 1:
        score -= g.A_DOUBLING * math.log2(ahead.days)
    assert found[name] == pytest.approx(score, abs=0.1)


@pytest.mark.promise("R003", "R091")
def test_eight_of_ten_objects_is_computed_from_the_map() -> None:
    """R003."""
    assert "8 of 10 objects map 1:1" in assessed().grade.lines[0].words
    deals = MAPS["deals"]
    fields = {name: field for name, field in deals.fields.items() if name != "Job_Type__c"}
    without = Maps({**MAPS.by_entity, "deals": deals.model_copy(update={"fields": fields})})
    assert "7 of 10 objects map 1:1" in assessed(maps=without).grade.lines[0].words


@pytest.mark.promise("R092")
def test_what_has_no_place_in_the_map_makes_the_mapping_less_clear() -> None:
    found = assessed()
    open_ = [one.name for one in found.properties if one.filled and not one.place]
    assert open_ == ["Gate Code"]
    assert {one.name: one.place for one in found.properties}["Dispatch Pro Priority"] == "deals"
    # Gate Code and the status nobody mapped are open; priority field, its value, two statuses, the state have a place.
    assert found.grade.lines[1].words.startswith("5 of 7 ")


def test_values_of_what_is_named_like_a_secret_are_not_shown() -> None:
    rows: list[Row] = [
        ("customers.custom_fields", "Wi-Fi Password", "hunter2", 1, 1, 50),
        ("customers.custom_fields", "Wi-Fi Password", None, 49, 1, 50),
    ]
    assert "hunter2" not in json.dumps(assessed([*TENANT, *rows]).as_json())


@pytest.mark.promise("R068", "R069")
def test_tables_tell_counts_values_and_what_is_missing() -> None:
    """R068, R069."""
    found = assessed().as_json()
    assert {"feed": "customers", "records": 50, "active": 48, "inactive": 2} in found["counts"]
    status = next(one for one in found["choices"] if one["title"] == "Job status")
    assert [(v["value"], v["count"]) for v in status["values"]] == [
        ("Completed", 80),
        ("Canceled", 10),
        ("Postponed", 10),
    ]
    lacking = next(
        row for row in found["missing"] if (row["feed"], row["field"]) == ("customers", "created_on")
    )
    assert (lacking["missing"], lacking["records"], lacking["share"]) == (5, 50, 0.1)
    assert "persons.add_time" in lacking["read_by"]


@pytest.mark.promise("R055", "R069")
def test_files_above_the_limit_are_named_the_largest_first() -> None:
    large = [Oversized(7, 1, "roof.mov", 25_000_001), Oversized(8, 2, "=cmd()", 90_000_000)]
    found = assessed(oversized=large).as_json()["files"]
    assert [one["file_name"] for one in found["largest"]] == ["=cmd()", "roof.mov"]
    assert (found["limit_mb"], found["oversized"]) == (25, 2)
    assert (found["attachments"], found["pictures"], found["bytes"]) == (80, 4, 160_000_000)
    counts = {row["feed"]: row["records"] for row in assessed().as_json()["counts"]}
    assert (counts["job_notes"], counts["calls"], counts["job_attachments"]) == (61, 33, 83)


@pytest.mark.promise("R002", "R014", "R049")
def test_what_stays_is_counted_where_it_can_be() -> None:
    """R014, R049, R059."""
    found = assessed()
    numbers = {one.what: one.number for one in found.stays}
    assert numbers["Line items of invoices"] == 250
    assert numbers["Sequences and automations"] is None
    assert next(n for what, n in numbers.items() if what.startswith("Scheduling")) == 4
    assert "optimisation is imitated" in found.as_json()["optimisation"]
    assert all(one.why and one.instead for one in found.stays)


def test_an_empty_tenant_is_assessed_too() -> None:
    found = assessed([])
    assert found.grade.letter == "A"
    assert found.as_json()["counts"] == []


@pytest.mark.promise("R004")
def test_the_documented_formula_is_the_one_in_the_code() -> None:
    text = " ".join((ROOT / "docs" / "assessment.md").read_text(encoding="utf-8").split())
    for name, weight in g.WEIGHTS.items():
        assert f"| {name} | {weight} % |" in text
    for least, letter, name in g.GRADES:
        assert f"| {letter} | {name} | {least} |" in text
    formula = (g.__doc__ or "").split("\n\n")[1]
    for line in formula.splitlines():
        words = line.strip().split("    ")
        assert " ".join(words[-1].split()) in text, line
