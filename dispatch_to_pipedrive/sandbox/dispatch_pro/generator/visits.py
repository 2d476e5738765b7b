"""Who went where and when: appointments, who was assigned to them, and the hours they wrote down."""

from dataclasses import dataclass

import numpy as np

from ..draw import Draw, Flags, count_up
from ..table import Columns, Record
from ..times import DAY, HOUR, MINUTE, NEVER, Ints, trimmed, write_many
from . import names
from .catalog import OFFICE, TECHNICIAN, USER_OF_OFFICE
from .customers import CUSTOMER, FRACTIONS, last_touched
from .edges import CANCELED
from .jobs import APPOINTMENT, JOB, Jobs

ASSIGNMENT, TIMESHEET = 520_000_000, 600_000_000
V_SCHEDULED, V_DISPATCHED, V_WORKING, V_HOLD, V_DONE, V_CANCELED = range(6)
STATUSES = ("Scheduled", "Dispatched", "Working", "Hold", "Done", "Canceled")


@dataclass(frozen=True)
class Visits:
    """All appointments by row."""

    seed: int
    now: int
    job: Ints
    number: Ints
    status: Ints
    start: Ints
    length: Ints
    unused: Flags
    active: Flags
    created: Ints
    modified: Ints
    crew: Ints

    def __len__(self) -> int:
        return len(self.job)


@dataclass(frozen=True)
class Assignments:
    """All appointment assignments by row."""

    visit: Ints
    technician: Ints
    active: Flags
    created: Ints


def make_visits(jobs: Jobs) -> Visits:
    """The appointments of all jobs; deleted ones come after the job's own and have the next number."""
    draw = Draw(jobs.seed, "appointments")
    _, job, ordinal = count_up(jobs.visits + jobs.deleted)
    rows = np.arange(len(job), dtype=np.int64)
    last = ordinal == jobs.visits[job] - 1
    gone = ordinal >= jobs.visits[job]
    of_job = jobs.status[job]
    final = np.array([V_DONE, V_CANCELED, V_SCHEDULED, V_DISPATCHED, V_WORKING, V_HOLD], dtype=np.int64)[
        of_job
    ]
    status = np.where(last, final, np.where(draw.chance("came", rows, 0.85), V_DONE, V_CANCELED))
    status = np.where(gone, V_CANCELED, status)
    status = np.where((of_job == CANCELED) & draw.chance("all off", rows, 0.6), V_CANCELED, status)
    unused = (status == V_CANCELED) & ~gone & draw.chance("unused", rows, 0.3) & (of_job != CANCELED)
    start = jobs.last[job] - (jobs.visits[job] - 1 - ordinal) * jobs.gap[job]
    start = np.where(gone, jobs.last[job] + 2 * HOUR, start)
    length = draw.between("length", rows, 1, 9) * 30 * MINUTE
    lead = np.where(ordinal > 0, draw.below("later", rows, HOUR), 0)
    created = np.minimum(jobs.created[job] + lead, jobs.now - 25 * HOUR)
    created = np.maximum(
        trimmed(created, draw.weighted("created digits", rows, FRACTIONS)), jobs.created[job]
    )
    done = status == V_DONE
    earliest = np.where(done, np.maximum(np.minimum(start + length, jobs.now - 2 * HOUR), created), created)
    modified = last_touched(draw, rows, earliest, jobs.now)
    crew = np.array([1, 2, 3], dtype=np.int64)[draw.weighted("crew", rows, (85, 12, 3))]
    none = ((status == V_SCHEDULED) & draw.chance("unassigned", rows, 0.25)) | (
        (status == V_CANCELED) & draw.chance("nobody", rows, 0.5)
    )
    crew = np.where(none, 0, crew)
    for row, hand in jobs.by_hand:
        first, count = int(jobs.visit_start[row]), int(jobs.visits[row])
        if hand.crew is not None:
            crew[first : first + count] = hand.crew
        if hand.unused:
            unused[first] = True
            status[first] = V_CANCELED
    return Visits(
        seed=jobs.seed,
        now=jobs.now,
        job=job,
        number=ordinal + 1,
        status=status,
        start=start,
        length=length,
        unused=unused,
        active=~gone,
        created=created,
        modified=modified,
        crew=crew,
    )


def appointment_columns(jobs: Jobs, visits: Visits) -> Columns:
    """The vendor's appointments."""
    draw = Draw(visits.seed, "appointments")
    every = np.arange(len(visits), dtype=np.int64)
    window = visits.start // HOUR * HOUR
    no_window = draw.chance("no window", every, 0.1)

    def render(rows: Ints) -> list[Record]:
        from_ = np.where(no_window[rows], NEVER, window[rows])
        until = np.where(no_window[rows], NEVER, window[rows] + 4 * HOUR)
        columns = zip(
            rows.tolist(),
            visits.job[rows].tolist(),
            visits.number[rows].tolist(),
            write_many(visits.start[rows]),
            write_many(visits.start[rows] + visits.length[rows]),
            write_many(from_),
            write_many(until),
            visits.status[rows].tolist(),
            draw.below("looks", rows, 1 << 20).tolist(),
            write_many(visits.created[rows]),
            write_many(visits.modified[rows]),
            jobs.customer[visits.job[rows]].tolist(),
            visits.unused[rows].tolist(),
            visits.active[rows].tolist(),
            strict=True,
        )
        return [
            {
                "id": APPOINTMENT + row,
                "jobId": JOB + job,
                "appointmentNumber": f"{JOB + job}-{number}",
                "start": start,
                "end": end,
                "arrivalWindowStart": opens,
                "arrivalWindowEnd": closes,
                "status": STATUSES[status],
                "specialInstructions": names.INSTRUCTIONS[looks % len(names.INSTRUCTIONS)],
                "createdOn": created,
                "modifiedOn": modified,
                "customerId": CUSTOMER + customer,
                "unused": unused,
                "createdById": USER_OF_OFFICE + looks % 4,
                "isConfirmed": looks % 3 == 0,
                "active": active,
            }
            for (
                row,
                job,
                number,
                start,
                end,
                opens,
                closes,
                status,
                looks,
                created,
                modified,
                customer,
                unused,
                active,
            ) in columns
        ]

    keys = {"jobId": JOB + visits.job, "customerId": CUSTOMER + jobs.customer[visits.job]}
    return Columns(APPOINTMENT + every, visits.created, visits.modified, visits.active.copy(), render, keys)


def make_assignments(jobs: Jobs, visits: Visits, technicians: int) -> Assignments:
    """The crew of each appointment, and those who were taken off it again (inactive rows)."""
    draw = Draw(visits.seed, "assignments")
    every = np.arange(len(visits), dtype=np.int64)
    replaced = draw.chance("replaced", every, 0.08).astype(np.int64) * (visits.crew > 0)
    _, visit, ordinal = count_up(visits.crew + replaced)
    rows = np.arange(len(visit), dtype=np.int64)
    lead = draw.below("lead", visits.job[visit], technicians)
    for row, hand in jobs.by_hand:
        if hand.technician is not None:
            lead[visits.job[visit] == row] = hand.technician
    active = (ordinal >= replaced[visit]) & visits.active[visit]
    created = visits.created[visit] + draw.below("assigned", rows, HOUR)
    return Assignments(visit, (lead + ordinal) % technicians, active, created)


def assignment_columns(visits: Visits, made: Assignments, technician_names: tuple[str, ...]) -> Columns:
    """The vendor's appointment assignments; their status knows neither Hold nor Canceled."""
    draw = Draw(visits.seed, "assignments")
    every = np.arange(len(made.visit), dtype=np.int64)
    modified = last_touched(draw, every, made.created, visits.now)
    statuses = ("Scheduled", "Dispatched", "Working", "Working", "Done", "Scheduled")

    def render(rows: Ints) -> list[Record]:
        visit = made.visit[rows]
        columns = zip(
            rows.tolist(),
            visit.tolist(),
            visits.job[visit].tolist(),
            visits.status[visit].tolist(),
            made.technician[rows].tolist(),
            made.active[rows].tolist(),
            write_many(made.created[rows]),
            write_many(modified[rows]),
            strict=True,
        )
        return [
            {
                "id": ASSIGNMENT + row,
                "technicianId": TECHNICIAN + technician,
                "technicianName": technician_names[technician],
                "assignedById": OFFICE + row % 2,
                "assignedOn": created,
                "status": statuses[status],
                "isPaused": status == V_HOLD,
                "jobId": JOB + job,
                "appointmentId": APPOINTMENT + at,
                "createdOn": created,
                "modifiedOn": changed,
                "active": active,
            }
            for row, at, job, status, technician, active, created, changed in columns
        ]

    keys = {
        "appointmentId": APPOINTMENT + made.visit,
        "jobId": JOB + visits.job[made.visit],
        "technicianId": TECHNICIAN + made.technician,
    }
    return Columns(ASSIGNMENT + every, made.created, modified, made.active.copy(), render, keys)


def timesheet_columns(visits: Visits, made: Assignments) -> Columns:
    """The vendor's job timesheets: for each one who went, but 5 % who wrote nothing down."""
    draw = Draw(visits.seed, "timesheets")
    every = np.arange(len(made.visit), dtype=np.int64)
    of_visit = visits.status[made.visit]
    went = np.isin(of_visit, (V_DISPATCHED, V_WORKING, V_DONE)) | (
        np.isin(of_visit, (V_CANCELED, V_HOLD)) & draw.chance("on the way", every, 0.1)
    )
    kept = np.flatnonzero(went & made.active & ~draw.chance("forgot", every, 0.05)).astype(np.int64)
    rows = np.arange(len(kept), dtype=np.int64)
    visit, technician = made.visit[kept], made.technician[kept]
    status, planned, now = visits.status[visit], visits.start[visit], visits.now
    left = planned - draw.between("drive", rows, 5, 60) * MINUTE - draw.below("left tick", rows, 600_000_000)
    left = trimmed(np.minimum(left, now - 100 * MINUTE), draw.weighted("left digits", rows, FRACTIONS))
    came = left + draw.between("arrive", rows, 4, 40) * MINUTE + draw.below("came tick", rows, 600_000_000)
    ended = came + draw.between("work", rows, 10, 300) * MINUTE
    over_midnight = draw.chance("forgot to close", rows, 0.005)
    ended = np.minimum(np.where(over_midnight, ended + DAY, ended), now - 30 * MINUTE)
    arrived = np.where((status == V_DONE) | (status == V_WORKING), came, NEVER)
    done = np.where(status == V_DONE, np.maximum(ended, came), NEVER)
    canceled = np.where((status == V_CANCELED) | (status == V_HOLD), came, NEVER)
    active = ~draw.chance("struck", rows, 0.01)
    modified = last_touched(draw, rows, np.maximum(np.maximum(done, canceled), left), now)

    def render(wanted: Ints) -> list[Record]:
        columns = zip(
            wanted.tolist(),
            visit[wanted].tolist(),
            visits.job[visit[wanted]].tolist(),
            technician[wanted].tolist(),
            write_many(left[wanted]),
            write_many(arrived[wanted]),
            write_many(canceled[wanted]),
            write_many(done[wanted]),
            write_many(modified[wanted]),
            active[wanted].tolist(),
            strict=True,
        )
        return [
            {
                "id": TIMESHEET + row,
                "jobId": JOB + job,
                "appointmentId": APPOINTMENT + at,
                "technicianId": TECHNICIAN + who,
                "dispatchedOn": out,
                "arrivedOn": there,
                "canceledOn": off,
                "doneOn": finished,
                "createdOn": out,
                "modifiedOn": changed,
                "active": is_active,
            }
            for row, at, job, who, out, there, off, finished, changed, is_active in columns
        ]

    keys = {
        "jobId": JOB + visits.job[visit],
        "appointmentId": APPOINTMENT + visit,
        "technicianId": TECHNICIAN + technician,
    }
    return Columns(TIMESHEET + rows, left, modified, active.copy(), render, keys)
