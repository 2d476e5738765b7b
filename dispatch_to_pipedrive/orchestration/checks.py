"""Which checks stop a run: the gates before loading, the verdicts after it.

A check guards only the run it is part of, so neither replaces what the engine asks of the ledger. A check catches its
own surprises: one that raises leaves no evidence.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import wraps

import dagster as dg
import pandas as pd

from dispatch_to_pipedrive.migration.ledger.audit import Count
from dispatch_to_pipedrive.migration.money import Sums
from dispatch_to_pipedrive.migration.verify import BLOCKING
from dispatch_to_pipedrive.orchestration.assets.clearance import clearance
from dispatch_to_pipedrive.orchestration.assets.reconciliation import reconciliation
from dispatch_to_pipedrive.orchestration.money import listing_of, money_of_batch
from dispatch_to_pipedrive.orchestration.partitions import BATCHES
from dispatch_to_pipedrive.orchestration.resources import Migration

# Partitioned checks are in preview with Dagster 1.13; a test of ours keeps an eye on them.
warnings.filterwarnings("ignore", category=dg.PreviewWarning)


def _evident(
    check: Callable[[pd.DataFrame], dg.AssetCheckResult],
) -> Callable[[pd.DataFrame], dg.AssetCheckResult]:
    @wraps(check)
    def evident(frame: pd.DataFrame) -> dg.AssetCheckResult:
        try:
            return check(frame)
        except Exception as error:
            return _no_evidence(error)

    return evident


def _no_evidence(error: Exception) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=False, description=f"the check itself failed: {type(error).__name__}: {error}"
    )


@_evident
def _gates_open(frame: pd.DataFrame) -> dg.AssetCheckResult:
    closed = frame[~frame["passed"].astype(bool)]
    words = [f"{row.name_}: {row.words}" for row in closed.rename(columns={"name": "name_"}).itertuples()]
    return dg.AssetCheckResult(
        passed=not words,
        description="; ".join(words) or "every gate is open",
        metadata={"closed_gates": len(words)},
    )


@_evident
def _nothing_blocks(frame: pd.DataFrame) -> dg.AssetCheckResult:
    counts = frame["verdict"].value_counts()
    blocking = {str(verdict): int(counts[verdict]) for verdict in BLOCKING if verdict in counts.index}
    words = ", ".join(f"{count} {verdict}" for verdict, count in blocking.items())
    return dg.AssetCheckResult(
        passed=not blocking,
        description=f"{words}: see the table of differences"
        if words
        else "nothing is missing, wrong or extra",
        metadata={"blocking_differences": sum(blocking.values()), "differences": len(frame), **blocking},
    )


@dg.asset_check(asset=clearance, blocking=True, partitions_def=BATCHES)
def every_gate_is_open(clearance: pd.DataFrame) -> dg.AssetCheckResult:
    """A batch may be written only when every gate is open."""
    return _gates_open(clearance)


@dg.asset_check(asset=reconciliation, blocking=True, partitions_def=BATCHES)
def nothing_missing_wrong_or_extra(reconciliation: pd.DataFrame) -> dg.AssetCheckResult:
    """A batch is done only when the account holds all that it meant, and nothing else of ours."""
    return _nothing_blocks(reconciliation)


@dg.asset_check(asset=reconciliation, blocking=True, partitions_def=BATCHES)
def money_is_the_sources_to_the_cent(
    context: dg.AssetCheckExecutionContext, migration: Migration, reconciliation: pd.DataFrame
) -> dg.AssetCheckResult:
    """Invoices and payments add up: by month and by job type the deals hold what SQL finds in the raw records."""
    try:
        sums = money_of_batch(
            migration.ledger,
            migration.data,
            listing_of(migration.ledger, migration.home, context.partition_key),
            migration.ledger.manifest(context.partition_key),
            migration.maps,
            reconciliation,
            migration.settings.migration_currency,
        )
        result = _adds_up(sums)
        _keep_sums(context, migration, sums, str(result.description))
        return result
    except Exception as error:
        return _no_evidence(error)


def _keep_sums(context: dg.AssetCheckExecutionContext, migration: Migration, sums: Sums, words: str) -> None:
    """What the sums came to, in the ledger: whoever signs off asks for it there."""
    scope = migration.ledger.bound_scope()
    if scope is None:
        raise RuntimeError("no batch is read back before the account is known")
    report = {"equal": sums.equal, "words": words, "left_out": sums.left_out, "sums": len(sums.rows)}
    migration.ledger.report_batch(scope.account, context.partition_key, "money", context.run.run_id, report)


def _adds_up(sums: Sums) -> dg.AssetCheckResult:
    months, types = (sums.rows[sums.rows["by"] == by] for by in ("month of creation", "job type"))
    words = [f"{row.by} {row.what}" for row in sums.wrong.head(5).itertuples(index=False)]
    words += [f"deals in {name}" for name in sorted(sums.strange)]
    return dg.AssetCheckResult(
        passed=sums.equal,
        description="differs: " + ", ".join(words) if words else "every sum is the source's",
        metadata={
            "jobs": int(months["jobs"].sum()),
            "jobs_left_out": sums.left_out,
            "cents": int(months["source_cents"].sum()),
            "credit_cents": int(months["credit_cents"].sum()),
            "refund_cents": int(months["refund_cents"].sum()),
            "sums_that_differ": len(sums.wrong),
            "currency": ", ".join(sorted(sums.found)) or sums.currency or "none",
            **{
                name: _table(rows)
                for name, rows in (("by_month", months), ("by_job_type", types))
                if len(rows)
            },
        },
    )


def _table(rows: pd.DataFrame) -> dg.TableMetadataValue:
    plain = rows.drop(columns="by").astype({"equal": str, "what": str}).to_dict("records")
    return dg.MetadataValue.table([dg.TableRecord({str(k): v for k, v in row.items()}) for row in plain])


@dg.asset_check(asset=reconciliation, blocking=True, partitions_def=BATCHES)
def audit_chain_is_whole(context: dg.AssetCheckExecutionContext, migration: Migration) -> dg.AssetCheckResult:
    """The log is as it was written: from the batch's first operation on, each hash fits its rows and the one before."""
    try:
        ledger = migration.ledger
        scope = ledger.bound_scope()
        first = None if scope is None else ledger.first_commit(scope.account, context.partition_key)
        broken = ledger.broken_chain_at(first or 1)
        return dg.AssetCheckResult(
            passed=broken is None,
            description="every hash fits"
            if broken is None
            else f"commit {broken} of the log is not as it was written: somebody changed the ledger",
            metadata={"from_commit": first or 1, "chain_head": ledger.chain_head()},
        )
    except Exception as error:
        return _no_evidence(error)


@dg.asset_check(asset=reconciliation, blocking=True, partitions_def=BATCHES)
def every_write_is_in_the_log(
    context: dg.AssetCheckExecutionContext, migration: Migration
) -> dg.AssetCheckResult:
    """As many writes were logged as the account accepted, run by run, counted where requests are sent."""
    try:
        scope = migration.ledger.bound_scope()
        return _all_logged([] if scope is None else migration.ledger.counts(scope.account))
    except Exception as error:
        return _no_evidence(error)


def _all_logged(counts: Sequence[Count]) -> dg.AssetCheckResult:
    odd = [one for one in counts if not one.agrees]
    words = [f"run {one.run[:8]}: {one.counted} accepted, {one.logged} in the log" for one in odd[:5]]
    return dg.AssetCheckResult(
        passed=not odd,
        description="; ".join(words) or "every write that the account accepted is in the log",
        metadata={
            "writes_accepted": sum(one.counted for one in counts),
            "writes_logged": sum(one.logged for one in counts),
            "runs": len(counts),
            "runs_that_were_killed": sum(not one.whole for one in counts),
        },
    )


CHECKS = [
    every_gate_is_open,
    nothing_missing_wrong_or_extra,
    money_is_the_sources_to_the_cent,
    audit_chain_is_whole,
    every_write_is_in_the_log,
]
