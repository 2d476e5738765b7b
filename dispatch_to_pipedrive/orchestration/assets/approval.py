"""Where people say yes: to the map before anything is written, and to the sample before the waves."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from dispatch_to_pipedrive.mapping.meaning import changed_fields, digest, meaning
from dispatch_to_pipedrive.mapping.proposal import accept
from dispatch_to_pipedrive.migration.approval import MAP, SAMPLE, Change, Rendering, changes, refused
from dispatch_to_pipedrive.migration.decisions import Decision, Decisions, WrongDecisions
from dispatch_to_pipedrive.migration.errors import GateClosed
from dispatch_to_pipedrive.migration.ledger.approvals import signature
from dispatch_to_pipedrive.migration.owners import undecided
from dispatch_to_pipedrive.migration.values import Approval
from dispatch_to_pipedrive.orchestration.assets.assessment import assessment
from dispatch_to_pipedrive.orchestration.assets.common import described
from dispatch_to_pipedrive.orchestration.assets.owners import read_staff, settle_owners, technician_owners
from dispatch_to_pipedrive.orchestration.assets.proposal import mapping_proposal
from dispatch_to_pipedrive.orchestration.assets.reconciliation import reconciliation
from dispatch_to_pipedrive.orchestration.assets.schema import schema_plan
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.present import open_proposals, sample_manifest, sample_rendering
from dispatch_to_pipedrive.orchestration.resources import Migration, reading
from dispatch_to_pipedrive.orchestration.road import maps_of

SHOWN = 20
_APPROVER = "Who approves: your name, as it shall stand on record."
_NOTE = "What you want to say about it; may stay empty."


class ConfirmConfig(dg.Config):
    """How to confirm the map."""

    approver: str = Field(description=_APPROVER)
    note: str = Field(default="", description=_NOTE)
    accept: dict[str, Any] = Field(
        default={},
        description=(
            "Proposals to take into the map: the proposal's id (see `mapping_proposal`, or the files under `proposed/` "
            "beside the maps) and the number of the candidate (1, 2, 3), or `create` for a custom field of its own. "
            "What is not named here stays open and is not moved."
        ),
    )
    technicians: dict[str, Any] = Field(
        default={},
        description=(
            "Who owns the records of technicians without a Pipedrive user (see `technician_owners`): the technician's "
            "Dispatch Pro id in quotes, and the e-mail of an active Pipedrive user, or `fallback` for whom "
            "FALLBACK_OWNER_EMAIL names."
        ),
    )


class ApproveConfig(dg.Config):
    """How to approve the sample."""

    approver: str = Field(description=_APPROVER)
    note: str = Field(default="", description=_NOTE)


@dg.asset(
    deps=[assessment, mapping_proposal, schema_plan, technician_owners], **described("approval", "pipedrive")
)
def map_confirmation(config: ConfirmConfig, migration: Migration) -> dg.MaterializeResult[None]:
    """A person confirms the map: proposals that are taken over, technicians decided, and everything that maps decide.

    Run it by the job `confirm_map`. Before that nothing is written to the account, neither schema nor records.
    """
    with plain_words():
        signature(config.approver, config.note)
        approval, before, open_ = asyncio.run(_confirm(config, migration))
    fields = (
        [] if before is None else changed_fields(before.document["meaning"], approval.document["meaning"])
    )
    return dg.MaterializeResult(
        metadata={
            "approver": approval.name,
            "note": approval.note or "none",
            "approved_at": approval.at,
            "map": approval.digest,
            "fields": sum(len(entity["fields"]) for entity in approval.document["meaning"].values()),
            "changed_since_last_time": ", ".join(fields)
            or ("nothing" if before else "confirmed for the first time"),
            "accepted_proposals": len(config.accept),
            "decided_technicians": len(config.technicians),
            "undecided_technicians": open_,
            "open_proposals": len(open_proposals(migration.settings)),
            "chain_head": approval.head or "nothing was written yet",
        }
    )


async def _confirm(config: ConfirmConfig, migration: Migration) -> tuple[Approval, Approval | None, int]:
    ledger = migration.ledger
    given = chosen(config.technicians)
    async with reading(ledger, migration.settings, purpose="confirm the map") as session:
        account = session.scope.account
        staff = await read_staff(migration, session, given)
    if config.accept:
        accept(migration.settings.maps, config.accept)
    rows = settle_owners(migration, account, staff)
    found = meaning(maps_of(migration.settings))
    document = {
        "meaning": found,
        "accepted": {key: str(choice) for key, choice in config.accept.items()},
        "technicians": {str(key): choice for key, choice in staff.decisions.by_technician.items()},
    }
    before = ledger.latest_approval(account, MAP)
    signed = signature(config.approver, config.note)
    if before is not None and before.document == document and (before.name, before.note) == signed:
        return before, before, len(undecided(rows))
    name, note = signed
    approval = ledger.approve(account, MAP, digest(found), name=name, note=note, document=document)
    return approval, before, len(undecided(rows))


def chosen(technicians: Mapping[str, Any]) -> Decisions:
    """Decisions given by hand, technician id → who owns the records; WrongDecisions with every mistake."""
    wrong = [
        f"technician {key!r} is no id: give its number" for key in technicians if not str(key).isdecimal()
    ]
    wrong += [
        f"technician {key}: say who owns the records"
        for key, who in technicians.items()
        if not str(who).strip()
    ]
    if wrong:
        raise WrongDecisions(wrong)
    rows = [Decision(int(key), "", "", str(who).strip()) for key, who in technicians.items()]
    return Decisions(Path("by hand"), tuple(rows))


@dg.asset(deps=[reconciliation], **described("approval", "pipedrive"))
def sample_approval(config: ApproveConfig, migration: Migration) -> dg.MaterializeResult[None]:
    """A person approves the sample as it was loaded and read back; before that no wave is written.

    Run it by the job `approve_sample` when you have looked at the sample's diff (see `reconciliation` of the batch
    `sample`). It signs what map, code, owners and account make of the sample; whatever alters that asks for it again.
    """
    with plain_words():
        signature(config.approver, config.note)
        approval, found = asyncio.run(_approve(config, migration))
    rows = [dg.TableRecord({k: str(v) for k, v in change._asdict().items()}) for change in found[:SHOWN]]
    return dg.MaterializeResult(
        metadata={
            "approver": approval.name,
            "note": approval.note or "none",
            "approved_at": approval.at,
            "records": approval.document["records"],
            "generation": approval.document["generation"],
            "rendering": approval.digest,
            "map": approval.document["map"],
            "changed_since_last_time": len(found),
            "chain_head": approval.head,
            **({"changes": dg.MetadataValue.table(rows)} if rows else {}),
        }
    )


async def _approve(config: ApproveConfig, migration: Migration) -> tuple[Approval, list[Change]]:
    ledger = migration.ledger
    manifest = sample_manifest(migration)
    async with reading(ledger, migration.settings, purpose="approve the sample") as session:
        account = session.scope.account
        schema = await migration.account_schema(session)
        now = migration.rendering(lambda: sample_rendering(migration, session, schema))
    report = ledger.batch_reports(account).get((manifest.key, "reconciliation"))
    if words := refused(now, report):
        raise GateClosed(f"the sample cannot be approved: {words}")
    document = {
        "generation": manifest.generation_to,
        "map": digest(meaning(migration.maps)),
        "records": now.count,
        "rendering": now.document(),
        "reconciliation": {key: (report or {}).get(key) for key in ("at", "run", "fields", "records")},
    }
    before = ledger.latest_approval(account, SAMPLE)
    found = changes(Rendering.of(before.document["rendering"]), now, schema) if before is not None else []
    name, note = signature(config.approver, config.note)
    if before is not None and (before.digest, before.name, before.note, before.document["map"]) == (
        now.digest,
        name,
        note,
        document["map"],
    ):
        return before, found
    approval = ledger.approve(account, SAMPLE, now.digest, name=name, note=note, document=document)
    ledger.sign(account, SAMPLE, manifest.generation_to, name)
    return approval, found
