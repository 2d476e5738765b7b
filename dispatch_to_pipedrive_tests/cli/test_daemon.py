"""Dagster's daemon on its own: a change at the source reaches the account, and a click in the browser undoes it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ..browser import chromium
from ..program import environment, records, run, wait_until
from ..sandbox_process import Sandbox, start_sandbox
from .test_ui import SELECTOR, ask, ended, launched, open_ui

AGAIN = """
mutation($params: ReexecutionParams!) {
  launchRunReexecution(reexecutionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
JOBS = "/locations/__repository__@dispatch_to_pipedrive/jobs"
RUNS = """
query($job: String!) {
  runsOrError(filter: {pipelineName: $job}) {
    ... on Runs { results { runId status tags { key value } } }
  }
}
"""
TICKS = """
query($selector: InstigationSelector!) {
  instigationStateOrError(instigationSelector: $selector) {
    __typename
    ... on InstigationState { status ticks(limit: 20) { status runIds error { message } } }
  }
}
"""


@dataclass(frozen=True)
class Running:
    """A tenant of two customers that was moved, and Dagster with its daemon on the migration."""

    sandbox: Sandbox
    settings: Mapping[str, str]
    url: str

    def runs(self, job: str) -> list[dict[str, Any]]:
        """The job's runs, the newest first."""
        found: list[dict[str, Any]] = ask(self.url, RUNS, job=job)["runsOrError"]["results"]
        return found

    def ticks(self, name: str) -> list[dict[str, Any]]:
        """The newest ticks of a schedule or sensor that is on."""
        state = ask(self.url, TICKS, selector={**SELECTOR, "name": name})["instigationStateOrError"]
        assert state["status"] == "RUNNING", state
        found: list[dict[str, Any]] = state["ticks"]
        return found

    def brought(self) -> dict[str, str]:
        """Batch → how the newest run ended that brought it, or where it stands."""
        runs = ((_batch(one), one["status"]) for one in reversed(self.runs("deliver")))
        return {batch: status for batch, status in runs if batch.startswith("delta-")}


def _batch(run: Mapping[str, Any]) -> str:
    return next((tag["value"] for tag in run["tags"] if tag["key"] == "dagster/partition"), "")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One Dagster for all tests of this file."""
    home = tmp_path_factory.mktemp("running") / "home"
    with start_sandbox(customers=2, seed=7, no_limits=True, export_lag=0) as sandbox:
        settings = environment(sandbox, home)
        moved = run(settings, "migrate", "--through", "full", "--approve-as", "Ada Lovelace")
        assert moved.returncode == 0, moved.stdout + moved.stderr
        with open_ui(settings) as url:
            yield Running(sandbox, settings, url)


def titles(sandbox: Sandbox) -> set[str]:
    """What the account's deals are called."""
    return {str(one["title"]) for one in records(sandbox)["deals"] if not one.get("is_deleted")}


def test_a_partition_is_loaded_again_and_a_run_of_the_shell_is_run_again(running: Running) -> None:
    running.sandbox.control("pipedrive", "stats/reset", {})
    assert launched(running.url, "load", "wave-0001") == "SUCCESS"
    assert running.sandbox.control("pipedrive", "stats")["writes"] == 0
    assert launched(running.url, "reconcile", "wave-0001") == "SUCCESS"
    *_, planning = running.runs("plan_batches")
    again = ask(running.url, AGAIN, params={"parentRunId": planning["runId"], "strategy": "ALL_STEPS"})
    assert ended(running.url, again["launchRunReexecution"]) == "SUCCESS"


@pytest.mark.promise("R018", "R087")
def test_a_change_comes_by_itself_and_a_click_in_the_browser_undoes_it(running: Running) -> None:
    """R018, R087: window and advance are launched as the UI does it, and the sensor brings the delta unasked."""
    batch = f"delta-{len(running.brought()) + 1:04d}"
    before = titles(running.sandbox)
    customer, _ = running.sandbox.control("dispatch", "tenant/customers")
    running.sandbox.change("edit", entity="customer", id=customer, fields={"name": "Renamed Since"})
    running.sandbox.change("create", entity="job", customer=customer)

    opened = launched(running.url, "open_window", config={"open_the_window": {"by": "Ada", "minutes": 60}})
    assert opened == "SUCCESS"
    assert launched(running.url, "advance_and_plan") == "SUCCESS"
    wait_until(lambda: running.brought().get(batch) in ("SUCCESS", "FAILURE"))
    assert running.brought()[batch] == "SUCCESS"
    assert any(tick["runIds"] for tick in running.ticks("deltas"))
    after = titles(running.sandbox)
    assert len(after) == len(before) + 1
    assert [title for title in after - before if "Renamed Since" not in title] == []

    with chromium() as browser:
        undo_in_the_ui(browser.new_page(viewport={"width": 1400, "height": 900}), running, batch)
    assert titles(running.sandbox) == before
    told = run(running.settings, "status").stdout
    assert "rolled back" in told


def undo_in_the_ui(page: Page, running: Running, batch: str) -> None:
    """Choose a batch on the page of the job `rollback`, launch it, and see it succeed."""
    page.goto(f"{running.url}{JOBS}/rollback/playground")
    page.get_by_placeholder("Partition").click()
    page.get_by_placeholder("Partition").fill(batch)
    page.get_by_text(batch, exact=True).first.click()
    page.get_by_role("button", name="Launch Run").click()
    page.wait_for_url("**/runs/*")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible(timeout=60_000)


@pytest.mark.soak
def test_the_schedule_reads_on_and_the_sensor_brings_it_with_nobody_near(running: Running) -> None:
    """Nothing is launched but the window: the cron waits for the full minute."""
    _, customer = running.sandbox.control("dispatch", "tenant/customers")
    running.sandbox.change("edit", entity="customer", id=customer, fields={"name": "Nobody Near"})
    made = len(running.runs("advance_and_plan"))
    opened = launched(running.url, "open_window", config={"open_the_window": {"by": "Ada", "minutes": 1}})
    assert opened == "SUCCESS"
    wait_until(lambda: any("Nobody Near" in title for title in titles(running.sandbox)), 300)
    assert len(running.runs("advance_and_plan")) > made
    assert any(tick["runIds"] for tick in running.ticks("delta_window"))
    assert launched(running.url, "close_window", config={"close_the_window": {"by": "Ada"}}) == "SUCCESS"
