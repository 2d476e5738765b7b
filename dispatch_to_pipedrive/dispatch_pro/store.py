"""Files of the data folder: they appear whole or not at all, in a local folder or an object store."""

from __future__ import annotations

import os
import uuid
from typing import Any

import duckdb
from upath import UPath

_MEMORY = "700MB"
_THREADS = 2


def is_local(path: UPath) -> bool:
    """Whether the path is on this machine's file system."""
    return path.protocol in ("", "file", "local")


def write_whole(path: UPath, content: bytes) -> None:
    """Write the file under its final name only when all of it is there.

    Object stores do so by themselves; on a local disk the content is on the disk before it gets its name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not is_local(path):
        path.write_bytes(content)
        return
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def address(path: UPath) -> str:
    """The path as DuckDB names it."""
    return path.path if is_local(path) else str(path)


def connect(folder: UPath, *, memory: str = _MEMORY) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that spills next to the data, reads the folder's file system and stays small."""
    settings: dict[str, Any] = {
        "memory_limit": memory,
        "threads": _THREADS,
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
    }
    if is_local(folder):
        settings["temp_directory"] = str(UPath(folder.path) / ".spill" / uuid.uuid4().hex)
    connection = duckdb.connect(":memory:", config=settings)
    connection.execute("SET enable_progress_bar = false")
    if not is_local(folder):
        connection.register_filesystem(folder.fs)
    return connection
