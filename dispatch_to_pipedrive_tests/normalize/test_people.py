import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch_to_pipedrive_tests.normalize.source import HOME, Source, address, reasons, row


@pytest.mark.promise("R011", "R034")
def test_r034_a_residential_customer_is_one_person_and_no_organization() -> None:
    source = Source()
    source.customer(1, "Jane Doe")
    source.location(10, 1)
    source.contact(100, 1, "Email", "jane@example.com", memo="Private")
    source.site_contact(101, 10, "MobilePhone", "555-0101")
    made = source.normalize()
    assert len(made.organizations) == 0
    assert list(made.persons["source_key"]) == ["customer:1/person"]
    person = row(made.persons, "customer:1/person")
    assert person["organization_key"] is None
    assert person["emails"] == [{"value": "jane@example.com", "label": "Private", "primary": True}]
    assert person["phones"] == [{"value": "555-0101", "label": "mobile", "primary": True}]
    assert person["site_1_street"] == "123 Main St"


@pytest.mark.promise("R011", "R033")
def test_r033_a_commercial_customer_is_an_organization_and_its_people() -> None:
    source = Source()
    source.customer(1, "Acme HVAC", "Commercial")
    source.location(10, 1, "Store 1")
    source.location(11, 1, "Store 2", address=address("9 Elm St"))
    source.contact(100, 1, "Phone", "(555) 010-1000")
    source.contact(101, 1, "Email", "Office@Acme.example")
    source.site_contact(102, 10, "Phone", "5550101000")
    source.site_contact(103, 11, "Email", "store2@acme.example")
    source.site_contact(104, 11, "Email", "office@acme.example")
    made = source.normalize()
    assert row(made.organizations, "customer:1/organization")["name"] == "Acme HVAC"
    assert set(made.persons["source_key"]) == {"customer:1/person", "location:11/person"}
    first = row(made.persons, "customer:1/person")
    assert (first["name"], first["organization_key"]) == ("Acme HVAC", "customer:1/organization")
    assert [item["label"] for item in first["phones"]] == ["work"]
    assert first["site_1_street"] is None
    site = row(made.persons, "location:11/person")
    assert (site["name"], site["organization_key"]) == ("Acme HVAC – Store 2", "customer:1/organization")
    assert [item["value"] for item in site["emails"]] == ["store2@acme.example", "office@acme.example"]
    assert [item["primary"] for item in site["emails"]] == [True, False]
    assert reasons(made, "location_contacts") == {
        102: "the customer has all phones and e-mails of this location"
    }


@pytest.mark.promise("R033", "R067")
def test_the_same_email_or_phone_is_written_once() -> None:
    source = Source()
    source.customer(1)
    source.contact(100, 1, "Email", "Jane@Example.com")
    source.contact(101, 1, "Email", " jane@example.COM ", memo="Home")
    source.contact(102, 1, "Phone", "555-0101")
    source.contact(103, 1, "MobilePhone", "(555) 0101")
    made = source.normalize()
    person = row(made.persons, "customer:1/person")
    assert [item["value"] for item in person["emails"]] == ["Jane@Example.com"]
    assert [item["value"] for item in person["phones"]] == ["555-0101"]
    assert person["contact_memo"] == "jane@example.COM: Home"
    assert set(reasons(made, "customer_contacts")) == {101, 103}


@pytest.mark.promise("R033")
def test_a_memo_that_cannot_be_a_label_is_kept_in_the_contact_memo() -> None:
    source = Source()
    source.customer(1)
    source.contact(100, 1, "Phone", "555-0101", memo="Only after five in the afternoon, please, on weekdays")
    source.contact(101, 1, "Fax", "555-0102", memo="Back office")
    source.contact(102, 1, "Phone", "555-0103", memo="Spouse")
    person = row(source.normalize().persons, "customer:1/person")
    assert [(item["value"], item["label"]) for item in person["phones"]] == [
        ("555-0101", "home"),
        ("555-0103", "Spouse"),
        ("555-0102", "fax"),
    ]
    assert person["contact_memo"] == (
        "555-0101: Only after five in the afternoon, please, on weekdays\n555-0102: Back office"
    )


def test_contacts_that_are_not_carried_are_counted_with_a_reason() -> None:
    source = Source()
    source.customer(1)
    source.contact(100, 1, "Phone", "555-0101", active=False)
    source.contact(101, 1, "Phone", "  ")
    source.contact(102, 1, "Carrier pigeon", "Betty")
    source.contact(103, 99, "Phone", "555-0101")
    assert reasons(source.normalize(), "customer_contacts") == {
        100: "inactive contact",
        101: "contact without a value",
        102: "contact of the unknown type carrier pigeon",
        103: "its customer is not in the export",
    }


@pytest.mark.promise("R067")
def test_a_merged_customers_records_belong_to_the_winner() -> None:
    source = Source()
    source.customer(1, "Winner", "Commercial")
    source.customer(2, "Loser", active=False, mergedToId=1)
    source.customer(3, "First loser", active=False, mergedToId=2)
    source.location(10, 1)
    source.location(30, 3, address=address("9 Elm St"))
    source.contact(100, 3, "Email", "old@example.com")
    source.job(500, 3, 30)
    made = source.normalize()
    assert list(made.organizations["source_key"]) == ["customer:1/organization"]
    assert row(made.organizations, "customer:1/organization")["site_2_street"] == "9 Elm St"
    assert row(made.persons, "customer:1/person")["emails"][0]["value"] == "old@example.com"
    deal = row(made.deals, "job:500/deal")
    assert (deal["organization_key"], deal["person_key"]) == ("customer:1/organization", "customer:1/person")
    assert reasons(made, "customers") == {2: "merged into customer 1", 3: "merged into customer 1"}


def test_an_inactive_customer_is_carried() -> None:
    source = Source()
    source.customer(1, active=False)
    assert list(source.normalize().persons["source_key"]) == ["customer:1/person"]


@pytest.mark.promise("R036")
def test_r036_the_primary_site_is_the_one_at_the_customers_address() -> None:
    source = Source()
    source.customer(1, "Acme", "Commercial")
    source.location(10, 1, "Depot", address=address("1 First St"))
    source.location(11, 1, "Closed", active=False)
    source.location(12, 1, "Head office", address={**HOME, "street": "123 MAIN ST"})
    source.location(13, 1, "Copy of the head office")
    acme = row(source.normalize().organizations, "customer:1/organization")
    assert [acme[f"site_{n}_street"] for n in range(1, 5)] == [
        "123 MAIN ST",
        "123 Main St",
        "1 First St",
        "123 Main St",
    ]
    assert acme["additional_sites"] is None


def test_a_customer_without_a_name_is_called_by_its_number() -> None:
    source = Source()
    source.customer(1, "  ")
    assert row(source.normalize().persons, "customer:1/person")["name"] == "Customer 1"


def test_a_customer_without_locations_has_its_own_address() -> None:
    source = Source()
    source.customer(1)
    assert row(source.normalize().persons, "customer:1/person")["site_1_street"] == "123 Main St"


def test_an_address_that_is_none_of_the_sites_is_listed_as_billing_address() -> None:
    source = Source()
    source.customer(1, address=address("PO Box 5"))
    source.location(10, 1)
    person = row(source.normalize().persons, "customer:1/person")
    assert person["site_1_street"] == "123 Main St"
    assert person["additional_sites"] == "Billing address: PO Box 5, Phoenix, AZ 85001, USA"


def test_the_number_of_site_columns_is_an_option() -> None:
    source = Source()
    source.customer(1)
    for number in range(3):
        source.location(10 + number, 1, address=address(f"{number} Elm St"))
    person = row(source.normalize(sites=1).persons, "customer:1/person")
    assert "site_2_street" not in person
    assert len(person["additional_sites"].splitlines()) == 3  # two sites and the billing address


def test_a_merged_location_gives_its_jobs_and_contacts_to_the_one_that_survives() -> None:
    source = Source()
    source.customer(1, "Acme", "Commercial")
    source.location(10, 1, "Gate", address=address("9 Elm St"))
    source.location(11, 1, "Gate (old)", active=False, mergedToId=10, address=address("9 Elm Street"))
    source.location(12, 1, "Gate (older)", active=False, mergedToId=11, address=address("9 Elm Str"))
    source.site_contact(100, 12, "Email", "gate@example.com")
    source.job(500, 1, 12)
    source.visit(600, 500)
    made = source.normalize()
    assert reasons(made, "locations") == {11: "merged into location 10", 12: "merged into location 10"}
    assert row(made.persons, "location:10/person")["emails"][0]["value"] == "gate@example.com"
    visit = row(made.activities, "appointment:600/activity")
    assert visit["location_street"] == "9 Elm St"
    assert visit["participant_keys"] == ["location:10/person", "customer:1/person"]


def test_a_circle_of_merged_locations_keeps_its_lowest() -> None:
    source = Source()
    source.customer(1)
    for number, target in ((10, 11), (11, 12), (12, 10), (13, 12)):
        source.location(number, 1, mergedToId=target)
    merged = dict.fromkeys((11, 12, 13), "merged into location 10")
    assert reasons(source.normalize(), "locations") == merged


@pytest.mark.promise("R067")
def test_a_location_of_another_customer_takes_no_part() -> None:
    source = Source()
    source.customer(1)
    source.customer(2)
    source.location(20, 2, address=address("9 Elm St"))
    source.job(500, 1, 20)
    source.visit(600, 500)
    made = source.normalize()
    assert row(made.activities, "appointment:600/activity")["location_street"] is None
    assert reasons(made, "jobs.location_id") == {500: "its location is not among the customer's"}


@pytest.mark.promise("R051", "R052")
def test_r051_tags_become_labels_by_name_and_verbatim() -> None:
    source = Source()
    source.named("tag_types", 1, "VIP ⭐")
    source.named("tag_types", 2, "don't Call")
    source.named("tag_types", 3, "  ")
    source.customer(1, "Acme", "Commercial", tagTypeIds=[2, 1, 2, 77])
    source.customer(2, "Blank", "Commercial", tagTypeIds=[3])
    made = source.normalize()
    for frame, key in ((made.organizations, "customer:1/organization"), (made.persons, "customer:1/person")):
        assert row(frame, key)["labels"] == ["don't Call", "VIP ⭐"]
    assert reasons(made, "customers.tag_type_ids") == {
        1: "tag 77 is not among the tag types that have a name",
        2: "tag 3 is not among the tag types that have a name",
    }


@pytest.mark.promise("R033")
@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.sampled_from(["a@x.example", "A@X.example", "b@x.example", "", None]), max_size=6),
    st.lists(st.sampled_from(["555-0101", "5550101", "555 0102", "ext.", ""]), max_size=6),
    st.sampled_from(["Residential", "Commercial"]),
)
def test_every_person_has_each_value_once_and_one_primary(
    emails: list[str | None], phones: list[str], kind: str
) -> None:
    source = Source()
    source.customer(1, "Acme", kind)
    source.location(10, 1)
    for number, value in enumerate([*emails, *phones]):
        add, owner = (source.contact, 1) if number % 2 else (source.site_contact, 10)
        add(100 + number, owner, "Email" if number < len(emails) else "Phone", value)  # type: ignore[arg-type]
    made = source.normalize()
    left = made.not_carried["feed"].str.endswith("_contacts").sum()
    kept = 0
    for key in made.persons["source_key"]:
        person = row(made.persons, key)
        for name in ("emails", "phones"):
            items = person[name] or []
            kept += len(items)
            assert [item["primary"] for item in items] == [number == 0 for number in range(len(items))]
            assert len({item["value"].casefold() for item in items}) == len(items)
    assert kept + left == len(emails) + len(phones)
