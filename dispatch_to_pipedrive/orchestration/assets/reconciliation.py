"""Does the account hold what the batch meant? Every field and edge read back, totals computed a second time."""

import asyncio
from dataclasses import dataclass

import dagster as dg
import pandas as pd

from dispatch_to_pipedrive.migration.approval import render
from dispatch_to_pipedrive.migration.ledger import Scope
from dispatch_to_pipedrive.migration.sign_off import DECIDED_BY
from dispatch_to_pipedrive.migration.verify import Verdicts
from dispatch_to_pipedrive.orchestration.assets.common import ENTITIES, FRAMES, described
from dispatch_to_pipedrive.orchestration.assets.pipedrive import retired
from dispatch_to_pipedrive.orchestration.decided_by import decided_by
from dispatch_to_pipedrive.orchestration.diff import Whose, write_sample_diff
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.kept import tell_kept
from dispatch_to_pipedrive.orchestration.partitions import BATCHES
from dispatch_to_pipedrive.orchestration.progress import Stage
from dispatch_to_pipedrive.orchestration.readback import (
    Means,
    Reading,
    compare_batch,
    field_rows,
    kept_reading,
    read_excerpt,
    take_reading,
)
from dispatch_to_pipedrive.orchestration.resources import Migration, reading
from dispatch_to_pipedrive.orchestration.road import mapped

SHOWN = 20


class ReconcileConfig(dg.Config):
    """Which listing of the account will do: one that began after this time (ISO, UTC); empty: any that is current."""

    begun_after: str = ""


@dataclass(frozen=True)
class _Found:
    """What reading back came to; of a sample also its rendered payloads' digest, and every field."""

    verdicts: Verdicts
    reading: Reading
    account: str
    tenant: str
    tokens: int
    rendering: str = ""
    rows: pd.DataFrame | None = None


@dg.asset(
    ins={
        **{entity: dg.AssetIn(["normalized", entity]) for entity in ENTITIES},
        "batches": dg.AssetIn("batches"),
    },
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
    files: pd.DataFrame,
    notes: pd.DataFrame,
    batches: pd.DataFrame,
) -> dg.MaterializeResult[pd.DataFrame]:
    """The differences between what the batch meant and what the account holds; one row each.

    For the sample every field is shown with its source, in the page, the CSV and the Parquet file that people approve.
    """
    frames = dict(zip(ENTITIES, (organizations, persons, deals, activities, files, notes), strict=True))
    with plain_words():
        basis = decided_by(migration.ledger, migration.settings, migration.maps)
        found = asyncio.run(_reconcile(context, config, migration, frames))
        verdicts = found.verdicts
        shown = _sample_diff(context, migration, found, batches)
        scope = Scope(found.account, found.tenant)
        shown |= tell_kept(migration.home, migration.ledger, scope)
        counts = {name: int(count) for name, count in sorted(verdicts.records.items())}
        outcome = {
            "records": counts,
            "fields": verdicts.fields,
            "blocking": verdicts.blocking,
            "strays": len(found.reading.strays.differences),
            "listing_begun": found.reading.began,
            "swept": found.reading.whole,
            "tokens": found.tokens,
            "rendering": found.rendering,
            DECIDED_BY: basis,
        }
        migration.ledger.report_batch(
            found.account, context.partition_key, "reconciliation", context.run.run_id, outcome
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
            "tokens": found.tokens,
            "listing_begun": found.reading.began,
            "files_read_back": found.reading.files_read,
            **shown,
            **({"differences": dg.MetadataValue.table(rows)} if rows else {}),
        },
    )


async def _reconcile(
    context: dg.AssetExecutionContext,
    config: ReconcileConfig,
    migration: Migration,
    frames: dict[str, pd.DataFrame],
) -> _Found:
    manifest = migration.ledger.manifest(context.partition_key)
    records = sum(map(len, frames.values()))
    stage = Stage(manifest.key, "reconcile")
    stage(0, records)
    async with reading(migration.ledger, migration.settings, purpose=f"reconcile {manifest.key}") as session:
        schema = await migration.schema_at(session, manifest.generation_to)
        share = migration.settings.file_readback
        listed = kept_reading(migration.ledger, migration.home, share, begun_after=config.begun_after)
        keys = {entity: frame["source_key"] for entity, frame in frames.items()}
        listed = listed or await read_excerpt(session, schema, migration.home, manifest, keys)
        if listed is None:
            listed = await take_reading(session, schema, migration.home, share)
        means = Means(session, schema, migration.maps, migration.data, migration.settings)
        logical = mapped(migration.maps, frames, migration.currency(session))
        verdicts = await compare_batch(means, manifest, logical, listed)
        rendering, rows = "", None
        if manifest.kind == "sample":
            # What a sample's approval signs must be what was compared here.
            owners = migration.ledger.owners(session.scope.account)
            rendering = render(migration.maps, logical, schema, owners, manifest.generation_to).digest
            rows = await field_rows(means, manifest, frames, logical, listed, verdicts)
        tokens = sum(session.client.budget.by_kind.values())
        scope = session.scope
    stage(records, records)
    return _Found(verdicts, listed, scope.account, scope.tenant, tokens, rendering, rows)


def _sample_diff(
    context: dg.AssetExecutionContext, migration: Migration, found: _Found, coverage: pd.DataFrame
) -> "dict[str, dg.RawMetadataValue]":
    if found.rows is None:
        return {}
    whose = Whose(
        company=migration.ledger.bound_company() or "",
        account=found.account,
        tenant=found.tenant,
        read_at=found.reading.began,
    )
    manifest = migration.ledger.manifest(context.partition_key)
    return write_sample_diff(migration.home, whose, migration.maps, manifest, found.rows, coverage)
