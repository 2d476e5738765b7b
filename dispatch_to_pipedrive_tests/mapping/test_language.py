"""What is generated from the language is current: the schema for editors, the tables of the documentation."""

import json
import re
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from dispatch_to_pipedrive.mapping import load_maps
from dispatch_to_pipedrive.mapping.documents import TYPES, filled, key_table, transform_table, type_table
from dispatch_to_pipedrive.mapping.editor import text
from dispatch_to_pipedrive.mapping.model import FIELD_TYPES, FieldMap
from dispatch_to_pipedrive.mapping.transforms import TRANSFORMS
from dispatch_to_pipedrive.orchestration.document import DOCUMENT, map_document
from dispatch_to_pipedrive.orchestration.road import columns_of
from dispatch_to_pipedrive_tests.mapping.test_load import MAPPINGS

SCHEMA = MAPPINGS / "schema.json"
ENTITIES = ("organizations", "persons", "deals", "activities")


@pytest.fixture(scope="module")
def validator() -> Draft7Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def test_the_committed_schema_is_current() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == text(), (
        "dispatch-to-pipedrive map schema > mappings/schema.json"
    )


def test_the_tables_of_the_documentation_are_current() -> None:
    again = "python -m dispatch_to_pipedrive.orchestration.document"
    assert DOCUMENT.read_text(encoding="utf-8") == map_document(), again


def test_a_document_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="begin objects"):
        filled("<!-- begin columns --><!-- end columns -->", load_maps(MAPPINGS), columns_of())


def test_the_tables_are_complete_and_every_word_has_its_meaning() -> None:
    vocabulary = transform_table()
    assert list(vocabulary["transform"]) == [*TRANSFORMS, "value_map"]
    assert (vocabulary != "").all().all()
    for transform in TRANSFORMS.values():
        assert all(field.description for field in transform.args.model_fields.values()), transform.name
    keys = key_table()
    assert (keys["meaning"] != "").all()
    assert set(keys.loc[keys["stands in"] == "a field", "key"]) == {
        field.alias or name for name, field in FieldMap.model_fields.items()
    }
    assert list(type_table()["type"]) == list(FIELD_TYPES) == list(TYPES)


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_map_names_the_schema_and_validates(entity: str, validator: Draft7Validator) -> None:
    content = (MAPPINGS / f"{entity}.yaml").read_text(encoding="utf-8")
    assert content.splitlines()[0] == "# yaml-language-server: $schema=schema.json"
    assert [error.message for error in validator.iter_errors(yaml.safe_load(content))] == []


ROOF: dict[str, Any] = {
    "type": "option",
    "from": "site_custom_fields",
    "transform": "custom_field",
    "args": {"name": "Roof Type"},
    "unmapped": "add_option",
}
TITLE = {"type": "text", "from": "summary"}
ORGANIZATION = {"type": "reference", "to": "organizations", "from": "organization_key", "transform": "lookup"}


@pytest.mark.parametrize(
    "content",
    [
        {"entity": "deals", "fields": {"Roof__c": ROOF}},
        {
            "entity": "deals",
            "fields": {"Roof__c": {**ROOF, "adopts": "Roof"}},
            "values": {"Roof__c": {"A": "B"}},
        },
        {"entity": "deals", "values": {"stage_id": {"Paused": "Hold"}}},
        {"entity": "deals", "fields": {"org_id": ORGANIZATION}},
        {
            "entity": "deals",
            "fields": {"Sum__c": {"type": "money", "from": ["value", "value"], "transform": "sum"}},
        },
    ],
)
def test_what_people_accepted_validates(content: dict[str, Any], validator: Draft7Validator) -> None:
    assert [error.message for error in validator.iter_errors(content)] == []


@pytest.mark.parametrize(
    "content",
    [
        {"entity": "deal", "fields": {"title": TITLE}},
        {"entity": "deals", "fields": {"titel": TITLE}},
        {"entity": "deals", "fields": {"title": {**TITLE, "type": "number"}}},
        {"entity": "deals", "fields": {"title": {**TITLE, "form": "summary"}}},
        {"entity": "deals", "fields": {"title": {**TITLE, "transform": "html2text"}}},
        {"entity": "deals", "fields": {"title": {**TITLE, "unmapped": "add"}}},
        {"entity": "deals", "fields": {"title": {**TITLE, "required": "sure"}}},
        {"entity": "deals", "fields": {"title": {**TITLE, "conflict": "both"}}},
        {"entity": "deals", "fields": {"title": {**TITLE, "transform": "join", "args": {"seperator": ","}}}},
        {"entity": "deals", "fields": {"title": {**TITLE, "transform": "template"}}},
        {"entity": "deals", "fields": {"title": {**TITLE, "transform": "first"}}},
        {"entity": "deals", "fields": {"title": {"type": "text"}}},
        {"entity": "deals", "fields": {"title": {"from": "summary"}}},
        {"entity": "deals", "fields": {"title": {**TITLE, "transform": "constant", "args": {"value": "x"}}}},
        {"entity": "deals", "fields": {"Roof__c": {**ROOF, "args": {}}}},
        {"entity": "deals", "fields": {"Roof__c": {**ROOF, "type": "emails"}}},
        {"entity": "deals", "fields": {"org_id": {**ORGANIZATION, "transform": "copy"}}},
        {"entity": "deals", "fields": {"org_id": {**ORGANIZATION, "to": "persons"}}},
        {"entity": "deals", "fields": {"add_time": {**TITLE, "type": "datetime", "transform": "datetime"}}},
        {"entity": "activities", "fields": {"Roof__c": ROOF}},
        {"entity": "persons", "fields": {"name": TITLE}, "pipeline": {"name": "A", "stages": ["B"]}},
        {"entity": "deals", "fields": {"title": TITLE}, "pipelin": {"name": "A", "stages": ["B"]}},
        {"entity": "deals", "values": {"stage_id": ["Paused"]}},
    ],
    ids=lambda content: re.sub(r"\W+", "-", json.dumps(content))[:70],
)  # fmt: skip
def test_typical_mistakes_do_not_validate(content: dict[str, Any], validator: Draft7Validator) -> None:
    assert not validator.is_valid(content)
