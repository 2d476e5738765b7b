"""Runs the program as its users do: in a process of its own, by its environment."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from .launcher import warm
from .sandbox_process import ROOT, Sandbox

PROGRAM = Path(sys.executable).with_name("dispatch-to-pipedrive")
_OURS = (
    *("DISPATCH_PRO_", "PIPEDRIVE_", "MIGRATION_", "DAGSTER_", "FALLBACK_", "ALLOW_", "MAPPINGS_", "WAVE_"),
    *("AUTOMATIONS_", "FILE_LIMIT_", "PROPOSAL_"),
)


def owner_email(sandbox: Sandbox) -> str:
    """The e-mail of the token's user."""
    answer = httpx.get(
        f"{sandbox.pipedrive_url}/api/v1/users/me",
        headers={"x-api-token": sandbox.env["PIPEDRIVE_API_TOKEN"]},
    )
    return str(answer.raise_for_status().json()["data"]["email"])


def maps_beside(home: Path) -> Path:
    """A home's own copy of the project's maps: a migration writes people's decisions beside them."""
    maps = Path(f"{home}.maps")
    if not maps.exists():
        shutil.copytree(ROOT / "mappings", maps)
    return maps


def environment(sandbox: Sandbox, home: Path, **settings: str) -> dict[str, str]:
    """Settings of a migration from and to the sandbox, quick to settle."""
    return {
        **sandbox.env,
        "MIGRATION_HOME": str(home),
        "MAPPINGS_DIR": str(maps_beside(home)),
        "PIPEDRIVE_PLAN": "unlimited",
        "FALLBACK_OWNER_EMAIL": owner_email(sandbox),
        "MIGRATION_GRACE": "1",
        "MIGRATION_LEASE": "6",
        "MIGRATION_REQUEST_TIMEOUT": "2",
        **settings,
    }


def clean(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with no settings of a migration but these."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**outer, **settings}


def run(
    settings: Mapping[str, str], *arguments: str, cwd: Path = ROOT, seconds: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as errors:
        running = warm().start([*arguments], clean(settings), cwd, errors=Path(errors.name))
        ended = running.wait(seconds)
        return subprocess.CompletedProcess(list(arguments), ended.code, ended.said, errors.read())


def start(settings: Mapping[str, str], *arguments: str) -> subprocess.Popen[str]:
    """Start the program in a session of its own, heeding SIGINT."""
    return subprocess.Popen(
        [str(PROGRAM), *arguments],
        env=clean(settings),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def status(settings: Mapping[str, str]) -> dict[str, Any]:
    """What `status --json` says."""
    ended = run(settings, "status", "--json")
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def wait_until(true: Callable[[], bool], seconds: float = 120) -> None:
    """Wait for something that a server or a process brings about."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def records(sandbox: Sandbox) -> dict[str, list[dict[str, Any]]]:
    """The account's records by entity, in the order of their ids."""
    dump = sandbox.control("pipedrive", "dump")
    return {
        entity: sorted(_rows(dump, entity), key=lambda record: record["id"])
        for entity in ("organizations", "persons", "deals", "activities", "files", "notes")
    }


def _rows(dump: Mapping[str, Any], entity: str) -> list[dict[str, Any]]:
    found = dump.get("entities", dump)[entity]
    return list(found.values()) if isinstance(found, dict) else list(found)
