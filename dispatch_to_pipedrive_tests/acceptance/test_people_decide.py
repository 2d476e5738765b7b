"""From an untouched tenant to an approved sample in the shell: where people decide; nothing is written before."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dispatch_to_pipedrive_tests.acceptance.world import Migration
from dispatch_to_pipedrive_tests.launcher import Ended
from dispatch_to_pipedrive_tests.program import records

FULL = ("migrate", "--through", "full")
FALLBACK = {"FALLBACK_OWNER_EMAIL": "admin@company.example"}
NEW = ("Daniel Thompson", "tech5@saguaro.example.com")
"""A technician who gets a user before the load; Sanchez gets his after it."""
LATER = ("Michael Sanchez", "michael@new.example")


def people(migration: Migration) -> list[dict[str, str]]:
    """The lines of the owner file."""
    with owner_file(migration).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def owner_file(migration: Migration) -> Path:
    return Path(f"{migration.home}.maps") / "technicians.csv"


def create_user(migration: Migration, name: str, email: str) -> int:
    """The team creates a user in Pipedrive."""
    dump = migration.account("dump")
    users: list[dict[str, Any]] = dump["users"]
    number = 1 + max(int(user["id"]) for user in users)
    users.append({**users[0], "id": number, "name": name, "email": email, "is_you": False})
    migration.account("load", dump)
    return number


def stopped(ended: Ended, *words: str, code: int = 1) -> None:
    assert ended.code == code, ended.said
    assert "Traceback" not in ended.said
    for word in words:
        assert word in ended.said, ended.said


@pytest.mark.promise("R013", "R020", "R040", "R073", "R074", "R075", "R083")
def test_nothing_moves_before_people_have_said_yes(
    migration: Callable[..., Migration], tmp_path: Path
) -> None:
    """R013, R020, R026, R040, R073, R074, R075, R083."""
    new = migration(customers=6, env={"FALLBACK_OWNER_EMAIL": ""})

    stopped(new.run(*FULL), "map_confirmed: nobody has confirmed the map", "confirm-map --as NAME")
    waiting = people(new)
    assert [list(line.values())[:3] for line in waiting] == [
        ["605", "Daniel Thompson", "tech5@saguaro.example.com"],
        ["606", "José Baker", "tech6@saguaro.example.com"],
        ["607", "Karen Harris", ""],
        ["609", "Michael Sanchez", "tech9@saguaro.example.com"],
    ]
    assert {line["decision"] for line in waiting} == {""}

    answers = ("605=nobody@x.example", "1=fallback", "607=fallback")
    wrong = [part for answer in answers for part in ("--technician", answer)]
    stopped(
        new.run("confirm-map", "--as", "Ada", *wrong),
        "technician 605: nobody@x.example is no user of the Pipedrive account",
        "technician 1 is not in Dispatch Pro",
        "technician 607: is left to the fallback owner, but FALLBACK_OWNER_EMAIL is not set",
        code=2,
    )
    stopped(new.run("confirm-map", "--as", " "), "an approval needs a name", code=2)
    stopped(new.run("confirm-map", "--as", "Ada", "--accept", "nothing"), "write ID=CHOICE", code=2)
    stopped(new.run("approve-sample", "--as", "Ada"), "not reconciled yet")

    ended = new.run("confirm-map", "--as", "Ada Lovelace", "--note", "as agreed")
    assert ended.code == 0, ended.said
    assert "4 technicians still have no owner" in ended.said
    stopped(new.run(*FULL), "owners_decided", "Karen Harris (607, no e-mail)")
    assert new.writes == 0

    user = create_user(new, *NEW)
    lines = owner_file(new).read_text().splitlines()
    assert lines[0] == "technician_id,name,email,decision"
    owner_file(new).write_text("\n".join([lines[0], *(f"{line}fallback" for line in lines[2:])]))
    stopped(
        new.run(*FULL, env=FALLBACK),
        "sample_approved: nobody has approved the sample",
        "approve-sample --as NAME",
    )
    assert user in {deal["owner_id"] for deal in records(new.sandbox)["deals"]}
    assert [line["technician_id"] for line in people(new)] == ["606", "607", "609"]

    ended = new.run("approve-sample", "--as", "Ada Lovelace", env=FALLBACK)
    assert ended.code == 0, ended.said
    _records_go_to_a_user_created_later(new, tmp_path)


def _records_go_to_a_user_created_later(done: Migration, folder: Path) -> None:
    user = create_user(done, *LATER)
    file = folder / "later.csv"
    file.write_text(f"technician_id,decision\n609,{LATER[1]}\n606,nobody@x.example\n")
    again = ("reassign-owners", "--file", str(file), "--as", "Ada")
    stopped(done.run(*again, env=FALLBACK), f"{file}:3: technician 606: nobody@x.example is no user", code=2)
    file.write_text(f"technician_id,decision\n609,{LATER[1]}\n")
    ended = done.run(*again, "--dry-run", env=FALLBACK)
    assert ended.code == 0, ended.said
    assert f"Michael Sanchez (609): admin@company.example → {LATER[1]}" in ended.said

    before = records(done.sandbox)
    done.account("stats/reset", {})
    exchanges = folder / "exchanges.jsonl"
    done.account("record", {"path": str(exchanges)})
    ended = done.run(*again, env=FALLBACK)
    assert ended.code == 0, ended.said
    done.account("record", {"stop": True})
    said = [json.loads(line) for line in exchanges.read_text(encoding="utf-8").splitlines()]
    written = [one for one in said if one["method"] != "GET"]
    assert written
    assert {one["method"] for one in written} == {"PATCH"}
    assert all(json.loads(one["request"]) == {"owner_id": user} for one in written), written[0]
    after = records(done.sandbox)
    assert user in {deal["owner_id"] for deal in after["deals"]}
    assert user not in {deal["owner_id"] for deal in before["deals"]}
    assert {name: len(rows) for name, rows in after.items()} == {
        name: len(rows) for name, rows in before.items()
    }
    assert [line["decision"] for line in people(done)] == ["fallback", "fallback", LATER[1]]
