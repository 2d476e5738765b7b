"""Is a pack of evidence as it was written? Every file and the whole chain, from the folder alone."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from dispatch_to_pipedrive.migration.evidence.pack import (
    CHAIN,
    FORMAT,
    MANIFEST,
    OPERATIONS,
    digest_of_manifest,
    link,
    rendered,
)
from dispatch_to_pipedrive.migration.ledger.operations import chain_hash

_PIECE = 1 << 20


@dataclass
class Checked:
    """What a check came to: findings in words (none: the pack is whole), and what was looked at."""

    findings: list[str] = field(default_factory=list)
    files: int = 0
    operations: int = 0
    digest: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)


def check_pack(folder: Path) -> Checked:
    """Check a pack; whatever is there instead of one is a finding, never an error."""
    checked = Checked()
    try:
        manifest = _manifest(folder, checked)
        if manifest is not None:
            _files(folder, manifest, checked)
            _log(folder, manifest, checked)
    except OSError as error:
        checked.findings.append(f"{error.filename or folder}: cannot be read ({error.strerror})")
    return checked


def _manifest(folder: Path, checked: Checked) -> dict[str, Any] | None:
    path = folder / MANIFEST
    if not path.is_file():
        checked.findings.append(f"{path}: there is no such file, so this is no pack of evidence")
        return None
    content = path.read_bytes()
    try:
        manifest = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        checked.findings.append(f"{MANIFEST}: is no JSON any more ({error})")
        return None
    if not isinstance(manifest, dict) or not _is_manifest(manifest):
        checked.findings.append(f"{MANIFEST}: is no manifest of format {FORMAT}")
        return None
    try:
        as_written, digest = rendered(manifest), digest_of_manifest(manifest)
    except (TypeError, RecursionError):  # what can be read, but is too deep to be written
        checked.findings.append(f"{MANIFEST}: is no manifest of format {FORMAT}")
        return None
    if as_written != content:
        checked.findings.append(f"{MANIFEST}: is not written as it was")
    if digest != manifest["digest"]:
        checked.findings.append(f"{MANIFEST}: was changed, for its digest is another one")
    checked.digest, checked.about = manifest["digest"], manifest
    return manifest


def _is_manifest(value: object) -> bool:
    if (
        not isinstance(value, dict)
        or value.get("format") != FORMAT
        or not isinstance(value.get("files"), list)
    ):
        return False
    texts = all(isinstance(value.get(name), str) for name in ("digest", "chain_head"))
    return texts and all(
        isinstance(one, dict)
        and all(isinstance(one.get(name), str) for name in ("name", "sha256", "chain"))
        and isinstance(one.get("bytes"), int)
        for one in value["files"]
    )


def _files(folder: Path, manifest: Mapping[str, Any], checked: Checked) -> None:
    there = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if not _plain_folder(path)
    }
    chain = ""
    listed = set()
    for one in manifest["files"]:
        name = one["name"]
        listed.add(name)
        chain = link(chain, name, one["sha256"])
        if chain != one["chain"]:
            checked.findings.append(f"{MANIFEST}: the chain of hashes breaks at {name}")
            chain = one["chain"]
        path = there.get(name)
        if path is None:
            checked.findings.append(f"{name}: is missing")
        elif path.is_symlink() or not path.is_file():
            checked.findings.append(f"{name}: is no plain file")
        elif (size := path.stat().st_size) != one["bytes"]:
            checked.findings.append(f"{name}: has {size} bytes, and had {one['bytes']}")
        elif _sha256(path) != one["sha256"]:
            checked.findings.append(f"{name}: was changed")
        checked.files += 1
    for name in (OPERATIONS, CHAIN):
        if name not in listed:
            checked.findings.append(f"{MANIFEST}: does not list {name}")
    checked.findings += [f"{name}: was added" for name in there if name not in listed and name != MANIFEST]


def _plain_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _sha256(path: Path) -> str:
    sha256 = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            sha256.update(piece)
    return sha256.hexdigest()


def _log(folder: Path, manifest: Mapping[str, Any], checked: Checked) -> None:
    """Compute the chain of operations again: it proves them by itself, whatever the manifest says."""
    operations, chain = folder / OPERATIONS, folder / CHAIN
    if not operations.is_file() or not chain.is_file():
        return  # that they are missing was found before
    before, upto = "", 0
    rows = _rows(operations)
    try:
        for commit in _rows(chain):
            number, first, last = commit["number"], commit["first"], commit["last"]
            if first != upto + 1 or last < first:
                raise _Broken(f"{CHAIN}: commit {number} does not follow the one before")
            its = [row for _, row in zip(range(last - first + 1), rows, strict=False)]
            checked.operations += len(its)
            in_order = all(row.get("number") == first + place for place, row in enumerate(its))
            if len(its) != last - first + 1 or not in_order:
                raise _Broken(
                    f"{OPERATIONS}: the operations of commit {number} are not all there in their order"
                )
            if chain_hash(before, its) != commit["hash"]:
                raise _Broken(f"{OPERATIONS}: the operations {first} to {last} do not fit the chain")
            before, upto = commit["hash"], last
        if next(rows, None) is not None:
            raise _Broken(f"{OPERATIONS}: has operations after {upto} that no commit covers")
        if before != manifest["chain_head"]:
            raise _Broken(f"{CHAIN}: ends with another hash than the sign-off names")
    except _Broken as broken:
        checked.findings.append(str(broken))
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        checked.findings.append(f"{CHAIN}: is not written as it was ({type(error).__name__})")


class _Broken(Exception):
    """The chain does not fit."""


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError:
                raise _Broken(f"{path.name}: line {number} is no JSON any more") from None
            if not isinstance(row, dict):
                raise _Broken(f"{path.name}: line {number} is no row")
            yield row
