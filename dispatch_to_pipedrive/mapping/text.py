"""How HTML becomes plain text, and how HTML that is too long is cut: tags go, blocks and breaks become lines."""

from html import escape
from html.parser import HTMLParser

import pandas as pd

LONGEST_BODY = 45_000
"""Bytes of UTF-8 that remain of a text that has to be cut."""

BLOCKS = {
    "address",
    "article",
    "blockquote",
    "div",
    "dl",
    "dt",
    "dd",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
}
BLOCKS |= {"form", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tr", "ul"}
HIDDEN = {"script", "style", "head", "title"}


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in HIDDEN:
            self.hidden += 1
        elif tag == "br" or tag in BLOCKS:
            self.parts.append("\n")
        if tag == "li":
            self.parts.append("- ")

    def handle_endtag(self, tag: str) -> None:
        if tag in HIDDEN:
            self.hidden = max(0, self.hidden - 1)
        elif tag in BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.parts.append(data)


def html_to_text(html: str) -> str:
    """The text of an HTML fragment: lines without blanks at their ends, and no empty lines."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.parts).split("\n"))
    return "\n".join(line for line in lines if line)


def cut_html(html: str) -> str:
    """The beginning of an HTML fragment as plain lines, ending in …: markup cannot be cut anywhere."""
    text = html_to_text(html)
    lines = "<br>".join(escape(line, quote=False) for line in text.split("\n"))
    short = lines.encode()[:LONGEST_BODY].decode(errors="ignore")
    at = max(short.rfind("&"), short.rfind("<"))  # no entity and no break may end half-way
    return (short[:at] if at > len(short) - 10 else short) + "…"


def too_long(values: pd.Series, limit: int) -> pd.Series:
    """Which texts take more than so many bytes of UTF-8."""
    long = values.str.len().fillna(0) * 4 > limit  # no code point takes more than four bytes
    sizes = {text: len(text.encode()) for text in values[long].dropna().unique()}
    return (long & values.map(sizes).gt(limit).fillna(False)).astype(bool)
