from pathlib import Path

import pytest

from dispatch_to_pipedrive.mapping import Maps, OptionCollision, load_maps, option_values, schema_needs
from dispatch_to_pipedrive.mapping.apply import UnmappedValues
from dispatch_to_pipedrive.mapping.needs import bearers_of

MAPPINGS = Path(__file__).parents[2] / "mappings"


@pytest.fixture(scope="module")
def maps() -> Maps:
    return load_maps(MAPPINGS)


def needs(maps: Maps, **columns: list[str]) -> dict[str, tuple[str, ...]]:
    values = option_values(maps, {name.replace("__", "."): found for name, found in columns.items()})
    return {field.name: field.options for field in schema_needs(maps, values).fields if field.options}


@pytest.mark.promise("R043", "R045")
def test_r043_one_option_for_each_source_value(maps: Maps) -> None:
    found = needs(
        maps,
        deals__job_type=["No Heat", "No Cooling", "No Heat"],
        deals__priority=["Normal", "Urgent"],
        deals__priority_bucket=["P1 Emergency", "P8 Someday"],
    )
    assert found["Job_Type__c"] == ("No Cooling", "No Heat")
    assert found["Dispatch_Pro_Priority__c"] == ("Normal", "P1 Emergency", "P8 Someday", "Urgent")
    assert found["Payment_Status__c"] == ("No invoice", "Unpaid", "Partially paid", "Paid", "Credit")


def test_what_a_map_decides_itself_is_what_its_field_offers(maps: Maps) -> None:
    rules = [{"when": {"priority": "Urgent"}, "then": "Same day"}, {"then": "Any day"}, {"then": None}]
    changed = {
        "Job_Type__c": {"transform": "rules", "from_": ["priority"], "args": {"rules": rules}},
        "Payment_Status__c": {"transform": "constant", "from_": [], "args": {"value": "Field work"}},
    }
    fields = dict(maps["deals"].fields)
    for name, update in changed.items():
        fields[name] = fields[name].model_copy(update={"value_map": None, "default": None, **update})
    decided = Maps({**maps.by_entity, "deals": maps["deals"].model_copy(update={"fields": fields})})
    found = needs(decided, deals__priority=["Urgent", "Low"], deals__payment_status=["paid"])
    assert found["Job_Type__c"] == ("Any day", "Same day")
    assert found["Payment_Status__c"] == ("Field work",)


@pytest.mark.promise("R045", "R061")
def test_r045_values_that_would_collapse_into_one_option_are_refused(maps: Maps) -> None:
    with pytest.raises(OptionCollision, match="'High', 'high'"):
        needs(maps, deals__priority=["High"], deals__priority_bucket=["high"])


@pytest.mark.promise("R043")
def test_a_value_that_a_closed_value_map_does_not_name_is_refused(maps: Maps) -> None:
    with pytest.raises(UnmappedValues, match="written_off"):
        needs(maps, deals__payment_status=["paid", "written_off"])


@pytest.mark.promise("R052", "R053")
def test_r052_labels_are_the_tags_verbatim(maps: Maps) -> None:
    values = option_values(maps, {"deals.labels": ["VIP ⭐", "don't Call"], "persons.labels": ["VIP ⭐"]})
    assert schema_needs(maps, values).labels == {
        "organizations": (),
        "persons": ("VIP ⭐",),
        "deals": ("VIP ⭐", "don't Call"),
    }


@pytest.mark.promise("R051")
def test_what_follows_renames_knows_what_bears_each_name(maps: Maps) -> None:
    identities = {
        "deals.labels": {"VIP": ("tag_type:7", "tag_type:9"), "Late": ("tag_type:8",)},
        "deals.job_type": {"Repair": ("job_type:1",)},
        "deals.cancel_reason": {"Price": ("job_cancel_reason:3",)},
    }
    assert schema_needs(maps, {}, identities).sources == {
        ("deals", "label_ids"): identities["deals.labels"],
        ("deals", "Job_Type__c"): identities["deals.job_type"],
    }
    labels = maps["deals"].fields["label_ids"].model_copy(update={"value_map": {"Late": "VIP", "VIP": None}})
    kind = maps["deals"].fields["Job_Type__c"].model_copy(update={"follows_renames": False})
    fields = {**maps["deals"].fields, "label_ids": labels, "Job_Type__c": kind}
    changed = Maps({**maps.by_entity, "deals": maps["deals"].model_copy(update={"fields": fields})})
    assert bearers_of(changed, identities) == {("deals", "label_ids"): {"VIP": ("tag_type:8",)}}


@pytest.mark.promise("R042", "R044")
def test_field_types_are_pipedrives(maps: Maps) -> None:
    kinds = {(field.entity, field.name): field.field_type for field in schema_needs(maps, {}).fields}
    assert kinds["deals", "Job_Type__c"] == "enum"
    assert kinds["deals", "Invoice_Amount__c"] == "monetary"
    assert kinds["deals", "Original_Created_At__c"] == "varchar"
    assert kinds["deals", "Original_Created_Date__c"] == "date"
    assert kinds["deals", "Technicians__c"] == "text"
    assert kinds["organizations", "Site_2_Address__c"] == "address"
