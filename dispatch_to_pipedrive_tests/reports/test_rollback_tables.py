"""What a rollback names was written by anybody: it is shown as text, and no spreadsheet calculates it."""

import io
from dataclasses import replace
from pathlib import Path

import pandas as pd
from rich.console import Console, RenderableType

from dispatch_to_pipedrive.reports.rollback import (
    RollbackOutcome,
    RollbackView,
    outcome_tables,
    plan_tables,
    write_outcome,
    write_plan,
)

STEPS = pd.DataFrame(
    [
        ("delete", "deals", "job:1/deal", 5, "wave-0001", "", "made by wave-0001, and nobody touched it"),
        ("restore", "deals", "job:2/deal", 6, "delta-0001", "title", "changed by delta-0001"),
        ("keep", "persons", "=cmd()", 7, "wave-0001", "name", "people edited [red]name[/red]\u202e"),
    ],
    columns=["action", "entity", "source_key", "pipedrive_id", "batch", "fields", "why"],
)
SCHEMA = pd.DataFrame(
    [
        ("delete", "fields", 1, "deals.Source_Key__c", ""),
        ("delete", "labels", 3, "deals.label_ids: a, b, c", ""),
        ("keep", "", 1, "stage 'Hold'", "2 deals stand in it"),
    ],
    columns=["action", "kind", "count", "what", "why"],
)
VIEW = RollbackView(("wave-0001",), ("delta-0001",), STEPS, ("job:2/deal: its won time",), 1_234, 1.5, SCHEMA)


def shown(what: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=160, force_terminal=False)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_plan_says_what_goes_what_stays_and_what_it_costs() -> None:
    said = shown(plan_tables(replace(VIEW, going_on="goes on with what Ada began")))
    for words in (
        *("goes on with what Ada began", "undo: wave-0001", "cuts into later batches", "delta-0001"),
        *("Kept (1)", "people edited [red]name[/red]‹U+202E›", "Cannot be brought back (1)"),
        *("schema, would be deleted: fields: 1, labels: 3", "2 deals stand in it"),
        "price: 1,234 tokens, 1.50 days' budget",
    ):
        assert words in said
    deals, persons = (next(x for x in said.splitlines() if x[2:].startswith(e)) for e in ("deals", "persons"))
    assert [cell.strip() for cell in deals.strip("│").split("│")] == ["deals", "1", "1", "0"]
    assert [cell.strip() for cell in persons.strip("│").split("│")] == ["persons", "0", "0", "1"]


def test_the_outcome_says_what_has_happened_and_what_was_refused() -> None:
    outcome = RollbackOutcome(("wave-0001",), 3, 2, 1, 0, 99, "/home/reports", ("job:1/deal: refused",))
    said = shown(outcome_tables(outcome))
    assert "3 records deleted, 2 restored, 1 kept, 0 were gone; 99 tokens" in said
    assert "Refused (1)" in said
    assert "`reapply --as NAME`" in said


def test_going_on_tells_no_plan() -> None:
    said = shown(plan_tables(replace(VIEW, going_on="goes on with what Ada began", steps=STEPS[:0])))
    assert "goes on with what Ada began" in said
    assert "price" not in said


def test_the_files_keep_the_plan_and_what_was_kept_and_calculate_nothing(tmp_path: Path) -> None:
    write_plan(tmp_path, replace(VIEW, steps=STEPS.replace("=cmd()", "old")))
    keeps = STEPS[STEPS["action"] == "keep"].drop(columns="action")
    write_outcome(tmp_path, RollbackOutcome(("wave-0001",), 3, 2, 1, 0, 99, "", keeps=keeps))
    plan, kept, lost = (
        pd.read_csv(tmp_path / f"{name}.csv", encoding="utf-8-sig")
        for name in ("plan", "kept", "irreversible")
    )
    assert len(plan) == 3
    assert list(lost["what"]) == ["job:2/deal: its won time"]
    assert list(kept["source_key"]) == ["'=cmd()"]
