"""Which checks stop a run: the gates before loading, the verdicts after it.

A check guards only the run it is part of, so neither replaces what the engine asks of the ledger. A check catches its
own surprises: one that raises leaves no evidence.
"""

import warnings
from collections.abc import Callable
from functools import wraps

import dagster as dg
import pandas as pd

from dispatch_to_pipedrive.migration.verify import BLOCKING
from dispatch_to_pipedrive.orchestration.assets.clearance import clearance
from dispatch_to_pipedrive.orchestration.assets.reconciliation import reconciliation
from dispatch_to_pipedrive.orchestration.partitions import BATCHES

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
            return dg.AssetCheckResult(
                passed=False, description=f"the check itself failed: {type(error).__name__}: {error}"
            )

    return evident


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


CHECKS = [every_gate_is_open, nothing_missing_wrong_or_extra]
