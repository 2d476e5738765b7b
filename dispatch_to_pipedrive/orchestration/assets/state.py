"""Where does the migration stand, as the UI shows it? With a check that is red when something is wrong."""

import dagster as dg

from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.orchestration.assets.common import described
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.lifecycle import about
from dispatch_to_pipedrive.orchestration.resources import Migration
from dispatch_to_pipedrive.orchestration.tell import stands_of


@dg.asset(**described("cutover", "sql"))
def migration_state(migration: Migration) -> dg.MaterializeResult[None]:
    """The one state of the migration (assessed, mapped, sampled, migrating, in delta, verified, signed off, …)."""
    with plain_words():
        scope = migration.ledger.bound_scope()
        if scope is None:
            return dg.MaterializeResult(metadata={"state": "not started"})
        ledger = migration.ledger
        return dg.MaterializeResult(
            metadata={
                **about(stands_of(ledger, scope.account)),
                "set_aside": len(ledger.quarantined(scope)),
                "in_doubt": len(ledger.open_intents(scope.account)),
                "chain_head": ledger.chain_head() or "none",
            }
        )


@dg.asset_check(asset=migration_state)
def nothing_is_wrong(migration: Migration) -> dg.AssetCheckResult:
    """No batch differs from what was meant, no request hangs in doubt, and nobody has changed the log."""
    try:
        wrong = what_is_wrong(migration.ledger)
    except Exception as error:
        wrong = [f"the check itself failed: {type(error).__name__}: {error}"]
    return dg.AssetCheckResult(
        passed=not wrong,
        description="; ".join(wrong) or "no batch differs, nothing is in doubt, the log is whole",
        metadata={"findings": len(wrong)},
    )


def what_is_wrong(ledger: Ledger) -> list[str]:
    """What a person should look at now, in words."""
    scope = ledger.bound_scope()
    if scope is None:
        return []
    stands = stands_of(ledger, scope.account)
    wrong = [f"{batch} differs from what was meant: see `verify`" for batch in stands.differing]
    # Whoever holds the lease has requests under way, and settles them.
    doubts = len(ledger.open_intents(scope.account))
    if doubts and ledger.lease_holder(scope.account) is None:
        wrong.append(f"{doubts} requests are without an outcome: the next load settles them")
    if (broken := ledger.broken_chain_at()) is not None:
        wrong.append(
            f"the log of operations was changed: commit {broken} of the chain does not fit its operations"
        )
    return wrong
