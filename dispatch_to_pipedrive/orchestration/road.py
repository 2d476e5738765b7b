"""Which function of which room follows which: the road's steps as plain calls, without Dagster.

Assets and the command line both call these; everything that is decided is decided in the rooms below.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.feeds import ROOT_BOUND
from dispatch_to_pipedrive.dispatch_pro.placement import CommittedSegment, read_batch, read_reference
from dispatch_to_pipedrive.mapping import (
    ENTITIES,
    MapError,
    Maps,
    RenderOptions,
    SchemaNeeds,
    apply,
    check_columns,
    custom_fields_read,
    load_maps,
    option_values,
    schema_needs,
)
from dispatch_to_pipedrive.mapping.model import is_custom
from dispatch_to_pipedrive.mapping.needs import bearers_of, follows
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.plan import COMMERCIAL
from dispatch_to_pipedrive.migration.renamed_totals import renamed
from dispatch_to_pipedrive.migration.totals import compare_totals, totals_of_mapped, totals_of_raw
from dispatch_to_pipedrive.migration.values import Manifest
from dispatch_to_pipedrive.normalize import Normalized, NormalizeOptions, normalize
from dispatch_to_pipedrive.normalize.choices import REFERENCE, choices, identities
from dispatch_to_pipedrive.normalize.custom_fields import Read
from dispatch_to_pipedrive.normalize.schemas import kinds
from dispatch_to_pipedrive.normalize.sources import SourceHosts
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema
from dispatch_to_pipedrive.settings import Settings

_CHUNK = 20_000  # roots whose customers are read at once


def committed(ledger: Ledger, generation: int) -> list[CommittedSegment]:
    """The visible segments up to a generation, as the source's room names them."""
    return [CommittedSegment(s.generation, s.feed, s.path) for s in ledger.segments(generation)]


def maps_of(settings: Settings) -> Maps:
    """The maps, checked against the columns that normalizing gives; MapError with every mistake."""
    return checked_maps(settings.maps)


def checked_maps(directory: Path) -> Maps:
    """The maps of a folder, checked like `maps_of`; read again only when one of the files has changed."""
    files = sorted([*directory.glob("*.yaml"), *directory.glob("accepted/*.yaml")])
    return _maps(directory, tuple((str(file), file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=4)
def _maps(directory: Path, _versions: tuple[tuple[str, int], ...]) -> Maps:
    maps = load_maps(directory)
    if mistakes := check_columns(maps, columns_of(), directory):
        raise MapError(mistakes)
    return maps


def columns_of() -> dict[str, dict[str, str]]:
    """Entity → column that normalizing gives → the kind of its values."""
    return {entity: kinds(entity, NormalizeOptions().sites) for entity in ENTITIES}


def with_commercial(
    features: pd.DataFrame, data: UPath, generation: int, sizes: pd.DataFrame
) -> pd.DataFrame:
    """The features, and for every root of the tenant whether it is a commercial customer: forecasts count on it."""
    found = [features]
    everyone = sizes["root"].tolist()
    for start in range(0, len(everyone), _CHUNK):
        roots = everyone[start : start + _CHUNK]
        customers = read_batch(data, generation, roots, ("customers",))["customers"]
        mine = customers[(customers["id"] == customers["root"]).fillna(False)]
        roots_of = mine.loc[mine["type"].str.casefold().eq("commercial").fillna(False), ["root"]]
        found.append(roots_of.assign(feature=COMMERCIAL))
    together = pd.concat(found, ignore_index=True).astype({"root": "Int64", "feature": "string"})
    return together.drop_duplicates(ignore_index=True)


def values_of(
    maps: Maps,
    features: pd.DataFrame,
    reference: Mapping[str, pd.DataFrame],
    custom: Mapping[str, tuple[str, ...]],
) -> dict[tuple[str, str], tuple[str, ...]]:
    """The source values of each field of choices or labels; `custom` are those of custom fields (`custom_choices`)."""
    return option_values(maps, {**choices(features, reference), **custom})


def needs_of(
    maps: Maps,
    features: pd.DataFrame,
    reference: Mapping[str, pd.DataFrame],
    custom: Mapping[str, tuple[str, ...]],
) -> SchemaNeeds:
    """What the account must have before the first record goes there; `custom` as for `values_of`."""
    return schema_needs(maps, values_of(maps, features, reference, custom), identities(reference))


def named_at(
    schema: AccountSchema, maps: Maps, data: UPath, ledger: Ledger, generation: int
) -> AccountSchema:
    """The account's schema, asked by the names that tags, job types and units had at a generation."""
    if not any(follows(field) for entity_map in maps.values() for field in entity_map.fields.values()):
        return schema
    segments = tuple(one for one in committed(ledger, generation) if one.feed in REFERENCE)
    return schema.at_source(bearers_of(maps, _identities(data, segments, generation)))


@lru_cache(maxsize=4)
def _identities(
    data: UPath, segments: tuple[CommittedSegment, ...], generation: int
) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """What bore which name at a generation, which never changes: every step of a run asks it."""
    return identities(read_reference(data, segments, generation, REFERENCE))


def normalized(
    data: UPath, ledger: Ledger, manifest: Manifest, settings: Settings, maps: Maps | None = None
) -> Normalized:
    """A batch's normalized frames as of its generation; with maps, what they read does not count as left behind."""
    generation = manifest.generation_to
    frames = read_batch(data, generation, manifest.roots, ROOT_BOUND)
    reference = read_reference(data, committed(ledger, generation), generation)
    reads = frozenset(Read(*read) for read in custom_fields_read(maps)) if maps is not None else frozenset()
    hosts = SourceHosts(settings.dispatch_pro_api_url, settings.hosts)
    options = NormalizeOptions(reads=reads, hosts=hosts, file_limit=settings.file_limit)
    return normalize(frames, reference, options)


def mapped(maps: Maps, frames: Mapping[str, pd.DataFrame], currency: str) -> dict[str, pd.DataFrame]:
    """The frames in logical form, by entity."""
    return {entity: apply(maps[entity], frames[entity], RenderOptions(currency)) for entity in maps}


def wire_names(schema: AccountSchema, maps: Maps, entity: str) -> list[str]:
    """The names under which the account has the fields that an entity's map fills, as far as they stand there."""
    return [
        schema.field_code(entity, name) if is_custom(name) else name
        for name in maps[entity].fields
        if not is_custom(name) or schema.has_field(entity, name)
    ]


def by_entity(frames: Normalized) -> dict[str, pd.DataFrame]:
    """The four frames by their entity's name."""
    return {entity: getattr(frames, entity) for entity in ENTITIES}


def totals_that_differ(
    data: UPath,
    ledger: Ledger,
    manifest: Manifest,
    logical: Mapping[str, pd.DataFrame],
    maps: Maps,
    settings: Settings,
) -> pd.DataFrame:
    """Totals per root that do not agree with what SQL finds in the raw records, under the maps' names for values."""
    generation = manifest.generation_to
    raw = totals_of_raw(
        data,
        generation,
        committed(ledger, generation),
        manifest.roots,
        file_limit=settings.file_limit,
        hosts=(urlsplit(settings.dispatch_pro_api_url).hostname or "", *settings.hosts),
    )
    return compare_totals(renamed(raw, maps), totals_of_mapped(logical))
