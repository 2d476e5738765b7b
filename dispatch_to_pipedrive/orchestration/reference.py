"""What do the assets of the written account need of the source? Records by path, lineage, and who holds the jobs.

Everything is read as of the newest generation; the rooms below decide what it means.
"""

from collections.abc import Mapping
from functools import lru_cache

import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.feeds import REFERENCE
from dispatch_to_pipedrive.dispatch_pro.paths import fields_of, rows_by_path
from dispatch_to_pipedrive.dispatch_pro.placement import (
    CommittedSegment,
    read_batch,
    read_reference,
    root_sizes,
)
from dispatch_to_pipedrive.dispatch_pro.shapes import SHAPES
from dispatch_to_pipedrive.mapping.destinations import PRIORITY_FIELD
from dispatch_to_pipedrive.mapping.model import folded
from dispatch_to_pipedrive.normalize import NormalizeOptions
from dispatch_to_pipedrive.normalize.lineage import lineage
from dispatch_to_pipedrive.normalize.schemas import SCHEMAS, columns
from dispatch_to_pipedrive.normalize.technicians import crew, last_assigned

_HOLDING = ("jobs", "appointments", "appointment_assignments")
_CHUNK = 5_000  # roots whose records are read at once


def rows_of_reference(
    data: UPath, segments: list[CommittedSegment], generation: int
) -> dict[str, pd.DataFrame]:
    """Feed → its records, one row each, a column a field under its path."""
    frames = read_reference(data, segments, generation, REFERENCE)
    return {feed: rows_by_path(feed, frames) for feed in REFERENCE}


def bucket_options(rows: Mapping[str, pd.DataFrame]) -> list[str]:
    """The options of the custom field that holds the priority bucket, in the order of its definition."""
    defined = rows["job_custom_field_types"]
    mine = defined[defined["name"].fillna("").map(folded) == folded(PRIORITY_FIELD)]
    return [
        option for options in mine["dataTypeOptions[]"] if isinstance(options, list) for option in options
    ]


def jobs_held(data: UPath, segments: list[CommittedSegment], generation: int) -> pd.DataFrame:
    """technician_id (0: nobody), jobs, by_dispatch_pro: whose the jobs are, by the rule of the deals' owner.

    by_dispatch_pro is missing where no job says whether Dispatch Pro dispatched it.
    """
    staff = read_reference(data, segments, generation, ("technicians",))
    roots = root_sizes(data, generation)["root"].tolist()
    found = [pd.DataFrame({"technician_id": [], "auto": []})]
    for start in range(0, len(roots), _CHUNK):
        frames = read_batch(data, generation, roots[start : start + _CHUNK], _HOLDING)
        jobs, visits = (_active(frames[name]) for name in ("jobs", "appointments"))
        assigned = crew(frames, staff, visits)
        sold_by = jobs["sold_by_id"].where(jobs["sold_by_id"] != 0)
        held = last_assigned(assigned, "job_id", jobs["id"]).fillna(sold_by).fillna(0)
        found.append(pd.DataFrame({"technician_id": held, "auto": jobs["is_auto_dispatched"]}))
    together = pd.concat([part.astype("Int64") for part in found], ignore_index=True)
    by_technician = together.groupby("technician_id")["auto"]
    counted = pd.DataFrame({"jobs": by_technician.size(), "by_dispatch_pro": by_technician.sum(min_count=1)})
    return counted.reset_index().astype("Int64")


def _active(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["active"].fillna(True).astype(bool)].reset_index(drop=True)


def shapes() -> dict[str, tuple[str, ...]]:
    """Feed → every path that its shape names."""
    return {feed: tuple(fields_of(feed)) for feed in SHAPES}


@lru_cache(maxsize=1)
def lineages() -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, tuple[str, ...]]]:
    """Normalized column (`deals.job_type`) → the fields whose values land in it, and → those that decide which."""
    found = {
        f"{entity}.{column}": source
        for entity in SCHEMAS
        for column, source in lineage(entity, columns(entity, NormalizeOptions().sites)).items()
    }
    values = {column: source.fields for column, source in found.items()}
    return values, {column: source.by for column, source in found.items()}


def origins() -> dict[str, tuple[str, str]]:
    """Normalized column → where the value that lands in it first stands in the profile: feed and field."""
    found = {}
    for column, fields in lineages()[0].items():
        if fields:
            feed, _, path = fields[0].partition(".")
            place = fields_of(feed)[path]
            found[column] = (place.frame, place.column)
    return found
