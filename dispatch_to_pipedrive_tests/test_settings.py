"""What the environment may say, and how it is told that it is wrong."""

from pathlib import Path

import pytest

from dispatch_to_pipedrive.settings import (
    Settings,
    WrongSettings,
    as_environment,
    load_settings,
    make_dagster_home,
    on_this_machine,
)

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def test_every_variable_stands_in_the_example_once_and_nothing_else_does() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = [line.lstrip("# ").split("=")[0] for line in lines if "=" in line]
    assert sorted(named) == sorted(name.upper() for name in Settings.model_fields)


def test_missing_variables_are_named_with_what_to_do() -> None:
    with pytest.raises(WrongSettings) as error:
        load_settings().require_source()
    assert [line.split(" ")[0] for line in error.value.lines] == [
        "DISPATCH_PRO_AUTH_URL",
        "DISPATCH_PRO_API_URL",
        "DISPATCH_PRO_TENANT_ID",
        "DISPATCH_PRO_CLIENT_ID",
        "DISPATCH_PRO_CLIENT_SECRET",
        "DISPATCH_PRO_APP_KEY",
    ]
    assert all("set it in the environment or in .env" in line for line in error.value.lines)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PIPEDRIVE_PLAN", "gold"),
        ("PIPEDRIVE_SEATS", "none"),
        ("PIPEDRIVE_SEATS", "0"),
        ("PIPEDRIVE_API_URL", "api.pipedrive.com"),
        ("MIGRATION_DATABASE_URL", "mysql://somewhere"),
        ("MIGRATION_CURRENCY", "dollars"),
        ("MIGRATION_GRACE", "-1"),
        ("DOWNLOAD_HOSTS", "storage.example.com,https://b.example.com"),
        ("KEEP_OVERSIZED", "perhaps"),
    ],
)
def test_a_wrong_value_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSettings, match=f"^{name} "):
        load_settings()


def test_all_wrong_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEDRIVE_PLAN", "gold")
    monkeypatch.setenv("WAVE_RECORDS", "many")
    with pytest.raises(WrongSettings) as error:
        load_settings()
    assert len(error.value.lines) == 2


def test_a_dotenv_in_the_working_directory_is_read_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PIPEDRIVE_SEATS=3\nPIPEDRIVE_PLAN=growth\n")
    monkeypatch.setenv("PIPEDRIVE_PLAN", "Premium")
    settings = load_settings()
    assert (settings.pipedrive_seats, settings.pipedrive_plan) == (3, "premium")


def test_secrets_show_in_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPATCH_PRO_CLIENT_SECRET", "DISPATCH_PRO_APP_KEY", "PIPEDRIVE_API_TOKEN"):
        monkeypatch.setenv(name, "hush-hush")
    monkeypatch.setenv("MIGRATION_DATABASE_URL", "postgresql://me:hush-hush@db/ledger")
    settings = load_settings()
    assert "hush" not in repr(settings) + str(settings) + settings.model_dump_json()
    assert as_environment(settings)["PIPEDRIVE_API_TOKEN"] == "hush-hush"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"])
def test_postgresql_gets_the_driver_that_is_installed(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("MIGRATION_DATABASE_URL", f"{scheme}://me@db/ledger")
    assert load_settings().ledger_url == "postgresql+psycopg2://me@db/ledger"


def test_without_a_database_everything_stays_in_the_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = load_settings()
    home = tmp_path.resolve() / ".migration"
    assert settings.home == home
    assert settings.ledger_url == f"sqlite:///{home}/ledger.db"
    assert settings.data == str(home / "data")


@pytest.mark.promise("R084")
@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("https://api.pipedrive.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
    ],
)
def test_only_loopback_is_this_machine(url: str, here: bool) -> None:
    assert on_this_machine(url) is here


@pytest.mark.promise("R084")
def test_a_real_account_is_written_to_only_when_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEDRIVE_API_URL", "https://api.pipedrive.com")
    monkeypatch.setenv("PIPEDRIVE_API_TOKEN", "t")
    monkeypatch.setenv("DISPATCH_PRO_TENANT_ID", "1")
    with pytest.raises(WrongSettings, match="ALLOW_REAL_ACCOUNT"):
        load_settings().require_writable()
    monkeypatch.setenv("ALLOW_REAL_ACCOUNT", "4711")
    load_settings().require_writable()


def test_dagsters_home_links_the_projects_configuration(tmp_path: Path) -> None:
    home = make_dagster_home(load_settings())
    assert home.is_absolute()
    assert (home / "dagster.yaml").resolve() == ROOT / "dagster.yaml"
    assert make_dagster_home(load_settings()) == home


def test_hosts_are_a_list_and_the_limit_is_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOWNLOAD_HOSTS", " Storage.example.com, .cdn.example.com ,")
    monkeypatch.setenv("FILE_LIMIT_MB", "0.5")
    settings = load_settings()
    assert settings.hosts == ("storage.example.com", ".cdn.example.com")
    assert settings.file_limit == 500_000 and settings.oversized is None
