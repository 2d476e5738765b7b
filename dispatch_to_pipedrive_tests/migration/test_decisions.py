"""The owner file: what stands in it is understood or refused line by line, and people's words are never overwritten."""

from pathlib import Path

import pytest

from dispatch_to_pipedrive.migration.decisions import (
    Decision,
    Decisions,
    WrongDecisions,
    mistakes_in,
    read_decisions,
    write_decisions,
)
from dispatch_to_pipedrive.migration.owners import match_technicians, undecided
from dispatch_to_pipedrive.migration.values import OwnerRow
from dispatch_to_pipedrive.pipedrive.account import User
from dispatch_to_pipedrive_tests.migration.test_owners import TECHNICIANS, USERS

TECHS = {1: "Tess@x.example ", 2: "tom@x.example", 3: "", 4: "gone@x.example", 5: "tom@x.example"}


def file_with(folder: Path, content: str | bytes) -> Path:
    file = folder / "technicians.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def refused(folder: Path, content: str | bytes) -> list[str]:
    with pytest.raises(WrongDecisions) as wrong:
        read_decisions(file_with(folder, content))
    return [mistake.removeprefix(f"{folder}/") for mistake in wrong.value.mistakes]


def test_a_file_that_is_not_there_or_empty_decides_nothing(tmp_path: Path) -> None:
    assert read_decisions(tmp_path / "technicians.csv").rows == ()
    for content in ("", "\n\n", "technician_id,name,email,decision\n"):
        assert read_decisions(file_with(tmp_path, content)).by_technician == {}


def test_a_spreadsheets_bom_line_ends_quotes_and_empty_lines_are_tolerated(tmp_path: Path) -> None:
    content = '\ufefftechnician_id,name,email,decision\r\n2,"Tom, the ""Axe""",t@x.example, Ann@X.example \r\n,,,\r\n'
    decisions = read_decisions(file_with(tmp_path, content))
    assert decisions.rows == (Decision(2, 'Tom, the "Axe"', "t@x.example", "Ann@X.example", 2),)
    assert decisions.by_technician == {2: "ann@x.example"}
    plain = read_decisions(file_with(tmp_path, "technician_id,decision\n2,ann@x.example\n"))
    assert plain.digest == decisions.digest


@pytest.mark.promise("R074")
@pytest.mark.parametrize(
    ("content", "mistakes"),
    [
        (
            "technician,name,email,decision\n1,,,\n",
            ["technicians.csv:1: unknown column 'technician' (did you mean 'technician_id'?)", "is missing"],
        ),
        (
            "technician_id;decision\n1;fallback\n",
            ["unknown column 'technician_id;decision'", "missing", "missing"],
        ),
        ("technician_id,decision,decision\n", ["'decision' stands there twice"]),
        (
            "technician_id,decision\nx1,fallback\n2,\n2,fallback\n3,boss\n4,a,b\n",
            [
                "technicians.csv:2: 'x1' is no technician id",
                "technicians.csv:4: technician 2 stands already in line 3",
                "technicians.csv:5: technician 3: 'boss' is neither an e-mail nor `fallback`",
                "technicians.csv:6: 3 cells, but 2 columns",
            ],
        ),
        (b"technician_id,decision\n1,\xff\n", ["not UTF-8 text"]),
        ('technician_id,decision\n1,"a\n', ["no CSV"]),
    ],
)
def test_every_mistake_is_told_at_once_with_its_line(
    tmp_path: Path, content: str | bytes, mistakes: list[str]
) -> None:
    told = refused(tmp_path, content)
    assert len(told) == len(mistakes), told
    for words, expected in zip(told, mistakes, strict=True):
        assert expected in words


@pytest.mark.promise("R074")
def test_r074_decisions_are_checked_against_tenant_and_account(tmp_path: Path) -> None:
    lines = ["9,ann@x.example", "1,an@x.example", "4,gone@x.example", "3,fallback", "2,ann@x.example"]
    content = "\n".join(["technician_id,decision", *lines, "5,tess@x.example", ""])
    decisions = read_decisions(file_with(tmp_path, content))
    found = mistakes_in(decisions, TECHS, USERS, fallback=False)
    assert [words.removeprefix(f"{tmp_path}/technicians.csv:") for words in found] == [
        "2: technician 9 is not in Dispatch Pro: correct the id or delete the line",
        "3: technician 1: an@x.example is no user of the Pipedrive account (did you mean ann@x.example?): "
        "create the user or name another",
        "4: technician 4: gone@x.example is an inactive user of the Pipedrive account: "
        "activate the user or name another",
        "5: technician 3: is left to the fallback owner, but FALLBACK_OWNER_EMAIL is not set: set it",
        "6: technician 2 has the e-mail tom@x.example of technician 5: decide the same for all of them",
        "7: technician 5 has the e-mail tom@x.example of technician 2: decide the same for all of them",
    ]
    right = "technician_id,decision\n2,ann@x.example\n5,ann@x.example\n3,fallback\n"
    assert mistakes_in(read_decisions(file_with(tmp_path, right)), TECHS, USERS, fallback=True) == []


@pytest.mark.promise("R073")
def test_who_waits_is_added_and_what_people_wrote_stays(tmp_path: Path) -> None:
    """R073: listed are name, Dispatch Pro id and last-known e-mail."""
    file = file_with(tmp_path, "technician_id,name,email,decision\n4,=1+1,,Ann@x.example\n1,Old,,\n")
    decisions = read_decisions(file)
    rows = match_technicians(TECHNICIANS, USERS, decisions.by_technician)
    write_decisions(decisions.listing(rows, undecided(rows)))
    assert file.read_text().splitlines() == [
        "technician_id,name,email,decision",
        "2,'=Tom,tom@x.example,",
        "3,Nomail,,",
        "4,Gone,gone@x.example,Ann@x.example",
    ]
    again = read_decisions(file)
    assert again.by_technician == {4: "ann@x.example"}
    assert [row.name for row in again.rows] == ["=Tom", "Nomail", "Gone"]
    before = file.stat().st_mtime_ns
    write_decisions(again.listing(rows, undecided(rows)))
    assert file.stat().st_mtime_ns == before


def test_choices_made_elsewhere_go_into_the_file(tmp_path: Path) -> None:
    decisions = Decisions(tmp_path / "new" / "technicians.csv").with_choices({3: "fallback"})
    rows = [OwnerRow(3, "Nomail", "", 7, "left to the fallback owner", "boss@x.example")]
    write_decisions(decisions.listing(rows, ()))
    assert (tmp_path / "new" / "technicians.csv").read_text().endswith("3,Nomail,,fallback\n")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "maps").write_text("no folder")
    with pytest.raises(WrongDecisions, match=r"technicians\.csv: cannot be"):
        write_decisions(Decisions(tmp_path / "maps" / "technicians.csv", (Decision(1, "", "", ""),)))


@pytest.mark.promise("R012", "R074")
def test_users_of_one_e_mail_are_no_answer() -> None:
    twins = [User(id=1, name="A", email="a@x.example"), User(id=2, name="B", email="A@x.example")]
    decisions = Decisions(Path("technicians.csv"), (Decision(1, "", "", "a@x.example", 2),))
    assert mistakes_in(decisions, TECHS, twins, fallback=False) == [
        "technicians.csv:2: technician 1: a@x.example is the e-mail of 2 active users: name another user"
    ]
