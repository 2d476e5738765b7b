"""What can be said of one object's routes: its lists, its feed, its parents, and the parameters they understand."""

from collections.abc import Mapping
from dataclasses import dataclass, field

T = "/tenant/{tenant}"
BY_TIME = ("Id", "CreatedOn", "ModifiedOn")


@dataclass(frozen=True)
class Filter:
    """One query parameter: the field it looks at, and how (`is`, `in`, `from`, `before`, `text`, `flag`, `any`)."""

    path: tuple[str, ...]
    how: str = "is"


@dataclass(frozen=True)
class Parent:
    """A list of one parent's records: its path has `{id}`; `key` is the field that names the parent.

    `understands` are the parameters beside the page's that the documents give it; it ignores all others.
    """

    path: str
    feed: str
    key: str
    drop: tuple[str, ...] = ()
    understands: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Resource:
    """One object: its feed name, its routes and what its list understands."""

    feed: str
    list_path: str | None = None
    export_path: str | None = None
    one: bool = False
    ids: bool = False
    sort: tuple[str, ...] = ()
    active: str | None = "active"
    active_default: str = "True"
    export_active: str | None = None
    filters: Mapping[str, Filter] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    page_zero: bool = True
    bundled: bool = False
    parents: tuple[Parent, ...] = ()
