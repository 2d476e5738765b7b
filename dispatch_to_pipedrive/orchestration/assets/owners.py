"""Who owns what in the account: a Pipedrive user for every technician."""

import asyncio

import dagster as dg
import pandas as pd

from dispatch_to_pipedrive.dispatch_pro.placement import read_reference
from dispatch_to_pipedrive.migration.owners import (
    FALLBACK,
    MATCHED,
    fallback_row,
    fallback_user,
    match_technicians,
)
from dispatch_to_pipedrive.migration.values import OwnerRow
from dispatch_to_pipedrive.orchestration.assets.common import ACCOUNT_POOL, FRAMES, described
from dispatch_to_pipedrive.orchestration.assets.source import RAW_KEYS
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.resources import Migration, reading
from dispatch_to_pipedrive.orchestration.road import committed
from dispatch_to_pipedrive.pipedrive.account import User

SHOWN = 20
"""Rows of a table in the UI; the rest is in the frame."""


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
