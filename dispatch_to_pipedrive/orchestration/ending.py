"""With which code does the program end after an error?"""

import dagster as dg

from dispatch_to_pipedrive.dispatch_pro import errors as source
from dispatch_to_pipedrive.mapping import MapError
from dispatch_to_pipedrive.migration.errors import (
    Interrupted,
    LeaseHeld,
    LeaseLost,
    WrongAccount,
)
from dispatch_to_pipedrive.orchestration.errors import EXPECTED
from dispatch_to_pipedrive.pipedrive import errors as destination
from dispatch_to_pipedrive.settings import WrongSettings

_CODES: tuple[tuple[tuple[type[BaseException], ...], int], ...] = (
    ((WrongSettings, WrongAccount, MapError, source.Unauthorized, source.Forbidden), 2),
    ((LeaseHeld, LeaseLost), 3),
    ((destination.BudgetSpent,), 4),
    ((Interrupted, KeyboardInterrupt, dg.DagsterExecutionInterruptedError), 130),
    (EXPECTED, 1),
)


def code_of(error: BaseException) -> int | None:
    """The exit code of an expected error; None for what surprised us."""
    if isinstance(error, destination.Forbidden) and error.status == 401:
        return 2
    return next((code for kinds, code in _CODES if isinstance(error, kinds)), None)
