"""Dagster's own front door: a migration up to its approved sample, by nothing but what the UI's pages send."""

import csv
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..program import environment, maps_beside, records, start
from ..sandbox_process import Sandbox

LAUNCH = """
mutation($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
SELECTOR = {"repositoryLocationName": "dispatch_to_pipedrive", "repositoryName": "__repository__"}


@contextmanager
def open_ui(settings: Mapping[str, str]) -> Iterator[str]:
    """The UI's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = start(settings, "ui", "--port", str(port))
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


def launched(url: str, job: str, batch: str | None = None, config: Mapping[str, Any] | None = None) -> str:
    """How a job ended that was launched as its page in the UI does it."""
    tags = [] if batch is None else [{"key": "dagster/partition", "value": batch}]
    found = ask(
        url,
        LAUNCH,
        params={
            "selector": {**SELECTOR, "jobName": job},
            "runConfigData": {
                "ops": {step: {"config": dict(values)} for step, values in (config or {}).items()}
            },
            "mode": "default",
            "executionMetadata": {"tags": tags},
        },
    )["launchRun"]
    return ended(url, found)


@pytest.mark.promise("R020", "R083")
@pytest.mark.soak
def test_from_an_untouched_tenant_to_an_approved_sample_in_the_ui_alone(
    new_sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    """R020, R083: the steps of docs/walkthrough.md; what is not decided stops, with nothing written."""
    sandbox = new_sandbox(customers=4, seed=7, no_limits=True)
    with open_ui(environment(sandbox, tmp_path / "home")) as url:
        assert launched(url, "advance_source") == "SUCCESS"
        assert launched(url, "plan_batches") == "SUCCESS"
        assert launched(url, "assess") == "SUCCESS"
        assert launched(url, "prepare") == "FAILURE"
        assert launched(url, "load", "sample") == "FAILURE"
        assert sandbox.control("pipedrive", "stats")["writes"] == 0
        with (maps_beside(tmp_path / "home") / "technicians.csv").open(encoding="utf-8-sig") as file:
            undecided = {row["technician_id"]: "fallback" for row in csv.DictReader(file)}
        confirmation = {"approver": "Ada Lovelace", "note": "looked at", "technicians": undecided}
        assert launched(url, "confirm_map", config={"map_confirmation": confirmation}) == "SUCCESS"
        assert launched(url, "prepare") == "SUCCESS"
        assert launched(url, "load", "wave-0001") == "FAILURE"
        assert not any(records(sandbox).values())
        assert launched(url, "load", "sample") == "SUCCESS"
        assert launched(url, "reconcile", "sample") == "SUCCESS"
        approval = {"approver": "Ada Lovelace", "note": "every field looked at"}
        assert launched(url, "approve_sample", config={"sample_approval": approval}) == "SUCCESS"
        assert launched(url, "load", "wave-0001") == "SUCCESS"
