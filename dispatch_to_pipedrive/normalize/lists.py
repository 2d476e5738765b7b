"""How many rows of one owner become one list: built as Arrow arrays, in one piece for all owners."""

import numpy as np
import pandas as pd
import pyarrow as pa

TEXTS = pd.ArrowDtype(pa.list_(pa.string()))
POINT = pa.struct([("value", pa.string()), ("label", pa.string()), ("primary", pa.bool_())])
POINTS = pd.ArrowDtype(pa.list_(POINT))
FIELD = pa.struct([("name", pa.string()), ("value", pa.string())])
FIELDS = pd.ArrowDtype(pa.list_(FIELD))


def listed(owners: pd.Series, keys: pd.Series, items: pa.Array) -> pd.Series:
    """For each owner the list of the items whose key it is, in their order; missing where there is none.

    `owners` are distinct; `items` stand beside `keys`, and those of unknown owners fall away.
    """
    codes = pd.Index(owners).get_indexer(pd.Index(keys))
    order = np.argsort(codes, kind="stable")
    order = order[codes[order] >= 0]
    counts = np.bincount(codes[codes >= 0], minlength=len(owners))
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), type=pa.int32())
    lists = pa.ListArray.from_arrays(offsets, items.take(pa.array(order)), mask=pa.array(counts == 0))
    return pd.Series(lists, index=owners.index, dtype=pd.ArrowDtype(lists.type))


def texts(values: pd.Series) -> pa.Array:
    """A text column as an Arrow array of strings."""
    return arrow(values.astype("string"), pa.string())


def arrow(values: pd.Series, kind: pa.DataType) -> pa.Array:
    """A column as one Arrow array of the given type."""
    array = pa.array(values, type=kind)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
