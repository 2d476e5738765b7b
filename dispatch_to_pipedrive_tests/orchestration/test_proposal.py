"""What the proposal's asset takes from the account and the tenant."""

import pandas as pd

from dispatch_to_pipedrive.orchestration.assets.proposal import catalogue_of, with_options
from dispatch_to_pipedrive.pipedrive.account import Field, Option, Structure
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema, Made


def field(code: str, name: str, kind: str = "varchar", *labels: str, custom: bool = False) -> Field:
    options = tuple(Option(id=number, label=label) for number, label in enumerate(labels)) or None
    return Field(field_code=code, field_name=name, field_type=kind, is_custom_field=custom, options=options)


def test_the_account_is_told_by_fields_labels_and_what_is_ours() -> None:
    deals = [
        field("label_ids", "Labels", "set", "VIP"),
        field("a1", "Job_Type__c", "enum", "Repair", custom=True),
    ]
    structure = Structure({"deals": {one.field_code: one for one in deals}}, (), ())
    made = (Made("field", "deals", "Job_Type__c", "a1", "enum"),)
    found = catalogue_of(AccountSchema(structure, made))
    own = found.own("deals", "Job_Type__c")
    assert own is not None
    assert (own.options, own.custom) == (("Repair",), True)
    assert found.labels_of("deals") == ("VIP",)
    assert found.labels_of("persons") == ()


def test_definitions_bear_their_options_in_order() -> None:
    frames = {
        "x": pd.DataFrame({"id": [1, 2], "name": ["A", "B"], "data_type": ["Dropdown", "Text"]}),
        "x.data_type_options": pd.DataFrame({"id": [1, 1], "position": [1, 0], "value": ["no", "yes"]}),
    }
    assert with_options(frames, "x")["options"].tolist() == [["yes", "no"], []]
