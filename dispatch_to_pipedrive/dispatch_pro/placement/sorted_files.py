"""A sorted stream of rows, written as files of bounded size that know which roots they span."""

from __future__ import annotations

import io
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.placement.index import Span
from dispatch_to_pipedrive.dispatch_pro.store import write_whole


def write_sorted(
    data: UPath,
    folder: str,
    feed: str,
    batches: Iterable[pa.RecordBatch],
    *,
    rows: int,
    row_group: int,
    dictionary: list[str],
) -> list[Span]:
    """Files of about `rows` rows in `folder`; the batches come sorted by their column `root`, missing last."""
    spans: list[Span] = []
    waiting: list[pa.RecordBatch] = []

    def close() -> None:
        table = pa.Table.from_batches(waiting)
        waiting.clear()
        buffer = io.BytesIO()
        pq.write_table(
            table,
            buffer,
            compression="zstd",
            row_group_size=row_group,
            use_dictionary=dictionary,
            write_statistics=["root"],
        )
        path = f"{folder}/{feed}-{len(spans):05d}.parquet"
        write_whole(data / path, buffer.getvalue())
        known = table["root"].drop_null()
        first, last = (known[0].as_py(), known[-1].as_py()) if len(known) else (None, None)
        spans.append(Span(path, len(table), first, last))

    for batch in batches:
        if batch.num_rows:
            waiting.append(batch)
        if sum(one.num_rows for one in waiting) >= rows:
            close()
    if waiting:
        close()
    return spans
