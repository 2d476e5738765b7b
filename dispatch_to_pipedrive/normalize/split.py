"""How safe HTML that is too long for one note becomes several, none of its text lost and every tag closed.

Parts end at the border of a block, else at white space, else between any two characters.
"""

import re
from typing import NamedTuple

from dispatch_to_pipedrive.normalize.html_writer import FILE

LIMIT = 90_000
"""Bytes of UTF-8; Pipedrive holds 100 KB a note, and the map's own lines come on top of the content."""

LINK = 320
"""Bytes that a link to a file may take once it leads to the file in Pipedrive, or says why there is none."""

_TOKEN = re.compile(r"[^<&]{0,63}\s|[^<&\s]{1,64}|<(/?)([a-z]+)[^>]*>|&(?:#\d+|[a-z]+);|.", re.DOTALL)
_FILE_LINK = f'<a href="{FILE}'
_ENDS = ("p", "ul", "ol", "li")
_LINE, _BLANK, _ANYWHERE = 3, 2, 1


class _Token(NamedTuple):
    """A tag (`opens` or `closes` that element), a break, or text that must not be cut itself; its bytes."""

    text: str
    size: int
    opens: str = ""
    closes: str = ""
    rank: int = _ANYWHERE


def parts(html: str, limit: int = LIMIT) -> list[str]:
    """Safe HTML (as `html.safe_html` writes it) in parts of at most `limit` bytes; most often it is one."""
    if FILE not in html and (len(html) * 4 <= limit or len(html.encode()) <= limit):
        return [html]
    tokens = _tokens(html)
    if sum(token.size for token in tokens) <= limit:
        return [html]
    made = []
    opened: list[_Token] = []
    at = 0
    while at < len(tokens):
        end = _end(tokens, at, opened, limit)
        body = "".join(token.text for token in tokens[at:end])
        before = "".join(tag.text for tag in opened)
        for token in tokens[at:end]:
            _follow(token, opened)
        made.append(before + body + "".join(f"</{tag.opens}>" for tag in reversed(opened)))
        at = end
        while at < len(tokens) and tokens[at].closes:  # an element that has ended opens no new part
            _follow(tokens[at], opened)
            at += 1
    return [part for part in made if _TOKEN.sub(lambda token: "" if token[2] else token[0], part)]


def _end(tokens: list[_Token], at: int, opened: list[_Token], limit: int) -> int:
    """Where the part that begins at a token ends: the best border before it is full."""
    stack = list(opened)
    size = sum(tag.size for tag in stack)
    closing = sum(_closing(tag) for tag in stack)
    best = {_LINE: at, _BLANK: at, _ANYWHERE: at}
    for number in range(at, len(tokens)):
        token = tokens[number]
        size += token.size
        before = len(stack)
        gone = stack[-1] if token.closes and stack else None
        _follow(token, stack)
        if len(stack) > before:
            closing += _closing(token)
        elif gone is not None and len(stack) < before:
            closing -= _closing(gone)
        if size + closing > limit and number > at:
            # Tags that fill a part by themselves leave no border in it: then it ends where it is full.
            return next((best[rank] for rank in (_LINE, _BLANK, _ANYWHERE) if best[rank] > at), number)
        if not token.opens:
            best[token.rank] = best[_ANYWHERE] = number + 1
    return len(tokens)


def _follow(token: _Token, stack: list[_Token]) -> None:
    if token.opens:
        stack.append(token)
    elif token.closes and stack:
        stack.pop()


def _closing(tag: _Token) -> int:
    return len(tag.opens) + 3


def _tokens(html: str) -> list[_Token]:
    """Tags, entities, and text in short pieces, each up to a blank; a very long word in several."""
    found = []
    for match in _TOKEN.finditer(html):
        text, name = match[0], match[2]
        size = len(text) if text.isascii() else len(text.encode())
        if not name:
            found.append(_Token(text, size, rank=_BLANK if text[-1].isspace() else _ANYWHERE))
        elif name == "br":
            found.append(_Token(text, size, rank=_LINE))
        elif match[1]:
            found.append(_Token(text, size, closes=name, rank=_LINE if name in _ENDS else _ANYWHERE))
        else:
            found.append(_Token(text, max(LINK, size) if text.startswith(_FILE_LINK) else size, opens=name))
    return found
