"""How the files and notes of parents are read: each parent that is due, whole, and only what differs lands.

A reading that equals the one before lands nothing, and a parent that never had anything is not written down either.
Where nothing can be listed for a parent that is there, what was read before stays: only an answer deletes.
What was found out about a file is taken over from reading to reading, because the bytes behind an attachment's id
never change.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from dispatch_to_pipedrive.dispatch_pro.course import Advance, Course, whole_list
from dispatch_to_pipedrive.dispatch_pro.downloads import Downloads
from dispatch_to_pipedrive.dispatch_pro.errors import NotFound, Unfetchable
from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS
from dispatch_to_pipedrive.dispatch_pro.placement.due import Due
from dispatch_to_pipedrive.dispatch_pro.readings import Fact, facts_of, items_by_id, reading

AT_ONCE = 64  # parents
PORTION = 30_000  # of a sweep, some ten minutes of calls: as much as is lost if the program is stopped
_ROWS = 8_192
_NOBODY = -1
_FRESH = timedelta(days=1)


@dataclass(frozen=True)
class Files:
    """How files are looked at: `limit` in bytes, above which one is hashed instead of moved.

    keep: the folder where the bytes of such a file stay; without it they are read and forgotten.
    """

    downloads: Downloads
    limit: int
    keep: Path | None = None


async def read_parents(
    course: Course,
    due: Due,
    cursor: str | None,
    *,
    sweep: bool,
    files: Files | None,
    now: datetime,
    portion: int = PORTION,
) -> Advance:
    """Ask the parents that are due; all of them with `sweep`, the first time, and when the limit of files changed.

    All of them are asked in order of their ids, a `portion` at a time: the advance is not drained then, and the next
    one goes on behind the last id. A sweep that was begun within a day is gone on with, not begun anew. files: how to
    look at attachments; without it nothing is found out about them.
    """
    looks = files if course.feed.name == "job_attachments" else None
    limit = None if looks is None else looks.limit
    before: dict[str, Any] = orjson.loads(cursor) if cursor else {}
    upto, begun = before.get("upto"), before.get("begun")
    if cursor is None or before.get("limit") != limit or (sweep and not _fresh(upto, begun, now)):
        upto, begun = _NOBODY, now.isoformat()
    batches = due.parents(course.feed, after=upto, most=portion, rows=_ROWS)
    gate = asyncio.Semaphore(AT_ONCE)
    asked, last = 0, upto
    while batch := await asyncio.to_thread(next, batches, None):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_read(course, gate, looks, *parent)) for parent in batch]
        await course.land([record for task in tasks if (record := task.result()) is not None])
        if upto is not None:
            asked, last = asked + sum(id_ > upto for id_, _ in batch), batch[-1][0]
    drained = asked < portion
    after = {"limit": limit, "upto": None if drained else last, "begun": begun}
    whole_since = datetime.fromisoformat(begun) if drained and upto is not None and begun else None
    return await course.end(orjson.dumps(after).decode(), drained=drained, whole_since=whole_since)


def _fresh(upto: int | None, begun: str | None, now: datetime) -> bool:
    """Whether a sweep is under way that is worth going on with."""
    return upto is not None and begun is not None and now - datetime.fromisoformat(begun) < _FRESH


async def _read(
    course: Course, gate: asyncio.Semaphore, files: Files | None, parent: int, before: str | None
) -> bytes | None:
    """The reading of one parent, None if it says nothing new."""
    feed = course.feed
    async with gate:
        course.pages += 1
        try:
            items = await whole_list(course.client, feed.path.replace("{parent}", str(parent)), feed.params)
        except NotFound:
            if before is None or not orjson.loads(before)["items"] or await _is_there(course, parent):
                return None
            items = []  # the parent is gone, and what hung on it
        known = facts_of(before) if before is not None else {}
        facts = list(known.values())
        if files is not None:
            facts = [await fact_of(files, id_, known.get(id_)) for id_ in items_by_id(feed, items)]
    record = reading(feed, parent, items, facts)
    same = not items if before is None else record == before.encode()
    return None if same else record


async def _is_there(course: Course, parent: int) -> bool:
    """Whether a parent for which nothing is listed exists and was not merged into another one."""
    path = FEEDS[course.feed.parent].path.replace("/export/", "/")
    try:
        record = await course.client.read(f"{path}/{parent}", {}, orjson.loads)
    except NotFound:
        return False
    if record.get("mergedToId"):
        return False
    word = course.feed.name.replace("_", " ")
    course.remark = f"of some {course.feed.parent} no {word} were listed (404): what was read before stays"
    return True


async def fact_of(files: Files, attachment: int, known: Fact | None) -> Fact:
    """What is to be known of an attachment's file; asked only for what `known` lacks."""
    if known is not None and _enough(files, known):
        return known if (known.size or 0) > files.limit else replace(known, sha256=None)
    source = f"attachment:{attachment}"
    size, media_type = None, None
    try:
        told = await files.downloads.measure(source)
        size, media_type = told.size, told.media_type
        if size is not None and size <= files.limit:
            return Fact(attachment, size, media_type)
        if files.keep is None:
            whole = await files.downloads.digest(source, size=size)
        else:
            whole = await files.downloads.fetch(source, size=size)
            if whole.size > files.limit:
                await asyncio.to_thread(_keep, whole.path, kept_at(files.keep, attachment))
            whole.path.unlink(missing_ok=True)
        large = whole.size > files.limit
        return Fact(attachment, whole.size, whole.media_type, whole.sha256 if large else None)
    except Unfetchable as refusal:
        return Fact(attachment, size, media_type, None, refusal.words)


def kept_at(folder: Path, attachment: int) -> Path:
    """Where the bytes of a file above the limit are kept; its name is data and no path."""
    return folder / f"attachment-{attachment}"


def _enough(files: Files, known: Fact) -> bool:
    if known.problem is not None or known.size is None:
        return False
    if known.size <= files.limit:
        return True
    kept = files.keep is None or kept_at(files.keep, known.id).is_file()
    return known.sha256 is not None and kept


def _keep(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)
