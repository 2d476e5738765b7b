"""Which values do the tenant's custom fields have, where a map makes options of them?

Every record of the tenant is looked at, since one value without an option would stop a load; without such a map nothing
is read, and a process reads a generation once.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.placement import (
    CommittedSegment,
    read_batch,
    read_reference,
    root_sizes,
)
from dispatch_to_pipedrive.mapping import Maps
from dispatch_to_pipedrive.mapping.reads import custom_field_of
from dispatch_to_pipedrive.normalize.custom_fields import BEARERS, filled

_TECHNICIANS = "technicians"
_CHUNK = 5_000  # roots whose records are read at once


def custom_choices(
    maps: Maps, data: UPath, segments: Iterable[CommittedSegment], generation: int
) -> dict[str, tuple[str, ...]]:
    """`deals.custom_fields.permit needed` → every value of that custom field as of a generation, sorted.

    Only for custom fields of which a map makes options. Raises PlacementMissing.
    """
    wanted = {
        f"{entity}.{column}.{name}": (BEARERS[entity][column][0], name)
        for entity, entity_map in maps.items()
        for field in entity_map.fields.values()
        if field.type in ("option", "options") and (name := custom_field_of(field)) is not None
        for column in field.sources
    }
    found = _values(data, tuple(segments), generation, frozenset(wanted.values())) if wanted else {}
    return {key: found[of] for key, of in wanted.items()}


@lru_cache(maxsize=4)
def _values(
    data: UPath,
    segments: tuple[CommittedSegment, ...],
    generation: int,
    wanted: frozenset[tuple[str, str]],
) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """(source feed, folded name) → values."""
    values: dict[tuple[str, str], set[str]] = {key: set() for key in wanted}

    def note(feed: str, frame: pd.DataFrame) -> None:
        fields = filled(frame)
        for of, name in wanted:
            if of == feed:
                text = fields.loc[fields["key"] == name, "value"].astype("string").str.strip()
                values[of, name].update(text.unique())

    feeds = sorted({feed for feed, _ in wanted} - {_TECHNICIANS})
    roots = root_sizes(data, generation)["root"].tolist() if feeds else []
    for start in range(0, len(roots), _CHUNK):
        frames = read_batch(data, generation, roots[start : start + _CHUNK], feeds)
        for feed in feeds:
            note(feed, frames[f"{feed}.custom_fields"])
    if any(feed == _TECHNICIANS for feed, _ in wanted):
        frames = read_reference(data, segments, generation, (_TECHNICIANS,))
        note(_TECHNICIANS, frames[f"{_TECHNICIANS}.custom_fields"])
    return {key: tuple(sorted(found)) for key, found in values.items()}
