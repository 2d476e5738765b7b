"""May this batch be written? One row a gate, answered from the ledger alone.

The engine asks before its first write, however it was started; an asset check is only the gate's face.
"""

from typing import NamedTuple

from dispatch_to_pipedrive.mapping.model import Maps
from dispatch_to_pipedrive.migration.errors import GateClosed
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.owners import FALLBACK, MATCHED
from dispatch_to_pipedrive.migration.values import Manifest


class Gate(NamedTuple):
    """One condition; `words` say how it stands and, where it is closed, what to do."""

    name: str
    passed: bool
    words: str


def gates(ledger: Ledger, maps: Maps, manifest: Manifest) -> tuple[Gate, ...]:
    """Every gate of a batch."""
    scope = ledger.bound_scope()
    if scope is None:
        return (Gate("schema in place", False, "no account was met yet: run `prepare`"),)
    return (
        _schema(ledger, maps, scope.account),
        _technicians(ledger, scope.account),
        _forecast(manifest),
    )


def require_clearance(ledger: Ledger, maps: Maps, manifest: Manifest) -> None:
    """Raise GateClosed, with what to do, unless every gate is open."""
    closed = [f"{gate.name}: {gate.words}" for gate in gates(ledger, maps, manifest) if not gate.passed]
    if closed:
        raise GateClosed(f"batch {manifest.key} may not be written: " + "; ".join(closed))


def _schema(ledger: Ledger, maps: Maps, account: str) -> Gate:
    made = {(x.kind, x.entity, x.name) for x in ledger.schema_objects(account)}
    needed = {
        ("field", entity, name)
        for entity in maps
        for name, field in maps[entity].custom_fields().items()
        # A pick-list whose choices come from the records is made when there is a first choice.
        if field.type not in ("option", "options") or field.value_map
    }
    for entity_map in maps.values():
        if pipeline := entity_map.pipeline:
            needed.add(("pipeline", "pipelines", pipeline.name))
            needed.update(("stage", "stages", stage) for stage in pipeline.stages)
    missing = sorted(f"{kind} {name} of {entity}" for kind, entity, name in needed - made)
    if missing:
        return Gate(
            "schema in place",
            False,
            f"{len(missing)} missing ({', '.join(missing[:5])}): materialize `pipedrive_schema`",
        )
    return Gate("schema in place", True, f"{len(needed)} fields, stages and pipelines are recorded")


def _technicians(ledger: Ledger, account: str) -> Gate:
    name = "every technician decided"
    rows = ledger.owners(account)
    if not rows:
        return Gate(name, False, "technicians were not matched yet: materialize `technician_owners`")
    open_ = [r for r in rows if r.verdict not in (MATCHED, FALLBACK)]
    fallback = next((r for r in rows if r.verdict == FALLBACK), None)
    if open_ and fallback is None:
        listed = "; ".join(f"{r.name} ({r.technician_id}, {r.email or 'no e-mail'})" for r in open_[:5])
        return Gate(
            name,
            False,
            f"{len(open_)} technicians have no Pipedrive user ({listed}): create the users or set "
            "FALLBACK_OWNER_EMAIL, then materialize `technician_owners`",
        )
    stand_in = f", {fallback.email} stands in for {len(open_)}" if fallback and open_ else ""
    return Gate(name, True, f"{sum(r.verdict == MATCHED for r in rows)} matched{stand_in}")


def _forecast(manifest: Manifest) -> Gate:
    if manifest.records and not manifest.tokens:
        return Gate("forecast known", False, "the plan has no forecast: plan the batches anew")
    return Gate("forecast known", True, f"{manifest.records} records, {manifest.tokens} tokens")
