"""What do the records hold now that may have changed since our last word on them?

The base is the destination's own answer to our write; a field that differs from it now was edited by somebody.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.settle import MARGIN
from dispatch_to_pipedrive.migration.values import Link
from dispatch_to_pipedrive.pipedrive.client import page_of
from dispatch_to_pipedrive.pipedrive.errors import NotFound
from dispatch_to_pipedrive.pipedrive.prices import price


async def current_records(
    session: Session, entity: str, links: Sequence[tuple[Link, str | None]]
) -> dict[int, dict[str, Any]]:
    """Pipedrive id → the record as it is now, for those that may have changed since the server date of our last word.

    One listing of what was updated since the oldest base (of files, which know no such list, of all), or one GET a
    record where that costs less.
    """
    if not links:
        return {}
    counts = session.ledger.link_counts(session.scope)
    all_of_entity = sum(n for (name, _), n in counts.items() if name == entity)
    listing = price("list", entity) * (1 + all_of_entity // page_of(entity))
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
    async for page in session.client.list(entity, updated_since=since):  # type: ignore[arg-type]
        records.update({int(r["id"]): r for r in page.records if int(r["id"]) in ids})
    return records


async def current_record(session: Session, entity: str, pipedrive_id: int) -> dict[str, Any] | None:
    """One record as it is now; None if the account has no such record (any more)."""
    try:
        return (await session.client.get(entity, pipedrive_id)).record  # type: ignore[arg-type]
    except NotFound:
        return None
