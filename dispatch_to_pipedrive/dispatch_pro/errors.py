"""What can go wrong between us and Dispatch Pro, and what one does about it."""

from __future__ import annotations

from typing import Literal


class DispatchProError(Exception):
    """Anything that the source side refuses or cannot do; facts are attributes, the text is for a person."""


class BadRecord(DispatchProError):
    """A record that does not have the shape the vendor documents."""

    def __init__(self, feed: str, record_id: str | None, field: str, problem: str) -> None:
        self.feed, self.record_id, self.field, self.problem = feed, record_id, field, problem
        super().__init__(f"{feed} {record_id or '(without id)'}: {field} {problem}")


class RequestFailed(DispatchProError):
    """A request that did not bring what was asked for."""

    def __init__(self, path: str, status: int | None, words: str, advice: str = "") -> None:
        self.path, self.status, self.words, self.advice = path, status, words, advice
        answer = f"answered {status}" if status is not None else "could not be reached"
        text = f"Dispatch Pro {answer} to {path}: {words}"
        super().__init__(f"{text} {advice}".rstrip())


class Unauthorized(RequestFailed):
    """The client id, its secret or the token is not accepted."""


class Forbidden(RequestFailed):
    """The app is known, but may not read this."""


class NotFound(RequestFailed):
    """There is nothing at this path."""


class BadRequest(RequestFailed):
    """The vendor understood the request and refuses it."""


class Unavailable(RequestFailed):
    """The vendor did not answer usefully, however often it was asked."""


class Unfetchable(DispatchProError):
    """A file whose bytes cannot be had.

    reason: "refused" (we do not ask there, or the server does not let us in), "missing", "large" (more bytes than
    allowed), "broken" (what came is not whole or not what it should be).
    """

    def __init__(self, reason: Literal["refused", "missing", "large", "broken"], words: str) -> None:
        self.reason, self.words = reason, words
        super().__init__(words)
