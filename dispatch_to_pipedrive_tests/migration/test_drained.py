"""The freeze asks for a last sweep by itself, and the export counts as drained only after it."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS, SWEPT
from dispatch_to_pipedrive.migration.ledger import Scope
from dispatch_to_pipedrive.orchestration.cutover import freeze
from dispatch_to_pipedrive.orchestration.drain import held_back, lag
from dispatch_to_pipedrive.orchestration.resources import access_of
from dispatch_to_pipedrive_tests.migration.journey import journey, rows
from dispatch_to_pipedrive_tests.sandbox_process import Sandbox


@pytest.mark.promise("R018", "R085")
def test_what_tells_of_no_change_arrives_with_the_sweep_that_a_freeze_asks_for(
    new_sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    sandbox = new_sandbox(customers=1, seed=2, no_limits=True)
    sandbox.advance(16 * 60)
    with journey(sandbox, tmp_path / "home") as road:
        assert road.run("advance_and_plan")
        scope = Scope("1", sandbox.env["DISPATCH_PRO_TENANT_ID"])
        road.ledger.bind(scope, "Company", access_of(road.settings).door)
        assert [one.feed for one in held_back(road.ledger)] == ["(all)"]
        # The customer's own record does not change with it, and lists for one parent have no feed.
        quiet = rows(sandbox, "crm/v2", "customers")[0]["id"]
        sandbox.change("add_note", entity="customer", id=quiet, text="Said on the last evening")
        moment = datetime.fromisoformat(freeze(road.settings, "Ada").details["moment"])
        clock = datetime.fromisoformat(sandbox.control("dispatch", "clock")["now"])
        assert 0 <= (clock - moment).total_seconds() < 60  # the source's clock, not ours

        assert road.run("advance_and_plan")
        assert {one.feed for one in held_back(road.ledger)} == set(FEEDS)
        before = road.ledger.newest_generation_of(["customer_notes"])
        sandbox.advance(15 * 60 + 2)
        assert road.run("advance_and_plan")
        assert held_back(road.ledger) == []
        assert road.ledger.newest_generation_of(["customer_notes"]) > before
        assert all(road.ledger.polls()[feed].whole_since for feed in SWEPT)
        assert (lag(road.ledger) or 0) >= 15 * 60
