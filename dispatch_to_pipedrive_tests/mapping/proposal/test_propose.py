"""Candidates, vetoes, verdicts."""

import pytest

from dispatch_to_pipedrive.mapping.proposal import AccountField, Catalogue, open_slots, propose, worth_asking
from dispatch_to_pipedrive.mapping.proposal.likeness import of_fields, of_values
from dispatch_to_pipedrive.mapping.proposal.targets import logical_name

from .world import base_maps, profile, proposed

JOBS = "jobs.custom_fields"


def only(
    *fields: tuple[str, str, list[str]], account: Catalogue | None = None, **defined: tuple[str, list[str]]
):  # type: ignore[no-untyped-def]
    found = proposed(*fields, **({"account": account} if account else {}), **defined)  # type: ignore[arg-type]
    [one] = found.values()
    return one


def targets_of(proposal) -> list[str]:  # type: ignore[no-untyped-def]
    return [one.target for one in proposal.candidates]


def test_the_same_name_and_type_is_sure_and_a_new_field_is_still_offered() -> None:
    one = only((JOBS, "Permit Number", ["A", "B"]), Permit_Number=("Text", []))
    assert one.verdict == "sure"
    assert targets_of(one) == ["account:Permit Number", "create"]
    [(name, field)] = one.candidates[0].fields.items()
    assert (name, field.adopts, field.args, field.from_) == (
        "Permit_Number__c",
        "Permit Number",
        {"name": "Permit Number"},
        "custom_fields",
    )


def test_a_type_that_cannot_hold_the_values_is_a_veto() -> None:
    one = only((JOBS, "Expected close date", ["soon", "2025-01-01"]), Expected_close_date=("Text", []))
    assert (one.verdict, targets_of(one)) == ("create", ["create"])


def test_choices_that_the_account_lacks_are_added_and_said() -> None:
    one = only((JOBS, "Roof Type", ["Tile"]), Roof_Type=("Dropdown", ["Tile", "Shingle"]))
    assert one.verdict == "likely"
    assert "adds 1 choices" in one.candidates[0].reason
    assert one.candidates[0].fields["Roof_Type__c"].value_map == {"Tile": "Tile", "Shingle": "Shingle"}


def test_of_two_fields_of_one_name_in_the_account_none_is_offered() -> None:
    assert targets_of(only((JOBS, "Twice", ["a"]))) == ["create"]


def test_two_fields_that_want_one_target_get_one_each_and_neither_is_sure() -> None:
    found = proposed((JOBS, "Permit Number", ["A"]), (JOBS, "Permit #", ["B"]))
    first = {name: one.candidates[0].target for name, one in found.items()}
    assert first == {
        "deals/jobs.custom_fields/Permit Number": "account:Permit Number",
        "deals/jobs.custom_fields/Permit #": "create",
    }
    assert {one.verdict for one in found.values()} == {"likely", "create"}


@pytest.mark.parametrize("name", ["test", "asdf", "Custom Field 12", "zzz old", "do not use", "???"])
def test_a_name_that_says_nothing_is_left_to_people(name: str) -> None:
    assert only((JOBS, name, ["x"])).verdict == "abstain"


@pytest.mark.parametrize("name", ["SSN", "Wi-Fi Password", "Credit Card #", "Bank Account Number"])
def test_a_secret_is_offered_nothing_and_its_values_are_not_shown(name: str) -> None:
    one = only((JOBS, name, ["hunter2"]))
    assert (one.verdict, one.candidates, one.slot.samples) == ("abstain", (), ())
    assert "hunter2" not in repr(one)


def test_what_nobody_filled_is_left_to_people() -> None:
    one = only(Permit_Number=("Text", []))
    assert (one.verdict, one.reason) == ("abstain", "no record has a value of it")
    assert "create" in targets_of(one)


def test_what_the_map_carries_already_adds_nothing() -> None:
    one = only((JOBS, "Payment State", ["Paid", "Unpaid"]), Payment_State=("Dropdown", ["Paid", "Unpaid"]))
    assert one.candidates[0].target == "Payment_Status__c"
    assert one.verdict == "likely"
    assert not one.candidates[0].fields


def test_a_value_gets_what_its_like_gets_in_every_field_of_the_map() -> None:
    one = only(("jobs", "job_status", ["On Hold"]))
    assert one.candidates[0].values == {"stage_id": {"On Hold": "Hold"}, "status": {"On Hold": "open"}}


@pytest.mark.parametrize("status", ["Not Completed", "Uncompleted", "Undispatched", "Unscheduled"])
def test_the_opposite_is_never_the_same(status: str) -> None:
    assert only(("jobs", "job_status", [status])).verdict == "abstain"


def test_a_value_like_nothing_known_is_not_worth_a_question() -> None:
    one = only(("jobs", "job_type_id", ["Duct Sealing"]))
    assert (one.verdict, worth_asking(one)) == ("create", False)
    assert worth_asking(only(("jobs", "job_type_id", ["AC Tuneup"])))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.5 ton", "15 ton"),
        ("Net -5", "Net 5"),
        ("VIP ✅", "VIP ❌"),
        ("A+", "A"),
        ("High priority", "Low priority"),
    ],
)
def test_signs_and_figures_tell_values_apart(one: str, other: str) -> None:
    assert of_values(one, [other]).score < 0.98


@pytest.mark.parametrize(
    ("name", "other", "method"),
    [
        ("Permit Number", "Permit Number", "exact"),
        ("permit_num", "Permit Number", "normalized"),
        ("P.O. #", "PO Number", "normalized"),
        ("Headcount", "employee count", "glossary"),
        ("Permet Number", "Permit Number", "fuzzy"),
    ],
)
def test_each_method_names_itself(name: str, other: str, method: str) -> None:
    found = of_fields(name, [other])
    assert (found.method, found.score > 0.6) == (method, True)


def test_new_fields_get_names_of_their_own() -> None:
    assert logical_name("gate code", {}) == "Gate_Code__c"
    assert logical_name("Gate Code", {"gate_code__c"}, "Site") == "Site_Gate_Code__c"
    assert logical_name("Gate Code", {"Gate_Code__c", "Site_Gate_Code__c"}, "Site") == "Gate_Code_2__c"
    assert logical_name("???", {}) == "Custom_Field__c"
    found = proposed(("customers.custom_fields", "Note", ["a"]), ("locations.custom_fields", "Note", ["b"]))
    names = {
        one.slot.feed: list(one.candidates[0].fields)
        for one in found.values()
        if one.slot.entity == "persons"
    }
    assert names == {"customers.custom_fields": ["Note__c"], "locations.custom_fields": ["Site_Note__c"]}


def test_the_same_tenant_gives_the_same_proposals() -> None:
    fields = [(JOBS, name, ["1", "2"]) for name in ("Permit", "Permit No", "Roof", "Brand", "Hours")]
    assert proposed(*fields) == proposed(*reversed(fields))


def test_a_standard_field_that_the_account_does_not_list_is_not_offered() -> None:
    without = Catalogue((AccountField("persons", "name", "Name", "varchar"),))
    maps = base_maps()
    frame = profile(("customers.custom_fields", "Birthday", ["1970-01-01"]))
    slots = [one for one in open_slots(maps, frame, {}, without) if one.entity == "persons"]
    [one] = propose(maps, slots, without)
    assert targets_of(one) == ["create"]
