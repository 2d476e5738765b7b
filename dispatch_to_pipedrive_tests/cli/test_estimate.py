"""`estimate` answers from counts alone: no settings of an account, no home, no ledger."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dispatch_to_pipedrive.cli import app

RUN = CliRunner()


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory without settings."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def estimate(*options: str) -> tuple[int, str]:
    """Exit code and words, however the terminal's width breaks them."""
    ended = RUN.invoke(app, ["estimate", *options])
    return ended.exit_code, " ".join(ended.output.split())


def values(*options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(estimate("--json", *options)[1])
    return found


@pytest.mark.promise("R098", "R102")
def test_feasible_counts_end_with_0_and_show_the_arithmetic(nowhere: Path) -> None:
    code, said = estimate("--customers", "500", "--jobs", "2000", "--plan", "growth", "--seats", "3")
    assert code == 0
    assert "create deals" in said
    assert "feasible; the smallest that fits is lite with 1 seat" in said
    assert "assumed: --appointments 2,600" in said
    assert list(nowhere.iterdir()) == []


@pytest.mark.promise("R097", "R098", "R102")
def test_more_than_two_million_records_get_an_answer_too() -> None:
    """R097, R102."""
    code, said = estimate("--customers", "700000", "--jobs", "2500000", "--plan", "lite", "--deadline", "30")
    assert code == 1
    assert "not feasible" in said
    assert "tokens a day are missing" in said
    found = values("--customers", "700000", "--jobs", "2500000", "--plan", "ultimate", "--seats", "20")
    assert found["feasible"]
    assert found["volume"]["records"] > 2_000_000


def test_what_is_given_is_not_assumed() -> None:
    counts = {"--appointments": "40", "--commercial": "3", "--site-contacts": "2", "--open-jobs": "1"}
    counts |= {"--calls": "7", "--notes": "11", "--files": "13", "--megabytes-a-file": "0.5"}
    options = [part for pair in counts.items() for part in pair]
    found = values("--customers", "10", "--jobs", "30", *options)
    assert found["assumed"] == {}
    assert found["volume"] == {
        "organizations": 3,
        "persons": 12,
        "deals": 30,
        "closed_deals": 29,
        "activities": 47,
        "files": 13,
        "notes": 11,
        "parents": 52,
        "file_bytes": 6_500_000,
        "file_kinds": {},
        "records": 116,
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--customers", "-1", "--jobs", "1"), "--customers"),
        (("--customers", "ten", "--jobs", "1"), "--customers"),
        (("--jobs", "1"), "--customers"),
        (("--customers", "0", "--jobs", "1"), "a job always has a customer"),
        (("--customers", "9", "--jobs", "0", "--appointments", "1"), "an appointment always has a job"),
        (("--customers", "9", "--jobs", "1", "--commercial", "10"), "more than --customers 9"),
        (("--customers", "9", "--jobs", "1", "--open-jobs", "2"), "more than --jobs 1"),
        (("--customers", "9", "--jobs", "1", "--plan", "gold"), "lite, growth, premium, ultimate"),
        (("--customers", "9", "--jobs", "1", "--seats", "0"), "--seats"),
        (("--customers", "9", "--jobs", "1", "--reserve", "30000"), "leaves nothing of 30,000 tokens"),
        (("--customers", "9", "--jobs", "1", "--deadline", "soon"), "a date such as"),
        (("--customers", "9", "--jobs", "1", "--deadline", "2020-02-30"), "a date such as"),
        (("--customers", "9", "--jobs", "1", "--deadline", "2020-02-01"), "leaves no day"),
        (("--customers", "9", "--jobs", "1", "--deadline", "0"), "leaves no day"),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else None,
)
def test_wrong_numbers_end_with_2_and_say_which(options: tuple[str, ...], words: str) -> None:
    code, said = estimate(*options)
    assert code == 2
    assert words in said
    assert "Traceback" not in said
