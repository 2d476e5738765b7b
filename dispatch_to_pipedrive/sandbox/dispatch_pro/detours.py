"""What goes wrong while a file is fetched: rules that redirect, cut off, mislabel or deny it.

The documents leave open how an attachment is handed out, so a rule can try each way a client has to stand.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

KINDS = ("direct", "redirect", "loop", "early_end", "no_length", "wrong_type", "missing")
# Rules of how the bytes come act where the bytes are, others where a client knocks first.
_AT_STORAGE = ("early_end", "no_length", "wrong_type")
_KEYS = {"kind", "path", "times", "to", "media_type"}


@dataclass
class Detour:
    """One rule and the requests it meets, by their path.

    `direct`: the bytes at once. `redirect`: 302 to `to`, a whole address or only another origin. `loop`: 302 to
    itself. `early_end`: half the bytes, then the connection closes. `no_length`: no Content-Length. `wrong_type`:
    the bytes as `media_type`. `missing`: 404.
    """

    kind: str
    path: re.Pattern[str]
    times: int | None = None
    to: str = ""
    media_type: str = "text/html"
    hits: int = 0

    def target(self, path: str, query: str) -> str:
        """Where a redirect goes; one to an origin keeps path and query."""
        aim = urlsplit(self.to)
        return self.to if aim.path not in ("", "/") else f"{self.to.rstrip('/')}{path}{query and '?' + query}"


@dataclass
class Detours:
    """The rules in force; the first that meets a request decides."""

    rules: list[Detour] = field(default_factory=list)

    def of(self, path: str) -> Detour | None:
        """The rule that a request meets, counted."""
        for rule in self.rules:
            if rule.path.search(path) and (rule.times is None or rule.hits < rule.times):
                rule.hits += 1
                return rule
        return None

    def state(self) -> dict[str, Any]:
        """The rules, for the control endpoint."""
        return {
            "rules": [
                {"kind": rule.kind, "path": rule.path.pattern, "to": rule.to, "hits": rule.hits}
                for rule in self.rules
            ]
        }

    def command(self, body: Any) -> dict[str, Any]:
        """`{"clear": true}`, a rule, or `{"rules": [rule, …]}`; each rule is added. Raises ValueError."""
        if not isinstance(body, Mapping):
            raise ValueError("expected a JSON object")
        if body.get("clear"):
            self.rules.clear()
        one = {key: value for key, value in body.items() if key != "clear"}
        self.rules += [_detour(rule) for rule in body.get("rules", [one] if "kind" in body else [])]
        return self.state()


def _detour(rule: Mapping[str, Any]) -> Detour:
    kind = rule.get("kind")
    if set(rule) - _KEYS or kind not in KINDS or (kind == "redirect") != bool(rule.get("to")):
        raise ValueError(
            f"a rule has kind {', '.join(KINDS)}, any of {', '.join(sorted(_KEYS))}, and `to` if it redirects: "
            f"{dict(rule)}"
        )
    path = rule.get("path", "^/storage/" if kind in _AT_STORAGE else "/jobs/attachment/")
    return Detour(
        kind=str(kind),
        path=re.compile(str(path)),
        times=rule.get("times"),
        to=str(rule.get("to", "")),
        media_type=str(rule.get("media_type", "text/html")),
    )
