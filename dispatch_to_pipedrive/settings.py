"""Which environment variables there are: each of them once, with its default and what it must look like.

A `.env` in the working directory is read too; the environment wins over it.
"""

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from dispatch_to_pipedrive.pipedrive.plans import PLANS

SECRETS = ("DISPATCH_PRO_CLIENT_SECRET", "DISPATCH_PRO_APP_KEY", "PIPEDRIVE_API_TOKEN", "PROPOSAL_MODEL_KEY")
_POSTGRES = "postgresql+psycopg2"


class WrongSettings(Exception):
    """Settings that are missing or cannot be used; one line for each, naming the variable and what to do."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(lines))


class Settings(BaseSettings):
    """Everything that the environment decides."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    dispatch_pro_auth_url: str = Field(
        default="", description="Dispatch Pro: the token is at {url}/connect/token"
    )
    dispatch_pro_api_url: str = Field(default="", description="Dispatch Pro: scheme and host of the API")
    dispatch_pro_tenant_id: str = Field(default="", description="Dispatch Pro: the tenant's number")
    dispatch_pro_client_id: str = Field(default="", description="Dispatch Pro: the app's client id")
    dispatch_pro_client_secret: SecretStr = Field(
        default=SecretStr(""), description="Dispatch Pro: its secret"
    )
    dispatch_pro_app_key: SecretStr = Field(default=SecretStr(""), description="Dispatch Pro: the app's key")
    dispatch_pro_calls_per_second: int = Field(
        default=60,
        ge=1,
        description="Dispatch Pro: calls a second that the app may make (the vendor grants 60)",
    )
    pipedrive_api_url: str = Field(
        default="", description="Pipedrive: scheme and host; v2 is at {url}/api/v2, v1 at {url}/api/v1"
    )
    pipedrive_api_token: SecretStr = Field(
        default=SecretStr(""), description="Pipedrive: an admin's API token"
    )

    migration_home: Path = Field(
        default=Path(".migration"), description="Folder of ledger, data, reports and Dagster's home"
    )
    migration_data: str = Field(
        default="",
        description="Where segments and frames lie: a folder or an object store's URL ({home}/data)",
    )
    migration_database_url: SecretStr = Field(
        default=SecretStr(""),
        description="PostgreSQL for the ledger and Dagster's storage (SQLite in {home})",
    )
    mappings_dir: Path = Field(default=Path("mappings"), description="Folder of the maps")
    fallback_owner_email: str = Field(
        default="", description="The Pipedrive user who stands in for unmatched technicians"
    )
    pipedrive_plan: str = Field(
        default="lite", description="lite, growth, premium, ultimate: decides tokens and burst"
    )
    pipedrive_seats: int = Field(
        default=1, ge=1, description="Paid seats of the company: they multiply the day's tokens"
    )
    pipedrive_reserve: float = Field(
        default=0.1,
        ge=0,
        description="Left to the company's other apps: below 1 a part of the day, else tokens",
    )
    migration_currency: str = Field(
        default="",
        pattern="^([A-Z]{3})?$",
        description="ISO code that all money is in (the account's default)",
    )
    proposal_model: str = Field(
        default="",
        description="A language model that reorders the proposal's candidates, as openai:gpt-5-mini (none)",
    )
    proposal_model_key: SecretStr = Field(default=SecretStr(""), description="Its API key")
    migration_request_timeout: float = Field(default=30, gt=0, description="Seconds that a request may take")
    migration_lease: float = Field(
        default=60, gt=0, description="Seconds after which a silent writer is taken for dead"
    )
    migration_grace: float = Field(
        default=120, gt=0, description="Seconds after which a lost request can no longer arrive"
    )
    wave_records: int | None = Field(
        default=None,
        ge=1,
        description="Most records of a wave (else a quarter of a day's tokens, at most 10000)",
    )
    delta_minutes: int = Field(
        default=15, ge=1, le=1440, description="Minutes between two advances while the delta window is open"
    )
    delta_hours: float = Field(
        default=48, gt=0, description="Hours that the delta window stays open, if nobody says otherwise"
    )
    automations_paused_by: str = Field(
        default="", description="Who says that the account's automations are paused while records are loaded"
    )
    file_limit_mb: float = Field(
        default=25, gt=0, description="Megabytes above which a file is reported instead of moved"
    )
    download_hosts: str = Field(
        default="",
        description="Hosts besides Dispatch Pro's own that files may come from, by commas; .name: also below it",
    )
    keep_oversized: bool = Field(
        default=False, description="Whether files above the limit are kept under {home}/oversized"
    )
    file_readback: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Share of the files whose bytes are read back, at least one of each kind; 0 reads none",
    )
    emails_path: Path | None = Field(
        default=None, description="A .csv of e-mails or a folder of .eml files, read with every advance"
    )
    allow_real_account: str = Field(
        default="",
        description="The company id that may be written to where PIPEDRIVE_API_URL is not on this machine",
    )

    @field_validator("pipedrive_plan")
    @classmethod
    def _known_plan(cls, name: str) -> str:
        name = name.strip().lower()
        if name not in PLANS:
            raise ValueError(f"is {name!r}: use one of {', '.join(PLANS)}")
        return name

    @field_validator("dispatch_pro_auth_url", "dispatch_pro_api_url", "pipedrive_api_url")
    @classmethod
    def _whole_url(cls, url: str) -> str:
        url = url.strip().rstrip("/")
        if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise ValueError(f"is {url!r}: give a whole URL such as https://api.example.com")
        return url

    @field_validator("download_hosts")
    @classmethod
    def _hosts_only(cls, text: str) -> str:
        hosts = [host.strip().lower() for host in text.split(",") if host.strip()]
        wrong = [host for host in hosts if not re.fullmatch(r"\.?[a-z0-9]([a-z0-9.-]*[a-z0-9])?", host)]
        if wrong:
            raise ValueError(
                f"is {text!r}: {wrong[0]!r} is no host name; use names such as storage.example.com or .example.com"
            )
        return ",".join(hosts)

    @field_validator("migration_database_url")
    @classmethod
    def _with_driver(cls, secret: SecretStr) -> SecretStr:
        url = secret.get_secret_value().strip()
        scheme, separator, rest = url.partition("://")
        if not url:
            return SecretStr("")
        if not separator or scheme.partition("+")[0] not in ("postgresql", "postgres"):
            raise ValueError(
                "is no PostgreSQL URL: use postgresql://user:password@host/database, or leave it out"
            )
        return SecretStr(f"{_POSTGRES}://{rest}")

    @property
    def home(self) -> Path:
        """The migration's folder, absolute."""
        return self.migration_home.expanduser().resolve()

    @property
    def dagster_home(self) -> Path:
        """Dagster's own folder."""
        return self.home / "dagster"

    @property
    def data(self) -> str:
        """Where segments and frames lie: an absolute folder or an URL."""
        if "://" in self.migration_data:
            return self.migration_data
        return str(Path(self.migration_data).resolve() if self.migration_data else self.home / "data")

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts besides Dispatch Pro's own that files may come from."""
        return tuple(host for host in self.download_hosts.split(",") if host)

    @property
    def oversized(self) -> Path | None:
        """Where files above the limit are kept; None where they are not."""
        return self.home / "oversized" if self.keep_oversized else None

    @property
    def file_limit(self) -> int:
        """Bytes that a file may have to be moved."""
        return int(self.file_limit_mb * 1_000_000)

    @property
    def maps(self) -> Path:
        """The folder of the maps; the project's own where the working directory has none."""
        here = self.mappings_dir.expanduser()
        own = Path(__file__).resolve().parent.parent / "mappings"
        return own if here == Path("mappings") and not here.is_dir() else here.resolve()

    @property
    def ledger_url(self) -> str:
        """The ledger's database, as SQLAlchemy names it."""
        return self.migration_database_url.get_secret_value() or f"sqlite:///{self.home / 'ledger.db'}"

    def require_source(self) -> None:
        """Raise WrongSettings unless Dispatch Pro can be asked."""
        self._require([name for name in type(self).model_fields if name.startswith("dispatch_pro_")])

    def require_destination(self) -> None:
        """Raise WrongSettings unless Pipedrive can be asked."""
        self._require(["pipedrive_api_url", "pipedrive_api_token", "dispatch_pro_tenant_id"])

    def require_writable(self) -> None:
        """Raise WrongSettings unless the account may be written to, as far as its address tells."""
        self.require_destination()
        if not self.allow_real_account and not on_this_machine(self.pipedrive_api_url):
            raise WrongSettings(
                [
                    f"PIPEDRIVE_API_URL is {self.pipedrive_api_url}, which is not on this machine: set "
                    "ALLOW_REAL_ACCOUNT to the company id of the account that may be written to"
                ]
            )

    def _require(self, names: list[str]) -> None:
        missing = [name for name in names if not _plain(getattr(self, name))]
        if missing:
            about = type(self).model_fields
            raise WrongSettings(
                [
                    f"{name.upper()} is not set ({about[name].description}): set it in the environment or in .env"
                    for name in missing
                ]
            )


def load_settings() -> Settings:
    """The settings of this process; WrongSettings with one line for each that cannot be used."""
    try:
        return Settings()
    except ValidationError as error:
        raise WrongSettings([_line(mistake) for mistake in error.errors()]) from None


def on_this_machine(url: str) -> bool:
    """Whether a URL leads to the loopback interface."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def as_environment(settings: Settings) -> dict[str, str]:
    """What child processes need so that they read the same settings, wherever they start."""
    paths = {
        "MIGRATION_HOME": str(settings.home),
        "MIGRATION_DATA": settings.data,
        "MAPPINGS_DIR": str(settings.maps),
        "EMAILS_PATH": str(settings.emails_path.expanduser().resolve()) if settings.emails_path else "",
    }
    values = {name.upper(): _plain(getattr(settings, name)) for name in type(settings).model_fields}
    return {name: text for name, text in {**values, **paths}.items() if text}


def make_dagster_home(settings: Settings) -> Path:
    """Make Dagster's home, with the project's dagster.yaml linked into it; its path."""
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    target = Path(__file__).resolve().parent.parent / "dagster.yaml"
    link = home / "dagster.yaml"
    if not (link.is_symlink() and link.readlink() == target):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    return home


def _plain(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return "" if value is None else str(value)


def _line(mistake: Mapping[str, Any]) -> str:
    name = str(mistake["loc"][0]).upper() if mistake["loc"] else "settings"
    words = str(mistake["msg"]).removeprefix("Value error, ")
    given = "" if name in SECRETS or words.startswith("is ") else f"is {mistake['input']!r}: "
    return f"{name} {given}{words}"
