"""May this batch be written? One row a gate, answered from the ledger and from what would be written now.

The engine asks before its first write, however it was started; an asset check is only the gate's face. What the gates
need to know comes as values, and as functions that are asked only where an answer turns on them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from dispatch_to_pipedrive.mapping.meaning import Meaning, changed_fields, digest, meaning, newly_overwritten
from dispatch_to_pipedrive.mapping.model import Maps
from dispatch_to_pipedrive.migration.approval import (
    MAP,
    SAMPLE,
    CannotRender,
    Change,
    Rendering,
    changes,
    told,
)
from dispatch_to_pipedrive.migration.drift import Drift
from dispatch_to_pipedrive.migration.errors import GateClosed
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.owners import (
    DECIDED,
    FALLBACK,
    INACTIVE,
    LEFT_TO_FALLBACK,
    MATCHED,
    undecided,
)
from dispatch_to_pipedrive.migration.values import Approval, Manifest
from dispatch_to_pipedrive.pipedrive.prices import CREATE, UPDATE
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

LEAST_A_DAY = 42 + CREATE + UPDATE
"""Tokens below which a day brings nothing: to say who we are and read the schema (42), and one record."""
APPROVE = (
    "load the batch `sample` and reconcile it, look at its diff, and approve it: job `approve_sample`, or "
    "`approve-sample --as NAME`"
)
CONFIRM = "look at it, then confirm it: job `confirm_map`, or `confirm-map --as NAME`"
_NAMED = 5
"""Technicians, fields and missing things that words name; the rest is counted."""


class Gate(NamedTuple):
    """One condition; `words` say how it stands and, where it is closed, what to do."""

    name: str
    passed: bool
    words: str


@dataclass(frozen=True)
class Present:
    """How things stand now, as far as the ledger does not know it.

    render: the sample's payloads as map, code, owners and account would have them (CannotRender: why they cannot be).
    missing: what the maps ask for and the account lacks, in words. schema: None where the account is no longer as
    recorded, which `trouble` tells. drifts: what people changed in the schema. decisions: digest of the owner file.
    tokens: of a day and left today, after the reserve; None without limit.
    """

    maps: Maps
    decisions: str
    schema: AccountSchema | None
    render: Callable[[], Rendering]
    missing: Callable[[], Sequence[str]]
    tokens_per_day: int | None
    tokens_left: int | None
    trouble: str = ""
    drifts: Callable[[], Sequence[Drift]] = tuple
    asked: dict[str, list[Change]] = field(default_factory=dict, repr=False)

    @cached_property
    def meaning(self) -> Meaning:
        """What the maps decide."""
        return meaning(self.maps)

    def changes_since(self, approval: Approval) -> list[Change]:
        """What the sample's payloads no longer have as approved."""
        if approval.digest not in self.asked:
            now = self.render()
            if self.schema is None:
                raise CannotRender(self.trouble)
            same = now.digest == approval.digest
            self.asked[approval.digest] = (
                [] if same else changes(Rendering.of(approval.document["rendering"]), now, self.schema)
            )
        return self.asked[approval.digest]


def gates(ledger: Ledger, manifest: Manifest, present: Present) -> tuple[Gate, ...]:
    """Every gate of a batch."""
    scope = ledger.bound_scope()
    if scope is None:
        return (Gate("schema_in_place", False, "no account was met yet: run the job `prepare`"),)
    found = [
        map_gate(ledger, scope.account, present),
        _schema(ledger, scope.account, present),
        _owners(ledger, scope.account, present),
    ]
    if manifest.kind != "sample":
        found.append(_sample(ledger, scope.account, present))
    return (*found, _budget(manifest, present))


def require_clearance(ledger: Ledger, manifest: Manifest, present: Present) -> None:
    """Raise GateClosed, with what to do, unless every gate is open."""
    closed = [f"{gate.name}: {gate.words}" for gate in gates(ledger, manifest, present) if not gate.passed]
    if closed:
        raise GateClosed(f"batch {manifest.key} may not be written: " + "; ".join(closed))


def require_confirmed_map(ledger: Ledger, account: str, present: Present) -> None:
    """Raise GateClosed, with what to do, unless the account's schema may be made by these maps."""
    gate = map_gate(ledger, account, present)
    if not gate.passed:
        raise GateClosed(f"the account's schema may not be written: {gate.name}: {gate.words}")


def map_gate(ledger: Ledger, account: str, present: Present) -> Gate:
    """Whether somebody has confirmed what the maps decide, or an approved sample shows that it comes to the same."""
    name = "map_confirmed"
    if mine := ledger.approval_of(account, MAP, digest(present.meaning)):
        return Gate(name, True, f"confirmed by {mine.name} on {mine.at[:10]}")
    latest = ledger.latest_approval(account, MAP)
    if latest is None:
        return Gate(name, False, f"nobody has confirmed the map: {CONFIRM}")
    fields = changed_fields(latest.document["meaning"], present.meaning)
    what = f"changed since {latest.name} confirmed it on {latest.at[:10]} ({_listed(fields)})"
    if overwritten := newly_overwritten(latest.document["meaning"], present.meaning):
        words = f"what people changed in Pipedrive is overwritten in {_listed(overwritten)}"
        return Gate(name, False, f"{what}: {words}; {CONFIRM}")
    try:
        wanted = _asked_for_by_the_map(ledger, account, present)
    except CannotRender as error:
        wanted = str(error)
    if wanted:
        return Gate(name, False, f"{what}: {wanted}; {CONFIRM}")
    return Gate(name, True, f"{what}, which alters no payload of the approved sample and needs no new schema")


def _asked_for_by_the_map(ledger: Ledger, account: str, present: Present) -> str:
    """What of a changed map needs a person; '' if nothing does."""
    approved = ledger.latest_approval(account, SAMPLE)
    if approved is None:
        return "no sample is approved that could show what comes of it"
    if found := present.changes_since(approved):
        return told(found)
    missing = present.missing()
    return f"it needs {_listed(missing)} in the account" if missing else ""


def _schema(ledger: Ledger, account: str, present: Present) -> Gate:
    name, maps = "schema_in_place", present.maps
    if present.schema is None:
        return Gate(name, False, present.trouble)
    people = present.drifts()
    if closing := [str(one) for one in people if one.blocks]:
        return Gate(name, False, f"people changed the account's schema: {_listed(closing)}")
    made = {(x.kind, x.entity, x.name) for x in ledger.schema_objects(account)}
    needed = {
        ("field", entity, field_name)
        for entity in maps
        for field_name, field_map in maps[entity].custom_fields().items()
        # A pick-list whose choices come from the records is made when there is a first choice.
        if field_map.type not in ("option", "options") or field_map.value_map
    }
    for entity_map in maps.values():
        if pipeline := entity_map.pipeline:
            needed.add(("pipeline", "pipelines", pipeline.name))
            needed.update(("stage", "stages", stage) for stage in pipeline.stages)
    missing = sorted(f"{kind} {name} of {entity}" for kind, entity, name in needed - made)
    if missing:
        words = f"{len(missing)} missing ({_listed(missing)}): materialize `pipedrive_schema` (job `prepare`)"
        return Gate(name, False, words)
    words = f"{len(needed)} fields, stages and pipelines are recorded and stand in the account"
    if people:
        words += f"; people changed there: {_listed([str(one) for one in people])}"
    return Gate(name, True, words)


def _owners(ledger: Ledger, account: str, present: Present) -> Gate:
    gate = owners_gate(ledger, account, present.decisions)
    if not gate.passed or any(row.verdict == FALLBACK for row in ledger.owners(account)):
        return gate
    try:
        orphans = present.render().orphans
    except CannotRender:
        return gate  # why it cannot be rendered is told by another gate
    if not orphans:
        return gate
    return Gate(
        gate.name,
        False,
        f"{len(orphans)} records of the sample have no technician, and nobody owns such records "
        f"({_listed(orphans)}): set FALLBACK_OWNER_EMAIL, then run the job `match_technicians`",
    )


def owners_gate(ledger: Ledger, account: str, decisions: str) -> Gate:
    """Whether every technician has an owner, by the owner file as it is now (`decisions`, its digest)."""
    name, again = "owners_decided", "run the job `match_technicians` (it materializes `technician_owners`)"
    matched_with = ledger.owners_matched_with(account)
    if matched_with is None:
        return Gate(name, False, f"technicians were not matched yet: {again}")
    if matched_with != decisions:
        return Gate(name, False, f"`technicians.csv` was changed since the technicians were matched: {again}")
    rows = ledger.owners(account)
    if open_ := undecided(rows):
        who = _listed([f"{r.name} ({r.technician_id}, {r.email or 'no e-mail'})" for r in open_])
        inactive = sum(row.verdict == INACTIVE for row in open_)
        aside = f", {inactive} of them only an inactive one" if inactive else ""
        return Gate(
            name,
            False,
            f"{len(open_)} technicians have no Pipedrive user{aside}: {who}. Create the users, or decide in "
            "`technicians.csv` beside the maps (a user's e-mail, or `fallback` for whom FALLBACK_OWNER_EMAIL names), "
            f"or by `confirm-map --as NAME --technician ID=E-MAIL`; then {again}",
        )
    counts = {
        verdict: sum(r.verdict == verdict for r in rows) for verdict in (MATCHED, DECIDED, LEFT_TO_FALLBACK)
    }
    stand_in = next((row.email for row in rows if row.verdict == FALLBACK), "")
    who = f"{stand_in} owns what has no technician" if stand_in else "nobody owns what has no technician"
    return Gate(name, True, ", ".join([*(f"{n} {verdict}" for verdict, n in counts.items() if n), who]))


def _sample(ledger: Ledger, account: str, present: Present) -> Gate:
    name = "sample_approved"
    approved = ledger.latest_approval(account, SAMPLE)
    if approved is None:
        return Gate(name, False, f"nobody has approved the sample: {APPROVE}")
    try:
        found = present.changes_since(approved)
    except CannotRender as error:
        return Gate(name, False, f"the approved sample cannot be rendered again: {error}")
    by = f"approved by {approved.name} on {approved.at[:10]}"
    if found:
        return Gate(name, False, f"since the sample was {by}, {told(found)}: {APPROVE}")
    return Gate(
        name, True, f"{by}; its {approved.document.get('records', 'same')} records render the same now"
    )


def _budget(manifest: Manifest, present: Present) -> Gate:
    name, price, day, left = "budget_sufficient", manifest.tokens, present.tokens_per_day, present.tokens_left
    batch = f"{manifest.records:,} records, {price:,} tokens"
    if manifest.records and not price:
        return Gate(name, False, "the plan has no forecast: plan the batches anew (job `plan_batches`)")
    if day is None or left is None:
        return Gate(name, True, f"{batch}; the account has no daily limit")
    if day < LEAST_A_DAY:
        return Gate(
            name,
            False,
            f"{batch}, but a day has {day:,} tokens after the reserve, and nothing can be written below {LEAST_A_DAY}: "
            "correct PIPEDRIVE_PLAN, PIPEDRIVE_SEATS or PIPEDRIVE_RESERVE",
        )
    if price <= left:
        return Gate(name, True, f"{batch} of {left:,} that are left today ({price / day:.2f} days)")
    return Gate(
        name,
        True,
        f"{batch}, and {left:,} are left today: {price / day:.1f} days; the run ends when the day is spent, and run "
        "again after the reset (midnight UTC) it goes on",
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
