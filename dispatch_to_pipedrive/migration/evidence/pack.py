"""How is a pack of evidence written? Whole or not at all, each file hashed, each hash chained to the one before."""

import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

MANIFEST = "manifest.json"
OPERATIONS, CHAIN = "operations.jsonl", "chain.jsonl"
FORMAT = 1
_UNFINISHED = ".unfinished-"


@dataclass(frozen=True)
class Pack:
    """A pack that was written; the digest is that of its manifest, and so of every byte in it."""

    folder: Path
    digest: str


def write_pack(
    parent: Path,
    name: str,
    contents: Mapping[str, Iterable[bytes]],
    about: Mapping[str, Any],
    *,
    prove: Callable[[Path], None] = lambda _folder: None,
) -> Pack:
    """Write the files (name → content in pieces) and their manifest into `parent / name`, which must not be there.

    about: what the manifest says besides. prove: raises where the folder, all written, is no proof. Names may have one
    folder in them. Whatever fails leaves nothing behind.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(
        f"{_UNFINISHED}*"
    ):  # of a process that was killed: only the lease's holder writes here
        shutil.rmtree(left, ignore_errors=True)
    target = parent / name
    if target.exists():
        raise FileExistsError(f"{target} is there already")
    unfinished = parent / f"{_UNFINISHED}{uuid.uuid4().hex}"
    unfinished.mkdir()
    try:
        files = []
        chain = ""
        for file, pieces in contents.items():
            size, sha256 = _write(unfinished / file, pieces)
            chain = link(chain, file, sha256)
            files.append({"name": file, "bytes": size, "sha256": sha256, "chain": chain})
        manifest = {"format": FORMAT, **about, "files": files}
        digest = digest_of_manifest(manifest)
        _write(unfinished / MANIFEST, [rendered({**manifest, "digest": digest})])
        prove(unfinished)
        unfinished.rename(target)
        _settle(parent)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return Pack(target, digest)


def link(before: str, name: str, sha256: str) -> str:
    """The hash of a file's place in the chain: over the hash before, its name and its content's hash."""
    return hashlib.sha256(f"{before}\n{name}\n{sha256}".encode()).hexdigest()


def digest_of_manifest(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of a manifest as it is written, without its own digest."""
    return hashlib.sha256(rendered({k: v for k, v in manifest.items() if k != "digest"})).hexdigest()


def rendered(value: object) -> bytes:
    """The one way in which a JSON value is written for people: keys sorted, indented, a line break at the end."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _write(path: Path, pieces: Iterable[bytes]) -> tuple[int, str]:
    path.parent.mkdir(exist_ok=True)
    sha256, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        for piece in pieces:
            sha256.update(piece)
            size += file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return size, sha256.hexdigest()


def _settle(folder: Path) -> None:
    """A rename outlives a power cut when its folder was written, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
