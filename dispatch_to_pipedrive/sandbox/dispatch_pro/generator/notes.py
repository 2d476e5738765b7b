"""What was noted on customers, sites and jobs, and why jobs were canceled."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..draw import Draw, count_up
from ..table import Columns, Record
from ..times import DAY, HOUR, Ints, trimmed, write_many
from . import names, texts
from .catalog import CANCEL_REASONS, REASON, USER_OF_OFFICE, author_of
from .customers import CUSTOMER, FRACTIONS, LOCATION, Customers, cases, last_touched
from .edges import CANCELED, NoteCase
from .jobs import JOB, Jobs

CUSTOMER_NOTE, LOCATION_NOTE, JOB_NOTE, CANCELED_LOG = 450_000_000, 460_000_000, 530_000_000, 540_000_000
WITH_PICTURE = 0.06
Cases = Mapping[int, Sequence[NoteCase]]


def note_columns(
    seed: int,
    now: int,
    kind: tuple[str, int, str],
    parents: Ints,
    since: Ints,
    share: float,
    by_hand: Cases,
    storage: str,
) -> Columns:
    """Notes on the parents (their ids): about `share` for each, some parents have several.

    `kind` is room, first id and key; `by_hand` are a parent's notes by its row, which come before those of chance.
    """
    room, base, key = kind
    draw = Draw(seed, room)
    every = np.arange(len(parents), dtype=np.int64)
    counts = np.where(
        draw.chance("any", every, share * 0.7) | (every < 2), draw.weighted("count", every, (7, 2, 1)) + 1, 0
    )
    for row, written in by_hand.items():
        counts[row] += len(written)
    starts, parent, _ = count_up(counts)
    rows = np.arange(len(parent), dtype=np.int64)
    span = np.maximum(now - 3 * HOUR - since[parent], 0)
    created = since[parent] + (draw.unit("written", rows) * span).astype(np.int64)
    created = np.maximum(trimmed(created, draw.weighted("digits", rows, FRACTIONS)), since[parent])
    modified = last_touched(draw, rows, created, now)
    active = ~draw.chance("deleted", rows, 0.02) if key == "jobId" else np.ones(len(rows), dtype=np.bool_)
    hand = {int(starts[row]) + at: note for row, found in by_hand.items() for at, note in enumerate(found)}
    active[list(hand)] = True

    def render(wanted: Ints) -> list[Record]:
        columns = zip(
            wanted.tolist(),
            parents[parent[wanted]].tolist(),
            draw.below("text", wanted, len(names.NOTES) * 12).tolist(),
            draw.chance("picture", wanted, WITH_PICTURE).tolist(),
            draw.bits("image", wanted).tolist(),
            active[wanted].tolist(),
            write_many(created[wanted]),
            write_many(modified[wanted]),
            strict=True,
        )
        made = []
        for row, of, looks, picture, image, is_active, at, changed in columns:
            text, pinned = names.NOTES[looks % len(names.NOTES)], looks % 11 == 0
            if row in hand:
                text, pinned = texts.finished(hand[row].text, storage), hand[row].pinned
            elif picture:
                text = texts.picture_note(f"{image:016x}", looks, storage)
            made.append(
                {
                    "id": base + row,
                    "active": is_active,
                    "text": text,
                    "isPinned": pinned,
                    "createdById": author_of(looks),
                    "createdOn": at,
                    "modifiedOn": changed,
                    key: of,
                }
            )
        return made

    return Columns(base + rows, created, modified, active.copy(), render, {key: parents[parent]})


def customer_note_columns(people: Customers, storage: str) -> Columns:
    """Notes of customers, which the vendor lists for one customer at a time."""
    ids = CUSTOMER + np.arange(len(people), dtype=np.int64)
    by_hand = {row: case.notes for row, case in enumerate(cases(len(people))) if case.notes}
    kind = ("customer notes", CUSTOMER_NOTE, "customerId")
    return note_columns(people.seed, people.now, kind, ids, people.joined, 0.3, by_hand, storage)


def location_note_columns(people: Customers, storage: str) -> Columns:
    """Notes of sites, which the vendor lists for one site at a time."""
    ids = LOCATION + np.arange(len(people.site_customer), dtype=np.int64)
    since = people.joined[people.site_customer]
    first = people.site_start
    by_hand = {
        int(first[row]): case.site_notes for row, case in enumerate(cases(len(people))) if case.site_notes
    }
    kind = ("location notes", LOCATION_NOTE, "locationId")
    return note_columns(people.seed, people.now, kind, ids, since, 0.2, by_hand, storage)


def job_note_columns(jobs: Jobs, storage: str) -> Columns:
    """Notes of jobs."""
    ids = JOB + np.arange(len(jobs), dtype=np.int64)
    by_hand = {row: case.notes for row, case in jobs.by_hand if case.notes}
    kind = ("job notes", JOB_NOTE, "jobId")
    return note_columns(jobs.seed, jobs.now, kind, ids, jobs.created, 0.5, by_hand, storage)


def canceled_log_columns(jobs: Jobs) -> Columns:
    """One log entry for each canceled job, and inactive ones where that was taken back. No `modifiedOn`."""
    draw = Draw(jobs.seed, "canceled logs")
    every = np.arange(len(jobs), dtype=np.int64)
    canceled = jobs.status == CANCELED
    taken_back = ~canceled & draw.chance("taken back", every, 0.01)
    job = np.flatnonzero(canceled | taken_back).astype(np.int64)
    rows = np.arange(len(job), dtype=np.int64)
    created = np.minimum(jobs.created[job] + draw.below("after", rows, 5 * DAY), jobs.now - HOUR)
    active = canceled[job]

    def render(wanted: Ints) -> list[Record]:
        reason = draw.below("reason", wanted, len(CANCEL_REASONS)).tolist()
        columns = zip(
            wanted.tolist(), reason, active[wanted].tolist(), write_many(created[wanted]), strict=True
        )
        return [
            {
                "id": CANCELED_LOG + row,
                "jobId": JOB + int(job[row]),
                "reasonId": REASON + why,
                "memo": names.CANCEL_MEMOS[(row + why) % len(names.CANCEL_MEMOS)],
                "createdOn": at,
                "createdById": USER_OF_OFFICE + why % 4,
                "active": is_active,
            }
            for row, why, is_active, at in columns
        ]

    return Columns(CANCELED_LOG + rows, created, created.copy(), active.copy(), render, {"jobId": JOB + job})
