"""Files of the data folder: they appear whole or not at all, in a local folder or an object store."""

from __future__ import annotations

import os
import uuid

from upath import UPath


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
    if os.name == "posix":  # so that the name, too, outlives a power cut: a ledger may name it next
        folder = os.open(path.parent.path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
