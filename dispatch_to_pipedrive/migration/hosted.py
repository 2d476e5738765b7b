"""How does a note point to the files that it shows?

In a mapped note a file stands as `<a href="file:SOURCE_KEY">name</a>`; on the wire the address is that of the file in
the account. A file that is not there becomes its name and the reason in brackets, and the next load mends the note when
it has come.
"""

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import NamedTuple

from dispatch_to_pipedrive.migration.values import ALIVE, Link, Quarantined

_REFERENCE = re.compile(r'<a\b[^>]*?\bhref="file:([^"]+)"[^>]*>(.*?)</a>', re.DOTALL | re.IGNORECASE)
NOT_MOVED = "not moved"
_REASON_LENGTH = 160
"""Characters of a reason that stand in a note, whose length is limited."""
_SHOWN = (*ALIVE, "gone")
"""Links whose address stays in a note: what people deleted is no reason to write it again."""


class Hosted(NamedTuple):
    """A file's address in the account, or why it has none."""

    url: str
    reason: str = ""


def file_keys(html: str) -> list[str]:
    """Source keys of the files that a mapped note shows."""
    return [key for key, _ in _REFERENCE.findall(html)] if "file:" in html else []


def with_links(html: str, hosted: Mapping[str, Hosted]) -> str:
    """A mapped note as the account gets it."""
    if "file:" not in html:
        return html

    def link(reference: re.Match[str]) -> str:
        key, name = reference.groups()
        file = hosted.get(key, Hosted("", NOT_MOVED))
        if file.url:
            return f'<a href="{escape(file.url)}">{name}</a>'
        return f"{name} [{escape(file.reason[:_REASON_LENGTH], quote=False)}]"

    return _REFERENCE.sub(link, html)


def hosted_files(
    keys: Iterable[str], links: Mapping[str, Link], aside: Iterable[Quarantined], domain: str
) -> dict[str, Hosted]:
    """Source key of a file → where it is in the account of that domain, or why it is not there."""
    reasons = {q.source_key: q.words for q in aside if q.entity == "files"}
    found = {}
    for key in keys:
        link = links.get(key)
        if link is not None and link.state in _SHOWN:
            found[key] = Hosted(f"https://{domain}.pipedrive.com/v1/files/{link.pipedrive_id}/download")
        else:
            found[key] = Hosted("", reasons.get(key) or NOT_MOVED)
    return found
