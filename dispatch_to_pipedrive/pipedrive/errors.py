"""The ways in which a call to Pipedrive can fail, and what each allows the caller to do.

The question after a failed write is always the same: was it executed? `Transient` and `Throttled` say no,
`Rejected`, `NotFound`, `Forbidden` and `PlanCap` say that the server decided against it, `Ambiguous` says
that nobody knows. Facts are fields; a token or a header is in none of them.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import ClassVar

_NOT_ALLOWED = re.compile(r"(?:^|[;:]\s*)([\w.]+): Parameter '[^']*' is not allowed")
_NAMED = re.compile(r"(?:Parameter|Unknown key|set) '([\w.]+)'")
_PATH = re.compile(r"(?:^|; |Validation failed: )([\w.]+): ")


class PipedriveError(Exception):
    """A call that did not bring what it asked for."""

    headline: ClassVar[str] = "Pipedrive call failed"

    def __init__(
        self,
        words: str,
        *,
        method: str = "",
        path: str = "",
        status: int | None = None,
        code: str | None = None,
        info: str | None = None,
        body: object = None,
    ) -> None:
        super().__init__(words)
        self.words = words
        self.method = method
        self.path = path
        self.status = status
        self.code = code
        self.info = info
        self.body = body

    def __str__(self) -> str:
        where = f" ({self.method} {self.path})" if self.method else ""
        status = f" {self.status}" if self.status is not None else ""
        code = f" [{self.code}]" if self.code else ""
        return f"{self.headline}{where}:{status} {self.words}{code}"

    @property
    def entity(self) -> str | None:
        """The collection that the call addressed, such as 'deals'."""
        parts = self.path.strip("/").split("/")
        return parts[2] if len(parts) > 2 else None

    @property
    def record_id(self) -> int | None:
        """The record that the call addressed, if its path names one."""
        parts = self.path.strip("/").split("/")
        return int(parts[3]) if len(parts) > 3 and parts[3].isdigit() else None


class Rejected(PipedriveError):
    """The server read the request and refused it for what it says (400, 405, 415, 422, a redirect)."""

    headline = "Pipedrive refused"

    @property
    def keys(self) -> frozenset[str]:
        """Body or query keys that the vendor's words name, as far as they name any."""
        found: set[str] = set()
        for pattern in (_NOT_ALLOWED, _NAMED, _PATH):
            found.update(pattern.findall(self.words))
        return frozenset(key for path in found for key in (path, path.rsplit(".", 1)[-1]))


class NotFound(PipedriveError):
    """No such record, or not visible to this token (404, 410)."""

    headline = "Pipedrive has no such record"


class Forbidden(PipedriveError):
    """Token not accepted, account not open or permission missing (401, 402, 403)."""

    headline = "Pipedrive forbids"


class PlanCap(Forbidden):
    """A limit of the company's plan is reached: open deals, custom fields (403)."""

    headline = "Pipedrive plan limit"


class Blocked(PipedriveError):
    """The vendor's front turned the caller away with an HTML page: send nothing for `seconds`."""

    headline = "Pipedrive blocks this caller"

    def __init__(
        self, words: str, *, seconds: float, method: str = "", path: str = "", status: int = 403
    ) -> None:
        super().__init__(words, method=method, path=path, status=status)
        self.seconds = seconds


class Transient(PipedriveError):
    """Nothing was executed, or the call only read: the same call may be sent again."""

    headline = "Pipedrive is not reachable"


class Ambiguous(PipedriveError):
    """A write whose outcome is unknown: the response was lost, or the server failed on the way."""

    headline = "Pipedrive write without an outcome"


class Throttled(PipedriveError):
    """Too many requests (429); the request was not executed."""

    headline = "Pipedrive throttles"

    def __init__(self, words: str, *, retry_after: float, method: str = "", path: str = "") -> None:
        super().__init__(words, method=method, path=path, status=429)
        self.retry_after = retry_after


class BudgetSpent(PipedriveError):
    """The day's tokens are used up, but for the reserve; nothing was sent.

    `until` is when they are there again, by the account's clock, `wait` how long that is from now.
    """

    headline = "Pipedrive's daily tokens are spent"

    def __init__(
        self, *, until: datetime, price: int, remaining: int, reserve: int, wait: timedelta = timedelta()
    ) -> None:
        super().__init__(
            f"{remaining} tokens left, {reserve} of them reserved for other apps, {price} needed: "
            f"go on after {until:%Y-%m-%d %H:%M} UTC"
        )
        self.until = until
        self.wait = wait
        self.price = price
        self.remaining = remaining
        self.reserve = reserve
