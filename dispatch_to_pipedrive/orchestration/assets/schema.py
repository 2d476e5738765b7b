"""The account's schema: planned for people to review, and made where it is missing before the first record goes out."""

import asyncio

import dagster as dg
import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.store import write_whole
from dispatch_to_pipedrive.mapping import SchemaNeeds
from dispatch_to_pipedrive.mapping.meaning import digest, meaning
from dispatch_to_pipedrive.migration.approval import MAP
from dispatch_to_pipedrive.migration.clearance import require_confirmed_map
from dispatch_to_pipedrive.migration.prepare import SchemaReport, apply_schema
from dispatch_to_pipedrive.migration.schema_plan import (
    ADOPT,
    DIFFERS,
    MAKE,
    RENAME,
    STANDS,
    Allowed,
    schema_plan_of,
    to_do_first,
)
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.visibility import visible_to
from dispatch_to_pipedrive.orchestration.assets.common import ACCOUNT_POOL, FRAMES, described
from dispatch_to_pipedrive.orchestration.assets.owners import technician_owners
from dispatch_to_pipedrive.orchestration.assets.source import RAW_KEYS
from dispatch_to_pipedrive.orchestration.catalogue import require_fit
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.prepared import PREPARED, keep_prepared
from dispatch_to_pipedrive.orchestration.present import needs_now, present
from dispatch_to_pipedrive.orchestration.progress import Stage
from dispatch_to_pipedrive.orchestration.resources import Migration, reading, writing
from dispatch_to_pipedrive.pipedrive.account import Structure
from dispatch_to_pipedrive.pipedrive.plans import plan_named
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema
from dispatch_to_pipedrive.reports.spreadsheet import csv_text

SHOWN = 50
"""Rows of the plan in the UI; all of them are in the file."""
LENGTH = 200
"""Code points of a value in such a table."""
MAP_CONFIRMATION = dg.AssetKey("map_confirmation")


class PrepareConfig(dg.Config):
    """How to prepare."""

    wait: bool = True


@dg.asset(
    deps=[RAW_KEYS["job_types"], RAW_KEYS["tag_types"], technician_owners],
    io_manager_key=FRAMES,
    **described("preparation", "pipedrive"),
)
def schema_plan(migration: Migration, features: pd.DataFrame) -> dg.MaterializeResult[pd.DataFrame]:
    """What the account will get: pipeline, stages, fields, options, labels and users, each with what is done about it.

    Reads the account and writes nothing there; what people have changed since the schema was made stands first.
    """
    with plain_words():
        needs = needs_now(migration, features)
        plan, tokens = asyncio.run(_plan_schema(migration, needs))
        file = UPath(migration.home) / "reports" / "schema_plan.csv"
        write_whole(file, csv_text(plan).encode())
    counts = plan["action"].value_counts()
    shown = to_do_first(plan).head(SHOWN).to_dict("records")
    return dg.MaterializeResult(
        value=plan,
        metadata={
            **{name: int(counts.get(name, 0)) for name in (MAKE, ADOPT, RENAME, STANDS, DIFFERS)},
            "tokens": tokens,
            "file": dg.MetadataValue.path(str(file)),
            "plan": dg.MetadataValue.table(
                [dg.TableRecord({str(k): str(v)[:LENGTH] for k, v in row.items()}) for row in shown]
            ),
        },
    )


async def _plan_schema(migration: Migration, needs: SchemaNeeds) -> tuple[pd.DataFrame, int]:
    ledger = migration.ledger
    async with reading(ledger, migration.settings, purpose="planning the schema") as session:
        account = session.scope.account
        structure = await migration.structure(session)
        allowed = Allowed(plan_named(migration.settings.pipedrive_plan), visible_to(migration.maps))
        recorded, owners = ledger.schema_objects(account), ledger.owners(account)
        plan = schema_plan_of(needs, recorded, structure, owners, allowed)
        return plan, sum(session.client.budget.by_kind.values())


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
        needs = needs_now(migration, features)
        report, tokens = asyncio.run(_make_schema(context.run.run_id, config, migration, needs))
        keep_prepared(migration.ledger, PREPARED, generation, context.run.run_id)
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
    seen: list[Structure] = []

    def look(schema: AccountSchema) -> None:
        require_fit(migration, schema)
        seen.append(schema.structure)

    async with writing(
        migration.ledger, migration.settings, purpose="preparing the schema", run=run, wait=config.wait
    ) as session:
        await _require_confirmed_map(migration, session)
        report = await apply_schema(session, needs, look)
        migration.forget_account(None if report.made else seen[-1])
        stage(report.made + report.existing, report.made + report.existing)
        return report, sum(session.client.budget.by_kind.values())


async def _require_confirmed_map(migration: Migration, session: Session) -> None:
    """No account is changed by a map that nobody has confirmed; what it holds is read only where that decides."""
    ledger, account = migration.ledger, session.scope.account
    if ledger.approval_of(account, MAP, digest(meaning(migration.maps))) is None:
        require_confirmed_map(ledger, account, await present(migration, session))
