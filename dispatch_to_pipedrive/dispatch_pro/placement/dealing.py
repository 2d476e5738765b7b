"""How records come into the order of their roots, however many and however long they are.

A sort of whole records needs memory for all that it has not written yet. So they are dealt out once, by ranges of
roots, into files of a bounded number of rows, and each file is sorted by itself: every record is written and read
twice, and no more of them are held than one range has.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.placement.engine import stream
from dispatch_to_pipedrive.dispatch_pro.store import is_local

_RANGE = 16_384  # rows, but for a root that has more
_BATCH = 2_048

_ENDS = """
SELECT DISTINCT root FROM (SELECT root, row_number() OVER (ORDER BY root) AS number FROM rooted WHERE root IS NOT NULL)
WHERE number % $rows = 0 ORDER BY root
"""

_RECORDS = """
SELECT r.root, r.id, s.record
FROM stored s JOIN rooted r ON r.segment = s.segment AND r.position = s.position
WHERE r.root IS NOT NULL
"""


def records_by_root(
    connection: duckdb.DuckDBPyConnection, data: UPath, *, rows: int = _RANGE, batch: int = _BATCH
) -> Iterator[pa.RecordBatch]:
    """root, id, record of everything in `stored` that `rooted` gives a root, sorted by root and id."""
    ends = np.array([root for (root,) in connection.execute(_ENDS, {"rows": rows}).fetchall()], np.int64)
    spill = Path(data.path) / ".spill" if is_local(data) else None
    with TemporaryDirectory(prefix="records-", dir=spill) as folder:
        for path in _dealt(connection, ends, Path(folder), batch):
            with pa.OSFile(str(path)) as file:
                table = pa.ipc.open_stream(file).read_all()
            path.unlink()
            table = table.sort_by([("root", "ascending"), ("id", "ascending")])
            yield from table.to_batches(batch)
            del table
            pa.default_memory_pool().release_unused()


def _dealt(
    connection: duckdb.DuckDBPyConnection, ends: npt.NDArray[np.int64], folder: Path, batch: int
) -> list[Path]:
    """One file for each range of roots that has records, in the order of the ranges."""
    writers: dict[int, pa.RecordBatchStreamWriter] = {}
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with ExitStack() as files:
        for rows in stream(connection, _RECORDS, {}, batch):
            range_of = np.searchsorted(ends, rows["root"].to_numpy())
            for number in np.unique(range_of).tolist():
                if number not in writers:
                    file = files.enter_context(pa.OSFile(str(folder / f"{number:06d}"), "wb"))
                    new = pa.ipc.new_stream(file, rows.schema, options=options)
                    writers[number] = files.enter_context(new)
                writers[number].write_batch(rows.filter(pa.array(range_of == number)))
    return [folder / f"{number:06d}" for number in sorted(writers)]
