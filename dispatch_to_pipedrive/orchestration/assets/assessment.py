"""What is in the tenant, what will moving it take, what stands in the way? Read only, before people decide."""

import dagster as dg
import pandas as pd

from dispatch_to_pipedrive.dispatch_pro.placement import source_profile as profile_of
from dispatch_to_pipedrive.orchestration.assets.common import FRAMES, SOURCE_POOL, described
from dispatch_to_pipedrive.orchestration.assets.source import placement
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.resources import Migration
from dispatch_to_pipedrive.orchestration.road import committed


@dg.asset(deps=[placement], io_manager_key=FRAMES, pool=SOURCE_POOL, **described("source", "duckdb"))
def source_profile(migration: Migration) -> dg.MaterializeResult[pd.DataFrame]:
    """For each field of the source how many records have it, how many values it has, and the most frequent ones."""
    with plain_words():
        generation = migration.ledger.latest_generation()
        found = profile_of(migration.data, committed(migration.ledger, generation), generation)
    lacking = found[found["value"].isna()]
    return dg.MaterializeResult(
        value=found,
        metadata={
            "generation": generation,
            "feeds": int(found["feed"].nunique()),
            "fields": len(lacking),
            "custom_fields": int(lacking["feed"].str.endswith(".custom_fields").sum()),
        },
    )
