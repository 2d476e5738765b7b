"""The page works from a file, asks no network, and shows every value of the tenant as text."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from dispatch_to_pipedrive.mapping.load import load_maps
from dispatch_to_pipedrive.migration.assessment import Twins
from dispatch_to_pipedrive.migration.forecast import Account, forecast
from dispatch_to_pipedrive.migration.preflight import FAIL, WARN, Check
from dispatch_to_pipedrive.migration.twins import COLUMNS
from dispatch_to_pipedrive.migration.volume import Volume, schema_size
from dispatch_to_pipedrive.reports.assessment import write_assessment
from dispatch_to_pipedrive.reports.forecast import answer, arithmetic, conclusion
from dispatch_to_pipedrive.reports.status import compared

from ..migration.test_assessment import ROOT, TENANT, assessed

EVIL = "<script>alert(1)</script>"


class Tags(HTMLParser):
    """Which elements there are, and what they point to."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


def written(folder: Path) -> tuple[str, dict[str, object]]:
    rows = [*TENANT, ("customers.custom_fields", f"{EVIL} \u202eedoc", "x", 1, 1, 50)]
    rows.append(("customers.custom_fields", f"{EVIL} \u202eedoc", None, 49, 1, 50))
    found = assessed(
        rows, checks=[Check("one", WARN, EVIL, "do it"), Check("two", FAIL, "not so", "mend it")]
    )
    pair = pd.DataFrame(
        [("persons", 3, EVIL, "customer:1/person", "Jane", "same e-mail")], columns=list(COLUMNS)
    )
    object.__setattr__(found.inputs, "twins", Twins(pair, {"persons": 4}, 30, "Not all."))
    object.__setattr__(found.inputs, "compared", compared(found.inputs.forecast.as_json(), {"write": 500}))
    page = write_assessment(folder / "assessment", found.as_json())
    return page.read_text(encoding="utf-8"), json.loads((page.parent / "assessment.json").read_text())


@pytest.mark.promise("R049")
def test_the_page_tells_grade_arithmetic_checks_twins_and_what_stays(tmp_path: Path) -> None:
    page, values = written(tmp_path)
    text = re.sub(r"<[^>]+>", " ", page)
    grade = values["grade"]
    assert isinstance(grade, dict)
    assert f"{grade['letter']} {grade['name']}" in text
    for words in ("create deals", "customer:1/person", "Line items of invoices", "mend it", "250", "So far"):
        assert words in text
    assert "off by" in text
    names = {"assessment.html", "assessment.json", "automations.csv"}
    assert {p.name for p in (tmp_path / "assessment").iterdir()} == names


@pytest.mark.promise("R065")
def test_the_form_for_automations_is_kept_as_people_filled_it(tmp_path: Path) -> None:
    """R065."""
    written(tmp_path)
    form = tmp_path / "assessment" / "automations.csv"
    assert "Pipedrive,sequence" in form.read_text()
    form.write_text("ours")
    written(tmp_path)
    assert form.read_text() == "ours"


def test_values_of_the_tenant_are_text_and_nothing_is_fetched(tmp_path: Path) -> None:
    page, values = written(tmp_path)
    tags = Tags()
    tags.feed(page)
    assert "script" not in tags.names
    assert all(link.startswith("#") for link in tags.links)
    assert "&lt;script&gt;alert(1)" in page
    assert "\u202e" not in page
    assert "‹U+202E›edoc" in page
    assert "default-src 'none'" in page
    assert EVIL in json.dumps(values, ensure_ascii=False)


@pytest.mark.promise("R005")
def test_the_documented_example_is_what_the_program_says() -> None:
    text = (ROOT / "docs" / "assessment.md").read_text(encoding="utf-8")
    volume = Volume(
        organizations=3_000,
        persons=23_000,
        deals=60_000,
        closed_deals=57_000,
        activities=138_000,
        files=60_000,
        notes=60_000,
        parents=104_000,
        file_bytes=120_000_000_000,
    )
    schema = schema_size(load_maps(ROOT / "mappings"))
    found = forecast(volume, schema, Account("growth", 5, 0.1), deadline_days=14).as_json()
    lines = ["| " + " | ".join(row) + " |" for row in arithmetic(found)]
    for line in (*lines, f"| together | | | {found['tokens']:,} |", *conclusion(found), answer(found)):
        assert line in text, f"docs/assessment.md does not say: {line}"
