"""What the ledger has to say about the migration, as values for reports."""

from dataclasses import asdict
from typing import Any

from dispatch_to_pipedrive.migration.approval import MAP
from dispatch_to_pipedrive.migration.kept import lines
from dispatch_to_pipedrive.migration.ledger import Ledger, utc_now
from dispatch_to_pipedrive.migration.lifecycle import Lifecycle, lifecycle
from dispatch_to_pipedrive.migration.values import GONE, TENANT
from dispatch_to_pipedrive.orchestration.drain import frozen_at, held_back, lag
from dispatch_to_pipedrive.pipedrive.plans import plan_named
from dispatch_to_pipedrive.pipedrive.prices import UPDATE, price
from dispatch_to_pipedrive.reports.status import ENTITIES, Facts, Status, status_of
from dispatch_to_pipedrive.settings import Settings


def status(ledger: Ledger, settings: Settings) -> Status:
    """How the migration stands."""
    scope = ledger.bound_scope()
    facts: dict[str, Any] = {
        "generation": ledger.latest_generation(),
        "manifests": ledger.manifests(),
        "tokens_per_day": plan_named(settings.pipedrive_plan).daily_tokens(settings.pipedrive_seats),
        "chain_head": ledger.chain_head(),
        "lag_seconds": lag(ledger),
        "held_back": None if frozen_at(ledger) is None else [asdict(one) for one in held_back(ledger)],
    }
    if scope is not None:
        account = scope.account
        holder, day = ledger.lease_holder(account), ledger.last_day(account)
        reports = ledger.batch_reports(account)
        stands = stands_of(ledger, account)
        edits = ledger.kept_edits(scope)
        facts |= {
            "state": stands.state,
            "flags": stands.flags,
            "in_force": stands.words,
            "account": account,
            "company": ledger.bound_company(),
            "tenant": scope.tenant,
            "reports": reports,
            "operations": ledger.batch_operations(account),
            "prices": {entity: price("create", entity) for entity in ENTITIES},
            "close": UPDATE if ledger.capabilities(account).get("close_times_with_status") is False else 0,
            "files": ledger.moved_files(account)._asdict(),
            "tokens": ledger.tokens(account),
            "tokens_today": {} if day is None else ledger.tokens(account, day),
            "day": day,
            "quarantined": [q._asdict() for q in ledger.quarantined(scope)],
            "edits": [line._asdict() for line in lines(edits)],
            "gone": [edit._asdict() for edit in edits if edit.verdict == GONE],
            "in_doubt": len(ledger.open_intents(account)),
            "lease": None if holder is None else asdict(holder),
            "approvals": [
                {"subject": a.subject, "name": a.name, "note": a.note, "at": a.at, "digest": a.digest}
                for a in ledger.approvals(account)
            ],
            "sign_offs": ledger.sign_offs(account),
            "forecast": reports.get((TENANT, "forecast")),
            "spent": reports.get((TENANT, "spent"), {}).get("by_kind"),
        }
    return status_of(Facts(**facts))


def stands_of(ledger: Ledger, account: str) -> Lifecycle:
    """Where the migration of an account stands now."""
    return lifecycle(
        ledger.milestones(account),
        ledger.manifests(),
        ledger.batch_reports(account),
        map_confirmed=ledger.latest_approval(account, MAP) is not None,
        now=utc_now(),
    )
