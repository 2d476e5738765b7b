"""Each named check passes, warns or fails for its own reason, and says what to do."""

from dataclasses import replace
from typing import Any

import pytest

from dispatch_to_pipedrive.migration import file_checks as f
from dispatch_to_pipedrive.migration import preflight as p
from dispatch_to_pipedrive.migration.forecast import Account, Forecast, forecast
from dispatch_to_pipedrive.migration.volume import SchemaSize, Volume
from dispatch_to_pipedrive.pipedrive.account import Access, Me

ADMIN = (Access(app="global", admin=True), Access(app="sales", admin=True))
ME = Me(
    id=1,
    name="Ada",
    email="ada@x.example",
    company_id=7,
    company_name="X",
    timezone_name="Europe/London",
    default_currency="USD",
    access=ADMIN,
)
ACCOUNT = p.AccountFacts(me=ME, currencies=("USD", "EUR"), open_deals=0, tokens_left=60_000)
SOURCE = p.SourceFacts(feeds=24, smart_job_types=2, job_types=3, currencies=("USD",))
SAID = p.Said("Ada")


def foreseen(plan: str = "growth", custom_fields: int = 27, deals: int = 100) -> Forecast:
    return forecast(Volume(1, 10, deals, 10, 20), SchemaSize(custom_fields, 6, 3), Account(plan, 1))


def verdicts(
    account: p.AccountFacts = ACCOUNT,
    source: p.SourceFacts = SOURCE,
    ahead: Forecast | None = None,
    said: p.Said = SAID,
) -> dict[str, p.Check]:
    found = p.preflight(account, source, ahead or foreseen(), said)
    assert [check.name for check in found] == list(p.NAMES)
    for check in found:
        assert check.verdict in (p.PASS, p.WARN, p.FAIL)
        assert check.found
    return {check.name: check for check in found}


def test_nothing_stands_in_the_way() -> None:
    assert {check.verdict for check in verdicts().values()} == {p.PASS}


@pytest.mark.promise("R058", "R063", "R065", "R066")
@pytest.mark.parametrize(
    ("changes", "name", "verdict", "words"),
    [
        (
            {"account": p.AccountFacts(refused="Pipedrive forbids: 401")},
            p.TOKEN,
            p.FAIL,
            "PIPEDRIVE_API_TOKEN",
        ),
        ({"account": replace(ACCOUNT, me=ME.model_copy(update={"access": ()}))}, p.ADMIN, p.FAIL, "admin"),
        (
            {"account": replace(ACCOUNT, me=ME.model_copy(update={"access": ()}))},
            p.SEES_ALL,
            p.FAIL,
            "visibility",
        ),
        (
            {"account": replace(ACCOUNT, me=ME.model_copy(update={"access": ADMIN[:1]}))},
            p.SEES_ALL,
            p.WARN,
            "visibility groups",
        ),
        (
            {"source": p.SourceFacts(refused="403 the key is not known")},
            p.APP,
            p.FAIL,
            "DISPATCH_PRO_APP_KEY",
        ),
        (
            {"source": replace(SOURCE, unreadable={"jobs": "tn.jpm.jobs:r"})},
            p.SCOPES,
            p.FAIL,
            "tick in the app tn.jpm.jobs:r",
        ),
        ({"source": replace(SOURCE, smart_job_types=0)}, p.DISPATCH_PRO, p.WARN, "plain ServiceTitan"),
        ({"ahead": foreseen("lite", custom_fields=31)}, p.CUSTOM_FIELDS, p.FAIL, "PIPEDRIVE_PLAN"),
        ({"ahead": foreseen("lite", deals=3_000)}, p.OPEN_DEALS, p.FAIL, "buy seats"),
        (
            {"account": replace(ACCOUNT, open_deals=None, open_deals_at_least=500)},
            p.OPEN_DEALS,
            p.WARN,
            "500 or more",
        ),
        ({"account": replace(ACCOUNT, tokens_left=100)}, p.BUDGET, p.WARN, "run `migrate` again"),
        ({"account": replace(ACCOUNT, tokens_left=0)}, p.BUDGET, p.FAIL, "midnight UTC"),
        ({"said": p.Said()}, p.AUTOMATIONS, p.WARN, "AUTOMATIONS_PAUSED_BY"),
        (
            {"account": replace(ACCOUNT, me=ME.model_copy(update={"timezone_name": "Mars/Crater"}))},
            p.TIME_ZONE,
            p.WARN,
            "Mars/Crater",
        ),
        ({"said": p.Said("Ada", "JPY")}, p.CURRENCY, p.FAIL, "no active currency"),
        (
            {"account": replace(ACCOUNT, me=ME.model_copy(update={"default_currency": None}))},
            p.CURRENCY,
            p.FAIL,
            "set MIGRATION_CURRENCY",
        ),
        ({"source": replace(SOURCE, currencies=("USD", "CAD"))}, p.CURRENCY, p.WARN, "CAD"),
        (
            {"said": p.Said("Ada", visible_to={"deals": "group"})},
            p.VISIBILITY,
            p.FAIL,
            "plan growth knows no visibility 'group'",
        ),
        (
            {
                "said": p.Said("Ada", visible_to={"deals": "owner", "notes": "everyone"}),
                "account": replace(ACCOUNT, me=ME.model_copy(update={"access": ADMIN[:1]})),
            },
            p.VISIBILITY,
            p.FAIL,
            "hides deals (owner) from all but",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else None,
)
def test_each_check_tells_its_own_trouble(
    changes: dict[str, Any], name: str, verdict: str, words: str
) -> None:
    """R058, R063, R065, R066."""
    check = verdicts(**changes)[name]
    assert check.verdict == verdict
    assert words in f"{check.found} {check.todo}"
    assert check.todo


@pytest.mark.promise("R063")
def test_who_may_see_the_records_is_told() -> None:
    said = p.Said("Ada", visible_to={"deals": "owner", "persons": "everyone", "organizations": "everyone"})
    found = verdicts(said=said)[p.VISIBILITY]
    assert (found.verdict, found.found) == (p.PASS, "everyone (persons, organizations); owner (deals)")


LARGE = [f.Oversized(61, 5, "roof.mp4", 31_200_000), f.Oversized(62, 6, "=cmd().zip", 25_000_001)]


@pytest.mark.promise("R055", "R066")
def test_large_files_are_named_with_their_sizes_before_anything_is_moved() -> None:
    ahead = forecast(
        Volume(1, 10, 100, 10, 20, files=300, notes=50, file_bytes=90_000_000),
        SchemaSize(27, 6, 3),
        Account("growth", 1, file_readback=0.01),
    )
    found = {check.name: check for check in f.file_checks(f.FileFacts(25_000_000, oversized=LARGE), ahead)}
    assert list(found) == list(f.NAMES)
    sizes = found[f.SIZES]
    assert sizes.verdict == p.WARN
    assert "roof.mp4 (31.2 MB, job 5), =cmd().zip (25.0 MB, job 6)" in sizes.found
    assert "their bytes stay in Dispatch Pro" in sizes.found
    assert "FILE_LIMIT_MB" in sizes.todo
    assert "300 files and 50 notes take 3,500 tokens" in found[f.TOKENS].found
    assert (
        "of 1.00% of the files, at least one of each kind, takes 200, of all of them 6,000"
        in found[f.TOKENS].found
    )
    assert "90.0 MB of files" in found[f.STORAGE].found
    refused = f.FileFacts(
        25_000_000,
        kept=True,
        oversized=LARGE * 4,
        unsized=3,
        problems={"x.example is not on the list": 4},
        unknown_hosts=["y.example"],
    )
    sizes, fetched, *_ = f.file_checks(refused, ahead)
    assert "and 3 more" in sizes.found
    assert "kept on this machine" in sizes.found
    assert "of 3 the size is not known" in sizes.found
    assert "x.example is not on the list (4 files), no name server knows y.example" in fetched.found
    assert "DOWNLOAD_HOSTS" in fetched.todo
    assert {one.verdict for one in f.file_checks(f.FileFacts(25_000_000), foreseen())} == {p.PASS}


def test_only_what_fails_stops_a_migration() -> None:
    found = p.preflight(ACCOUNT, replace(SOURCE, smart_job_types=0), foreseen(), p.Said())
    assert p.failing(found) == []
    refused = p.preflight(p.AccountFacts(refused="no"), SOURCE, foreseen(), SAID)
    assert [check.name for check in p.failing(refused)] == [p.TOKEN]


def test_what_the_ledger_keeps_of_a_check_is_the_check() -> None:
    found = p.preflight(ACCOUNT, SOURCE, foreseen(), SAID)
    assert p.from_values(p.as_values(found)) == found
