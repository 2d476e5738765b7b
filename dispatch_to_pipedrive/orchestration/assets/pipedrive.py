"""A batch on its way into the account: organizations to notes, and last what has to go."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import dagster as dg
import pandas as pd

from dispatch_to_pipedrive.mapping import RenderOptions, applied
from dispatch_to_pipedrive.migration.clearance import require_clearance
from dispatch_to_pipedrive.migration.load import load_entity
from dispatch_to_pipedrive.migration.loading import Load, LoadReport
from dispatch_to_pipedrive.migration.owners import decided
from dispatch_to_pipedrive.migration.retire import RetireReport, retire
from dispatch_to_pipedrive.migration.sign_off import AFTER, DECIDED_BY
from dispatch_to_pipedrive.orchestration.assets.clearance import clearance
from dispatch_to_pipedrive.orchestration.assets.common import ACCOUNT_POOL, ENTITIES, described
from dispatch_to_pipedrive.orchestration.decided_by import decided_by
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.files import fetching
from dispatch_to_pipedrive.orchestration.partitions import BATCHES
from dispatch_to_pipedrive.orchestration.present import present
from dispatch_to_pipedrive.orchestration.progress import Stage
from dispatch_to_pipedrive.orchestration.resources import Migration, writing
from dispatch_to_pipedrive.orchestration.road import wire_names


class LoadConfig(dg.Config):
    """How to load."""

    retry_quarantined: bool = False
    wait: bool = True


@contextmanager
def _on_the_way(
    context: dg.AssetExecutionContext, migration: Migration, stage: str
) -> Iterator[dict[str, Any]]:
    """Expected errors in plain words, and what the stage came to in the ledger."""
    outcome: dict[str, Any] = {}
    with plain_words():
        ledger = migration.ledger
        scope = ledger.bound_scope()
        after = 0 if scope is None else ledger.last_operation(scope.account)
        basis = decided_by(ledger, migration.settings, migration.maps)
        yield outcome
        account = outcome.pop("account")
        outcome |= {AFTER: after, DECIDED_BY: basis}
        ledger.report_batch(account, context.partition_key, stage, context.run.run_id, outcome)


def _load_asset(entity: str, after: str | None) -> dg.AssetsDefinition:
    before = [dg.AssetKey(["pipedrive", after])] if after else []

    @dg.asset(
        key=["pipedrive", entity],
        ins={"frame": dg.AssetIn(["normalized", entity])},
        deps=[clearance, *before],
        partitions_def=BATCHES,
        pool=ACCOUNT_POOL,
        description=f"The batch's {entity} in Pipedrive: created, updated, or equal already.",
        **described("pipedrive", "pipedrive"),
    )
    def load_asset(
        context: dg.AssetExecutionContext, config: LoadConfig, migration: Migration, frame: pd.DataFrame
    ) -> dg.MaterializeResult[None]:
        with _on_the_way(context, migration, entity) as outcome:
            report, cut, account, tokens = asyncio.run(_load(context, config, migration, entity, frame))
            counts = {k: v for k, v in asdict(report).items() if k not in ("entity", "quarantined")}
            counts["problems"] = len(cut)
            outcome.update(account=account, tokens=tokens, quarantined=len(report.quarantined), **counts)
        set_aside = [
            dg.TableRecord({"source key": q.source_key, "reason": q.reason, "words": q.words})
            for q in report.quarantined[:20]
        ]
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": report.wanted,
                **counts,
                "tokens": tokens,
                "quarantined": len(report.quarantined),
                "chain_head": migration.ledger.chain_head(),
                **({"set_aside": dg.MetadataValue.table(set_aside)} if set_aside else {}),
                **({"values_not_carried_whole": dg.MetadataValue.table(_shown(cut))} if len(cut) else {}),
            }
        )

    return load_asset


async def _load(
    context: dg.AssetExecutionContext,
    config: LoadConfig,
    migration: Migration,
    entity: str,
    frame: pd.DataFrame,
) -> tuple[LoadReport, pd.DataFrame, str, int]:
    manifest = migration.ledger.manifest(context.partition_key)
    maps = migration.maps
    stage = Stage(manifest.key, entity)
    async with _session(context, config, migration, entity) as session:
        require_clearance(migration.ledger, manifest, await present(migration, session))
        load = Load(
            session=session,
            schema=await migration.schema_at(session, manifest.generation_to),
            entity_map=maps[entity],
            owners=decided(migration.ledger.owners(session.scope.account)),
            manifest=manifest,
            retry_quarantined=config.retry_quarantined,
            on_progress=stage,
        )
        stage(0, len(frame))
        made = applied(maps[entity], frame, RenderOptions(migration.currency(session)))
        if entity == "files" and len(frame):
            async with fetching(migration.settings, frame, migration.home) as fetch:
                report = await load_entity(replace(load, fetch=fetch), made.frame)
        else:
            report = await load_entity(load, made.frame)
        return (
            report,
            made.problems,
            session.scope.account,
            sum(session.client.budget.by_kind.values()),
        )


def _shown(cut: pd.DataFrame) -> list[dg.TableRecord]:
    """The first values that Pipedrive's fields could not take whole."""
    rows = cut.head(20)[["source_key", "field", "problem", "value"]].astype("string").fillna("")
    return [dg.TableRecord({str(k): str(v)[:200] for k, v in row.items()}) for row in rows.to_dict("records")]


def _session(context: dg.AssetExecutionContext, config: LoadConfig, migration: Migration, what: str) -> Any:
    return writing(
        migration.ledger,
        migration.settings,
        purpose=f"load {context.partition_key} {what}",
        run=context.run.run_id,
        batch=context.partition_key,
        wait=config.wait,
    )


load_assets = [
    _load_asset(entity, after) for entity, after in zip(ENTITIES, (None, *ENTITIES[:-1]), strict=True)
]


@dg.asset(
    key=["pipedrive", "retired"],
    ins={entity: dg.AssetIn(["normalized", entity]) for entity in ENTITIES},
    deps=[clearance, dg.AssetKey(["pipedrive", ENTITIES[-1]])],
    partitions_def=BATCHES,
    pool=ACCOUNT_POOL,
    **described("pipedrive", "pipedrive"),
)
def retired(
    context: dg.AssetExecutionContext,
    config: LoadConfig,
    migration: Migration,
    organizations: pd.DataFrame,
    persons: pd.DataFrame,
    deals: pd.DataFrame,
    activities: pd.DataFrame,
    files: pd.DataFrame,
    notes: pd.DataFrame,
) -> dg.MaterializeResult[None]:
    """What the batch's roots no longer want is deleted, children first; what people edited stays."""
    frames = dict(zip(ENTITIES, (organizations, persons, deals, activities, files, notes), strict=True))
    wanted = {entity: set(frame["source_key"]) for entity, frame in frames.items()}
    with _on_the_way(context, migration, "retired") as outcome:
        report, account, tokens = asyncio.run(_retire(context, config, migration, wanted))
        outcome.update(account=account, tokens=tokens, **asdict(report))
    return dg.MaterializeResult(metadata={**asdict(report), "tokens": tokens})


async def _retire(
    context: dg.AssetExecutionContext, config: LoadConfig, migration: Migration, wanted: dict[str, set[str]]
) -> tuple[RetireReport, str, int]:
    manifest = migration.ledger.manifest(context.partition_key)
    maps = migration.maps
    async with _session(context, config, migration, "retire") as session:
        require_clearance(migration.ledger, manifest, await present(migration, session))
        schema = await migration.account_schema(session)
        fields = {entity: wire_names(schema, maps, entity) for entity in ENTITIES}
        report = await retire(session, schema, manifest, wanted, fields)
        return report, session.scope.account, sum(session.client.budget.by_kind.values())
