"""Does the account hold what the batch meant? Every field and edge read back, totals computed a second time."""

import asyncio

import dagster as dg
import pandas as pd

from dispatch_to_pipedrive.migration.verify import Verdicts
from dispatch_to_pipedrive.orchestration.assets.common import ENTITIES, FRAMES, described
from dispatch_to_pipedrive.orchestration.assets.pipedrive import retired
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.partitions import BATCHES
from dispatch_to_pipedrive.orchestration.present import rendering_of
from dispatch_to_pipedrive.orchestration.progress import Stage
from dispatch_to_pipedrive.orchestration.readback import (
    Means,
    Reading,
    compare_batch,
    kept_reading,
    take_reading,
)
from dispatch_to_pipedrive.orchestration.resources import Migration, reading

SHOWN = 20


class ReconcileConfig(dg.Config):
    """Which listing of the account will do: one that began after this time (ISO, UTC); empty: any that is current."""

    begun_after: str = ""


@dg.asset(
    ins={entity: dg.AssetIn(["normalized", entity]) for entity in ENTITIES},
    deps=[retired],
    partitions_def=BATCHES,
    io_manager_key=FRAMES,
    **described("reconciliation", "pipedrive", "duckdb"),
)
def reconciliation(
    context: dg.AssetExecutionContext,
    config: ReconcileConfig,
    migration: Migration,
    organizations: pd.DataFrame,
    persons: pd.DataFrame,
    deals: pd.DataFrame,
    activities: pd.DataFrame,
) -> dg.MaterializeResult[pd.DataFrame]:
    """The differences between what the batch meant and what the account holds; one row each."""
    frames = dict(zip(ENTITIES, (organizations, persons, deals, activities), strict=True))
    with plain_words():
        verdicts, found, account, tokens, rendering = asyncio.run(
            _reconcile(context, config, migration, frames)
        )
        counts = {name: int(count) for name, count in sorted(verdicts.records.items())}
        outcome = {
            "records": counts,
            "fields": verdicts.fields,
            "blocking": verdicts.blocking,
            "tokens": tokens,
            "rendering": rendering,
        }
        migration.ledger.report_batch(
            account, context.partition_key, "reconciliation", context.run_id, outcome
        )
    rows = [
        dg.TableRecord({k: str(v) for k, v in row._asdict().items()}) for row in verdicts.differences[:SHOWN]
    ]
    return dg.MaterializeResult(
        value=verdicts.table().astype("string"),
        metadata={
            **counts,
            "fields_compared": verdicts.fields,
            "differences_found": len(verdicts.differences),
            "blocking_differences": verdicts.blocking,
            "tokens": tokens,
            "listing_begun": found.began,
            **({"differences": dg.MetadataValue.table(rows)} if rows else {}),
        },
    )


async def _reconcile(
    context: dg.AssetExecutionContext,
    config: ReconcileConfig,
    migration: Migration,
    frames: dict[str, pd.DataFrame],
) -> tuple[Verdicts, Reading, str, int, str]:
    manifest = migration.ledger.manifest(context.partition_key)
    home = migration.settings.home
    records = sum(map(len, frames.values()))
    stage = Stage(manifest.key, "reconcile")
    stage(0, records)
    async with reading(migration.ledger, migration.settings, purpose=f"reconcile {manifest.key}") as session:
        schema = await migration.account_schema(session)
        found = kept_reading(migration.ledger, home, begun_after=config.begun_after)
        if found is None:
            found = await take_reading(session, schema, home)
        means = Means(session, schema, migration.maps, migration.data, migration.currency(session))
        verdicts = await compare_batch(means, manifest, frames, found)
        # What a sample's approval signs must be what was compared here.
        sample = manifest.kind == "sample"
        rendering = rendering_of(migration, session, schema, manifest, frames).digest if sample else ""
        tokens = sum(session.client.budget.by_kind.values())
    stage(records, records)
    return verdicts, found, session.scope.account, tokens, rendering
