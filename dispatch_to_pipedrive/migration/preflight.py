"""Does anything stand in the way before a record is moved? Named checks, each pass, warn or fail, and what to do.

Pure functions over facts; who asks the account and the tenant for the facts is the front door. A failing check stops
`migrate` before anything is written; a warning is shown and stops nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dispatch_to_pipedrive.migration.forecast import Forecast
from dispatch_to_pipedrive.migration.visibility import hidden, impossible
from dispatch_to_pipedrive.pipedrive.account import Me

PASS, WARN, FAIL = "pass", "warn", "fail"

TOKEN = "pipedrive token"  # noqa: S105 - the name of a check
ADMIN = "pipedrive admin"
SEES_ALL = "sees everyone's records"
VISIBILITY = "visibility of what is written"
APP = "dispatch pro app"
SCOPES = "dispatch pro scopes"
DISPATCH_PRO = "dispatch pro in use"
CUSTOM_FIELDS = "custom fields fit"
OPEN_DEALS = "open deals fit"
BUDGET = "daily tokens left"
AUTOMATIONS = "automations paused"
TIME_ZONE = "time zone"
CURRENCY = "currency"
NAMES = (
    *(TOKEN, ADMIN, SEES_ALL, VISIBILITY, APP, SCOPES, DISPATCH_PRO, CUSTOM_FIELDS, OPEN_DEALS, BUDGET),
    *(AUTOMATIONS, TIME_ZONE, CURRENCY),
)
"""Every check, in the order in which they are told."""


@dataclass(frozen=True)
class Check:
    """One check: how it stands, and what to do where it does not pass."""

    name: str
    verdict: str
    found: str
    todo: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.found}" + (f": {self.todo}" if self.todo else "")


@dataclass(frozen=True)
class AccountFacts:
    """What the account said. `refused`: the vendor's words where it let nobody in; everything else is unknown then.

    `custom_fields` and `open_deals` are those of others; `open_deals` None was not counted, `open_deals_at_least`
    then says how many were seen. `tokens_left` of today, reserve and other apps taken off; None without limit.
    """

    me: Me | None = None
    refused: str = ""
    currencies: Sequence[str] = ()
    custom_fields: int = 0
    open_deals: int | None = None
    open_deals_at_least: int = 0
    tokens_left: int | None = None


@dataclass(frozen=True)
class SourceFacts:
    """What the tenant said. `refused`: words where the app was not let in; `unreadable`: feed → the scope it lacks.

    `smart_job_types` are enabled for Dispatch Pro; `currencies` are those of the business units.
    """

    refused: str = ""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    feeds: int = 0
    smart_job_types: int = 0
    job_types: int = 0
    currencies: Sequence[str] = ()


@dataclass(frozen=True)
class Said:
    """What people said in the settings: who paused the automations, which currency all money is in.

    visible_to: entity → the map's word for who sees its records.
    """

    automations_paused_by: str = ""
    currency: str = ""
    visible_to: Mapping[str, str] = field(default_factory=dict)


def preflight(account: AccountFacts, source: SourceFacts, foreseen: Forecast, said: Said) -> list[Check]:
    """Every check of `NAMES`, in that order."""
    return [
        *_user(account),
        _visibility(account, foreseen, said),
        *_app(source),
        _dispatch_pro(source),
        _custom_fields(account, foreseen),
        _open_deals(account, foreseen),
        _budget(account, foreseen),
        _automations(said),
        _time_zone(account),
        _currency(account, source, said),
    ]


def as_values(checks: Iterable[Check]) -> list[dict[str, str]]:
    """The checks as plain values, as the ledger keeps them."""
    return [asdict(check) for check in checks]


def from_values(values: Iterable[Mapping[str, str]]) -> list[Check]:
    """The checks that `as_values` wrote down."""
    return [Check(**value) for value in values]


def failing(checks: Iterable[Check]) -> list[Check]:
    """The checks that stop a migration."""
    return [check for check in checks if check.verdict == FAIL]


def _user(account: AccountFacts) -> list[Check]:
    me = account.me
    if me is None:
        todo = "check PIPEDRIVE_API_TOKEN (in Pipedrive: Personal preferences, API) and PIPEDRIVE_API_URL"
        words = account.refused or "the account was not asked"
        return [Check(TOKEN, FAIL, words, todo), _unknown(ADMIN), _unknown(SEES_ALL)]
    who = f"{me.name} ({me.email}) of {me.company_name or 'company'} {me.company_id}"
    token = Check(TOKEN, PASS, f"accepted: {who}")
    if me.is_admin:
        admin = Check(ADMIN, PASS, "the token's user administers the account")
    else:
        admin = Check(
            ADMIN,
            FAIL,
            f"{me.name} is no admin of the account: fields, pipelines and stages could not be made",
            "use the API token of a user with global admin rights",
        )
    return [token, admin, _sees_all(me)]


def _sees_all(me: Me) -> Check:
    sales = [entry for entry in me.access if entry.app == "sales"]
    if any(entry.admin for entry in sales):
        return Check(SEES_ALL, PASS, "a deals admin sees every record, whatever its visibility group")
    return Check(
        SEES_ALL,
        WARN if me.is_admin else FAIL,
        "Pipedrive does not say that the token's user is a deals admin; records of other visibility groups "
        "are silently absent from its lists",
        "give the user deals admin rights, or check that visibility groups hide nothing from it",
    )


def _visibility(account: AccountFacts, foreseen: Forecast, said: Said) -> Check:
    plan = foreseen.account.plan
    if wrong := {word: impossible(word, plan) for word in said.visible_to.values() if impossible(word, plan)}:
        todo = "change it, or name the account's plan (PIPEDRIVE_PLAN)"
        return Check(VISIBILITY, FAIL, "; ".join(wrong.values()), todo)
    if account.me is None:
        return _unknown(VISIBILITY)
    if unseen := hidden(said.visible_to, account.me):
        words = ", ".join(f"{entity} ({said.visible_to[entity]})" for entity in unseen)
        return Check(
            VISIBILITY,
            FAIL,
            f"the map hides {words} from all but their owners and groups, and so from the token's user, who is not "
            "known to be a deals admin: what is not seen cannot be read back, and `verify` would find it missing",
            "give the token's user deals admin rights, or let `visible_to` be everyone in the map",
        )
    told = sorted({f"{word} ({entities})" for word, entities in _by_word(said.visible_to).items()})
    return Check(VISIBILITY, PASS, "; ".join(told) or "the account's own default decides")


def _by_word(visible_to: Mapping[str, str]) -> dict[str, str]:
    """Word → the entities whose records it is for."""
    found: dict[str, list[str]] = {}
    for entity, word in visible_to.items():
        found.setdefault(word, []).append(entity)
    return {word: ", ".join(entities) for word, entities in found.items()}


def _app(source: SourceFacts) -> list[Check]:
    if source.refused:
        todo = "check DISPATCH_PRO_CLIENT_ID, DISPATCH_PRO_CLIENT_SECRET, DISPATCH_PRO_APP_KEY and the tenant's id"
        return [Check(APP, FAIL, source.refused, todo), _unknown(SCOPES)]
    app = Check(APP, PASS, "app key, client and tenant are accepted")
    if not source.unreadable:
        return [app, Check(SCOPES, PASS, f"all {source.feeds} kinds of record can be read")]
    missing = sorted(set(source.unreadable.values()))
    return [
        app,
        Check(
            SCOPES,
            FAIL,
            f"{len(source.unreadable)} of {source.feeds} kinds of record cannot be read: "
            + ", ".join(sorted(source.unreadable)),
            f"tick in the app {', '.join(missing)}; then have the tenant's administrator accept its new version",
        ),
    ]


def _dispatch_pro(source: SourceFacts) -> Check:
    if source.smart_job_types:
        words = f"{source.smart_job_types} of {source.job_types} job types are enabled for Dispatch Pro"
        return Check(DISPATCH_PRO, PASS, words)
    return Check(
        DISPATCH_PRO,
        WARN,
        "no job type is enabled for Dispatch Pro (isSmartDispatched): this is a plain ServiceTitan tenant",
        "nothing, if that is so; else check that the app reads the right tenant",
    )


def _custom_fields(account: AccountFacts, foreseen: Forecast) -> Check:
    cap = next(cap for cap in foreseen.caps if cap.name == "custom fields")
    theirs = (
        f"{account.custom_fields:,} that others have" if account.me else "those that others have, unknown"
    )
    words = f"{cap.words}: {cap.needed - account.custom_fields:,} of the map, and {theirs}"
    if cap.fits:
        return Check(CUSTOM_FIELDS, PASS, words)
    return Check(
        CUSTOM_FIELDS,
        FAIL,
        words,
        "take fields out of the map, delete unused ones in Pipedrive, or use a larger plan (PIPEDRIVE_PLAN)",
    )


def _open_deals(account: AccountFacts, foreseen: Forecast) -> Check:
    cap = next(cap for cap in foreseen.caps if cap.name == "open deals")
    words = cap.words
    counted = account.open_deals is not None
    if not counted:
        words += f", without those of others in the account ({account.open_deals_at_least:,} or more)"
    if not cap.fits:
        todo = (
            "close old jobs in the source, buy seats, or use a larger plan (PIPEDRIVE_PLAN, PIPEDRIVE_SEATS)"
        )
        return Check(OPEN_DEALS, FAIL, words, todo)
    todo = "" if counted else "compare with the number of open deals in Pipedrive"
    return Check(OPEN_DEALS, PASS if counted else WARN, words, todo)


def _budget(account: AccountFacts, foreseen: Forecast) -> Check:
    left = account.tokens_left
    if account.me is None:
        return _unknown(BUDGET)
    if left is None:
        return Check(BUDGET, PASS, "no limit is set for this plan")
    words = f"{left:,} tokens are left today for {foreseen.tokens:,} in all"
    if left >= foreseen.tokens:
        return Check(BUDGET, PASS, words)
    days = f"{foreseen.days:.1f} days of {foreseen.tokens_per_day:,} tokens"
    if left <= 0:
        return Check(BUDGET, FAIL, words, "start after midnight UTC, when the day's tokens come back")
    return Check(
        BUDGET, WARN, f"{words}: it takes {days}", "run `migrate` again each day, it goes on where it ended"
    )


def _automations(said: Said) -> Check:
    if said.automations_paused_by:
        return Check(AUTOMATIONS, PASS, f"{said.automations_paused_by} says that they are paused")
    return Check(
        AUTOMATIONS,
        WARN,
        "nobody said that automations, sequences and webhooks of the account are paused; loading would fire them, "
        "and the interface neither lists nor pauses them",
        "pause them in Pipedrive, then set AUTOMATIONS_PAUSED_BY to the name of who did",
    )


def _time_zone(account: AccountFacts) -> Check:
    if account.me is None:
        return _unknown(TIME_ZONE)
    zone = account.me.timezone_name or ""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return Check(
            TIME_ZONE,
            WARN,
            f"the time zone of the token's user is {zone or 'not set'}",
            "set it in Pipedrive under Personal preferences",
        )
    words = f"times are written in UTC and shown in each user's zone, {zone} for {account.me.name}"
    return Check(TIME_ZONE, PASS, words + "; Dispatch Pro does not tell the business's own")


def _currency(account: AccountFacts, source: SourceFacts, said: Said) -> Check:
    if account.me is None:
        return _unknown(CURRENCY)
    chosen = said.currency or account.me.default_currency or ""
    whence = "MIGRATION_CURRENCY" if said.currency else "the account's default"
    if not chosen:
        return Check(
            CURRENCY, FAIL, "neither the settings nor the account name one", "set MIGRATION_CURRENCY"
        )
    if account.currencies and chosen not in account.currencies:
        todo = "set MIGRATION_CURRENCY to a currency that the account uses, or activate it in Pipedrive"
        return Check(CURRENCY, FAIL, f"{chosen} ({whence}) is no active currency of the account", todo)
    others = sorted({currency for currency in source.currencies if currency != chosen})
    if others:
        words = f"all money is taken for {chosen} ({whence}), but business units count in {', '.join(others)}"
        return Check(CURRENCY, WARN, words, "set MIGRATION_CURRENCY to what the invoices are in")
    return Check(CURRENCY, PASS, f"all money is in {chosen} ({whence})")


def _unknown(name: str) -> Check:
    return Check(name, WARN, "not known, since nobody was let in to ask")
