import pytest

from dispatch_to_pipedrive_tests.normalize.source import Source, reasons, row


def tenant(status: str = "Scheduled") -> Source:
    source = Source()
    source.customer(1, "Acme", "Commercial")
    source.location(10, 1)
    source.named("job_types", 1, "No Cooling")
    source.named("business_units", 1, "HVAC - Service")
    source.job(500, 1, 10, status)
    return source


@pytest.mark.promise("R030", "R032")
def test_r030_each_active_appointment_is_one_activity_on_its_deal() -> None:
    source = tenant()
    for number in (600, 601, 602):
        source.visit(number, 500)
    source.visit(603, 500, active=False)
    made = source.normalize()
    assert list(made.activities["appointment_id"]) == [600, 601, 602]
    visit = row(made.activities, "appointment:600/activity")
    assert (visit["deal_key"], visit["organization_key"]) == ("job:500/deal", "customer:1/organization")
    assert visit["participant_keys"] == ["customer:1/person"]
    assert reasons(made, "appointments") == {603: "deleted appointment"}


@pytest.mark.promise("R031")
def test_r031_a_visit_needs_start_and_end_and_must_stand() -> None:
    source = tenant("Hold")
    source.visit(600, 500)
    source.visit(601, 500, end=None)
    source.visit(602, 500, unused=True)
    source.visit(603, 500, status="Hold")
    source.visit(604, 500, status="Done")
    made = source.normalize().activities.set_index("appointment_id")
    assert made["visit"].to_dict() == {
        600: "scheduled", 601: "none", 602: "none", 603: "none", 604: "scheduled"
    }  # fmt: skip
    assert made["visit_start"].notna().to_dict() == {600: True, 601: True, 602: False, 603: False, 604: True}
    assert made["start"].notna().all()


def test_the_owner_of_a_visit_is_its_own_technician_else_the_deals() -> None:
    source = tenant()
    source.technician(601, "one@example.com")
    source.technician(602, "two@example.com")
    source.visit(600, 500)
    source.visit(601, 500)
    source.visit(602, 500)
    source.assign(900, 600, 500, 601, "2025-01-01T00:00:00Z")
    source.assign(901, 601, 500, 602, "2025-01-02T00:00:00Z")
    made = source.normalize()
    owners = [
        row(made.activities, f"appointment:{number}/activity")["owner_email"] for number in (600, 601, 602)
    ]
    assert owners == ["one@example.com", "two@example.com", "two@example.com"]
    assert row(made.activities, "appointment:600/activity")["technicians"] == ["Tech 601 (601)"]


@pytest.mark.promise("R022")
def test_actual_times_are_the_first_arrival_and_the_last_leaving() -> None:
    source = tenant()
    source.visit(600, 500)
    times = [("19:04:55.9", "21:10:05"), ("19:04:55", "21:10:05.3321")]
    for number, (arrived, done) in enumerate(times):
        source.add(
            "job_timesheets",
            number,
            jobId=500,
            appointmentId=600,
            arrivedOn=f"2025-10-24T{arrived}Z",
            doneOn=f"2025-10-24T{done}Z",
        )
    source.add(
        "job_timesheets", 9, jobId=500, appointmentId=600, arrivedOn="2020-01-01T00:00:00Z", active=False
    )
    made = source.normalize()
    visit = row(made.activities, "appointment:600/activity")
    assert (visit["arrived_at"], visit["done_at"]) == ("2025-10-24T19:04:55Z", "2025-10-24T21:10:05.3321Z")
    assert reasons(made, "job_timesheets") == {9: "inactive timesheet"}
