"""Everything read back: one fresh listing, every loaded batch compared, from raw records to the account."""

import asyncio

from upath import UPath

from dispatch_to_pipedrive.migration.errors import MigrationError
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.migration.prepare import read_schema
from dispatch_to_pipedrive.migration.values import Manifest
from dispatch_to_pipedrive.migration.verify import Difference, Verdicts
from dispatch_to_pipedrive.orchestration.homes import home_of
from dispatch_to_pipedrive.orchestration.progress import Listener, Stage, listening
from dispatch_to_pipedrive.orchestration.readback import (
    Means,
    compare_batch,
    take_reading,
    without_repetition,
)
from dispatch_to_pipedrive.orchestration.resources import open_ledger, reading
from dispatch_to_pipedrive.orchestration.road import by_entity, mapped, maps_of, normalized
from dispatch_to_pipedrive.reports.status import STAGES
from dispatch_to_pipedrive.settings import Settings


def verify_all(settings: Settings, listener: Listener) -> Verdicts:
    """The verdicts on every batch that was loaded; what is quarantined is a difference, too.

    Raises MigrationError if nothing was loaded yet.
    """
    ledger = open_ledger(settings)
    try:
        scope = ledger.bound_scope() or asyncio.run(_met(ledger, settings))
        reports = ledger.batch_reports(scope.account)
        loaded = [m for m in ledger.manifests() if all((m.key, stage) in reports for stage in STAGES)]
        if not loaded:
            raise MigrationError("nothing to verify: no batch has been loaded yet, see `status`")
        with listening(listener):
            return asyncio.run(_verify(ledger, settings, without_repetition(loaded)))
    finally:
        ledger.close()


async def _met(ledger: Ledger, settings: Settings) -> Scope:
    """The account behind a token that the ledger has not seen yet."""
    async with reading(ledger, settings, purpose="verify") as session:
        return session.scope


async def _verify(ledger: Ledger, settings: Settings, manifests: list[Manifest]) -> Verdicts:
    data, maps = UPath(settings.data), maps_of(settings)
    async with reading(ledger, settings, purpose="verify") as session:
        schema = await read_schema(session)
        Stage("", "listing")(0, None)
        found = await take_reading(
            session, schema, home_of(settings, ledger), settings.file_readback, fresh=True
        )
        means = Means(session, schema, maps, data, settings)
        currency = settings.migration_currency or session.default_currency
        verdicts: list[Verdicts] = []
        for manifest in manifests:
            stage = Stage(manifest.key, "verify")
            stage(0, manifest.records)
            frames = by_entity(normalized(data, ledger, manifest, settings))
            logical = mapped(maps, frames, currency)
            verdicts.append(await compare_batch(means, manifest, logical, found))
            stage(manifest.records, manifest.records)
        merged = Verdicts().merged(verdicts)
        aside = ledger.quarantined(session.scope)
    merged.differences += [
        Difference(q.entity, q.source_key, None, "", "", q.words, "quarantined") for q in aside
    ]
    return merged
