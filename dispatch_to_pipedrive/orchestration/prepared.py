"""As of which generation was the account prepared, and does the source ask for more since?

Tags, job types and units are options of the account, technicians its users: a change of one of them touches no record,
but an option wants its new name, and a new technician an owner.
"""

from collections.abc import Mapping

from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.values import TENANT
from dispatch_to_pipedrive.normalize.choices import REFERENCE

PREPARED, MATCHED = "prepared", "matched"
_ASKED: Mapping[str, tuple[str, ...]] = {PREPARED: REFERENCE, MATCHED: ("technicians",)}
"""The stage under which the tenant has its report → the feeds that it was made from."""


def keep_prepared(ledger: Ledger, stage: str, generation: int, run: str) -> None:
    """Keep that schema (PREPARED) or owners (MATCHED) stand as of a generation."""
    scope = ledger.bound_scope()
    if scope is not None:
        ledger.report_batch(scope.account, TENANT, stage, run, {"generation": generation})


def forget_prepared(ledger: Ledger, account: str) -> None:
    """The schema that was made is gone: until somebody makes it again nothing is due."""
    ledger.forget_report(account, TENANT, PREPARED)


def preparing_is_due(ledger: Ledger, account: str) -> bool:
    """Whether the source has renamed or added what the account was prepared for; before it ever was, nothing is due."""
    reports = ledger.batch_reports(account)
    known = {stage: reports.get((TENANT, stage)) for stage in _ASKED}
    return known[PREPARED] is not None and any(
        report is not None and report["generation"] < ledger.newest_generation_of(_ASKED[stage])
        for stage, report in known.items()
    )
