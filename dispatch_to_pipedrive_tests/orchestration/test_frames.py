"""Frames come back as they were: types, missing values, lists, decimals."""

from decimal import Decimal

import pandas as pd
import pyarrow as pa
from pandas.testing import assert_frame_equal

from dispatch_to_pipedrive.normalize.lists import POINTS, TEXTS
from dispatch_to_pipedrive.normalize.money import CENTS
from dispatch_to_pipedrive.orchestration.io_managers import from_parquet, to_parquet

FRAME = pd.DataFrame(
    {
        "source_key": pd.Series(["job:1/deal", "job:2/deal"], dtype=pd.StringDtype()),
        "root": pd.Series([1, None], dtype="Int64"),
        "done": pd.Series([True, None], dtype="boolean"),
        "value": pd.Series([Decimal("12.30"), None], dtype=CENTS),
        "labels": pd.Series([["VIP", "Ünïcode"], None], dtype=TEXTS),
        "emails": pd.Series([[{"value": "a@b.c", "label": "work", "primary": True}], None], dtype=POINTS),
        "name": pd.Series([None, "שלום"], dtype=pd.StringDtype()),
    }
)


def test_a_frame_survives_parquet() -> None:
    assert_frame_equal(from_parquet(to_parquet(FRAME)), FRAME)


def test_an_empty_frame_keeps_its_types() -> None:
    assert_frame_equal(from_parquet(to_parquet(FRAME.head(0))), FRAME.head(0))


def test_the_same_frame_gives_the_same_bytes() -> None:
    assert to_parquet(FRAME) == to_parquet(FRAME.copy())
    assert pa.BufferReader(to_parquet(FRAME)).size() > 0
