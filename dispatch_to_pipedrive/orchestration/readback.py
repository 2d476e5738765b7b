"""Reading back: one listing of the account serves every batch that was loaded before it.

For a delta the records of its customers alone are read, where that costs less. Only a whole listing is swept for
strays.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.mapping import Maps
from dispatch_to_pipedrive.migration import faults
from dispatch_to_pipedrive.migration.capabilities import not_taken
from dispatch_to_pipedrive.migration.diff import Sides, field_diff
from dispatch_to_pipedrive.migration.editors import put_on_record
from dispatch_to_pipedrive.migration.file_bytes import read_bytes
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.listing import (
    Listing,
    excerpt_tokens,
    listing_tokens,
    take_excerpt,
    take_listing,
)
from dispatch_to_pipedrive.migration.owners import decided, emails_of
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.strays import stray_sweep
from dispatch_to_pipedrive.migration.values import Manifest
from dispatch_to_pipedrive.migration.verify import (
    Difference,
    Expectation,
    Verdicts,
    verify_batch,
)
from dispatch_to_pipedrive.orchestration.road import named_at, totals_that_differ
from dispatch_to_pipedrive.pipedrive.account import User
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema
from dispatch_to_pipedrive.settings import Settings

_INDEX = "listing.json"
_KEPT = 3_600
"""Seconds that a listing is kept."""


@dataclass(frozen=True)
class Reading:
    """A listing, when it was begun, and what in it should not be there or has other bytes than were sent.

    files_read: files whose bytes were read back for it. whole: without it, only some records were read, which says
    nothing of strays.
    """

    listing: Listing
    began: str
    strays: Verdicts
    files_read: int = 0
    whole: bool = True


@dataclass(frozen=True)
class Means:
    """What comparing a batch needs besides its frames."""

    session: Session
    schema: AccountSchema
    maps: Maps
    data: UPath
    settings: Settings


def kept_reading(
    ledger: Ledger, home: Path, file_readback: float = 0.0, *, begun_after: str = ""
) -> Reading | None:
    """The newest reading, if nothing was written to the account since it began, and it began late enough.

    file_readback: it must have read back no smaller share of files.
    """
    for folder in sorted((home / "listings").glob("*/"), reverse=True):
        if not (folder / _INDEX).is_file():
            continue
        index = orjson.loads((folder / _INDEX).read_bytes())
        if not index["whole"]:
            continue
        stale = index["head"] != ledger.chain_head() or index["began"] < begun_after
        if stale or index.get("file_readback", 0.0) < file_readback:
            return None
        strays = Verdicts()
        strays.differences = [Difference(*row) for row in index["strays"]]
        strays.records.update(one.verdict for one in strays.differences)
        return Reading(Listing(folder), index["began"], strays, index["files_read"])
    return None


async def take_reading(
    session: Session, schema: AccountSchema, home: Path, file_readback: float = 0.0, *, fresh: bool = False
) -> Reading:
    """List the account once, sweep it for strays, read bytes of files back, and keep it all; old listings go.

    file_readback: the share of files (see `read_bytes`); `fresh` reads again what was found equal before.
    """
    folder = home / "listings"
    began = datetime.now(UTC).isoformat(timespec="microseconds")
    head = session.ledger.chain_head()
    target = folder / began.replace(":", "")
    listing = await take_listing(session, schema, target)
    strays = stray_sweep(session, listing)
    await put_on_record(session, schema, strays.edits, strays.over)
    read = await read_bytes(session, listing, file_readback, fresh=fresh)
    strays = strays.merged([read.verdicts])
    index = {
        "began": began,
        "head": head,
        "strays": [list(one) for one in strays.differences],
        "files_read": read.read,
        "file_readback": file_readback,
        "whole": True,
    }
    _keep(target, index)
    return Reading(listing, began, strays, read.read)


async def read_excerpt(
    session: Session, schema: AccountSchema, home: Path, manifest: Manifest, keys: Mapping[str, Iterable[str]]
) -> Reading | None:
    """The records of a delta alone, where that costs less than listing the account; None where it does not.

    keys: entity → the source keys that the delta wants.
    """
    if manifest.kind != "delta":
        return None
    ledger, scope = session.ledger, session.scope
    ids: dict[str, set[int]] = {}
    for entity, wanted in keys.items():
        links = {
            **ledger.links_of_roots(scope, entity, manifest.roots),
            **ledger.links(scope, entity, [str(key) for key in wanted]),
        }
        ids[entity] = {link.pipedrive_id for link in links.values() if link.state != "retired"}
    if excerpt_tokens(ids) >= listing_tokens(session):
        return None
    began = datetime.now(UTC).isoformat(timespec="microseconds")
    head = ledger.chain_head()
    target = home / "listings" / began.replace(":", "")
    listing = await take_excerpt(session, schema, target, ids)
    _keep(target, {"began": began, "head": head, "whole": False})
    return Reading(listing, began, Verdicts(), whole=False)


def listing_begun(home: Path, began: str) -> Listing | None:
    """The listing that was begun then, if it is still kept."""
    folder = home / "listings" / began.replace(":", "")
    return Listing(folder) if (folder / _INDEX).is_file() else None


def _keep(target: Path, index: Mapping[str, object]) -> None:
    """Finish a listing; old ones go."""
    (target / _INDEX).write_bytes(orjson.dumps(index))
    for older in target.parent.iterdir():
        if older.stat().st_mtime < time.time() - _KEPT:  # another process may still read a younger one
            shutil.rmtree(older, ignore_errors=True)


async def compare_batch(
    means: Means, manifest: Manifest, logical: Mapping[str, pd.DataFrame], reading: Reading
) -> Verdicts:
    """Every field and edge against the listing, every total against raw, and the listing's strays.

    logical: the batch's mapped frames by entity.
    """
    session = means.session
    expected = Expectation(
        manifest=manifest,
        maps=means.maps,
        frames=logical,
        schema=named_at(means.schema, means.maps, means.data, session.ledger, manifest.generation_to),
        owners=decided(session.ledger.owners(session.scope.account)),
    )
    verdicts = await verify_batch(session, expected, reading.listing)
    await put_on_record(session, expected.schema, verdicts.edits, verdicts.over)
    differing = totals_that_differ(means.data, session.ledger, manifest, logical, means.maps, means.settings)
    totals = Verdicts(differences=_totals(differing))
    faults.point("reconciled")
    return verdicts.merged([totals, reading.strays])


async def field_rows(
    means: Means,
    manifest: Manifest,
    frames: Mapping[str, pd.DataFrame],
    logical: Mapping[str, pd.DataFrame],
    reading: Reading,
    verdicts: Verdicts,
) -> pd.DataFrame:
    """Every field of every record of a batch with the verdict that comparing it gave (see `migration.diff`).

    frames, logical: the batch by entity, normalized and mapped.
    """
    session = means.session
    ledger, scope = session.ledger, session.scope
    links, records = {}, {}
    for entity, frame in logical.items():
        links[entity] = ledger.links(scope, entity, frame["source_key"])
        records[entity] = reading.listing.records(entity, (x.pipedrive_id for x in links[entity].values()))
    owners = ledger.owners(scope.account)
    users = emails_of(owners)
    shown = {record.get("owner_id") for found in records.values() for record in found.values()}
    if not shown <= {*users, None}:
        users = {user.id: user.email for user in map(User.model_validate, await session.client.users())}
    sides = Sides(
        maps=means.maps,
        source=frames,
        mapped=logical,
        links=links,
        records=records,
        schema=means.schema,
        owners=decided(owners),
        users=users,
        generation=manifest.generation_to,
        not_taken={entity: not_taken(ledger.capabilities(scope.account), entity) for entity in logical},
        sent={key: past.told for key, past in ledger.past(scope, "files", links["files"]).items()},
        plan=session.client.budget.plan.name,
    )
    return field_diff(sides, verdicts.differences)


def _totals(rows: pd.DataFrame) -> list[Difference]:
    """Totals that differ, as differences of the customer that they belong to."""
    return [
        Difference(
            str(r.entity),
            f"customer:{r.root}",
            None,
            str(r.measure),
            _text(r.expected),
            _text(r.found),
            "wrong",
        )
        for r in rows.itertuples(index=False)
    ]


def _text(value: object) -> str:
    return "" if value is None or value is pd.NA or value != value else str(value)


def without_repetition(manifests: Sequence[Manifest]) -> list[Manifest]:
    """The batches to read back: the sample only where the waves among them do not cover it."""
    covered = {root for manifest in manifests if manifest.kind != "sample" for root in manifest.roots}
    return [m for m in manifests if m.kind != "sample" or not covered.issuperset(m.roots)]
