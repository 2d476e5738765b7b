"""How much the company can still take on: hours in each arrival window of the days asked for."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson

from .draw import Draw
from .errors import invalid
from .table import Record
from .tenant import Tenant
from .times import DAY, HOUR, TICKS, parse_ticks, write_ticks

MOST_DAYS = 14
_LOCAL = -7 * HOUR  # Arizona, where the tenant is, knows no summer time
_REQUIRED = ("startsOnOrAfter", "endsOnOrBefore", "skillBasedAvailability")
_KEYS = {*_REQUIRED, "businessUnitIds", "jobTypeId"}


def capacity(tenant: Tenant, body: bytes, now: int) -> tuple[bytes, int]:
    """The answer to `POST /capacity` and its number of time frames. A read, though it is a POST."""
    asked = _asked(body)
    start, end = (_moment(name, asked[name]) for name in _REQUIRED[:2])
    if end <= start:
        raise invalid("endsOnOrBefore", "The end must be after the start.")
    if end - start > MOST_DAYS * DAY:
        raise invalid("endsOnOrBefore", f"The time frame must not exceed {MOST_DAYS} days.")
    units = asked.get("businessUnitIds") or _ids(tenant, "business_units")
    needed = _skills(tenant, asked.get("jobTypeId"))
    staff = [one for one in _all(tenant, "technicians") if one["active"]]
    windows = [window for window in _all(tenant, "arrival_windows") if window["active"]]
    frames = []
    for day in range((start + _LOCAL) // DAY, (end + _LOCAL) // DAY + 1):
        for at, window in enumerate(windows):
            opens = day * DAY + _span(window["start"])
            closes = opens + _span(window["duration"])
            if start <= opens - _LOCAL and closes - _LOCAL <= end:
                mine = [unit for unit in units if unit in window["businessUnitIds"]]
                frames.append(_frame(tenant.seed, day * 100 + at, opens, closes, mine, staff, needed))
    return orjson.dumps({"timeStamp": write_ticks(now), "availabilities": frames}), len(frames)


def _frame(
    seed: int,
    row: int,
    opens: int,
    closes: int,
    units: list[int],
    staff: list[Record],
    needed: set[str] | None,
) -> Record:
    draw, rows = Draw(seed, "capacity"), np.arange(row * 100, row * 100 + len(staff) + 1, dtype=np.int64)
    there = draw.chance("there", rows, 0.8).tolist()
    hours = (closes - opens) / HOUR
    technicians = []
    for technician, works in zip(staff, there, strict=False):
        has = None if needed is None else needed <= {skill["name"] for skill in technician["skills"]}
        technicians.append(
            {
                "id": technician["id"],
                "name": technician["name"],
                "status": "Available" if works else "Unavailable",
                "hasRequiredSkills": has,
            }
        )
    able = [
        one for one in technicians if one["status"] == "Available" and one["hasRequiredSkills"] is not False
    ]
    total = round(len(able) * hours, 2)
    left = round(total * float(draw.unit("open", rows[-1:])[0]), 2)
    return {
        "start": write_ticks(opens),
        "end": write_ticks(closes),
        "startUtc": write_ticks(opens - _LOCAL),
        "endUtc": write_ticks(closes - _LOCAL),
        "businessUnitIds": units,
        "totalAvailability": total,
        "openAvailability": left,
        "technicians": technicians,
        "isAvailable": left > 0,
        "isExceedingIdealBookingPercentage": left < total * 0.15,
    }


def _asked(body: bytes) -> Record:
    try:
        asked: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise invalid("request", "The request body is not valid JSON.") from None
    if not isinstance(asked, dict) or set(asked) - _KEYS:
        raise invalid("request", f"The request has only {', '.join(sorted(_KEYS))}.")
    for name in _REQUIRED:
        if asked.get(name) is None:
            raise invalid(name, f"The {name} field is required.")
    if not isinstance(asked["skillBasedAvailability"], bool):
        raise invalid("skillBasedAvailability", "The value is not a boolean.")
    return asked


def _moment(name: str, text: Any) -> int:
    try:
        return parse_ticks(str(text))
    except ValueError:
        raise invalid(name, f"The value '{text}' is not valid for {name}.") from None


def _skills(tenant: Tenant, job_type: int | None) -> set[str] | None:
    if job_type is None:
        return None
    found = tenant.tables["job_types"].get(job_type)
    if found is None:
        raise invalid("jobTypeId", f"There is no job type {job_type}.")
    return set(found["skills"])


def _span(text: str) -> int:
    """A TimeSpan in ticks."""
    moment = datetime.strptime(text, "%H:%M:%S").replace(tzinfo=UTC)
    return (moment.hour * 3600 + moment.minute * 60 + moment.second) * TICKS


def _all(tenant: Tenant, feed: str) -> list[Record]:
    return tenant.tables[feed].read(tenant.tables[feed].rows())


def _ids(tenant: Tenant, feed: str) -> list[int]:
    return [record["id"] for record in _all(tenant, feed)]
