"""What else the company has configured: skills, teams, arrival windows, business hours and why jobs are on hold."""

from collections.abc import Iterable, Sequence

import numpy as np

from ..ids import Digits
from ..table import Columns, Record
from ..times import parse_ticks
from .catalog import JOB_TYPE, JOB_TYPES, SKILLS, TECHNICIAN, UNIT, UNITS, USER_OF_OFFICE, settled_times

HOLD_REASON, TEAM, WINDOW, SKILL = 191, 7401, 7501, 781_000
HOLD_REASONS = ("Parts on order", "Waiting for permit", "Customer undecided", "Weather", "Old <reason>")
# start, duration, active
WINDOWS = (
    ("08:00:00", "04:00:00", True),
    ("12:00:00", "04:00:00", True),
    ("16:00:00", "04:00:00", True),
    ("07:30:00", "01:30:00", True),
    ("00:00:00", "23:59:00", False),
)
HOURS = {
    "weekdays": [{"fromHour": 7, "toHour": 12}, {"fromHour": 13, "toHour": 19}],
    "saturday": [{"fromHour": 8, "toHour": 14}],
    "sunday": [],
}
# Fields that a list keeps for itself: the vendor does not show when a window was made.
UNSHOWN = ("createdOn", "modifiedOn")


def fixed(records: Iterable[Record]) -> Columns:
    """A small table written out whole; ids may be numbers or digits as text."""
    rows = list(records)
    spelled = {"id": Digits()} if rows and isinstance(rows[0]["id"], str) else {}
    return Columns(
        ids=np.array([int(r["id"]) for r in rows], dtype=np.int64),
        created=np.array([parse_ticks(r["createdOn"]) for r in rows], dtype=np.int64),
        modified=np.array([parse_ticks(r["modifiedOn"]) for r in rows], dtype=np.int64),
        active=np.array([r.get("active", True) for r in rows], dtype=np.bool_),
        render=lambda wanted: [rows[at] for at in wanted.tolist()],
        spelled=spelled,
    )


def tables(technicians: Sequence[Record], now: int) -> dict[str, Columns]:
    """The tables by feed name."""
    return {
        "job_hold_reasons": fixed(
            {"id": HOLD_REASON + at, "name": name, "active": at != 4, **settled_times(now, at)}
            for at, name in enumerate(HOLD_REASONS)
        ),
        "teams": fixed(_team(now, at) for at in range(len(UNITS) + 1)),
        "arrival_windows": fixed(_window(now, at) for at in range(len(WINDOWS))),
        "technician_skills": fixed(_skills(technicians, now)),
    }


def _team(now: int, at: int) -> Record:
    """A team bears the name of a unit, as technicians name it; the last one is gone."""
    return {
        "id": TEAM + at,
        "active": at < len(UNITS),
        "name": UNITS[at][0] if at < len(UNITS) else "Night Owls 🦉",
        "createdBy": USER_OF_OFFICE + 3 if at % 2 else None,
        **settled_times(now, at),
    }


def _window(now: int, at: int) -> Record:
    start, duration, active = WINDOWS[at]
    units = [] if at == 4 else [UNIT + unit for unit in range(at % 2, len(UNITS))]
    return {
        "id": WINDOW + at,
        "start": start,
        "duration": duration,
        "businessUnitIds": units,
        "active": active,
        **settled_times(now, at),
    }


def _skills(technicians: Sequence[Record], now: int) -> list[Record]:
    """Each technician's own skill, for some a second one, one of them no longer valid."""
    made: list[Record] = []
    for at, technician in enumerate(technicians):
        first = technician["skills"][0]["name"]
        for name in (first, "Permits & “codes”") if at % 3 == 0 else (first,):
            kinds = [JOB_TYPE + kind for kind, row in enumerate(JOB_TYPES) if skill_of(row[1]) == name]
            made.append(
                {
                    "id": str(SKILL + len(made)),
                    "name": name,
                    "active": at != 4,
                    "technicianId": TECHNICIAN + at,
                    "jobTypeIds": kinds or None,
                    **settled_times(now, at),
                }
            )
    return made


def skill_of(unit: int) -> str:
    """What work of a unit takes."""
    return SKILLS[min(unit, len(SKILLS) - 1)]
