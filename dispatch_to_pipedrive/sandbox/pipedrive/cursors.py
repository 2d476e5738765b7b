"""Where does the next page begin? Keyset cursors that name the first item of it."""

import base64
import binascii
from typing import Any

import orjson

from .errors import validation


def encode(field: str, value: Any, direction: str, id_: int) -> str:
    """The cursor of a page that begins with this item."""
    made = orjson.dumps({"field": field, "fieldValue": value, "sortDirection": direction, "id": id_})
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def decode(cursor: str | None, field: str, direction: str) -> tuple[Any, int] | None:
    """Sort value and id of the first item; raises Refused for a cursor of another list."""
    if not cursor:
        return None
    try:
        read = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if read["field"] != field or read["sortDirection"] != direction:
            raise ValueError(field)
        return read["fieldValue"], int(read["id"])
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise validation(["cursor: The value is not a valid cursor"]) from None


def cut(
    items: list[dict[str, Any]], cursor: str | None, limit: int, *, key: str = "id"
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of a short list in memory."""
    start = decode(cursor, "offset", "asc")
    first = start[1] if start else 0
    page = items[first : first + limit]
    more = first + limit < len(items)
    return page, encode("offset", items[first + limit][key], "asc", first + limit) if more else None
