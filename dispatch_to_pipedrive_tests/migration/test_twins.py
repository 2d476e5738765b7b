"""Likely twins are found by what both sides have, and by nothing less."""

import pandas as pd

from dispatch_to_pipedrive.migration.twins import (
    COLUMNS,
    EMAIL,
    JOB_NUMBER,
    NAME,
    NAME_AND_PHONE,
    account_keys,
    match,
    no_twins,
    source_keys,
)

CUSTOMERS = pd.DataFrame(
    {
        "id": [1, 2, 3, 4],
        "root": [1, 2, 3, 3],
        "name": ["Acme, Inc.", "Jane Doe", "Ümit & Söhne", "Merged"],
        "type": ["Commercial", "Residential", "Commercial", "Commercial"],
    }
).astype({"id": "Int64", "root": "Int64", "name": "string", "type": "string"})
CONTACTS = pd.DataFrame(
    {
        "root": [2, 2, 3, 1],
        "type": ["Email", "MobilePhone", "Phone", "Email"],
        "value": [" Jane@X.example", "(408) 555-0100", "12", "old@acme.example"],
        "active": [True, None, True, False],
    }
).astype({"root": "Int64", "type": "string", "value": "string", "active": "boolean"})
JOBS = pd.DataFrame({"id": [50, 51], "job_number": ["5000077", "12"]}).astype(
    {"id": "Int64", "job_number": "string"}
)


def found(entity: str, *records: dict[str, object]) -> list[tuple[int, str, str]]:
    frames = {
        "customers": CUSTOMERS,
        "customer_contacts": CONTACTS,
        "location_contacts": CONTACTS.head(0),
        "jobs": JOBS,
    }
    pairs = match(account_keys(entity, records), source_keys(frames))
    assert tuple(pairs.columns) == COLUMNS
    return list(pairs[["pipedrive_id", "source_key", "why"]].itertuples(index=False, name=None))


def test_organizations_are_alike_by_their_folded_name() -> None:
    assert found("organizations", {"id": 9, "name": "ACME  inc"}, {"id": 10, "name": "ümit söhne"}) == [
        (9, "customer:1/organization", NAME),
        (10, "customer:3/organization", NAME),
    ]
    assert found("organizations", {"id": 9, "name": "Jane Doe"}, {"id": 8, "name": "…"}) == []


def test_persons_are_alike_by_an_email_or_by_name_and_phone_and_the_stronger_reason_is_told() -> None:
    both = {
        "id": 1,
        "name": "jane doe",
        "emails": [{"value": "JANE@x.example "}],
        "phones": [{"value": "+1 408 5550100"}],
    }
    phone = {"id": 2, "name": "Jane  Doe", "emails": [], "phones": [{"value": "4085550100"}]}
    name_only = {"id": 3, "name": "Jane Doe"}
    phone_only = {"id": 4, "name": "John Doe", "phones": [{"value": "4085550100"}]}
    assert found("persons", both, phone, name_only, phone_only) == [
        (1, "customer:2/person", EMAIL),
        (2, "customer:2/person", NAME_AND_PHONE),
    ]


def test_inactive_contacts_and_short_numbers_make_no_twins() -> None:
    assert found("persons", {"id": 1, "name": "Acme, Inc.", "emails": [{"value": "old@acme.example"}]}) == []
    assert found("persons", {"id": 1, "name": "Ümit & Söhne", "phones": [{"value": "12"}]}) == []


def test_deals_are_alike_by_the_jobs_number_in_their_title() -> None:
    assert found("deals", {"id": 1, "title": "Repair (job 5000077)"}, {"id": 2, "title": "12 rooms"}) == [
        (1, "job:50/deal", JOB_NUMBER)
    ]


def test_an_account_without_others_has_no_twins() -> None:
    assert found("persons") == []
    assert no_twins().empty
    assert tuple(no_twins().columns) == COLUMNS
