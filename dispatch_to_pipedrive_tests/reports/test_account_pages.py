"""The pages of the written account in a browser: they work from a file, keep ticks, and run no name of a tenant."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page

from dispatch_to_pipedrive.migration.checklist import BUILD, COLUMNS, OWNER_COLUMNS, SECTIONS
from dispatch_to_pipedrive.migration.inventory import COLUMNS as INVENTORY
from dispatch_to_pipedrive.reports.checklist import write_checklist
from dispatch_to_pipedrive.reports.inventory import write_inventory
from dispatch_to_pipedrive.reports.reference import write_reference

from ..browser import chromium

pytestmark = pytest.mark.xdist_group("the account's pages")

HOSTILE = (
    "<script>window.ran = 1</script>",
    '"><img src="https://example.com/x.png" onerror="window.ran = 2">',
    "</script><script>window.ran = 3</script>",
    "=cmd|' /C calc'!A0",
    "\u202emoc.elpmaxe\u2028line\u0000",
)


@dataclass
class Opened:
    page: Page
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def opened() -> Iterator[Opened]:
    with chromium() as browser:
        found = Opened(browser.new_page())
        found.page.on("request", lambda request: found.asked.append(request.url))
        found.page.on("console", lambda message: found.said.append(message.text))
        found.page.on("pageerror", lambda error: found.said.append(str(error)))
        yield found


def visit(opened: Opened, file: Path) -> Page:
    opened.page.goto(file.as_uri())
    assert [url for url in opened.asked if not url.startswith(("file:", "blob:"))] == []
    assert opened.said == []
    assert opened.page.evaluate("window.ran") is None
    return opened.page


def inventory_rows() -> pd.DataFrame:
    rows = [("jobs", f"field{n}", "field", n, "moved", "Deal: title", "deals.x", "", "") for n in range(700)]
    rows += [("customers", name, "custom field", 1, "not moved", "", "", "", name) for name in HOSTILE]
    rows.append(("jobs", "hologram", "field", 3, "unaccounted", "", "", "", "Nothing reads it."))
    return pd.DataFrame(rows, columns=list(INVENTORY)).astype({"records": "Int64"})


def test_the_inventory_filters_by_state_and_words(opened: Opened, tmp_path: Path) -> None:
    rows = inventory_rows()
    counts = {"unaccounted": 1, "moved": 700, "reference": 0, "not moved": len(HOSTILE)}
    page = visit(opened, write_inventory(tmp_path, rows, "42", 3, counts))
    assert "1 field is unaccounted for" in page.inner_text("#state")
    assert page.inner_text("#count").startswith("706 of 706 rows, the first 100")
    page.click("[data-state='unaccounted']")
    assert "hologram" in page.inner_text("#every tbody")
    page.click("#clear")
    page.fill("#search", "customers script")
    assert page.inner_text("#count") == "2 of 706 rows"
    csv = (tmp_path / "inventory.csv").read_text(encoding="utf-8-sig")
    assert "\"'=cmd" in csv or ",'=cmd" in csv
    assert len(pd.read_parquet(tmp_path / "inventory.parquet")) == 706


def table(name: str) -> pd.DataFrame:
    told = dict.fromkeys(("disposition", "field", "trigger", "action", "manual_step", "why"), "")
    rows = [{"id": n, "name": text, **told, "disposition": "field"} for n, text in enumerate(HOSTILE)]
    rows.append(
        {
            "id": 9,
            "name": name,
            **told,
            "disposition": "automation to build",
            "trigger": "a\nb",
            "action": "c\nd",
        }
    )
    return pd.DataFrame(rows)


@pytest.mark.promise("R015")
def test_the_reference_page_shows_each_table_and_its_files_have_every_row(
    opened: Opened, tmp_path: Path
) -> None:
    titles = [("zones", "Zones", "about"), ("teams", "Teams", "")]
    page = visit(
        opened, write_reference(tmp_path, {"zones": table("Z"), "teams": table("T").head(0)}, titles, "42", 3)
    )
    assert "When: a\nThen: c\nWhen: b\nThen: d" in page.inner_text("#zones")
    assert "The tenant has none" in page.inner_text("#teams")
    for name, rows in (("zones", 6), ("teams", 0)):
        assert len(pd.read_parquet(tmp_path / f"{name}.parquet")) == rows
        assert len(pd.read_csv(tmp_path / f"{name}.csv")) == rows
    assert "'=cmd" in (tmp_path / "zones.csv").read_text(encoding="utf-8-sig")


@pytest.mark.promise("R065")
def test_ticks_stay_when_the_page_is_opened_or_written_again_and_can_be_saved(
    opened: Opened, tmp_path: Path
) -> None:
    items = pd.DataFrame(
        [(f"k{n}", BUILD, text, "When", "Then", "", "zones", 1) for n, text in enumerate(HOSTILE)],
        columns=list(COLUMNS),
    )
    owners = pd.DataFrame([(HOSTILE[0], 7, 5, 3, "", "unmatched")], columns=list(OWNER_COLUMNS))
    parts = [(name, items.head(0)) for name in SECTIONS[:1]] + [(BUILD, items)]
    file = write_checklist(tmp_path, parts, owners, "42", 3)
    page = visit(opened, file)
    boxes = page.locator("li[data-key] input")
    boxes.nth(1).check()
    boxes.nth(3).check()
    assert page.inner_text("#count") == "2 of 5 done"
    write_checklist(tmp_path, [(BUILD, items.iloc[1:])], owners, "42", 4)
    page = visit(opened, file)
    assert page.inner_text("#count") == "2 of 4 done"
    page.check("#open")
    assert page.locator("li[data-key]:visible").count() == 2
    with page.expect_download() as saved:
        page.click("#export")
    text = Path(saved.value.path()).read_text(encoding="utf-8-sig")
    assert [line.split(",")[0] for line in text.splitlines() if line.startswith('"')].count('"done"') == 2
    assert "\"'=cmd" in text
    assert "nobody yet" in page.inner_text("#before-after")
