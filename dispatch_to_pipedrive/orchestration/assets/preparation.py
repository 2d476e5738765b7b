"""What must stand before the first record goes out: the account's schema, and an owner for every technician."""

import asyncio

import dagster as dg
import pandas as pd

from dispatch_to_pipedrive.dispatch_pro.placement import read_reference
from dispatch_to_pipedrive.mapping import SchemaNeeds
from dispatch_to_pipedrive.migration.owners import (
    FALLBACK,
    MATCHED,
    fallback_row,
    fallback_user,
    match_technicians,
)
from dispatch_to_pipedrive.migration.prepare import SchemaReport, apply_schema
from dispatch_to_pipedrive.migration.values import OwnerRow
from dispatch_to_pipedrive.orchestration.assets.common import ACCOUNT_POOL, FRAMES, described
from dispatch_to_pipedrive.orchestration.assets.source import RAW_KEYS
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.progress import Stage
from dispatch_to_pipedrive.orchestration.resources import Migration, reading, writing
from dispatch_to_pipedrive.orchestration.road import committed, needs_of
from dispatch_to_pipedrive.pipedrive.account import User

SHOWN = 20
"""Rows of a table in the UI; the rest is in the frame."""


class PrepareConfig(dg.Config):
    """How to prepare."""

    wait: bool = True


@dg.asset(
    deps=[RAW_KEYS["job_types"], RAW_KEYS["tag_types"]],
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
        report = await apply_schema(session, needs)
        stage(report.made + report.existing, report.made + report.existing)
        return report, sum(session.client.budget.by_kind.values())


@dg.asset(
    deps=[RAW_KEYS["technicians"]],
    io_manager_key=FRAMES,
    pool=ACCOUNT_POOL,
    **described("preparation", "pipedrive"),
)
def technician_owners(migration: Migration) -> dg.MaterializeResult[pd.DataFrame]:
    """Which Pipedrive user stands for which technician, by e-mail; who has none, and who stands in."""
    with plain_words():
        generation = migration.ledger.latest_generation()
        segments = committed(migration.ledger, generation)
        technicians = read_reference(migration.data, segments, generation, ("technicians",))["technicians"]
        rows, tokens = asyncio.run(_match(migration, technicians))
    frame = pd.DataFrame(
        [(r.technician_id, r.name, r.email, r.user_id, r.verdict) for r in rows],
        columns=["technician_id", "name", "email", "user_id", "verdict"],
    ).astype(
        {
            "technician_id": "Int64",
            "user_id": "Int64",
            "name": "string",
            "email": "string",
            "verdict": "string",
        }
    )
    undecided = [r for r in rows if r.verdict not in (MATCHED, FALLBACK)]
    table = [
        dg.TableRecord({"name": r.name, "id": r.technician_id, "e-mail": r.email, "why": r.verdict})
        for r in undecided[:SHOWN]
    ]
    return dg.MaterializeResult(
        value=frame,
        metadata={
            "matched": sum(r.verdict == MATCHED for r in rows),
            "unmatched": len(undecided),
            "tokens": tokens,
            "fallback": next((r.email for r in rows if r.verdict == FALLBACK), "none"),
            **({"unmatched_technicians": dg.MetadataValue.table(table)} if table else {}),
        },
    )


async def _match(migration: Migration, technicians: pd.DataFrame) -> tuple[list[OwnerRow], int]:
    async with reading(migration.ledger, migration.settings, purpose="matching technicians") as session:
        users = [User.model_validate(record) for record in await session.client.users()]
        rows = match_technicians(technicians, users)
        email = migration.settings.fallback_owner_email
        stand_in = fallback_user(users, email)
        if stand_in is not None:
            rows.append(fallback_row(stand_in, email))
        migration.ledger.save_owners(session.scope.account, rows)
        return rows, sum(session.client.budget.by_kind.values())
