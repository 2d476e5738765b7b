"""How much is there to move? Records by entity, bytes of files, parents to ask, and what the account must be given."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from dispatch_to_pipedrive.mapping.model import Maps
from dispatch_to_pipedrive.migration.file_bytes import stratum_of

_CLOSED = "won or lost deal"
_BECOMES: Mapping[str, tuple[str, ...]] = {
    "organization and person": ("organizations", "persons"),
    "person": ("persons",),
    "open deal": ("deals",),
    _CLOSED: ("deals",),
    "activity": ("activities",),
    "file": ("files",),
    "note": ("notes",),
}
"""What a profile says that records are carried as, or bring besides → the entities that get one record for each."""
_KNOWN = "known"
_SIZES = {
    "empty": 0,
    "up to 1 MB": 1,
    "1 to 5 MB": 5_000_000,
    "5 to 25 MB": 25_000_000,
    "above 25 MB": 25_000_001,
}
"""What a profile calls the size of a file → bytes of such a one; most of those that are not known are small."""
_PARENTS = ("jobs", "customers", "locations")
"""Whose files and notes the source lists for one parent at a time."""


@dataclass(frozen=True)
class Volume:
    """How many records are to be made; `closed_deals` of the deals are won or lost already.

    parents: records of the source that are asked one by one for their files or notes. file_bytes: of the files whose
    size is known. file_kinds: stratum (see `file_bytes`) → files, of those whose names are known.
    """

    organizations: int
    persons: int
    deals: int
    closed_deals: int
    activities: int
    files: int = 0
    notes: int = 0
    parents: int = 0
    file_bytes: int = 0
    file_kinds: Mapping[str, int] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """All of them."""
        return sum(self.by_entity().values())

    @property
    def open_deals(self) -> int:
        """Deals that a plan's cap counts."""
        return self.deals - self.closed_deals

    def by_entity(self) -> dict[str, int]:
        """Entity → records, in the order of loading."""
        return {
            "organizations": self.organizations,
            "persons": self.persons,
            "deals": self.deals,
            "activities": self.activities,
            "files": self.files,
            "notes": self.notes,
        }


@dataclass(frozen=True)
class SchemaSize:
    """What the account must be given before the first record: custom fields, stages, and labels of so many entities."""

    custom_fields: int
    stages: int
    label_lists: int


def volume_of(profile: pd.DataFrame) -> Volume:
    """The records that a tenant's profile (feed, field, value, count, records, …) will become."""
    made: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    closed = size = 0
    told = profile[profile["field"].isin(["carried_as", "brings", "bytes", "kind"])]
    rows = told.loc[told["value"].notna(), ["field", "value", "count"]]
    for name, value, count in rows.itertuples(index=False):
        if name == "bytes":
            size += int(count) if value == _KNOWN else 0
        elif name == "kind":
            ending, _, of_size = str(value).rpartition(", ")
            kinds[stratum_of({"name": f"file.{ending}", "size": _SIZES.get(of_size, 1)})] += int(count)
        else:
            made.update(dict.fromkeys(_BECOMES[str(value)], int(count)))
            closed += int(count) if value == _CLOSED else 0
    asked = told[told["feed"].isin(_PARENTS) & (told["field"] == "carried_as")]
    return Volume(
        **{entity: made[entity] for entity in ("organizations", "persons", "deals", "activities")},
        files=made["files"],
        notes=made["notes"],
        closed_deals=closed,
        parents=int(asked.drop_duplicates("feed")["records"].sum()),
        file_bytes=size,
        file_kinds=dict(kinds),
    )


def schema_size(maps: Maps) -> SchemaSize:
    """What the maps need of an account, however many options their fields have."""
    pipelines = [entity_map.pipeline for entity_map in maps.values() if entity_map.pipeline is not None]
    return SchemaSize(
        custom_fields=sum(len(entity_map.custom_fields()) for entity_map in maps.values()),
        stages=sum(len(pipeline.stages) for pipeline in pipelines),
        label_lists=sum(
            any(f.type == "labels" for f in entity_map.fields.values()) for entity_map in maps.values()
        ),
    )
