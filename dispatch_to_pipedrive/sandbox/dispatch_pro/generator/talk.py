"""What was said, noted and filed: notes, canceled logs, calls and attachments."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..draw import Draw, count_up
from ..table import Columns, Record
from ..times import DAY, HOUR, MINUTE, TICKS, Ints, trimmed, write_many
from . import names
from .catalog import CAMPAIGN, CAMPAIGNS, CANCEL_REASONS, OFFICE, REASON, USER_OF_OFFICE
from .customers import CUSTOMER, FRACTIONS, LOCATION, Customers, last_touched
from .edges import CANCELED
from .jobs import CALL, JOB, Jobs

CUSTOMER_NOTE, LOCATION_NOTE, JOB_NOTE = 450_000_000, 460_000_000, 530_000_000
CANCELED_LOG, ATTACHMENT = 540_000_000, 610_000_000
FILES = (
    "before.jpg",
    "after.jpg",
    "estimate.pdf",
    "Größe & Plan (1).png",
    "signature.png",
    "فاتورة.pdf",
    "notes.txt",
)


@dataclass(frozen=True)
class Calls:
    """All calls by row; `job` and `customer` are rows, `lead` is each job's call; -1 for none."""

    job: Ints
    customer: Ints
    created: Ints
    lead: Ints


def note_columns(
    seed: int, now: int, room: str, parents: Ints, base: int, key: str, since: Ints, share: float
) -> Columns:
    """Notes on the parents (their ids): about `share` for each, some parents have several."""
    draw = Draw(seed, room)
    every = np.arange(len(parents), dtype=np.int64)
    counts = np.where(
        draw.chance("any", every, share * 0.7) | (every < 2), draw.weighted("count", every, (7, 2, 1)) + 1, 0
    )
    _, parent, _ = count_up(counts)
    rows = np.arange(len(parent), dtype=np.int64)
    span = np.maximum(now - 3 * HOUR - since[parent], 0)
    created = since[parent] + (draw.unit("written", rows) * span).astype(np.int64)
    created = np.maximum(trimmed(created, draw.weighted("digits", rows, FRACTIONS)), since[parent])
    modified = last_touched(draw, rows, created, now)
    active = ~draw.chance("deleted", rows, 0.02) if key == "jobId" else np.ones(len(rows), dtype=np.bool_)

    def render(wanted: Ints) -> list[Record]:
        columns = zip(
            wanted.tolist(),
            parents[parent[wanted]].tolist(),
            draw.below("text", wanted, len(names.NOTES) * 12).tolist(),
            active[wanted].tolist(),
            write_many(created[wanted]),
            write_many(modified[wanted]),
            strict=True,
        )
        return [
            {
                "id": base + row,
                "active": is_active,
                "text": names.NOTES[looks % len(names.NOTES)],
                "isPinned": looks % 11 == 0,
                "createdById": USER_OF_OFFICE + looks % 4,
                "createdOn": at,
                "modifiedOn": changed,
                key: of,
            }
            for row, of, looks, is_active, at, changed in columns
        ]

    return Columns(base + rows, created, modified, active.copy(), render, {key: parents[parent]})


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


def make_calls(people: Customers, jobs: Jobs) -> Calls:
    """A call that led to most jobs, and as many again in ten that led nowhere, some by nobody we know."""
    draw = Draw(jobs.seed, "calls")
    every = np.arange(len(jobs), dtype=np.int64)
    led = draw.chance("by phone", every, 0.7)
    lead = np.where(led, np.cumsum(led) - 1, -1).astype(np.int64)
    job = np.flatnonzero(led).astype(np.int64)
    others = np.arange(max(len(jobs) // 10, 3), dtype=np.int64)
    known = np.where(draw.chance("known", others, 0.5), draw.below("caller", others, len(people)), -1)
    when = jobs.now - HOUR - 2 * DAY - draw.below("called", others, 900 * DAY)
    return Calls(
        job=np.concatenate((job, np.full(len(others), -1, dtype=np.int64))),
        customer=np.concatenate((jobs.customer[job], known)),
        created=np.concatenate((jobs.created[job] - 4 * MINUTE, when)),
        lead=lead,
    )


def call_columns(people: Customers, jobs: Jobs, calls: Calls) -> Columns:
    """The vendor's calls, in the flat shape of the export."""
    draw = Draw(jobs.seed, "calls")
    every = np.arange(len(calls.job), dtype=np.int64)
    modified = last_touched(draw, every, calls.created, jobs.now)

    def render(rows: Ints) -> list[Record]:
        customer = calls.customer[rows]
        columns = zip(
            rows.tolist(),
            calls.job[rows].tolist(),
            customer.tolist(),
            people.names(np.maximum(customer, 0)),
            names.phones(draw, rows),
            draw.below("looks", rows, 1 << 20).tolist(),
            write_many(calls.created[rows]),
            write_many(modified[rows]),
            strict=True,
        )
        return [
            {
                "id": CALL + row,
                "duration": f"00:{looks % 14:02d}:{looks % 60:02d}",
                "from": phone,
                "to": "6025550100",
                "direction": "Outbound" if looks % 6 == 0 else "Inbound",
                "status": "Completed",
                "type": _call_type(job, looks),
                "recordingUrl": None,
                "voiceMailPath": None,
                "createdOn": created,
                "modifiedOn": changed,
                "reason": {"id": 81, "name": "Wrong number"} if job < 0 and looks % 5 == 1 else None,
                "customer": {"id": CUSTOMER + of, "name": name} if of >= 0 else None,
                "location": None,
                "campaign": {"id": CAMPAIGN + looks % 4, "name": CAMPAIGNS[looks % 4]},
                "job": {"id": JOB + job, "number": str(JOB + job)} if job >= 0 else None,
                "agent": {"id": OFFICE, "name": "Front desk"},
                "createdBy": None,
                "excuseMemo": "",
                "tag": "",
                "active": True,
                "lead": None,
            }
            for row, job, of, name, phone, looks, created, changed in columns
        ]

    keys = {
        "jobId": np.where(calls.job >= 0, JOB + calls.job, 0),
        "customerId": np.where(calls.customer >= 0, CUSTOMER + calls.customer, 0),
    }
    return Columns(CALL + every, calls.created, modified, np.ones(len(every), dtype=np.bool_), render, keys)


def _call_type(job: int, looks: int) -> str | None:
    """Outbound calls are never classified."""
    if looks % 6 == 0:
        return None
    return "Booked" if job >= 0 else ("Unbooked", "Excused", "NotLead", "Abandoned", None)[looks % 5]


def attachment_columns(jobs: Jobs) -> tuple[Columns, Callable[[Ints], Ints]]:
    """Files of jobs (the shape known from practice), and how many bytes each has."""
    draw = Draw(jobs.seed, "attachments")
    every = np.arange(len(jobs), dtype=np.int64)
    counts = np.where(
        every < 2, 2, np.array([0, 1, 2, 4], dtype=np.int64)[draw.weighted("count", every, (66, 20, 10, 4))]
    )
    _, job, ordinal = count_up(counts)
    rows = np.arange(len(job), dtype=np.int64)
    created = np.minimum(jobs.created[job] + draw.below("after", rows, 9 * DAY), jobs.now - HOUR)
    created = created // TICKS * TICKS

    def render(wanted: Ints) -> list[Record]:
        return [
            {
                "id": ATTACHMENT + row,
                "fileName": FILES[(looks + int(ordinal[row])) % len(FILES)],
                "createdById": USER_OF_OFFICE + looks % 4,
                "createdOn": at,
                "jobId": JOB + int(job[row]),
            }
            for row, looks, at in zip(
                wanted.tolist(),
                draw.below("file", wanted, 1 << 16).tolist(),
                write_many(created[wanted]),
                strict=True,
            )
        ]

    def sizes(wanted: Ints) -> Ints:
        return np.exp(6.9 + draw.unit("size", wanted) * 5).astype(np.int64)

    active = np.ones(len(rows), dtype=np.bool_)
    return Columns(ATTACHMENT + rows, created, created.copy(), active, render, {"jobId": JOB + job}), sizes


def customer_note_columns(people: Customers) -> Columns:
    """Notes of customers, which the vendor lists for one customer at a time."""
    ids = CUSTOMER + np.arange(len(people), dtype=np.int64)
    return note_columns(
        people.seed, people.now, "customer notes", ids, CUSTOMER_NOTE, "customerId", people.joined, 0.3
    )


def location_note_columns(people: Customers) -> Columns:
    """Notes of sites, which the vendor lists for one site at a time."""
    ids = LOCATION + np.arange(len(people.site_customer), dtype=np.int64)
    since = people.joined[people.site_customer]
    return note_columns(
        people.seed, people.now, "location notes", ids, LOCATION_NOTE, "locationId", since, 0.2
    )


def job_note_columns(jobs: Jobs) -> Columns:
    """Notes of jobs."""
    ids = JOB + np.arange(len(jobs), dtype=np.int64)
    return note_columns(jobs.seed, jobs.now, "job notes", ids, JOB_NOTE, "jobId", jobs.created, 0.5)
