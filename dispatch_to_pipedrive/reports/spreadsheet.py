"""How does a table become a CSV file that a spreadsheet opens without calculating anything?

Texts come from the source and from the account, so anybody may have written them: a cell that a spreadsheet would take
for a formula gets an apostrophe in front, which it shows as nothing.
"""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

FORMULA = r"^[=+\-@\t\r]"
"""What begins a formula for a spreadsheet."""


def guarded(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with an apostrophe before every text that a spreadsheet would calculate; numbers stay numbers."""
    texts = {
        str(name): column.astype("string").str.replace(FORMULA, lambda found: "'" + found.group(), regex=True)
        for name, column in frame.items()
        if pd.api.types.is_string_dtype(column.dtype) or column.dtype == object
    }
    return frame.assign(**texts)


def csv_text(frame: pd.DataFrame) -> str:
    """The table as CSV, guarded; a byte-order mark lets spreadsheets read names that are not English."""
    return "\ufeff" + guarded(frame).to_csv(index=False, lineterminator="\r\n")


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """The table as Parquet, as it is: programs calculate nothing of their own accord."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), sink, compression="zstd")
    return bytes(sink.getvalue())
