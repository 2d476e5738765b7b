"""The checklist: all that rows ask for, once each, beside what always has to be done."""

import pandas as pd
import pytest

from dispatch_to_pipedrive.migration.checklist import (
    BUILD,
    BY_HAND,
    NOBODY,
    SECTIONS,
    STANDING,
    STAYS,
    checklist,
    not_on_the_list,
    owners_before_and_after,
    sections,
)
from dispatch_to_pipedrive.migration.dispositions import AUTOMATION
from dispatch_to_pipedrive.migration.reference_data import HITS, Reference
from dispatch_to_pipedrive_tests.migration.test_reference_data import PROFILE, made, tenant

NONE = pd.DataFrame(columns=list(HITS), dtype="string")


@pytest.fixture(scope="module")
def found() -> Reference:
    return made(tenant())


@pytest.mark.promise("R014", "R016")
def test_whatever_a_row_asks_for_is_an_item(found: Reference) -> None:
    items = checklist(found.hits, PROFILE)
    assert not_on_the_list(found.hits, items) == 0
    assert items["key"].is_unique
    smart = items[items["title"] == "Dispatch rule of a job type: Smart"].iloc[0]
    assert (smart["section"], smart["trigger"]) == (BUILD, "Deal created, Job_Type__c is Smart")
    assert set(items[items["table"] == "zones"]["section"]) == {BY_HAND}
    assert not_on_the_list(found.hits, items[items["table"] != "zones"]) > 0


def test_rows_that_ask_for_the_same_are_one_item() -> None:
    hits = pd.DataFrame(
        [
            ("technician_shifts", str(n), "Tess", "Shifts to come", AUTOMATION, "", "", "keep")
            for n in range(9)
        ],
        columns=list(HITS),
        dtype="string",
    )
    mine = checklist(hits, PROFILE).query("table == 'technician_shifts'")
    assert list(mine["rows"]) == [9]


@pytest.mark.promise("R014", "R049", "R050", "R059", "R065")
def test_what_never_carries_over_is_told_in_any_case() -> None:
    items = checklist(NONE, PROFILE)
    assert len(items) == len(STANDING)
    stays = " ".join(items.loc[items["section"] == STAYS, "title"])
    for words in ("optimisation", "Accounting", "Line items"):
        assert words in stays
    assert items["words"].str.contains("neither lists nor makes automations and sequences").any()
    assert [name for name, _ in sections(items)] == [name for name in SECTIONS if name != BY_HAND]


def test_what_customers_are_marked_with_is_a_step_that_tells_how_many_they_are() -> None:
    flags = [
        ("customers", "do_not_service", "true", 3, 2, 50),
        ("customers", "do_not_mail", "false", 50, 1, 50),
    ]
    items = checklist(NONE, pd.DataFrame(flags, columns=list(PROFILE)))
    marked = items[items["key"].str.startswith("customers/")]
    assert list(marked["title"]) == ["Customers who shall not be served (3)"]


@pytest.mark.promise("R059")
def test_owners_before_and_after_name_every_technician_with_jobs() -> None:
    held = pd.DataFrame(
        {"technician_id": [7, 8, 0, 99], "jobs": [5, 9, 2, 1], "by_dispatch_pro": [3, 0, None, 0]}
    )
    owners = pd.DataFrame(
        [
            (7, "Tess", "matched", "tess@example.com"),
            (8, "Tom", "unmatched", ""),
            (10, "Ida", "matched", "ida@example.com"),
            (0, "(fallback owner)", "stands in", "boss@example.com"),
        ],
        columns=["technician_id", "name", "verdict", "owner_email"],
    )
    told = owners_before_and_after(held, owners)[["technician", "jobs", "by_dispatch_pro", "owner"]]
    assert told.astype(object).where(told.notna(), None).to_numpy().tolist() == [
        ["Tom", 9, 0, ""],
        ["Tess", 5, 3, "tess@example.com"],
        [NOBODY, 2, None, "boss@example.com"],
        ["technician 99", 1, 0, ""],
        ["Ida", 0, None, "ida@example.com"],
    ]
