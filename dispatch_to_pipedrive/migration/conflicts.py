"""What do the records hold now that may have changed since our last word on them, and who wins?

The base is the destination's own answer to our write; a field that differs from it now was edited by somebody.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dispatch_to_pipedrive.migration.compare import edited_names
from dispatch_to_pipedrive.migration.files import PARENTS
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.settle import MARGIN
from dispatch_to_pipedrive.migration.values import Link
from dispatch_to_pipedrive.pipedrive.client import page_of
from dispatch_to_pipedrive.pipedrive.errors import NotFound
from dispatch_to_pipedrive.pipedrive.notes import PINS
from dispatch_to_pipedrive.pipedrive.prices import LIST_ARCHIVED, price
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

ARCHIVED = "is_archived"


async def current_records(
    session: Session, entity: str, links: Sequence[tuple[Link, str | None]]
) -> dict[int, dict[str, Any]]:
    """Pipedrive id → the record as it is now, for those that may have changed since the server date of our last word.

    One listing of what was updated since the oldest base (of files, which know no such list, of all; of deals the
    archived ones, too), or one GET a record where that costs less.
    """
    if not links:
        return {}
    counts = session.ledger.link_counts(session.scope)
    all_of_entity = sum(n for (name, _), n in counts.items() if name == entity)
    listing = price("list", entity) * (1 + all_of_entity // page_of(entity))
    listing += LIST_ARCHIVED if entity == "deals" else 0
    if len(links) * price("read", entity) <= listing:
        found = await asyncio.gather(
            *(current_record(session, entity, link.pipedrive_id) for link, _ in links)
        )
        return {int(record["id"]): record for record in found if record is not None}
    ids = {link.pipedrive_id for link, _ in links}
    dates = [date for _, date in links]
    since = None
    if None not in dates and entity != "files":
        since = min(datetime.fromisoformat(d) for d in dates if d) - MARGIN
    records: dict[int, dict[str, Any]] = {}
    for archived in (False, True) if entity == "deals" else (False,):
        pages = session.client.list(entity, updated_since=since, archived=archived)  # type: ignore[arg-type]
        async for page in pages:
            records.update({int(r["id"]): r for r in page.records if int(r["id"]) in ids})
    return records


async def current_record(session: Session, entity: str, pipedrive_id: int) -> dict[str, Any] | None:
    """One record as it is now; None if the account has no such record (any more)."""
    try:
        return (await session.client.get(entity, pipedrive_id)).record  # type: ignore[arg-type]
    except NotFound:
        return None


@dataclass(frozen=True)
class Weighed:
    """Wire names: what is to be sent of a change, what people edited and keep, what is written over their edit."""

    send: list[str]
    kept: list[str] = field(default_factory=list)
    overwritten: list[str] = field(default_factory=list)


def weigh(
    schema: AccountSchema,
    entity: str,
    wanted: Mapping[str, Any],
    difference: Collection[str],
    base: Mapping[str, Any],
    record: Mapping[str, Any],
    source_wins: Collection[str],
) -> Weighed:
    """What of a record's change at the source may be written; all bodies are flat.

    wanted: all that a change may carry; difference: the names that changed at the source. source_wins: logical names.
    A field in which people came to the source's value themselves is sent, so that it is ours again.
    Of an archived deal nothing is sent: Pipedrive takes no change of it, and people have put it away.
    """
    if record.get(ARCHIVED):
        return Weighed(send=[], kept=[ARCHIVED])
    customs = schema.customs(entity)
    wins = {name for name in wanted if (customs[name][0] if name in customs else name) in source_wins}
    edited = {
        name
        for name in edited_names(schema, entity, {*difference, *wins}, base, record)
        if edited_names(schema, entity, [name], wanted, record)
    }
    if edited_names(schema, entity, PARENTS, base, record):
        # People hung a note on something else: to pin it where it was would put it back there.
        edited.update(name for name in PINS if name in difference)
    names = [name for name in wanted if name in difference or (name in wins and name in edited)]
    return Weighed(
        send=[name for name in names if name not in edited or name in wins],
        kept=[name for name in names if name in edited and name not in wins],
        overwritten=[name for name in names if name in edited and name in wins],
    )
