"""What people did in the account is told on a page, in tables and by `status`, whatever names they gave things."""

from pathlib import Path

import pandas as pd
from rich.console import Console

from dispatch_to_pipedrive.reports.kept import render_kept, write_kept
from dispatch_to_pipedrive.reports.status import Facts, status_of
from dispatch_to_pipedrive.reports.tables import overview

LINE = {
    "entity": "deals",
    "field": "title",
    "verdict": "kept",
    "ours": "Repair",
    "theirs": "<script>alert(1)</script>",
    "records": 3,
    "by": "Ann & Bo",
    "first_at": "2026-01-01T00:00:00Z",
    "last_at": "2026-01-03T00:00:00Z",
    "source_key": "job:1/deal",
    "pipedrive_id": 7,
}
EDIT = {
    "entity": "organizations",
    "source_key": "customer:1/organization",
    "pipedrive_id": 9,
    "field": "",
    "verdict": "gone",
    "ours": "",
    "theirs": "=merged into organizations 10",
    "edited_by": None,
    "edited_at": "",
    "batch": "wave-0001",
    "seen_at": "",
}


def test_the_page_escapes_what_people_wrote_and_the_tables_calculate_nothing(tmp_path: Path) -> None:
    page = write_kept(tmp_path, pd.DataFrame([LINE]), pd.DataFrame([EDIT]), "1", 3)
    html = page.read_text(encoding="utf-8")
    assert "&lt;script&gt;" in html and "<script>" not in html
    assert "Ann &amp; Bo" in html and "merged into organizations 10" in html and "not known" in html
    assert "'=merged into" in (tmp_path / "edits.csv").read_text(encoding="utf-8")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["edits.csv", "kept.html", "lines.csv"]


def test_without_edits_the_page_says_so() -> None:
    empty = render_kept(pd.DataFrame(columns=list(LINE)), pd.DataFrame(columns=list(EDIT)), "1", 1)
    assert "Nobody has changed anything" in empty


def test_status_tells_lines_and_what_is_gone() -> None:
    status = status_of(Facts(edits=[LINE], gone=[EDIT]))
    console = Console(width=200)
    with console.capture() as capture:
        console.print(overview(status))
    said = " ".join(capture.get().split())
    assert "Changed by people (3)" in said and "Ann & Bo" in said and "2026-01-01 … 2026-01-03" in said
    assert "Gone in Pipedrive (1)" in said and "customer:1/organization" in said
    assert status.as_json()["edits"][0]["records"] == 3
