"""What people decide about the migration as a whole, from the shell: under a name, in words, with the right code."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dispatch_to_pipedrive.cli import app
from dispatch_to_pipedrive.migration.evidence.pack import write_pack
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.settings import Settings

Shell = Callable[..., Result]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Runs the program in this process, with nothing but a home in its environment."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("MIGRATION_HOME", str(tmp_path))
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.bind(Scope("7", "42"), "Company")
    yield ledger
    ledger.close()


def test_who_pauses_stands_on_record_and_what_makes_no_sense_is_refused(shell: Shell, ledger: Ledger) -> None:
    for command in ("pause", "resume", "reopen", "sign-off"):
        assert shell(command).exit_code == 2, "a name is needed"
        assert shell(command, "--as", " ").exit_code == 2, "a name that says nothing"
    assert "not paused" in shell("resume", "--as", "Ada").output
    paused = shell("pause", "--as", "  Ada \n Lovelace ")
    assert paused.exit_code == 0, paused.output
    assert "paused by Ada Lovelace at " in paused.output
    again = shell("pause", "--as", "Bob")
    assert again.exit_code == 1
    assert "paused by Ada Lovelace" in again.output
    told = " ".join(shell("status").output.split())
    assert "state: not started, paused" in told
    assert "`resume --as NAME` lets writing go on" in told
    assert "paused by Ada Lovelace" in shell("sign-off", "--as", "Ada").output
    assert shell("resume", "--as", "Bob").exit_code == 0
    assert [(one.name, one.by) for one in ledger.milestones("7")] == [
        ("paused", "Ada Lovelace"),
        ("resumed", "Bob"),
    ]
    assert "not signed off" in shell("reopen", "--as", "Ada").output


def test_before_there_is_a_migration_there_is_nothing_to_pause(shell: Shell) -> None:
    ended = shell("pause", "--as", "Ada")
    assert ended.exit_code == 1
    assert "`migrate --through assess`" in ended.output


def test_a_sign_off_that_comes_too_early_names_every_gate_that_is_closed(
    shell: Shell, ledger: Ledger
) -> None:
    ended = shell("sign-off", "--as", "Ada")
    assert ended.exit_code == 1
    for gate in ("export_drained", "everything_planned", "no_strays"):
        assert f"{gate}: " in ended.output
    assert "log_whole" not in ended.output
    wrong = shell("sign-off", "--as", "Ada", "--accept", "persons customer:1/person=left")
    assert wrong.exit_code == 2
    assert "is not set aside" in wrong.output
    assert shell("sign-off", "--as", "Ada", "--accept", "persons customer:1/person").exit_code == 2
    assert ledger.milestones("7") == []


def test_evidence_is_checked_from_its_folder_alone(shell: Shell, tmp_path: Path) -> None:
    about = {"chain_head": "", "account": "7", "by": "Ada \u202etnemtrapeD"}
    files = {"operations.jsonl": [b""], "chain.jsonl": [b""], "counts.json": [b"{}\n"]}
    pack = write_pack(tmp_path / "evidence", "now", files, about)
    whole = shell("evidence", "check", str(pack.folder))
    assert whole.exit_code == 0, whole.output
    assert pack.digest in whole.output
    assert "\u202e" not in whole.output
    (pack.folder / "counts.json").write_bytes(b"[]\n")
    (pack.folder / "\u202emore").touch()
    found = shell("evidence", "check", str(pack.folder))
    assert found.exit_code == 1
    assert "counts.json: was changed" in found.output
    assert "‹U+202E›more: was added" in found.output
    assert shell("evidence", "check", str(tmp_path / "nowhere")).exit_code == 1
