"""How safe HTML is written: lines, lists and links, with what stands for addresses of Dispatch Pro.

Tags open only where text follows, so none is empty, and none crosses another or the border of a block.
"""

import re
from hashlib import sha256
from html import escape
from typing import NamedTuple

from dispatch_to_pipedrive.normalize.sources import SourceHosts, is_file, lasting, name_of, split

INLINE = ("b", "strong", "i", "em", "u")
LISTS = ("ul", "ol")
REMOVED = "(link into Dispatch Pro removed)"
DEEPEST = 8
"""So many lists may stand in one another."""
LONGEST_LINK = 2_000
"""Characters of an address that stays a link; a longer one is text, which can be split."""

FILE = "file:"
"""Begins the address of a link to one of our files, before the file's source key."""

_BLANKS = re.compile(r"[ \t\n\f]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_TWICE = re.compile(rf"{re.escape(REMOVED)}(?:\s*{re.escape(REMOVED)})+")


class Image(NamedTuple):
    """A file found in a text: `role` ends its source key (`image-0123456789ab`), `source` is its address."""

    role: str
    name: str
    source: str


class _Link(NamedTuple):
    """An open link: its address in the output (empty: none), its text if it has none, what is said after it."""

    href: str
    name: str
    after: str
    written: int


class HtmlWriter:
    """Writes lines, lists and links; tags open only where text follows, so that none is empty or crosses another."""

    def __init__(self, hosts: SourceHosts, kept: tuple[str, ...], *, blocks: bool) -> None:
        self.hosts = hosts
        self.kept = kept
        self.blocks = blocks
        self.images: dict[str, Image] = {}
        self.parts: list[str] = []
        self.wanted: list[tuple[str, str]] = []  # elements that are open here: (tag, address)
        self.opened: list[tuple[str, str]] = []  # those whose tag is written
        self.depths = dict.fromkeys(INLINE, 0)
        self.buffer: list[str] = []
        self.link_: _Link | None = None
        self.lists: list[str] = []
        self.in_item: list[bool] = []
        self.deeper = 0
        self.in_paragraph = False
        self.breaks = 0
        self.blank = True  # a further blank would be one too many
        self.place_empty = True
        self.pictured = False  # a picture was the last thing
        self.written = 0

    @property
    def html(self) -> str:
        """All that was written."""
        return _TWICE.sub(REMOVED, "".join(self.parts))

    def text(self, data: str) -> None:
        """Text of the current line; runs of blanks are one, and none stands at its ends."""
        data = _BLANKS.sub(" ", data)
        data = data.lstrip(" ") if self.blank else data
        if data:
            self.pictured = False
            self.buffer.append(data)
            self.blank = data[-1] == " "

    def open(self, tag: str) -> None:
        """Text from here on is bold, italic or underlined."""
        if tag not in self.kept:
            return
        self.depths[tag] += 1
        if self.depths[tag] == 1:
            self.flush()
            self.wanted.append((tag, ""))

    def close(self, tag: str) -> None:
        """The end of such a text, or of a link."""
        if tag == "a":
            self._link_end()
        elif self.depths[tag]:
            self.depths[tag] -= 1
            if not self.depths[tag]:
                self.flush()
                self.wanted.remove((tag, ""))

    def link(self, address: str) -> None:
        """A link from here on."""
        self._link_end()
        kept, image, after = self._target(address, shown=False)
        href = self._file(image) if image is not None else kept
        name = image.name if image is not None else kept
        self.link_ = _Link(href, name, after, self.written)
        if href:
            self.wanted.append(("a", href))

    def image(self, address: str, alt: str) -> None:
        """A picture: a file of ours, or a link to where it is."""
        self.flush()
        written = self.written
        self._apart()
        kept, image, after = self._target(address, shown=True)
        if image is not None:
            self._linked(self._file(image), image.name)
            words = alt.strip()
            if words and words != image.name:
                self.text(f" ({words})")
        elif kept:
            self._linked(kept, alt.strip() or kept)
        else:
            self.text(f"{alt.strip() or 'image'} {after}".rstrip())
            self.flush()
        if self.link_ is not None and self.link_.href not in (kept, image and self._file(image)):
            self.written = written  # a picture is no text of the link around it
        self.pictured = True

    def line(self) -> None:
        """A line break."""
        self.flush(end=True)
        self.breaks += 1

    def border(self) -> None:
        """The border of a block."""
        self.flush(end=True)
        if self.lists and self.in_item[-1]:
            self.breaks = max(self.breaks, 1) if not self.place_empty else 0
        else:
            self._paragraph_end()

    def list(self, tag: str) -> None:
        """A list begins; one that stands too deep in others is but lines."""
        self.border()
        if self.deeper or len(self.lists) == DEEPEST:
            self.deeper += 1
            return
        if self.lists and not self.in_item[-1]:
            self._item_begin()
        self._tags_end()
        self.parts.append(f"<{tag}>")
        self.lists.append(tag)
        self.in_item.append(False)
        self._new_place()

    def item(self) -> None:
        """An item of a list begins; outside a list it is a line."""
        if not self.lists or self.deeper:
            self.border()
            return
        self.item_end()
        self._item_begin()

    def item_end(self) -> None:
        """An item of a list ends."""
        self.flush(end=True)
        if self.deeper:
            self.border()
        elif self.lists and self.in_item[-1]:
            self._tags_end()
            self.parts.append("</li>")
            self.in_item[-1] = False
            self._new_place()
        elif not self.lists:
            self._paragraph_end()

    def list_end(self) -> None:
        """A list ends."""
        self.item_end()
        if self.deeper:
            self.deeper -= 1
        elif self.lists:
            self.parts.append(f"</{self.lists.pop()}>")
            self.in_item.pop()
            self._new_place()
            self.place_empty = not self.lists

    def end(self) -> None:
        """The end of the text."""
        self._link_end()
        self.flush(end=True)
        while self.lists:
            self.list_end()
        self._paragraph_end()
        self._tags_end()

    def flush(self, *, end: bool = False) -> None:
        """Write the text since the last tag: where it has addresses of Dispatch Pro, what stands for them."""
        text = "".join(self.buffer)
        self.buffer = []
        if end:
            text = text.rstrip(" ")
            self.blank = True
        at = 0
        for found in self.hosts.in_text(text):
            self._put(text[at : found.start])
            image = None if found.url is None else self._image(found.url, shown=False)
            if image is None:
                self._put(REMOVED)
            else:
                self._linked(self._file(image), image.name)
            at = found.end
        self._put(text[at:])

    def _target(self, address: str, *, shown: bool) -> tuple[str, Image | None, str]:
        """What becomes of an address: (where it stays, the file that it is, what is said after its text)."""
        clean = address.strip()
        scheme = _SCHEME.match(clean)
        kind = scheme.group().casefold() if scheme else ""
        if kind == "data:":
            return "", self._image(clean, shown=True), ""
        if kind in ("mailto:", "tel:"):
            return ("", None, REMOVED) if self.hosts.inside(clean) else (clean, None, "")
        if not clean or clean.startswith("#") or kind not in ("", "http:", "https:"):
            return "", None, REMOVED if self.hosts.inside(clean) else ""
        parts = split(clean, self.hosts.api.rstrip("/") + "/")
        if parts is None or not parts.netloc:
            return "", None, REMOVED if self.hosts.inside(clean) else ""
        if self.hosts.owns(parts.netloc):
            image = self._image(parts.geturl(), shown=shown)
            return "", image, "" if image is not None else REMOVED
        if self.hosts.inside(clean):
            return "", None, REMOVED
        address = parts.geturl()
        return (address, None, "") if len(address) <= LONGEST_LINK else ("", None, address)

    def _image(self, url: str, *, shown: bool) -> Image | None:
        """The file behind an address of Dispatch Pro; None where it is no file. The same address is the same file."""
        parts = None if url[:5].casefold() == "data:" else split(url)
        if parts is not None and not shown and not is_file(parts):
            return None
        kept, asked = lasting(url)
        role = _role(kept)
        known = self.images.get(role)
        if known is not None and asked != lasting(known.source)[1]:
            role = _role(f"{kept}?{asked}")
        return self.images.setdefault(role, Image(role, name_of(url), url))

    def _file(self, image: Image) -> str:
        return f"{FILE}{image.role}"

    def _linked(self, href: str, words: str) -> None:
        """A link with a text of its own, outside any other link; inside one to the same file the text alone."""
        if ("a", href) in self.wanted:
            self._put(words)
            return
        before = self.wanted
        self.wanted = [*(one for one in before if one[0] != "a"), ("a", href)]
        self._put(words)
        self.wanted = before
        self.blank = False

    def _apart(self) -> None:
        """A blank behind a picture, in no link: what follows at once stands for another picture or link."""
        if self.pictured and not self.blank:
            before = self.wanted
            self.wanted = [one for one in before if one[0] != "a"]
            self._put(" ")
            self.wanted = before

    def _link_end(self) -> None:
        if self.link_ is None:
            return
        link, self.link_ = self.link_, None
        self.flush()
        if self.written == link.written and link.href:
            self._apart()
            self._put(link.name)
            self.blank = False
        self.wanted = [one for one in self.wanted if one[0] != "a"]
        if link.after:
            self.text(f" {link.after}")

    def _put(self, text: str) -> None:
        """Write text where it belongs, with the breaks before it and inside the tags that are wanted."""
        if not text:
            return
        if self.lists and not self.in_item[-1]:
            self._item_begin()
        elif self.blocks and not self.lists and not self.in_paragraph:
            self.parts.append("<p>")
            self.in_paragraph = True
        same = 0
        while same < min(len(self.opened), len(self.wanted)) and self.opened[same] == self.wanted[same]:
            same += 1
        self._tags_end(same)
        self.parts.append("<br>" * (0 if self.place_empty else self.breaks))
        self.breaks = 0
        for tag, href in self.wanted[same:]:
            self.parts.append(f'<a href="{escape(href)}">' if tag == "a" else f"<{tag}>")
            self.opened.append((tag, href))
        self.parts.append(escape(text, quote=False))
        self.place_empty = False
        self.written += 1

    def _tags_end(self, keep: int = 0) -> None:
        while len(self.opened) > keep:
            self.parts.append(f"</{self.opened.pop()[0]}>")

    def _item_begin(self) -> None:
        self.parts.append("<li>")
        self.in_item[-1] = True
        self._new_place()

    def _paragraph_end(self) -> None:
        if self.in_paragraph:
            self._tags_end()
            self.parts.append("</p>")
            self.in_paragraph = False
        if self.blocks:
            self._new_place()

    def _new_place(self) -> None:
        self.breaks = 0
        self.blank = True
        self.place_empty = True


def _role(url: str) -> str:
    return f"image-{sha256(url.encode()).hexdigest()[:12]}"
