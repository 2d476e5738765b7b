"""Every field of every record with its source, what it became, what was read back, and the verdict (R019, R081)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dispatch_to_pipedrive.mapping import RenderOptions, apply
from dispatch_to_pipedrive.mapping.model import EntityMap, Maps
from dispatch_to_pipedrive.migration.diff import (
    COLUMNS,
    VERDICTS,
    Sides,
    distinct_lines,
    field_diff,
    worst_first,
)
from dispatch_to_pipedrive.migration.resolve import Owners
from dispatch_to_pipedrive.migration.values import Link
from dispatch_to_pipedrive.migration.verify import Difference
from dispatch_to_pipedrive.normalize.lists import FIELDS as CUSTOM
from dispatch_to_pipedrive.normalize.lists import POINTS, TEXTS
from dispatch_to_pipedrive.pipedrive.account import Field, Option, Pipeline, Stage, Structure
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema, Made

CODE, MONEY = "a" * 40, "b" * 40
FIELDS: Mapping[str, Mapping[str, Any]] = {
    "persons": {
        "name": {"type": "text", "from": "name"},
        "emails": {"type": "emails", "from": "emails"},
        "Site_1_Address__c": {"type": "address", "from": "site_1", "transform": "address"},
    },
    "deals": {
        "title": {"type": "text", "from": ["job_type", "job_number"], "transform": "template",
                  "args": {"template": "{job_type} #{job_number}"}},
        "person_id": {"type": "reference", "to": "persons", "from": "person_key"},
        "owner_id": {"type": "user", "from": "owner_email"},
        "stage_id": {"type": "stage", "from": "job_status"},
        "label_ids": {"type": "labels", "from": "labels"},
        "add_time": {"type": "datetime", "from": "created_at", "transform": "datetime"},
        "Job_Type__c": {"type": "option", "from": "job_type"},
        "Priority__c": {"type": "text", "from": ["priority_bucket", "priority"], "transform": "first"},
        "Invoice_Amount__c": {"type": "money", "from": "value"},
        "lost_reason": {"type": "text", "from": "custom_fields", "transform": "custom_field",
                        "args": {"name": "gate  CODE"}},
    },
}  # fmt: skip
MAPS = Maps({entity: EntityMap(entity=entity, fields=fields) for entity, fields in FIELDS.items()})  # type: ignore[arg-type]
STRUCTURE = Structure(
    fields={
        "persons": {"c" * 40: Field(field_code="c" * 40, field_name="Site_1", field_type="address")},
        "deals": {
            CODE: Field(
                field_code=CODE,
                field_name="Job type",
                field_type="enum",
                options=(Option(id=7, label="Repair"), Option(id=8, label="Install")),
            ),
            MONEY: Field(field_code=MONEY, field_name="Amount", field_type="monetary"),
            "label_ids": Field(
                field_code="label_ids",
                field_name="Labels",
                field_type="set",
                options=(Option(id=5, label="VIP"),),
            ),
        },
    },
    pipelines=(Pipeline(id=1, name="Jobs"),),
    stages=(Stage(id=2, name="Called", pipeline_id=1),),
)
SCHEMA = AccountSchema(
    STRUCTURE,
    (
        Made("field", "persons", "Site_1_Address__c", "c" * 40, "address"),
        Made("field", "deals", "Job_Type__c", CODE, "enum"),
        Made("field", "deals", "Invoice_Amount__c", MONEY, "monetary"),
        Made("pipeline", "pipelines", "Jobs", "1"),
        Made("stage", "stages", "Scheduled", "2", "Jobs"),
    ),
)
PERSONS = pd.DataFrame(
    {
        "source_key": ["customer:1/person", "customer:2/person"],
        "root": [1, 2],
        "name": ["Zoë", "Bob"],
        "emails": pd.Series(
            [[{"value": "z@x.example", "label": "work", "primary": True}], None], dtype=POINTS
        ),
        **{f"site_1_{part}": [None, None] for part in ("unit", "state", "zip", "country")},
        "site_1_street": ["1 Main St", None],
        "site_1_city": ["Mesa", None],
    }
)
DEALS = pd.DataFrame(
    {
        "source_key": ["job:10/deal", "job:20/deal", "job:21/deal"],
        "root": [1, 2, 2],
        "job_type": ["Repair", "Install", "Repair"],
        "job_number": ["10", "20", "21"],
        "person_key": ["customer:1/person", "customer:2/person", "customer:2/person"],
        "owner_email": ["Tess@x.example", None, None],
        "job_status": ["Scheduled"] * 3,
        "labels": pd.Series([["VIP"], None, None], dtype=TEXTS),
        "created_at": ["2024-01-02T03:04:05.1234567Z"] * 3,
        "priority_bucket": ["P1", None, None],
        "priority": ["High", "Low", None],
        "value": [12.5, -3.0, 0.0],
        "custom_fields": pd.Series(
            [[{"name": "Gate Code", "value": "4711"}, {"name": "Dog", "value": "yes"}], None, None],
            dtype=CUSTOM,
        ),
    }
)
SOURCE = {"persons": PERSONS, "deals": DEALS}
USERS = {11: "tess@x.example", 12: "boss@x.example"}


def link(entity: str, key: str, number: int) -> Link:
    return Link(entity, key, number, "live", root=1, generation=1, digest="")


def sides(**changes: Any) -> Sides:
    links = {
        "persons": {
            k: link("persons", k, n) for n, k in ((101, "customer:1/person"), (102, "customer:2/person"))
        },
        "deals": {k: link("deals", k, n) for n, k in ((201, "job:10/deal"), (202, "job:20/deal"))},
    }
    records = {
        "persons": {
            101: {"id": 101, "name": "Zoë", "emails": [{"value": "z@x.example", "label": "work", "primary": True}],
                  "custom_fields": {"c" * 40: {"value": "1 Main St, Mesa", "locality": "Mesa"}}},
            102: {"id": 102, "name": "Bob"},
        },
        "deals": {
            201: {"id": 201, "title": "Repair #10", "person_id": 101, "owner_id": 11, "stage_id": 2, "label_ids": [5],
                  "lost_reason": "4711",
                  "add_time": "2026-06-01 10:00:00", "custom_fields": {CODE: 7, "d" * 40: "P1",
                                                                      MONEY: {"value": 12.5, "currency": "USD"}}},
            202: {"id": 202, "title": "Install #20", "person_id": 999, "owner_id": 12, "stage_id": 2,
                  "custom_fields": {CODE: 9, MONEY: {"value": -3, "currency": "USD"}}},
        },
    }  # fmt: skip
    mapped = {entity: apply(MAPS[entity], SOURCE[entity], RenderOptions("USD")) for entity in MAPS}
    values: dict[str, Any] = {
        "maps": MAPS,
        "source": SOURCE,
        "mapped": mapped,
        "links": links,
        "records": records,
        "schema": SCHEMA,
        "owners": Owners({"tess@x.example": 11}, fallback=12),
        "users": USERS,
        "generation": 1,
        "not_taken": {"deals": frozenset({"add_time"})},
    }
    return Sides(**{**values, **changes})


TOLD = [
    Difference("deals", "job:20/deal", 202, "person_id", "102", "999", "wrong"),
    Difference("deals", "job:20/deal", 202, "Job_Type__c", "8", "9", "kept"),
    Difference("deals", "job:21/deal", None, "", "", "", "missing"),
    Difference("persons", "customer:9/person", 109, "", "", "", "extra"),
    Difference("deals", "customer:2", None, "cents", "5", "7", "wrong"),
]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return field_diff(sides(), TOLD)


def of(rows: pd.DataFrame, key: str, field: str) -> dict[str, Any]:
    (found,) = rows[(rows["source_key"] == key) & (rows["field"] == field)].to_dict("records")
    return {str(name): value for name, value in found.items()}


@pytest.mark.promise("R019", "R081")
def test_every_field_of_every_record_has_its_row(rows: pd.DataFrame) -> None:
    assert tuple(rows.columns) == COLUMNS
    assert len(rows) == 2 * 3 + 3 * 10 + 2
    assert rows["verdict"].isin(list(VERDICTS)).all()
    assert not rows.drop(columns="pipedrive_id").isna().any().any()


@pytest.mark.promise("R081")
@pytest.mark.parametrize(
    ("key", "field", "source", "mapped", "found", "verdict", "section"),
    [
        ("customer:1/person", "name", "Zoë", "Zoë", "Zoë", "equal", "persons"),
        ("customer:1/person", "emails", "z@x.example (work, primary)", "z@x.example (work, primary)",
         "z@x.example (work, primary)", "equal", "persons"),
        ("customer:1/person", "Site_1_Address__c", "1 Main St, Mesa", "1 Main St, Mesa", "1 Main St, Mesa",
         "equal", "addresses"),
        ("job:10/deal", "title", "job_type: Repair\njob_number: 10", "Repair #10", "Repair #10", "equal", "deals"),
        ("job:10/deal", "person_id", "customer:1/person", "Zoë (customer:1/person)", "Zoë (customer:1/person)",
         "equal", "deals"),
        ("job:10/deal", "owner_id", "Tess@x.example", "tess@x.example", "tess@x.example", "equal", "owners"),
        ("job:20/deal", "owner_id", "", "boss@x.example", "boss@x.example", "equal", "owners"),
        ("job:10/deal", "stage_id", "Scheduled", "Scheduled", "Called", "equal", "deals"),
        ("job:10/deal", "label_ids", "VIP", "VIP", "VIP", "equal", "deals"),
        ("job:10/deal", "add_time", "2024-01-02T03:04:05.1234567Z", "2024-01-02T03:04:05Z",
         "2026-06-01T10:00:00Z", "not taken", "deals"),
        ("job:10/deal", "Job_Type__c", "Repair", "Repair", "Repair", "equal", "job types"),
        ("job:10/deal", "Priority__c", "priority_bucket: P1", "P1", "", "equal", "priorities"),
        ("job:10/deal", "lost_reason", "4711", "4711", "4711", "equal", "deals"),
        ("job:10/deal", "Invoice_Amount__c", "12.5", "12.5 USD", "12.5 USD", "equal", "deals"),
        ("job:20/deal", "Invoice_Amount__c", "-3", "-3 USD", "-3 USD", "equal", "deals"),
        ("job:20/deal", "person_id", "customer:2/person", "Bob (customer:2/person)", "persons record 999",
         "wrong", "deals"),
        ("job:20/deal", "Job_Type__c", "Install", "Install", "option 9 (deleted)", "kept", "job types"),
        ("job:21/deal", "title", "job_type: Repair\njob_number: 21", "Repair #21", "", "missing", "deals"),
        ("customer:9/person", "(record)", "", "", "", "extra", "persons"),
        ("customer:2", "cents", "", "5", "7", "wrong", "totals"),
    ],
)  # fmt: skip
def test_ids_are_shown_as_what_they_stand_for(
    rows: pd.DataFrame, key: str, field: str, source: str, mapped: str, found: str, verdict: str, section: str
) -> None:
    row = of(rows, key, field)
    assert (row["source_value"], row["mapped"], row["read_back"]) == (source, mapped, found)
    assert (row["verdict"], row["section"]) == (verdict, section)


def test_a_later_batch_speaks_for_itself() -> None:
    now = sides()
    ahead = {**now.links, "persons": {k: x._replace(generation=5) for k, x in now.links["persons"].items()}}
    newer = field_diff(sides(links=ahead), [])
    assert set(newer.loc[newer["entity"] == "persons", "verdict"]) == {"newer"}


def test_a_batch_without_records_has_no_rows() -> None:
    now = sides()
    none = {entity: frame.head(0) for entity, frame in SOURCE.items()}
    mapped = {entity: frame.head(0) for entity, frame in now.mapped.items()}
    empty = field_diff(sides(source=none, mapped=mapped, links={"persons": {}, "deals": {}}), [])
    assert empty.empty
    assert worst_first(empty).empty
    assert distinct_lines(empty).empty


def test_what_needs_a_look_comes_first(rows: pd.DataFrame) -> None:
    order = worst_first(rows)["verdict"].drop_duplicates().tolist()
    assert order == ["missing", "wrong", "extra", "kept", "equal", "not taken"]


@pytest.mark.promise("R082")
def test_each_distinct_value_of_the_four_sections_has_one_line(rows: pd.DataFrame) -> None:
    """R082."""
    lines = distinct_lines(rows)
    assert list(lines["section"].drop_duplicates()) == ["job types", "priorities", "owners", "addresses"]
    owners = lines[lines["section"] == "owners"]
    assert sorted(owners[["source_value", "mapped", "records"]].itertuples(index=False, name=None)) == [
        ("", "boss@x.example", 1),
        ("", "boss@x.example", 1),
        ("Tess@x.example", "tess@x.example", 1),
    ]
    types = lines[lines["section"] == "job types"]
    assert types["records"].sum() == 3


def test_what_the_verdicts_mean_stands_in_the_documentation() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "sample.md").read_text(encoding="utf-8")
    for verdict, words in VERDICTS.items():
        assert f"| {verdict} | {words} |" in text
