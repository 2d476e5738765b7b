"""With which code and words does the program end after an error?"""

from dispatch_to_pipedrive.dispatch_pro import errors as source
from dispatch_to_pipedrive.dispatch_pro.client import TOKEN_PATH
from dispatch_to_pipedrive.mapping import MapError
from dispatch_to_pipedrive.migration.decisions import WrongDecisions
from dispatch_to_pipedrive.migration.errors import (
    Interrupted,
    LeaseHeld,
    LeaseLost,
    LedgerClosed,
    WrongAccount,
    WrongApproval,
    WrongFallback,
    WrongRecord,
)
from dispatch_to_pipedrive.orchestration.errors import EXPECTED
from dispatch_to_pipedrive.pipedrive import errors as destination
from dispatch_to_pipedrive.settings import Settings, WrongSettings

_CODES: tuple[tuple[tuple[type[Exception], ...], int], ...] = (
    ((WrongSettings, WrongFallback, WrongAccount, LedgerClosed), 2),
    ((MapError, WrongDecisions, WrongApproval, WrongRecord), 2),
    ((source.Unauthorized, source.Forbidden), 2),
    ((LeaseHeld, LeaseLost), 3),
    ((destination.BudgetSpent,), 4),
    ((Interrupted,), 130),
    (EXPECTED, 1),
)


def code_of(error: Exception) -> int | None:
    """The exit code of an expected error; None for what surprised us."""
    if (isinstance(error, destination.Forbidden) and error.status == 401) or _unanswered(error):
        return 2
    return next((code for kinds, code in _CODES if isinstance(error, kinds)), None)


def words_of(error: Exception, settings: Settings) -> str:
    """What is told of an expected error: its own words, and the setting to look at where one may be at fault."""
    words = str(error)
    if isinstance(error, destination.Forbidden) and error.status == 401:
        return f"{words}: check PIPEDRIVE_API_TOKEN"
    if isinstance(error, LedgerClosed):
        elsewhere = settings.migration_database_url.get_secret_value()
        return f"{words}: check {'MIGRATION_DATABASE_URL' if elsewhere else 'MIGRATION_HOME'}"
    name = _unanswered(error)
    return f"{words}: nobody answers at {getattr(settings, name.lower())}, check {name}" if name else words


def _unanswered(error: Exception) -> str:
    """The name of the address at which nobody answered; '' for any other error."""
    if isinstance(error, destination.Transient) and error.status is None:
        return "PIPEDRIVE_API_URL"
    if isinstance(error, source.Unavailable) and error.status is None:
        return "DISPATCH_PRO_AUTH_URL" if error.path == TOKEN_PATH else "DISPATCH_PRO_API_URL"
    return ""
