"""The account's schema: what the maps ask for is made where it is missing, before the first record goes out."""

import asyncio

import dagster as dg
import pandas as pd

from dispatch_to_pipedrive.dispatch_pro.placement import read_reference
from dispatch_to_pipedrive.mapping import SchemaNeeds
from dispatch_to_pipedrive.mapping.meaning import digest, meaning
from dispatch_to_pipedrive.migration.approval import MAP
from dispatch_to_pipedrive.migration.clearance import require_confirmed_map
from dispatch_to_pipedrive.migration.prepare import SchemaReport, apply_schema
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.orchestration.assets.common import ACCOUNT_POOL, described
from dispatch_to_pipedrive.orchestration.assets.source import RAW_KEYS
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.present import present
from dispatch_to_pipedrive.orchestration.progress import Stage
from dispatch_to_pipedrive.orchestration.resources import Migration, writing
from dispatch_to_pipedrive.orchestration.road import committed, needs_of

MAP_CONFIRMATION = dg.AssetKey("map_confirmation")


class PrepareConfig(dg.Config):
    """How to prepare."""

    wait: bool = True


@dg.asset(
    deps=[RAW_KEYS["job_types"], RAW_KEYS["tag_types"], MAP_CONFIRMATION],
    pool=ACCOUNT_POOL,
    **described("preparation", "pipedrive"),
)
def pipedrive_schema(
    context: dg.AssetExecutionContext, config: PrepareConfig, migration: Migration, features: pd.DataFrame
) -> dg.MaterializeResult[None]:
    """Pipeline, stages, custom fields, options and labels of this account; made where they are missing."""
    with plain_words():
        generation = migration.ledger.latest_generation()
        segments = committed(migration.ledger, generation)
        reference = read_reference(migration.data, segments, generation, ("job_types", "tag_types"))
        needs = needs_of(migration.maps, features, reference)
        report, tokens = asyncio.run(_make_schema(context.run_id, config, migration, needs))
    return dg.MaterializeResult(
        metadata={
            "made": report.made,
            "existing": report.existing,
            "tokens": tokens,
            "fields": len(needs.fields),
            "options": sum(len(field.options) for field in needs.fields),
            "labels": {entity: len(labels) for entity, labels in needs.labels.items()},
            "stages": ", ".join(needs.pipeline.stages),
        }
    )


async def _make_schema(
    run: str, config: PrepareConfig, migration: Migration, needs: SchemaNeeds
) -> tuple[SchemaReport, int]:
    stage = Stage("", "schema")
    stage(0, None)
    async with writing(
        migration.ledger, migration.settings, purpose="preparing the schema", run=run, wait=config.wait
    ) as session:
        await _require_confirmed_map(migration, session)
        report = await apply_schema(session, needs)
        stage(report.made + report.existing, report.made + report.existing)
        return report, sum(session.client.budget.by_kind.values())


async def _require_confirmed_map(migration: Migration, session: Session) -> None:
    """No account is changed by a map that nobody has confirmed; what it holds is read only where that decides."""
    ledger, account = migration.ledger, session.scope.account
    if ledger.approval_of(account, MAP, digest(meaning(migration.maps))) is None:
        require_confirmed_map(ledger, account, await present(migration, session))
