"""What was asked of this account so far? Counters for tests and benchmarks."""

from __future__ import annotations

from collections import Counter
from typing import Any


class Stats:
    """Requests, tokens and writes of the first user's token since the last reset; what others ask stands apart."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start counting from zero."""
        self.requests: Counter[str] = Counter()
        self.tokens_by: Counter[str] = Counter()
        self.tokens = 0
        self.writes = 0
        self.created: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.others: Counter[str] = Counter()

    def answered(self, method: str, template: str, entity: str, status: int, user: int = 1) -> None:
        """Count an answer (or what would have been one); every accepted request that is no GET is a write."""
        if user != 1:
            self.others[f"{method} {template} {status}"] += 1
            return
        self.requests[f"{method} {template} {status}"] += 1
        if method != "GET" and status < 300:
            self.writes += 1
            self.created[f"{method} {entity or template}"] += 1

    def charged(self, method: str, template: str, cost: int) -> None:
        """Count tokens."""
        self.tokens += cost
        self.tokens_by[f"{method} {template}"] += cost

    def state(self) -> dict[str, Any]:
        """The counters as JSON-ready data."""
        return {
            "requests": dict(sorted(self.requests.items())),
            "tokens": self.tokens,
            "tokens_by": dict(sorted(self.tokens_by.items())),
            "writes": self.writes,
            "writes_by": dict(sorted(self.created.items())),
            "responses_429": sum(count for key, count in self.requests.items() if key.endswith(" 429")),
            "responses_403_html": self.requests["blocked 403"],
            "faults": dict(sorted(self.faults.items())),
            "others": dict(sorted(self.others.items())),
        }
