"""The written account of what cannot move: inventory, reference data, and what people rebuild by hand."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pandas as pd
import pyarrow.parquet as pq

from dispatch_to_pipedrive.dispatch_pro.feeds import REFERENCE
from dispatch_to_pipedrive.dispatch_pro.placement.seen import fields_seen
from dispatch_to_pipedrive.dispatch_pro.placement.tally import count_reference
from dispatch_to_pipedrive.mapping.model import folded
from dispatch_to_pipedrive.mapping.proposal import read_proposals
from dispatch_to_pipedrive.migration import inventory as accounts
from dispatch_to_pipedrive.migration.checklist import (
    checklist,
    not_on_the_list,
    owners_before_and_after,
    sections,
)
from dispatch_to_pipedrive.migration.reference_data import by_disposition, reference_of
from dispatch_to_pipedrive.migration.reference_tables import (
    PRIORITIES,
    TABLES,
    fields_exported,
    priority_rows,
    titles,
)
from dispatch_to_pipedrive.normalize.lineage import OWNERS, RECORDS
from dispatch_to_pipedrive.orchestration.assets.common import FRAMES, SOURCE_POOL, described
from dispatch_to_pipedrive.orchestration.assets.proposal import mapping_proposal
from dispatch_to_pipedrive.orchestration.assets.source import RAW_KEYS
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.reference import (
    bucket_options,
    jobs_held,
    lineages,
    rows_of_reference,
    shapes,
)
from dispatch_to_pipedrive.orchestration.resources import Migration
from dispatch_to_pipedrive.orchestration.road import committed
from dispatch_to_pipedrive.reports.checklist import write_checklist
from dispatch_to_pipedrive.reports.inventory import write_inventory
from dispatch_to_pipedrive.reports.reference import write_reference
from dispatch_to_pipedrive.settings import Settings

SHOWN = 20
"""Rows of a table in the UI; the rest is in the files."""


def _folder(settings: Settings, name: str) -> Path:
    return settings.home / "reports" / name


@dg.asset(
    deps=[RAW_KEYS[feed] for feed in REFERENCE],
    io_manager_key=FRAMES,
    pool=SOURCE_POOL,
    **described("preparation", "pandas", "parquet"),
)
def reference_data(migration: Migration, source_profile: pd.DataFrame) -> dg.MaterializeResult[pd.DataFrame]:
    """Job types, priorities, zones, shifts and all else that is configured, as tables; each row with its disposition.

    The frame holds what the rules ask for of which row. Pay rates and other private data of technicians are left out.
    """
    with plain_words():
        generation = migration.ledger.latest_generation()
        rows = rows_of_reference(migration.data, committed(migration.ledger, generation), generation)
        priorities = priority_rows(source_profile, bucket_options(rows))
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        found = reference_of(rows, priorities, migration.maps, now)
        tenant = migration.settings.dispatch_pro_tenant_id
        page = write_reference(
            _folder(migration.settings, "reference"), found.tables, titles(), tenant, generation
        )
    return dg.MaterializeResult(
        value=found.hits,
        metadata={
            "generation": generation,
            "tables": len(found.tables),
            **{name.replace(" ", "_"): count for name, count in by_disposition(found.tables).items()},
            **{f"rows_of_{name}": len(frame) for name, frame in found.tables.items()},
            "page": dg.MetadataValue.path(str(page)),
        },
    )


@dg.asset_check(asset=reference_data)
def rows_equal_the_source(migration: Migration) -> dg.AssetCheckResult:
    """Every table on the disk has as many rows as the raw segments have ids, and each row has a disposition."""
    generation = migration.ledger.latest_generation()
    counts = count_reference(migration.data, committed(migration.ledger, generation), generation)
    wanted = {table.name: counts.get(table.name, 0) for table in TABLES}
    wrong = rows_that_differ(_folder(migration.settings, "reference"), wanted)
    return dg.AssetCheckResult(
        passed=not wrong,
        description="; ".join(wrong) or "every table has as many rows as the source, each with a disposition",
        metadata={"rows": sum(wanted.values()), "tables_that_differ": len(wrong)},
    )


def rows_that_differ(folder: Path, wanted: Mapping[str, int]) -> list[str]:
    """What is wrong with the tables on the disk, in words; wanted: table → rows in the source."""
    wrong = []
    for name in (*wanted, PRIORITIES):
        told = pq.read_table(folder / f"{name}.parquet", columns=["disposition"])["disposition"].to_pylist()
        if len(told) != wanted.get(name, len(told)):
            wrong.append(f"{name}: {len(told)} rows, {wanted[name]} in the source")
        if lacking := sum(not one for one in told):
            wrong.append(f"{name}: {lacking} rows without a disposition")
    return wrong


@dg.asset(
    deps=[mapping_proposal],
    io_manager_key=FRAMES,
    pool=SOURCE_POOL,
    **described("preparation", "duckdb", "pandas"),
)
def inventory(migration: Migration, source_profile: pd.DataFrame) -> dg.MaterializeResult[pd.DataFrame]:
    """Every object and field of the source: moved through which field of the map, kept as reference, or why not."""
    with plain_words():
        generation = migration.ledger.latest_generation()
        segments = committed(migration.ledger, generation)
        values, choosers = lineages()
        given = accounts.Sources(
            fields=shapes(),
            seen=fields_seen(migration.data, segments, generation),
            profile=source_profile,
            values=values,
            choosers=choosers,
            decides=RECORDS,
            owners=OWNERS,
            exported=fields_exported(),
            proposed=_proposed(migration.settings),
        )
        found = accounts.inventory(given, migration.maps)
        counts = accounts.counts_of(found)
        page = write_inventory(
            _folder(migration.settings, "inventory"),
            found,
            migration.settings.dispatch_pro_tenant_id,
            generation,
            counts,
        )
    return dg.MaterializeResult(
        value=found,
        metadata={
            "generation": generation,
            **{state.replace(" ", "_"): count for state, count in counts.items()},
            "custom_fields": int((found["kind"] == accounts.CUSTOM).sum()),
            "page": dg.MetadataValue.path(str(page)),
        },
    )


def _proposed(settings: Settings) -> Mapping[tuple[str, str], str]:
    """(feed of custom fields, folded name) → what stands in `proposed/` for it."""
    return {
        (entry.feed, folded(entry.name)): f"{entry.verdict} in proposed/{entity}.yaml"
        for entity, standing in read_proposals(settings.maps).items()
        for entry in standing.content.proposals
        if entry.kind == "field"
    }


@dg.asset_check(asset=inventory)
def every_source_field_is_accounted_for(inventory: pd.DataFrame) -> dg.AssetCheckResult:
    """No field of the source is without a place in the map, a table or a stated reason."""
    lost = accounts.unaccounted(inventory)
    words = f"{len(lost)} fields: {', '.join(lost[:SHOWN])}" + (", …" if len(lost) > SHOWN else "")
    return dg.AssetCheckResult(
        passed=not lost,
        description=words
        if lost
        else "every field is moved, kept as reference, or stays for a stated reason",
        metadata={"unaccounted": len(lost)},
    )


@dg.asset(io_manager_key=FRAMES, pool=SOURCE_POOL, **described("preparation", "pandas"))
def rebuild_checklist(
    migration: Migration,
    source_profile: pd.DataFrame,
    reference_data: pd.DataFrame,
    technician_owners: pd.DataFrame,
) -> dg.MaterializeResult[pd.DataFrame]:
    """What people build by hand in Pipedrive, as a page to tick through; with the owners before and after."""
    with plain_words():
        generation = migration.ledger.latest_generation()
        items = checklist(reference_data, source_profile)
        held = jobs_held(migration.data, committed(migration.ledger, generation), generation)
        owners = owners_before_and_after(held, technician_owners)
        tenant = migration.settings.dispatch_pro_tenant_id
        page = write_checklist(
            _folder(migration.settings, "checklist"), sections(items), owners, tenant, generation
        )
    return dg.MaterializeResult(
        value=items,
        metadata={
            "generation": generation,
            "items": len(items),
            **{name.replace(" ", "_").lower(): len(rows) for name, rows in sections(items)},
            "jobs_without_an_owner": int(owners.loc[owners["owner"] == "", "jobs"].sum()),
            "page": dg.MetadataValue.path(str(page)),
        },
    )


@dg.asset_check(
    asset=rebuild_checklist, additional_ins={"reference_data": dg.AssetIn(key=reference_data.key)}
)
def whatever_asks_for_work_is_on_the_list(
    rebuild_checklist: pd.DataFrame, reference_data: pd.DataFrame
) -> dg.AssetCheckResult:
    """Every row of the reference data that asks for an automation or a step by hand stands behind an item."""
    lacking = not_on_the_list(reference_data, rebuild_checklist)
    return dg.AssetCheckResult(
        passed=lacking == 0 and not rebuild_checklist["key"].duplicated().any(),
        description=f"{lacking} rows ask for work and are on no list"
        if lacking
        else "everything is on the list",
        metadata={"items": len(rebuild_checklist), "rows_not_on_the_list": lacking},
    )


checks = [rows_equal_the_source, every_source_field_is_accounted_for, whatever_asks_for_work_is_on_the_list]
