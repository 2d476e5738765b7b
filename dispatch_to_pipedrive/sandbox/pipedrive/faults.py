"""What goes wrong today? Rules that delay, refuse, cut off or hold requests, one after the other, reproducibly."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from typing import Any

from .call import Route

KINDS = ("latency", "status", "reset_before", "lost_after_commit", "hold_commit", "list_lag")
_KEYS = {
    "kind",
    "method",
    "path",
    "entity",
    "nth",
    "rate",
    "seed",
    "times",
    "status",
    "seconds",
    "body",
    "headers",
    "commit",
    "user",
}


class FaultError(ValueError):
    """A rule that means nothing."""


@dataclass
class Rule:
    """One fault and the requests it meets.

    `nth` (a number or several, from 1) counts matching requests; `rate` draws for each from `seed`; `times` ends the
    rule after it has struck so often; `user`: only requests with that user's token.
    """

    kind: str
    method: str | None = None
    path: str | None = None
    entity: str | None = None
    nth: frozenset[int] = frozenset()
    rate: float | None = None
    seed: int = 0
    times: int | None = None
    status: int = 503
    seconds: float = 0.0
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    commit: bool = False
    user: int | None = None
    seen: int = 0
    struck: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(f"fault {self.seed}")  # noqa: S311 - reproducible on purpose
        self.pattern = None if self.path is None else re.compile(self.path)

    def strikes(self, method: str, path: str, entity: str, user: int | None) -> bool:
        """Does this request meet the fault? Counts it."""
        if self.user is not None and user != self.user:
            return False
        if self.method is not None and method not in self.method.split("|"):
            return False
        if self.entity is not None and entity != self.entity:
            return False
        if self.pattern is not None and not self.pattern.search(path):
            return False
        if self.times is not None and self.struck >= self.times:
            return False
        self.seen += 1
        if self.nth and self.seen not in self.nth:
            return False
        if self.rate is not None and self.chance.random() >= self.rate:
            return False
        self.struck += 1
        return True

    def state(self) -> dict[str, Any]:
        """The rule, for the control endpoint."""
        names = (
            "kind",
            "method",
            "path",
            "entity",
            "rate",
            "seed",
            "times",
            "status",
            "seconds",
            "seen",
            "struck",
        )
        return {name: getattr(self, name) for name in names} | {"nth": sorted(self.nth)}


def read_rule(data: Any) -> Rule:
    """A rule from JSON; raises FaultError."""
    if not isinstance(data, dict) or not set(data) <= _KEYS:
        raise FaultError(f"a rule is an object with keys of {', '.join(sorted(_KEYS))}: {data!r}")
    if data.get("kind") not in KINDS:
        raise FaultError(f"kind must be one of {', '.join(KINDS)}, not {data.get('kind')!r}")
    nth = data.get("nth", ())
    given = dict(data, nth=frozenset([nth] if isinstance(nth, int) else nth))
    try:
        return Rule(**given)
    except (TypeError, re.error) as error:
        raise FaultError(str(error)) from error


@dataclass
class Fate:
    """What happens to one request."""

    delay: float = 0.0
    hold: float = 0.0
    refuse: Rule | None = None
    reset_before: bool = False
    lost_after: bool = False


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    @property
    def lag(self) -> float:
        """How many seconds lists lag behind."""
        return max((rule.seconds for rule in self.rules if rule.kind == "list_lag"), default=0.0)

    def fate(self, method: str, path: str, route: Route | None, user: int | None = None) -> Fate | None:
        """What the rules do to this request; None where they do nothing."""
        if not self.rules:
            return None
        fate = None
        for rule in self.rules:
            entity = route.entity if route else ""
            if rule.kind == "list_lag" or not rule.strikes(method, path, entity, user):
                continue
            fate = fate or Fate()
            if rule.kind == "latency":
                fate.delay += rule.seconds
            elif rule.kind == "hold_commit":
                fate.hold = max(fate.hold, rule.seconds)
            elif rule.kind == "reset_before":
                fate.reset_before = True
            elif rule.kind == "lost_after_commit":
                fate.lost_after = True
            elif fate.refuse is None:
                fate.refuse = rule
        return fate
