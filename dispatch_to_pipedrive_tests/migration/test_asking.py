"""What account and tenant answer when something is wrong with the token, its user or the app's scopes."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pandas as pd
import pytest
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS
from dispatch_to_pipedrive.dispatch_pro.placement import build_placement
from dispatch_to_pipedrive.dispatch_pro.readings import Fact, reading
from dispatch_to_pipedrive.migration.file_checks import Oversized
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.preflight import AccountFacts
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.twins import EMAIL
from dispatch_to_pipedrive.orchestration.asking import (
    ask_account,
    ask_files,
    ask_source,
    look_through,
    require_account,
)
from dispatch_to_pipedrive.orchestration.assets.assessment import write_oversized
from dispatch_to_pipedrive.pipedrive.account import Structure, read_structure
from dispatch_to_pipedrive.pipedrive.errors import Forbidden
from dispatch_to_pipedrive.settings import Settings, load_settings

from ..dispatch_pro.worlds import customer, job, land
from ..program import environment
from ..sandbox_process import Sandbox, start_sandbox

PROFILE = pd.DataFrame(
    [
        ("job_types", "is_smart_dispatched", "true", 2, 2, 5),
        ("job_types", "is_smart_dispatched", None, 0, 2, 5),
    ],
    columns=["feed", "field", "value", "count", "distinct", "records"],
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with start_sandbox(customers=2, seed=5, plan="growth", seats=1) as started:
        yield started


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    for name, value in environment(sandbox, tmp_path, PIPEDRIVE_PLAN="growth").items():
        monkeypatch.setenv(name, value)
    return load_settings()


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    opened = Ledger(settings.ledger_url)
    yield opened
    opened.close()


def test_a_wrong_token_is_told_before_anything_else(
    settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert require_account(settings).is_admin
    assert ledger.bound_scope() is None
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", "f" * 40)
    with pytest.raises(Forbidden) as refusal:
        require_account(load_settings())
    assert refusal.value.status == 401
    facts, tokens = asyncio.run(ask_account(ledger, load_settings(), structure))
    assert facts.me is None
    assert "unauthorized" in facts.refused
    assert (tokens, ledger.bound_scope()) == (0, None)


async def structure(session: Session) -> Structure:
    return await read_structure(session.client)


@pytest.mark.promise("R063")
def test_the_account_tells_rights_currencies_and_what_others_have(
    settings: Settings, ledger: Ledger, sandbox: Sandbox
) -> None:
    facts, tokens = asyncio.run(ask_account(ledger, settings, structure))
    assert facts.me is not None
    assert facts.me.is_admin
    assert "USD" in facts.currencies
    assert (facts.custom_fields, facts.open_deals) == (0, 0)
    assert facts.tokens_left is not None
    assert facts.tokens_left < 54_000
    assert 0 < tokens < 100
    sandbox.control("pipedrive", "capabilities", {"admin": False})
    try:
        facts, _ = asyncio.run(ask_account(ledger, settings, structure))
    finally:
        sandbox.control("pipedrive", "capabilities", {"admin": True})
    assert isinstance(facts, AccountFacts)
    assert facts.me is not None
    assert not facts.me.is_admin


@pytest.mark.promise("R058")
def test_the_scope_that_is_missing_is_named(settings: Settings, sandbox: Sandbox) -> None:
    asked = ask_source(settings, PROFILE)
    assert (asked.refused, asked.unreadable, asked.feeds) == ("", {}, len(FEEDS))
    assert (asked.smart_job_types, asked.job_types) == (2, 5)
    rules = [
        {"kind": "status", "status": 403, "path": "/jpm/v2/tenant/.*/export/jobs$"},
        {"kind": "status", "status": 403, "path": "/telecom/"},
    ]
    sandbox.control("dispatch", "faults", {"rules": rules})
    try:
        lacking = ask_source(settings, PROFILE)
        sandbox.control("dispatch", "faults", {"clear": True, "rules": [{"kind": "status", "status": 403}]})
        none = ask_source(settings, PROFILE)
    finally:
        sandbox.control("dispatch", "faults", {"clear": True})
    assert lacking.unreadable == {"jobs": "tn.jpm.jobs:r", "calls": "the read scope of calls (telecom)"}
    assert "403" in none.refused


@pytest.mark.promise("R058")
def test_a_wrong_app_is_told_in_the_vendors_words(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPATCH_PRO_APP_KEY", "ak1.wrong")
    assert "application key" in ask_source(load_settings(), PROFILE).refused
    monkeypatch.setenv("DISPATCH_PRO_CLIENT_SECRET", "cs1.wrong")
    wrong = ask_source(load_settings(), PROFILE)
    assert "invalid_client" in wrong.refused
    assert "wrong" not in wrong.refused.replace("Check", "")


def test_an_account_that_refuses_is_not_looked_through(
    settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", "f" * 40)
    theirs, words = asyncio.run(look_through(ledger, load_settings()))
    assert (len(theirs.keys), theirs.tokens) == (0, 0)
    assert words.startswith("Not looked for")


def test_what_others_have_is_listed_once_and_found_by_its_keys(
    settings: Settings, ledger: Ledger, sandbox: Sandbox
) -> None:
    person = {"name": "Jane Doe", "emails": [{"value": "jane@x.example"}]}
    headers = {"x-api-token": sandbox.env["PIPEDRIVE_API_TOKEN"]}
    made = httpx.post(f"{sandbox.pipedrive_url}/api/v2/persons", json=person, headers=headers)
    made.raise_for_status()
    theirs, words = asyncio.run(look_through(ledger, settings))
    assert (theirs.records, theirs.tokens, words) == ({"organizations": 0, "persons": 1, "deals": 0}, 30, "")
    assert theirs.keys[["entity", "why", "key"]].to_numpy().tolist() == [["persons", EMAIL, "jane@x.example"]]


@pytest.mark.promise("R055")
def test_a_file_of_exactly_the_limit_is_moved_and_one_byte_more_is_listed(
    settings: Settings, tmp_path: Path
) -> None:
    data, limit = UPath(tmp_path), 25_000_000
    names = {61: "less.jpg", 62: "equal.jpg", 63: "=more().zip"}
    items = [orjson.dumps({"id": key, "fileName": name}) for key, name in names.items()]
    facts = [Fact(61, limit - 1), Fact(62, limit), Fact(63, limit + 1)]
    arrived = {"customers": [customer(1)], "jobs": [job(5, 1)]}
    arrived["job_attachments"] = [orjson.loads(reading(FEEDS["job_attachments"], 5, items, facts))]
    build_placement(data, land(data, 1, arrived), 1)
    told = [("job_attachments", "problem", "x.example is not on the list", 2, 2, 5)]
    profile = pd.DataFrame(told, columns=PROFILE.columns)
    found = ask_files(settings, data, 1, profile)
    assert found.oversized == [Oversized(63, 5, "=more().zip", limit + 1)]
    assert found.problems == {"x.example is not on the list": 2}
    sheet = write_oversized(tmp_path, found).read_text(encoding="utf-8-sig")
    assert sheet.splitlines() == ["attachment_id,job_id,file_name,size", f"63,5,'=more().zip,{limit + 1}"]
    none = ask_files(settings.model_copy(update={"file_limit_mb": 26.0}), data, 1, profile)
    assert none.oversized == []
