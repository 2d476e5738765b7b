"""What the migration remembers: every SQL statement on the ledger stands in this folder."""

from dispatch_to_pipedrive.migration.ledger.account import AccountRecords
from dispatch_to_pipedrive.migration.ledger.approvals import Approvals
from dispatch_to_pipedrive.migration.ledger.audit import Audit
from dispatch_to_pipedrive.migration.ledger.binding import Binding, door_of
from dispatch_to_pipedrive.migration.ledger.database import Scope, canonical_json, digest_of, utc_now
from dispatch_to_pipedrive.migration.ledger.history import History
from dispatch_to_pipedrive.migration.ledger.kept import KeptEdits
from dispatch_to_pipedrive.migration.ledger.milestones import Milestones
from dispatch_to_pipedrive.migration.ledger.reports import Reports
from dispatch_to_pipedrive.migration.ledger.source import FeedAdvance, LandedSegment, SourceRecords
from dispatch_to_pipedrive.migration.ledger.undo import Undo

__all__ = [
    "FeedAdvance",
    "LandedSegment",
    "Ledger",
    "Scope",
    "canonical_json",
    "digest_of",
    "door_of",
    "utc_now",
]


class Ledger(
    Binding, SourceRecords, AccountRecords, Approvals, Milestones, Reports, KeptEdits, Audit, History, Undo
):
    """One SQL database with everything in it, opened by URL."""
