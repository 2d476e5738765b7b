"""How exported e-mails land: each as one record that says whom it belongs to, if that can be told.

An e-mail that fits no job and no customer, or several, is kept with the house root. Read again are the files when
they changed, and whenever jobs, customers or contacts arrived, because then another one may fit. One that is in the
files twice (sent and received) is the first of the two; one that is not in them any more stays.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import orjson
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.course import Advance, Course
from dispatch_to_pipedrive.dispatch_pro.mail_files import Mail, files_of, mails
from dispatch_to_pipedrive.dispatch_pro.placement.index import CommittedSegment
from dispatch_to_pipedrive.dispatch_pro.placement.latest import Latest, latest_records
from dispatch_to_pipedrive.dispatch_pro.placement.mail_book import (
    LOOKED_UP,
    MailBook,
    Match,
    Question,
    mail_book,
)
from dispatch_to_pipedrive.dispatch_pro.segments import number_of

_ROWS = 500
_NUMBER = re.compile(r"#\s?([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)")


async def read_mail(
    course: Course,
    path: Path | None,
    cursor: str | None,
    raw: UPath,
    committed: Sequence[CommittedSegment],
    landed: Sequence[CommittedSegment],
) -> Advance:
    """Land the e-mails at the path that are new or belong to somebody else now. Raises BadMail, then nothing lands."""
    if path is None:
        course.remark = "no e-mails: EMAILS_PATH is not set"
        return await course.end(cursor or "")
    everything = [*committed, *landed]
    state = await asyncio.to_thread(_state, path, everything)
    if state == cursor:
        return await course.end(cursor)
    counts = dict.fromkeys(("read", "nobody", "attachments"), 0)
    seen: set[int] = set()
    with mail_book(raw, everything) as book, latest_records(raw, course.feed.name, committed) as latest:
        rest = mails(path)
        while part := await asyncio.to_thread(_part, rest, book, latest, counts, seen):
            course.pages += 1
            if part.new:
                await course.land(part.new)
        missing = len(set(await asyncio.to_thread(latest.ids)) - seen)
    course.remark = (
        f"{counts['read']} e-mails, {counts['nobody']} of them belong to nobody that is known; "
        f"{counts['attachments']} attachments are left out"
    )
    if missing:
        course.remark += f"; {missing} that were read before are not in the files any more, they stay"
    return await course.end(state)


class _Part:
    """Some e-mails that were read; `new` are the records that differ from what is there."""

    def __init__(self, new: list[bytes]) -> None:
        self.new = new


def _part(
    rest: Iterator[Mail], book: MailBook, latest: Latest, counts: dict[str, int], seen: set[int]
) -> _Part | None:
    found = list(islice(rest, _ROWS))
    if not found:
        return None
    some = []
    for mail in found:
        if (number := number_of(mail.id)) not in seen:
            seen.add(number)
            some.append(mail)
    matches = book.matches([_question(mail) for mail in some])
    records = [_record(mail, match) for mail, match in zip(some, matches, strict=True)]
    counts["read"] += len(some)
    counts["nobody"] += sum(match.by is None for match in matches)
    counts["attachments"] += sum(mail.attachments for mail in some)
    before = latest.records([number_of(mail.id) for mail in some])
    return _Part(
        [
            record
            for mail, record in zip(some, records, strict=True)
            if before.get(number_of(mail.id)) != record.decode()
        ]
    )


def _question(mail: Mail) -> Question:
    numbers = tuple(dict.fromkeys(_NUMBER.findall(mail.subject)))
    return Question(mail.job_number, mail.customer_id, numbers, tuple(sorted(mail.addresses)))


def _record(mail: Mail, match: Match) -> bytes:
    return orjson.dumps(
        {
            "id": mail.id,
            "customerId": match.customer_id,
            "jobId": match.job_id,
            "matchedBy": match.by,
            "sentAt": mail.sent_at,
            "sender": mail.sender,
            "recipients": ", ".join(mail.recipients),
            "subject": mail.subject,
            "body": mail.body,
            "isHtml": mail.is_html,
            "attachments": mail.attachments,
        }
    )


def _state(path: Path, segments: Sequence[CommittedSegment]) -> str:
    """What reading depends on: the files, and how far the tenant's people and jobs are known."""
    told = hashlib.sha256()
    for file in files_of(path):
        facts = file.stat()
        told.update(f"{file}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    known = max((segment.generation for segment in segments if segment.feed in LOOKED_UP), default=0)
    return orjson.dumps({"files": told.hexdigest(), "known": known}).decode()
