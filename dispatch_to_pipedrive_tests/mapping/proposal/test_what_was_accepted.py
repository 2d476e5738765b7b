"""What acceptance brings works on the road: adopted fields, labels under other names, totals under people's names."""

import pandas as pd
import pytest

from dispatch_to_pipedrive.mapping import FieldMap, Maps, RenderOptions, apply, schema_needs
from dispatch_to_pipedrive.mapping.model import EntityMap
from dispatch_to_pipedrive.migration.renamed_totals import renamed
from dispatch_to_pipedrive.normalize.lists import TEXTS
from dispatch_to_pipedrive.pipedrive.account import Field, Option, Structure
from dispatch_to_pipedrive.pipedrive.making import find_made, learn
from dispatch_to_pipedrive.pipedrive.schema import (
    AccountSchema,
    CannotAdopt,
    FieldNeed,
    Made,
    SchemaNeeds,
    plan_schema,
)

from .world import base_maps

PEOPLES = Field(
    field_code="k" * 40,
    field_name="Roof  type",
    field_type="enum",
    is_custom_field=True,
    options=(Option(id=1, label="Tile"),),
)
NEED = FieldNeed("deals", "Roof__c", "enum", ("Tile", "Metal"), adopts="Roof Type")


def account(*fields: Field, made: tuple[Made, ...] = ()) -> AccountSchema:
    return AccountSchema(Structure({"deals": {field.field_code: field for field in fields}}, (), ()), made)


def test_peoples_field_is_adopted_and_gets_the_options_that_it_lacks() -> None:
    schema = account(PEOPLES)
    [step] = plan_schema(schema, SchemaNeeds(fields=(NEED,)))
    assert (step.kind, step.target) == ("adopt", PEOPLES.field_code)
    [outcome] = find_made(schema.structure, step)
    assert outcome.made == Made("field", "deals", "Roof__c", PEOPLES.field_code, "enum")
    schema = learn(schema, outcome)
    [step] = plan_schema(schema, SchemaNeeds(fields=(NEED,)))
    assert (step.kind, step.target, step.labels) == ("options", PEOPLES.field_code, ("Metal",))


@pytest.mark.parametrize(
    ("fields", "made", "words"),
    [
        ((), (), "has no custom field 'Roof Type'"),
        ((PEOPLES, PEOPLES.model_copy(update={"field_code": "l" * 40})), (), "has 2 custom fields"),
        ((PEOPLES.model_copy(update={"field_type": "varchar"}),), (), "is of type varchar, not enum"),
        ((PEOPLES,), (Made("field", "deals", "Other__c", "k" * 40, "enum"),), "not in use already"),
    ],
)
def test_what_cannot_serve_is_told(fields: tuple[Field, ...], made: tuple[Made, ...], words: str) -> None:
    with pytest.raises(CannotAdopt, match=words):
        plan_schema(account(*fields, made=made), SchemaNeeds(fields=(NEED,)))


def with_labels(rows: dict[str, str | None]) -> EntityMap:
    """A map of deals whose only field is its labels, with these rows in its value map."""
    field = FieldMap.model_validate({"type": "labels", "from": "labels", "value_map": rows})
    return base_maps()["deals"].model_copy(update={"fields": {"label_ids": field}})


def test_a_tag_becomes_the_label_that_people_chose_and_others_stay() -> None:
    frame = pd.DataFrame({"source_key": ["a", "b", "c", "d"], "root": [1, 1, 2, 2]})
    tags = [["vip", "Recall"], ["VIP", "vip"], None, ["junk"]]
    frame["labels"] = pd.Series(tags, dtype=TEXTS)
    deals = with_labels({"vip": "VIP", "junk": None})
    found = apply(deals, frame, RenderOptions("USD"))
    assert found["label_ids"].tolist() == [["VIP", "Recall"], ["VIP"], None, None]
    maps = Maps({**{entity: base_maps()[entity] for entity in base_maps()}, "deals": deals})
    maps = Maps(
        {**maps.by_entity, "deals": deals.model_copy(update={"pipeline": base_maps()["deals"].pipeline})}
    )
    needs = schema_needs(maps, {("deals", "label_ids"): ("vip", "junk", "Recall")})
    assert needs.labels["deals"] == ("Recall", "VIP")


def test_totals_are_counted_under_the_names_that_people_gave() -> None:
    status = FieldMap.model_validate(
        {"type": "text", "from": "job_status", "value_map": {"On Hold": "open", "Hold": "lost"}}
    )
    changed = {**with_labels({"vip": "VIP", "junk": None}).fields, "status": status}
    deals = base_maps()["deals"]
    deals = deals.model_copy(update={"fields": {**deals.fields, **changed}})
    maps = Maps({**{entity: base_maps()[entity] for entity in base_maps()}, "deals": deals})
    raw = pd.DataFrame(
        [
            (1, "deals", "label vip", "2"),
            (1, "deals", "label VIP", "1"),
            (1, "deals", "label junk", "1"),
            (1, "persons", "label vip", "1"),
            (1, "deals", "status On Hold", "1"),
            (1, "deals", "status open", "2"),
            (1, "deals", "first created", "2025-01-01"),
        ],
        columns=["root", "entity", "measure", "value"],
    )
    found = renamed(raw, maps)
    assert sorted(found.itertuples(index=False, name=None)) == [
        (1, "deals", "first created", "2025-01-01"),
        (1, "deals", "label VIP", "3"),
        (1, "deals", "status open", "3"),
        (1, "persons", "label vip", "1"),
    ]
    assert renamed(raw, base_maps()) is raw
