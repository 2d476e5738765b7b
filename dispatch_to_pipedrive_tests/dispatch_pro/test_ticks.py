"""Timestamps keep all seven digits and their order."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_to_pipedrive.dispatch_pro.ticks import instant, ticks

TICKS = st.integers(-62_135_596_800_0000000, 253_402_300_799_9999999)


@given(st.lists(TICKS, min_size=1))
def test_every_tick_survives_its_text(values: list[int]) -> None:
    assert ticks(pa.array([instant(value) for value in values])).to_pylist() == values


def test_trimmed_zeros_zones_and_bare_dates() -> None:
    texts = ["1970-01-01T00:00:01.1Z", "1970-01-01T00:00:01.1000000Z", "1970-01-01T02:00:01.1+02:00", None]
    assert ticks(pa.array([*texts, "1970-01-02", "1970-01-01T00:00:01"])).to_pylist() == [
        *[11_000_000] * 3,
        None,
        864_000_000_000,
        10_000_000,
    ]


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-01T00:00:00.12345678Z", "2026-1-1T00:00:00Z"])
def test_what_would_not_survive_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a timestamp"):
        ticks(pa.array(["2026-01-01T00:00:00Z", text]))
