"""What is open, and what is not."""

from dispatch_to_pipedrive.mapping import EntityMap, FieldMap, Maps
from dispatch_to_pipedrive.mapping.proposal import AccountField, Catalogue, Slot, open_slots

from .world import ACCOUNT, PRIORITY, RECORDS, base_maps, definitions, profile, proposed

JOBS = "jobs.custom_fields"
LEVEL = "Dispatch_Pro_Priority__c"


def slots(
    *fields: tuple[str, str, list[str]], maps: Maps | None = None, **defined: tuple[str, list[str]]
) -> list[Slot]:
    own = maps or base_maps()
    return open_slots(own, profile(*fields), definitions(**defined), ACCOUNT, elsewhere=PRIORITY)


def reading(name: str) -> Maps:
    """The base maps, and one field of deals that reads a custom field."""
    maps = base_maps()
    read = FieldMap.model_validate(
        {"type": "text", "from": "custom_fields", "transform": "custom_field", "args": {"name": name}}
    )
    deals: EntityMap = maps["deals"]
    changed = deals.model_copy(update={"fields": {**deals.fields, "Any__c": read}})
    return Maps({**{entity: maps[entity] for entity in maps}, "deals": changed})


def test_a_custom_field_is_open_in_every_entity_that_bears_it() -> None:
    found = slots(("customers.custom_fields", "Gate", ["1"]), ("locations.custom_fields", "Roof", ["x"]))
    assert [(one.entity, one.column) for one in found] == [
        ("organizations", "custom_fields"),
        ("organizations", "site_custom_fields"),
        ("persons", "custom_fields"),
        ("persons", "site_custom_fields"),
        ("deals", "site_custom_fields"),
    ]
    assert {(one.filled, one.records, one.distinct, one.samples) for one in found} == {
        (1, RECORDS, 1, ("1",)),
        (1, RECORDS, 1, ("x",)),
    }


def test_a_field_that_a_map_reads_is_not_open_however_its_name_is_written() -> None:
    assert slots((JOBS, "Permit  number", ["1"])) != []
    assert slots((JOBS, "Permit  number", ["1"]), maps=reading("permit Number")) == []


def test_the_field_that_has_a_column_of_its_own_is_not_open_but_its_values_may_be() -> None:
    assert slots((JOBS, "Dispatch Pro Priority", ["P1"])) == []


def test_a_field_that_is_defined_and_nobody_filled_is_open() -> None:
    [found] = slots(Old_field=("Text", []))
    assert (found.name, found.filled, found.data_type) == ("Old field", 0, "Text")


def test_types_are_inferred_by_definition_and_values() -> None:
    found = {
        one.name: one
        for one in slots(
            (JOBS, "Hours", ["1", "2.5"]),
            (JOBS, "Fee charged", ["10", "12.50"]),
            (JOBS, "Code", ["0012", "12"]),
            (JOBS, "Numbers as text", ["12", "13"]),
            (JOBS, "Day", ["2025-01-31", "2024-02-29"]),
            (JOBS, "Some day", ["2025-01-31", "soon"]),
            (JOBS, "Story", ["a\nb"]),
            (JOBS, "Kind", ["b"]),
            (JOBS, "Twins", ["Yes ", "yes"]),
            Hours=("Numeric", []),
            Fee_charged=("Numeric", []),
            Code=("Numeric", []),
            Numbers_as_text=("Text", []),
            Day=("Text", []),
            Some_day=("Text", []),
            Story=("Text", []),
            Kind=("Dropdown", ["a", "b"]),
            Twins=("Dropdown", []),
        )
    }
    assert {name: one.type for name, one in found.items()} == {
        "Hours": "number",
        "Fee charged": "money",
        "Code": "text",
        "Numbers as text": "text",
        "Day": "date",
        "Some day": "text",
        "Story": "long_text",
        "Kind": "option",
        "Twins": "text",
    }
    assert found["Kind"].options == ("a", "b")


def test_more_values_than_the_profile_holds_prove_no_type() -> None:
    frame = profile(("technicians.custom_fields", "Since", ["2025-01-31"]))
    few = open_slots(base_maps(), frame, {}, ACCOUNT)
    many = open_slots(base_maps(), frame.assign(distinct=500), {}, ACCOUNT)
    assert [one.type for one in (*few, *many)] == ["date", "text"]


def test_a_status_that_no_value_map_names_is_open() -> None:
    [found] = slots(("jobs", "job_status", ["Completed", "On Hold"]))
    assert (found.id, found.may_be_new) == ("deals/jobs.job_status/On Hold", False)
    [visit] = slots(("appointments", "status", ["Done", "Paused"]))
    assert visit.id == "activities/appointments.status/Paused"


def test_what_the_account_or_the_map_knows_is_not_open() -> None:
    assert slots(("jobs", "job_type_id", ["No Heat", "AC Tune-Up"])) == []
    assert slots(("jobs", "payment_state", ["No invoice", "Paid"])) == []
    assert slots(("customers.tag_type_ids", "value", ["VIP"])) == []


def test_two_values_of_the_source_are_never_led_to_one_name() -> None:
    found = proposed(("jobs", "job_type_id", ["AC Tune-Up", "AC Tune Up"]))
    assert "=AC Tune-Up" not in [c.target for c in found["deals/jobs.job_type_id/AC Tune Up"].candidates]


def test_an_option_that_another_column_fills_is_never_given_to_a_value() -> None:
    levels = AccountField("deals", "k9", LEVEL, "enum", ("P1 Emergency",), custom=True, ours=LEVEL)
    account = Catalogue((levels,), {})
    maps, bucket = base_maps(), (JOBS, "Dispatch Pro Priority", ["P1 Emergency"])
    alone = open_slots(maps, profile(("jobs", "priority", ["Emergency"])), {}, account, elsewhere=PRIORITY)
    assert [known.value for known in alone[0].known] == ["P1 Emergency"]
    both = profile(("jobs", "priority", ["Emergency"]), bucket)
    assert [slot.known for slot in open_slots(maps, both, {}, account, elsewhere=PRIORITY)] == [()]


def test_one_name_in_two_spellings_is_one_field() -> None:
    [found] = slots((JOBS, "Roof", ["a"]), (JOBS, "roof ", ["b", "c"]), Roof=("Text", []))
    assert (found.name, found.filled, found.distinct, found.samples) == ("Roof", 3, 3, ("a", "b", "c"))
