"""What time it is in the sandbox: one clock for both servers, which can be set, moved on, sped up or stopped."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

DEFAULT_NOW = datetime(2026, 6, 15, 15, 0, tzinfo=UTC)


class ClockError(ValueError):
    """A clock command that means nothing; the text says which part and what is expected."""


@dataclass(frozen=True)
class _Fix:
    """The clock showed `shown` when the machine's monotonic clock stood at `at`."""

    shown: datetime
    at: float


class Clock:
    """The sandbox's clock: `speed` of its seconds go by in one real second (0 stops it).

    Token life, export horizon, `modifiedOn` stamps and the daily reset follow it; limits for each second and
    latencies do not, they are real time.
    """

    def __init__(
        self,
        start: datetime = DEFAULT_NOW,
        *,
        speed: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._speed = speed
        self._fix = _Fix(_utc(start), monotonic())

    @property
    def speed(self) -> float:
        """Sandbox seconds for each real second."""
        return self._speed

    def now(self) -> datetime:
        """The time shown, aware, UTC."""
        gone = (self._monotonic() - self._fix.at) * self._speed
        return self._fix.shown + timedelta(seconds=gone)

    def timestamp(self) -> float:
        """The time shown, as seconds since 1970."""
        return self.now().timestamp()

    def set(self, moment: datetime) -> None:
        """Show `moment` from now on; going backwards is allowed."""
        self._fix = _Fix(_utc(moment), self._monotonic())

    def advance(self, seconds: float) -> None:
        """Jump by `seconds`."""
        self.set(self.now() + timedelta(seconds=seconds))

    def set_speed(self, speed: float) -> None:
        """Let `speed` sandbox seconds go by in one real second; 0 stops the clock."""
        if speed < 0:
            raise ClockError(f"speed must be 0 or more, not {speed}")
        self.set(self.now())
        self._speed = speed

    def state(self) -> dict[str, Any]:
        """What `GET /_control/clock` answers."""
        return {"now": self.now().isoformat().replace("+00:00", "Z"), "speed": self._speed}

    def command(self, body: Any) -> dict[str, Any]:
        """Obey `{"speed": x, "set": ISO, "advance": seconds}`, any of them, in that order; answers `state()`."""
        if not isinstance(body, dict) or not set(body) <= {"set", "advance", "speed"}:
            raise ClockError('expected a JSON object with "set" (ISO time), "advance" (seconds) or "speed"')
        if "speed" in body:
            self.set_speed(_number("speed", body["speed"]))
        if "set" in body:
            self.set(parse_moment(str(body["set"])))
        if "advance" in body:
            self.advance(_number("advance", body["advance"]))
        return self.state()


def parse_moment(text: str) -> datetime:
    """An ISO date or time as an aware UTC time; without an offset it is UTC. Raises ClockError."""
    try:
        return _utc(datetime.fromisoformat(text.strip()))
    except ValueError:
        raise ClockError(
            f"not an ISO date or time: {text!r} (expected for example 2026-06-15T15:00:00Z)"
        ) from None


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ClockError(f"{name} must be a number, not {value!r}") from None
