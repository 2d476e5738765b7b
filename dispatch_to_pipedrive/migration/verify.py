"""Does the account hold what each batch meant to write, at the batch's own generation?

Every mapped field and edge of every record is compared. Verdicts: equal; kept (differs, and others edited it after our
echo or between two writes of ours); gone (deleted or merged there by others); quarantined (set aside, never made);
missing, wrong, extra. What this cannot see: a record that others deleted before it was ever linked, and fields that no
map fills. A file's size is compared for all, its bytes for a share (see `file_bytes`). What stands twice or belongs to
nobody is looked for by `strays`.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson
import pandas as pd

from dispatch_to_pipedrive.mapping.model import Maps
from dispatch_to_pipedrive.migration.capabilities import not_taken
from dispatch_to_pipedrive.migration.compare import canonical_value, edited_names, flat
from dispatch_to_pipedrive.migration.conflicts import ARCHIVED
from dispatch_to_pipedrive.migration.editors import Doubts
from dispatch_to_pipedrive.migration.files import PARENTS
from dispatch_to_pipedrive.migration.kept import SAID_BY_CHANGELOG, Reader
from dispatch_to_pipedrive.migration.ledger import utc_now
from dispatch_to_pipedrive.migration.listing import Listing
from dispatch_to_pipedrive.migration.load import newer_roots, resolved
from dispatch_to_pipedrive.migration.past import Past
from dispatch_to_pipedrive.migration.resolve import Owners, Wanted
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.settle_files import parent_of
from dispatch_to_pipedrive.migration.theirs import Theirs
from dispatch_to_pipedrive.migration.values import ENTITIES, GONE, KeptEdit, Link, Manifest
from dispatch_to_pipedrive.pipedrive.canonical import agree
from dispatch_to_pipedrive.pipedrive.errors import Forbidden, NotFound
from dispatch_to_pipedrive.pipedrive.notes import PINS
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

_UNSEEN = ("content",)
"""What the account does not show of a file with its record."""
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
    """The counters of a comparison, and every difference by name.

    edits: what people did to the records that were compared; over: what the ledger has of them, and is so no more.
    """

    records: Counter[str] = field(default_factory=Counter)
    fields: int = 0
    differences: list[Difference] = field(default_factory=list)
    edits: list[KeptEdit] = field(default_factory=list)
    over: list[KeptEdit] = field(default_factory=list)

    @property
    def blocking(self) -> int:
        """Differences that stop a batch."""
        return sum(d.verdict in BLOCKING for d in self.differences)

    def merged(self, others: Iterable["Verdicts"]) -> "Verdicts":
        """The sum of several comparisons; a difference that two batches share is named once."""
        total = Verdicts(
            Counter(self.records), self.fields, list(self.differences), list(self.edits), list(self.over)
        )
        for other in others:
            total.records.update(other.records)
            total.fields += other.fields
            total.differences.extend(other.differences)
            total.edits.extend(other.edits)
            total.over.extend(other.over)
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
    ledger, scope = session.ledger, session.scope
    reader = Reader(expected.schema, ledger.user_names(scope.account), expected.manifest.key, utc_now())
    theirs = Theirs(reader, listing)
    doubts = Doubts(session, expected.schema)
    granted = session.ledger.capabilities(session.scope.account)
    aside = {(q.entity, q.source_key): q.digest for q in session.ledger.quarantined(session.scope)}
    for entity in ENTITIES:
        wanted = resolved(
            session, expected.schema, expected.maps[entity], expected.owners, expected.frames[entity]
        )
        links = session.ledger.links(session.scope, entity, [w.source_key for w in wanted])
        current = [x for x in links.values() if x.generation <= expected.manifest.generation_to]
        records = listing.records(entity, [link.pipedrive_id for link in current])
        past = session.ledger.past(session.scope, entity, [x.source_key for x in current])
        skip = {*not_taken(granted, entity), *(_UNSEEN if entity == "files" else ())}
        newer = newer_roots(session, wanted, links, expected.manifest.generation_to)
        seen = [link.source_key for link in current]
        theirs.begin(entity, ledger.kept_edits(scope, entity, seen), ledger.shared(scope, entity, seen))
        for want in wanted:
            link = links.get(want.source_key)
            if link.generation > expected.manifest.generation_to if link is not None else want.root in newer:
                verdicts.records["newer"] += 1
            elif link is None or link.state == "retired":
                state = "quarantined" if (entity, want.source_key) in aside else "missing"
                verdicts.records[state] += 1
                _add(verdicts, entity, want.source_key, None, state)
            elif link.state == GONE:
                theirs.gone(link)
            elif link.digest != want.digest and aside.get((entity, want.source_key)) == want.digest:
                # It is there as it was before: what it should be now was refused, waits, or has no bytes.
                verdicts.records["quarantined"] += 1
                _add(verdicts, entity, want.source_key, link.pipedrive_id, "quarantined")
            else:
                record = records.get(link.pipedrive_id)
                if record is not None:
                    before = past.get(want.source_key)
                    others = await doubts.settle(
                        _doubtful(expected.schema, want, record, before), link, record
                    )
                    names = _compare(verdicts, expected.schema, want, link, record, before, skip, others)
                    theirs.kept(link, names, before, record)
                elif (verdict := await _absent(session, want, link, listing)) == GONE:
                    theirs.gone(link)
                else:
                    verdicts.records[verdict] += 1
                    _add(verdicts, entity, want.source_key, link.pipedrive_id, verdict)
        _extra(session, verdicts, expected, entity, {w.source_key for w in wanted})
    verdicts.edits, verdicts.over = theirs.found(), theirs.over()
    for edit in verdicts.edits:
        if edit.verdict == GONE:
            verdicts.records[GONE] += 1
            verdicts.differences.append(
                Difference(edit.entity, edit.source_key, edit.pipedrive_id, "", "", edit.theirs, GONE)
            )
    return verdicts


def _add(verdicts: Verdicts, entity: str, key: str, pipedrive_id: int | None, verdict: str) -> None:
    verdicts.differences.append(Difference(entity, key, pipedrive_id, "", "", "", verdict))


async def _absent(session: Session, want: Wanted, link: Link, listing: Listing) -> str:
    """Why a linked record was not listed."""
    entity = want.entity
    if listing.deleted(entity, [link.pipedrive_id]):
        return GONE
    try:
        record = (await session.client.get(entity, link.pipedrive_id)).record  # type: ignore[arg-type]
    except NotFound:
        if session.sees_all:
            return GONE
        parent = parent_of(want.body) if entity == "files" else None
        # A deleted file cannot be read any more; nor can one that this reader may not see, but then neither can he see
        # what it hangs on.
        if parent is None:
            return "missing"
        known = parent[1] in listing.records(parent[0], [parent[1]])
        return GONE if known or await _deleted(session, *parent, listing) else "missing"
    except Forbidden as refusal:
        if refusal.status != HTTPStatus.FORBIDDEN:
            raise
        return "missing"  # what this reader may not see is not proven to be there
    return GONE if record.get("is_deleted") else "missing"


async def _deleted(session: Session, entity: str, number: int, listing: Listing) -> bool:
    """Whether the account says of a record that it was deleted."""
    if listing.deleted(entity, [number]):
        return True
    try:
        return bool((await session.client.get(entity, number)).record.get("is_deleted"))  # type: ignore[arg-type]
    except (NotFound, Forbidden) as refusal:
        if refusal.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN):
            raise
        return False


def _doubtful(schema: AccountSchema, want: Wanted, record: Mapping[str, Any], past: Past | None) -> list[str]:
    """Fields that changed in the very second of our last answer: times tell no edit there, the changelog may."""
    if past is None or want.entity not in SAID_BY_CHANGELOG:
        return []
    if record.get("update_time") != past.echo.get("update_time"):
        return []
    names = flat(want.body).keys()
    return edited_names(schema, want.entity, names, flat(past.echo), flat(record))


def _compare(
    verdicts: Verdicts,
    schema: AccountSchema,
    want: Wanted,
    link: Link,
    record: Mapping[str, Any],
    past: Past | None,
    skip: set[str],
    others: Collection[str] = (),
) -> list[str]:
    """Compare one record; the wire names of the fields that people edited."""
    entity = want.entity
    theirs: list[str] = []
    has = flat(record)
    base, echo = (flat(past.base), flat(past.echo)) if past else ({}, {})
    edited = str(record.get("update_time") or "") > str(echo.get("update_time") or "")

    # What people hung on something else is not pinned where it was (see `load`).
    moved = entity == "notes" and edited_names(schema, entity, PARENTS, base, has)

    def same(value: object, found: Hashable, name: str) -> bool:
        return canonical_value(schema, entity, name, value) == found

    verdict = "equal"
    if entity == "files" and past is not None and record.get("size") != past.told.get("size"):
        verdict = "wrong"
        sizes = (_text(past.told.get("size")), _text(record.get("size")))
        verdicts.differences.append(
            Difference(entity, want.source_key, link.pipedrive_id, "size", *sizes, verdict)
        )
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
        kept = edited or before or name in others or bool(name in PINS and moved) or bool(has.get(ARCHIVED))
        theirs += [name] if kept else []
        verdict = "kept" if kept and verdict != "wrong" else "wrong"
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
                "kept" if kept else "wrong",
            )
        )
    verdicts.records[verdict] += 1
    if theirs and has.get(ARCHIVED):
        # What the source has changed since waits for the deal's return; what people edited before is theirs besides.
        return [ARCHIVED, *edited_names(schema, entity, theirs, base, has)]
    return theirs


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
