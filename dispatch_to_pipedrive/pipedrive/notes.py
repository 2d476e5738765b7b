"""How is a note written in v1, and what would it look like as a v2 record?

Above the client a note has RFC 3339 times, booleans and `is_deleted`, like all other records.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

PATH = "/api/v1/notes"
PAGE = 500
"""Notes a page: the documents name no limit, older ones this."""
PARENTS = ("deal_id", "person_id", "org_id")
PINS = ("pinned_to_deal_flag", "pinned_to_person_flag", "pinned_to_organization_flag")
_KEPT = ("id", "content", *PARENTS, "user_id", "last_update_user_id", *PINS)


def sent(body: Mapping[str, Any]) -> dict[str, Any]:
    """A wire body as v1 takes it: the space form of a time (UTC), 0 and 1 for pins."""
    wire = dict(body)
    if wire.get("add_time"):
        wire["add_time"] = spaced(str(wire["add_time"]))
    return {name: int(value) if name in PINS else value for name, value in wire.items()}


def shown(record: Mapping[str, Any]) -> dict[str, Any]:
    """What v1 shows of a note, as a v2 record."""
    note = {name: record.get(name) for name in _KEPT}
    note |= {name: bool(note[name]) for name in PINS}
    times = {name: rfc3339(record.get(name)) for name in ("add_time", "update_time")}
    return {**note, **times, "is_deleted": not record.get("active_flag", True)}


def spaced(moment: str) -> str:
    """RFC 3339 → `YYYY-MM-DD HH:MM:SS` in UTC."""
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def rfc3339(moment: object) -> str | None:
    """`YYYY-MM-DD HH:MM:SS` in UTC → RFC 3339; None for what is no moment."""
    text = str(moment or "")
    if len(text) < 19 or text.startswith("0000"):
        return None
    return f"{text[:10]}T{text[11:19]}Z"
