"""How the demo goes: a sandbox, a whole migration with its decisions up to the sign-off, and later Dagster's UI on it.

`python -m dispatch_to_pipedrive.demo run` makes a fresh home under `.demo`; `… ui` starts the sandbox again as the last
demo left it and opens Dagster on that home. Both only start programs; what they do is theirs.
"""

import csv
import json
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from dispatch_to_pipedrive.demo import program
from dispatch_to_pipedrive.demo.cutover import cutover

FOLDER = Path(".demo")
CUSTOMERS, PLAN, SEATS, WAVE_RECORDS = 30, "premium", 2, 500
APPROVER = "demo"
ACCEPTED = "deals/jobs.custom_fields/Permit Number=create"
"""One of the proposals, so that a custom field of the tenant's own comes along."""
MAPS = Path(__file__).resolve().parents[2] / "mappings"
_SERVERS = {"dispatch": "DISPATCH_PRO_API_URL", "pipedrive": "PIPEDRIVE_API_URL"}


def run() -> int:
    """The whole road on a fresh home; the exit code of the migration."""
    began = time.monotonic()
    home = FOLDER.resolve() / datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    home.mkdir(parents=True)
    print(
        f"A Dispatch Pro tenant of {CUSTOMERS} customers and an empty Pipedrive account start on this machine."
    )
    with _sandbox([]) as printed:
        program.start()
        environment = {
            **printed,
            "MIGRATION_HOME": str(home / "migration"),
            "MAPPINGS_DIR": str(shutil.copytree(MAPS, home / "mappings")),
            "PIPEDRIVE_PLAN": PLAN,
            "PIPEDRIVE_SEATS": str(SEATS),
            "WAVE_RECORDS": str(WAVE_RECORDS),
            "FALLBACK_OWNER_EMAIL": _owner(printed),
        }
        _write(home / "environment", environment)
        code = _road(environment)
        _keep(home, printed)
    latest = FOLDER / "latest"
    latest.unlink(missing_ok=True)
    latest.symlink_to(home.name)
    print(
        f"\n{time.monotonic() - began:.0f} s. `make ui` opens Dagster on this very run: http://127.0.0.1:3000"
    )
    print(f"By hand: set -a; . {home / 'environment'}; .venv/bin/dispatch-to-pipedrive status")
    return code


def _road(environment: Mapping[str, str]) -> int:
    """The whole road with both decisions; the exit code of the first step that did not go well."""

    def step(words: str, *arguments: str) -> int:
        print(f"\n{words}\n$ dispatch-to-pipedrive {shlex.join(arguments)}", flush=True)
        return program.run(environment, *arguments)

    if code := step("What is there, and what will it cost?", "migrate", "--through", "assess"):
        return code
    _tell_large_files(Path(environment["MIGRATION_HOME"]))
    decisions = [
        f"--technician={number}=fallback" for number in _undecided(Path(environment["MAPPINGS_DIR"]))
    ]
    return (
        step(
            "A person takes a proposal, decides for technicians without a user, and confirms the map.",
            *("confirm-map", "--as", APPROVER, "--accept", ACCEPTED, *decisions),
        )
        or step("A sample goes first.", "migrate", "--through", "sample")
        or step(
            "A person looks at its diff and approves it.",
            *("approve-sample", "--as", APPROVER, "--note", "every field looked at"),
        )
        or step("Everything else follows.", "migrate", "--through", "full")
        or cutover(environment, step, lambda *arguments: program.answer(environment, *arguments))
    )


def _tell_large_files(home: Path) -> None:
    """Name the files that the assessment found too large to move."""
    files = json.loads((home / "reports" / "assessment" / "assessment.json").read_text())["files"]
    for one in files["largest"]:
        size = f"{one['size'] / 1_000_000:.1f} MB"
        print(
            f"too large to move: {one['file_name']!r} ({size}) on job {one['job_id']}; a note will tell of it"
        )


def _undecided(maps: Path) -> list[str]:
    """Ids of the technicians who have no user and no decision yet."""
    with (maps / "technicians.csv").open(encoding="utf-8-sig", newline="") as file:
        return [row["technician_id"] for row in csv.DictReader(file) if not row["decision"]]


def ui(port: str = "3000") -> int:
    """Dagster's UI on the last demo, with its sandbox as it was left."""
    home = (FOLDER / "latest").resolve()
    if not (home / "environment").is_file():
        print("There is no demo yet: run `make demo` first.", file=sys.stderr)
        return 2
    environment = _read(home / "environment")
    ports = {server: str(urlsplit(environment[name]).port) for server, name in _SERVERS.items()}
    with _sandbox(
        [
            *("--load", str(home / "pipedrive.json")),
            *("--dispatch-port", ports["dispatch"], "--pipedrive-port", ports["pipedrive"]),
        ]
    ) as printed:
        clock = json.loads((home / "clock.json").read_text())
        httpx.post(
            f"{printed['PIPEDRIVE_API_URL']}/_control/clock", json={"set": clock["now"]}
        ).raise_for_status()
        return program.run({**environment, **printed}, "ui", "--port", port)


@contextmanager
def _sandbox(options: list[str]) -> Iterator[dict[str, str]]:
    """A running sandbox and the settings it printed."""
    command = [sys.executable, "-m", "dispatch_to_pipedrive.sandbox"]
    command += ["--customers", str(CUSTOMERS), "--plan", PLAN, "--seats", str(SEATS), *options]
    # A session of its own: Ctrl-C reaches the migration first, and the sandbox outlives its last window.
    process = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        printed: dict[str, str] = {}
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == "READY":
                break
            name, _, value = line.strip().partition("=")
            printed[name] = value
        else:
            raise SystemExit("the sandbox did not start: see above")
        yield printed
    finally:
        process.terminate()
        process.wait()


def _owner(printed: Mapping[str, str]) -> str:
    """Who stands in for technicians without a user: the user of the token."""
    answer = httpx.get(
        f"{printed['PIPEDRIVE_API_URL']}/api/v1/users/me",
        headers={"x-api-token": printed["PIPEDRIVE_API_TOKEN"]},
    )
    return str(answer.raise_for_status().json()["data"]["email"])


def _keep(home: Path, printed: Mapping[str, str]) -> None:
    """Keep the account and the clock, so that the UI finds them as they are now."""
    for name, path in (("pipedrive.json", "dump"), ("clock.json", "clock")):
        answer = httpx.get(f"{printed['PIPEDRIVE_API_URL']}/_control/{path}", timeout=60)
        (home / name).write_bytes(answer.raise_for_status().content)


def _write(path: Path, environment: Mapping[str, str]) -> None:
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in environment.items()))


def _read(path: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in path.read_text().splitlines())
    return {name: shlex.split(value)[0] if value else "" for name, _, value in pairs}


def _end(_number: int, _frame: object) -> None:
    raise SystemExit(143)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)  # so that what was started ends, too
    sys.exit({"run": run, "ui": ui}[sys.argv[1]](*sys.argv[2:]))
