"""Wrong settings and wrong surroundings: one clear line, exit code 2, no stack, no secret anywhere."""

import shutil
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dispatch_to_pipedrive_tests.acceptance.world import Migrated
from dispatch_to_pipedrive_tests.launcher import ROOT, Ended
from dispatch_to_pipedrive_tests.sandbox_process import start_sandbox

SECRETS = ("PIPEDRIVE_API_TOKEN", "DISPATCH_PRO_CLIENT_SECRET", "DISPATCH_PRO_APP_KEY")
WRONG = "0123456789abcdef0123456789abcdef01234567"


def _refused(ended: Ended, *words: str) -> str:
    """The one line of a refusal."""
    assert ended.code == 2, ended.said
    assert "Traceback" not in ended.said
    lines = [line for line in ended.said.splitlines() if line.strip()]
    told = lines[-1]
    for word in words:
        assert word in told, ended.said
    assert WRONG not in ended.said
    return told


def _closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.promise("R058")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("DISPATCH_PRO_CLIENT_SECRET", "DISPATCH_PRO_CLIENT_SECRET"),
        ("DISPATCH_PRO_APP_KEY", "DISPATCH_PRO_APP_KEY"),
        ("PIPEDRIVE_API_TOKEN", "PIPEDRIVE_API_TOKEN"),
    ],
)
def test_a_wrong_secret(migrated: Migrated, tmp_path: Path, name: str, words: str) -> None:
    fresh = migrated.fresh(tmp_path / "home")
    _refused(fresh.migrate(env={name: WRONG}), words)
    assert fresh.writes == 0
    _no_secret_in(tmp_path / "home", [WRONG.encode()])


@pytest.mark.promise("R060")
@pytest.mark.parametrize("name", ["DISPATCH_PRO_AUTH_URL", "DISPATCH_PRO_API_URL", "PIPEDRIVE_API_URL"])
def test_an_address_where_nobody_answers(migrated: Migrated, tmp_path: Path, name: str) -> None:
    fresh = (
        migrated.again(tmp_path / "home")
        if name == "PIPEDRIVE_API_URL"
        else migrated.fresh(tmp_path / "home")
    )
    url = f"http://127.0.0.1:{_closed_port()}"
    _refused(fresh.migrate(env={name: url}), url, name)


@pytest.mark.promise("R084")
def test_an_address_that_is_not_on_this_machine(migrated: Migrated, tmp_path: Path) -> None:
    fresh = migrated.fresh(tmp_path / "home")
    ended = fresh.migrate(env={"PIPEDRIVE_API_URL": "https://acme.pipedrive.com"})
    _refused(ended, "https://acme.pipedrive.com", "ALLOW_REAL_ACCOUNT")


def test_another_account_begins_at_the_beginning(migrated: Migrated, tmp_path: Path) -> None:
    """What people said yes to in one account is no word on another."""
    migration = migrated.again(tmp_path / "home")
    with start_sandbox(customers=1, seed=99, plan="premium", seats=2, no_limits=True) as other:
        env = {name: other.env[name] for name in ("PIPEDRIVE_API_URL", "PIPEDRIVE_API_TOKEN")}
        ended = migration.run("verify", env=env)
        assert ended.code == 1 and "no batch has been loaded yet" in ended.said
        ended = migration.run("migrate", "--through", "full", env=env)
        assert ended.code == 1 and "nobody has confirmed the map" in ended.said
        assert other.control("pipedrive", "stats")["writes"] == 0


def test_a_broken_map(migrated: Migrated, tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    shutil.copytree(ROOT / "mappings", maps)
    text = (maps / "deals.yaml").read_text(encoding="utf-8")
    line = next(n for n, words in enumerate(text.splitlines(), start=1) if words.strip().startswith("from:"))
    (maps / "deals.yaml").write_text(text.replace("from:", "form:", 1), encoding="utf-8")
    fresh = migrated.fresh(tmp_path / "home")
    ended = fresh.migrate(env={"MAPPINGS_DIR": str(maps)})
    assert ended.code == 2, ended.said
    assert "Traceback" not in ended.said
    told = next(words for words in ended.said.splitlines() if "form" in words)
    assert f"deals.yaml:{line}" in told
    assert "from" in told
    assert fresh.writes == 0


def test_a_home_that_cannot_be(migrated: Migrated, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    fresh = migrated.fresh(tmp_path / "file" / "home")
    for command in (("migrate", "--through", "full"), ("verify",), ("status",)):
        ended = fresh.run(*command)
        if command != ("status",):
            _refused(ended, "MIGRATION_HOME", str(tmp_path / "file"))
        assert "Traceback" not in ended.said


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://me:{WRONG}@127.0.0.1/migration",
        f"postgresql://me:{WRONG}@127.0.0.1:1/migration",
        WRONG,
    ],
)
def test_a_database_that_cannot_be_reached(migrated: Migrated, tmp_path: Path, url: str) -> None:
    fresh = migrated.fresh(tmp_path / "home")
    for command in (("migrate", "--through", "full"), ("status",)):
        _refused(fresh.run(*command, env={"MIGRATION_DATABASE_URL": url}), "MIGRATION_DATABASE_URL")
    _no_secret_in(tmp_path, [WRONG.encode()])


def test_no_secret_in_any_output_or_file(migrated: Migrated, tmp_path: Path) -> None:
    """Ledger, Dagster's storage, reports, everything that was said; also when requests failed."""
    migration = migrated.again(tmp_path / "home")
    migration.account(
        "faults", {"kind": "status", "method": "GET", "path": "/users/me", "status": 500, "times": 1}
    )
    migration.run("verify")
    migration.run("status", "--json")
    secrets = [migrated.sandbox.env[name].encode() for name in SECRETS]
    _no_secret_in(migration.home, secrets)
    _no_secret_in(migrated.launcher.folder, secrets)


def _no_secret_in(folder: Path, secrets: list[bytes]) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        content = path.read_bytes()
        assert not any(secret in content for secret in secrets), path


def test_a_port_of_no_url_is_refused(migrated: Migrated, tmp_path: Path) -> None:
    port = urlsplit(migrated.sandbox.pipedrive_url).port
    fresh = migrated.fresh(tmp_path / "home")
    _refused(fresh.migrate(env={"PIPEDRIVE_API_URL": f"127.0.0.1:{port}"}), "PIPEDRIVE_API_URL", "whole URL")


def test_each_wrong_setting_has_a_line(migrated: Migrated, tmp_path: Path) -> None:
    """None of them is hidden behind another."""
    wrong = {"PIPEDRIVE_SEATS": "two", "PIPEDRIVE_PLAN": "gold", "DISPATCH_PRO_API_URL": "here"}
    ended = migrated.fresh(tmp_path / "home").migrate(env=wrong)
    assert ended.code == 2, ended.said
    assert {line.split()[0] for line in ended.said.splitlines() if line.strip()} == set(wrong)
