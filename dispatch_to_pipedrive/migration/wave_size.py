"""How much goes into one wave? A quarter of a day's tokens, and no more records than are handled at once."""

from typing import NamedTuple

RECORDS = 10_000
WAVES_A_DAY = 4


class WaveSize(NamedTuple):
    """The most that a wave holds; `tokens` None where no plan limits the day."""

    records: int
    tokens: int | None


def wave_size(tokens_per_day: int | None, wave_records: int | None) -> WaveSize:
    """The limits of a wave; `wave_records` is what a setting says instead of `RECORDS`."""
    tokens = max(1, tokens_per_day // WAVES_A_DAY) if tokens_per_day else None
    return WaveSize(wave_records or RECORDS, tokens)
