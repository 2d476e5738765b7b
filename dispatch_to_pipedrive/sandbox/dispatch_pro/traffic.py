"""What happens to a call on its way in: counting, the limit of 60 a second, latency and faults."""

import asyncio
import math
import random
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from .errors import ApiError

CALLS_PER_SECOND = 60
_RULE_KEYS = {"kind", "path", "nth", "rate", "seed", "times", "seconds", "status", "html"}


@dataclass
class Fault:
    """One rule: which calls it hits and what it does to them (real seconds)."""

    kind: str
    path: re.Pattern[str]
    nth: int | None = None
    rate: float = 1.0
    times: int | None = None
    seconds: float = 0.0
    status: int = 500
    html: bool = False
    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 (seeded faults)
    seen: int = 0
    hits: int = 0

    def strikes(self, path: str) -> bool:
        """Whether this call is hit; counts it."""
        if not self.path.search(path) or (self.times is not None and self.hits >= self.times):
            return False
        self.seen += 1
        if self.nth is not None and self.seen != self.nth:
            return False
        if self.rate < 1.0 and self.chance.random() >= self.rate:
            return False
        self.hits += 1
        return True


class Traffic:
    """The limiter, the latency, the faults and the counters of one server."""

    def __init__(
        self, *, limits: bool, latency_ms: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits
        self.latency = latency_ms / 1000
        self.faults: list[Fault] = []
        self._monotonic = monotonic
        self._window: deque[float] = deque()
        self.reset()

    def reset(self) -> None:
        """Forget what was counted."""
        self.requests: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()
        self.most_in_a_second = 0

    def count(self, method: str, route: str, status: int) -> None:
        """Note one answered call."""
        self.requests[f"{method} {route} {status}"] += 1

    def stats(self) -> dict[str, Any]:
        """What `GET /_control/stats` answers."""
        throttled = sum(count for call, count in self.requests.items() if call.endswith(" 429"))
        return {
            "requests": dict(sorted(self.requests.items())),
            "total": sum(self.requests.values()),
            "responses_429": throttled,
            "rows": dict(sorted(self.rows.items())),
            "most_in_a_second": self.most_in_a_second,
            "faults": [{"kind": fault.kind, "hits": fault.hits} for fault in self.faults],
        }

    def admit(self) -> None:
        """Let the call in, or raise the vendor's 429: at most 60 in any second of real time."""
        now = self._monotonic()
        while self._window and self._window[0] <= now - 1:
            self._window.popleft()
        if self.limits and len(self._window) >= CALLS_PER_SECOND:
            wait = max(math.ceil(self._window[0] + 1 - now), 1)
            title = f"Rate limit is exceeded. Try again in {wait} seconds."
            raise ApiError(429, title, headers={"Retry-After": str(wait)})
        self._window.append(now)
        self.most_in_a_second = max(self.most_in_a_second, len(self._window))

    async def delay_or_fail(self, request: Request) -> Response | None:
        """Wait out the latency and apply the faults; a response means the call ends here."""
        if self.latency:
            await asyncio.sleep(self.latency)
        for fault in self.faults:
            if not fault.strikes(request.url.path):
                continue
            if fault.seconds:
                await asyncio.sleep(fault.seconds)
            if fault.kind == "reset":
                await _cut_off(request)
                return Response(status_code=500)
            if fault.kind == "status" and fault.html:
                return Response(
                    "<html><body>Server Error</body></html>", fault.status, media_type="text/html"
                )
            if fault.kind == "status":
                title = "Rate limit is exceeded. Try again in 1 seconds." if fault.status == 429 else "Fault."
                headers = {"Retry-After": "1"} if fault.status == 429 else {}
                raise ApiError(fault.status, title, headers=headers)
        return None

    def command(self, body: Any) -> dict[str, Any]:
        """`{"clear": true}`, a rule, or `{"rules": [rule, …]}`; each rule is added. Raises ValueError."""
        if not isinstance(body, Mapping):
            raise ValueError("expected a JSON object")
        if body.get("clear"):
            self.faults.clear()
        given = body.get("rules", [body] if "kind" in body else [])
        self.faults += [_fault(rule) for rule in given]
        return {"rules": len(self.faults)}


async def _cut_off(request: Request) -> None:
    """Abort the connection without an answer: the client sees a reset."""
    transport = getattr(getattr(request.receive, "__self__", None), "transport", None)
    if transport is None:
        raise RuntimeError("this server gives no access to its transport, so a connection cannot be cut off")
    transport.abort()


def _fault(rule: Mapping[str, Any]) -> Fault:
    unknown = set(rule) - _RULE_KEYS
    if unknown or rule.get("kind") not in ("latency", "status", "reset"):
        raise ValueError(
            f"a rule has kind latency, status or reset and any of {sorted(_RULE_KEYS)}: {dict(rule)}"
        )
    return Fault(
        kind=str(rule["kind"]),
        path=re.compile(str(rule.get("path", ""))),
        nth=rule.get("nth"),
        rate=float(rule.get("rate", 1.0)),
        times=rule.get("times"),
        seconds=float(rule.get("seconds", 0.0)),
        status=int(rule.get("status", 500)),
        html=bool(rule.get("html", False)),
        chance=random.Random(int(rule.get("seed", 0))),  # noqa: S311 (seeded faults)
    )
