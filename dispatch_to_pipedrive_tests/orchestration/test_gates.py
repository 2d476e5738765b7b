"""Each gate by itself: what opens it, what closes it, and what its words tell a person to do."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dispatch_to_pipedrive.mapping import Maps, load_maps
from dispatch_to_pipedrive.mapping.meaning import digest, meaning
from dispatch_to_pipedrive.migration.approval import MAP, NOBODY, SAMPLE, CannotRender, Rendering
from dispatch_to_pipedrive.migration.clearance import (
    LEAST_A_DAY,
    Gate,
    Present,
    gates,
    require_clearance,
    require_confirmed_map,
)
from dispatch_to_pipedrive.migration.decisions import Decisions
from dispatch_to_pipedrive.migration.drift import Drift
from dispatch_to_pipedrive.migration.errors import GateClosed
from dispatch_to_pipedrive.migration.lease import acquire
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.migration.owners import fallback_row
from dispatch_to_pipedrive.migration.values import Manifest, OwnerRow, SchemaObject
from dispatch_to_pipedrive.pipedrive.account import Structure
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

MAPS = load_maps(Path(__file__).resolve().parent.parent.parent / "mappings")
WAVE = Manifest("wave-0001", "wave", 0, 1, (1, 2), records=10, tokens=50)
FIRST = Manifest("sample", "sample", 0, 1, (1,), records=10, tokens=50)
SCOPE = Scope("7", "42")
MATCHED = OwnerRow(1, "Tess", "tess@example.com", 11, "matched", "tess@example.com")
UNMATCHED = OwnerRow(2, "Tom", "tom@example.com", None, "unmatched")
INACTIVE = OwnerRow(3, "Ida", "", None, "user inactive")
NONE = Decisions(Path("technicians.csv")).digest
APPROVED = Rendering(1, {"deals": {"job:1/deal": {"title": "Leak"}, "job:2/deal": {"title": "Leak"}}})
OTHER = Rendering(1, {"deals": {"job:1/deal": {"title": "Leak!"}, "job:2/deal": {"title": "Leak!"}}})


def other_map(**changes: Any) -> Maps:
    """The maps with another field of deals: by default one that alters nothing of a payload."""
    deals = MAPS["deals"]
    field = deals.fields["title"].model_copy(update=changes or {"follows_renames": True})
    return Maps(
        {**MAPS.by_entity, "deals": deals.model_copy(update={"fields": {**deals.fields, "title": field}})}
    )


NOW = Present(
    maps=MAPS,
    decisions=NONE,
    schema=AccountSchema(Structure({}, (), ())),
    render=lambda: APPROVED,
    missing=lambda: (),
    tokens_per_day=27_000,
    tokens_left=20_000,
)


def now(**changes: Any) -> Present:
    return replace(NOW, asked={}, **changes)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield ledger
    ledger.close()


@pytest.fixture
def ready(ledger: Ledger) -> Ledger:
    """A ledger with which every gate is open."""
    ledger.bind(SCOPE, "Company")
    with_schema(ledger)
    ledger.save_owners(SCOPE.account, [MATCHED], NONE)
    approve_map(ledger)
    approve_sample(ledger)
    return ledger


def approve_map(ledger: Ledger, maps: Maps = MAPS) -> None:
    found = meaning(maps)
    ledger.approve(SCOPE.account, MAP, digest(found), name="Ada", document={"meaning": found})


def approve_sample(ledger: Ledger, rendering: Rendering = APPROVED) -> None:
    document = {"rendering": rendering.document(), "records": rendering.count}
    ledger.approve(SCOPE.account, SAMPLE, rendering.digest, name="Ada", document=document)


def with_schema(ledger: Ledger, but: str = "") -> None:
    made = [
        SchemaObject("field", entity, name, f"{entity} {name}", "varchar")
        for entity in MAPS
        for name in MAPS[entity].custom_fields()
    ]
    for entity_map in MAPS.values():
        if pipeline := entity_map.pipeline:
            made.append(SchemaObject("pipeline", "pipelines", pipeline.name, "1", ""))
            made += [SchemaObject("stage", "stages", name, name, pipeline.name) for name in pipeline.stages]
    with acquire(ledger, SCOPE.account, purpose="a test", seconds=30) as lease:
        ledger.record(SCOPE, lease.fence, schema=[one for one in made if one.name != but])


def closed(ledger: Ledger, present: Present = NOW, manifest: Manifest = WAVE) -> list[str]:
    return [gate.name for gate in gates(ledger, manifest, present) if not gate.passed]


def the(name: str, ledger: Ledger, present: Present = NOW, manifest: Manifest = WAVE) -> Gate:
    return next(gate for gate in gates(ledger, manifest, present) if gate.name == name)


def test_every_gate_is_open_when_all_is_decided(ready: Ledger) -> None:
    require_clearance(ready, WAVE, now())
    require_clearance(ready, FIRST, now())
    require_confirmed_map(ready, SCOPE.account, now())


def test_an_account_that_nobody_has_met_closes_the_gate(ledger: Ledger) -> None:
    assert closed(ledger) == ["schema_in_place"]
    with pytest.raises(GateClosed, match=r"wave-0001 may not be written.*prepare"):
        require_clearance(ledger, WAVE, now())


def test_at_first_everything_is_to_be_decided_and_the_words_say_how(ledger: Ledger) -> None:
    ledger.bind(SCOPE, "Company")
    assert closed(ledger) == ["map_confirmed", "schema_in_place", "owners_decided", "sample_approved"]
    for gate in gates(ledger, WAVE, now()):
        assert gate.passed or "`" in gate.words, gate
    assert closed(ledger, manifest=FIRST) == ["map_confirmed", "schema_in_place", "owners_decided"]


@pytest.mark.promise("R020")
def test_r020_a_map_that_nobody_confirmed_makes_no_schema(ledger: Ledger) -> None:
    ledger.bind(SCOPE, "Company")
    with pytest.raises(
        GateClosed, match=r"schema may not be written: map_confirmed: nobody.*confirm-map --as NAME"
    ):
        require_confirmed_map(ledger, SCOPE.account, now())
    ledger.approve("8", MAP, digest(meaning(MAPS)), name="Ada", document={"meaning": meaning(MAPS)})
    with pytest.raises(GateClosed, match="nobody"):
        require_confirmed_map(ledger, SCOPE.account, now())


def test_a_changed_map_that_alters_no_payload_stops_nothing_and_names_its_fields(ready: Ledger) -> None:
    gate = the("map_confirmed", ready, now(maps=other_map()))
    assert gate.passed
    assert "deals.title" in gate.words
    assert "alters no payload" in gate.words
    require_clearance(ready, WAVE, now(maps=other_map()))
    require_clearance(ready, FIRST, now(maps=other_map()))


def test_a_map_by_which_the_source_overwrites_people_is_confirmed_anew(ready: Ledger) -> None:
    present = now(maps=other_map(conflict="source"))
    gate = the("map_confirmed", ready, present)
    assert not gate.passed
    assert "what people changed in Pipedrive is overwritten in deals.title" in gate.words
    approve_map(ready, other_map(conflict="source"))
    assert the("map_confirmed", ready, present).passed
    assert the("map_confirmed", ready, now()).passed, "to let people win takes nothing away"


@pytest.mark.promise("R020")
def test_a_changed_map_that_alters_a_payload_stops(ready: Ledger) -> None:
    present = now(maps=other_map(), render=lambda: OTHER)
    assert closed(ready, present) == ["map_confirmed", "sample_approved"]
    assert closed(ready, present, FIRST) == ["map_confirmed"]
    assert "deals.title: Leak → Leak! ×2" in the("map_confirmed", ready, present).words
    approve_map(ready, other_map())
    assert closed(ready, replace(present, asked={})) == ["sample_approved"]
    assert closed(ready, replace(present, asked={}), FIRST) == []


@pytest.mark.promise("R020")
def test_a_changed_map_that_asks_for_new_schema_stops(ready: Ledger) -> None:
    present = now(maps=other_map(), missing=lambda: ["field Gate__c of deals"])
    gate = the("map_confirmed", ready, present)
    assert not gate.passed
    assert "field Gate__c of deals" in gate.words


def test_without_an_approved_sample_a_changed_map_stops(ready: Ledger, tmp_path: Path) -> None:
    fresh = Ledger(f"sqlite:///{tmp_path / 'other.db'}")
    fresh.bind(SCOPE, "Company")
    approve_map(fresh)
    gate = the("map_confirmed", fresh, now(maps=other_map()), FIRST)
    assert not gate.passed
    assert "no sample is approved" in gate.words
    fresh.close()


@pytest.mark.promise("R083")
def test_r083_the_sample_is_approved_as_it_renders_now(ready: Ledger) -> None:
    gate = the("sample_approved", ready, now(render=lambda: OTHER))
    assert not gate.passed
    assert "2 fields of 2 records changed (deals.title: Leak → Leak! ×2)" in gate.words
    assert "approve-sample --as NAME" in gate.words
    approve_sample(ready, OTHER)
    assert closed(ready, now(render=lambda: OTHER)) == []
    assert closed(ready, now()) == ["sample_approved"], "back again is another diff to approve"


def test_a_sample_that_cannot_be_rendered_stops_and_says_why(ready: Ledger) -> None:
    def fail() -> Rendering:
        raise CannotRender("the value map of status has no entry for 'Odd'")

    gate = the("sample_approved", ready, now(render=fail))
    assert not gate.passed
    assert "'Odd'" in gate.words
    assert closed(ready, now(render=fail, maps=other_map())) == ["map_confirmed", "sample_approved"]


def test_an_account_that_changed_stops_with_its_words(ready: Ledger) -> None:
    present = now(schema=None, trouble="field X is gone", render=lambda: OTHER)
    assert closed(ready, present) == ["schema_in_place", "sample_approved"]
    assert the("schema_in_place", ready, present).words == "field X is gone"


def test_a_stage_that_is_missing_is_named(ledger: Ledger) -> None:
    ledger.bind(SCOPE, "Company")
    with_schema(ledger, but="Hold")
    assert "stage Hold of stages" in the("schema_in_place", ledger).words


@pytest.mark.promise("R013", "R040", "R075")
def test_r013_nothing_is_written_while_a_technician_is_undecided(ready: Ledger) -> None:
    """R040, R075: a fallback owner alone decides nobody."""
    rows = [MATCHED, UNMATCHED, INACTIVE, fallback_row(99, "boss@example.com")]
    ready.save_owners(SCOPE.account, rows, NONE)
    for manifest in (FIRST, WAVE):
        with pytest.raises(GateClosed, match=r"Tom \(2, tom@example.com\), Ida \(3, no e-mail\)"):
            require_clearance(ready, manifest, now())
    assert "1 of them only an inactive one" in the("owners_decided", ready).words
    left = [replace(row, user_id=99, verdict="left to the fallback owner") for row in (UNMATCHED, INACTIVE)]
    ready.save_owners(SCOPE.account, [MATCHED, *left, rows[-1]], NONE)
    gate = the("owners_decided", ready)
    assert gate.passed
    assert (
        gate.words == "1 matched, 2 left to the fallback owner, boss@example.com owns what has no technician"
    )


@pytest.mark.promise("R075")
def test_r075_no_deal_lands_without_an_owner(ready: Ledger) -> None:
    """Without a fallback owner nobody owns what has no technician."""
    orphaned = Rendering(1, {"deals": {"job:1/deal": {"title": "Leak", "owner_id": NOBODY}}})
    gate = the("owners_decided", ready, now(render=lambda: orphaned), FIRST)
    assert not gate.passed
    assert "(job:1/deal): set FALLBACK_OWNER_EMAIL" in gate.words
    ready.save_owners(SCOPE.account, [MATCHED, fallback_row(99, "boss@example.com")], NONE)
    assert the("owners_decided", ready, now(render=lambda: orphaned), FIRST).passed


def test_an_owner_file_that_changed_since_is_matched_first(ready: Ledger) -> None:
    gate = the("owners_decided", ready, now(decisions="another"))
    assert not gate.passed
    assert "technician_owners" in gate.words


def test_a_tenant_without_technicians_has_nobody_to_decide(ready: Ledger) -> None:
    ready.save_owners(SCOPE.account, [], NONE)
    assert closed(ready) == []


@pytest.mark.parametrize(
    ("manifest", "changes", "passed", "words"),
    [
        (WAVE, {}, True, "10 records, 50 tokens of 20,000 that are left today (0.00 days)"),
        (WAVE, {"tokens_per_day": None, "tokens_left": None}, True, "no daily limit"),
        (replace(WAVE, tokens=81_000), {}, True, "3.0 days; the run ends when the day is spent"),
        (replace(WAVE, tokens=0), {}, False, "plan the batches anew"),
        (replace(WAVE, records=0, tokens=0), {}, True, "0 records"),
        (WAVE, {"tokens_per_day": LEAST_A_DAY - 1, "tokens_left": 1}, False, "PIPEDRIVE_RESERVE"),
    ],
)
def test_a_batch_fits_or_pauses_or_can_never_end(
    ready: Ledger, manifest: Manifest, changes: dict[str, Any], passed: bool, words: str
) -> None:
    gate = the("budget_sufficient", ready, now(**changes), manifest)
    assert (gate.passed, words in gate.words) == (passed, True), gate.words


@pytest.mark.promise("R071")
def test_what_people_did_to_the_schema_closes_the_gate_where_records_need_it_and_is_told_otherwise(
    ready: Ledger,
) -> None:
    """R071."""
    gone = Drift("option", "deals", "Job_Type__c: Repair", "5", "vanished", "", blocks=True)
    renamed = Drift("option", "deals", "Job_Type__c: Repair", "5", "renamed", "Fix", blocks=False)
    gate = the("schema_in_place", ready, now(drifts=lambda: [gone, renamed]))
    assert not gate.passed
    assert (
        "option 'Repair' of deals.Job_Type__c was deleted in Pipedrive: make one of that name" in gate.words
    )
    gate = the("schema_in_place", ready, now(drifts=lambda: [renamed]))
    assert gate.passed
    assert "people changed there: option 'Repair' of deals.Job_Type__c is called 'Fix' now" in gate.words
