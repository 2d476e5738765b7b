"""The pages say what people must know before they begin, and what they point to is there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatch_to_pipedrive_tests.promises import the_promises
from dispatch_to_pipedrive_tests.test_arrows import PACKAGE, imports, modules, room_of

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
WRITTEN_BY_TESTS = ROOT / "docs" / "promises.md"
LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
NETWORK = {"httpx", "httpcore", "requests", "aiohttp", "urllib3", "websockets", "ftplib", "smtplib", "boto3"}
ADDRESS = re.compile(r"https?://([^/\s\"'{}<>|)]+)")
VENDORS = ("servicetitan.io", "servicetitan.com", "pipedrive.com")
SPECIFICATIONS = ("json-schema.org", "www.w3.org")
HERE = ("127.0.0.1", "localhost")
EXAMPLES = (".example.com",)


def sections(page: str) -> dict[str, str]:
    """Heading → what stands below it."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


QUESTIONS = sections("questions.md")


def rows(section: str) -> dict[str, list[str]]:
    """First cell → the other cells of a section's table."""
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return {cells[0]: cells[1:] for cells in lines if not set(cells[0]) <= {"-"}}


@pytest.mark.promise("R024")
def test_when_not_to_switch_is_said_first() -> None:
    first = next(iter(QUESTIONS))
    assert first == "Should we switch at all?"
    (reasons,) = re.findall(r"^Do not switch if (.+?)\n\n", QUESTIONS[first] + "\n\n", flags=re.M | re.S)[:1]
    assert reasons.count(";") >= 3, "several reasons"


@pytest.mark.promise("R089")
def test_both_platforms_have_their_strengths_and_weaknesses() -> None:
    table = rows(QUESTIONS["Should we switch at all?"])
    for kind in ("strong", "weak"):
        dispatch_pro, pipedrive = table[kind]
        assert len(dispatch_pro) > 30 and len(pipedrive) > 30


@pytest.mark.promise("R101")
def test_the_two_rooms_and_the_frames_between_them_are_told_as_the_seam() -> None:
    said = " ".join(QUESTIONS["Can we move something else with it?"].split())
    for words in (
        "`dispatch_pro/` and `pipedrive/`",
        "do not know each other",
        "frames",
        "no plug-in interface",
    ):
        assert words in said
    for named in re.findall(r"`([a-z_/.]+)`", said):
        assert (PACKAGE / named).exists(), named


@pytest.mark.promise("R067")
def test_what_is_peculiar_to_this_pair_has_a_rule_and_a_test_each() -> None:
    table = rows(QUESTIONS["What is peculiar to this pair?"])
    for case in (
        "shared sites",
        "technicians",
        "recalls",
        "merged",
        "canceled",
        "held",
        "cents",
        "zones",
        "e-mails",
    ):
        (rule,) = (cells[0] for name, cells in table.items() if case in name)
        assert LINK.search(rule), f"{case}: no test is named"


@pytest.mark.promise("R050")
def test_only_the_two_vendors_are_called_and_accounting_is_told_to_stay_untouched() -> None:
    said = " ".join(
        QUESTIONS["Will it touch our accounting, our automations, our technicians' phones?"].split()
    )
    assert "no call goes to QuickBooks, Xero" in said
    ours = [path for path in modules() if room_of(path) != "sandbox"]
    speaking = {room_of(path) for path in ours if NETWORK & {name.split(".")[0] for name in imports(path)}}
    assert speaking == {"dispatch_pro", "pipedrive", "demo"}, "the demo asks its own sandbox"
    strange = {host for path in ours for host in hosts(path)} - {"", *SPECIFICATIONS}
    assert {
        host for host in strange if not host.endswith((*VENDORS, *EXAMPLES)) and not host.startswith(HERE)
    } == set()


def hosts(path: Path) -> Iterator[str]:
    """Hosts of the addresses in a module's texts; those of examples in its documentation do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield from (host.partition(":")[0] for host in ADDRESS.findall(node.value))


@pytest.mark.promise("R099")
def test_every_answer_can_be_looked_up() -> None:
    assert len(QUESTIONS) >= 10
    assert "(promises.md)" in (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
    tests = {link for answer in QUESTIONS.values() for link in LINK.findall(answer) if "/test_" in link}
    assert len(tests) >= 10


@pytest.mark.promise("R099")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        file = page if not target else (page.parent / target).resolve()
        assert file == WRITTEN_BY_TESTS or file.exists(), link
        if anchor and file == WRITTEN_BY_TESTS:
            assert anchor.upper() in the_promises().by_number, link
