"""How a text of the source becomes safe HTML as Pipedrive keeps it, with the files and links that were found in it.

Kept: p, br, b, strong, i, em, u, a, ul, ol, li. Headings become bold lines, rows of tables lines, all else its text.
What leads into Dispatch Pro does not stay: a file becomes a link to a file of ours, other addresses their text.
"""

import re
from dataclasses import dataclass
from html import escape, unescape
from html.parser import HTMLParser

import nh3

from dispatch_to_pipedrive.normalize.html_writer import INLINE, LISTS, REMOVED, HtmlWriter, Image
from dispatch_to_pipedrive.normalize.sources import SourceHosts

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
BLOCKS = {
    "address",
    "article",
    "aside",
    "blockquote",
    "caption",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
}
BLOCKS |= {"figcaption", "figure", "footer", "header", "hr", "main", "nav", "p", "pre", "section", "summary"}
BLOCKS |= {"table", "tbody", "tfoot", "thead", "tr", *HEADINGS}
CELLS = ("td", "th")
HIDDEN = ("script", "style", "title", "template", "svg", "math")
"""Elements whose content nobody sees as text."""

READ = {*INLINE, *LISTS, *BLOCKS, *CELLS, "li", "a", "br", "img"}
PLAIN = {
    "abbr",
    "base",
    "big",
    "body",
    "button",
    "cite",
    "code",
    "col",
    "colgroup",
    "del",
    "dfn",
    "font",
    "form",
}
PLAIN |= {
    "head",
    "html",
    "input",
    "ins",
    "kbd",
    "label",
    "link",
    "mark",
    "meta",
    "object",
    "q",
    "s",
    "samp",
    "small",
}
PLAIN |= {"span", "strike", "sub", "sup", "tt", "var", "wbr"}
"""Elements of which only the text counts. What stands in angle brackets otherwise is no element but text."""

_NAMES = "|".join(sorted({*READ, *PLAIN}, key=len, reverse=True)) + r"|[a-z]{1,3}:[a-z]+"
_NO_ELEMENT = re.compile(rf"<(?!/?(?:{_NAMES})(?=[\s/>])[^<]*>|!doctype[^<]*>|\?[^<]*>)", re.IGNORECASE)
_ELEMENT = re.compile(rf"</?(?:{_NAMES})(?=[\s/>])[^<]*>", re.IGNORECASE)
_BREAKING = re.compile(rf"<(?:{'|'.join(sorted({*BLOCKS, *LISTS, 'br', 'li'}))})(?=[\s/>])", re.IGNORECASE)
_BLOCK = re.compile(rf"<(?:{'|'.join(sorted({*BLOCKS, *LISTS, 'li'}))})(?=[\s/>])")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_HIDDEN = re.compile(rf"<({'|'.join(HIDDEN)})(?=[\s/>])", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile(r"\r\n?|[\u2028\u2029]")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TAG = re.compile(r"<(/?)([a-z]+)[^>]*>")


@dataclass(frozen=True, slots=True)
class Safe:
    """Safe HTML, and the files that it links as `<a href="file:ROLE">`, each once, in their order."""

    html: str
    images: tuple[Image, ...]


def safe_html(text: str, hosts: SourceHosts) -> Safe:
    """A text, HTML or plain with line breaks, as safe HTML without any address of Dispatch Pro."""
    markup = _markup(_BREAKS.sub("\n", _CONTROLS.sub("", text)))
    for kept in (INLINE, ()):
        writer = HtmlWriter(hosts, kept, blocks=_BLOCK.search(markup) is not None)
        _Reader(writer).read(markup)
        if not hosts.anywhere(visible(writer.html)):
            return Safe(writer.html, tuple(writer.images.values()))
    # The tags alone kept apart what reads as an address: they go, too.
    lines = (cleared(line, hosts) for line in visible(writer.html).split("\n"))
    return Safe("<br>".join(escape(line, quote=False) for line in lines), tuple(writer.images.values()))


def cleared(text: str, hosts: SourceHosts) -> str:
    """A plain text without any address of Dispatch Pro."""
    while hosts.anywhere(text):
        parts, at = [], 0
        for found in hosts.in_text(text):
            parts += [text[at : found.start], REMOVED]
            at = found.end
        text = "".join([*parts, text[at:]])
    return text


def visible(html: str) -> str:
    """The text of safe HTML as it is seen: blocks and breaks are line breaks."""
    return unescape(_TAG.sub(lambda tag: "\n" if tag[2] in ("br", "p", "li", *LISTS) else "", html))


def _markup(text: str) -> str:
    """A text as well-formed HTML of known elements; what is no element stands in it escaped."""
    if not _ELEMENT.search(text) and not _HIDDEN.search(text) and "<!--" not in text:
        plain = _ENTITY.sub(lambda entity: unescape(entity[0]), text)
        return escape(plain, quote=False).strip().replace("\n", "<br>")
    commented = text.rfind("-->") + 3
    text = _COMMENT.sub("", text[:commented]) + text[commented:] if commented > 2 else text
    text = _NO_ELEMENT.sub("&lt;", _without_hidden(text))
    if not _BREAKING.search(text):
        text = text.strip().replace("\n", "<br>")
    return nh3.clean(
        text,
        tags=READ,
        clean_content_tags=set(),
        attributes={"a": {"href"}, "img": {"src", "alt"}},
        url_schemes={"http", "https", "mailto", "tel", "data", "ftp", "cid"},
        link_rel=None,
    )


def _without_hidden(text: str) -> str:
    """A text without the elements that nobody sees; one that never ends counts as text."""
    parts, at, endless = [], 0, set()
    for opening in _HIDDEN.finditer(text):
        name = opening[1].casefold()
        if opening.start() < at or name in endless:
            continue
        closing = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(text, opening.end())
        if closing is None:
            endless.add(name)
            continue
        parts.append(text[at : opening.start()])
        at = closing.end()
    return "".join([*parts, text[at:]])


class _Reader(HTMLParser):
    """Reads well-formed HTML into the words of a writer."""

    def __init__(self, writer: HtmlWriter) -> None:
        super().__init__(convert_charrefs=True)
        self.writer = writer
        self.cells: list[int] = []
        self.preformatted = 0

    def read(self, markup: str) -> None:
        self.feed(markup)
        self.close()
        self.writer.end()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag in INLINE:
            self.writer.open(tag)
        elif tag == "a":
            self.writer.link(found.get("href") or "")
        elif tag == "img":
            self.writer.image(found.get("src") or "", found.get("alt") or "")
        elif tag == "br":
            self.writer.line()
        elif tag in LISTS:
            self.writer.list(tag)
        elif tag == "li":
            self.writer.item()
        elif tag in CELLS:
            self._cell()
        else:
            self._block(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in (*INLINE, "a"):
            self.writer.close(tag)
        elif tag in LISTS:
            self.writer.list_end()
        elif tag == "li":
            self.writer.item_end()
        elif tag in BLOCKS:
            self.writer.border()
            self.preformatted -= tag == "pre"
            if tag in HEADINGS:
                self.writer.close("b")
            if tag == "tr" and self.cells:
                self.cells.pop()

    def handle_data(self, data: str) -> None:
        if not self.preformatted:
            self.writer.text(data)
            return
        for number, line in enumerate(data.split("\n")):
            if number:
                self.writer.line()
            self.writer.text(line)

    def _cell(self) -> None:
        if self.cells:
            if self.cells[-1]:
                self.writer.text(" | ")
            self.cells[-1] += 1

    def _block(self, tag: str) -> None:
        self.writer.border()
        self.preformatted += tag == "pre"
        if tag in HEADINGS:
            self.writer.open("b")
        if tag == "tr":
            self.cells.append(0)
