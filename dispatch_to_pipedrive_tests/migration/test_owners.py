"""Technicians find their Pipedrive user by e-mail or by a person's decision, or wait for one."""

from pathlib import Path

import pandas as pd
import pytest

from dispatch_to_pipedrive.migration.errors import MigrationError
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.owners import (
    decided,
    emails_of,
    fallback_user,
    match_technicians,
    undecided,
    users_to_keep,
)
from dispatch_to_pipedrive.pipedrive.account import User

TECHNICIANS = pd.DataFrame(
    {
        "id": pd.array([1, 2, 3, 4], dtype="Int64"),
        "name": ["Tess", "=Tom", "Nomail", "Gone"],
        "email": [" Tess@X.example", "tom@x.example", None, "gone@x.example"],
    }
)
USERS = [
    User(id=11, name="Tess", email="tess@x.example"),
    User(id=12, name="Ann", email="Ann@x.example"),
    User(id=13, name="Gone", email="gone@x.example", active_flag=False),
    User(id=14, name="Tom", email="tom@x.example", is_deleted=True),
]
BOSS = User(id=99, name="Boss", email="boss@x.example")


@pytest.mark.promise("R012", "R072")
def test_r072_by_e_mail_and_inactive_users_apart() -> None:
    """R012: case and space do not matter."""
    rows = match_technicians(TECHNICIANS, USERS)
    assert [(row.technician_id, row.user_id, row.verdict) for row in rows] == [
        (1, 11, "matched"),
        (2, None, "unmatched"),
        (3, None, "unmatched"),
        (4, None, "user inactive"),
    ]
    assert [row.technician_id for row in undecided(rows)] == [2, 3, 4]


@pytest.mark.promise("R040")
def test_r040_a_fallback_owner_alone_decides_nobody() -> None:
    rows = match_technicians(TECHNICIANS, USERS, {}, BOSS)
    assert [row.technician_id for row in undecided(rows)] == [2, 3, 4]
    assert decided(rows).user(None) == 99, "he owns what has no technician"


@pytest.mark.promise("R040")
def test_r040_people_name_a_user_or_leave_it_to_the_fallback_owner() -> None:
    rows = match_technicians(
        TECHNICIANS, USERS, {2: "ann@x.example", 3: "ann@x.example", 4: "fallback"}, BOSS
    )
    assert undecided(rows) == []
    owners = decided(rows)
    assert owners.user("TOM@x.example") == 12
    assert owners.user("3") == 12, "a technician without an e-mail is looked up by id"
    assert owners.user("gone@x.example") == 99
    assert emails_of(rows) == {11: "tess@x.example", 12: "ann@x.example", 99: "boss@x.example"}


def test_a_decision_wins_over_the_e_mail() -> None:
    (row, *_) = match_technicians(TECHNICIANS, USERS, {1: "ann@x.example"})
    assert (row.user_id, row.verdict, row.owner_email) == (12, "decided", "Ann@x.example")


@pytest.mark.promise("R075")
def test_the_fallback_owner_is_an_active_user() -> None:
    assert fallback_user(USERS, "") is None
    found = fallback_user(USERS, " ann@X.example")
    assert found is not None
    assert found.id == 12
    with pytest.raises(MigrationError, match=r"FALLBACK_OWNER_EMAIL gone@x\.example is no active user"):
        fallback_user(USERS, "gone@x.example")


def test_the_users_are_kept_so_that_authors_are_found_by_e_mail(tmp_path: Path) -> None:
    users = [
        User(id=1, name="Ada", email=" Ada@X.example "),
        User(id=2, name="Bob", email="bob@x.example", active_flag=False),
        User(id=3, name="Cy", email="both@x.example"),
        User(id=4, name="Cyd", email="BOTH@x.example"),
        User(id=5, name="Nameless"),
    ]
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.save_users("7", users_to_keep(users))
    assert ledger.authors("7") == {"ada@x.example": 1}
    ledger.save_users("7", users_to_keep([User(id=2, name="Bob", email="bob@x.example")]))
    assert (ledger.authors("7"), ledger.authors("8")) == ({"bob@x.example": 2}, {})
    ledger.close()
