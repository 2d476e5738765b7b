"""Who puts the migration on hold, and who lets it go on? The same functions behind the commands and the jobs."""

from contextlib import closing

import dagster as dg
from pydantic import Field

from dispatch_to_pipedrive.migration.errors import GateClosed
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.migration.ledger.approvals import signature
from dispatch_to_pipedrive.migration.lifecycle import Lifecycle, require_may_mark
from dispatch_to_pipedrive.migration.values import Milestone
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.resources import Migration, open_ledger
from dispatch_to_pipedrive.orchestration.tell import stands_of
from dispatch_to_pipedrive.settings import Settings

STATE = "migration_state"
"""The asset that shows where the migration stands."""


class By(dg.Config):
    """Who decides."""

    by: str = Field(description="Your name, as it shall stand on record.")


def decide(settings: Settings, milestone: str, by: str) -> Milestone:
    """Put "paused", "resumed" or "reopened" on record under a name; GateClosed where it makes no sense now."""
    by, _ = signature(by)
    with closing(open_ledger(settings)) as ledger:
        return _mark(ledger, milestone, by)


def known_scope(ledger: Ledger) -> Scope:
    """The account and the tenant of the migration; GateClosed before the account was met, or by a new token."""
    scope = ledger.bound_scope()
    if scope is None:
        raise GateClosed(why_unknown(ledger))
    return scope


def why_unknown(ledger: Ledger) -> str:
    """Why the ledger cannot tell which account is meant, and what to do."""
    met = [f"{account} ({company})" for account, company in ledger.bound_accounts().items()]
    if not met:
        return "there is no migration yet: begin with `migrate --through assess`"
    return (
        f"PIPEDRIVE_API_URL and PIPEDRIVE_API_TOKEN were not used here yet, so which account they lead to is not known "
        f"(known: {', '.join(met)}): `migrate --through assess`, or the job `match_technicians`, asks it"
    )


def _mark(ledger: Ledger, milestone: str, by: str) -> Milestone:
    account = known_scope(ledger).account
    require_may_mark(ledger, account, milestone)
    return ledger.mark(account, milestone, by)


def show_state(context: dg.OpExecutionContext, ledger: Ledger) -> None:
    """Bring the asset `migration_state` up to date from within a job that has changed it."""
    stands = stands_of(ledger, known_scope(ledger).account)
    context.log_event(dg.AssetMaterialization(STATE, metadata=about(stands)))


def about(stands: Lifecycle) -> "dict[str, dg.RawMetadataValue]":
    """Where the migration stands, as metadata."""
    return {
        "state": stands.state,
        "paused": stands.force.pause is not None,
        "differing_batches": len(stands.differing),
        "rolled_back_batches": len(stands.undone),
        "in_force": dg.MetadataValue.md("\n".join(f"- {_plain(line)}" for line in stands.words) or "nothing"),
    }


def _plain(line: str) -> str:
    """A line in which people's names mean nothing to Markdown."""
    return "".join(f"\\{one}" if one in "\\*_[]()<>#!|~&" else one for one in line)


def _job(name: str, milestone: str, says: str) -> dg.JobDefinition:
    @dg.op(name=f"{name}_migration", description=says)
    def decided(context: dg.OpExecutionContext, config: By, migration: Migration) -> None:
        with plain_words():
            by, _ = signature(config.by)
            found = _mark(migration.ledger, milestone, by)
            show_state(context, migration.ledger)
        context.log.info("%s by %s at %s", milestone, found.by, found.at)

    @dg.job(name=name, description=says, tags={"dispatch/lane": "approval"})
    def job() -> None:
        decided()

    return job


pause = _job(
    "pause", "paused", "Stop writing: a running load ends after its open group, and nothing is begun."
)
resume = _job("resume", "resumed", "Let writing go on after a pause.")
reopen = _job("reopen", "reopened", "Open a migration that was signed off: it may be written to again.")
