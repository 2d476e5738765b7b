"""Mistakes that people make in maps, owner files, settings and approvals: one clear message each, and no write.

Each is made on a home whose migration is done, so that everything else is in order.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dispatch_to_pipedrive_tests.acceptance.world import Migrated, Migration
from dispatch_to_pipedrive_tests.program import maps_beside

Change = Callable[[Path], None]
FULL = ("migrate", "--through", "full")
OWNERS = "technician_id,name,email,decision\n"


@dataclass(frozen=True)
class Mistake:
    """What somebody did to the maps' folder or asked for, and the words that must be told."""

    name: str
    words: tuple[str, ...]
    change: Change = lambda _maps: None
    command: tuple[str, ...] = FULL
    env: dict[str, str] = field(default_factory=dict)
    code: int = 2

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def swap(entity: str, old: str, new: str) -> Change:
    """Replace the first occurrence of a text in a map."""

    def change(maps: Path) -> None:
        path = maps / f"{entity}.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def write(name: str, content: str | bytes) -> Change:
    """Write a file into the maps' folder."""

    def change(maps: Path) -> None:
        path = maps / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return change


def field_of(entity: str, lines: str) -> Change:
    """Add a field at the end of a map."""

    def change(maps: Path) -> None:
        with (maps / f"{entity}.yaml").open("a", encoding="utf-8") as file:
            file.write("\n".join(f"  {line}" for line in lines.splitlines()) + "\n")

    return change


MAP_MISTAKES = [
    Mistake("an unknown key", ("deals.yaml:", "form", "from"), swap("deals", "from:", "form:")),
    Mistake(
        "an unknown type",
        ("persons.yaml:", "lables", "labels"),
        swap("persons", "type: labels", "type: lables"),
    ),
    Mistake(
        "an unknown transform",
        ("deals.yaml:", "html_to_txt", "html_to_text"),
        swap("deals", "transform: html_to_text", "transform: html_to_txt"),
    ),
    Mistake("a missing file", ("persons.yaml", "missing"), lambda maps: (maps / "persons.yaml").unlink()),
    Mistake(
        "a tab",
        ("organizations.yaml:", "tab"),
        swap("organizations", "\n  name:\n    type", "\n  name:\n\ttype"),
    ),
    Mistake("no text", ("deals.yaml", "UTF-8"), write("deals.yaml", b"entity: deals\xff\n")),
    Mistake("a list instead of a map", ("deals.yaml:1", "mapping"), write("deals.yaml", "- entity: deals\n")),
    Mistake(
        "a key twice",
        ("persons.yaml:", "emails", "second time"),
        field_of("persons", "emails:\n  type: emails\n  from: emails"),
    ),
    Mistake(
        "one field from two files",
        ("Job_Summary__c", "deals.yaml:", "accepted"),
        write(
            "accepted/deals.yaml",
            "entity: deals\nfields:\n  Job_Summary__c:\n    type: text\n    from: summary\n",
        ),
    ),
    Mistake(
        "a value for a field that is not there",
        ("accepted/deals.yaml:", "Job_Tipe__c", "Job_Type__c"),
        write("accepted/deals.yaml", "entity: deals\nvalues:\n  Job_Tipe__c:\n    AC: Cooling\n"),
    ),
    Mistake(
        "references in a circle",
        ("organizations.yaml:", "persons"),
        field_of(
            "organizations",
            "person_id:\n  type: reference\n  to: persons\n  from: source_key\n  transform: lookup",
        ),
    ),
    Mistake(
        "an unknown column",
        ("deals.yaml:", "sumary", "summary"),
        swap("deals", "from: summary", "from: sumary"),
    ),
    Mistake(
        "a column that is not named under from",
        ("deals.yaml:", "job_numbr", "job_number"),
        swap("deals", "#{job_number}", "#{job_numbr}"),
    ),
    Mistake(
        "an unknown stage", ("deals.yaml:", "On Hold", "Hold"), swap("deals", "Hold: Hold", "Hold: On Hold")
    ),
    Mistake(
        "a custom field of a type that none has",
        ("deals.yaml:", "Technician_ID__c", "emails"),
        swap("deals", "Technician_ID__c:\n    type: text", "Technician_ID__c:\n    type: emails"),
    ),
    Mistake(
        "another entity's map",
        ("persons.yaml:", "this file is the map of persons"),
        swap("persons", "entity: persons", "entity: organizations"),
    ),
    Mistake(
        "an unknown setting",
        ("deals.yaml:", "curency", "currency"),
        swap("deals", "name: currency", "name: curency"),
    ),
    Mistake(
        "rules that leave a case open",
        ("activities.yaml:", "last rule"),
        swap("activities", "        - then: task\n", ""),
    ),
    Mistake(
        "two values on one option",
        ("deals.yaml:", "Payment_Status__c", "'no_invoice' and 'unpaid'"),
        swap("deals", "no_invoice: No invoice", "no_invoice: unpaid "),
        code=2,
    ),
]

OWNER_MISTAKES = [
    Mistake(
        "a user whom nobody knows",
        ("technicians.csv:2", "nobody@example.com"),
        write("technicians.csv", OWNERS + "601,A,,nobody@example.com\n"),
    ),
    Mistake(
        "a technician whom nobody knows",
        ("technicians.csv:2", "999999"),
        write("technicians.csv", OWNERS + "999999,A,,fallback\n"),
    ),
    Mistake(
        "a technician twice",
        ("technicians.csv:3", "601"),
        write("technicians.csv", OWNERS + "601,A,,fallback\n601,A,,fallback\n"),
    ),
    Mistake(
        "a technician without an id",
        ("technicians.csv:2", "'Bob' is no technician id"),
        write("technicians.csv", OWNERS + "Bob,A,,fallback\n"),
    ),
    Mistake(
        "an unknown column of owners",
        ("technicians.csv:1", "owner"),
        write("technicians.csv", "technician_id,name,email,owner\n"),
    ),
    Mistake(
        "an owner file that is no text",
        ("technicians.csv", "UTF-8"),
        write("technicians.csv", b"technician_id,name,email,decision\n601,\xff,,\n"),
    ),
]

SETTING_MISTAKES = [
    Mistake("maps that are not there", ("MAPPINGS_DIR",), env={"MAPPINGS_DIR": "/nowhere/maps"}),
    Mistake(
        "a fallback who is no user",
        ("FALLBACK_OWNER_EMAIL", "nobody@example.com"),
        env={"FALLBACK_OWNER_EMAIL": "nobody@example.com"},
    ),
    Mistake("a currency that is none", ("MIGRATION_CURRENCY",), env={"MIGRATION_CURRENCY": "dollars"}),
    Mistake("a share that is below nothing", ("PIPEDRIVE_RESERVE",), env={"PIPEDRIVE_RESERVE": "-1"}),
]

DECISION_MISTAKES = [
    Mistake("nobody who confirms", ("say who approves",), command=("confirm-map", "--as", "  ")),
    Mistake(
        "a proposal that was never made",
        ("jobs/nothing",),
        command=("confirm-map", "--as", "Ada", "--accept", "jobs/nothing=create"),
    ),
    Mistake(
        "a choice that is none",
        ("--accept", "ID=CHOICE"),
        command=("confirm-map", "--as", "Ada", "--accept", "jobs"),
    ),
    Mistake(
        "an owner for nobody",
        ("999999",),
        command=("confirm-map", "--as", "Ada", "--technician", "999999=fallback"),
    ),
    Mistake(
        "a file that is not there",
        ("nowhere.csv",),
        command=("reassign-owners", "--file", "nowhere.csv", "--as", "Ada"),
    ),
    Mistake(
        "an approval that is stale",
        ("map_confirmed", "18 fields of 18 records changed", "deals.title"),
        swap("deals", "{job_type} — {customer_name}", "{job_type} - {customer_name}"),
        code=1,
    ),
]


@pytest.fixture(scope="module")
def migration(migrated: Migrated, tmp_path_factory: pytest.TempPathFactory) -> Migration:
    """A home whose migration is done; no mistake changes anything in it."""
    return migrated.again(tmp_path_factory.mktemp("mistakes") / "home")


@pytest.fixture
def maps(migration: Migration, tmp_path: Path) -> Iterator[Path]:
    """The home's maps, put back afterwards."""
    mine = maps_beside(migration.home)
    shutil.copytree(mine, tmp_path / "maps")
    yield mine
    shutil.rmtree(mine)
    shutil.copytree(tmp_path / "maps", mine)


@pytest.mark.promise("R061", "R074")
@pytest.mark.parametrize(
    "mistake", [*MAP_MISTAKES, *OWNER_MISTAKES, *SETTING_MISTAKES, *DECISION_MISTAKES], ids=str
)
def test_a_mistake_is_told_with_its_place_and_nothing_is_written(
    mistake: Mistake, migration: Migration, maps: Path
) -> None:
    migration.account("stats/reset", {})
    mistake.change(maps)
    ended = migration.run(*mistake.command, env=mistake.env)
    assert ended.code == mistake.code, ended.said
    assert "Traceback" not in ended.said
    for word in mistake.words:
        assert word in ended.said, ended.said
    assert migration.writes == 0


def test_there_are_thirty_of_them() -> None:
    assert len([*MAP_MISTAKES, *OWNER_MISTAKES, *SETTING_MISTAKES, *DECISION_MISTAKES]) >= 30
