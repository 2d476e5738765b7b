"""The sandbox as a program: what it prints, how it ends, what it refuses."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from ..sandbox_process import ROOT, Sandbox, SandboxError, start_sandbox

KEYS = [
    "DISPATCH_PRO_AUTH_URL",
    "DISPATCH_PRO_API_URL",
    "DISPATCH_PRO_TENANT_ID",
    "DISPATCH_PRO_CLIENT_ID",
    "DISPATCH_PRO_CLIENT_SECRET",
    "DISPATCH_PRO_APP_KEY",
    "PIPEDRIVE_API_URL",
    "PIPEDRIVE_API_TOKEN",
]
Start = Callable[..., Sandbox]


def test_it_prints_the_settings_of_a_migration_and_serves_both(shared_sandbox: Sandbox) -> None:
    assert list(shared_sandbox.env)[: len(KEYS)] == KEYS
    assert all(shared_sandbox.env.values())
    with shared_sandbox.source() as source:
        assert source.get(shared_sandbox.tenant_path("crm/v2", "customers")).status_code == 200
    token = {"x-api-token": shared_sandbox.env["PIPEDRIVE_API_TOKEN"]}
    me = httpx.get(f"{shared_sandbox.pipedrive_url}/api/v1/users/me", headers=token)
    assert me.status_code == 200
    assert shared_sandbox.dispatch_url.startswith("http://127.0.0.1:")


def test_technicians_are_users_of_the_account_in_part(shared_sandbox: Sandbox) -> None:
    people = shared_sandbox.control("dispatch", "tenant")["people"]
    token = {"x-api-token": shared_sandbox.env["PIPEDRIVE_API_TOKEN"]}
    users = httpx.get(f"{shared_sandbox.pipedrive_url}/api/v1/users", headers=token).json()["data"]
    emails = {user["email"].strip().lower() for user in users}
    assert {email.strip().lower() for _, email, _ in people} <= emails


def test_both_servers_share_one_clock(new_sandbox: Start) -> None:
    sandbox = new_sandbox(customers=3, now="2026-01-31T23:00:00Z")
    assert sandbox.control("pipedrive", "clock")["now"].startswith("2026-01-31T23:00")
    sandbox.control("pipedrive", "clock", {"set": "2026-02-01T08:00:00Z", "speed": 0})
    assert sandbox.control("dispatch", "clock") == {"now": "2026-02-01T08:00:00Z", "speed": 0.0}
    sandbox.advance(60)
    assert sandbox.control("pipedrive", "clock")["now"].startswith("2026-02-01T08:01:00")


def test_the_same_seed_gives_the_same_bytes_in_another_process(new_sandbox: Start) -> None:
    pages = []
    for _ in range(2):
        sandbox = new_sandbox(customers=12, seed=8)
        with sandbox.source() as source:
            pages.append(source.get(sandbox.tenant_path("accounting/v2", "export/invoices")).content)
        pages.append(json.dumps(sandbox.env["PIPEDRIVE_API_TOKEN"]).encode())
    assert pages[:2] == pages[2:]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_even_with_calls_under_way(new_sandbox: Start, how: signal.Signals) -> None:
    sandbox = new_sandbox(customers=3)
    sandbox.control("dispatch", "faults", {"kind": "latency", "path": "customers", "seconds": 30})
    with sandbox.source() as source:
        waiting = threading.Thread(target=_ask, args=(source, sandbox.tenant_path("crm/v2", "customers")))
        waiting.start()
        while not sandbox.control("dispatch", "stats")["faults"][0]["hits"]:
            time.sleep(0.01)
        assert sandbox.stop(how) == 0
        waiting.join(timeout=10)
        assert not waiting.is_alive()


def _ask(source: httpx.Client, path: str) -> None:
    try:
        source.get(path)
    except httpx.HTTPError:
        return


def test_a_reset_cuts_the_connection(new_sandbox: Start) -> None:
    sandbox = new_sandbox(customers=3)
    with sandbox.source() as source:
        path = sandbox.tenant_path("crm/v2", "customers")
        sandbox.control("dispatch", "faults", {"kind": "reset", "path": "customers", "times": 1})
        with pytest.raises(httpx.TransportError):
            source.get(path)
        assert source.get(path).status_code == 200


def test_a_port_in_use_is_named_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SandboxError) as caught:
            start_sandbox(customers=3, pipedrive_port=port)
    assert caught.value.code == 2
    assert caught.value.stderr.count("\n") == 1
    assert f"--pipedrive-port: cannot listen on 127.0.0.1:{port}" in caught.value.stderr


def test_a_bad_time_and_an_unreadable_dump_are_refused_in_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    foreign = tmp_path / "foreign.json"
    foreign.write_text("{}")
    for options, words in (
        ({"now": "tomorrow"}, "--now: not an ISO date or time: 'tomorrow'"),
        ({"load": tmp_path / "missing.json"}, "--load: cannot read"),
        ({"load": broken}, "--load: cannot read"),
        ({"load": foreign}, "--load: not a dump of a Pipedrive account"),
    ):
        with pytest.raises(SandboxError) as caught:
            start_sandbox(customers=3, **options)
        assert caught.value.code == 2
        assert caught.value.stderr.count("\n") == 1
        assert words in caught.value.stderr


def test_a_dump_is_loaded_and_its_clock_goes_on(new_sandbox: Start, tmp_path: Path) -> None:
    first = new_sandbox(customers=3)
    first.advance(7200)
    dump = first.control("pipedrive", "dump")
    (tmp_path / "dump.json").write_text(json.dumps(dump))
    second = new_sandbox(customers=3, load=tmp_path / "dump.json")
    assert second.control("pipedrive", "clock")["now"] >= first.control("dispatch", "clock")["now"][:13]
    assert second.env["PIPEDRIVE_API_TOKEN"] == first.env["PIPEDRIVE_API_TOKEN"]


def test_a_tenant_has_so_many_files_and_fields_as_the_options_say(new_sandbox: Start) -> None:
    sandbox = new_sandbox(customers=3, attachments=5, attachment_bytes=70_000, extra_fields=True)
    assert [file["size"] for file in sandbox.control("dispatch", "files")] == [70_000] * 5
    assert sandbox.control("dispatch", "tenant")["counts"]["job_custom_field_types"] == 14
    first = sandbox.control("dispatch", "tenant/job_notes/530000000")
    assert (
        f"{sandbox.dispatch_url}/storage/"
        in sandbox.change("add_note", entity="job", id=first["jobId"], text="", images=1)["text"]
    )


def test_wrong_options_end_with_code_2() -> None:
    for arguments in (["--plan", "gold"], ["--customers", "0"], ["--colour", "red"]):
        ended = subprocess.run(
            [sys.executable, "-m", "dispatch_to_pipedrive.sandbox", *arguments],
            cwd=ROOT,
            capture_output=True,
            timeout=60,
        )
        assert ended.returncode == 2
        assert ended.stdout == b""
