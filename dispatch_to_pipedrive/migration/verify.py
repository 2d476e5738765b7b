"""Does the account hold what each batch meant to write, at the batch's own generation?

Every mapped field and edge of every record is compared. Verdicts: equal; kept (differs, and others edited it after our
echo or between two writes of ours); gone (deleted or merged there by others); quarantined (set aside, never made);
missing, wrong, extra. What this cannot see: a record that others deleted before it was ever linked, and fields that no
map fills.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
import pandas as pd

from dispatch_to_pipedrive.mapping.model import Maps
from dispatch_to_pipedrive.migration.capabilities import FIELDS
from dispatch_to_pipedrive.migration.compare import canonical_value, flat
from dispatch_to_pipedrive.migration.listing import Listing
from dispatch_to_pipedrive.migration.load import resolved
from dispatch_to_pipedrive.migration.past import Past
from dispatch_to_pipedrive.migration.resolve import ALIVE, Owners, Wanted
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.values import ENTITIES, Link, Manifest
from dispatch_to_pipedrive.pipedrive.canonical import agree
from dispatch_to_pipedrive.pipedrive.errors import NotFound
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

BLOCKING = ("missing", "wrong", "extra")


class Difference(NamedTuple):
    """One verdict other than equal; `field` is the logical name, empty for the record as a whole."""

    entity: str
    source_key: str
    pipedrive_id: int | None
    field: str
    expected: str
    found: str
    verdict: str


@dataclass
class Verdicts:
    """The counters of a comparison, and every difference by name."""

    records: Counter[str] = field(default_factory=Counter)
    fields: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def blocking(self) -> int:
        """Differences that stop a batch."""
        return sum(d.verdict in BLOCKING for d in self.differences)

    def merged(self, others: Iterable["Verdicts"]) -> "Verdicts":
        """The sum of several comparisons; a difference that two batches share is named once."""
        total = Verdicts(Counter(self.records), self.fields, list(self.differences))
        for other in others:
            total.records.update(other.records)
            total.fields += other.fields
            total.differences.extend(other.differences)
        total.differences = list(dict.fromkeys(total.differences))
        return total

    def table(self) -> pd.DataFrame:
        """The differences, one a row."""
        return pd.DataFrame(self.differences, columns=list(Difference._fields))


@dataclass(frozen=True)
class Expectation:
    """What a batch meant: its mapped frames, and how this account writes them."""

    manifest: Manifest
    maps: Maps
    frames: Mapping[str, pd.DataFrame]
    schema: AccountSchema
    owners: Owners


async def verify_batch(session: Session, expected: Expectation, listing: Listing) -> Verdicts:
    """Compare every record of a batch with the listing."""
    verdicts = Verdicts()
    create_only = set(not_taken(session.ledger.capabilities(session.scope.account)))
    aside = {(q.entity, q.source_key) for q in session.ledger.quarantined(session.scope)}
    for entity in ENTITIES:
        wanted = resolved(
            session, expected.schema, expected.maps[entity], expected.owners, expected.frames[entity]
        )
        links = session.ledger.links(session.scope, entity, [w.source_key for w in wanted])
        current = [x for x in links.values() if x.generation <= expected.manifest.generation_to]
        records = listing.records(entity, [link.pipedrive_id for link in current])
        past = session.ledger.past(session.scope, entity, [x.source_key for x in current])
        skip = create_only if entity == "deals" else set()
        for want in wanted:
            link = links.get(want.source_key)
            if link is None or link.state == "retired":
                state = "quarantined" if (entity, want.source_key) in aside else "missing"
                verdicts.records[state] += 1
                _add(verdicts, entity, want.source_key, None, state)
            elif link.generation > expected.manifest.generation_to:
                verdicts.records["newer"] += 1
            else:
                record = records.get(link.pipedrive_id)
                if record is None:
                    verdict = await _absent(session, entity, link, listing)
                    verdicts.records[verdict] += 1
                    _add(verdicts, entity, want.source_key, link.pipedrive_id, verdict)
                else:
                    _compare(verdicts, expected.schema, want, link, record, past.get(want.source_key), skip)
        _extra(session, verdicts, expected, entity, {w.source_key for w in wanted})
    return verdicts


def not_taken(granted: Mapping[str, bool]) -> frozenset[str]:
    """The deal fields that an account which shows these capabilities does not take, so that nobody looks for them."""
    return frozenset() if granted.get("deal_add_time") else FIELDS["deal_add_time"]


def _add(verdicts: Verdicts, entity: str, key: str, pipedrive_id: int | None, verdict: str) -> None:
    verdicts.differences.append(Difference(entity, key, pipedrive_id, "", "", "", verdict))


async def _absent(session: Session, entity: str, link: Link, listing: Listing) -> str:
    """Why a linked record was not listed."""
    if link.state == "gone" or listing.deleted(entity, [link.pipedrive_id]):
        return "gone"
    try:
        record = (await session.client.get(entity, link.pipedrive_id)).record  # type: ignore[arg-type]
    except NotFound:
        return "missing"
    return "gone" if record.get("is_deleted") else "missing"


def _compare(
    verdicts: Verdicts,
    schema: AccountSchema,
    want: Wanted,
    link: Link,
    record: Mapping[str, Any],
    past: Past | None,
    skip: set[str],
) -> None:
    entity = want.entity
    has = flat(record)
    base, echo = (flat(past.base), flat(past.echo)) if past else ({}, {})
    edited = str(record.get("update_time") or "") > str(echo.get("update_time") or "")

    def same(value: object, found: Hashable, name: str) -> bool:
        return canonical_value(schema, entity, name, value) == found

    verdict = "equal"
    for name, value in flat(want.body).items():
        if name in skip:
            continue
        verdicts.fields += 1
        expected = canonical_value(schema, entity, name, value)
        found = canonical_value(schema, entity, name, has.get(name))
        # Where nothing was sent the vendor may have filled something in; its answer to our write shows what.
        if agree(expected, found) or (value is None and same(base.get(name), found, name)):
            continue
        # An edit from before our last write on the record shows in its echo, and is not our answer to this field.
        before = same(echo.get(name), found, name) and not same(base.get(name), found, name)
        kept = edited or before
        verdict = "kept" if kept else "wrong"
        custom = schema.customs(entity).get(name)
        logical = custom[0] if custom else name
        verdicts.differences.append(
            Difference(
                entity,
                want.source_key,
                link.pipedrive_id,
                logical,
                _text(value),
                _text(has.get(name)),
                verdict,
            )
        )
    verdicts.records[verdict] += 1


def _text(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()


def _extra(
    session: Session, verdicts: Verdicts, expected: Expectation, entity: str, wanted: set[str]
) -> None:
    manifest = expected.manifest
    for key, link in session.ledger.links_of_roots(session.scope, entity, manifest.roots).items():
        if key not in wanted and link.state == "live" and link.generation <= manifest.generation_to:
            verdicts.records["extra"] += 1
            _add(verdicts, entity, key, link.pipedrive_id, "extra")


def stray_sweep(session: Session, listing: Listing) -> Verdicts:
    """Every stamp must be known to the ledger and borne once: name those that are not."""
    verdicts = Verdicts()
    for entity in ENTITIES:
        seen: set[str] = set()
        for group in listing.stamps(entity):
            links = session.ledger.links(session.scope, entity, [stamp for _, stamp in group])
            for number, stamp in group:
                link = links.get(stamp)
                known = link is not None and link.pipedrive_id == number and link.state in (*ALIVE, "gone")
                if known and stamp not in seen:
                    seen.add(stamp)
                    continue
                verdicts.records["extra"] += 1
                verdicts.differences.append(
                    Difference(
                        entity,
                        stamp,
                        number,
                        "",
                        "" if link is None else f"record {link.pipedrive_id}",
                        f"record {number} bears this stamp",
                        "extra",
                    )
                )
    return verdicts
