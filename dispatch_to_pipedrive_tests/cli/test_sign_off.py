"""The end of a migration from the shell: what is still to do, the second pass, the evidence, and that it is the end."""

import json
from pathlib import Path

import dagster as dg
import pytest

from dispatch_to_pipedrive.orchestration.run import execute, open_instance
from dispatch_to_pipedrive.settings import load_settings

from ..program import records, run, status
from .conftest import Migrated

NAME = "Ada Lovelace"


@pytest.mark.soak
@pytest.mark.promise("R007", "R018", "R086")
def test_a_second_pass_writes_nothing_and_what_is_signed_off_proves_itself_and_is_written_no_more(
    migrated: Migrated, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = records(migrated.sandbox)
    early = run(migrated.settings, "sign-off", "--as", NAME)
    assert early.returncode == 1
    assert "export_drained: no freeze moment was named: `window freeze --as NAME`" in early.stderr
    assert "second_pass_wrote_nothing: sample not run again" in early.stderr

    # Nobody has worked in Dispatch Pro for an hour before it was read, so there is nothing to wait for.
    frozen = run(migrated.settings, "window", "freeze", "--as", NAME, "--at", "2026-06-15T14:00:00Z")
    assert frozen.returncode == 0, frozen.stderr
    ended = run(migrated.settings, "migrate", "--through", "signoff", "--approve-as", NAME)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = status(migrated.settings)
    assert found["state"] == "signed off"
    assert records(migrated.sandbox) == before

    (folder,) = (migrated.home / "evidence").iterdir()
    whole = run({}, "evidence", "check", str(folder), cwd=Path("/"))  # no settings, no credentials
    assert whole.returncode == 0, whole.stderr
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["digest"] in whole.stdout
    assert manifest["chain_head"] == found["chain_head"]
    gates = json.loads((folder / "gates.json").read_text())
    assert all(gate["passed"] for gate in gates)
    secrets = [
        migrated.settings[name]
        for name in ("DISPATCH_PRO_CLIENT_SECRET", "DISPATCH_PRO_APP_KEY", "PIPEDRIVE_API_TOKEN")
    ]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == len(manifest["files"]) + 1
    for path in files:
        content = path.read_text()
        assert not any(secret in content for secret in secrets)

    assert run(migrated.settings, "migrate", "--through", "signoff").returncode == 0, "nothing is left to do"
    refused = run(migrated.settings, "migrate", "--through", "full")
    assert refused.returncode == 1
    assert f"signed off by {NAME}" in refused.stderr
    assert "`reopen --as NAME` lifts it" in refused.stderr
    assert run(migrated.settings, "reopen", "--as", NAME).returncode == 0
    assert status(migrated.settings)["state"] == "verified"

    # The same from the UI: nothing was written since, so the second pass still stands.
    again = run(migrated.settings, "window", "freeze", "--as", NAME, "--at", "2026-06-15T14:00:00Z")
    assert again.returncode == 0, again.stderr
    monkeypatch.setenv("DAGSTER_HOME", "to be set by the program")
    for name, value in migrated.settings.items():
        monkeypatch.setenv(name, value)
    with open_instance(load_settings()) as instance:
        assert execute(instance, "sign_off", config={"sign_the_migration_off": {"by": "Grace Hopper"}})
        shown = instance.get_latest_materialization_event(dg.AssetKey("migration_state"))
    assert shown is not None and shown.asset_materialization is not None
    assert shown.asset_materialization.metadata["state"].value == "signed off"
    assert len(list((migrated.home / "evidence").iterdir())) == 2
    assert run(migrated.settings, "reopen", "--as", NAME).returncode == 0

    with (folder / "links.jsonl").open("ab") as file:
        file.write(b"\n")
    changed = run({}, "evidence", "check", str(folder), cwd=Path("/"))
    assert changed.returncode == 1
    assert "links.jsonl: has " in changed.stderr
