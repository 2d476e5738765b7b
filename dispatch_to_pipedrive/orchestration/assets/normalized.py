"""A batch's records as the destination thinks of them: organizations, persons, deals, activities, files, notes."""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from dispatch_to_pipedrive.normalize import NormalizeOptions
from dispatch_to_pipedrive.normalize.schemas import SCHEMAS, columns
from dispatch_to_pipedrive.orchestration.assets.common import ENTITIES, FRAMES, described
from dispatch_to_pipedrive.orchestration.assets.source import batches, placement
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.partitions import BATCHES
from dispatch_to_pipedrive.orchestration.present import keep_sample
from dispatch_to_pipedrive.orchestration.progress import Stage
from dispatch_to_pipedrive.orchestration.resources import Migration
from dispatch_to_pipedrive.orchestration.road import by_entity, normalized

NOT_CARRIED = "not_carried"
_WHAT = {
    "organizations": "Commercial customers, their sites folded into addresses.",
    "persons": "One person for each customer, one more for each site with a contact of its own.",
    "deals": "Jobs, joined with type, status, invoices and payments.",
    "activities": "Appointments, with assignments and timesheets; calls and e-mails.",
    "files": "Attachments of jobs, and the images that notes and summaries show.",
    "notes": "Notes of jobs, customers and sites, split where they are too long.",
    NOT_CARRIED: "What of the source lands nowhere, each with its reason.",
}


def _out(name: str) -> dg.AssetOut:
    metadata = {}
    if name in SCHEMAS:
        wanted = columns(name, NormalizeOptions().sites)
        types = [dg.TableColumn(str(key), str(column.dtype)) for key, column in wanted.items()]
        metadata = {"dagster/column_schema": dg.TableSchema(columns=types)}
    return dg.AssetOut(
        key=["normalized", name],
        description=_WHAT[name],
        io_manager_key=FRAMES,
        metadata=metadata,
        **described("normalized", "pandas", "parquet"),
    )


@dg.multi_asset(
    name="normalized",
    outs={name: _out(name) for name in (*ENTITIES, NOT_CARRIED)},
    deps=[placement, batches],
    partitions_def=BATCHES,
)
def normalized_frames(
    context: dg.AssetExecutionContext, migration: Migration
) -> Iterator[dg.Output[pd.DataFrame]]:
    """Split customers, fold sites, join jobs, for the roots of one batch as of its generation."""
    stage = Stage(context.partition_key, "normalize")
    stage(0, None)
    with plain_words():
        manifest = migration.ledger.manifest(context.partition_key)
        found = normalized(migration.data, migration.ledger, manifest, migration.settings, migration.maps)
    made = by_entity(found)
    if manifest.kind == "sample":
        keep_sample(migration, manifest, made)
    frames = {**made, NOT_CARRIED: found.not_carried}
    records = sum(len(frames[entity]) for entity in ENTITIES)
    stage(records, records)
    for name, frame in frames.items():
        metadata: dict[str, dg.RawMetadataValue] = {"generation": manifest.generation_to}
        if name == NOT_CARRIED:
            counts = frame.groupby(["feed", "reason"], observed=True).size().sort_values(ascending=False)
            metadata["reasons"] = len(counts)
            top = counts.head(20).reset_index(name="records")
            names = top["feed"].astype(str) + ": " + top["reason"].astype(str)
            metadata["by_reason"] = dict(zip(names, top["records"].astype(int).tolist(), strict=True))
        yield dg.Output(frame, output_name=name, metadata=metadata)
