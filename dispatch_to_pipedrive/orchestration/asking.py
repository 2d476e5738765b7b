"""What do account and tenant say when they are asked before anything is moved? Readings only, as plain facts."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.client import DispatchProClient
from dispatch_to_pipedrive.dispatch_pro.errors import DispatchProError
from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS
from dispatch_to_pipedrive.dispatch_pro.hosts import resolved
from dispatch_to_pipedrive.dispatch_pro.placement import read_batch, root_bytes, root_sizes
from dispatch_to_pipedrive.dispatch_pro.scopes import unreadable
from dispatch_to_pipedrive.mapping import Maps
from dispatch_to_pipedrive.migration.file_checks import FileFacts, Oversized
from dispatch_to_pipedrive.migration.forecast import Account, Forecast, Line, forecast
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.preflight import AccountFacts, Check, Said, SourceFacts, from_values
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.twins import (
    Theirs,
    list_theirs,
    match,
    no_twins,
    nothing_listed,
    source_keys,
)
from dispatch_to_pipedrive.migration.values import TENANT
from dispatch_to_pipedrive.migration.visibility import visible_to
from dispatch_to_pipedrive.migration.volume import schema_size, volume_of
from dispatch_to_pipedrive.orchestration.resources import access_of, credentials_of, reading
from dispatch_to_pipedrive.pipedrive.account import Currency, Me, Structure
from dispatch_to_pipedrive.pipedrive.budget import TokenBudget
from dispatch_to_pipedrive.pipedrive.client import PipedriveClient
from dispatch_to_pipedrive.pipedrive.errors import BudgetSpent, PipedriveError
from dispatch_to_pipedrive.pipedrive.prices import LIST, PRICES
from dispatch_to_pipedrive.settings import Settings, WrongSettings

UNSIZED = "not known"
"""The class of sizes of which the profile tells that nobody knows them."""
SHARE = 0.05
"""Of the day's tokens that looking at the account's own records may take."""
_CHUNK = 20_000  # roots whose contacts are read at once
MOST_PAGES = 2_000
"""Pages of the account's own records that are looked at where no plan limits the day."""
_ASKED = (
    2 * PRICES["GET", "/api/v1/users/me"]
    + PRICES["GET", "/api/v1/currencies"]
    + 3 * PRICES["GET", "/api/v2/dealFields"]
    + 2 * PRICES["GET", "/api/v2/stages"]
    + LIST
)


def require_account(settings: Settings) -> Me:
    """Ask the account who the token is (2 tokens), before anything is read from the source.

    Raises what the account answers to a wrong token or address. The ledger is not bound: that is for a session.
    """
    settings.require_destination()
    return asyncio.run(_me(settings))


async def _me(settings: Settings) -> Me:
    access = access_of(settings)
    budget = TokenBudget(access.plan, seats=access.seats)
    async with PipedriveClient(
        access.api_url, access.api_token, budget, request_timeout=access.timeout
    ) as client:
        return Me.model_validate((await client.me()).record)


async def ask_account(
    ledger: Ledger, settings: Settings, look: Callable[[Session], Awaitable[Structure]]
) -> tuple[AccountFacts, int]:
    """What the account says of itself, and the tokens that it took; a refusal is a fact. Raises BudgetSpent.

    look: reads the account's fields, pipelines and stages, once a run.
    """
    try:
        async with reading(ledger, settings, purpose="preflight") as session:
            facts = await _facts(ledger, session, await look(session))
            return facts, sum(session.client.budget.by_kind.values())
    except BudgetSpent:
        raise
    except PipedriveError as refusal:
        return AccountFacts(refused=str(refusal)), 0


async def _facts(ledger: Ledger, session: Session, structure: Structure) -> AccountFacts:
    client, scope = session.client, session.scope
    me = Me.model_validate((await client.me()).record)
    currencies = [Currency.model_validate(record) for record in await client.currencies()]
    ours = {(x.entity, x.code) for x in ledger.schema_objects(scope.account) if x.kind == "field"}
    custom = {
        (entity, code)
        for entity, fields in structure.fields.items()
        for code, one in fields.items()
        if one.is_custom_field
    }
    left = client.budget.available
    seen = 0
    pages = most_pages(client.budget.daily)
    complete = False
    async for page in client.list("deals", status="open"):
        ids = [int(record["id"]) for record in page.records]
        seen += len(set(ids) - ledger.linked_ids(scope, "deals", ids))
        pages -= 1
        complete = page.cursor is None
        if pages <= 0:
            break
    return AccountFacts(
        me=me,
        currencies=tuple(c.code for c in currencies if c.active_flag),
        custom_fields=len(custom - ours),
        open_deals=seen if complete else None,
        open_deals_at_least=seen,
        tokens_left=left,
    )


def most_pages(daily: int | None) -> int:
    """Pages of a list that one look at the account may take."""
    return MOST_PAGES if daily is None else max(1, math.floor(daily * SHARE / LIST))


def ask_source(settings: Settings, profile: pd.DataFrame) -> SourceFacts:
    """What the tenant says: which kinds of record the app may read, and what its profile tells; refusal is a fact."""
    flags = profile[(profile["feed"] == "job_types") & (profile["field"] == "is_smart_dispatched")]
    smart = flags.loc[flags["value"] == "true", "count"]
    types = flags.loc[flags["value"].isna(), "records"]
    units = profile[(profile["feed"] == "business_units") & (profile["field"] == "currency")]
    told: dict[str, Any] = {
        "feeds": len(FEEDS),
        "smart_job_types": int(smart.sum()),
        "job_types": int(types.sum()),
        "currencies": tuple(units["value"].dropna()),
    }
    try:
        return SourceFacts(unreadable=asyncio.run(_unreadable(settings)), **told)
    except DispatchProError as refusal:
        return SourceFacts(refused=str(refusal), **told)


async def _unreadable(settings: Settings) -> Mapping[str, str]:
    async with DispatchProClient(credentials_of(settings), attempts=3) as client:
        return await unreadable(client, FEEDS.values(), datetime.now(UTC))


def said(settings: Settings, maps: Maps) -> Said:
    """What people said in settings and maps."""
    return Said(settings.automations_paused_by.strip(), settings.migration_currency, visible_to(maps))


def ask_files(settings: Settings, data: UPath, generation: int, profile: pd.DataFrame) -> FileFacts:
    """What is known of the attachments: those above the limit by name, and what keeps others from being fetched."""
    told = profile[(profile["feed"] == "job_attachments") & profile["value"].notna()]
    refused = told[told["field"] == "problem"]
    unsized = told.loc[(told["field"] == "size_class") & (told["value"] == UNSIZED), "count"]
    return FileFacts(
        limit=settings.file_limit,
        kept=settings.keep_oversized,
        oversized=oversized_files(data, generation, settings.file_limit),
        unsized=int(unsized.sum()),
        problems={str(why): int(files) for why, files in refused[["value", "count"]].to_numpy()},
        unknown_hosts=asyncio.run(_unknown(settings.hosts)),
    )


def oversized_files(data: UPath, generation: int, limit: int) -> list[Oversized]:
    """The attachments above the limit; only customers with so many bytes are looked at."""
    sizes = root_bytes(data, generation)
    roots = sizes.loc[sizes["bytes"] > limit, "root"].tolist()
    found: list[Oversized] = []
    for start in range(0, len(roots), _CHUNK):
        frame = read_batch(data, generation, roots[start : start + _CHUNK], ("job_attachments",))
        files = frame["job_attachments"]
        large = files[(files["size"] > limit).fillna(False)].astype({"file_name": "string"})
        columns = large[["id", "job_id", "file_name", "size"]].fillna({"file_name": ""})
        found += [Oversized(int(a), int(b), str(c), int(d)) for a, b, c, d in columns.itertuples(index=False)]
    return found


async def _unknown(hosts: Sequence[str]) -> list[str]:
    """Those of the hosts that no name server knows; what begins with a dot names no host of its own."""
    found = []
    for host in hosts:
        try:
            if not host.startswith("."):
                await resolved(host, 443)
        except OSError:
            found.append(host)
    return found


BEFORE = (Line("ask the account for rights, currencies, fields and open deals", 1, _ASKED, "schema", 9),)
"""What preflight takes, as a line of the forecast."""


@dataclass(frozen=True)
class Around:
    """What the forecast takes from outside the tenant: what others have in the account, what was asked of it ahead."""

    facts: AccountFacts
    records: Mapping[str, int]
    closing_follows: bool = True
    before: Sequence[Line] = BEFORE


def foresee(settings: Settings, maps: Maps, profile: pd.DataFrame, around: Around) -> Forecast:
    """The forecast of this tenant on this account; WrongSettings for a reserve that leaves nothing."""
    account = Account(
        settings.pipedrive_plan,
        settings.pipedrive_seats,
        settings.pipedrive_reserve,
        records=around.records,
        custom_fields=around.facts.custom_fields,
        open_deals=around.facts.open_deals or around.facts.open_deals_at_least,
        closing_follows=around.closing_follows,
        file_readback=settings.file_readback,
    )
    try:
        return forecast(
            volume_of(profile),
            schema_size(maps),
            account,
            wave_records=settings.wave_records,
            before=around.before,
            source_calls_a_second=settings.dispatch_pro_calls_per_second,
        )
    except ValueError as error:
        raise WrongSettings([f"PIPEDRIVE_RESERVE: {error}"]) from None


async def look_through(ledger: Ledger, settings: Settings) -> tuple[Theirs, str]:
    """What others have in the account, and in words why it may not be all; nothing where the account refuses.

    Raises BudgetSpent.
    """
    try:
        async with reading(ledger, settings, purpose="looking for twins") as session:
            found = await list_theirs(session, most_pages(session.client.budget.daily))
    except BudgetSpent:
        raise
    except PipedriveError as refusal:
        return nothing_listed(), f"Not looked for: {refusal}."
    if not found.unfinished:
        return found, ""
    return found, (
        f"Not all of {' and '.join(found.unfinished)} were looked at: listing them would take more than "
        f"{found.most_tokens:,} tokens ({SHARE:.0%} of the day's)."
    )


def find_twins(data: UPath, generation: int, theirs: Theirs) -> pd.DataFrame:
    """The account's records that are likely the same as some of the tenant's; nobody's records cost no reading."""
    found = [no_twins()]
    if len(theirs.keys):
        feeds = ["customers", "customer_contacts", "location_contacts"]
        feeds += ["jobs"] if theirs.records.get("deals") else []
        roots = root_sizes(data, generation)["root"].tolist()
        for start in range(0, len(roots), _CHUNK):
            frames = read_batch(data, generation, roots[start : start + _CHUNK], feeds)
            found.append(match(theirs.keys, source_keys(frames)))
    return pd.concat(found, ignore_index=True)


def kept_facts(ledger: Ledger) -> AccountFacts:
    """What preflight learnt of others' fields and deals."""
    scope = ledger.bound_scope()
    report = None if scope is None else ledger.batch_reports(scope.account).get((TENANT, "preflight"))
    if report is None:
        return AccountFacts()
    return AccountFacts(
        custom_fields=report["custom_fields"],
        open_deals=report["open_deals"],
        open_deals_at_least=report["open_deals_at_least"],
    )


def kept_checks(ledger: Ledger) -> list[Check]:
    """What preflight last said of the account that the ledger is bound to; empty before it was asked."""
    scope = ledger.bound_scope()
    report = None if scope is None else ledger.batch_reports(scope.account).get((TENANT, "preflight"))
    return from_values(report["checks"]) if report else []


def keep_spent(ledger: Ledger, account: str) -> None:
    """Write down, once, what the first whole migration took: later readings are no part of what was foreseen."""
    reports = ledger.batch_reports(account)
    if (TENANT, "forecast") in reports and (TENANT, "spent") not in reports:
        ledger.report_batch(account, TENANT, "spent", "", {"by_kind": dict(ledger.tokens(account))})
