"""What the demo shows of a cutover: a delta, an edit that stays, a batch undone and brought again, the sign-off."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

APPROVER = "demo"
HORIZON = 20 * 60
"""Seconds of the sandbox's clock that nobody waits for: a change shows in the feeds after a quarter of an hour."""

Step = Callable[..., int]
"""Says what comes and runs one command of the program; its exit code."""
Answer = Callable[..., Any]
"""Runs one command of the program that answers in JSON."""


def cutover(environment: Mapping[str, str], step: Step, answer: Answer) -> int:
    """From the open window to checked evidence; the exit code of the first step that did not go well."""
    home = Path(environment["MIGRATION_HOME"])
    return (
        step("The window opens: the company works on while deltas follow.", *_by("window", "open"))
        or _both_sides_work(environment, answer)
        or step("What has changed comes after.", "migrate", "--through", "delta")
        or step("What people edited has stayed theirs.", "status")
        or step("One batch is taken back …", *_by("rollback", "--batch", "delta-0001"))
        or step("… and brought again.", *_by("reapply"))
        or step("From now on nobody works in Dispatch Pro any more.", *_by("window", "freeze"))
        or _wait(environment)
        or _wants_a_name(step("The last reading, and a full second pass.", "migrate", "--through", "signoff"))
        or step("A person signs.", *_by("sign-off"))
        or step("The evidence checks itself.", "evidence", "check", str(_newest(home / "evidence")))
    )


def _wants_a_name(code: int) -> int:
    """`migrate` ends with 1 where a person has to sign; the sign-off tells what else may be open."""
    return 0 if code == 1 else code


def _by(*arguments: str) -> tuple[str, ...]:
    return (*arguments, "--as", APPROVER)


def _both_sides_work(environment: Mapping[str, str], answer: Answer) -> int:
    """A day at the office, and somebody in Pipedrive who edits what the office renames as well."""
    customers, jobs = _ids(environment, "customers"), _ids(environment, "jobs")
    contested, busy, *_ = customers
    _post(
        environment,
        "DISPATCH_PRO_API_URL",
        "tenant",
        {
            "actions": [
                {
                    "action": "rename",
                    "entity": "customer",
                    "id": contested,
                    "name": "Renamed in Dispatch Pro",
                },
                {"action": "create", "entity": "job", "customer": busy},
                {"action": "cancel", "job": jobs[0]},
                {"action": "add_contact", "type": "Email", "value": "new@home.example", "customer": busy},
            ]
        },
    )
    known = answer("history", f"customer:{contested}/person", "--json")
    edit = {
        "entity": "persons",
        "id": known["links"][0]["pipedrive_id"],
        "changes": {"name": "Renamed in Pipedrive"},
    }
    _post(environment, "PIPEDRIVE_API_URL", "edit", edit)
    print(
        f"\nMeanwhile Dispatch Pro renames customer {contested}, and so does somebody in Pipedrive; "
        "a new job comes in, another is canceled."
    )
    return _wait(environment)


def _wait(environment: Mapping[str, str]) -> int:
    """Let the sandbox's clock pass the horizon of the feeds."""
    _post(environment, "PIPEDRIVE_API_URL", "clock", {"advance": HORIZON})
    print(f"The sandbox's clock goes {HORIZON // 60} minutes on.")
    return 0


def _ids(environment: Mapping[str, str], feed: str) -> list[int]:
    """Ids of a feed's records, in their order."""
    answer = httpx.get(f"{environment['DISPATCH_PRO_API_URL']}/_control/tenant/{feed}", timeout=60)
    return [int(number) for number in answer.raise_for_status().json()]


def _post(environment: Mapping[str, str], server: str, control: str, body: Mapping[str, Any]) -> None:
    answer = httpx.post(f"{environment[server]}/_control/{control}", content=json.dumps(body), timeout=60)
    answer.raise_for_status()


def _newest(folder: Path) -> Path:
    return max((path for path in folder.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
