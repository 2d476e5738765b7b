"""What is asked, and what is answered? One request as the handlers see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from .errors import validation
from .times import is_date, read_moment

if TYPE_CHECKING:
    from starlette.datastructures import FormData

    from .account import Account


@dataclass(slots=True)
class Call:
    """One request; `ids` are the variable parts of its path, `user` is whose token it bears."""

    account: Account
    method: str
    path: str
    query: dict[str, str]
    body: bytes
    ids: tuple[str, ...] = ()
    form: FormData | None = None
    user: int = 1

    @property
    def id(self) -> int:
        """The record the path names."""
        return int(self.ids[0]) if self.ids[0].isdigit() else -1

    def json(self) -> Any:
        """The body; raises Refused if it is not JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise validation(["The request body is not valid JSON"]) from None


@dataclass(frozen=True, slots=True)
class Pieces:
    """A body too large to hold: its size in bytes, and the bytes a piece at a time."""

    size: int
    parts: Iterator[bytes]


@dataclass(slots=True)
class Raw:
    """An answer that is not JSON."""

    content: Pieces
    content_type: bytes = b"application/octet-stream"
    headers: tuple[tuple[bytes, bytes], ...] = ()


Handler = Callable[[Call], Any]


@dataclass(frozen=True)
class Route:
    """One operation: its name in statistics, its price in tokens, what carries it out."""

    template: str
    cost: int
    handler: Handler
    entity: str = ""
    search: bool = False
    multipart: bool = field(default=False)


def ok(data: Any, **extra: Any) -> dict[str, Any]:
    """The success envelope."""
    return {"success": True, "data": data, **extra}


class Query:
    """The query parameters of one request, read strictly; `done()` refuses what nobody asked for."""

    def __init__(self, call: Call, *known: str) -> None:
        self.values = call.query
        self.account = call.account
        self.problems: list[str] = []
        if not self.account.capabilities["unknown_query"]:
            self.problems += [
                f"{key}: Parameter '{key}' is not allowed for this request"
                for key in self.values
                if key not in known
            ]

    def text(self, name: str) -> str | None:
        """A parameter as it came."""
        return self.values.get(name) or None

    def integer(self, name: str) -> int | None:
        """A whole number."""
        text = self.text(name)
        if text is None:
            return None
        if not text.isdigit():
            self.problems.append(f"{name}: The value is not a valid 'integer'")
            return None
        return int(text)

    def boolean(self, name: str) -> bool | None:
        """True or false."""
        text = self.text(name)
        if text not in (None, "true", "false"):
            self.problems.append(f"{name}: The value is not a valid 'boolean'")
        return None if text is None else text == "true"

    def choice(self, name: str, *allowed: str) -> str | None:
        """One of a few words."""
        text = self.text(name)
        if text is not None and text not in allowed:
            self.problems.append(f"{name}: The value should be one of: {', '.join(allowed)}")
        return text

    def choices(self, name: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        """Some of a few words, separated by commas."""
        found = tuple(part for part in (self.text(name) or "").split(",") if part)
        for part in found:
            if part not in allowed:
                self.problems.append(f"{name}: The value should be one of: {', '.join(allowed)}")
        return found

    def moment(self, name: str) -> str | None:
        """A time in RFC 3339, whole seconds: a fraction is refused."""
        text = self.text(name)
        if text is None:
            return None
        read = read_moment(text.replace(" ", "+"), spaced=False)
        if read is None:
            self.problems.append(f"{name}: This value is not a valid datetime.")
        return read

    def day(self, name: str) -> str | None:
        """A date."""
        text = self.text(name)
        if text is not None and not is_date(text):
            self.problems.append(f"{name}: This value is not a valid date.")
        return text

    def ids(self, name: str, most: int) -> list[int] | None:
        """Up to `most` numbers, separated by commas."""
        text = self.text(name)
        if text is None:
            return None
        parts = text.split(",")
        if len(parts) > most:
            self.problems.append(f"{name}: This collection should contain {most} elements or less.")
        if not all(part.strip().isdigit() for part in parts):
            self.problems.append(f"{name}: The value is not a valid 'integer'")
            return None
        return [int(part) for part in parts]

    def limit(self, most: int, default: int = 100) -> int:
        """The page size."""
        asked = self.integer("limit")
        if asked is None:
            return default
        if asked < 1 or (asked > most and not self.account.capabilities["limit_clamped"]):
            self.problems.append(f"limit: This value should be between 1 and {most}.")
        return max(1, min(asked, most))

    def done(self) -> None:
        """Raise Refused if anything was wrong."""
        if self.problems:
            raise validation(self.problems)
