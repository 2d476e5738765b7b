"""Dagster's own front door: webserver, daemon and run worker load a partition of the migration that the shell made."""

import signal
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ..program import start
from .conftest import Migrated

LAUNCH = """
mutation($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
AGAIN = """
mutation($params: ReexecutionParams!) {
  launchRunReexecution(reexecutionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
RUNS = "{ runsOrError { ... on Runs { results { runId jobName } } } }"
STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
SELECTOR = {"repositoryLocationName": "dispatch_to_pipedrive", "repositoryName": "__repository__"}


@pytest.fixture
def ui(migrated: Migrated) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = start(migrated.settings, "ui", "--port", str(port))
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/server_info").is_success:
                break
        except httpx.TransportError:
            time.sleep(0.2)
    yield url
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said


def ask(url: str, query: str, **variables: Any) -> Any:
    answer = httpx.post(f"{url}/graphql", json={"query": query, "variables": variables}, timeout=30)
    found = answer.raise_for_status().json()
    assert "errors" not in found, found
    return found["data"]


def ended(url: str, launched: dict[str, Any]) -> str:
    """How a launched run ended."""
    assert launched["__typename"] == "LaunchRunSuccess", launched
    deadline = time.monotonic() + 180
    state = ""
    while state not in ("SUCCESS", "FAILURE", "CANCELED") and time.monotonic() < deadline:
        time.sleep(0.3)
        state = ask(url, STATUS, id=launched["run"]["runId"])["runOrError"]["status"]
    return state


def test_a_partition_is_loaded_again_and_a_run_of_the_shell_is_run_again(ui: str, migrated: Migrated) -> None:
    migrated.sandbox.control("pipedrive", "stats/reset", {})
    launched = ask(
        ui,
        LAUNCH,
        params={
            "selector": {**SELECTOR, "jobName": "load"},
            "runConfigData": {},
            "mode": "default",
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": "wave-0001"}]},
        },
    )["launchRun"]
    assert ended(ui, launched) == "SUCCESS"
    assert migrated.sandbox.control("pipedrive", "stats")["writes"] == 0
    by_the_shell = ask(ui, RUNS)["runsOrError"]["results"]
    planning = next(run["runId"] for run in by_the_shell if run["jobName"] == "plan_batches")
    again = ask(ui, AGAIN, params={"parentRunId": planning, "strategy": "ALL_STEPS"})
    assert ended(ui, again["launchRunReexecution"]) == "SUCCESS"
