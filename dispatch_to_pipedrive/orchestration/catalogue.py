"""What tenant and account have that a map must fit: read for `map check --live` and before the schema is made."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.feeds import CUSTOM_FIELD_DEFINITIONS
from dispatch_to_pipedrive.dispatch_pro.placement import read_reference
from dispatch_to_pipedrive.mapping import ENTITIES, MapError, Maps, Mistake, load_maps
from dispatch_to_pipedrive.mapping.catalogue import (
    AccountCatalogue,
    TenantCatalogue,
    TenantField,
    check_catalogue,
)
from dispatch_to_pipedrive.mapping.proposal.catalogue import AccountField
from dispatch_to_pipedrive.migration.drift import made_of
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.normalize.choices import REFERENCE
from dispatch_to_pipedrive.normalize.custom_fields import BEARERS, folded
from dispatch_to_pipedrive.orchestration.choices import custom_choices
from dispatch_to_pipedrive.orchestration.present import features_of
from dispatch_to_pipedrive.orchestration.resources import Migration, open_ledger, reading
from dispatch_to_pipedrive.orchestration.road import columns_of, committed, values_of
from dispatch_to_pipedrive.pipedrive.account import ActivityType, read_structure
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema
from dispatch_to_pipedrive.settings import Settings

_FEEDS = (*REFERENCE, "technicians", *CUSTOM_FIELD_DEFINITIONS.values())


@dataclass(frozen=True)
class LiveCheck:
    """What the live catalogues say of a folder of maps.

    `company` is the account's; `source_read` whether the source has been read, so that custom fields and values of
    choices could be compared.
    """

    maps: Maps
    mistakes: list[Mistake]
    company: str
    source_read: bool


def check_live(settings: Settings, directory: Path) -> LiveCheck:
    """Compare the maps of a folder with the account, and with the source as it was last read.

    Raises MapError for maps that are wrong in themselves.
    """
    maps = load_maps(directory)
    ledger = open_ledger(settings)
    try:
        tenant = tenant_catalogue(maps, UPath(settings.data), ledger)
        account, company = asyncio.run(_account(settings, ledger))
    finally:
        ledger.close()
    wrong = check_catalogue(maps, tenant, account, directory)
    return LiveCheck(maps, wrong, company, tenant.custom_fields is not None)


def require_fit(migration: Migration, schema: AccountSchema) -> None:
    """Raise MapError with every place where the run's maps do not fit this account or the source."""
    tenant = tenant_catalogue(migration.maps, migration.data, migration.ledger)
    account = account_catalogue(schema)
    if wrong := check_catalogue(migration.maps, tenant, account, migration.settings.maps):
        raise MapError(wrong)


async def _account(settings: Settings, ledger: Ledger) -> tuple[AccountCatalogue, str]:
    async with reading(ledger, settings, purpose="checking the maps") as session:
        structure = await read_structure(session.client)
        made = made_of(ledger.schema_objects(session.scope.account))
        types = map(ActivityType.model_validate, await session.client.activity_types())
        keys = tuple(one.key_string for one in types if one.active_flag)
        company = ledger.bound_company() or session.scope.account
        return account_catalogue(AccountSchema(structure, made), keys), company


def account_catalogue(schema: AccountSchema, activity_types: tuple[str, ...] = ()) -> AccountCatalogue:
    """An account as the ledger's records show it; without activity types those are not compared."""
    found = account_fields(schema)
    there = {(field.entity, field.code) for field in found}
    gone = [
        AccountField(made.entity, made.key, made.name, "", (), True, made.name)
        for made in schema.made
        if made.kind == "field" and (made.entity, made.key) not in there
    ]
    return AccountCatalogue((*found, *gone), activity_types)


def account_fields(schema: AccountSchema) -> list[AccountField]:
    """Every field that the account has now, and which of them are this program's own."""
    ours = {(made.entity, made.key): made.name for made in schema.made if made.kind == "field"}
    return [
        AccountField(
            entity=entity,
            code=code,
            name=field.field_name,
            field_type=field.field_type,
            options=tuple(option.label for option in field.options or ()),
            custom=field.is_custom_field,
            ours=ours.get((entity, code), ""),
        )
        for entity in ENTITIES
        for code, field in schema.structure.fields.get(entity, {}).items()
    ]


def tenant_catalogue(maps: Maps, data: UPath, ledger: Ledger) -> TenantCatalogue:
    """The source as of its newest generation; without one only the normalized columns are known."""
    columns = columns_of()
    generation = ledger.latest_generation()
    if not generation:
        return TenantCatalogue(columns)
    segments = committed(ledger, generation)
    reference = read_reference(data, segments, generation, _FEEDS)
    values = None
    if (data / "frames" / "features.parquet").exists():
        custom = custom_choices(maps, data, segments, generation)
        values = values_of(maps, features_of(data), reference, custom)
    return TenantCatalogue(columns, _custom_fields(reference), values)


def _custom_fields(reference: Mapping[str, pd.DataFrame]) -> dict[tuple[str, str], dict[str, TenantField]]:
    """The tenant's definitions; technicians have none in the vendor's interface, so theirs are those they bear."""
    named = {feed: reference[name][["name", "data_type"]] for feed, name in CUSTOM_FIELD_DEFINITIONS.items()}
    named["technicians"] = reference["technicians.custom_fields"][["name"]].assign(data_type="")
    fields = {
        feed: {
            folded(name): TenantField(name, "" if pd.isna(kind) else str(kind))
            for name, kind in frame.dropna(subset="name").drop_duplicates().itertuples(index=False)
        }
        for feed, frame in named.items()
    }
    return {
        (entity, column): fields[feed]
        for entity, columns in BEARERS.items()
        for column, (feed, _) in columns.items()
    }
