"""What `status` tells of files and notes: a row each, the floor at their own price, bytes sent and read back."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from rich.console import Console

from dispatch_to_pipedrive.reports.status import ENTITIES, Facts, status_of
from dispatch_to_pipedrive.reports.tables import summary

PRICES = {**dict.fromkeys(ENTITIES, 5), "files": 10, "notes": 10}
MANIFEST = SimpleNamespace(key="wave-0001", kind="wave", generation_to=1, roots=(1,), records=12, tokens=90)
NUMBERS = {"wanted": 2, "created": 2, "equal": 0}
FACTS = Facts(
    manifests=[MANIFEST],
    reports={("wave-0001", stage): NUMBERS for stage in (*ENTITIES, "retired")},
    operations={("wave-0001", entity, "create", "done"): (2, 2 * PRICES[entity]) for entity in ENTITIES}
    | {("wave-0001", "deals", "update", "done"): (1, 5)},
    prices=PRICES,
    files={"files": 2, "bytes": 3_400_000, "read_back": 1, "bytes_read_back": 999},
)


def told(facts: Facts) -> str:
    console = Console(width=150)
    with console.capture() as capture:
        console.print(summary(status_of(facts)))
    return " ".join(capture.get().split())


def test_the_floor_counts_each_record_at_its_own_price() -> None:
    assert status_of(FACTS).floor == 4 * 2 * 5 + 2 * 2 * 10
    assert status_of(replace(FACTS, close=5)).floor == 4 * 2 * 5 + 2 * 2 * 10 + 5


def test_what_a_delta_brings_again_is_no_further_record_of_the_source() -> None:
    delta = SimpleNamespace(
        key="delta-0001", kind="delta", generation_to=2, roots=(1,), records=12, tokens=90
    )
    later = replace(
        FACTS,
        manifests=[MANIFEST, delta],
        reports={
            **FACTS.reports,
            **{("delta-0001", stage): {**NUMBERS, "wanted": 3} for stage in (*ENTITIES, "retired")},
        },
        operations={
            **FACTS.operations,
            ("delta-0001", "deals", "create", "done"): (2, 10),
            ("delta-0001", "deals", "delete", "done"): (1, 3),
        },
    )
    totals = status_of(later).totals
    assert (totals["deals"].source, totals["deals"].created, totals["deals"].retired) == (3, 4, 1)
    assert totals["persons"].source == 2


@pytest.mark.promise("R023")
def test_the_summary_has_rows_for_files_and_notes_and_tells_what_was_read_back() -> None:
    words = told(FACTS)
    for entity in ENTITIES:
        assert f"{entity} │ 2 │ 2" in words
    assert "files sent: 2 with 3.4 MB, the bytes of 1 read back (999 bytes)" in words
    assert "files sent" not in told(replace(FACTS, files={}))
