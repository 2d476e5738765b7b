"""Who signs the migration off, on what evidence? The same function behind the command, the job and `migrate`."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

import dagster as dg
from pydantic import Field
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.placement import touched_roots
from dispatch_to_pipedrive.dispatch_pro.placement.index import read_index
from dispatch_to_pipedrive.migration.clearance import Gate
from dispatch_to_pipedrive.migration.errors import GateClosed, MigrationError
from dispatch_to_pipedrive.migration.evidence.pack import Pack
from dispatch_to_pipedrive.migration.lease import acquire
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.ledger.approvals import signature
from dispatch_to_pipedrive.migration.lifecycle import LOADED, UNDONE, Reports, loaded, require_may_mark
from dispatch_to_pipedrive.migration.sign_off import (
    AFTER,
    DECIDED_BY,
    BatchFacts,
    Facts,
    accept_quarantined,
    accepted_quarantine,
    require_all,
    sign_off_gates,
)
from dispatch_to_pipedrive.migration.values import Milestone
from dispatch_to_pipedrive.orchestration.decided_by import decided_by
from dispatch_to_pipedrive.orchestration.drain import frozen_at, held_back
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.evidence import put_aside, write_evidence
from dispatch_to_pipedrive.orchestration.lifecycle import known_scope, show_state
from dispatch_to_pipedrive.orchestration.prepared import preparing_is_due
from dispatch_to_pipedrive.orchestration.resources import Migration, open_ledger
from dispatch_to_pipedrive.orchestration.road import maps_of
from dispatch_to_pipedrive.settings import Settings


@dataclass(frozen=True)
class Signed:
    """A sign-off: the milestone, its evidence, and the gates as they stood."""

    milestone: Milestone
    pack: Pack
    gates: tuple[Gate, ...]


def sign_off(
    settings: Settings, by: str, *, accept: Mapping[str, str] | None = None, wait: bool = True
) -> Signed:
    """Sign the migration off under a name; accept: "ENTITY SOURCE_KEY" of records set aside → why they may stay so.

    Raises GateClosed with every gate that is closed; what was accepted stays on record all the same.
    """
    by, _ = signature(by)
    with closing(open_ledger(settings)) as ledger:
        return signed(ledger, settings, by, accept=accept or {}, wait=wait)


def signed(
    ledger: Ledger, settings: Settings, by: str, *, accept: Mapping[str, str], wait: bool = True
) -> Signed:
    """As `sign_off`, on a ledger that is open. Nobody writes to the account meanwhile: the lease is held.

    What is signed is what the gates saw: should anything be written, read or decided before the name is on record, then
    nothing is.
    """
    scope = known_scope(ledger)
    require_may_mark(ledger, scope.account, "signed_off")
    if accept:
        accept_quarantined(ledger, scope, accept, by)
    with acquire(
        ledger, scope.account, purpose="sign off", seconds=settings.migration_lease, wait=wait
    ) as lease:
        seen = ledger.position(scope.account)
        require_may_mark(ledger, scope.account, "signed_off")
        facts = facts_of(ledger, settings)
        gates = sign_off_gates(facts)
        require_all(gates)
        pack = write_evidence(ledger, settings, scope, by, gates)
        details = {"evidence": pack.folder.name, "digest": pack.digest}
        try:
            if facts_of(ledger, settings, chain=False) != facts:
                raise GateClosed(
                    "something changed while the evidence was written: nothing is signed, so sign again"
                )
            milestone = ledger.mark(scope.account, "signed_off", by, details, fence=lease.fence, seen=seen)
        except MigrationError:
            put_aside(pack.folder)
            raise
    return Signed(milestone, pack, gates)


def gates_of(ledger: Ledger, settings: Settings) -> tuple[Gate, ...]:
    """Every gate of the sign-off, as the ledger and the placement tell it now."""
    return sign_off_gates(facts_of(ledger, settings))


def facts_of(ledger: Ledger, settings: Settings, *, chain: bool = True) -> Facts:
    """What the gates ask for; GateClosed before the account was met.

    Without `chain` the log is not gone through, which takes long where it is large, and counts as whole.
    """
    scope = known_scope(ledger)
    account, data = scope.account, UPath(settings.data)
    reports, writes = ledger.batch_reports(account), ledger.last_writes(account)
    manifests, generation = ledger.manifests(), ledger.latest_generation()
    planned_to = max((m.generation_to for m in manifests), default=generation)
    moment = frozen_at(ledger)
    basis = decided_by(ledger, settings, maps_of(settings))
    return Facts(
        moment="" if moment is None else moment.isoformat(timespec="seconds"),
        undrained=[] if moment is None else held_back(ledger),
        unplanned_roots=len(touched_roots(data, planned_to, generation)) if planned_to < generation else 0,
        batches=[batch_facts(reports, m.key, writes.get(m.key, ""), basis) for m in manifests],
        quarantined=ledger.quarantined(scope),
        accepted=accepted_quarantine(ledger, scope),
        last_operation=ledger.last_operation(account),
        last_write=max(writes.values(), default=""),
        parents_missing=read_index(data, generation).waiting if generation else {},
        in_doubt=len(ledger.open_intents(account)),
        broken_chain_at=ledger.broken_chain_at() if chain else None,
        preparing_due=preparing_is_due(ledger, account),
    )


def batch_facts(reports: Reports, key: str, last_write: str, basis: str) -> BatchFacts:
    """What the ledger keeps of a batch, as the gates ask for it. basis: `decided_by` now."""
    verdict, money = reports.get((key, "reconciliation"), {}), reports.get((key, "money"))
    # Sums belong to the reading back that they were made from: one run has both.
    summed = money is not None and money["run"] == verdict.get("run")
    stages = [reports[key, stage] for stage in LOADED if (key, stage) in reports]
    return BatchFacts(
        key=key,
        loaded=loaded(reports, key),
        rolled_back=(key, UNDONE) in reports,
        after=min((int(stage.get(AFTER, -1)) for stage in stages), default=-1),
        last_write=last_write,
        listing_begun=str(verdict.get("listing_begun", "")),
        blocking=int(verdict.get("blocking", 0)),
        strays=int(verdict.get("strays", 0)),
        swept=bool(verdict.get("swept", True)),
        money=None if not summed or money is None else "" if money["equal"] else str(money["words"]),
        as_decided=all(stage.get(DECIDED_BY) == basis for stage in stages),
        compared_as_decided=verdict.get(DECIDED_BY) == basis,
    )


class SignOff(dg.Config):
    """Who signs, and which records may stay set aside."""

    by: str = Field(description="Your name, as it shall stand on record.")
    accept: dict[str, str] = Field(
        default={}, description="ENTITY SOURCE_KEY of records that stay set aside, each with why."
    )


@dg.op(description="Sign the migration off, if every gate is open, and write its evidence.")
def sign_the_migration_off(context: dg.OpExecutionContext, config: SignOff, migration: Migration) -> None:
    """All gates, the evidence, and the name."""
    with plain_words():
        by, _ = signature(config.by)
        done = signed(migration.ledger, migration.settings, by, accept=config.accept)
        show_state(context, migration.ledger)
    gates = [{"gate": gate.name, "words": gate.words} for gate in done.gates]
    context.add_output_metadata(
        {
            "evidence": dg.MetadataValue.path(str(done.pack.folder)),
            "digest": done.pack.digest,
            "gates": dg.MetadataValue.table([dg.TableRecord(gate) for gate in gates]),
        }
    )


@dg.job(
    name="sign_off",
    description="Sign the migration off: every gate is asked, an evidence pack is written, then nothing may be.",
    tags={"dispatch/lane": "approval"},
)
def sign_off_job() -> None:
    """One decision."""
    sign_the_migration_off()
