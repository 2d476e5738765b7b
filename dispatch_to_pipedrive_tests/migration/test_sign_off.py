"""Each gate of the sign-off by itself: what closes it, and what its words tell a person to do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dispatch_to_pipedrive.migration.drained import Undrained
from dispatch_to_pipedrive.migration.errors import GateClosed, WrongApproval
from dispatch_to_pipedrive.migration.lease import acquire
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.migration.sign_off import (
    BatchFacts,
    Facts,
    accept_quarantined,
    accepted_quarantine,
    closed_gates,
    require_all,
    sign_off_gates,
    undecided_quarantine,
)
from dispatch_to_pipedrive.migration.values import Quarantined

WRITTEN, LISTED = "2026-11-23T10:00:00", "2026-11-23T11:00:00"
WAVE = BatchFacts("wave-0001", loaded=True, after=12, last_write=WRITTEN, listing_begun=LISTED, money="")
DELTA = replace(WAVE, key="delta-0001")
REFUSED = Quarantined("persons", "customer:1/person", "rejected", "name is too long", "d1", "wave-0001")
HELD = Quarantined("deals", "job:1/deal", "held", "waits for customer:1/person", "d2", "wave-0001")
GRANDCHILD = Quarantined("notes", "job:1/note:1", "held", "waits for job:1/deal", "d3", "wave-0001")
ALL_OPEN = Facts(
    moment="2026-11-23T09:00:00+00:00",
    undrained=[],
    unplanned_roots=0,
    batches=[WAVE, DELTA],
    quarantined=[],
    accepted=[],
    last_operation=12,
    last_write=WRITTEN,
    parents_missing={"jobs": 0},
    in_doubt=0,
    broken_chain_at=None,
)


def closed(**changes: Any) -> list[str]:
    return closed_gates(sign_off_gates(replace(ALL_OPEN, **changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"loaded": False},
        {"blocking": 1},
        {"listing_begun": ""},
        {"last_write": "2026-11-23T11:00:01"},
        {"as_decided": False},
        {"compared_as_decided": False},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_batch_is_passed_over_only_where_it_is_whole(changes: dict[str, Any]) -> None:
    assert DELTA.whole
    assert not replace(DELTA, **changes).whole


def test_with_everything_in_order_every_gate_is_open() -> None:
    gates = sign_off_gates(ALL_OPEN)
    require_all(gates)
    assert len({gate.name for gate in gates}) == len(gates) == 11


@pytest.mark.parametrize(
    ("gate", "words", "changes"),
    [
        ("export_drained", "`window freeze --as NAME`", {"moment": ""}),
        ("export_drained", "jobs must begin later", {"undrained": [Undrained("jobs", "must begin later")]}),
        ("everything_planned", "delta-0001 not loaded", {"batches": [WAVE, replace(DELTA, loaded=False)]}),
        ("everything_planned", "3 customers have changed", {"unplanned_roots": 3}),
        ("everything_planned", "or the job `prepare`", {"preparing_due": True}),
        ("every_parent_arrived", "2 appointments", {"parents_missing": {"jobs": 0, "appointments": 2}}),
        (
            "nothing_rolled_back",
            "`reapply --as NAME`",
            {"batches": [WAVE, replace(DELTA, loaded=False, rolled_back=True)]},
        ),
        (
            "every_batch_reconciled",
            "delta-0001 not read back since last written",
            {"batches": [WAVE, replace(DELTA, last_write="2026-11-23T11:00:01")]},
        ),
        (
            "every_batch_reconciled",
            "delta-0001 read back with another map",
            {"batches": [WAVE, replace(DELTA, compared_as_decided=False)]},
        ),
        ("every_batch_reconciled", "(2)", {"batches": [WAVE, replace(DELTA, blocking=2)]}),
        ("totals_equal", "was not added up", {"batches": [WAVE, replace(DELTA, money=None)]}),
        ("totals_equal", "differs: May", {"batches": [WAVE, replace(DELTA, money="differs: May")]}),
        ("no_strays", "was not listed since", {"last_write": "2026-11-23T12"}),
        ("no_strays", "1 records bear", {"batches": [WAVE, replace(DELTA, strays=1)]}),
        ("quarantine_decided", "persons customer:1/person", {"quarantined": [REFUSED]}),
        (
            "second_pass_wrote_nothing",
            "delta-0001 not run again",
            {"batches": [WAVE, replace(DELTA, after=11)]},
        ),
        (
            "second_pass_wrote_nothing",
            "delta-0001 loaded with another map",
            {"batches": [WAVE, replace(DELTA, as_decided=False)]},
        ),
        ("second_pass_wrote_nothing", "wave-0001, delta-0001 not run again", {"last_operation": 13}),
        ("nothing_in_doubt", "2 requests", {"in_doubt": 2}),
        ("log_whole", "commit 4 of the chain", {"broken_chain_at": 4}),
    ],
)
def test_each_gate_is_closed_by_its_own_fact_and_says_what_to_do(
    gate: str, words: str, changes: dict[str, Any]
) -> None:
    (line,) = closed(**changes)
    assert line.startswith(f"{gate}: ")
    assert words in line
    with pytest.raises(GateClosed, match=gate):
        require_all(sign_off_gates(replace(ALL_OPEN, **changes)))


def test_without_any_batch_nothing_is_signed_off() -> None:
    assert any(line.startswith("everything_planned: no batch is planned") for line in closed(batches=[]))


def test_what_waits_for_an_accepted_record_is_accepted_with_it() -> None:
    aside = [REFUSED, HELD, GRANDCHILD]
    assert undecided_quarantine(aside, []) == aside
    assert undecided_quarantine(aside, [REFUSED]) == []
    assert undecided_quarantine(aside, [HELD]) == [REFUSED]
    assert closed(quarantined=aside, accepted=[REFUSED]) == []


def test_a_person_accepts_by_name_what_stays_set_aside_until_it_is_another_record(tmp_path: Path) -> None:
    scope = Scope("7", "42")
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    try:
        ledger.bind(scope, "Company")
        with acquire(ledger, "7", purpose="test", seconds=60) as lease:
            ledger.record(scope, lease.fence, quarantine=[REFUSED, HELD])
            with pytest.raises(WrongApproval, match="'persons customer:2/person' is not set aside"):
                accept_quarantined(ledger, scope, {"persons customer:2/person": "gone"}, "Ada")
            with pytest.raises(WrongApproval, match="needs a name"):
                accept_quarantined(ledger, scope, {"persons customer:1/person": "no customer"}, " ")
            with pytest.raises(WrongApproval, match="without a reason"):
                accept_quarantined(ledger, scope, {"persons customer:1/person": " "}, "Ada")
            assert accepted_quarantine(ledger, scope) == []
            (accepted,) = accept_quarantined(
                ledger, scope, {"persons customer:1/person": "no customer any more"}, "Ada"
            )
            assert (accepted.name, accepted.note) == ("Ada", "no customer any more")
            assert accepted_quarantine(ledger, scope) == [REFUSED]
            ledger.record(scope, lease.fence, quarantine=[REFUSED._replace(digest="d9")])
            assert accepted_quarantine(ledger, scope) == []  # the source wants something else there now
    finally:
        ledger.close()
