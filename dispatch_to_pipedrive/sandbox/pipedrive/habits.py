"""What does the real service do to a record unasked? Cleaned HTML, filled-in addresses and links, automations."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from . import changelog, times
from .store import Record

if TYPE_CHECKING:
    from .account import Account

_KEPT = frozenset({"p", "br", "b", "i", "u", "a", "ul", "ol", "li", "strong", "em", "div", "span"})
AUTOMATOR = 2
"""The user who made the automations: what they do is done in his name."""
_VOID = frozenset({"br"})
_SWALLOWED = frozenset({"script", "style", "iframe"})


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SWALLOWED:
            self.depth += 1
        elif tag in _KEPT and not self.depth:
            href = next((value for name, value in attrs if tag == "a" and name == "href" and value), None)
            safe = href is not None and not href.strip().lower().startswith("javascript:")
            self.out.append(f'<{tag} href="{escape(href)}">' if safe and href else f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SWALLOWED:
            self.depth = max(0, self.depth - 1)
        elif tag in _KEPT and tag not in _VOID and not self.depth:
            self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self.depth:
            self.out.append(escape(data, quote=False))


def sanitize(html: str) -> str:
    """HTML with the allowed tags only; text is kept, scripts and frames go with their content."""
    if "<" not in html and "&" not in html and ">" not in html:
        return html
    cleaner = _Cleaner()
    cleaner.feed(html)
    cleaner.close()
    return "".join(cleaner.out)


def before_write(account: Account, entity: str, record: Record, changed: Record | None = None) -> None:
    """Change a record on its way into the store; `changed` names what an update touches, None means a create."""
    touched: Any = record if changed is None else changed
    if entity == "activities" and touched.get("note") and account.habits["sanitize_html"]:
        record["note"] = sanitize(record["note"])
    if entity == "activities" and "participants" in touched and record.get("org_id") is None:
        _org_of(account, record, next((p["person_id"] for p in record["participants"] if p["primary"]), None))
    elif entity == "deals" and touched.get("person_id") and record.get("org_id") is None:
        _org_of(account, record, record["person_id"])


def _org_of(account: Account, record: Record, person: int | None) -> None:
    if person is not None and account.habits["fill_org_from_person"]:
        found = account.stores["persons"].get(person)
        org = found.get("org_id") if found else None
        if org is not None and account.stores["organizations"].alive(org):
            record["org_id"] = org


def after_write(
    account: Account, entity: str, record: Record, *, created: bool, changed: Record | None = None
) -> None:
    """Take note of what will happen to a record a little later."""
    if entity == "organizations" and account.habits["fill_address"] and "address" in record:
        if created or (changed is not None and "address" in changed):
            account.later(account.habits["fill_address_seconds"], "fill_address", entity, record["id"])
    elif entity == "deals" and created and account.habits["automation"]:
        account.later(account.habits["automation"].get("seconds", 1), "automation", entity, record["id"])


def settle(account: Account, *, everything: bool = False) -> None:
    """Let everything happen that is due on the sandbox's clock."""
    if not account.pending:
        return
    for what, entity, id_ in account.due(everything=everything):
        record = account.live(entity, id_)
        if record is None:
            continue
        if what == "fill_address":
            _fill_address(account, record)
        else:
            _automate(account, record)


def _fill_address(account: Account, record: Record) -> None:
    address = record.get("address")
    if address is None or not account.habits["fill_address"]:
        return
    filled = {**parts_of(address["value"]), **address, "formatted_address": address["value"]}
    if filled == address:
        return
    after = {**record, "address": filled}
    if account.habits["fill_address_bumps"]:
        after["update_time"] = account.stamp()
    account.replace("organizations", after, record)


_STATE_ZIP = re.compile(r"([A-Za-z]{2})\s+(\d{5}(?:-\d{4})?)\Z")
_NUMBER = re.compile(r"(\d+[A-Za-z]?)\s+(.+)\Z")


def parts_of(value: str) -> dict[str, str]:
    """What a geocoder would make of an address line, roughly."""
    pieces = [piece.strip() for piece in value.split(",") if piece.strip()]
    parts: dict[str, str] = {}
    if pieces and (street := _NUMBER.match(pieces[0])):
        parts["street_number"], parts["route"] = street[1], street[2]
    rest = pieces[1:]
    for at, piece in enumerate(rest):
        if found := _STATE_ZIP.match(piece):
            parts["admin_area_level_1"], parts["postal_code"] = found[1].upper(), found[2]
            if at:
                parts["locality"] = rest[at - 1]
    if rest:
        parts.setdefault("country", rest[-1] if not _STATE_ZIP.match(rest[-1]) else "United States")
    return parts


def _automate(account: Account, record: Record) -> None:
    rule = account.habits["automation"]
    if not rule or record.get("stage_id") == rule["to_stage"]:
        return
    if rule.get("from_stage") not in (None, record.get("stage_id")):
        return
    stamp = times.v2_stamp(account.now())
    stage = account.stages[rule["to_stage"]]
    moved = {"stage_id": stage["id"], "pipeline_id": stage["pipeline_id"], "stage_change_time": stamp}
    with changelog.acting(account, AUTOMATOR, "automation"):
        account.replace("deals", {**record, **moved, "update_time": stamp}, record)
