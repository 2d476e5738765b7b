"""May the batch be written? The gates' face; the engine asks the same question before its first write."""

import asyncio

import dagster as dg
import pandas as pd

from dispatch_to_pipedrive.migration.clearance import Gate, gates
from dispatch_to_pipedrive.migration.values import Manifest
from dispatch_to_pipedrive.orchestration.assets.common import ENTITIES, FRAMES, described
from dispatch_to_pipedrive.orchestration.assets.owners import technician_owners
from dispatch_to_pipedrive.orchestration.assets.schema import pipedrive_schema
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.partitions import BATCHES
from dispatch_to_pipedrive.orchestration.present import present
from dispatch_to_pipedrive.orchestration.resources import Migration, reading


@dg.asset(
    deps=[
        pipedrive_schema,
        technician_owners,
        *(dg.AssetKey(["normalized", entity]) for entity in ENTITIES),
    ],
    partitions_def=BATCHES,
    io_manager_key=FRAMES,
    **described("clearance", "sql"),
)
def clearance(context: dg.AssetExecutionContext, migration: Migration) -> dg.MaterializeResult[pd.DataFrame]:
    """One row a gate: map confirmed, schema in place, owners decided, sample approved, budget sufficient."""
    with plain_words():
        manifest = migration.ledger.manifest(context.partition_key)
        found = asyncio.run(_ask(migration, manifest))
    frame = pd.DataFrame(found, columns=list(Gate._fields)).astype({"name": "string", "words": "string"})
    return dg.MaterializeResult(
        value=frame,
        metadata={
            "open_gates": sum(gate.passed for gate in found),
            "closed_gates": sum(not gate.passed for gate in found),
            "forecast_records": manifest.records,
            "forecast_tokens": manifest.tokens,
            "gates": dg.MetadataValue.table(
                [
                    dg.TableRecord({"gate": gate.name, "open": gate.passed, "words": gate.words})
                    for gate in found
                ]
            ),
        },
    )


async def _ask(migration: Migration, manifest: Manifest) -> tuple[Gate, ...]:
    async with reading(migration.ledger, migration.settings, purpose=f"clear {manifest.key}") as session:
        return gates(migration.ledger, manifest, await present(migration, session))
