"""What an approval signs, how it shows what has changed since, and that the ledger keeps it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dispatch_to_pipedrive.mapping.model import EntityMap, Maps, PipelineMap
from dispatch_to_pipedrive.migration.approval import (
    NOBODY,
    Rendering,
    changes,
    refused,
    render,
    told,
)
from dispatch_to_pipedrive.migration.errors import WrongApproval
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.owners import fallback_row
from dispatch_to_pipedrive.migration.values import OwnerRow
from dispatch_to_pipedrive.pipedrive.account import Field, Option, Pipeline, Stage, Structure
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema, Made

CODE = "a" * 40
MAPS = Maps(
    {
        "deals": EntityMap.model_validate(
            {
                "entity": "deals",
                "pipeline": PipelineMap(name="Jobs", stages=["New", "Done"]),
                "fields": {
                    "title": {"type": "text", "from": "title"},
                    "value": {"type": "number", "from": "value"},
                    "owner_id": {"type": "user", "from": "owner"},
                    "person_id": {"type": "reference", "to": "persons", "from": "person"},
                    "pipeline_id": {"type": "pipeline", "transform": "constant", "args": {"value": "Jobs"}},
                    "stage_id": {"type": "stage", "from": "stage"},
                    "label_ids": {"type": "labels", "from": "labels"},
                    "Job_Type__c": {"type": "option", "from": "job_type"},
                },
            }
        )
    }
)
MADE = (
    Made("pipeline", "pipelines", "Jobs", "3"),
    Made("stage", "stages", "New", "10", "Jobs"),
    Made("stage", "stages", "Done", "11", "Jobs"),
    Made("field", "deals", "Job_Type__c", CODE, "enum"),
)
OWNERS = [
    OwnerRow(1, "Tess", "Tess@x.example", 21, "matched", "tess@x.example"),
    fallback_row(99, "boss@x.example"),
]


def account(
    types: dict[int, str] | None = None,
    stages: dict[int, str] | None = None,
    labels: dict[int, str] | None = None,
) -> AccountSchema:
    """An account that calls its ids so."""
    fields = {
        code: Field(
            field_code=code,
            field_name=name,
            field_type=kind,
            options=tuple(Option(id=key, label=label) for key, label in named.items()),
        )
        for code, name, kind, named in (
            (CODE, "Job_Type__c", "enum", types or {1: "Repair", 2: "Install"}),
            ("label_ids", "Labels", "set", labels or {5: "VIP", 6: "Late"}),
        )
    }
    called = stages or {10: "New", 11: "Done"}
    structure = Structure(
        fields={"deals": fields},
        pipelines=(Pipeline(id=3, name="Jobs"),),
        stages=tuple(Stage(id=key, name=name, pipeline_id=3) for key, name in called.items()),
    )
    return AccountSchema(structure, MADE)


def rows(**columns: list[Any]) -> dict[str, pd.DataFrame]:
    """Two deals in logical form, with these columns instead of the usual ones."""
    usual: dict[str, list[Any]] = {
        "source_key": ["job:1/deal", "job:2/deal"],
        "root": [7, 7],
        "title": ["Leak", "Drain"],
        "value": [10.5, None],
        "owner_id": ["tess@x.example", None],
        "person_id": ["customer:7/person", "customer:7/person"],
        "pipeline_id": ["Jobs", "Jobs"],
        "stage_id": ["New", "Done"],
        "label_ids": [["VIP", "Late"], None],
        "Job_Type__c": ["Repair", "Repair"],
    }
    return {"deals": pd.DataFrame({k: pd.Series(v, dtype=object) for k, v in {**usual, **columns}.items()})}


def rendered(schema: AccountSchema | None = None, owners: Any = OWNERS, **columns: list[Any]) -> Rendering:
    return render(MAPS, rows(**columns), schema or account(), owners, 1)


APPROVED = rendered()


def since(now: Rendering, schema: AccountSchema | None = None) -> list[tuple[str, str, str, str]]:
    """(key, field, old, new) of what changed, the approved one read back from where it was kept."""
    kept = Rendering.of(APPROVED.document())
    found = [tuple(change[1:]) for change in changes(kept, now, schema or account())]
    assert bool(found) == (now.digest != APPROVED.digest)
    return found  # type: ignore[return-value]


def test_a_rendering_holds_names_and_source_keys() -> None:
    first, second = APPROVED.records["deals"].values()
    assert first == {
        "title": "Leak",
        "value": 10.5,
        "owner_id": "tess@x.example",
        "person_id": "customer:7/person",
        "pipeline_id": "Jobs",
        "stage_id": "New",
        "label_ids": ["Late", "VIP"],
        "Job_Type__c": "Repair",
    }
    assert second["owner_id"] == "boss@x.example"
    assert "value" not in second
    assert APPROVED.names["deals.Job_Type__c"] == {"Repair": [1, "Repair"]}
    assert rendered(owners=[OWNERS[0]]).records["deals"]["job:2/deal"]["owner_id"] == NOBODY


def test_nothing_changes_where_nothing_is_written_differently() -> None:
    assert since(rendered()) == []
    assert since(rendered(label_ids=[("Late", "VIP"), None])) == []
    unused = account(types={1: "Repair", 2: "Installation"})
    assert since(rendered(unused), unused) == [], "an option that the sample does not use"


@pytest.mark.promise("R083")
def test_a_changed_value_owner_or_record_shows() -> None:
    assert since(rendered(title=["Leak!", "Drain"])) == [("job:1/deal", "title", "Leak", "Leak!")]
    assert since(rendered(value=[10.5, 0.0])) == [("job:2/deal", "value", "(empty)", "0.0")]
    other = [replace(OWNERS[0], user_id=22, owner_email="ann@x.example"), OWNERS[1]]
    assert since(rendered(owners=other)) == [("job:1/deal", "owner_id", "tess@x.example", "ann@x.example")]
    fewer = render(MAPS, {"deals": rows()["deals"].head(1)}, account(), OWNERS, 1)
    assert since(fewer) == [("job:2/deal", "", "in the sample", "no longer")]


@pytest.mark.promise("R083")
@pytest.mark.parametrize(
    ("schema", "found"),
    [
        (
            account(types={1: "Reparatur", 2: "Install", 3: "Repair"}),
            [(f"job:{n}/deal", "Job_Type__c", "Repair", "Reparatur") for n in (1, 2)],
        ),
        (
            account(types={2: "Install"}),
            [(f"job:{n}/deal", "Job_Type__c", "Repair", "Repair (not in the account)") for n in (1, 2)],
        ),
        (
            account(types={2: "Install", 8: "Repair"}),
            [(f"job:{n}/deal", "Job_Type__c", "Repair", "Repair (made anew)") for n in (1, 2)],
        ),
        (account(stages={10: "Fresh", 11: "Done"}), [("job:1/deal", "stage_id", "New", "Fresh")]),
        (
            account(labels={5: "VIP", 6: "Too late", 7: "Late"}),
            [("job:1/deal", "label_ids", "Late, VIP", "Too late, VIP")],
        ),
    ],
    ids=["renamed, and made again", "deleted", "made anew", "stage renamed", "label renamed"],
)
def test_what_people_did_to_the_accounts_names_shows(
    schema: AccountSchema, found: list[tuple[str, str, str, str]]
) -> None:
    assert since(rendered(schema), schema) == found


def test_the_words_group_what_changed_the_same_way() -> None:
    now = rendered(
        title=["Leak" + "!" * 100, "Drain"], stage_id=["Done", "New"], Job_Type__c=["Install", "Install"]
    )
    words = told(changes(APPROVED, now, account()), shown=2)
    assert words.startswith(
        "5 fields of 2 records changed (deals.Job_Type__c: Repair → Install ×2; deals.stage_id: "
    )
    assert words.endswith("; and 2 more)")


@pytest.mark.promise("R026", "R083")
def test_only_a_sample_that_was_read_back_as_it_is_now_can_be_approved() -> None:
    """R026, R083."""
    assert "not reconciled yet" in refused(APPROVED, None)
    assert "3 blocking differences" in refused(APPROVED, {"blocking": 3, "rendering": APPROVED.digest})
    assert "changed since" in refused(
        APPROVED, {"blocking": 0, "rendering": rendered(title=["a", "b"]).digest}
    )
    assert refused(APPROVED, {"blocking": 0, "rendering": APPROVED.digest}) == ""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield ledger
    ledger.close()


@pytest.mark.promise("R026")
def test_approvals_are_added_and_stay(ledger: Ledger) -> None:
    first = ledger.approve("7", "map", "d1", name="  Ada \n Lovelace ", note=" fine ", document={"a": [1]})
    second = ledger.approve("7", "map", "d2", name="Ada", document={})
    ledger.approve("8", "map", "d1", name="Bob")
    assert (first.name, first.note, first.head) == ("Ada Lovelace", "fine", "")
    assert ledger.latest_approval("7", "map") == second
    assert ledger.approval_of("7", "map", "d1") == first
    assert ledger.approvals("7") == [first, second]
    assert ledger.latest_approval("7", "sample") is None
    with pytest.raises(ValueError, match="map, sample"):
        ledger.approve("7", "weather", "d1", name="Ada")


@pytest.mark.parametrize(
    ("name", "note", "words"),
    [
        ("", "", "needs a name"),
        (" \t\n", "", "needs a name"),
        ("A" * 201, "", "the name has 201 characters, and 200 can be stored"),
        ("Ada", "x" * 2_001, "the note has 2001 characters"),
        ("Ada\x1b[31m", "", "cannot be printed"),
    ],
)
def test_a_name_or_note_that_cannot_stand_on_record_is_refused(
    ledger: Ledger, name: str, note: str, words: str
) -> None:
    with pytest.raises(WrongApproval, match=words):
        ledger.approve("7", "map", "d", name=name, note=note)
    assert ledger.approvals("7") == []


@pytest.mark.promise("R026")
def test_whoever_opens_the_ledger_later_finds_the_approval(ledger: Ledger, tmp_path: Path) -> None:
    ledger.approve("7", "sample", APPROVED.digest, name="Ada", document={"rendering": APPROVED.document()})
    later = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    found = later.latest_approval("7", "sample")
    assert found is not None
    assert Rendering.of(found.document["rendering"]).digest == found.digest
    later.close()
