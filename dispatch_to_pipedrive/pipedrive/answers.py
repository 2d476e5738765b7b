"""What an answer of Pipedrive says: a record, a page, or one of the ways to fail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from dispatch_to_pipedrive.pipedrive.errors import (
    Ambiguous,
    Forbidden,
    NotFound,
    PipedriveError,
    PlanCap,
    Rejected,
    Transient,
)

Record = dict[str, Any]
Records = list[Record]


class Answer(NamedTuple):
    """One record as the server has it now, with the server's own time and what the call cost."""

    record: Record
    date: datetime
    tokens: int


class Page(NamedTuple):
    """One page of a list; `cursor` continues after it, None on the last."""

    records: Records
    date: datetime
    tokens: int
    cursor: str | None = None


class Reply(NamedTuple):
    """A successful answer, its envelope opened."""

    data: Any
    more: Mapping[str, Any]
    date: datetime


def opened(content: bytes, status: int, method: str, path: str, date: datetime) -> Reply:
    """The content of a 2xx answer. Without a readable envelope nobody knows what a write did."""
    lost = Transient if method == "GET" else Ambiguous
    envelope = envelope_of(content)
    if envelope is None:
        raise lost("the answer is not Pipedrive's JSON", method=method, path=path, status=status)
    if envelope.get("success") is False:
        raise refusal(status, envelope, "", method, path)
    return Reply(envelope.get("data"), envelope.get("additional_data") or {}, date)


def refusal(status: int, envelope: Mapping[str, Any], reason: str, method: str, path: str) -> PipedriveError:
    """The error that a status and its envelope mean; 429 and HTML pages are the client's business."""
    code = envelope.get("code") or envelope.get("errorCode")
    words = str(envelope.get("error") or reason or "no words")
    capped = status == 403 and ("feature_capping" in str(code) or "limit reached" in words.lower())
    kind: type[PipedriveError] = Rejected
    if status >= 500:
        kind = Transient if method == "GET" else Ambiguous
    elif status in (401, 402, 403):
        kind = PlanCap if capped else Forbidden
    elif status in (404, 410):
        kind = NotFound
    elif 300 <= status < 400:
        words = "answered with a redirect, which is never followed"
    return kind(
        words,
        method=method,
        path=path,
        status=status,
        code=None if code is None else str(code),
        info=envelope.get("error_info"),
        body=dict(envelope) or None,
    )


def envelope_of(content: bytes) -> Record | None:
    """The JSON object that an answer is, None where it is none (an HTML page, a torso)."""
    try:
        envelope = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return envelope if isinstance(envelope, dict) else None


def record_of(data: object, method: str, path: str) -> Record:
    """The record that `data` is."""
    if not isinstance(data, dict):
        lost = Transient if method == "GET" else Ambiguous
        raise lost("the answer holds no record", method=method, path=path, body=data)
    return data


def records_of(data: object, path: str) -> Records:
    """The list of records that `data` is; null is an empty one."""
    if data is None:
        return []
    if not isinstance(data, list):
        raise Transient("the answer holds no list", method="GET", path=path, body=data)
    return data
