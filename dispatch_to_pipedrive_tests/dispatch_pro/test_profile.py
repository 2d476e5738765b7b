"""The profile counts what the tenant has now: winning versions, whichever generation and file they stand in."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pandas as pd
import pytest
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS
from dispatch_to_pipedrive.dispatch_pro.placement import (
    CommittedSegment,
    build_placement,
    read_batch,
    read_reference,
    root_sizes,
    source_profile,
)
from dispatch_to_pipedrive.dispatch_pro.readings import Fact
from dispatch_to_pipedrive.normalize import NormalizeOptions, normalize

from .worlds import Record, appointment, at, customer, invoice, job, land, location, payment, read_of


def contact(id_: int, owner: dict[str, int], type_: str, value: str, **more: Any) -> Record:
    return {"id": id_, **owner, "type": type_, "value": value, "active": True, "modifiedOn": at(0), **more}


def named(id_: int, name: str, **more: Any) -> Record:
    return {"id": id_, "name": name, "active": True, "modifiedOn": at(0), **more}


def named_contact(number: int, **more: Any) -> Record:
    return {
        "id": str(UUID(int=number)),
        "name": f"Contact {number}",
        "isArchived": False,
        "modifiedOn": at(0),
        **more,
    }


def custom(name: str | None, value: str) -> dict[str, Any]:
    return {"typeId": 1, "name": name, "value": value}


REFERENCE: dict[str, list[Record]] = {
    "job_types": [named(1, "Repair", isSmartDispatched=True), named(2, "Install", isSmartDispatched=False)],
    "tag_types": [named(7, "VIP"), named(8, "vip ")],
    "technicians": [
        named(601, "Tech", email="t@x.example", customFields=[custom("Van", "12")]),
        named(602, "Nobody"),
    ],
    "business_units": [named(12, "Service", currency="USD")],
    "job_cancel_reasons": [named(91, "Weather")],
    "customer_custom_field_types": [{"id": 1, "name": "Gate Code"}, {"id": 2, "name": "Never filled"}],
    "employees": [named(301, "Csr")],
    "technician_shifts": [named(1, "x"), named(2, "y", active=False)],
}
FIRST: dict[str, list[Record]] = {
    **REFERENCE,
    "customers": [
        customer(1, type="Commercial", tagTypeIds=[7, 8, 99], customFields=[custom("Gate Code", "  ")]),
        customer(2, customFields=[custom("Gate Code", "#1"), custom(None, "x")]),
        customer(3),
        customer(4, merged_to=1),
    ],
    "locations": [
        location(10, 1),
        *(location(20 + n, 1) for n in range(5)),
        location(11, 2),
        location(12, 2, mergedToId=11),
    ],
    "customer_contacts": [contact(1, {"customerId": 1}, "Email", "a@x.example")],
    "location_contacts": [
        contact(2, {"locationId": 10}, "Email", " A@X.example "),
        contact(3, {"locationId": 20}, "Phone", "(555) 123-4567"),
        contact(4, {"locationId": 21}, "Phone", "5551234567", active=False),
        contact(5, {"locationId": 11}, "Phone", "5559999999"),
    ],
    "jobs": [
        job(100, 1, jobTypeId=1, priority="High", businessUnitId=12),
        job(101, 1, jobStatus="Completed", jobTypeId=1, priority=""),
        job(102, 2, jobStatus="Canceled", jobTypeId=77, soldById=0),
        job(103, 2, active=False),
        job(104, 4, jobStatus="Completed"),
    ],
    "appointments": [appointment(1, 100), appointment(2, 101, active=False), appointment(3, 103)],
    "invoices": [
        invoice(1, 100, 1, total="10.00", items=[{"id": 5}, {"id": 6}]),
        invoice(2, 101, 1, total="10.00", items=[]),
        invoice(3, 102, 2, total="-5.00"),
        invoice(4, 104, 1, total="4.00", active=False),
    ],
    "payments": [payment(1, 1, 1), payment(2, 2, 1, active=False)],
    "job_attachments": [
        read_of(
            "job_attachments",
            100,
            {"id": 1, "fileName": "Roof.JPG"},
            {"id": 2, "fileName": "Job.12345"},
            facts=[Fact(1, 9, "image/png"), Fact(2, 5)],
        ),
        read_of("job_attachments", 101, {"id": 3}, {"id": 4}, facts=[Fact(3, 99, sha256="f" * 64)]),
        read_of("job_attachments", 102),
    ],
    "customer_notes": [
        read_of("customer_notes", 2, {"id": 1, "text": "x", "isPinned": True}, {"id": 2, "text": "y"})
    ],
    "named_contacts": [
        named_contact(1, customerId=1),
        named_contact(2, customerId=1),
        named_contact(3, locationId=11),
        named_contact(4, customerId=2, isArchived=True),
    ],
}
SECOND: dict[str, list[Record]] = {
    "jobs": [job(100, 1, second=5, jobStatus="Completed", jobTypeId=2, priority="Urgent"), job(105, 3, 5)],
    "customers": [customer(5, 5)],
}


def landed(data: UPath) -> list[CommittedSegment]:
    segments = land(data, 1, {feed: FIRST[feed] for feed in FEEDS if feed in FIRST})
    build_placement(data, segments, 1)
    segments += land(data, 2, SECOND)
    build_placement(data, segments, 2, previous=1)
    return segments


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> tuple[UPath, list[CommittedSegment]]:
    data = UPath(tmp_path_factory.mktemp("profile"))
    return data, landed(data)


@pytest.fixture(scope="module")
def profile(tenant: tuple[UPath, list[CommittedSegment]]) -> pd.DataFrame:
    return source_profile(*tenant, 2)


def values(profile: pd.DataFrame, feed: str, field: str) -> dict[str | None, int]:
    """Value → count, the row without a value (how many lack it) among them."""
    rows = profile[(profile["feed"] == feed) & (profile["field"] == field)]
    return {
        None if pd.isna(value) else str(value): int(count)
        for value, count in zip(rows["value"], rows["count"], strict=True)
    }


@pytest.mark.promise("R068")
def test_every_field_says_how_many_records_lack_it(profile: pd.DataFrame) -> None:
    lacking = profile[profile["value"].isna()]
    assert not lacking.duplicated(["feed", "field"]).any()
    assert set(map(tuple, profile[["feed", "field"]].to_numpy())) == set(
        map(tuple, lacking[["feed", "field"]].to_numpy())
    )
    assert (profile["count"] <= profile["records"]).all()


@pytest.mark.promise("R069")
def test_ids_of_reference_records_stand_as_names_and_later_versions_win(profile: pd.DataFrame) -> None:
    assert values(profile, "jobs", "job_type_id") == {None: 3, "Repair": 1, "Install": 1, "#77": 1}
    assert values(profile, "jobs", "priority") == {None: 5, "Urgent": 1}
    assert values(profile, "jobs", "sold_by_id") == {None: 6}
    assert values(profile, "customers.tag_type_ids", "value") == {None: 4, "VIP": 1, "vip ": 1, "#99": 1}


@pytest.mark.promise("R068")
def test_custom_fields_are_counted_by_name_and_an_empty_one_counts_as_missing(profile: pd.DataFrame) -> None:
    assert values(profile, "customers.custom_fields", "Gate Code") == {None: 4, "#1": 1}
    assert values(profile, "customers.custom_fields", "Never filled") == {None: 5}
    assert values(profile, "customers.custom_fields", "(without a name)") == {None: 4, "x": 1}
    assert values(profile, "technicians.custom_fields", "Van") == {None: 1, "12": 1}


def test_names_and_texts_have_no_rows_but_are_counted(profile: pd.DataFrame) -> None:
    rows = profile[(profile["feed"] == "customers") & (profile["field"] == "name")]
    assert rows["value"].isna().all()
    assert int(rows["distinct"].iloc[0]) == 5
    assert values(profile, "technicians", "email") == {None: 1}
    assert values(profile, "technician_shifts", "active") == {None: 0, "true": 1, "false": 1}
    assert values(profile, "zones", "active") == {None: 0}


@pytest.mark.promise("R069")
def test_payment_states_follow_the_rule_of_the_deals(profile: pd.DataFrame) -> None:
    assert values(profile, "jobs", "payment_state") == {
        None: 0,
        "No invoice": 3,
        "Unpaid": 1,
        "Partially paid": 1,
        "Credit": 1,
    }
    items = profile[profile["feed"] == "invoices.items"].iloc[0]
    assert (int(items["count"]), int(items["distinct"]), int(items["records"])) == (3, 2, 4)


def test_files_and_notes_are_counted_themselves_and_not_the_readings_of_their_parents(
    profile: pd.DataFrame,
) -> None:
    assert values(profile, "job_attachments", "media_type") == {None: 3, "image/png": 1}
    assert values(profile, "job_attachments", "bytes")["known"] == 14
    assert values(profile, "job_attachments", "carried_as") == {None: 0, "file": 3, "note": 1}
    kinds = {None: 1, "jpg, up to 1 MB": 1, ", up to 1 MB": 1}
    assert values(profile, "job_attachments", "kind") == kinds, "a number behind a dot is no ending"
    assert values(profile, "customer_notes", "is_pinned") == {None: 1, "true": 1}
    assert values(profile, "named_contacts", "carried_as") == {None: 2, "person": 2}


def test_sites_are_counted_by_customer_after_merges(profile: pd.DataFrame) -> None:
    assert values(profile, "locations", "per_customer") == {None: 2, "1": 1, "5–10": 1}


def test_what_records_become_is_what_normalizing_makes_of_them(
    tenant: tuple[UPath, list[CommittedSegment]], profile: pd.DataFrame
) -> None:
    data, segments = tenant
    roots = root_sizes(data, 2)["root"].tolist()
    made = normalize(read_batch(data, 2, roots), read_reference(data, segments, 2), NormalizeOptions())
    carried = {feed: values(profile, feed, "carried_as") for feed in ("customers", "locations", "jobs")}
    both = carried["customers"]["organization and person"]
    assert both == len(made.organizations) == 1
    people = both + carried["customers"]["person"] + carried["locations"]["person"]
    people += values(profile, "named_contacts", "carried_as")["person"]
    assert people == len(made.persons) == 7
    deals = carried["jobs"]["open deal"] + carried["jobs"]["won or lost deal"]
    assert deals == len(made.deals) == 5
    closed = made.deals["job_status"].isin(["Completed", "Canceled"]).sum()
    assert carried["jobs"]["won or lost deal"] == closed == 4
    assert values(profile, "appointments", "carried_as")["activity"] == len(made.activities) == 1


def test_only_the_most_frequent_values_stand_as_rows(tmp_path: Path) -> None:
    data = UPath(tmp_path)
    many = [customer(n, customFields=[custom("Serial", f"{n:04}")]) for n in range(1, 251)]
    segments = land(data, 1, {"customers": many})
    build_placement(data, segments, 1)
    found = source_profile(data, segments, 1)
    rows = found[found["field"] == "Serial"]
    assert len(rows) == 201
    assert set(rows["distinct"]) == {250}
