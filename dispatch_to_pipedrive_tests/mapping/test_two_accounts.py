"""One map, two accounts: whatever keys and ids an account gives, the same map says the same in it."""

from collections.abc import Mapping
from typing import Any

import pytest

from dispatch_to_pipedrive.mapping import RenderOptions, load_maps, option_values, render, schema_needs
from dispatch_to_pipedrive.mapping.model import is_custom
from dispatch_to_pipedrive.mapping.needs import distinct
from dispatch_to_pipedrive.migration.prepare import steps_of
from dispatch_to_pipedrive.migration.resolve import Owners, Resolver, Wanted
from dispatch_to_pipedrive.pipedrive.making import learn
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema
from dispatch_to_pipedrive_tests.mapping.test_load import MAPPINGS
from dispatch_to_pipedrive_tests.normalize.source import Source, address
from dispatch_to_pipedrive_tests.pipedrive.test_schema import empty_structure, pretend

MAPS = load_maps(MAPPINGS)
COLUMNS = (
    "deals.job_type",
    "deals.priority",
    "deals.priority_bucket",
    "deals.payment_status",
    "deals.labels",
)


def tenant() -> Source:
    source = Source()
    source.customer(1, "Acme", "Commercial", tagTypeIds=[3])
    source.location(10, 1)
    source.location(11, 1, "Store", address=address("9 Elm St"))
    source.named("job_types", 1, "No Cooling")
    source.named("tag_types", 3, "VIP ⭐")
    source.technician(601, "tech@example.com")
    source.job(500, 1, 10, "Completed", tagTypeIds=[3], completedOn="2025-10-25T00:00:00Z")
    source.visit(600, 500)
    source.assign(900, 600, 500, 601)
    source.invoice(700, 500, "389.10")
    return source


def made_in(first: int, values: Mapping[tuple[str, str], tuple[str, ...]]) -> AccountSchema:
    """An account whose keys and ids begin at `first`."""
    schema, needs = AccountSchema(empty_structure()), schema_needs(MAPS, values)
    while steps := steps_of(schema, needs):
        schema = learn(schema, pretend(steps[0], first + len(schema.made) + sum_of_options(schema)))
    return schema


def sum_of_options(schema: AccountSchema) -> int:
    return sum(
        len(field.options or ()) for fields in schema.structure.fields.values() for field in fields.values()
    )


def logical(schema: AccountSchema, entity: str, wanted: Wanted) -> dict[str, Any]:
    """A wire body in names again."""
    structure = schema.structure
    fields = structure.fields.get(entity, {})
    labels = {option.id: option.label for field in fields.values() for option in field.options or ()}
    stages = {stage.id: stage.name for stage in structure.stages}
    pipelines = {pipeline.id: pipeline.name for pipeline in structure.pipelines}
    body = {name: value for name, value in wanted.body.items() if name != "custom_fields"}
    body["label_ids"] = [labels[number] for number in body.get("label_ids") or ()]
    for name, names in (("stage_id", stages), ("pipeline_id", pipelines)):
        if name in body:
            body[name] = names[body[name]]
    for code, value in wanted.body.get("custom_fields", {}).items():
        name, kind = schema.customs(entity)[code]
        body[name] = labels[value] if kind == "enum" and value is not None else value
    return body


@pytest.mark.promise("R062")
def test_r062_the_same_map_says_the_same_in_accounts_with_other_keys() -> None:
    frames = render(MAPS, tenant().normalize(), RenderOptions("USD"))
    normalized = tenant().normalize()
    values = option_values(
        MAPS, {c: distinct(getattr(normalized, c.split(".")[0])[c.split(".")[1]]) for c in COLUMNS}
    )
    values |= {(entity, "label_ids"): ("VIP ⭐",) for entity in ("organizations", "persons")}
    one, other = made_in(1_001, values), made_in(70_001, values)
    assert not {made.key for made in one.made} & {made.key for made in other.made}
    parents = {key: number for frame in frames.values() for number, key in enumerate(frame["source_key"], 1)}
    owners = Owners({"tech@example.com": 7}, 8)
    for entity, entity_map in MAPS.items():
        bodies = [
            list(Resolver(schema, owners, parents).wanted(entity_map, frames[entity]))
            for schema in (one, other)
        ]
        assert all(bodies) or frames[entity].empty
        for here, there in zip(*bodies, strict=True):
            assert logical(one, entity, here) == logical(other, entity, there)
            if any(map(is_custom, entity_map.fields)):
                assert not here.body["custom_fields"].keys() & there.body["custom_fields"].keys()
