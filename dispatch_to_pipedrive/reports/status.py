"""What came of the migration so far: one value made of plain values, for JSON and for tables."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

ENTITIES = ("organizations", "persons", "deals", "activities", "files", "notes")
STAGES = (*ENTITIES, "retired")
UNDONE = "rolled_back"
"""The stage under which a batch that was undone has its only report."""


@dataclass(frozen=True)
class BatchStatus:
    """One batch: what was planned, what was sent, what reading back said."""

    key: str
    kind: str
    generation: int
    roots: int
    records: int
    tokens_forecast: int
    tokens_spent: int
    state: str
    entities: Mapping[str, Mapping[str, int]]
    reconciliation: Mapping[str, Any] | None


@dataclass(frozen=True)
class EntityTotals:
    """One entity over all batches. `source` is what the source asks for; `skipped` were equal already."""

    source: int
    created: int
    updated: int
    skipped: int
    quarantined: int
    retired: int


@dataclass(frozen=True)
class Status:
    """Everything that `status` tells.

    state: where the migration stands, in one word. flags: what is true beside it ("paused", "differences"). in_force:
    what people have decided about the migration as a whole, in words.
    """

    state: str
    flags: Sequence[str]
    in_force: Sequence[str]
    account: str | None
    company: str | None
    tenant: str | None
    generation: int
    batches: Sequence[BatchStatus]
    totals: Mapping[str, EntityTotals]
    fields_verified: int
    differences: int
    files: Mapping[str, int]
    """files, bytes: what was sent; read_back, bytes_read_back: what of it was read back and found equal."""
    floor: int
    tokens: Mapping[str, int]
    day: str | None
    tokens_today: Mapping[str, int]
    tokens_per_day: int | None
    quarantined: Sequence[Mapping[str, str]]
    edits: Sequence[Mapping[str, Any]]
    """What people did to records of ours, grouped by field and both values, the most frequent first."""
    gone: Sequence[Mapping[str, Any]]
    """Records that people deleted or merged, one each."""
    in_doubt: int
    lease: Mapping[str, Any] | None
    approvals: Sequence[Mapping[str, Any]]
    sign_offs: Sequence[Mapping[str, Any]]
    chain_head: str
    forecast: Mapping[str, Any] | None
    """Tokens foreseen beside those spent, by kind; the error in percent once everything is loaded and read back."""
    lag_seconds: float | None
    """How old a change at the source can be at most that has not arrived; None before all feeds were read."""
    held_back: Sequence[Mapping[str, str]] | None
    """After a freeze the feeds that may still hold something back from before it, and why; None without a freeze."""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Facts:
    """What the ledger knows, as it stands there.

    manifests: key, kind, generation, roots (a tuple), records, tokens. reports: (batch, stage) → report.
    operations: (batch, entity, verb, status) → (number, tokens). prices: entity → tokens of a create. close: tokens of
    the second request for a deal's closing time, where the account takes it in no other way.
    """

    state: str = "not started"
    flags: Sequence[str] = ()
    in_force: Sequence[str] = ()
    account: str | None = None
    company: str | None = None
    tenant: str | None = None
    generation: int = 0
    manifests: Sequence[Any] = ()
    reports: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    operations: Mapping[tuple[str, str, str, str], tuple[int, int]] = field(default_factory=dict)
    prices: Mapping[str, int] = field(default_factory=dict)
    close: int = 0
    files: Mapping[str, int] = field(default_factory=dict)
    tokens: Mapping[str, int] = field(default_factory=dict)
    day: str | None = None
    tokens_today: Mapping[str, int] = field(default_factory=dict)
    tokens_per_day: int | None = None
    quarantined: Sequence[Mapping[str, str]] = ()
    edits: Sequence[Mapping[str, Any]] = ()
    gone: Sequence[Mapping[str, Any]] = ()
    in_doubt: int = 0
    lease: Mapping[str, Any] | None = None
    approvals: Sequence[Mapping[str, Any]] = ()
    sign_offs: Sequence[Mapping[str, Any]] = ()
    chain_head: str = ""
    forecast: Mapping[str, Any] | None = None
    spent: Mapping[str, int] | None = None
    """Tokens by kind as they stood when the first whole migration ended."""
    lag_seconds: float | None = None
    held_back: Sequence[Mapping[str, str]] | None = None


def status_of(facts: Facts) -> Status:
    """The status that the ledger's facts amount to."""
    batches = [_batch(facts, manifest) for manifest in facts.manifests]
    counted = _without_repetition(facts.manifests, batches)
    verdicts = [b.reconciliation for b in counted if b.reconciliation]
    return Status(
        state=facts.state,
        flags=tuple(facts.flags),
        in_force=tuple(facts.in_force),
        account=facts.account,
        company=facts.company,
        tenant=facts.tenant,
        generation=facts.generation,
        batches=batches,
        totals=_totals(facts, counted),
        fields_verified=sum(int(v["fields"]) for v in verdicts),
        differences=sum(int(v["blocking"]) for v in verdicts),
        files=dict(facts.files),
        floor=_floor(facts),
        tokens=dict(facts.tokens),
        day=facts.day,
        tokens_today=dict(facts.tokens_today),
        tokens_per_day=facts.tokens_per_day,
        quarantined=facts.quarantined,
        edits=facts.edits,
        gone=facts.gone,
        in_doubt=facts.in_doubt,
        lease=facts.lease,
        approvals=facts.approvals,
        sign_offs=facts.sign_offs,
        chain_head=facts.chain_head,
        lag_seconds=facts.lag_seconds,
        held_back=facts.held_back,
        forecast=_forecast(facts, batches),
    )


def compared(foreseen: Mapping[str, Any], spent: Mapping[str, int]) -> dict[str, Any]:
    """A forecast (its `as_json`) beside what was spent: by kind, in all, and the error in percent of what was spent."""
    actual = sum(spent.values())
    error = abs(foreseen["tokens"] - actual) / actual * 100 if actual else None
    kinds = sorted({*foreseen["by_kind"], *spent})
    return {
        "tokens": foreseen["tokens"],
        "spent": actual,
        "error_percent": None if error is None else round(error, 2),
        "by_kind": {
            kind: {"forecast": foreseen["by_kind"].get(kind, 0), "spent": spent.get(kind, 0)}
            for kind in kinds
        },
    }


def _forecast(facts: Facts, batches: Sequence[BatchStatus]) -> dict[str, Any] | None:
    """The forecast beside what was spent; how far it is off can be told when all is loaded and read back."""
    if facts.forecast is None:
        return None
    found = compared(facts.forecast, facts.tokens if facts.spent is None else facts.spent)
    done = {batch.state for batch in batches if batch.kind != "sample"} == {"reconciled"}
    return {**found, "error_percent": found["error_percent"] if done else None}


def _batch(facts: Facts, manifest: Any) -> BatchStatus:
    reports = {stage: facts.reports.get((manifest.key, stage)) for stage in (*STAGES, "reconciliation")}
    verdict = reports["reconciliation"]
    if (manifest.key, UNDONE) in facts.reports:
        state = "rolled back"
    elif verdict is not None:
        state = "differences" if verdict["blocking"] else "reconciled"
    elif all(reports[stage] is not None for stage in STAGES):
        state = "loaded"
    elif any(reports[stage] is not None for stage in STAGES):
        state = "loading"
    else:
        state = "planned"
    spent = sum(tokens for (batch, *_), (_, tokens) in facts.operations.items() if batch == manifest.key)
    return BatchStatus(
        key=manifest.key,
        kind=manifest.kind,
        generation=manifest.generation_to,
        roots=len(manifest.roots),
        records=manifest.records,
        tokens_forecast=manifest.tokens,
        tokens_spent=spent,
        state=state,
        entities={entity: _numbers(report) for entity in ENTITIES if (report := reports[entity]) is not None},
        reconciliation=verdict,
    )


def _numbers(report: Mapping[str, Any]) -> dict[str, int]:
    return {name: value for name, value in report.items() if isinstance(value, int)}


def _without_repetition(manifests: Sequence[Any], batches: Sequence[BatchStatus]) -> list[BatchStatus]:
    """The batches whose records count: the sample only where loaded waves do not cover its customers."""
    loaded = {b.key for b in batches if b.entities}
    covered = {root for m in manifests if m.kind != "sample" and m.key in loaded for root in m.roots}
    return [
        batch
        for manifest, batch in zip(manifests, batches, strict=True)
        if batch.entities and (manifest.kind != "sample" or not covered.issuperset(manifest.roots))
    ]


def _totals(facts: Facts, counted: Sequence[BatchStatus]) -> dict[str, EntityTotals]:
    done: Counter[tuple[str, str]] = Counter()
    for (_, entity, verb, status), (number, _) in facts.operations.items():
        if status in ("done", "settled"):
            done[entity, verb] += number
    aside = Counter(q["entity"] for q in facts.quarantined)
    source: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    deltas = {batch.key for batch in counted if batch.kind == "delta"}
    for batch in counted:
        if batch.key not in deltas:  # their customers were counted before: what they add or take away counts
            for entity, numbers in batch.entities.items():
                source[entity] += numbers["wanted"]
                skipped[entity] += numbers["equal"]
    for (key, entity, verb, status), (number, _) in facts.operations.items():
        if key in deltas and status in ("done", "settled"):
            source[entity] += number if verb == "create" else -number if verb == "delete" else 0
    return {
        entity: EntityTotals(
            source=source[entity],
            created=done[entity, "create"],
            updated=done[entity, "update"],
            skipped=skipped[entity],
            quarantined=aside[entity],
            retired=done[entity, "delete"],
        )
        for entity in ENTITIES
    }


def _floor(facts: Facts) -> int:
    """Tokens that no way of writing these records could save.

    A create each; where the account takes a deal's closing time in a second request only, that one too.
    """
    tokens = 0
    for (_, entity, verb, status), (number, _) in facts.operations.items():
        if entity in ENTITIES and status in ("done", "settled"):
            if verb == "create":
                tokens += facts.prices[entity] * number
            elif verb == "update" and entity == "deals":
                tokens += facts.close * number
    return tokens
