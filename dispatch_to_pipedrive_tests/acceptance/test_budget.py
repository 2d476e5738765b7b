"""When the day's tokens are spent the program ends, says when to go on, and goes on."""

from collections.abc import Callable

import pytest

from dispatch_to_pipedrive_tests.acceptance.world import Migration

DAY = 1_500
"""Tokens that the program may spend a day: less than this migration needs."""


@pytest.mark.promise("R064")
@pytest.mark.soak
def test_spent_days_are_slept_over(migration: Callable[..., Migration]) -> None:
    """The same command, day after day, with the same settings."""
    frugal = migration(
        plan="lite", seats=1, no_limits=False, customers=3, env={"PIPEDRIVE_RESERVE": str(30_000 - DAY)}
    )
    ended = frugal.sample()
    assert ended.code == 4, ended.said
    assert "go on after 2026-06-16 00:00 UTC" in ended.said
    assert "Traceback" not in ended.said
    spent = frugal.account("stats")["spent_today"]
    assert DAY / 2 < spent <= DAY + 20, "the question which day it is may be asked when nothing else may"
    for _ in range(4):
        frugal.sandbox.advance(86_400)
        ended = frugal.sample()
        assert ended.code in (0, 4), ended.said
        if ended.code == 0:
            break
    assert ended.code == 0, ended.said
    assert frugal.account("stats")["responses_429"] == 0
    frugal.sandbox.advance(86_400)
    ended = frugal.run("verify")
    assert ended.code == 0, ended.said
