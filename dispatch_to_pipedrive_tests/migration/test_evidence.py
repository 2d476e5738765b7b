"""A pack of evidence proves itself: whatever is changed, added or taken away is found and named."""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch_to_pipedrive.migration.evidence.check import check_pack
from dispatch_to_pipedrive.migration.evidence.pack import (
    CHAIN,
    MANIFEST,
    OPERATIONS,
    Pack,
    digest_of_manifest,
    link,
    rendered,
    write_pack,
)
from dispatch_to_pipedrive.migration.lease import acquire
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope, canonical_json
from dispatch_to_pipedrive.migration.values import Intent, Outcome

SCOPE = Scope("7", "42")
INTENT = Intent(
    *("create", "deals", "job:1/deal", None, {"title": "Leak — “№ 9”"}, None, 1, 1, "wave-0001", "run"),
    *("2026-11-23T10:00:00", None),
)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Six commits of one, two and three operations."""
    ledger = Ledger(f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'ledger.db'}")
    ledger.bind(SCOPE, "Company")
    with acquire(ledger, SCOPE.account, purpose="test", seconds=60) as lease:
        for number in range(1, 4):
            made = [replace(INTENT, source_key=f"job:{number}{i}/deal") for i in range(number)]
            intents, _ = ledger.record(SCOPE, lease.fence, intents=made)
            done = [Outcome(intent, "done", 5, 100 + intent.number, {"id": 1}) for intent in intents]
            ledger.record(SCOPE, lease.fence, outcomes=done)
    yield ledger
    ledger.close()


def lines(rows: list[dict[str, object]]) -> list[bytes]:
    return [canonical_json(row).encode() + b"\n" for row in rows]


@pytest.fixture(scope="module")
def pack(ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Pack:
    commits = list(ledger.commits(ledger.last_commit()[0]))
    contents = {
        "counts.json": [rendered({"deals": 6})],
        "maps/deals.yaml": [b"entity: ", b"deals\n"],
        "empty.jsonl": [],
        OPERATIONS: lines([row for _, rows in commits for row in rows]),
        CHAIN: lines([row for row, _ in commits]),
    }
    about = {"account": "7", "chain_head": ledger.chain_head()}
    return write_pack(tmp_path_factory.mktemp("evidence"), "pack", contents, about)


@pytest.fixture
def copy(pack: Pack, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pack.folder, tmp_path / "copy"))


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.promise("R086")
def test_a_pack_as_it_was_written_is_whole_wherever_it_lies(pack: Pack, copy: Path) -> None:
    found = check_pack(copy)
    assert found.findings == []
    assert (found.files, found.operations, found.digest) == (5, 12, pack.digest)


@pytest.mark.promise("R086")
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_changed_byte_of_any_file_is_found_and_named(pack: Pack, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([path for path in files_of(pack.folder) if path.stat().st_size]))
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[at]))
    try:
        path.write_bytes(content[:at] + bytes([other]) + content[at + 1 :])
        findings = check_pack(pack.folder).findings
    finally:
        path.write_bytes(content)
    name = path.relative_to(pack.folder).as_posix()
    assert findings
    assert any(line.startswith((f"{name}:", f"{MANIFEST}:")) for line in findings), findings


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_cut_off_or_appended_is_found(pack: Pack, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(files_of(pack.folder)))
    content = path.read_bytes()
    added = data.draw(st.binary(min_size=1, max_size=3))
    cut = data.draw(st.integers(0, len(content)))
    try:
        path.write_bytes(content[:cut] if cut < len(content) else content + added)
        assert check_pack(pack.folder).findings
    finally:
        path.write_bytes(content)


@pytest.mark.parametrize("name", ["counts.json", "maps/deals.yaml", OPERATIONS, CHAIN, "empty.jsonl"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    assert f"{name}: is missing" in check_pack(copy).findings


@pytest.mark.parametrize(
    "name", ["more.json", "maps/more.yaml", "deep/er/more.json", "=cmd|' /C calc'!A0.csv"]
)
def test_an_added_file_is_named(copy: Path, name: str) -> None:
    (copy / name).parent.mkdir(parents=True, exist_ok=True)
    (copy / name).write_text("more")
    assert check_pack(copy).findings == [f"{name}: was added"]


def test_a_link_to_a_file_elsewhere_is_no_file_of_the_pack(copy: Path, tmp_path: Path) -> None:
    (copy / "counts.json").rename(tmp_path / "counts.json")
    (copy / "counts.json").symlink_to(tmp_path / "counts.json")
    assert check_pack(copy).findings == ["counts.json: is no plain file"]


def forge(folder: Path, name: str, content: bytes) -> None:
    """Change a file and make the manifest fit: what somebody does who knows how packs are written."""
    (folder / name).write_bytes(content)
    manifest = orjson.loads((folder / MANIFEST).read_bytes())
    chain = ""
    for one in manifest["files"]:
        there = (folder / one["name"]).read_bytes()
        one["bytes"], one["sha256"] = len(there), hashlib.sha256(there).hexdigest()
        one["chain"] = chain = link(chain, one["name"], one["sha256"])
    manifest["digest"] = digest_of_manifest(manifest)
    (folder / MANIFEST).write_bytes(rendered(manifest))


@pytest.mark.promise("R086")
def test_operations_prove_themselves_even_where_the_manifest_was_made_to_fit(pack: Pack, copy: Path) -> None:
    told = (copy / OPERATIONS).read_bytes()
    rows = told.splitlines(keepends=True)
    for changed, words in (
        (told.replace(b'"tokens":5', b'"tokens":4', 1), "do not fit the chain"),
        (b"".join([*rows[:2], *rows[3:]]), "are not all there"),
        (b"".join([rows[1], rows[0], *rows[2:]]), "are not all there"),
        (told + rows[-1], "that no commit covers"),
        (told + b"[]\n", "is no row"),
        (told + b"{\n", "is no JSON any more"),
    ):
        forge(copy, OPERATIONS, changed)
        found = check_pack(copy)
        assert len(found.findings) == 1
        assert words in found.findings[0]
        assert found.digest != pack.digest  # which is what the ledger has
    forge(copy, OPERATIONS, told)
    commits = (copy / CHAIN).read_bytes().splitlines(keepends=True)
    for changed in (b"".join(commits[:-1]), b"".join(commits[1:]), b'{"number":1,"first":1,"last":9e99}\n'):
        forge(copy, CHAIN, changed)
        assert check_pack(copy).findings
    forge(copy, CHAIN, b"".join(commits))
    assert check_pack(copy).findings == []


DEEP = b'{"format":1,"files":[],"digest":"","chain_head":"","a":' + b"[" * 300 + b"]" * 300 + b"}"
"""Can be read, but is too deep to be written."""


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"{}", b'{"format":1,"files":[1]}', b"\xff", b"[" * 9999, DEEP]
)
def test_whatever_is_there_instead_of_a_manifest_is_a_finding(copy: Path, content: bytes) -> None:
    (copy / MANIFEST).write_bytes(content)
    (finding,) = check_pack(copy).findings
    assert finding.startswith(f"{MANIFEST}: ")
    assert check_pack(copy / "nowhere").findings


def test_a_pack_is_written_whole_or_not_at_all(tmp_path: Path, pack: Pack) -> None:
    def half() -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_pack(tmp_path, "one", {"whole.json": [b"{}"], "half.json": half()}, {"chain_head": ""})
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".unfinished-of-a-killed-process").mkdir()
    write_pack(tmp_path, "one", {"whole.json": [b"{}"]}, {"chain_head": ""})
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    with pytest.raises(FileExistsError):
        write_pack(tmp_path, "one", {}, {"chain_head": ""})
