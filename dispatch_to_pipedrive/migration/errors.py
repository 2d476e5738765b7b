"""What can stop the engine, each with what to do about it."""

from dispatch_to_pipedrive.migration.values import LeaseHolder


class MigrationError(Exception):
    """A reason to stop that a person can act on; the text says what, where and what next."""


class LedgerClosed(MigrationError):
    """The ledger's database cannot be opened."""


class WrongAccount(MigrationError):
    """The ledger belongs to another company or tenant."""


class LeaseHeld(MigrationError):
    """Another process holds the lease of the account."""

    def __init__(self, holder: LeaseHolder) -> None:
        self.holder = holder
        super().__init__(f"the lease is held by {holder}; wait until it has ended")


class LeaseLost(MigrationError):
    """This process was overtaken or its lease ran out: it may not write any more."""


class RunStopped(MigrationError):
    """The same refusal met many records: the fault is the program's or the account's, not theirs."""


class SourceAway(MigrationError):
    """Dispatch Pro gives no files at all: not the fault of one of them."""


class GateClosed(MigrationError):
    """A gate does not allow the first write."""


class Paused(GateClosed):
    """Somebody has paused the migration: what was under way is finished, and nothing is begun."""


class WrongFallback(MigrationError):
    """The user who is to own what has no technician is not there."""


class WrongApproval(MigrationError):
    """Who approves, or what for, cannot be put on record."""


class Interrupted(MigrationError):
    """A person asked to stop; the open window was finished first."""


class WrongRecord(MigrationError):
    """A record that the ledger or the account does not know, or that may not be used so."""
