"""Who called whom: the telecom feed, calls of jobs, of customers and of nobody we know."""

from dataclasses import dataclass

import numpy as np

from ..draw import Draw
from ..table import Columns, Record
from ..times import DAY, HOUR, MINUTE, Ints, write_many
from . import names
from .catalog import CAMPAIGN, CAMPAIGNS, OFFICE
from .customers import CUSTOMER, LOCATION, Customers, last_touched
from .jobs import CALL, JOB, Jobs

SHOP = "6025550100"
_MISSED: Record = {"duration": "00:00:00", "status": "Ringing", "type": "Abandoned", "agent": None}
# What the first calls that led to no job look like: whether of a customer, and the fields not left to chance.
CASES: tuple[tuple[bool, Record], ...] = (
    (True, {"duration": "00:07:31", "direction": "Inbound", "type": "NotLead"}),
    (False, {**_MISSED, "direction": "Inbound", "voiceMailPath": "voicemail"}),
    (True, {**_MISSED, "direction": "Inbound"}),
    (True, {"duration": "00:02:05", "direction": "Outbound", "type": None}),
    (False, {"duration": "00:00:00", "direction": "Outbound", "status": "Initiated", "type": None}),
    (
        True,
        {"duration": "01:12:05", "direction": "Inbound", "type": "Excused", "excuseMemo": "=Wrong <dept>"},
    ),
    (True, {"active": False}),
    (False, {"from": "Anonymous", "direction": "Inbound", "type": "Unbooked", "reason": None}),
)


@dataclass(frozen=True)
class Calls:
    """All calls by row; `job` and `customer` are rows, `lead` is each job's call; -1 for none."""

    job: Ints
    customer: Ints
    created: Ints
    lead: Ints


def make_calls(people: Customers, jobs: Jobs) -> Calls:
    """A call that led to most jobs, and as many again in ten that led nowhere, some by nobody we know."""
    draw = Draw(jobs.seed, "calls")
    every = np.arange(len(jobs), dtype=np.int64)
    led = draw.chance("by phone", every, 0.7)
    lead = np.where(led, np.cumsum(led) - 1, -1).astype(np.int64)
    job = np.flatnonzero(led).astype(np.int64)
    others = np.arange(max(len(jobs) // 10, len(CASES)), dtype=np.int64)
    of_customer = draw.chance("known", others, 0.5)
    of_customer[: len(CASES)] = [known for known, _ in CASES]
    known = np.where(of_customer, draw.below("caller", others, len(people)), -1)
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
    first = int((calls.job >= 0).sum())
    by_hand = {first + at: fields for at, (_, fields) in enumerate(CASES)}

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
        return [_call(people, by_hand.get(row[0], {}), *row) for row in columns]

    keys = {
        "jobId": np.where(calls.job >= 0, JOB + calls.job, 0),
        "customerId": np.where(calls.customer >= 0, CUSTOMER + calls.customer, 0),
    }
    active = np.ones(len(every), dtype=np.bool_)
    for row, fields in by_hand.items():
        active[row] = fields.get("active", True)
    return Columns(CALL + every, calls.created, modified, active, render, keys)


def _call(
    people: Customers,
    by_hand: Record,
    row: int,
    job: int,
    of: int,
    name: str,
    phone: str,
    looks: int,
    created: str | None,
    modified: str | None,
) -> Record:
    outbound = by_hand["direction"] == "Outbound" if "direction" in by_hand else looks % 6 == 0
    site = int(people.site_start[of]) if of >= 0 and looks % 4 == 1 else -1
    desk = {"id": OFFICE, "name": "Front desk"}
    return {
        "id": CALL + row,
        "duration": f"00:{looks % 14:02d}:{looks % 60:02d}",
        "from": SHOP if outbound else phone,
        "to": phone if outbound else SHOP,
        "direction": "Outbound" if outbound else "Inbound",
        "status": "Completed",
        "type": _call_type(job, looks),
        "recordingUrl": f"https://recordings.example.com/{CALL + row}.mp3" if looks % 9 == 0 else None,
        "voiceMailPath": None,
        "createdOn": created,
        "modifiedOn": modified,
        "reason": {"id": 81, "name": "Wrong number"} if job < 0 and looks % 5 == 1 else None,
        "customer": {"id": CUSTOMER + of, "name": name} if of >= 0 else None,
        "location": {"id": LOCATION + site, "name": name} if site >= 0 else None,
        "campaign": {"id": CAMPAIGN + looks % 4, "name": CAMPAIGNS[looks % 4]},
        "job": {"id": JOB + job, "number": str(JOB + job)} if job >= 0 else None,
        "agent": desk,
        "createdBy": desk if outbound else None,
        "excuseMemo": "",
        "tag": "",
        "active": True,
        "lead": None,
        **by_hand,
    }


def _call_type(job: int, looks: int) -> str | None:
    """Outbound calls are never classified."""
    if looks % 6 == 0:
        return None
    return "Booked" if job >= 0 else ("Unbooked", "Excused", "NotLead", "Abandoned", None)[looks % 5]
