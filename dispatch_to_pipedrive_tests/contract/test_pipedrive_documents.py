"""The check of exchanges with Pipedrive sees what it is there to see."""

from pathlib import Path
from typing import Any

import pytest

from . import error_literals
from . import pipedrive_documents as documents

DEAL = {"id": 1, "title": "x", "owner_id": 1, "value": 5, "custom_fields": {"ab" * 20: None}, "org_id": None}


@pytest.fixture(autouse=True)
def _documents() -> None:
    documents.require()


def _check(
    body: Any = None, data: Any = None, method: str = "POST", path: str = "/api/v2/deals", **query: str
) -> str:
    answer = {"success": True, "data": DEAL if data is None else data}
    return documents.check_exchange(method, path, query, body, 200, answer)


def test_what_the_documents_allow_passes() -> None:
    assert _check({"title": "x", "org_id": None, "channel_id": "a"}) == "v2 POST /deals"
    assert _check(method="GET", path="/api/v2/deals/7") == "v2 GET /deals/{id}"
    page = {"success": True, "data": [DEAL], "additional_data": {"next_cursor": None}}
    query = {"limit": "500", "updated_since": "2026-01-01T00:00:00Z", "status": "open,deleted"}
    documents.check_exchange("GET", "/api/v2/deals", query, None, 200, page)


@pytest.mark.parametrize(
    ("exchange", "words"),
    [
        ({"body": {"title": "x", "foo": 1}}, "foo"),
        ({"body": {"title": 5}}, "request title"),
        ({"body": {"owner_id": 1}}, "title"),
        ({"body": {"title": "x", "value": "5"}}, "request value"),
        ({"body": {"title": "x"}, "data": DEAL | {"id": "1"}}, "answer data/id"),
        ({"body": {"title": "x"}, "data": DEAL | {"title": None}}, "answer data/title"),
        ({"body": {"title": "x"}, "data": DEAL | {"invented": 1}}, "unknown key invented"),
        ({"body": {"person_id": 1, "subject": "x"}, "path": "/api/v2/activities"}, "person_id"),
        ({"method": "GET", "path": "/api/v2/deals/7", "foo": "1"}, "query: unknown foo"),
        (
            {"method": "GET", "path": "/api/v2/deals", "updated_since": "2026-01-01T00:00:00.0Z"},
            "updated_since",
        ),
        ({"method": "GET", "path": "/api/v2/deals", "limit": "many"}, "limit"),
        ({"method": "PUT", "path": "/api/v2/deals/7"}, "no such operation"),
        ({"method": "GET", "path": "/v2/deals"}, "no such operation"),
    ],
)
def test_what_they_do_not_allow_is_named(exchange: dict[str, Any], words: str) -> None:
    with pytest.raises(documents.Mismatch, match=words):
        _check(**exchange)


def test_an_error_body_must_be_one_of_the_literals() -> None:
    words = "Validation failed: foo: Parameter 'foo' is not allowed for this request"
    good = {"success": False, "error": words, "code": "ERR_SCHEMA_VALIDATION_FAILED"}
    found = error_literals.check(400, good)
    assert found is not None and found.name == "schema"
    for bad in (
        good | {"code": "OTHER"},
        good | {"error": "Nope"},
        {"success": False},
        good | {"success": True},
    ):
        with pytest.raises(AssertionError):
            error_literals.check(400, bad)
    with pytest.raises(AssertionError):
        error_literals.check(401, good)
    assert all(one.source for one in error_literals.LITERALS)


def test_absent_documents_skip_and_fail_on_ci(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(documents, "FOLDER", tmp_path)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception):
        documents.require()
    assert len(capsys.readouterr().out.splitlines()) == 1
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception):
        documents.require()
