"""While people go on working at the source it is moved, with kills and lost answers, and nothing of it is lost."""

from collections.abc import Callable
from typing import Any

import pytest

from dispatch_to_pipedrive.migration.changes import NEVER_CLEARED
from dispatch_to_pipedrive_tests.acceptance.accounts import differences, living
from dispatch_to_pipedrive_tests.acceptance.world import APPROVED, Migration
from dispatch_to_pipedrive_tests.writers import Office, at_work

DELTA = ("migrate", "--through", "delta", *APPROVED)
LOST = {
    "kind": "lost_after_commit",
    "method": "POST|PUT|PATCH|DELETE",
    "path": "/(organizations|persons|deals|activities|notes|files)(/|$)",
    "rate": 0.02,
    "seed": 4,
}
WELL = (0, 1)
"""A file may be deleted between reading about it and fetching it: it is set aside until the next delta."""
HORIZON = 15 * 60
"""Seconds after which the feeds of the source have told all that happened."""


CUSTOMERS, SPEED = 30, 6
"""How large the tenant is, and how much faster than ours the source's clock goes."""
KILLS = (
    *(("schema_step_sent", 5), ("response_received", 200), ("outcomes_committed", 20), ("settled", 4)),
    *(("segments_landed", 1), ("generation_committed", 1), ("placement_written", 1)),
    *(("intents_committed", 2), ("request_sending", 9), ("retiring", 3), ("entity_loaded", 4)),
)
"""Where the program is killed: point, nth pass."""
FEWEST, MORE = 6, 2
"""So many kills must strike at least, and so often it comes to its end while people are still at work."""


@pytest.mark.promise("R018", "R085")
@pytest.mark.soak
def test_what_people_do_meanwhile_is_there_after_the_last_delta(
    migration: Callable[..., Migration],
) -> None:
    """R018, R085: the account equals, field by field, a fresh migration of what the tenant is in the end."""
    live = migration(customers=CUSTOMERS, export_lag=HORIZON)
    blank = live.account("dump")
    live.account("faults", LOST)
    live.sandbox.control("dispatch", "clock", {"speed": SPEED})
    office = Office(live.sandbox)
    killed = 0
    with at_work(office):
        for kill in KILLS:
            ended = live.start(*DELTA, kill_at=kill).wait()
            assert ended.code in (-9, *WELL), ended.said
            killed += ended.code == -9
        for _ in range(MORE):
            ended = live.run(*DELTA)
            assert ended.code in WELL, ended.said
    office.close()
    assert killed >= FEWEST
    live.sandbox.control("dispatch", "clock", {"speed": 1})
    assert live.account("faults")["rules"][0]["struck"] > 0
    assert live.run("window", "freeze", "--as", "me").code == 0
    live.sandbox.advance(HORIZON + 5)
    ended = live.run(*DELTA)
    assert ended.code == 0, ended.said
    assert "everything up to the freeze has arrived" in ended.said
    moved = live.account("dump")

    live.account("faults", {"clear": True})
    live.account("load", blank)
    fresh = Migration(live.launcher, live.sandbox, live.home.with_name("fresh"), live.env)
    ended = fresh.migrate()
    assert ended.code == 0, ended.said
    anew = fresh.account("dump")
    assert differences(living(moved), living(anew), NEVER_CLEARED) == []
    assert _options(anew) <= _options(moved)


def _options(dump: dict[str, Any]) -> set[tuple[str, str, str]]:
    """(entity, field, label) of every option."""
    return {
        (entity, field["name"], option["label"])
        for entity, fields in dump["fields"].items()
        for field in fields
        for option in field["options"] or ()
    }
