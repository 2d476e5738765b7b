"""By what are payloads decided? One digest of the map, of the owners, and of what people decided about these.

Whatever was loaded or read back keeps it; where it is another one by now, that has to be done again.
"""

from dispatch_to_pipedrive.mapping import Maps
from dispatch_to_pipedrive.mapping.meaning import digest, meaning
from dispatch_to_pipedrive.migration.ledger import Ledger, digest_of
from dispatch_to_pipedrive.migration.owners import decided
from dispatch_to_pipedrive.orchestration.present import decisions_of
from dispatch_to_pipedrive.settings import Settings


def decided_by(ledger: Ledger, settings: Settings, maps: Maps) -> str:
    """The digest as things stand now; comments in a map and technicians' names do not belong to it."""
    scope = ledger.bound_scope()
    owners = decided(ledger.owners(scope.account) if scope is not None else [])
    return digest_of(
        {
            "map": digest(meaning(maps)),
            "decisions": decisions_of(settings).digest,
            "owners": dict(owners.by_email),
            "fallback": owners.fallback,
            "currency": settings.migration_currency,
            "file_limit": settings.file_limit,
        }
    )
