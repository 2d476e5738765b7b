"""What is changed behind the program's back, one field at a time, `verify` names; on a clean account it is silent."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dispatch_to_pipedrive_tests.acceptance.accounts import ENTITIES, codes, stamp
from dispatch_to_pipedrive_tests.acceptance.world import Migrated, Migration

Record = dict[str, Any]
COLUMNS = ("entity", "source_key", "pipedrive_id", "field", "expected", "found", "verdict")


class Corruption(NamedTuple):
    """One record, one field: which records will do, and what is done to them.

    `changes` gets the record (custom fields by name) and another one of its entity; it answers native fields and
    custom fields by name.
    """

    what: str
    entity: str
    fits: Callable[[Record], bool]
    changes: Callable[[Record, Record], Record]
    field: str
    verdict: str = "wrong"


def _first(values: list[Record], **change: Any) -> list[Record]:
    return [{**values[0], **change}, *values[1:]]


CORRUPTIONS = (
    Corruption(
        "an option that is another one",
        "deals",
        lambda r: r["Payment_Status__c"] is not None,
        lambda r, o: {
            "Payment_Status__c": r["Payment_Status__c"] + (1 if r["Payment_Status__c"] < 248 else -1)
        },
        "Payment_Status__c",
    ),
    Corruption(
        "an option that is gone",
        "deals",
        lambda r: r["Job_Type__c"] is not None,
        lambda r, o: {"Job_Type__c": None},
        "Job_Type__c",
    ),
    Corruption(
        "a text that was cut",
        "deals",
        lambda r: len(r.get("Job_Summary__c") or "") > 10,
        lambda r, o: {"Job_Summary__c": r["Job_Summary__c"][:-3]},
        "Job_Summary__c",
    ),
    Corruption("a title that changed", "deals", bool, lambda r, o: {"title": r["title"] + "!"}, "title"),
    Corruption("a value that changed", "deals", bool, lambda r, o: {"value": r["value"] + 0.01}, "value"),
    Corruption("another currency", "deals", bool, lambda r, o: {"currency": "EUR"}, "currency"),
    Corruption(
        "another currency in a custom field",
        "deals",
        bool,
        lambda r, o: {"Invoice_Amount__c": {**r["Invoice_Amount__c"], "currency": "CAD"}},
        "Invoice_Amount__c",
    ),
    Corruption(
        "another stage",
        "deals",
        lambda r: r["status"] == "open",
        lambda r, o: {"stage_id": 6 if r["stage_id"] != 6 else 7},
        "stage_id",
    ),
    Corruption(
        "another status",
        "deals",
        lambda r: r["status"] == "open",
        lambda r, o: {"status": "lost"},
        "status",
    ),
    Corruption(
        "a closing time an hour later",
        "deals",
        lambda r: r["status"] == "won" and r["won_time"][11:13] < "23",
        lambda r, o: {
            "won_time": f"{r['won_time'][:11]}{int(r['won_time'][11:13]) + 1:02}{r['won_time'][13:]}"
        },
        "won_time",
    ),
    Corruption(
        "another person's deal", "deals", bool, lambda r, o: {"person_id": o["person_id"]}, "person_id"
    ),
    Corruption(
        "a date a day off",
        "deals",
        bool,
        lambda r, o: {"Original_Created_Date__c": "1999-12-31"},
        "Original_Created_Date__c",
    ),
    Corruption(
        "another organization's person",
        "persons",
        lambda r: r.get("org_id"),
        lambda r, o: {"org_id": o["org_id"]},
        "org_id",
    ),
    Corruption("another owner", "deals", bool, lambda r, o: {"owner_id": 2}, "owner_id"),
    Corruption(
        "another primary e-mail",
        "persons",
        lambda r: r.get("emails"),
        lambda r, o: {"emails": _first(r["emails"], value="other@example.net")},
        "emails",
    ),
    Corruption(
        "a phone that was dropped",
        "persons",
        lambda r: r["phones"],
        lambda r, o: {"phones": r["phones"][1:]},
        "phones",
    ),
    Corruption(
        "labels that are gone",
        "persons",
        lambda r: r.get("label_ids"),
        lambda r, o: {"label_ids": []},
        "label_ids",
    ),
    Corruption(
        "a part of an address",
        "organizations",
        lambda r: r["address"],
        lambda r, o: {"address": {**r["address"], "postal_code": "00000"}},
        "address",
    ),
    Corruption(
        "a time zone apart",
        "activities",
        lambda r: r.get("due_time"),
        lambda r, o: {"due_time": f"{(int(r['due_time'][:2]) + 7) % 24:02}{r['due_time'][2:]}"},
        "due_time",
    ),
    Corruption(
        "a visit that takes longer",
        "activities",
        lambda r: r.get("duration"),
        lambda r, o: {"duration": "23:59:00"},
        "duration",
    ),
    Corruption("done, or not", "activities", bool, lambda r, o: {"done": not r["done"]}, "done"),
    Corruption(
        "a note with a word less",
        "activities",
        lambda r: "Technicians: " in r["note"],
        lambda r, o: {"note": r["note"].replace("Technicians: ", "")},
        "note",
    ),
    Corruption("another deal's visit", "activities", bool, lambda r, o: {"deal_id": o["deal_id"]}, "deal_id"),
    Corruption(
        "other people at the visit",
        "activities",
        bool,
        lambda r, o: {"participants": _first(r["participants"], person_id=o["participants"][0]["person_id"])},
        "participants",
    ),
)


@dataclass
class Done:
    """What was done, and how `verify` must name it: (entity, source key, id, field, verdict)."""

    edits: list[Record]
    named: set[tuple[str, str, int, str, str]]


def _corrupt(dump: dict[str, Any]) -> Done:
    """Every corruption on a record of its own."""
    custom = {entity: codes(dump, entity) for entity in ENTITIES}
    free = {entity: [_by_name(r, custom[entity]) for r in dump["entities"][entity]] for entity in ENTITIES}
    done = Done([], set())

    def take(entity: str, fits: Callable[[Record], Any]) -> Record:
        record = next(r for r in free[entity] if fits(r))
        free[entity].remove(record)
        return record

    def name(entity: str, record: Record, field: str, verdict: str) -> None:
        key = str(stamp(dump, entity, next(r for r in dump["entities"][entity] if r["id"] == record["id"])))
        done.named.add((entity, key, record["id"], field, verdict))

    for one in sorted(CORRUPTIONS, key=lambda c: sum(bool(c.fits(r)) for r in free[c.entity])):
        record = take(one.entity, one.fits)
        everyone = (_by_name(r, custom[one.entity]) for r in dump["entities"][one.entity])
        other = next(r for r in everyone if _is_another(one.changes, record, r))
        changed = one.changes(record, other)
        natives = {k: v for k, v in changed.items() if k not in custom[one.entity]}
        customs = {custom[one.entity][k]: v for k, v in changed.items() if k in custom[one.entity]}
        changes = {**natives, **({"custom_fields": customs} if customs else {})}
        done.edits.append({"entity": one.entity, "id": record["id"], "silent": True, "changes": changes})
        name(one.entity, record, one.field, one.verdict)

    # In the open, an hour later: others may, and the program says so.
    theirs = take("deals", bool)
    done.edits.append({"entity": "deals", "id": theirs["id"], "changes": {"title": "Theirs"}})
    name("deals", theirs, "title", "kept")

    # Whole records: one that left no trace, one that others deleted, one that is there twice.
    lost, doubled = (take("activities", bool) for _ in range(2))
    deleted = take("deals", bool)
    done.edits.append({"entity": "activities", "id": lost["id"], "action": "delete", "purge": True})
    done.edits.append({"entity": "deals", "id": deleted["id"], "action": "delete"})
    name("activities", lost, "", "gone")
    name("deals", deleted, "", "gone")
    copy = {k: v for k, v in doubled.items() if k not in ("id", *custom["activities"])}
    done.edits.append({"entity": "activities", "action": "create", "changes": copy})
    return done


def _by_name(record: Record, custom: dict[str, str]) -> Record:
    values = record.get("custom_fields") or {}
    return {**record, **{name: values.get(code) for name, code in custom.items()}}


def _is_another(changes: Callable[[Record, Record], Record], record: Record, other: Record) -> bool:
    try:
        changed = changes(record, other)
    except (KeyError, TypeError):
        return False
    return any(record.get(name) != value for name, value in changed.items())


def _verify(migration: Migration, file: Path) -> tuple[int, list[Record]]:
    ended = migration.run("verify", "--json", str(file))
    assert "Traceback" not in ended.said, ended.said
    return ended.code, json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.promise("R019", "R021", "R063")
def test_every_corruption_is_named_and_nothing_else(migrated: Migrated, tmp_path: Path) -> None:
    """More than twenty, each on a record of its own."""
    migration = migrated.again(tmp_path / "home")
    assert _verify(migration, tmp_path / "clean.json") == (0, [])

    done = _corrupt(migrated.dump)
    assert len(done.edits) > 20
    migration.account("clock", {"advance": 3600})
    made = migration.account("edit", done.edits)
    extra = made[-1]
    done.named.add(("activities", str(stamp(migrated.dump, "activities", extra)), extra["id"], "", "extra"))

    code, rows = _verify(migration, tmp_path / "corrupt.json")
    assert code == 1
    assert all(tuple(row) == COLUMNS for row in rows)
    assert set(_names(rows)) == done.named
    assert len(rows) == len(done.named)
    assert all(row["expected"] != row["found"] for row in rows if row["field"])


def _names(rows: list[Record]) -> Iterator[tuple[Any, ...]]:
    return (
        tuple(row[name] for name in ("entity", "source_key", "pipedrive_id", "field", "verdict"))
        for row in rows
    )
