"""Who works for the company: technicians, the office, their shifts, and who of them is a Pipedrive user."""

from collections.abc import Sequence

import numpy as np

from ..draw import Draw
from ..table import Columns, Record
from ..times import DAY, HOUR, Ints, write_ticks
from . import names
from .catalog import (
    OFFICE,
    ROLES,
    SKILLS,
    TECHNICIAN,
    UNIT,
    UNITS,
    USER_OF_OFFICE,
    USER_OF_TECHNICIAN,
    ZONE,
    Field,
    settled_times,
)
from .custom_values import custom_values

SHIFT, SHIFT_DAYS = 590_000_000, 10
ODD_CASE, SPACES, LEFT, NO_USER, NO_EMAIL = 1, 2, 4, 5, 6


def technicians(draw: Draw, now: int, count: int, fields: Sequence[Field]) -> list[Record]:
    """Among them: odd case and stray spaces in e-mails, one without any, one nobody knows, one who has left."""
    rows = np.arange(count, dtype=np.int64)
    first = draw.below("first", rows, len(names.FIRST)).tolist()
    last = draw.below("last", rows, len(names.LAST)).tolist()
    homes = names.addresses(draw, rows)
    custom = custom_values(draw, rows, fields)
    return [
        _technician(at, now, f"{names.FIRST[f]} {names.LAST[la]}", home, values)
        for at, (f, la, home, values) in enumerate(zip(first, last, homes, custom, strict=True))
    ]


def _technician(at: int, now: int, name: str, home: Record, custom: list[Record]) -> Record:
    first, _, last = name.partition(" ")
    unit = at % len(UNITS)
    return {
        "id": TECHNICIAN + at,
        "userId": USER_OF_TECHNICIAN + at,
        "name": name,
        "roleIds": [21],
        "businessUnitId": UNIT + unit if at % 4 else None,
        "mainZoneId": ZONE + at % len(names.CITIES),
        "zoneIds": [ZONE + at % len(names.CITIES)],
        **settled_times(now, at),
        "email": _email(at),
        "phoneNumber": f"60255501{at:02d}",
        "loginName": f"tech{at + 1}",
        "home": {**home, "streetAddress": home["street"]},
        "dailyGoal": 2000.0,
        "isManagedTech": at % 3 != 2,
        "licenseType": ("ManagedTech", "ManagedInstaller", "NonManagedTech")[at % 3],
        "customFields": custom,
        "active": at != LEFT,
        "aadUserId": None,
        "burdenRate": 0.0,
        "team": UNITS[unit][0],
        "jobFilter": "AllScheduledDispatchedWorkingToday",
        "permissions": [],
        "accountLocked": False,
        "commissionRate": 0.0,
        "currentValue": 0.0,
        "firstName": first,
        "lastName": last,
        "hourlyRate": 24.5 + at % 9,
        "jobId": None,
        "mobilePhone": f"60255501{at:02d}",
        "outboundCallerId": None,
        "payrollId": None,
        "payrollProfileId": None,
        "appoitmentId": None,
        "shiftStart": "07:00:00",
        "shiftEnd": "16:00:00",
        "soldByRate": 0.0,
        "startDate": None,
        "status": "Idle",
        "skills": [{"id": 771 + unit, "name": SKILLS[min(unit, len(SKILLS) - 1)]}],
        "positions": ["Sales"] if unit == 5 else ["Installer"] if unit in (1, 3) else ["Service"],
        "location": {"latitude": None, "longitude": None, "coordinatesUpdatedOn": None},
        "bio": None,
        "memo": "<p>Left the company</p>" if at == LEFT else None,
    }


def _email(at: int) -> str | None:
    if at == NO_EMAIL:
        return None
    plain = f"tech{at + 1}@saguaro.example.com"
    return {ODD_CASE: plain.title(), SPACES: f" {plain} "}.get(at, plain)


def pipedrive_people(staff: Sequence[Record]) -> tuple[tuple[str, str, bool], ...]:
    """Who shall be a Pipedrive user: those with an e-mail, but for some; who has left is inactive there."""
    users = []
    for at, technician in enumerate(staff):
        if technician["email"] is None or at == NO_USER or at % 9 == 8:
            continue
        email = technician["email"].strip().lower()
        users.append((technician["name"], email.capitalize() if at == 3 else email, technician["active"]))
    return tuple(users)


def office(draw: Draw, now: int) -> list[Record]:
    """The office: one for each role, one of them gone and without an e-mail."""
    rows = np.arange(1000, 1000 + len(ROLES), dtype=np.int64)
    first = draw.below("first", rows, len(names.FIRST)).tolist()
    last = draw.below("last", rows, len(names.LAST)).tolist()
    return [
        {
            "id": OFFICE + at,
            "userId": USER_OF_OFFICE + at,
            "name": f"{names.FIRST[first[at]]} {names.LAST[last[at]]}",
            "firstName": names.FIRST[first[at]],
            "lastName": names.LAST[last[at]],
            "managerId": None,
            "role": role,
            "roleIds": [11],
            "businessUnitId": None,
            **settled_times(now, at),
            "email": f"{role.lower()}@saguaro.example.com" if at != LEFT else None,
            "phoneNumber": None,
            "loginName": role.lower(),
            "active": at != LEFT,
            "aadUserId": None,
            "accountLocked": False,
            "home": None,
            "agentId": 0,
            "startDate": None,
            "terminationDate": None,
            "hourlyRate": 0.0,
            "overtimeProfileId": None,
            "customFields": [],
            "permissions": [],
        }
        for at, role in enumerate(ROLES)
    ]


def shifts(draw: Draw, count: int, now: int) -> Columns:
    """Ten days of shifts around `now` for each of `count` technicians."""
    rows = np.arange(count * SHIFT_DAYS, dtype=np.int64)
    technician = TECHNICIAN + rows // SHIFT_DAYS
    start = (now // DAY - SHIFT_DAYS // 2 + rows % SHIFT_DAYS) * DAY + 14 * HOUR
    kind = draw.weighted("shift", rows, (90, 5, 5))
    created = start - 30 * DAY
    kinds, titles = ("Normal", "OnCall", "TimeOff"), ("Day", "On call", "Vacation")

    def render(wanted: Ints) -> list[Record]:
        return [
            {
                "id": SHIFT + row,
                "shiftType": kinds[kind[row]],
                "title": titles[kind[row]],
                "note": None,
                "active": True,
                "technicianId": int(technician[row]),
                "start": write_ticks(int(start[row])),
                "end": write_ticks(int(start[row]) + 9 * HOUR),
                "timesheetCodeId": None,
                "createdOn": write_ticks(int(created[row])),
                "modifiedOn": write_ticks(int(created[row])),
            }
            for row in wanted.tolist()
        ]

    active = np.ones(len(rows), dtype=np.bool_)
    return Columns(SHIFT + rows, created, created.copy(), active, render, {"technicianId": technician})
