"""A page of the vendor's answer, taken apart without touching its records.

The records keep their exact text: a number that went through a parser and back might not be the same number.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True)
class Page:
    """The verbatim records of one page, and how it goes on."""

    records: list[bytes]
    has_more: bool
    continue_from: str | None


def split_page(body: bytes) -> Page:
    """An export page or a list page; raises ValueError for anything else."""
    text = body.decode("utf-8-sig")
    facts: dict[str, Any] = {}
    records: list[bytes] | None = None
    at = _expect(text, 0, "{")
    while True:
        name, at = _value(text, at)
        at = _expect(text, at, ":")
        if name == "data":
            records, at = _items(text, at)
        else:
            facts[name], at = _value(text, at)
        at = _skip(text, at)
        if text[at : at + 1] != ",":
            break
        at = _skip(text, at + 1)
    if _skip(text, _expect(text, at, "}")) != len(text):
        raise ValueError("something follows the page")
    if records is None or not isinstance(facts.get("hasMore"), bool):
        raise ValueError("a page has data and hasMore")
    token = facts.get("continueFrom")
    return Page(records, facts["hasMore"], None if token is None else str(token))


def split_export(body: bytes) -> Page:
    """As `split_page`, for a feed: a page without `continueFrom` is no page of a feed."""
    page = split_page(body)
    if not page.continue_from:
        raise ValueError("a page of a feed has continueFrom")
    return page


def _items(text: str, at: int) -> tuple[list[bytes], int]:
    items: list[bytes] = []
    at = _expect(text, at, "[")
    if text[at : at + 1] == "]":
        return items, at + 1
    while True:
        _, end = _value(text, at)
        items.append(text[at:end].encode())
        at = _skip(text, end)
        if text[at : at + 1] != ",":
            return items, _expect(text, at, "]", skip=False)
        at = _skip(text, at + 1)


def _value(text: str, at: int) -> tuple[Any, int]:
    return _DECODER.raw_decode(text, at)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _expect(text: str, at: int, mark: str, *, skip: bool = True) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != mark:
        raise ValueError(f"expected {mark!r} at character {at}")
    return _skip(text, at + 1) if skip else at + 1
