from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch_to_pipedrive_tests.normalize.source import Source, reasons, row


def tenant() -> Source:
    source = Source()
    source.customer(1, "Acme", "Commercial")
    source.location(10, 1)
    source.named("job_types", 1, "No Cooling")
    source.named("business_units", 1, "HVAC - Service")
    return source


@pytest.mark.promise("R009", "R028")
def test_r009_the_creation_keeps_every_digit_of_the_source() -> None:
    source = tenant()
    for number, at in enumerate(
        ["2025-10-24T14:59:42Z", "2025-10-24T14:59:42.1Z", "2025-10-24T14:59:42.1031234Z"]
    ):
        source.job(500 + number, 1, createdOn=at)
    source.job(510, 1, createdOn="2025-10-24T07:59:42.12-07:00")
    source.job(511, 1, createdOn="0001-01-01T00:00:00Z")
    created = dict(zip(*(source.normalize().deals[name] for name in ("job_id", "created_at")), strict=True))
    assert created[502] == "2025-10-24T14:59:42.1031234Z"
    assert created[510] == "2025-10-24T14:59:42.12Z"
    assert [created[500], created[501]] == ["2025-10-24T14:59:42Z", "2025-10-24T14:59:42.1Z"]
    assert created[511] is not created[500]


@pytest.mark.promise("R048")
@pytest.mark.parametrize(
    ("totals", "applied", "job_total", "value", "status"),
    [
        ([], [], 389.0, "389.00", "no_invoice"),
        ([], [], None, "0.00", "no_invoice"),
        (["389.00"], [], 1.0, "389.00", "unpaid"),
        (["389.00"], ["100.00"], None, "389.00", "partially_paid"),
        (["389.00"], ["100.00", "289.00"], None, "389.00", "paid"),
        (["389.00"], ["400.00"], None, "389.00", "paid"),
        (["389.00", "-400.00"], [], None, "-11.00", "credit"),
        (["0.00"], [], 50.0, "0.00", "paid"),
        (["0.10", "0.20", None], [], None, "0.30", "unpaid"),
        (["100.005"], [], None, "100.01", "unpaid"),
        (["-100.005"], [], None, "-100.01", "credit"),
    ],
)
def test_r048_value_and_payment_status(
    totals: list[str | None], applied: list[str], job_total: float | None, value: str, status: str
) -> None:
    source = tenant()
    source.job(500, 1, total=job_total)
    for number, total in enumerate(totals):
        source.invoice(700 + number, 500, total)
    source.invoice(790, 500, "999.00", active=False)
    for number, amount in enumerate(applied):
        source.payment(800 + number, (700, amount))
    source.payment(890, (700, "999.00"), active=False) if totals else None
    deal = row(source.normalize().deals, "job:500/deal")
    assert (deal["value"], deal["payment_status"]) == (Decimal(value), status)


@pytest.mark.promise("R048")
@settings(max_examples=12, deadline=None)
@given(st.lists(st.lists(st.decimals(-9999, 99999, places=2), max_size=4), min_size=1, max_size=5))
def test_the_sum_of_values_equals_the_source_to_the_cent(bills: list[list[Decimal]]) -> None:
    source = tenant()
    for number, totals in enumerate(bills):
        source.job(500 + number, 1)
        for position, total in enumerate(totals):
            source.invoice(700 + number * 10 + position, 500 + number, str(total))
    values = source.normalize().deals["value"]
    assert sum(map(Decimal, values)) == sum((total for totals in bills for total in totals), Decimal(0))


@pytest.mark.promise("R048")
def test_a_payment_on_another_customers_invoice_counts_there_only() -> None:
    source = tenant()
    source.customer(2)
    source.job(500, 1)
    source.job(501, 2)
    source.invoice(700, 500, "10.00")
    source.invoice(701, 501, "10.00")
    source.payment(800, (700, "10.00"), (701, "10.00"))
    made = source.normalize()
    assert row(made.deals, "job:500/deal")["payment_status"] == "paid"
    assert row(made.deals, "job:501/deal")["payment_status"] == "unpaid"
    assert reasons(made, "payments.applied_to") == {800: "applied to no active invoice of a carried job"}


@pytest.mark.promise("R039")
def test_r039_the_owner_is_the_technician_assigned_last() -> None:
    source = tenant()
    for number in (601, 602, 603):
        source.technician(number, f"tech{number}@example.com")
    source.job(500, 1, soldById=603)
    source.visit(600, 500)
    source.assign(900, 600, 500, 602, "2025-01-02T00:00:00.1Z")
    source.assign(901, 600, 500, 601, "2025-01-02T00:00:00Z")
    source.assign(902, 600, 500, 603, "2025-01-03T00:00:00Z", active=False)
    made = source.normalize()
    deal = row(made.deals, "job:500/deal")
    assert (deal["technician_id"], deal["owner_email"]) == (602, "tech602@example.com")
    assert deal["technicians"] == ["Tech 601 (601)"]
    assert reasons(made, "appointment_assignments") == {902: "inactive assignment"}


@pytest.mark.promise("R039")
def test_r039_without_an_assignment_who_sold_the_job_owns_it() -> None:
    source = tenant()
    source.technician(603, " Tech603@Example.com ")
    source.job(500, 1, soldById=603)
    source.job(501, 1, soldById=0)
    made = source.normalize()
    assert row(made.deals, "job:500/deal")["owner_email"] == "Tech603@Example.com"
    nobody = row(made.deals, "job:501/deal")
    assert (nobody["technician_id"], nobody["owner_email"], nobody["technicians"]) == (None, None, None)


@pytest.mark.promise("R040")
def test_r040_a_technician_without_an_e_mail_is_named_by_id_so_that_people_can_decide() -> None:
    source = tenant()
    source.technician(604, None)
    source.job(500, 1, soldById=604)
    assert row(source.normalize().deals, "job:500/deal")["owner_email"] == "604"


@pytest.mark.promise("R041")
def test_a_technician_nobody_knows_still_gives_its_id_and_name() -> None:
    source = tenant()
    source.job(500, 1)
    source.visit(600, 500)
    source.assign(900, 600, 500, 699)
    source.assign(901, 600, 500, 698, "2026-01-01T00:00:00Z")
    deal = row(source.normalize().deals, "job:500/deal")
    assert (deal["technician_id"], deal["owner_email"], deal["technicians"]) == (
        698,
        None,
        ["Tech 699 (699)"],
    )


@pytest.mark.promise("R027")
def test_r027_how_a_job_ended() -> None:
    source = tenant()
    source.named("job_cancel_reasons", 5, "Too expensive")
    source.job(500, 1, status="Completed", completedOn="2025-10-24T21:10:05.3321Z")
    source.job(501, 1, status="Canceled", completedOn="2025-10-24T21:10:05.3321Z")
    source.job(502, 1, status="Canceled")
    source.job(503, 1, status="Scheduled")
    source.add("job_canceled_logs", 1, jobId=501, reasonId=9, createdOn="2025-01-01T00:00:00Z")
    source.add(
        "job_canceled_logs", 2, jobId=501, reasonId=5, createdOn="2025-01-01T00:00:00.5Z", memo="Went away"
    )
    source.add("job_canceled_logs", 3, jobId=501, reasonId=9, createdOn="2025-02-01T00:00:00Z", active=False)
    source.add("job_canceled_logs", 4, jobId=503, reasonId=9, createdOn="2025-02-01T00:00:00Z")
    made = source.normalize()
    won, lost, vague, open_ = (row(made.deals, f"job:{number}/deal") for number in (500, 501, 502, 503))
    assert (won["won_at"], won["lost_at"]) == ("2025-10-24T21:10:05.3321Z", None)
    assert (lost["won_at"], lost["lost_at"]) == (None, "2025-01-01T00:00:00.5Z")
    assert (lost["cancel_reason"], lost["cancel_memo"]) == ("Too expensive", "Went away")
    assert (vague["lost_at"], vague["cancel_reason"]) == (None, None)
    assert (open_["lost_at"], open_["cancel_reason"]) == (None, None)
    assert set(reasons(made, "job_canceled_logs")) == {1, 3, 4}


@pytest.mark.promise("R045")
def test_r045_both_priorities_are_read() -> None:
    source = tenant()
    source.job(500, 1, priority="Urgent")
    fields = [
        {"typeId": 7, "name": "dispatch pro priority ", "value": " P1 Emergency "},
        {"name": "Gate", "value": "1"},
    ]
    source.job(501, 1, customFields=fields)
    made = source.normalize()
    assert row(made.deals, "job:500/deal")["priority_bucket"] is None
    assert row(made.deals, "job:500/deal")["priority"] == "Urgent"
    assert row(made.deals, "job:501/deal")["priority_bucket"] == "P1 Emergency"
    assert reasons(made, "jobs.custom_fields") == {501: "custom field not in the map: Gate"}


def test_a_job_of_nobody_and_a_deleted_one_are_counted_and_their_visits_too() -> None:
    source = tenant()
    source.job(500, 99)
    source.job(501, 1, active=False)
    source.visit(600, 500)
    source.visit(601, 501)
    source.invoice(700, 501, "5.00")
    made = source.normalize()
    assert (len(made.deals), len(made.activities)) == (0, 0)
    assert reasons(made, "jobs") == {500: "its customer is not in the export", 501: "deleted job"}
    assert set(reasons(made, "appointments").values()) == {"its job is not carried"}
    assert reasons(made, "invoices") == {700: "its job is not carried"}


def test_a_job_type_nobody_knows_is_counted() -> None:
    source = tenant()
    source.job(500, 1, jobTypeId=77)
    made = source.normalize()
    assert row(made.deals, "job:500/deal")["job_type"] is None
    assert reasons(made, "jobs.job_type_id") == {500: "job type 77 is not in the export"}
