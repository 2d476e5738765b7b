from typing import Any

import pytest

from dispatch_to_pipedrive.mapping import RenderOptions, applied, load_maps, render
from dispatch_to_pipedrive_tests.mapping.test_load import MAPPINGS
from dispatch_to_pipedrive_tests.normalize.source import CREATED, Source, address

MAPS = load_maps(MAPPINGS)
USD = RenderOptions("USD")


def tenant() -> Source:
    source = Source()
    source.customer(1, "Acme", "Commercial")
    source.location(10, 1)
    source.named("job_types", 1, "No Cooling")
    source.named("job_types", 2, "AC Installation")
    source.named("business_units", 1, "HVAC - Service")
    return source


def record(source: Source, entity: str, key: str) -> dict[str, Any]:
    frame = render(MAPS, source.normalize(), USD)[entity]
    [found] = frame[frame["source_key"] == key].to_dict("records")
    return {str(name): value for name, value in found.items()}


@pytest.mark.promise("R027")
@pytest.mark.parametrize(
    ("status", "expected", "stage"),
    [
        ("Scheduled", "open", "Scheduled"),
        ("Dispatched", "open", "Dispatched"),
        ("InProgress", "open", "In Progress"),
        ("Hold", "open", "Hold"),
        ("Completed", "won", "Completed"),
        ("Canceled", "lost", "Canceled"),
    ],
)
def test_r027_status_and_stage(status: str, expected: str, stage: str) -> None:
    source = tenant()
    source.job(500, 1, 10, status)
    deal = record(source, "deals", "job:500/deal")
    assert (deal["status"], deal["stage_id"], deal["pipeline_id"]) == (expected, stage, "Dispatch Pro Jobs")


@pytest.mark.promise("R027", "R028", "R029", "R041", "R048")
def test_r027_r029_r041_r048_a_whole_deal() -> None:
    source = tenant()
    source.technician(601, "tech@example.com")
    ended = {"completedOn": "2025-10-24T21:10:05.3321Z", "summary": "<p>No cooling</p>upstairs"}
    source.job(500, 1, 10, "Completed", **ended, recallForId=490, warrantyId=0, projectId=77)
    source.visit(600, 500)
    source.assign(900, 600, 500, 601)
    source.invoice(700, 500, "389.10")
    source.payment(800, (700, "389.10"))
    assert record(source, "deals", "job:500/deal") == {
        "source_key": "job:500/deal",
        "root": 1,
        "title": "No Cooling — Acme #500",
        "org_id": "customer:1/organization",
        "person_id": "customer:1/person",
        "owner_id": "tech@example.com",
        "visible_to": "everyone",
        "pipeline_id": "Dispatch Pro Jobs",
        "stage_id": "Completed",
        "status": "won",
        "value": 389.1,
        "currency": "USD",
        "won_time": "2025-10-24T21:10:05Z",
        "lost_time": None,
        "lost_reason": None,
        "label_ids": None,
        "add_time": "2025-10-24T14:59:42Z",
        "Source_Key__c": "job:500/deal",
        "Source_System_Job_ID__c": "500",
        "Job_Type__c": "No Cooling",
        "Dispatch_Pro_Priority__c": "Normal",
        "Invoice_Amount__c": {"value": 389.1, "currency": "USD"},
        "Payment_Status__c": "Paid",
        "Original_Created_At__c": CREATED,
        "Original_Created_Date__c": "2025-10-24",
        "Technician_ID__c": "601",
        "Technicians__c": None,
        "Job_Summary__c": "No cooling\nupstairs",
        "Recall_For_Job__c": "490",
        "Warranty_For_Job__c": None,
        "Project__c": "77",
    }


@pytest.mark.promise("R031")
def test_r031_an_appointment_with_start_and_end_is_a_meeting() -> None:
    source = tenant()
    source.job(500, 1, 10, jobTypeId=2)
    source.visit(600, 500, end="2025-10-24T21:30:00Z")
    visit = record(source, "activities", "appointment:600/activity")
    assert (visit["type"], visit["due_date"], visit["due_time"], visit["duration"]) == (
        "meeting", "2025-10-24", "19:00", "02:30"
    )  # fmt: skip


@pytest.mark.promise("R031")
@pytest.mark.parametrize("fields", [{"unused": True}, {"status": "Hold"}])
def test_r031_a_work_order_without_a_visit_is_a_task_without_a_time(fields: dict[str, Any]) -> None:
    source = tenant()
    source.job(500, 1, 10, "Hold")
    source.visit(600, 500, **fields)
    visit = record(source, "activities", "appointment:600/activity")
    assert (visit["type"], visit["due_date"], visit["due_time"], visit["duration"]) == (
        "task", "2025-10-24", None, None
    )  # fmt: skip


def test_an_activity_bears_its_stamp_in_the_last_line_of_its_note() -> None:
    source = tenant()
    source.job(500, 1, 10)
    source.visit(51000001, 500, "Done", specialInstructions="Dog <bites>")
    visit = record(source, "activities", "appointment:51000001/activity")
    lines = visit["note"].split("<br>")
    assert lines[0] == "Dog &lt;bites&gt;"
    assert lines[-1] == "[Dispatch Pro appointment 51000001]"
    assert visit["done"] is True
    assert visit["participants"] == ["customer:1/person"]
    assert visit["location"]["value"] == "123 Main St, Phoenix, AZ 85001, USA"


@pytest.mark.promise("R036", "R037")
def test_r036_further_sites_are_fields_of_the_organization() -> None:
    source = tenant()
    for number in range(11, 16):
        source.location(number, 1, f"Store {number}", address=address(f"{number} Elm St"))
    organization = record(source, "organizations", "customer:1/organization")
    assert organization["address"]["route"] == "123 Main St"
    assert [organization[f"Site_{n}_Address__c"]["route"] for n in (2, 3, 4)] == [
        "11 Elm St",
        "12 Elm St",
        "13 Elm St",
    ]
    assert organization["Additional_Sites__c"].splitlines() == [
        "Store 14: 14 Elm St, Phoenix, AZ 85001, USA",
        "Store 15: 15 Elm St, Phoenix, AZ 85001, USA",
    ]


def test_a_clean_tenant_has_no_problems_and_a_long_name_is_one() -> None:
    source = tenant()
    source.job(500, 1, 10)
    source.visit(600, 500)
    assert problems(source) == []
    source.customer(2, "N" * 300)
    assert problems(source) == [("persons", "customer:2/person", "name")]


def problems(source: Source) -> list[tuple[str, str, str]]:
    frames = source.normalize()
    found = {entity: applied(MAPS[entity], getattr(frames, entity), USD).problems for entity in MAPS}
    return [
        (entity, row.source_key, row.field) for entity, rows in found.items() for row in rows.itertuples()
    ]
