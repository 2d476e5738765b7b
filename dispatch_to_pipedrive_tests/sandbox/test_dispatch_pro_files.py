"""How attachments and the pictures of notes are fetched: links that expire, ranges, and what may go wrong."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from dispatch_to_pipedrive.sandbox.dispatch_pro.files import PIECE, File
from dispatch_to_pipedrive.sandbox.dispatch_pro.generator.attachments import Plenty
from dispatch_to_pipedrive.sandbox.dispatch_pro.tenant import generate

from ..sandbox_process import Sandbox, start_sandbox

JOB = 500_000_000
PLAIN = httpx.Client(verify=False, timeout=30)  # knows no token; a TLS context takes long to make


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with start_sandbox(customers=12, seed=2, no_limits=True) as running:
        yield running


@pytest.fixture
def source(sandbox: Sandbox) -> Iterator[httpx.Client]:
    sandbox.control("dispatch", "downloads", {"clear": True})
    with sandbox.source() as client:
        yield client


def download(sandbox: Sandbox, source: httpx.Client, attachment: int) -> httpx.Response:
    """The API's answer to the question for an attachment; nothing is followed."""
    return source.get(sandbox.tenant_path("forms/v2", f"jobs/attachment/{attachment}"))


def known(sandbox: Sandbox) -> list[dict[str, Any]]:
    return list(sandbox.control("dispatch", "files"))


def test_an_attachment_is_a_redirect_to_a_signed_link_that_takes_no_other_credentials(
    sandbox: Sandbox, source: httpx.Client
) -> None:
    for file in known(sandbox):
        if file["jobId"] != JOB:
            continue
        answer = download(sandbox, source, file["id"])
        assert answer.status_code == 302
        link = answer.headers["location"]
        assert link.startswith(f"{sandbox.dispatch_url}/storage/")
        assert source.get(link).status_code == 400
        assert PLAIN.get(link, headers={"ST-App-Key": "x"}).status_code == 400
        got = PLAIN.get(link)
        assert got.status_code == 200
        assert hashlib.sha256(got.content).hexdigest() == file["sha256"]
        assert int(got.headers["content-length"]) == len(got.content) == file["size"]
        assert got.headers["content-type"].partition(";")[0] == file["mediaType"]
        assert PLAIN.get(link[:-1] + ("0" if link[-1] != "0" else "1")).status_code == 403
    assert download(sandbox, source, 7).status_code == 404


def test_a_signed_link_expires(sandbox: Sandbox, source: httpx.Client) -> None:
    link = download(sandbox, source, known(sandbox)[0]["id"]).headers["location"]
    assert PLAIN.get(link).status_code == 200
    sandbox.advance(301)
    assert PLAIN.get(link).status_code == 403


def test_every_tenant_has_the_files_that_make_trouble(sandbox: Sandbox) -> None:
    files = known(sandbox)
    names = [file["fileName"] for file in files]
    assert {"../../etc/passwd", "=cmd()", "no suffix", "empty.txt"} <= set(names)
    assert any("\x00" in name for name in names)
    assert any("\u202e" in name for name in names)
    assert any("🔧" in name for name in names)
    assert max(map(len, names)) == 300
    twins = [file for file in files if file["fileName"] == "photo.jpg"]
    assert len(twins) == 2
    assert len({(file["jobId"], file["sha256"], file["size"]) for file in twins}) == 1
    sizes = {file["size"] for file in files}
    assert {0, 25_000_000, 25_000_001} <= sizes
    assert any(file["fileName"].endswith(".jpg") and file["mediaType"] == "text/html" for file in files)


def test_large_files_come_in_pieces_and_from_anywhere(sandbox: Sandbox, source: httpx.Client) -> None:
    large = next(file for file in known(sandbox) if file["size"] == 25_000_001)
    link = download(sandbox, source, large["id"]).headers["location"]
    whole = PLAIN.get(link).content
    assert hashlib.sha256(whole).hexdigest() == large["sha256"]
    for asked, start, end in (
        ("bytes=0-9", 0, 10),
        ("bytes=65530-200000", 65_530, 200_001),
        ("bytes=24999990-", 24_999_990, 25_000_001),
        ("bytes=-5", 24_999_996, 25_000_001),
    ):
        part = PLAIN.get(link, headers={"Range": asked})
        assert part.status_code == 206
        assert part.content == whole[start:end]
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/25000001"
    assert PLAIN.get(link, headers={"Range": "bytes=25000001-"}).status_code == 416


@pytest.mark.parametrize("size", [0, 1, 5, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_a_file_is_the_same_however_it_is_cut(size: int) -> None:
    file = File(1, "x", "a.png", size, "image/png")
    whole = b"".join(file.pieces())
    assert len(whole) == size
    assert b"".join(file.pieces(size // 3)) == whole[size // 3 :]
    assert b"".join(file.pieces(size // 3, size // 2)) == whole[size // 3 : size // 2]
    assert hashlib.sha256(whole).hexdigest() == file.sha256()
    assert size <= 8 or whole != b"".join(File(1, "y", "a.png", size, "image/png").pieces())


@pytest.mark.parametrize(
    "to",
    ["http://127.0.0.1:9/elsewhere", "https://files.evil.example", "http://169.254.169.254/latest/meta-data"],
)
def test_a_rule_sends_a_download_elsewhere(sandbox: Sandbox, source: httpx.Client, to: str) -> None:
    sandbox.control("dispatch", "downloads", {"kind": "redirect", "to": to, "times": 1})
    file = known(sandbox)[0]["id"]
    assert download(sandbox, source, file).headers["location"].startswith(to)
    assert download(sandbox, source, file).headers["location"].startswith(sandbox.dispatch_url)


def test_a_rule_answers_otherwise(sandbox: Sandbox, source: httpx.Client) -> None:
    file = next(
        file for file in known(sandbox) if file["size"] > 2 * PIECE or file["fileName"] == "photo.jpg"
    )

    def ruled(**rule: Any) -> httpx.Response:
        sandbox.control("dispatch", "downloads", {"clear": True, **rule})
        return download(sandbox, source, file["id"])

    loop = ruled(kind="loop")
    assert loop.status_code == 302
    assert loop.headers["location"] == str(loop.url)
    assert hashlib.sha256(ruled(kind="direct").content).hexdigest() == file["sha256"]
    assert ruled(kind="missing").status_code == 404
    unsized = PLAIN.get(ruled(kind="no_length").headers["location"])
    assert "content-length" not in unsized.headers
    assert len(unsized.content) == file["size"]
    assert (
        PLAIN.get(ruled(kind="wrong_type").headers["location"])
        .headers["content-type"]
        .startswith("text/html")
    )
    with pytest.raises(httpx.RemoteProtocolError):
        PLAIN.get(ruled(kind="early_end").headers["location"])
    for wrong in ({"kind": "flood"}, {"kind": "redirect"}, {"kind": "loop", "when": 1}):
        with pytest.raises(AssertionError, match="a rule has kind"):
            sandbox.control("dispatch", "downloads", wrong)


def test_pictures_of_notes_lie_in_the_storage_and_a_rule_finds_them_by_path(
    sandbox: Sandbox, source: httpx.Client
) -> None:
    page = source.get(sandbox.tenant_path("jpm/v2", "export/job-notes")).json()
    texts = " ".join(note["text"] for note in page["data"])
    links = [link for link in re.findall(r"(?i)src=[\"'](.*?)[\"']", texts) if link.startswith("http")]
    assert links
    assert any(link.startswith("data:image/png;base64,") for link in re.findall(r'src="(.*?)"', texts))
    for link in links:
        assert link.startswith(f"{sandbox.dispatch_url}/storage/")
        assert PLAIN.get(link).headers["content-type"].startswith("image/")
        assert source.get(link).status_code == 400
    sandbox.control("dispatch", "downloads", {"kind": "missing", "path": "/images/"})
    assert PLAIN.get(links[0]).status_code == 404
    assert PLAIN.get(f"{sandbox.dispatch_url}/storage/1/images/4a6f6b2d0001/x.jpg").status_code == 404


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        ("attachments/610000000", 403),
        ("attachments/610000000?se=²&sig=x", 403),
        ("attachments/610000000?se=99999999999999999999&sig=é", 403),
        ("attachments/x", 404),
        ("images/..%2f..%2fetc/passwd", 404),
        ("images/4a6f6b2d0001", 404),
        ("images/4A6F6B2D0001/x.jpg", 404),
        ("images/4a6f6b2d0001/a%00b/%E2%80%AE.jpg", 200),
    ],
)
@pytest.mark.usefixtures("source")
def test_a_strange_link_is_answered(sandbox: Sandbox, rest: str, status: int) -> None:
    tenant = sandbox.env["DISPATCH_PRO_TENANT_ID"]
    assert PLAIN.get(f"{sandbox.dispatch_url}/storage/{tenant}/{rest}").status_code == status


def test_plenty_of_attachments_are_spread_over_the_jobs_and_none_can_be_had() -> None:
    made = generate(20, 1, plenty=Plenty(80, 25_000_000))
    files = [made.file(int(i)) for i in made.tables["job_attachments"].ids]
    assert [file.size for file in files if file] == [25_000_000] * 80
    assert len(set(made.tables["job_attachments"].keys["jobId"].tolist())) == len(made.tables["jobs"])
    assert len({file.content for file in files if file}) == 80
    assert len(generate(20, 1, plenty=Plenty(0, 1)).tables["job_attachments"]) == 0


def test_two_hundred_customers_have_few_megabytes_beside_the_two_at_the_limit() -> None:
    made = generate(200, 3)
    sizes = [file.size for i in made.tables["job_attachments"].ids if (file := made.file(int(i)))]
    assert 4_000_000 < sum(size for size in sizes if size < 20_000_000) < 20_000_000
