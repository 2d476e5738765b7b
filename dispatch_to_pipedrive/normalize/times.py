"""What a timestamp of the source is here: text in UTC ending in Z, with the digits the source gave."""

from datetime import UTC, datetime

import pandas as pd

WELL_FORMED = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z"
NEVER = "0001-01-01T00:00:00"
"""The vendor's platform writes its smallest time where there is none."""


class BadTimestamp(ValueError):
    """A timestamp of the source that cannot be read."""

    def __init__(self, feed: str, field: str, value: str) -> None:
        self.feed = feed
        self.field = field
        self.value = value
        super().__init__(
            f"{feed}.{field}: {value!r} is no timestamp (ISO 8601, such as 2025-10-24T14:59:42.10313Z)"
        )


def utc(frame: pd.DataFrame, feed: str, field: str) -> pd.Series:
    """A column of timestamps as UTC texts; blank and never become missing, other offsets are turned into UTC."""
    values = frame[field].astype("string").str.strip()
    values = values.where((values != "") & ~values.str.startswith(NEVER).fillna(False))
    odd = values.notna() & ~values.str.fullmatch(WELL_FORMED).fillna(False).astype(bool)
    if odd.any():
        read = {value: _read(feed, field, value) for value in values[odd].unique()}
        values = values.where(~odd, values[odd].map(read).reindex(values.index))
    return values.astype("string")


def order(values: pd.Series) -> pd.Series:
    """A key that sorts UTC texts by time: without the Z, a shorter fraction comes before a longer one."""
    return values.str.removesuffix("Z")


def _read(feed: str, field: str, value: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise BadTimestamp(feed, field, value) from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    fraction = value.partition(".")[2]
    digits = fraction[: len(fraction) - len(fraction.lstrip("0123456789"))]
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{digits}" if digits else "") + "Z"
