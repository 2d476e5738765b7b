import pytest

from dispatch_to_pipedrive_tests.normalize.source import CREATED, Source, row

LATER = "2025-11-25T16:00:00Z"


def tenant(kind: str = "Commercial") -> Source:
    source = Source()
    source.customer(1, "Acme", kind)
    source.location(10, 1, "Store 1")
    source.contact(100, 1, "Phone", "555-0101")
    return source


def key(guid: str) -> str:
    return f"contact:{guid.lower()}/person"


@pytest.mark.promise("R033")
def test_the_contact_that_a_customer_had_first_gives_its_person_the_name() -> None:
    source = tenant()
    source.person(1, 1, "Archived", isArchived=True)
    late = source.person(2, None, "Bob Late", customerId=1, also=[("customer", 1, LATER)])
    source.person(
        3, 1, " Jane First ", title="Owner", methods=[("Email", "jane@acme.example"), ("Phone", "5550101")]
    )
    made = source.normalize()
    assert list(made.persons["source_key"]) == [key(late), "customer:1/person"]
    first = row(made.persons, "customer:1/person")
    assert (first["name"], first["title"], first["organization_key"]) == (
        "Jane First",
        "Owner",
        "customer:1/organization",
    )
    assert first["contact_memo"] == "Title: Owner"
    assert [item["value"] for item in first["phones"]] == ["555-0101"]
    assert [item["value"] for item in first["emails"]] == ["jane@acme.example"]
    assert row(made.organizations, "customer:1/organization")["name"] == "Acme"
    left = made.not_carried
    assert set(left.loc[left["feed"] == "named_contacts", "reason"]) == {"archived contact"}
    same = left[left["feed"] == "named_contacts.methods"]
    assert list(same["reason"]) == ["the person has the same value already"]


@pytest.mark.promise("R033")
def test_each_further_contact_is_a_person_of_its_own() -> None:
    source = tenant()
    source.person(1, 1, "Jane")
    bob = source.person(
        2, None, "Bob", customerId=1, title="Facilities", also=[("customer", 1, LATER)],
        methods=[("MobilePhone", "555-0202"), ("Email", "bob@acme.example"), ("Pager", "1")],
    )  # fmt: skip
    nameless = source.person(3, None, " ", customerId=1, also=[("customer", 1, LATER)])
    made = source.normalize()
    person = row(made.persons, key(bob))
    assert (person["name"], person["title"], person["created_at"]) == ("Bob", "Facilities", CREATED)
    assert person["organization_key"] == "customer:1/organization"
    assert person["phones"] == [{"value": "555-0202", "label": "mobile", "primary": True}]
    assert person["emails"] == [{"value": "bob@acme.example", "label": "work", "primary": True}]
    assert (person["labels"], person["custom_fields"], person["site_1_street"]) == (None, None, None)
    assert row(made.persons, key(nameless))["name"] == "Contact of Acme"
    left = made.not_carried[made.not_carried["feed"] == "named_contacts.methods"]
    assert left[["key", "reason"]].to_numpy().tolist() == [[bob, "contact of the unknown type pager"]]


def test_a_contact_of_a_location_says_which_one() -> None:
    source = tenant("Residential")
    guid = source.person(1, None, "Gate keeper", locationId=10, also=[("location", 10, CREATED)])
    made = source.normalize()
    person = row(made.persons, key(guid))
    assert (person["organization_key"], person["location_id"]) == (None, None)
    assert person["contact_memo"] == "Contact of Acme\nLocation: Store 1, 123 Main St, Phoenix, AZ 85001, USA"
    assert row(made.persons, "customer:1/person")["name"] == "Acme"


def test_a_contact_of_several_customers_is_a_person_at_the_first() -> None:
    source = tenant()
    source.customer(2, "Other", "Commercial")
    guid = source.person(1, 1, "Jane", also=[("customer", 2, LATER)])
    made = source.normalize()
    assert row(made.persons, "customer:1/person")["name"] == "Jane"
    assert row(made.persons, "customer:2/person")["name"] == "Other"
    left = made.not_carried[made.not_carried["feed"] == "named_contacts.relationships"]
    assert list(left["key"]) == [guid]
    assert list(left["reason"]) == [
        "a contact is one person, at the first of its customers; also of customer 2"
    ]


def test_the_person_of_a_site_stays_who_it_was() -> None:
    source = tenant()
    source.location(11, 1, "Depot")
    source.site_contact(101, 11, "Email", "depot@acme.example")
    source.person(1, 1, "Jane")
    made = source.normalize()
    assert row(made.persons, "location:11/person")["name"] == "Acme – Depot"
    assert set(made.persons["source_key"]) == {"customer:1/person", "location:11/person"}


@pytest.mark.promise("R063")
def test_the_owner_of_a_customer_is_that_of_its_newest_job() -> None:
    source = tenant()
    source.customer(2)
    for number, (job, created) in enumerate([(500, LATER), (501, CREATED), (502, LATER)]):
        source.technician(601 + number, f"t{job}@example.com")
        source.job(job, 1, createdOn=created, soldById=601 + number)
    guid = source.person(1, None, "Bob", locationId=10, also=[("location", 10, CREATED)])
    made = source.normalize()
    assert row(made.organizations, "customer:1/organization")["owner_email"] == "t502@example.com"
    assert row(made.persons, "customer:1/person")["owner_email"] == "t502@example.com"
    assert row(made.persons, key(guid))["owner_email"] == "t502@example.com"
    assert row(made.persons, "customer:2/person")["owner_email"] is None
