"""A page of the vendor's answer, cut into its records without touching them.

The records keep their exact text: a number that went through a parser and back might not be the same number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_DATA = re.compile(rb'\s*\{[^{}\[\]]*?"data"\s*:\s*\[')


@dataclass(frozen=True)
class Page:
    """The verbatim records of one page, and how it goes on."""

    records: list[bytes]
    has_more: bool
    continue_from: str | None


def split_quickly(body: bytes) -> Page:
    """A page in compact JSON, cut where the braces balance.

    Braces in texts mislead it. If every record that it gives is one JSON object, the cuts are right, because JSON
    can be read in one way only: so parse them, and turn to `split_carefully` for what does not parse.
    """
    found = _DATA.match(body)
    end = body.rfind(b"]")
    if found is None or end < found.end():
        return split_carefully(body)
    try:
        facts = orjson.loads(body[: found.end()] + body[end:])
    except orjson.JSONDecodeError:
        return split_carefully(body)
    inside = body[found.end() : end].strip()
    return _page(facts, list(_balanced(inside)) if inside else [])


def split_carefully(body: bytes) -> Page:
    """A page in any JSON, several times slower. Raises ValueError for what is no page."""
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
    if records is None:
        raise ValueError("a page has data")
    return _page(facts, records)


def _page(facts: dict[str, Any], records: list[bytes]) -> Page:
    if not isinstance(facts.get("hasMore"), bool):
        raise ValueError("a page has hasMore")
    token = facts.get("continueFrom")
    return Page(records, facts["hasMore"], None if token is None else str(token))


def _balanced(inside: bytes) -> Iterator[bytes]:
    """The objects of a list, cut at every "},{" outside of which all braces are closed."""
    start = at = depth = 0
    while (cut := inside.find(b"},{", at)) >= 0:
        depth += inside.count(b"{", at, cut + 1) - inside.count(b"}", at, cut + 1)
        at = cut + 1
        if depth == 0:
            yield inside[start:at]
            start = at = cut + 2
    yield inside[start:]


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
            return items, _expect(text, at, "]")
        at = _skip(text, at + 1)


def _value(text: str, at: int) -> tuple[Any, int]:
    return _DECODER.raw_decode(text, at)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _expect(text: str, at: int, mark: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != mark:
        raise ValueError(f"expected {mark!r} at character {at}")
    return _skip(text, at + 1)
