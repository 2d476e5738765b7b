"""What a shape is made of: the kinds of fields, and how one writes down what a record looks like.

A shape is written as the vendor's JSON is: names as on the wire, objects as dicts, lists as one-item lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias


@dataclass(frozen=True)
class Kind:
    """The type of one field; `required` means that a record without it cannot be understood."""

    name: Literal["id", "count", "text", "time", "flag", "money", "number"]
    required: bool = False


Shape: TypeAlias = Mapping[str, "Kind | Shape | list[Any]"]


@dataclass(frozen=True)
class Reading:
    """All items of one parent: the field that names the parent, an item's shape, and that of facts about it."""

    parent: str
    item: Shape
    facts: Shape | None = None

    @property
    def shape(self) -> Shape:
        """The whole record."""
        facts = {} if self.facts is None else {"facts": [{"id": ID, **self.facts}]}
        return {self.parent: KEY, "items": [self.item], **facts}


KEY = Kind("id", required=True)  # int64 that must be there: the record's own id, or its parent's
ID = Kind("id")  # int64
COUNT = Kind("count")  # int64 that counts or lasts
TEXT = Kind("text")
NAME = Kind("text", required=True)
TIME = Kind("time")  # verbatim string, UTC, 0 to 7 fractional digits
FLAG = Kind("flag")
MONEY = Kind("money")  # a number in crm and jpm, a string in accounting: both become decimal(18, 4)
NUMBER = Kind("number")

CUSTOM_FIELD: Shape = {"typeId": ID, "name": TEXT, "value": TEXT}
ADDRESS: Shape = {"street": TEXT, "unit": TEXT, "city": TEXT, "state": TEXT, "zip": TEXT, "country": TEXT}
PLACE: Shape = {**ADDRESS, "latitude": NUMBER, "longitude": NUMBER}
NAMED: Shape = {"id": ID, "name": TEXT}
