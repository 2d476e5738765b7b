"""The diff's page in a browser: it opens from a file, filters and searches, and no name of a tenant does anything."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page

from dispatch_to_pipedrive.reports.diff import DiffPage, render_diff
from dispatch_to_pipedrive.reports.pages import visible
from dispatch_to_pipedrive.reports.spreadsheet import csv_text, guarded

from ..browser import chromium

pytestmark = pytest.mark.xdist_group("the diff's page")

HOSTILE = (
    "<script>window.ran = 1</script>",
    '"><img src="https://example.com/x.png" onerror="window.ran = 2">',
    "</script><script>window.ran = 3</script>",
    "' onmouseover='window.ran = 4' x='",
    "{{ 7 * 7 }}{% raw %}",
    "\u202emoc.elpmaxe\u202c\u2028line\u0000",
    "W" * 300,
)
ROWS = 10_000
ENTITIES = ("organizations", "persons", "deals", "activities")
VERDICTS = {
    "missing": "It is not there.",
    "wrong": "It is something else.",
    "kept": "Somebody edited it.",
    "equal": "It is as it was meant.",
}


def rows() -> pd.DataFrame:
    number = pd.Series(range(ROWS))
    name = number.map(lambda n: HOSTILE[n % len(HOSTILE)] if n < 70 else f"Name {n}")
    entity = number.map(lambda n: ENTITIES[n % 4])
    frame = pd.DataFrame(
        {
            "entity": entity,
            "source_key": "customer:" + number.astype(str) + "/person",
            "pipedrive_id": number + 1_000,
            "field": number.map(lambda n: "Job_Type__c" if n % 4 == 2 else "name"),
            "section": entity.where(number % 4 != 2, "job types"),
            "source_columns": "name",
            "source_value": name,
            "transform": "copy",
            "mapped": name,
            "read_back": name,
            "verdict": number.map({3: "wrong", 5: "kept", 9: "kept"}).fillna("equal"),
        }
    )
    return frame.astype({name: "string" for name in frame if name != "pipedrive_id"})


def page_of(frame: pd.DataFrame) -> DiffPage:
    mine = frame[frame["section"] == "job types"]
    lines = mine.assign(records=1)[
        ["section", "entity", "field", "source_value", "mapped", "read_back", "verdict", "records"]
    ]
    coverage = pd.DataFrame(
        {
            "kind": ["job type"] * len(HOSTILE) + ["circumstance"],
            "what": [*HOSTILE, "recall"],
            "root": [*range(len(HOSTILE)), None],
            "why": [*[""] * len(HOSTILE), "no room"],
        }
    ).astype({"kind": "string", "what": "string", "root": "Int64", "why": "string"})
    return DiffPage(
        company=HOSTILE[0],
        account="15",
        tenant="42",
        generation=3,
        map_digest="abcdef" * 10,
        made_at="2026-11-23 04:56 UTC",
        roots=70,
        rows=frame,
        lines=lines,
        coverage=coverage,
        passed_over=["customer 7"],
        verdicts=VERDICTS,
        blocking=("missing", "wrong"),
        approve=(("In the shell", 'approve-sample --as "NAME"'),),
    )


@dataclass
class Opened:
    """A page, and what it asked for and complained of."""

    page: Page
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    file = Path(tmp_path_factory.mktemp("diff")) / "diff.html"
    file.write_text(render_diff(page_of(rows())), encoding="utf-8")
    with chromium() as browser:
        found = Opened(browser.new_page())
        found.page.on("request", lambda request: found.asked.append(request.url))
        found.page.on("console", lambda message: found.said.append(message.text))
        found.page.on("pageerror", lambda error: found.said.append(str(error)))
        found.page.goto(file.as_uri())
        yield found


@pytest.fixture
def page(opened: Opened) -> Page:
    opened.page.click("#clear")
    return opened.page


def shown(page: Page) -> list[str]:
    return page.locator("#every tbody tr").evaluate_all("lines => lines.map(line => line.innerText)")


def test_it_opens_from_a_file_and_asks_nobody(opened: Opened) -> None:
    assert len(opened.asked) == 1
    assert opened.asked[0].startswith("file:")
    assert opened.said == []
    assert "1 field must be mended first" in opened.page.inner_text("#state")


def test_no_name_runs_and_every_name_is_read(opened: Opened, page: Page) -> None:
    page.fill("#search", "script window.ran")
    assert page.evaluate("window.ran") is None
    assert HOSTILE[0] in page.inner_text("#every")
    assert HOSTILE[0] in page.inner_text("header")
    page.fill("#search", "moc.elpmaxe")
    assert "‹U+202E›moc.elpmaxe‹U+202C›" in page.inner_text("#every")
    for where in ("#coverage", "#job-types"):
        page.locator(f"{where} details").evaluate_all("all => all.forEach(one => { one.open = true; })")
        assert HOSTILE[4] in page.inner_text(where)
    assert page.locator("img").count() == 0
    assert page.evaluate("window.ran") is None
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert len(opened.asked) == 1


@pytest.mark.promise("R081")
def test_filters_and_search_narrow_ten_thousand_rows(page: Page) -> None:
    assert page.inner_text("#count") == "10,000 of 10,000 fields, the first 100 shown"
    assert len(shown(page)) == 100
    page.click("#more")
    assert len(shown(page)) == 200
    page.select_option("#by-entity", "deals")
    assert page.inner_text("#count").startswith("2,500 of 10,000 fields")
    page.fill("#search", "CUSTOMER:4242 name")
    assert page.inner_text("#count") == "1 of 10,000 fields"
    assert "customer:4242/person" in shown(page)[0]
    page.select_option("#by-field", "name")
    assert page.inner_text("#count") == "0 of 10,000 fields"
    page.click("#clear")
    page.click("button[data-verdict=kept]")
    assert len(shown(page)) == 2
    page.select_option("#by-section", "persons")
    assert page.inner_text("#count") == "2 of 10,000 fields"


def test_an_empty_sample_has_a_page_too() -> None:
    page = page_of(rows())
    nothing = replace(
        page, rows=page.rows.head(0), lines=page.lines.head(0), coverage=page.coverage.head(0), roots=0
    )
    assert "0 fields, all equal" in render_diff(nothing)


def test_hidden_characters_are_shown_by_their_number() -> None:
    told = visible(pd.DataFrame({"a": ["\u202eabc\u0007", None, "line\nline\ttab"], "n": [1, 2, 3]}))
    assert told["a"].tolist() == ["‹U+202E›abc‹U+0007›", "", "line\nline\ttab"]
    assert told["n"].tolist() == [1, 2, 3]


def test_no_cell_of_a_csv_is_a_formula() -> None:
    texts = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "plain", "a=b", None]
    frame = pd.DataFrame({"text": pd.Series(texts, dtype="string"), "number": range(-1, 8)})
    found = guarded(frame)
    assert found["text"].tolist()[:8] == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "plain", "a=b"]
    assert found["number"].tolist() == list(range(-1, 8))
    assert csv_text(frame).startswith("\ufefftext,number\r\n'=1+1,-1\r\n")
