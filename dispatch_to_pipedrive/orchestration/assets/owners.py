"""Who owns what in the account: a Pipedrive user for every technician, by e-mail or by a person's decision."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg
import pandas as pd

from dispatch_to_pipedrive.dispatch_pro.placement import read_reference
from dispatch_to_pipedrive.migration.decisions import (
    Decisions,
    WrongDecisions,
    mistakes_in,
    write_decisions,
)
from dispatch_to_pipedrive.migration.errors import MigrationError
from dispatch_to_pipedrive.migration.owners import (
    AMBIGUOUS,
    FALLBACK,
    INACTIVE,
    SETTLED,
    UNMATCHED,
    fallback_user,
    match_technicians,
    undecided,
    users_to_keep,
)
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.values import OwnerRow
from dispatch_to_pipedrive.orchestration.assets.common import ACCOUNT_POOL, FRAMES, described
from dispatch_to_pipedrive.orchestration.assets.source import RAW_KEYS
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.prepared import MATCHED, keep_prepared
from dispatch_to_pipedrive.orchestration.present import decisions_of
from dispatch_to_pipedrive.orchestration.resources import Migration, reading
from dispatch_to_pipedrive.orchestration.road import committed
from dispatch_to_pipedrive.pipedrive.account import User

SHOWN = 20
"""Rows of a table in the UI; the rest is in the frame."""


@dataclass(frozen=True)
class Staff:
    """Technicians (id, name, email), the account's users, who stands in, and what people decided."""

    technicians: pd.DataFrame
    users: Sequence[User]
    fallback: User | None
    decisions: Decisions


async def read_staff(migration: Migration, session: Session, given: Decisions | None = None) -> Staff:
    """Both sides, and the owner file with what is `given` besides; WrongDecisions with every mistake in them."""
    generation = migration.ledger.latest_generation()
    if not generation:
        raise MigrationError(
            "nothing was read from Dispatch Pro yet: run `migrate --through assess`, or the job `advance_source`"
        )
    segments = committed(migration.ledger, generation)
    technicians = read_reference(migration.data, segments, generation, ("technicians",))["technicians"]
    users = [User.model_validate(record) for record in await session.client.users()]
    fallback = fallback_user(users, migration.settings.fallback_owner_email)
    emails = technicians["email"].astype(object).where(technicians["email"].notna(), "")
    known = dict(zip(technicians["id"].astype(int).tolist(), emails.tolist(), strict=True))
    decisions = decisions_of(migration.settings)
    for each in [given, decisions.with_choices(given.by_technician)] if given else [decisions]:
        if wrong := mistakes_in(each, known, users, fallback=fallback is not None):
            raise WrongDecisions(wrong)
        decisions = each
    return Staff(technicians, users, fallback, decisions)


def settle_owners(migration: Migration, account: str, staff: Staff) -> list[OwnerRow]:
    """Match, write who waits for a decision to the owner file, and keep it all in the ledger, the users besides."""
    decisions = staff.decisions
    rows = match_technicians(staff.technicians, staff.users, decisions.by_technician, staff.fallback)
    write_decisions(decisions.listing(rows, undecided(rows)))
    migration.ledger.save_owners(account, rows, decisions.digest)
    migration.ledger.save_users(account, users_to_keep(staff.users))
    return rows


@dg.asset(
    deps=[RAW_KEYS["technicians"]],
    io_manager_key=FRAMES,
    pool=ACCOUNT_POOL,
    **described("preparation", "pipedrive"),
)
def technician_owners(
    context: dg.AssetExecutionContext, migration: Migration
) -> dg.MaterializeResult[pd.DataFrame]:
    """Which Pipedrive user stands for which technician; who has none is listed in `technicians.csv` to be decided."""
    with plain_words():
        generation = migration.ledger.latest_generation()
        rows, tokens = asyncio.run(_match(migration))
        keep_prepared(migration.ledger, MATCHED, generation, context.run.run_id)
    frame = pd.DataFrame(
        [(r.technician_id, r.name, r.email, r.user_id, r.verdict, r.owner_email) for r in rows],
        columns=["technician_id", "name", "email", "user_id", "verdict", "owner_email"],
    ).astype(
        {
            "technician_id": "Int64",
            "user_id": "Int64",
            "name": "string",
            "email": "string",
            "verdict": "string",
            "owner_email": "string",
        }
    )
    counts = {verdict.replace(" ", "_"): sum(r.verdict == verdict for r in rows) for verdict in SETTLED[:-1]}
    return dg.MaterializeResult(
        value=frame,
        metadata={
            **counts,
            "undecided": len(undecided(rows)),
            "tokens": tokens,
            "fallback": next((r.email for r in rows if r.verdict == FALLBACK), "none"),
            "owner_file": dg.MetadataValue.path(str(decisions_of(migration.settings).file)),
            **_tables(rows),
        },
    )


def _tables(rows: Sequence[OwnerRow]) -> dict[str, dg.TableMetadataValue]:
    """Who has no user, by why: with exactly name, Dispatch Pro id and last-known e-mail."""
    titles = {
        UNMATCHED: "unmatched_technicians",
        INACTIVE: "technicians_with_an_inactive_user",
        AMBIGUOUS: "technicians_with_several_users",
    }
    tables = {}
    for verdict, title in titles.items():
        found = [
            dg.TableRecord(
                {"name": r.name, "Dispatch Pro id": r.technician_id, "last-known e-mail": r.email or ""}
            )
            for r in rows
            if r.verdict == verdict
        ]
        if found:
            tables[title] = dg.MetadataValue.table(found[:SHOWN])
    return tables


async def _match(migration: Migration) -> tuple[list[OwnerRow], int]:
    async with reading(migration.ledger, migration.settings, purpose="matching technicians") as session:
        rows = settle_owners(migration, session.scope.account, await read_staff(migration, session))
        return rows, sum(session.client.budget.by_kind.values())
