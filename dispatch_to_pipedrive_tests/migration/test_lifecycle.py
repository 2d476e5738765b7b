"""The one state of a migration, from values alone: what people decided, what is planned, what came of it."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_to_pipedrive.migration.ledger.milestones import MILESTONES
from dispatch_to_pipedrive.migration.lifecycle import (
    LOADED,
    STATES,
    UNDONE,
    Lifecycle,
    lifecycle,
    standing,
)
from dispatch_to_pipedrive.migration.values import TENANT, Manifest, Milestone

NOW = "2026-11-23T12:00:00"
PREFLIGHT: Mapping[tuple[str, str], Mapping[str, Any]] = {(TENANT, "preflight"): {"at": NOW}}


def batch(key: str) -> Manifest:
    kind = key.partition("-")[0]
    return Manifest(key, kind, 0, 1, (1,), 1, 1)


def reports(
    *,
    loaded: Iterable[str] = (),
    read_back: Iterable[str] = (),
    blocking: int = 0,
    undone: Iterable[str] = (),
) -> dict[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {
        (key, stage): {"at": "2026-11-23T10"} for key in loaded for stage in LOADED
    }
    found |= {(key, "reconciliation"): {"at": "2026-11-23T11", "blocking": blocking} for key in read_back}
    return found | {(key, UNDONE): {"at": "2026-11-23T11"} for key in undone}


def milestones(*names: str, **details: Any) -> list[Milestone]:
    return [Milestone(number, name, "Ada", NOW, "", details) for number, name in enumerate(names, 1)]


def stands(
    found: Mapping[tuple[str, str], Mapping[str, Any]],
    *names: str,
    batches: Iterable[str] = ("sample", "wave-0001", "wave-0002"),
    map_confirmed: bool = True,
    **details: Any,
) -> Lifecycle:
    return lifecycle(
        milestones(*names, **details), list(map(batch, batches)), found, map_confirmed=map_confirmed, now=NOW
    )


WAVES = ("wave-0001", "wave-0002")
ALL = ("sample", *WAVES)


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ("not started", stands({}, batches=(), map_confirmed=False)),
        ("not started", stands({}, map_confirmed=False)),
        ("assessed", stands(PREFLIGHT, map_confirmed=False)),
        ("mapped", stands(PREFLIGHT)),
        ("mapped", stands(reports(loaded=["sample"]))),
        ("sampled", stands(reports(loaded=["sample"], read_back=["sample"]))),
        ("migrating", stands(reports(loaded=["sample", "wave-0001"], read_back=["sample"]))),
        ("migrating", stands(reports(loaded=ALL, read_back=["sample", "wave-0001"]))),
        ("verified", stands(reports(loaded=ALL, read_back=ALL))),
        ("migrating", stands(reports(loaded=ALL, read_back=ALL, blocking=1))),
        ("in delta", stands(reports(loaded=ALL, read_back=ALL), "window_opened", closes_at="2026-11-25")),
        ("verified", stands(reports(loaded=ALL, read_back=ALL), "window_opened", closes_at="2026-11-22")),
        ("verified", stands(reports(loaded=ALL, read_back=ALL), "window_opened", "frozen")),
        ("in delta", stands(reports(loaded=ALL, read_back=ALL), batches=(*ALL, "delta-0001"))),
        ("signed off", stands(reports(loaded=ALL, read_back=ALL), "signed_off")),
        ("verified", stands(reports(loaded=ALL, read_back=ALL), "signed_off", "reopened")),
        ("rolling back", stands(reports(loaded=ALL, read_back=ALL), "rollback_begun")),
        ("rolled back", stands(reports(undone=ALL), "rollback_begun", "rollback_ended")),
        ("migrating", stands(reports(loaded=["wave-0001"], undone=["wave-0002"]))),
        ("migrating", stands(reports(loaded=WAVES, read_back=WAVES, undone=["sample"]))),
        (
            "migrating",
            stands(reports(loaded=WAVES, undone=["sample"]), "window_opened", closes_at="2026-11-25"),
        ),
    ],
)
def test_each_state_has_its_facts(state: str, found: Lifecycle) -> None:
    assert found.state == state


def test_what_was_loaded_again_is_not_verified_until_it_is_read_back() -> None:
    found = reports(loaded=ALL, read_back=ALL)
    found["wave-0001", "deals"] = {"at": "2026-11-23T11:30"}
    assert stands(found).state == "migrating"


def test_flags_and_words_tell_who_and_what_to_do() -> None:
    found = stands(reports(loaded=ALL, read_back=["wave-0002"], blocking=2, undone=["wave-0001"]), "paused")
    assert found.flags == ("paused", "differences")
    assert [line.partition(":")[0] for line in found.words] == [
        "paused by Ada at 2026-11-23T12",
        "rolled back",
        "differs from what was meant",
    ]
    assert "`resume --as NAME`" in found.words[0]
    assert stands({}, "paused", "resumed").flags == ()


@given(st.lists(st.sampled_from(MILESTONES), max_size=12), st.sets(st.sampled_from(ALL)), st.booleans())
def test_there_is_always_one_state_and_what_is_in_force_has_the_last_word(
    names: list[str], done: set[str], confirmed: bool
) -> None:
    force = standing(milestones(*names))
    found = stands(reports(loaded=done, read_back=done), *names, map_confirmed=confirmed)
    assert found.state in STATES
    assert (found.state == "signed off") == (force.sign_off is not None)
    if force.sign_off is None:
        assert (found.state == "rolling back") == (force.rollback is not None)
    assert ("paused" in found.flags) == (force.pause is not None)
