"""Which files are there, how large are they, and which of them are too large to move?"""

from collections.abc import Sequence
from typing import Any

from dispatch_to_pipedrive.migration.assessment.tables import NOTHING, Fields
from dispatch_to_pipedrive.migration.file_checks import Oversized

SHOWN = 200
"""Files above the limit that the page names; the rest stands in the CSV that preflight writes."""
_FEED = "job_attachments"


def files(fields: Fields, limit_mb: float, oversized: Sequence[Oversized]) -> dict[str, Any]:
    """Counts, bytes, what is not known, and the files above the limit, the largest first."""
    carried = dict(fields.get((_FEED, "carried_as"), NOTHING).frequent)
    pictures = [dict(told.frequent).get("file", 0) for (_, name), told in fields.items() if name == "brings"]
    largest = sorted(oversized, key=lambda one: (-one.size, one.attachment_id))
    return {
        "limit_mb": limit_mb,
        "attachments": carried.get("file", 0),
        "pictures": sum(pictures),
        "bytes": dict(fields.get((_FEED, "bytes"), NOTHING).frequent).get("known", 0),
        "unsized": dict(fields.get((_FEED, "size_class"), NOTHING).frequent).get("not known", 0),
        "oversized": len(largest),
        "largest": [one._asdict() for one in largest[:SHOWN]],
    }
