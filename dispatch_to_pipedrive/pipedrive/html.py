"""What an HTML text says, in a form that the vendor's sanitiser and formatter do not change.

Pipedrive publishes no list of the tags that it lets stand. Kept here are those that every sanitiser keeps
(blocks, lists, bold, italic, underline, links); all others are unwrapped, scripts and styles go with their
content, and the text itself is compared to the letter.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html.parser import HTMLParser

_SILENT = frozenset(("script", "style", "iframe", "object", "embed", "noscript", "template", "title"))
_KEPT = {tag: tag for tag in ("p", "br", "b", "i", "u", "a", "ul", "ol", "li")} | {"strong": "b", "em": "i"}
_BLOCKS = frozenset(("p", "ul", "ol", "li"))
_SPACE = re.compile(r"[ \t\r\n\f]+")
_AROUND_BREAK = re.compile(r" ?(</?(?:p|ul|ol|li)>|<br>) ?")
_SAFE_LINK = re.compile(r"\s*(?:https?:|mailto:|tel:|/|#)", re.IGNORECASE)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        kept = _KEPT.get(tag)
        if kept is None or self._silent:
            return
        link = next((value for name, value in attrs if name == "href"), None) if kept == "a" else None
        safe = link if link and _SAFE_LINK.match(link) else None
        self.parts.append(f"<{kept} {safe.strip()}>" if safe else f"<{kept}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        kept = _KEPT.get(tag)
        if kept is not None and kept != "br" and not self._silent:
            self.parts.append(f"</{kept}>")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            # A text's own angle brackets must not pass for tags.
            self.parts.append(data.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


@lru_cache(maxsize=8192)
def canonical_html(text: str) -> str:
    """The text with its structure: entities resolved, white space folded, unsafe and unknown tags gone."""
    if "<" not in text and "&" not in text:
        return _SPACE.sub(" ", text.replace(">", "&gt;")).strip()
    reader = _Reader()
    reader.feed(text)
    reader.close()
    folded = _SPACE.sub(" ", "".join(reader.parts))
    return _AROUND_BREAK.sub(r"\1", folded).strip()
