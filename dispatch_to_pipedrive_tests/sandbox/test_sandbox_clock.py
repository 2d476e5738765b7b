"""The sandbox's clock: set, moved on, sped up, stopped."""

from datetime import UTC, datetime, timedelta

import pytest

from dispatch_to_pipedrive.sandbox.clock import Clock, ClockError, parse_moment

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_it_runs_at_its_speed_and_jumps_when_told() -> None:
    real = [0.0]
    clock = Clock(START, monotonic=lambda: real[0])
    real[0] = 10
    assert clock.now() == START + timedelta(seconds=10)
    clock.set_speed(60)
    real[0] = 11
    assert clock.now() == START + timedelta(seconds=70)
    clock.set_speed(0)
    real[0] = 99
    clock.advance(5)
    assert clock.now() == START + timedelta(seconds=75)
    assert clock.timestamp() == clock.now().timestamp()
    clock.set(START - timedelta(days=1))
    assert clock.now() == START - timedelta(days=1)


def test_commands_come_as_json() -> None:
    clock = Clock(START, speed=0)
    assert clock.command({"set": "2026-03-02", "advance": 1.5}) == {
        "now": "2026-03-02T00:00:01.500000Z",
        "speed": 0,
    }
    assert clock.command({"speed": 2})["speed"] == 2
    for wrong in ({"set": "noon"}, {"advance": "x"}, {"speed": -1}, {"sett": 1}, [], None):
        with pytest.raises(ClockError):
            clock.command(wrong)


def test_a_moment_without_an_offset_is_utc() -> None:
    assert parse_moment("2026-03-01T12:00:00") == START
    assert parse_moment("2026-03-01T14:00:00+02:00") == START
    assert parse_moment(" 2026-03-01T12:00:00Z ") == START
