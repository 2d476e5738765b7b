"""How the program ends: each code, in words, without a stack; and how it goes on when it is run again."""

import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from dispatch_to_pipedrive import __version__

from ..program import PROGRAM, clean, environment, records, run, start, status, wait_until
from ..sandbox_process import Sandbox

NOWHERE = {
    "DISPATCH_PRO_AUTH_URL": "http://127.0.0.1:9",
    "DISPATCH_PRO_API_URL": "http://127.0.0.1:9",
    "DISPATCH_PRO_TENANT_ID": "1",
    "DISPATCH_PRO_CLIENT_ID": "c",
    "DISPATCH_PRO_CLIENT_SECRET": "hush-hush",
    "DISPATCH_PRO_APP_KEY": "hush-hush",
    "PIPEDRIVE_API_URL": "http://127.0.0.1:9",
    "PIPEDRIVE_API_TOKEN": "hush-hush",
}


def test_version_and_help(tmp_path: Path) -> None:
    said = subprocess.check_output([PROGRAM, "--version"], cwd=tmp_path, env=clean({}), text=True)
    assert said.strip() == f"dispatch-to-pipedrive {__version__}"
    told = run({}, "--help", cwd=tmp_path).stdout
    assert all(
        command in told
        for command in (
            "migrate",
            "confirm-map",
            "approve-sample",
            "reassign-owners",
            "window",
            "status",
            "verify",
            "sandbox",
            "ui",
        )
    )
    assert "--dispatch-port" in run({}, "sandbox", "--help", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("settings", "arguments", "words"),
    [
        ({}, ("migrate", "--through", "full"), "DISPATCH_PRO_AUTH_URL is not set"),
        (NOWHERE, ("migrate", "--through", "somewhere"), "somewhere"),
        (NOWHERE, ("window", "open"), "--as"),
        (NOWHERE, ("migrate",), "--through"),
        ({**NOWHERE, "PIPEDRIVE_SEATS": "two"}, ("migrate", "--through", "full"), "PIPEDRIVE_SEATS"),
        (
            {**NOWHERE, "PIPEDRIVE_API_URL": "https://api.pipedrive.com"},
            ("migrate", "--through", "full"),
            "ALLOW_REAL_ACCOUNT",
        ),
        ({}, ("verify",), "PIPEDRIVE_API_URL is not set"),
        ({}, ("sandbox", "--customers", "none"), "--customers"),
    ],
)
def test_wrong_use_and_settings_end_with_2(
    settings: dict[str, str], arguments: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    ended = run({**settings, "MIGRATION_HOME": str(tmp_path / "home")}, *arguments, cwd=tmp_path)
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "hush" not in ended.stdout + ended.stderr


def test_before_there_is_a_migration_no_window_is_opened(tmp_path: Path) -> None:
    ended = run({**NOWHERE, "MIGRATION_HOME": str(tmp_path / "home")}, "window", "open", "--as", "Ada")
    assert ended.returncode == 1
    assert "there is no migration yet" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_before_the_first_run_status_says_so_and_makes_nothing(tmp_path: Path) -> None:
    ended = run({"MIGRATION_HOME": str(tmp_path / "home")}, "status", cwd=tmp_path)
    assert ended.returncode == 0
    assert "not started" in ended.stdout
    assert not (tmp_path / "home").exists()


def test_stopped_it_goes_on_where_it_was(
    new_sandbox: Callable[..., Sandbox], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = new_sandbox(customers=2, seed=3, no_limits=True, latency_ms=20)
    settings = environment(sandbox, tmp_path)

    def written() -> int:
        writes = sandbox.control("pipedrive", "stats")["writes_by"]
        return sum(writes.get(f"POST {entity}", 0) for entity in ("persons", "deals", "activities"))

    stopped = start(settings, "migrate", "--through", "full", "--approve-as", "Ada")
    wait_until(lambda: written() > 0 or stopped.poll() is not None)
    stopped.send_signal(signal.SIGINT)
    said, _ = stopped.communicate(timeout=120)
    assert stopped.returncode == 130, said
    assert "run it again" in said or "run again" in said
    assert status(settings)["in_doubt"] == 0  # the open window was finished

    ended = run(settings, "migrate", "--through", "full", "--approve-as", "Ada")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = status(settings)
    assert found["state"] == "verified"
    there = records(sandbox)
    for entity, totals in found["totals"].items():
        assert len(there[entity]) == totals["source"]
    titles = Counter(deal["title"] for deal in there["deals"])
    assert set(titles.values()) <= {1}

    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    with dg.DagsterInstance.get() as instance:
        statuses = Counter(run.status for run in instance.get_runs())
    assert set(statuses) <= {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE}
