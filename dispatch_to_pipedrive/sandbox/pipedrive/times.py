"""How are times written? The account's own stamps, and what it accepts from a client."""

import re
from datetime import UTC, date, datetime
from email.utils import formatdate
from functools import lru_cache

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)\Z")
_SPACED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\Z")
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?\Z")
_SPAN = re.compile(r"(\d{2,3}):([0-5]\d)(?::([0-5]\d))?\Z")


@lru_cache(maxsize=64)
def v2_stamp(seconds: int) -> str:
    """Epoch seconds as v2 writes them."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=64)
def v1_stamp(seconds: int) -> str:
    """Epoch seconds as v1 writes them."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


@lru_cache(maxsize=64)
def http_date(seconds: int) -> bytes:
    """Epoch seconds as a Date header (RFC 7231)."""
    return formatdate(seconds, usegmt=True).encode()


def to_v1(stamp: str) -> str:
    """A v2 stamp in v1's form."""
    return stamp.replace("T", " ").removesuffix("Z")


@lru_cache(maxsize=1024)
def epoch(stamp: str) -> int:
    """A stamp of this account, v2's or v1's form, as epoch seconds."""
    return int(
        datetime.fromisoformat(stamp.replace(" ", "T").removesuffix("Z")).replace(tzinfo=UTC).timestamp()
    )


def read_moment(text: str, *, spaced: bool) -> str | None:
    """A client's time as a v2 stamp; None if it is none. Whole seconds only; `spaced` allows v1's form too."""
    if not (_RFC3339.match(text) or (spaced and _SPACED.match(text))):
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def read_spaced(text: str) -> str | None:
    """A client's 'YYYY-MM-DD HH:MM:SS' as a v2 stamp; None if it is none."""
    return read_moment(text, spaced=True) if _SPACED.match(text) else None


def is_date(text: str) -> bool:
    """Is this YYYY-MM-DD and a day that exists?"""
    if not _DATE.match(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def read_time(text: str, *, seconds: bool = True) -> str | None:
    """HH:MM or HH:MM:SS of a day, with seconds (or as it came); None if it is none."""
    found = _TIME.match(text)
    if not found:
        return None
    return f"{found[1]}:{found[2]}:{found[3] or '00'}" if seconds else text


def read_span(text: str, *, seconds: bool = True, long: bool = False) -> str | None:
    """HH:MM or HH:MM:SS of a duration, under 24 hours unless `long`; None if it is none."""
    found = _SPAN.match(text)
    if not found or (int(found[1]) >= 24 and not long):
        return None
    return f"{found[1]}:{found[2]}:{found[3] or '00'}" if seconds else text
