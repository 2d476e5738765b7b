"""Which addresses in a text lead into Dispatch Pro, and which of them are files that can be fetched?

A host is Dispatch Pro's if it is the one of its API (at whatever port), one below the vendor's domains, or one of the
download hosts.
"""

import re
import string
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urljoin, urlsplit, urlunsplit

VENDOR = (".servicetitan.com", ".servicetitan.io")
"""The vendor's domains, each with all hosts below it."""

HERE = ("127.0.0.1", "localhost", ".localhost", "[::1]")
"""This machine: where the API is here, so is all that belongs to it."""

PAGES = {"htm", "html", "php", "asp", "aspx", "jsp", "do"}
"""Endings of a path that are those of pages, not of files."""

FOLDERS = {"attachment", "attachments", "blob", "blobs", "download", "file", "files", "image", "images"}
FOLDERS |= {"media", "photo", "photos", "upload", "uploads"}
"""A path through one of these names a file although it has no ending."""

ENDINGS = {"jpeg": "jpg", "svg+xml": "svg", "x-icon": "ico", "plain": "txt"}
"""Subtypes of media types that are no ending of a name."""

PASSING = re.compile(
    r"x-(?:amz|goog|ms)-|s[etprv]$|sig$|signature$|expires$|key-pair-id$|policy$|token$", re.I
)
"""Query parameters that sign a link: they change from one reading to the next, and name no other file."""

_WORD = re.compile(r"[^\s<>\"']+")
_NEXT = re.compile(r"(?<=[,;|()\[\]])(?=https?:[\\/])", re.IGNORECASE)
_OPENING = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?[\\/]{2,}")
_ENDING = re.compile(r"\.([A-Za-z0-9]{1,8})$")
_UNSEEN = re.compile(r"[\x00-\x20\x7f-\x9f]+")
_IGNORED = re.compile("[\u00ad\u034f\u180b-\u180d\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]")
"""Characters that browsers leave out of a host's name."""
_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})
"""Dots that a browser takes for those of a host's name."""
_HOST_LETTERS = "-_." + string.ascii_letters + string.digits
_LEADING, _TRAILING = "([{,;:*_", ".,;:!?)]}*_"
_DECODINGS = 4


class Found(NamedTuple):
    """An address of Dispatch Pro: text[start:end]; `url` is None where it hides in another address."""

    start: int
    end: int
    url: str | None


@dataclass(frozen=True)
class SourceHosts:
    """`api`: the address of Dispatch Pro's API; `downloads`: further hosts, a leading dot for all below that domain."""

    api: str = "https://api.servicetitan.io"
    downloads: tuple[str, ...] = ()

    @cached_property
    def _names(self) -> tuple[str, ...]:
        own = _host_of(urlsplit(self.api).netloc)
        here = HERE if own in HERE or own.endswith(".localhost") else ()
        names = (own, *here, *VENDOR, *self.downloads)
        return tuple(dict.fromkeys(name.casefold() for name in names if name.strip(".")))

    @cached_property
    def mention(self) -> str:
        """A regular expression for the names of the hosts, wherever they stand."""
        return "|".join(re.escape(name.removeprefix(".")) for name in self._names)

    @cached_property
    def _anywhere(self) -> re.Pattern[str]:
        return re.compile(rf"(?:{self.mention})\.?(?![\w-]|\.\w)", re.IGNORECASE)

    def owns(self, netloc: str) -> bool:
        """Whether `host`, `host:port` or `user@host` is Dispatch Pro's."""
        host = _host_of(netloc)
        return any(
            f".{host}".endswith(name) if name.startswith(".") else name == host for name in self._names
        )

    def in_text(self, text: str) -> Iterator[Found]:
        """Every address of Dispatch Pro in a text, in order.

        E-mail addresses are none, and neither is the mere mention of the vendor's domain.
        """
        if "%" not in text and not self._anywhere.search(text):
            return
        for word in _WORD.finditer(text):
            at = word.start()
            for piece in _NEXT.split(word.group()):
                found = self._in_word(piece)
                if found is not None:
                    yield Found(at + found.start, at + found.end, found.url)
                at += len(piece)

    def anywhere(self, text: str) -> bool:
        """Whether a text has an address of Dispatch Pro."""
        return next(self.in_text(text), None) is not None

    def inside(self, url: str) -> bool:
        """Whether an address carries one of Dispatch Pro, encoded or not."""
        return any(map(self.anywhere, (url, *decoded(url))))

    def _in_word(self, word: str) -> Found | None:
        if not self._leads(word) and not any(map(self._leads, decoded(word))):
            return None
        bare = word.lstrip(_LEADING)
        start = len(word) - len(bare)
        end = start + len(bare.rstrip(_TRAILING))
        url = word[start:end]
        parts = split(url if _OPENING.match(url) else f"https://{url}")
        if parts is None or not self.owns(parts.netloc):
            return Found(0, len(word), None)
        rest = urlunsplit(("", "", parts.path, parts.query, parts.fragment))
        hides = self._leads(rest) or any(map(self._leads, decoded(rest)))
        web = parts.scheme in ("http", "https") and not hides
        return Found(start, end, parts.geturl() if web else None)

    def _leads(self, word: str) -> bool:
        """Whether a host of Dispatch Pro stands in a word as part of an address."""
        for match in self._anywhere.finditer(word):
            before, after = word[: match.start()], word[match.end() :]
            labels = before[len(before.rstrip(_HOST_LETTERS)) :]
            if not self.owns(labels + match.group()):
                continue
            opening = before[: len(before) - len(labels)]
            mailed = opening.endswith("@") and not re.search(r"[\\/]{2}", opening)
            mentioned = not labels and f".{match.group().rstrip('.').casefold()}" in VENDOR
            if opening.endswith(("/", "\\")) or (
                not mailed and (not mentioned or after[:1] in tuple(":/\\?#"))
            ):
                return True
        return False


def _host_of(netloc: str) -> str:
    """The host as browsers take it, without user, port and a dot at its end."""
    netloc = unicodedata.normalize("NFKC", _IGNORED.sub("", netloc))
    host = netloc.rpartition("@")[2].casefold()
    return f"{host.partition(']')[0]}]" if host.startswith("[") else host.partition(":")[0].rstrip(".")


def decoded(text: str) -> Iterator[str]:
    """A text without its percent signs, once and again while that changes something."""
    for _ in range(_DECODINGS):
        before, text = text, unquote(text)
        if text == before:
            return
        yield text


def split(url: str, base: str = "https:") -> SplitResult | None:
    """An address in its parts, as a browser takes it that stands on the page `base`; None where it is none."""
    clean = _UNSEEN.sub("", url).translate(_DOTS)
    try:
        parts = urlsplit(urljoin(base, clean.replace("\\", "/")))
        return parts if parts.port is None or parts.port >= 0 else None
    except ValueError:
        return None


def is_file(parts: SplitResult) -> bool:
    """Whether an address looks like that of a file: by an ending, or by a folder of files in its path."""
    *folders, last = unquote(parts.path).casefold().split("/")
    ending = _ENDING.search(last)
    if ending is not None:
        return ending.group(1) not in PAGES and not ending.group(1).isdigit()
    return (bool(last) and bool(FOLDERS & set(folders))) or (last in FOLDERS and len(folders) > 1)


def name_of(url: str) -> str:
    """A file's name: the last segment of its address; `image.png` for a data: address."""
    if url[:5].casefold() == "data:":
        kind, _, subtype = url[5:].partition(",")[0].partition(";")[0].casefold().partition("/")
        ending = ENDINGS.get(subtype, subtype)
        word = "image" if kind in ("image", "") else "file"
        return f"{word}.{ending}" if re.fullmatch(r"[a-z0-9]{1,8}", ending) else word
    parts = split(url)
    path = unquote(parts.path) if parts is not None else ""
    last = path.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return _UNSEEN.sub(" ", last).strip() or "file"


def lasting(url: str) -> tuple[str, str]:
    """An address without query and fragment; beside it what of its query says which file it is.

    That is nothing where the path itself names the file: then the query signs it, or outwits a cache.
    """
    if url[:5].casefold() == "data:":
        return url, ""
    parts = urlsplit(url)
    plain = parts._replace(query="", fragment="").geturl()
    if _ENDING.search(parts.path):
        return plain, ""
    kept = [(key, value) for key, value in parse_qsl(parts.query) if not PASSING.match(key)]
    return plain, urlencode(sorted(kept))
