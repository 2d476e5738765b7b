"""How the vendor writes a moment: UTC text with 0 to 7 fractional digits, trailing zeros trimmed.

Inside the sandbox a moment is a number of ticks: 100 ns since 1970, UTC.
"""

import re
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

TICKS = 10_000_000
DAY = 86_400 * TICKS
HOUR = 3_600 * TICKS
MINUTE = 60 * TICKS
NEVER = np.iinfo(np.int64).min

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION = re.compile(r"\.(\d+)")


def ticks_of(moment: datetime) -> int:
    """An aware moment in ticks."""
    gone = moment - _EPOCH
    return (gone.days * 86_400 + gone.seconds) * TICKS + gone.microseconds * 10


def parse_ticks(text: str) -> int:
    """A vendor timestamp, or any ISO date or time, in ticks; no offset means UTC. Raises ValueError."""
    found = _FRACTION.search(text)
    digits = found.group(1) if found else ""
    plain = text.replace(found.group(0), "", 1) if found else text
    moment = datetime.fromisoformat(plain.strip())
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return ticks_of(moment) + int(digits[:7].ljust(7, "0") or 0)


def write_ticks(ticks: int) -> str:
    """One moment as the vendor writes it."""
    return write_many(np.array([ticks], dtype=np.int64))[0] or ""


def write_many(ticks: Ints) -> list[str | None]:
    """Moments as the vendor writes them; `NEVER` becomes None."""
    missing = ticks == NEVER
    known = np.where(missing, 0, ticks)
    seconds = np.datetime_as_string((known // TICKS).astype("datetime64[s]")).tolist()
    fractions = (known % TICKS).tolist()
    written: list[str | None] = [
        f"{second}Z" if not fraction else f"{second}.{fraction:07d}".rstrip("0") + "Z"
        for second, fraction in zip(seconds, fractions, strict=True)
    ]
    for row in np.flatnonzero(missing).tolist():
        written[row] = None
    return written


def write_dates(ticks: Ints) -> list[str | None]:
    """Business dates: the calendar day (UTC) as midnight, which is how the vendor sends them."""
    return write_many(np.where(ticks == NEVER, NEVER, ticks // DAY * DAY))


def trimmed(ticks: Ints, digits: Ints) -> Ints:
    """Moments cut to `digits` (0 to 7) fractional digits each."""
    unit = np.power(10, 7 - digits, dtype=np.int64)
    return ticks // unit * unit
