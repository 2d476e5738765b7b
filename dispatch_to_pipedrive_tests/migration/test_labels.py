"""Tags become labels of the same name, on every kind of record that bears them, and follow their tag (R051–R053)."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pandas as pd
import pytest

from dispatch_to_pipedrive.mapping.model import Maps
from dispatch_to_pipedrive.mapping.needs import bearers_of, schema_needs
from dispatch_to_pipedrive.migration.approval import Rendering, render
from dispatch_to_pipedrive.migration.drift import drift
from dispatch_to_pipedrive.migration.load import load_entity
from dispatch_to_pipedrive.migration.loading import Load
from dispatch_to_pipedrive.migration.owners import fallback_row
from dispatch_to_pipedrive.migration.prepare import apply_schema, keep_names, read_schema
from dispatch_to_pipedrive.migration.resolve import Owners
from dispatch_to_pipedrive.migration.session import writing
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema, fitting
from dispatch_to_pipedrive_tests.migration.tenants import RootVersion, Tenant
from dispatch_to_pipedrive_tests.migration.world import World, fresh_ledger

LONG = "Customers with a service contract that was sold before the merger " * 5
TAGS = {7: "VIP", 8: "vip", 9: "Ключевой клиент 🔑", 10: LONG, 11: "  two  blanks", 12: "=cmd()", 13: "VIP"}
TYPES = {20: "Tune-up", 21: "Estimate"}
ON_CUSTOMERS = {1: (7, 8), 2: (9, 10, 11), 3: (13, 7), 4: ()}
ON_JOBS = {1: (7, 12), 2: (10,), 3: (13,), 4: (9, 11)}
LABELLED = ("organizations", "persons", "deals")


def identities(tags: Mapping[int, str], types: Mapping[int, str]) -> dict[str, dict[str, tuple[str, ...]]]:
    """What bears which name, as `normalize.choices.identities` tells it."""

    def of(word: str, names: Mapping[int, str]) -> dict[str, tuple[str, ...]]:
        return {
            name: tuple(f"{word}:{key}" for key in names if names[key] == name) for name in names.values()
        }

    labels = of("tag_type", tags)
    return {**{f"{entity}.labels": labels for entity in LABELLED}, "deals.job_type": of("job_type", types)}


@dataclass(frozen=True)
class Names:
    """The names of tags and job types at one time."""

    tags: Mapping[int, str]
    types: Mapping[int, str]

    def frames(self, maps: Maps) -> dict[str, pd.DataFrame]:
        """Four customers with a job each, commercial ones and a residential one, under these names."""
        versions = {root: [RootVersion(root < 4, 1, ((0, 0),), 0)] for root in ON_CUSTOMERS}
        frames = Tenant(versions, maps).frames(list(versions), 1)
        for entity in LABELLED:
            bears = ON_JOBS if entity == "deals" else ON_CUSTOMERS
            labels = [
                list(dict.fromkeys(self.tags[tag] for tag in bears[root])) for root in frames[entity]["root"]
            ]
            frames[entity]["label_ids"] = pd.Series(labels, dtype=object)
        frames["deals"]["Job_Type__c"] = self.types[20]
        return {entity: frames[entity] for entity in LABELLED}


FIRST = Names(TAGS, TYPES)


async def prepare(
    world: World, names: Names, look: Callable[[AccountSchema], None] = lambda _schema: None
) -> tuple[int, int]:
    """Things made or renamed, and the tokens of the whole preparation."""
    values = {
        **{(entity, "label_ids"): tuple(sorted(set(names.tags.values()))) for entity in LABELLED},
        ("deals", "Job_Type__c"): tuple(names.types.values()),
    }
    needs = schema_needs(world.maps, values, identities(names.tags, names.types))
    with world.ledger() as ledger:
        async with writing(ledger, world.access, purpose="prepare") as session:
            report = await apply_schema(session, needs, look)
            assert (await apply_schema(session, needs)).made == 0
            return report.made, sum(session.client.budget.by_kind.values()) - 40


async def load(world: World, names: Names) -> int:
    """Writes that the account got for these frames."""
    frames = names.frames(world.maps)
    with world.ledger() as ledger:
        async with writing(ledger, world.access, purpose="load", batch="wave-0001") as session:
            schema = keep_names(session, at(await read_schema(session), world.maps, names))
            for entity in LABELLED:
                manifest = Tenant({}, world.maps).manifest(list(ON_CUSTOMERS), 1, "wave-0001")
                owners = Owners({}, session.user_id)
                await load_entity(Load(session, schema, world.maps[entity], owners, manifest), frames[entity])
            return session.client.writes


def at(schema: AccountSchema, maps: Maps, names: Names) -> AccountSchema:
    return schema.at_source(bearers_of(maps, identities(names.tags, names.types)))


async def rendering(world: World, names: Names) -> Rendering:
    with world.ledger() as ledger:
        async with writing(ledger, world.access, purpose="render") as session:
            schema = at(await read_schema(session), world.maps, names)
            assert [
                str(one) for one in drift(ledger.schema_objects(session.scope.account), schema.structure)
            ] == []
    maps = Maps({entity: world.maps[entity] for entity in LABELLED})
    return render(maps, names.frames(world.maps), schema, [fallback_row(1, "boss@x.example")], 1)


def labels_in(world: World) -> dict[str, dict[str, set[str]]]:
    """Entity → source key → the names of the record's labels, as the account has them."""
    dump = world.control("dump")
    found: dict[str, dict[str, set[str]]] = {}
    for entity in LABELLED:
        fields = {one["name"]: one for one in rows(dump["fields"][entity])}
        called = {option["id"]: option["label"] for option in fields["Labels"]["options"]}
        stamp = fields["Source_Key__c"]["code"]
        found[entity] = {
            record["custom_fields"][stamp]: {called[number] for number in record.get("label_ids") or ()}
            for record in rows(dump["entities"][entity])
        }
    return found


def rows(values: Any) -> Sequence[dict[str, Any]]:
    return list(values.values()) if isinstance(values, dict) else list(values)


def wanted(names: Names) -> dict[str, dict[str, set[str]]]:
    tags = {tag: fitting(name) for tag, name in names.tags.items()}
    customers = {root: {tags[tag] for tag in bears} for root, bears in ON_CUSTOMERS.items()}
    return {
        "organizations": {f"customer:{root}/organization": customers[root] for root in (1, 2, 3)},
        "persons": {f"customer:{root}/person": labels for root, labels in customers.items()},
        "deals": {f"job:{root * 100}/deal": {tags[tag] for tag in bears} for root, bears in ON_JOBS.items()},
    }


@pytest.fixture
def labelled(world: World) -> World:
    """An account with the labels made and the customers loaded."""
    world.reset()
    example = fresh_ledger(world)
    asyncio.run(prepare(example, FIRST))
    asyncio.run(load(example, FIRST))
    return example


@pytest.mark.promise("R051", "R052", "R053")
async def test_every_record_bears_the_labels_of_its_tags_verbatim_and_a_rename_of_them_all_is_one_of_each(
    labelled: World,
) -> None:
    assert labels_in(labelled) == wanted(FIRST)
    assert await load(labelled, FIRST) == 0
    approved = await rendering(labelled, FIRST)
    later = Names({**TAGS, 9: "Key account 🔑", 8: "Ключевой клиент 🔑"}, {20: "Maintenance", 21: "Estimate"})
    made, tokens = await prepare(labelled, later)
    assert made == 4, "the labels of organizations, persons and deals, and a job type"
    assert tokens < 100, "whatever the number of records: they hold the option's id"
    assert labels_in(labelled) == wanted(later)
    assert await load(labelled, later) == 0
    assert await load(labelled, FIRST) == 0, "a batch that was read before the rename"
    assert (await rendering(labelled, FIRST)).digest == approved.digest, "the same tags were approved"


async def test_what_people_do_to_the_labels_meanwhile_survives(labelled: World) -> None:
    """R052: v1 takes the whole list, and removes what it leaves out."""
    with httpx.Client(headers={"x-api-token": labelled.access.api_token}) as people:

        def change(_schema: AccountSchema) -> None:
            fields = people.get(f"{labelled.access.api_url}/api/v1/dealFields?limit=500").json()["data"]
            (mine,) = [one for one in fields if one["key"] in ("label", "label_ids")]
            options = [
                {**one, "label": "Very important"} if one["label"] == "VIP" else one
                for one in mine["options"]
            ]
            options.append({"label": "By people", "color": "red"})
            url = f"{labelled.access.api_url}/api/v1/dealFields/{mine['id']}"
            assert people.put(url, json={"options": options}).json()["success"]

        later = Names({**TAGS, 7: "A-customer", 13: "A-customer", 12: "No formula", 14: "New"}, TYPES)
        await prepare(labelled, later, change)
    dump = labelled.control("dump")
    (labels,) = [one for one in rows(dump["fields"]["deals"]) if one["name"] == "Labels"]
    called = {option["label"] for option in labels["options"]}
    assert {"By people", "Very important", "No formula", "New"} <= called
    assert "VIP" not in called
    assert "=cmd()" not in called
    assert labels_in(labelled)["deals"]["job:100/deal"] == {"Very important", "No formula"}


async def test_a_rename_whose_answer_is_lost_is_found_and_not_sent_again(labelled: World) -> None:
    labelled.control("faults", {"kind": "lost_after_commit", "method": "PUT|PATCH", "times": 4})
    later = Names({**TAGS, 9: "Key account"}, {20: "Maintenance", 21: "Estimate"})
    made, _ = await prepare(labelled, later)
    assert made == 4
    assert labels_in(labelled) == wanted(later)
    assert await load(labelled, later) == 0
