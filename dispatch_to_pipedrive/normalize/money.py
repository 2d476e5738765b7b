"""How money is added: as whole ten-thousandths, so that no cent is lost, and rounded to cents once at the end."""

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from dispatch_to_pipedrive.normalize.lists import arrow

SCALE = 4
CENTS = pd.ArrowDtype(pa.decimal128(18, 2))


def units(values: pd.Series) -> pd.Series:
    """Decimals as whole ten-thousandths (Int64, exact); missing stays missing."""
    decimals = arrow(values, pa.decimal128(18, SCALE))
    shifted = pc.multiply(decimals, pa.scalar(10**SCALE, pa.decimal128(SCALE + 1, 0)))
    whole = shifted.cast(pa.decimal128(38, SCALE)).cast(pa.int64())
    return pd.Series(whole, index=values.index, dtype=pd.ArrowDtype(pa.int64())).astype("Int64")


def cents(values: pd.Series) -> pd.Series:
    """Ten-thousandths as decimals with two digits, halves away from zero."""
    whole = values.astype("Int64")
    sign = (whole < 0).astype("Int64") * -2 + 1
    rounded = (whole.abs() + 50) // 100 * sign
    decimals = pc.divide(
        arrow(rounded, pa.int64()).cast(pa.decimal128(20, 0)), pa.scalar(100, pa.decimal128(3, 0))
    )
    return pd.Series(decimals.cast(pa.decimal128(18, 2)), index=values.index, dtype=CENTS)
