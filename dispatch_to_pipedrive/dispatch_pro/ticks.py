"""The vendor's timestamps as whole numbers that keep all of their seven digits.

Dispatch Pro counts 100 ns ticks and writes 0 to 7 fractional digits with trailing zeros trimmed. A reading to
microseconds would put records that share a microsecond in the wrong order.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

PER_SECOND = 10_000_000
_FORM = (
    r"^(?P<day>\d{4}-\d\d-\d\d)(?:[T ](?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,7}))?)?"
    r"(?P<zone>Z|z|[+-]\d\d:\d\d)?$"
)


def ticks(timestamps: pa.Array | pa.ChunkedArray) -> pa.Array:
    """ISO-8601 strings → int64 ticks of 100 ns since 1970-01-01 UTC, exactly; missing stays missing.

    Without a zone UTC is meant; a bare date is its midnight. Raises ValueError naming the first string that
    is no timestamp (also one with more than seven fractional digits: it would not survive).
    """
    if isinstance(timestamps, pa.ChunkedArray):
        timestamps = timestamps.combine_chunks()
    parts = pc.extract_regex(timestamps, pattern=_FORM)
    bad = pc.and_(pc.is_valid(timestamps), pc.is_null(parts))
    if pc.any(bad).as_py():
        raise ValueError(f"not a timestamp: {timestamps[pc.index(bad, True).as_py()].as_py()!r}")
    day, time, fraction, zone = (pc.struct_field(parts, name) for name in ("day", "time", "fraction", "zone"))
    time = pc.if_else(pc.equal(time, ""), "00:00:00", time)
    whole = pc.strptime(pc.binary_join_element_wise(day, time, "T"), "%Y-%m-%dT%H:%M:%S", "s")
    digits = pc.utf8_rpad(fraction, 7, "0").cast(pa.int64())
    seconds = pc.subtract(whole.cast(pa.int64()), _offset(zone))
    return pc.add(pc.multiply(seconds, PER_SECOND), digits)


def instant(tick: int) -> str:
    """The timestamp of a tick as the vendor writes it: `2021-07-19T20:35:38.2876004Z`."""
    seconds, fraction = divmod(tick, PER_SECOND)
    whole = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    digits = f"{fraction:07d}".rstrip("0")
    return f"{whole.isoformat()}{'.' + digits if digits else ''}Z"


def _offset(zone: pa.Array) -> pa.Array:
    """Seconds east of UTC."""
    if pc.all(pc.is_in(zone, pa.array(["Z", "z", ""]))).as_py() is not False:
        return cast("pa.Array", pa.scalar(0, pa.int64()))
    plain = pc.if_else(pc.is_in(zone, pa.array(["Z", "z", ""])), "+00:00", zone)
    hours = pc.utf8_slice_codeunits(plain, 1, 3).cast(pa.int64())
    minutes = pc.utf8_slice_codeunits(plain, 4, 6).cast(pa.int64())
    sign = pc.if_else(pc.starts_with(plain, "-"), -1, 1)
    return pc.multiply(sign, pc.add(pc.multiply(hours, 3600), pc.multiply(minutes, 60)))


def tick_of(timestamp: str) -> int:
    """The tick of one timestamp. Raises ValueError as `ticks` does."""
    (tick,) = ticks(pa.array([timestamp], pa.string())).to_pylist()
    return cast("int", tick)
