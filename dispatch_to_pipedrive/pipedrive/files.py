"""How is a file written in v1, and what would it look like as a v2 record?

Above the client a file has `size` (the vendor's `file_size`), RFC 3339 times and `is_deleted`, like all other records.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dispatch_to_pipedrive.pipedrive.notes import rfc3339
from dispatch_to_pipedrive.pipedrive.streams import Form, LocalFile, Upload

PATH = "/api/v1/files"
PAGE = 100
PARENTS = {"deal_id": "deals", "person_id": "persons", "org_id": "organizations"}
"""Reference of a file → the collection whose record it hangs on."""
_KEPT = ("id", "name", *PARENTS, "user_id", "url")


def uploaded(body: Mapping[str, Any], content: LocalFile) -> Upload:
    """A new file: its name is that of the part, its parents are fields beside it."""
    fields = {name: str(body[name]) for name in PARENTS if body.get(name) is not None}
    return Upload(content, str(body["name"]), fields)


def renamed(body: Mapping[str, Any]) -> Form:
    """The only thing of a file that can be written again; a ValueError names what cannot."""
    if others := set(body) - {"name"}:
        raise ValueError(f"of a file only the name can be changed, not {', '.join(sorted(others))}")
    return Form({"name": str(body["name"])})


def shown(record: Mapping[str, Any]) -> dict[str, Any]:
    """What v1 shows of a file, as a v2 record."""
    times = {name: rfc3339(record.get(name)) for name in ("add_time", "update_time")}
    return {
        **{name: record.get(name) for name in _KEPT},
        "size": record.get("file_size"),
        **times,
        "is_deleted": not record.get("active_flag", True),
    }
