"""The DuckDB that placement works with: small, spilling next to the data, reading folders and object stores."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.store import is_local

_MEMORY = "400MB"
_THREADS = 2


@contextmanager
def engine(data: UPath, *, memory: str = _MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that can read under `data`; what it spilled is gone when the block ends."""
    settings: dict[str, Any] = {
        "memory_limit": memory,
        "threads": _THREADS,
    }
    spill = Path(data.path) / ".spill" / uuid.uuid4().hex if is_local(data) else None
    if spill is not None:
        spill.mkdir(parents=True)
        settings["temp_directory"] = str(spill)
    connection = duckdb.connect(":memory:", config=settings)
    try:
        connection.execute("SET enable_progress_bar = false")
        if not is_local(data):
            connection.register_filesystem(data.fs)
        yield connection
    finally:
        connection.close()
        if spill is not None:
            shutil.rmtree(spill, ignore_errors=True)


def address(path: UPath) -> str:
    """The path as DuckDB names it, in its column `filename` too."""
    return str(Path(path.path)) if is_local(path) else f"{path.protocol}://{path.path}"


def parquet(
    connection: duckdb.DuckDBPyConnection, paths: Sequence[UPath], *, filename: bool = False
) -> duckdb.DuckDBPyRelation:
    """The rows of these files, which share their columns; `filename` is each row's `address`."""
    addresses = [address(path) for path in paths]
    rows = connection.read_parquet(addresses, filename=filename)
    if filename:
        unknown = {name for (name,) in rows.project("filename").distinct().fetchall()} - set(addresses)
        if unknown:  # a join on them would lose their rows without a word
            raise ValueError(f"DuckDB names files otherwise than we do: {sorted(unknown)[:3]}")
    return rows


def stream(
    connection: duckdb.DuckDBPyConnection, query: str, values: dict[str, object], rows: int
) -> Iterator[pa.RecordBatch]:
    """The result a few rows at a time, in its order."""
    yield from connection.sql(query, params=values).to_arrow_reader(rows)


def table(connection: duckdb.DuckDBPyConnection, query: str, values: dict[str, object]) -> pa.Table:
    """The whole result."""
    return connection.sql(query, params=values).to_arrow_table()
