"""Where do the files lie that tell of one account? What the first one has lies in MIGRATION_HOME itself.

A rehearsal and the real migration share the ledger, what was read from the source and the normalized frames. Listings,
reports, evidence and the frames that hold what an account said lie apart, so that neither is taken for the other's.
"""

import re
from pathlib import Path

from upath import UPath

from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.settings import Settings

OF_THE_ACCOUNT = frozenset(
    {"preflight", "assessment", "technician_owners", "schema_plan", "clearance", "reconciliation"}
)
"""Assets whose frames hold what an account said; all others come from the source alone."""


def home_of(settings: Settings, ledger: Ledger) -> Path:
    """The folder for reports, listings and the like of the account that the settings lead to."""
    return settings.home.joinpath(*apart(ledger))


def frame_path(settings: Settings, ledger: Ledger, asset: str, key: str | None = None) -> UPath:
    """Where the frame of an asset lies, or of one of its partitions."""
    folder = UPath(settings.data).joinpath("frames", *(apart(ledger) if asset in OF_THE_ACCOUNT else ()))
    return folder / f"{asset}.parquet" if key is None else folder / asset / f"{key}.parquet"


def apart(ledger: Ledger) -> tuple[str, ...]:
    """The folders below which the files of the account lie; none for the first one."""
    scope = ledger.bound_scope()
    if scope is None or scope.account == next(iter(ledger.bound_accounts()), scope.account):
        return ()
    if not re.fullmatch(r"\w+", scope.account):
        raise ValueError(f"{scope.account!r} is no company id")
    return ("accounts", scope.account)
