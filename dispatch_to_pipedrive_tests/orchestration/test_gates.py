"""Nothing is written before the gates are open, however a load is started."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from dispatch_to_pipedrive.mapping import load_maps
from dispatch_to_pipedrive.migration.clearance import gates, require_clearance
from dispatch_to_pipedrive.migration.errors import GateClosed
from dispatch_to_pipedrive.migration.lease import acquire
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.migration.owners import decided, fallback_row
from dispatch_to_pipedrive.migration.values import Manifest, OwnerRow, SchemaObject

MAPS = load_maps(Path(__file__).resolve().parent.parent.parent / "mappings")
MANIFEST = Manifest("wave-0001", "wave", 0, 1, (1, 2), records=10, tokens=50)
SCOPE = Scope("7", "42")
MATCHED = OwnerRow(1, "Tess", "tess@example.com", 11, "matched")
UNMATCHED = OwnerRow(2, "Tom", "tom@example.com", None, "unmatched")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield ledger
    ledger.close()


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


def closed(ledger: Ledger, manifest: Manifest = MANIFEST) -> list[str]:
    return [gate.name for gate in gates(ledger, MAPS, manifest) if not gate.passed]


def test_an_account_that_nobody_has_met_closes_the_gate(ledger: Ledger) -> None:
    assert closed(ledger) == ["schema in place"]
    with pytest.raises(GateClosed, match=r"wave-0001 may not be written.*prepare"):
        require_clearance(ledger, MAPS, MANIFEST)


def test_without_a_schema_or_technicians_nothing_is_written(ledger: Ledger) -> None:
    ledger.bind(SCOPE, "Company")
    assert closed(ledger) == ["schema in place", "every technician decided"]


def test_every_technician_needs_a_user_or_somebody_who_stands_in(ledger: Ledger) -> None:
    """R012, R040, R075."""
    ledger.bind(SCOPE, "Company")
    with_schema(ledger)
    ledger.save_owners(SCOPE.account, [MATCHED, UNMATCHED])
    with pytest.raises(GateClosed, match=r"Tom \(2, tom@example.com\).*FALLBACK_OWNER_EMAIL"):
        require_clearance(ledger, MAPS, MANIFEST)
    ledger.save_owners(SCOPE.account, [MATCHED, UNMATCHED, fallback_row(99, "boss@example.com")])
    require_clearance(ledger, MAPS, MANIFEST)
    owners = decided(ledger.owners(SCOPE.account))
    assert owners.user(" TESS@example.com") == 11
    assert owners.user("tom@example.com") == 99
    assert owners.user(None) == 99


def test_a_batch_needs_a_forecast(ledger: Ledger) -> None:
    ledger.bind(SCOPE, "Company")
    with_schema(ledger)
    ledger.save_owners(SCOPE.account, [MATCHED])
    assert closed(ledger, Manifest("wave-0001", "wave", 0, 1, (1,), records=10, tokens=0)) == [
        "forecast known"
    ]


def test_a_stage_that_is_missing_is_named(ledger: Ledger) -> None:
    ledger.bind(SCOPE, "Company")
    with_schema(ledger, but="Hold")
    ledger.save_owners(SCOPE.account, [MATCHED])
    with pytest.raises(GateClosed, match="stage Hold of stages"):
        require_clearance(ledger, MAPS, MANIFEST)


def test_the_gates_words_are_for_people(ledger: Ledger) -> None:
    ledger.bind(SCOPE, "Company")
    words = [gate.words for gate in gates(ledger, MAPS, MANIFEST)]
    assert all("materialize" in text or "records" in text for text in words), cast(list[str], words)
