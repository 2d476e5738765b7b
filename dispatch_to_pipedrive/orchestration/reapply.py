"""How what was rolled back is asked for again: the same question behind the command and the job."""

from dispatch_to_pipedrive.migration.errors import MigrationError
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.ledger.approvals import signature
from dispatch_to_pipedrive.migration.lifecycle import require_may_mark
from dispatch_to_pipedrive.migration.plan import waiting
from dispatch_to_pipedrive.orchestration.lifecycle import known_scope


def ask_again(ledger: Ledger, by: str) -> list[str]:
    """Let batches that were rolled back wait again to be loaded; their keys in the order of planning.

    Asked again before all of them are back it goes on with the rest. Raises MigrationError where none is rolled back,
    GateClosed where nothing may be brought now.
    """
    by, _ = signature(by)
    account = known_scope(ledger).account
    require_may_mark(ledger, account, "reapply_asked")
    undone = ledger.rolled_back(account)
    if batches := [m.key for m in ledger.manifests() if m.key in undone]:
        # First asked for, then taken up: who dies in between finds them rolled back, and asks again.
        ledger.mark(account, "reapply_asked", by, {"batches": batches})
        ledger.take_up_again(account, batches)
    found = [m.key for m in waiting(ledger, account)]
    if not found:
        raise MigrationError("no batch is rolled back, so there is nothing to bring again: see `status`")
    return found
