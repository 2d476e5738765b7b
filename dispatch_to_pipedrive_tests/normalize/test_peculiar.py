"""What is peculiar to this pair of platforms has its rule: each case in one story."""

import pytest

from dispatch_to_pipedrive_tests.normalize.source import Source, reasons, row


@pytest.mark.promise("R067")
def test_an_e_mail_that_two_customers_share_stays_with_both_and_merges_nobody() -> None:
    source = Source()
    for number, name in ((1, "Jane Doe"), (2, "John Doe")):
        source.customer(number, name)
        source.contact(100 + number, number, "Email", "doe@example.com")
    made = source.normalize()
    assert list(made.persons["source_key"]) == ["customer:1/person", "customer:2/person"]
    for key in made.persons["source_key"]:
        assert [item["value"] for item in row(made.persons, key)["emails"]] == ["doe@example.com"]
    assert reasons(made, "customer_contacts") == {}


@pytest.mark.promise("R067")
def test_a_job_at_another_customers_site_keeps_its_own_customer() -> None:
    source = Source()
    source.customer(1, "Tenant")
    source.customer(2, "Landlord", "Commercial")
    source.location(20, 2)
    source.job(500, 1, 20)
    source.visit(600, 500)
    made = source.normalize()
    deal = row(made.deals, "job:500/deal")
    assert (deal["person_key"], deal["organization_key"]) == ("customer:1/person", None)
    assert row(made.activities, "appointment:600/activity")["deal_key"] == "job:500/deal"
    assert reasons(made, "jobs.location_id") == {500: "its location is not among the customer's"}


@pytest.mark.promise("R067")
def test_a_held_job_is_open_and_its_visit_without_a_day_is_no_meeting() -> None:
    source = Source()
    source.customer(1)
    source.location(10, 1)
    source.job(500, 1, 10, "Hold")
    source.visit(600, 500, status="Hold")
    made = source.normalize()
    deal = row(made.deals, "job:500/deal")
    assert (deal["job_status"], deal["won_at"], deal["lost_at"]) == ("Hold", None, None)
    assert row(made.activities, "appointment:600/activity")["visit"] == "none"


@pytest.mark.promise("R067")
def test_recalls_warranties_and_projects_are_named_by_their_ids_as_text() -> None:
    source = Source()
    source.customer(1)
    source.customer(2)
    source.job(500, 1)
    source.job(501, 2, recallForId=500, warrantyId=499, projectId=77)
    made = source.normalize()
    deal = row(made.deals, "job:501/deal")
    assert (deal["recall_for"], deal["warranty_for"], deal["project"]) == ("500", "499", "77")
    first = row(made.deals, "job:500/deal")
    assert (first["recall_for"], first["warranty_for"], first["project"]) == (None, None, None)
