"""How do things stand now, as the gates ask it? Maps, owner file, account and code, brought together once a run."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.placement import newest_placed, read_reference
from dispatch_to_pipedrive.mapping import EntityMap, FieldMap, OptionCollision, SchemaNeeds, UnmappedValues
from dispatch_to_pipedrive.mapping.meaning import digest, meaning
from dispatch_to_pipedrive.mapping.proposal import read_proposals
from dispatch_to_pipedrive.migration.approval import CannotRender, Rendering, render
from dispatch_to_pipedrive.migration.clearance import Present
from dispatch_to_pipedrive.migration.decisions import FILE, Decisions, read_decisions
from dispatch_to_pipedrive.migration.drift import Drift, drift, options_needed
from dispatch_to_pipedrive.migration.prepare import steps_of
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.values import Manifest
from dispatch_to_pipedrive.normalize.choices import REFERENCE
from dispatch_to_pipedrive.orchestration.choices import custom_choices
from dispatch_to_pipedrive.orchestration.io_managers import from_parquet
from dispatch_to_pipedrive.orchestration.resources import Migration
from dispatch_to_pipedrive.orchestration.road import (
    by_entity,
    committed,
    mapped,
    maps_of,
    named_at,
    needs_of,
    normalized,
)
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema, SchemaChanged
from dispatch_to_pipedrive.settings import Settings


def decisions_of(settings: Settings) -> Decisions:
    """The owner file beside the maps; WrongDecisions with every mistake."""
    return read_decisions(settings.maps / FILE)


def open_proposals(settings: Settings) -> list[str]:
    """The ids of the proposals that nobody has taken into the map."""
    maps = maps_of(settings)
    return [
        entry.id
        for entity, standing in read_proposals(settings.maps).items()
        for entry in standing.content.proposals
        if not any(_taken(maps[entity], candidate.fields, candidate.values) for candidate in entry.candidates)
    ]


def _taken(
    entity_map: EntityMap, fields: Mapping[str, FieldMap], values: Mapping[str, Mapping[str, Any]]
) -> bool:
    """Whether all that a candidate would add stands in the map."""
    known = [entity_map.fields.get(name) == field_map for name, field_map in fields.items()]
    for name, rows in values.items():
        field_map = entity_map.fields.get(name)
        table = (field_map.value_map if field_map else None) or {}
        known += [value in table and table[value] == made for value, made in rows.items()]
    return bool(known) and all(known)


async def present(migration: Migration, session: Session) -> Present:
    """What the gates need to know, with the account's schema as it is now (40 tokens, once a run)."""
    schema, trouble = None, ""
    try:
        schema = await migration.account_schema(session)
    except SchemaChanged as changed:
        trouble = str(changed)
    return Present(
        maps=migration.maps,
        decisions=decisions_of(migration.settings).digest,
        schema=schema,
        render=lambda: migration.rendering(lambda: sample_rendering(migration, session, schema, trouble)),
        missing=lambda: missing_schema(migration, schema),
        drifts=lambda: drifts_of(migration, session, schema),
        tokens_per_day=migration.tokens_per_day,
        tokens_left=session.client.budget.available,
        trouble=trouble,
    )


def sample_manifest(migration: Migration) -> Manifest:
    """The sample; CannotRender where none is planned."""
    found = next((m for m in migration.ledger.manifests() if m.kind == "sample"), None)
    if found is None:
        raise CannotRender("no sample is planned: materialize `batches` (job `plan_batches`)")
    return found


def sample_rendering(
    migration: Migration, session: Session, schema: AccountSchema | None, trouble: str = ""
) -> Rendering:
    """The sample's payloads as they would be now, its roots normalized again from raw; CannotRender where not."""
    manifest = sample_manifest(migration)
    if schema is None:
        raise CannotRender(trouble)
    logical = _sample_as_mapped(migration, session, manifest)
    owners = migration.ledger.owners(session.scope.account)
    then = named_at(schema, migration.maps, migration.data, migration.ledger, manifest.generation_to)
    return render(migration.maps, logical, then, owners, manifest.generation_to)


_frames: dict[tuple[str, Manifest], Mapping[str, pd.DataFrame]] = {}
_logical: dict[tuple[str, Manifest, str, str], Mapping[str, pd.DataFrame]] = {}
"""The sample's frames: a process has one code, a generation one content and a map one meaning, so once is enough."""


def keep_sample(migration: Migration, manifest: Manifest, frames: Mapping[str, pd.DataFrame]) -> None:
    """Keep the sample's frames that this process has made from raw, for whoever asks for its rendering."""
    _frames.clear()
    _frames[str(migration.data), manifest] = frames


def _sample_as_mapped(
    migration: Migration, session: Session, manifest: Manifest
) -> Mapping[str, pd.DataFrame]:
    where, currency = str(migration.data), migration.currency(session)
    key = (where, manifest, digest(meaning(migration.maps)), currency)
    if key not in _logical:
        if (where, manifest) not in _frames:
            found = normalized(migration.data, migration.ledger, manifest, migration.settings)
            keep_sample(migration, manifest, by_entity(found))
        try:
            logical = mapped(migration.maps, _frames[where, manifest], currency)
        except (UnmappedValues, OptionCollision) as error:
            raise CannotRender(str(error)) from None
        _logical.clear()
        _logical[key] = logical
    return _logical[key]


def missing_schema(migration: Migration, schema: AccountSchema | None) -> Sequence[str]:
    """What the maps ask for and the account lacks: `field Gate_Code__c of deals`."""
    if schema is None:
        return ()
    needs = needs_now(migration)
    return [
        f"{step.kind} {step.name} of {step.entity}" + (f" ({', '.join(step.labels)})" if step.labels else "")
        for step in steps_of(schema, needs)
        if step.kind != "rename"  # the source asks for that, not the maps
    ]


def drifts_of(migration: Migration, session: Session, schema: AccountSchema | None) -> Sequence[Drift]:
    """What people changed in the account's schema since it was made."""
    if schema is None:
        return ()
    recorded = migration.ledger.schema_objects(session.scope.account)
    found = drift(recorded, schema.structure)
    if any(one.blocks for one in found):  # only then does it matter which options records still need
        return drift(recorded, schema.structure, options_needed(needs_now(migration)))
    return found


def needs_now(migration: Migration, features: pd.DataFrame | None = None) -> SchemaNeeds:
    """What the account must have by the source's newest generation; `features` as their asset left them."""
    ledger = migration.ledger
    generation = ledger.latest_generation()
    segments = committed(ledger, generation)
    reference = read_reference(migration.data, segments, generation, REFERENCE)
    placed = newest_placed(migration.data, generation) or generation
    custom = custom_choices(migration.maps, migration.data, segments, placed)
    known = features_of(migration.data) if features is None else features
    return needs_of(migration.maps, known, reference, custom)


def features_of(data: UPath) -> pd.DataFrame:
    """The tenant's features as their asset left them."""
    return from_parquet((data / "frames" / "features.parquet").read_bytes())
