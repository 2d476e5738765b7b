"""Which jobs the customers booked, when, and how they ended."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..draw import Draw, Flags, count_up
from ..table import Columns, Record
from ..times import DAY, HOUR, MINUTE, NEVER, Ints, trimmed, write_many
from . import names, texts
from .catalog import (
    BUCKETS,
    CAMPAIGN,
    CAMPAIGNS,
    JOB_FIELDS,
    JOB_TYPE,
    JOB_TYPES,
    TAG,
    TAGS,
    TECHNICIAN,
    UNIT,
    USER_OF_OFFICE,
    Field,
)
from .custom_values import custom_values
from .customers import CUSTOMER, FRACTIONS, LOCATION, Customers, cases, last_touched
from .edges import CANCELED, COMPLETED, DISPATCHED, HOLD, IN_PROGRESS, SCHEDULED, JobCase

JOB, APPOINTMENT, INVOICE, CALL, PROJECT = 500_000_000, 510_000_000, 550_000_000, 580_000_000, 620_000_000
STATUSES = ("Completed", "Canceled", "Scheduled", "Dispatched", "InProgress", "Hold")


@dataclass(frozen=True)
class Jobs:
    """All jobs by row; times in ticks, `NEVER` where not, references are rows, -1 for none."""

    seed: int
    now: int
    customer: Ints
    site: Ints
    kind: Ints
    status: Ints
    visits: Ints
    deleted: Ints
    visit_start: Ints
    gap: Ints
    last: Ints
    created: Ints
    completed: Ints
    modified: Ints
    recall: Ints
    warranty: Ints
    project: Ints
    by_hand: tuple[tuple[int, JobCase], ...]

    def __len__(self) -> int:
        return len(self.customer)


def make_jobs(people: Customers) -> Jobs:
    """About 2.2 jobs for each customer and 1.2 visits for each job."""
    seed, now = people.seed, people.now
    every = np.arange(len(people), dtype=np.int64)
    steps = np.array([0, 1, 2, 3, 4, 5, 6, 8, 12], dtype=np.int64)
    counts = steps[Draw(seed, "customers").weighted("jobs", every, (19, 29, 20, 13, 8, 4, 3, 2, 2))]
    counts = counts + people.commercial
    hands = cases(len(people))
    for row, case in enumerate(hands):
        counts[row] = len(case.jobs)
    starts, booked_by, ordinal = count_up(counts)
    by_hand = tuple(
        (int(starts[row]) + k, job) for row, case in enumerate(hands) for k, job in enumerate(case.jobs)
    )

    draw = Draw(seed, "jobs")
    rows = np.arange(len(booked_by), dtype=np.int64)
    site = people.site_start[booked_by] + draw.below("site", rows, people.site_count[booked_by])
    site = np.where(people.moved[booked_by], people.site_merged[site], site)
    status = draw.weighted("status", rows, (78, 10, 6, 1.5, 1.5, 3))
    kind = draw.weighted("kind", rows, [job_type[-1] for job_type in JOB_TYPES])
    visits = np.array([1, 2, 3, 5], dtype=np.int64)[draw.weighted("visits", rows, (86, 10, 3, 1))]
    deleted = draw.chance("deleted", rows, 0.015).astype(np.int64)
    previous = (ordinal > 0) & draw.chance("again", rows, 0.05)
    recall, warranty = (
        np.where(previous & (rows % 2 == 0), rows - 1, -1),
        np.where(previous & (rows % 2 == 1), rows - 1, -1),
    )
    project = np.where(draw.chance("project", rows, 0.03), rows, -1)
    for row, hand in by_hand:
        status[row] = hand.status
        visits[row] = hand.visits or visits[row]
        kind[row] = kind[row] if hand.kind is None else hand.kind
        deleted[row] = 1 if hand.deleted else deleted[row]
        recall[row] = row - 1 if hand.recall and row else recall[row]
        warranty[row] = max(row - 1, 0) if hand.warranty else warranty[row]
        project[row] = row if hand.project else project[row]

    gap = draw.between("gap", rows, 1, 10) * DAY
    last = _last_visit(draw, rows, status, people.joined[booked_by], visits * gap, now)
    first = last - (visits - 1) * gap
    created = (
        first
        - draw.between("lead", rows, 30, 14 * 24 * 60) * MINUTE
        - draw.below("lead tick", rows, 600_000_000)
    )
    created = np.minimum(created, now - 26 * HOUR - draw.below("booked", rows, 8 * DAY))
    created = trimmed(created, draw.weighted("created digits", rows, FRACTIONS))
    done = last + draw.between("took", rows, 20, 300) * MINUTE + draw.below("done tick", rows, 600_000_000)
    done = np.minimum(trimmed(done, draw.weighted("done digits", rows, FRACTIONS)), now - 2 * HOUR)
    completed = np.where(status == COMPLETED, done, NEVER)
    modified = last_touched(draw, rows, np.where(status == COMPLETED, done, created), now)
    visit_starts, _, _ = count_up(visits + deleted)
    return Jobs(
        seed=seed,
        now=now,
        customer=people.site_customer[site],
        site=site,
        kind=kind,
        status=status,
        visits=visits,
        deleted=deleted,
        visit_start=visit_starts,
        gap=gap,
        last=last,
        created=created,
        completed=completed,
        modified=modified,
        recall=recall,
        warranty=warranty,
        project=project,
        by_hand=by_hand,
    )


def _last_visit(draw: Draw, rows: Ints, status: Ints, joined: Ints, before: Ints, now: int) -> Ints:
    """When the last visit of each job starts: by status, on the half hour, in working hours of Arizona."""
    share = draw.unit("when", rows)
    earliest = joined + before + 15 * DAY
    past = earliest + (share * np.maximum(now - 9 * HOUR - earliest, HOUR)).astype(np.int64)
    moment = past
    moment = np.where(status == SCHEDULED, now + (share * 30 * DAY).astype(np.int64) + HOUR, moment)
    running = (status == DISPATCHED) | (status == IN_PROGRESS)
    moment = np.where(running, now - (share * 2 * HOUR).astype(np.int64), moment)
    moment = np.where(status == HOLD, now - DAY - (share * 60 * DAY).astype(np.int64), moment)
    hour = draw.between("half hour", rows, 28, 46) * 30 * MINUTE
    in_hours = np.where(running, moment // (30 * MINUTE) * 30 * MINUTE, moment // DAY * DAY + hour)
    closed = (status == COMPLETED) | (status == CANCELED)
    return np.where(closed & (in_hours > now - 8 * HOUR), in_hours - DAY, in_hours)


def job_columns(
    jobs: Jobs,
    invoice_start: Ints,
    totals: Ints,
    lead_call: Ints,
    technicians: int,
    *,
    fields: Sequence[Field],
    storage: str,
) -> Columns:
    """The vendor's jobs; `totals` in cents, `lead_call` is a call's row or -1; `fields` are its custom fields."""
    draw = Draw(jobs.seed, "jobs")
    more = tuple(field for field in fields if field not in JOB_FIELDS)
    every = np.arange(len(jobs), dtype=np.int64)
    hands = dict(jobs.by_hand)
    lead_call_known: Flags = lead_call >= 0

    def render(rows: Ints) -> list[Record]:
        columns = zip(
            rows.tolist(),
            jobs.customer[rows].tolist(),
            jobs.site[rows].tolist(),
            jobs.kind[rows].tolist(),
            jobs.status[rows].tolist(),
            jobs.visits[rows].tolist(),
            jobs.visit_start[rows].tolist(),
            invoice_start[rows].tolist(),
            totals[rows].tolist(),
            np.where(lead_call_known[rows], CALL + lead_call[rows], 0).tolist(),
            jobs.recall[rows].tolist(),
            jobs.warranty[rows].tolist(),
            jobs.project[rows].tolist(),
            draw.below("looks", rows, 1 << 30).tolist(),
            _custom(draw, rows, hands, more),
            _summaries(draw, rows, hands, storage),
            write_many(jobs.created[rows]),
            write_many(jobs.completed[rows]),
            write_many(jobs.modified[rows]),
            strict=True,
        )
        return [
            {
                "summary": names.SUMMARIES[looks % len(names.SUMMARIES)] if summary is None else summary,
                "customFields": custom,
                "externalData": [],
                "id": JOB + row,
                "jobNumber": str(JOB + row),
                "projectId": PROJECT + project if project >= 0 else None,
                "customerId": CUSTOMER + customer,
                "locationId": LOCATION + site,
                "jobStatus": STATUSES[status],
                "completedOn": completed,
                "businessUnitId": UNIT + JOB_TYPES[kind][1],
                "jobTypeId": JOB_TYPE + kind,
                "priority": ("Low", "High", "Urgent", JOB_TYPES[kind][3])[min(looks // 12 % 20, 3)],
                "campaignId": CAMPAIGN + looks // 7 % len(CAMPAIGNS),
                "appointmentCount": visits,
                "firstAppointmentId": APPOINTMENT + visit,
                "lastAppointmentId": APPOINTMENT + visit + visits - 1,
                "recallForId": JOB + recall if recall >= 0 else None,
                "warrantyId": JOB + warranty if warranty >= 0 else None,
                "jobGeneratedLeadSource": {"jobId": None, "employeeId": None},
                "noCharge": kind in (13, 14),
                "notificationsEnabled": looks % 9 != 0,
                "createdOn": created,
                "createdById": USER_OF_OFFICE + looks // 3 % 4,
                "modifiedOn": modified,
                "tagTypeIds": _tags(looks, kind),
                "leadCallId": call or None,
                "partnerLeadCallId": None,
                "bookingId": None,
                "soldById": TECHNICIAN + looks // 11 % technicians if looks % 6 == 0 else None,
                "customerPo": f"PO-{looks % 9973}" if looks % 23 == 0 else "",
                "invoiceId": INVOICE + invoice,
                "membershipId": None,
                "total": total / 100,
                "createdFromEstimateId": None,
                "estimateIds": [],
                "active": True,
            }
            for (
                row,
                customer,
                site,
                kind,
                status,
                visits,
                visit,
                invoice,
                total,
                call,
                recall,
                warranty,
                project,
                looks,
                custom,
                summary,
                created,
                completed,
                modified,
            ) in columns
        ]

    keys = {
        "customerId": CUSTOMER + jobs.customer,
        "locationId": LOCATION + jobs.site,
        "jobTypeId": JOB_TYPE + jobs.kind,
        "projectId": np.where(jobs.project >= 0, PROJECT + jobs.project, 0),
    }
    active = np.ones(len(jobs), dtype=np.bool_)
    return Columns(JOB + every, jobs.created, jobs.modified, active, render, keys)


def _tags(looks: int, kind: int) -> list[int]:
    tags = [TAG + 5] if kind == 13 else []
    if looks % 5 == 0:
        tags += [
            TAG + tag for tag in {looks // 5 % len(TAGS), looks // 67 % len(TAGS)} if TAG + tag not in tags
        ]
    return tags


def _summaries(draw: Draw, rows: Ints, hands: dict[int, JobCase], storage: str) -> list[str | None]:
    """Summaries that show a picture; None for those that do not."""
    written: list[str | None] = [None] * len(rows)
    for at in np.flatnonzero(draw.chance("picture", rows, 0.02)).tolist():
        image = f"{int(draw.bits('image', rows[at : at + 1])[0]):016x}"
        written[at] = texts.picture_note(image, int(rows[at]), storage)
    for at in np.flatnonzero(rows <= max(hands, default=-1)).tolist():
        hand = hands.get(int(rows[at]))
        if hand is not None:
            written[at] = texts.finished(hand.summary, storage) if hand.summary else None
    return written


def _custom(draw: Draw, rows: Ints, hands: dict[int, JobCase], more: Sequence[Field]) -> list[list[Record]]:
    """The priority bucket on seven jobs of eight, other fields now and then; values are never null here."""
    bucket = draw.below("bucket", rows, len(BUCKETS)).tolist()
    without = draw.chance("no bucket", rows, 0.12).tolist()
    other = draw.below("other fields", rows, 1 << 20).tolist()
    drawn: list[list[Record]] = []
    for row, place, none, number in zip(rows.tolist(), bucket, without, other, strict=True):
        hand = hands.get(row)
        if hand is not None and hand.bucket is not None:
            place, none = hand.bucket, False
        fields: list[Record] = []
        if not none:
            fields.append(_value(0, BUCKETS[place]))
        if number % 10 == 0 or row == 0:
            fields.append(_value(1, f"PRM–{number % 10_000:04d}/{number % 3}"))
        if number % 9 == 0 or row == 0:
            fields.append(_value(2, str(number % 40) if number % 2 else f"{number % 40}.25"))
        if number % 8 == 0 or row == 0:
            fields.append(_value(3, ("Yes", "No", "Unknown")[number % 3]))
        drawn.append(fields)
    if more:
        for fields, extra in zip(drawn, custom_values(draw, rows, more), strict=True):
            fields += [{**field, "value": field["value"] or ""} for field in extra]
    return drawn


def _value(field: int, value: str) -> Record:
    type_id, name, _, _ = JOB_FIELDS[field]
    return {"typeId": type_id, "name": name, "value": value}
