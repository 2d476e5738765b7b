"""What a whole migration wrote, in which order, and how its records hang together at the end."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from dispatch_to_pipedrive.migration.approval import MAP, SAMPLE, Rendering
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive_tests.acceptance.accounts import by_stamp, codes
from dispatch_to_pipedrive_tests.acceptance.conftest import EXCHANGES
from dispatch_to_pipedrive_tests.acceptance.world import Migrated

ENTITIES = ("organizations", "persons", "deals", "activities")
ATTACHED = ("files", "notes")
ORDER = (*ENTITIES, *ATTACHED)
SHOWN = re.compile(r"/files/(\d+)/download")
REFERENCES = {"org_id": "organizations", "person_id": "persons", "deal_id": "deals"}
WRITTEN = re.compile(
    r"(POST|PATCH|DELETE) /api/v2/(organizations|persons|deals|activities)(/\d+)?"
    r"|(POST|PUT|DELETE) /api/v1/(notes|files)(/\d+)?"
    r"|(POST|PATCH) /api/v2/(organization|person|deal)Fields(/[0-9a-f]{40}(/options)?)?"
    r"|PUT /api/v1/(organization|person|deal)Fields/\d+"
    r"|POST /api/v2/(pipelines|stages)"
)
"""Records, fields, pipelines and stages: nothing else is ever written."""


class Created(NamedTuple):
    """A record that was made: what was sent (of a file: what was answered), and the id that it got."""

    entity: str
    body: dict[str, Any]
    number: int


def writes(migrated: Migrated) -> Iterator[dict[str, Any]]:
    """Every exchange that wrote, in the order in which the account carried them out."""
    with (migrated.home.parent / EXCHANGES).open(encoding="utf-8") as lines:
        for exchange in map(json.loads, lines):
            if exchange["method"] != "GET" and exchange["status"] < 300:
                yield exchange


def created(migrated: Migrated) -> Iterator[Created]:
    for exchange in writes(migrated):
        entity = exchange["path"].rpartition("/")[2]
        if exchange["method"] == "POST" and entity in ORDER:
            made = json.loads(exchange["answer"])["data"]
            yield Created(entity, made if entity == "files" else json.loads(exchange["request"]), made["id"])


def references(record: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """(entity, id) of every record that this one refers to."""
    for field, entity in REFERENCES.items():
        if record.get(field) is not None:
            yield entity, record[field]
    for participant in record.get("participants") or ():
        yield "persons", participant["person_id"]


@pytest.mark.promise("R017", "R035", "R076", "R078")
def test_what_a_record_refers_to_was_made_before_it(migrated: Migrated) -> None:
    made: set[tuple[str, int]] = set()
    linked = set()
    for one in created(migrated):
        for entity, number in references(one.body):
            assert (entity, number) in made, one
            assert ORDER.index(entity) < ORDER.index(one.entity)
            linked.add((one.entity, entity))
        if one.entity == "notes":
            assert {("files", int(number)) for number in SHOWN.findall(one.body["content"])} <= made
        made.add((one.entity, one.number))
    assert linked >= {("persons", "organizations"), ("deals", "organizations"), ("activities", "deals")}
    assert linked >= {("files", "deals"), ("notes", "deals"), ("notes", "persons")}


@pytest.mark.promise("R075", "R077")
def test_every_deal_is_made_with_an_owner_and_for_somebody(migrated: Migrated) -> None:
    active = {user["id"] for user in migrated.dump["users"] if user["active_flag"]}
    deals = [one.body for one in created(migrated) if one.entity == "deals"]
    assert deals
    for body in deals:
        assert body["owner_id"] in active
        assert body.get("person_id") or body.get("org_id")


@pytest.mark.promise("R002", "R008")
def test_records_and_their_schema_are_written_and_nothing_else(migrated: Migrated) -> None:
    asked = {f"{exchange['method']} {exchange['path']}" for exchange in writes(migrated)}
    assert {one for one in asked if WRITTEN.fullmatch(one) is None} == set()
    assert {"POST /api/v2/deals", "POST /api/v2/pipelines", "POST /api/v2/dealFields"} <= asked


@pytest.mark.promise("R021", "R079")
def test_no_reference_is_open_and_no_record_an_orphan(migrated: Migrated) -> None:
    records = {entity: by_stamp(migrated.dump, entity).values() for entity in ENTITIES}
    alive = {(entity, record["id"]) for entity in ENTITIES for record in records[entity]}
    for entity in ENTITIES:
        for record in records[entity]:
            assert set(references(record)) <= alive, record
    assert all(any(references(visit)) for visit in records["activities"])
    assert all(deal.get("person_id") or deal.get("org_id") for deal in records["deals"])
    for entity in ATTACHED:
        for record in migrated.dump["entities"][entity]:
            assert set(references(record)) & alive, record


@pytest.mark.promise("R029")
def test_a_deal_is_found_by_its_jobs_id_which_no_other_bears(migrated: Migrated, tmp_path: Path) -> None:
    code = codes(migrated.dump, "deals")["Source_System_Job_ID__c"]
    deals = by_stamp(migrated.dump, "deals")
    numbers = {stamp: deal["custom_fields"][code] for stamp, deal in deals.items()}
    assert len(set(numbers.values())) == len(deals) > 10
    assert all(stamp == f"job:{number}/deal" for stamp, number in numbers.items())
    migrated.fresh(tmp_path / "home")
    stamp, number = next(iter(numbers.items()))
    answer = httpx.get(
        f"{migrated.sandbox.pipedrive_url}/api/v2/deals/search",
        params={"term": number, "fields": "custom_fields", "exact_match": "true"},
        headers={"x-api-token": migrated.sandbox.env["PIPEDRIVE_API_TOKEN"]},
    )
    (found,) = answer.raise_for_status().json()["data"]["items"]
    assert found["item"]["id"] == deals[stamp]["id"]


@pytest.mark.promise("R026")
def test_the_samples_approval_names_its_sample_and_the_map_of_then(migrated: Migrated) -> None:
    ledger = Ledger(f"sqlite:///{migrated.home / 'ledger.db'}")
    try:
        scope = ledger.bound_scope()
        assert scope is not None
        maps, sample = (ledger.latest_approval(scope.account, subject) for subject in (MAP, SAMPLE))
        (manifest,) = [one for one in ledger.manifests() if one.kind == "sample"]
    finally:
        ledger.close()
    assert maps is not None and sample is not None
    assert sample.name and sample.at > maps.at
    assert sample.document["map"] == maps.digest
    assert sample.document["generation"] == manifest.generation_to
    rendering = Rendering.of(sample.document["rendering"])
    assert rendering.digest == sample.digest
    assert sample.document["records"] == rendering.count > 50


@pytest.mark.promise("R086")
def test_each_write_is_an_intent_and_an_outcome_in_an_unbroken_chain(migrated: Migrated) -> None:
    with closing(sqlite3.connect(migrated.home / "ledger.db")) as database:
        rows = database.execute("SELECT event, intent, number, status FROM operation").fetchall()
    intents = {number for event, _, number, _ in rows if event == "intent"}
    outcomes = [(intent, status) for event, intent, _, status in rows if event == "outcome"]
    assert sorted(intent for intent, _ in outcomes) == sorted(intents)
    done = [intent for intent, status in outcomes if status == "done"]
    assert len(done) == sum(1 for _ in writes(migrated))
    ledger = Ledger(f"sqlite:///{migrated.home / 'ledger.db'}")
    try:
        assert ledger.broken_chain_at() is None
    finally:
        ledger.close()
