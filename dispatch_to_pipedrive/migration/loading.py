"""What is one load given, what does it decide in a round, and what does it come to?"""

from collections.abc import Callable
from dataclasses import dataclass, field

from dispatch_to_pipedrive.mapping.model import EntityMap
from dispatch_to_pipedrive.migration.files import Fetch
from dispatch_to_pipedrive.migration.kept import Reader
from dispatch_to_pipedrive.migration.ledger import utc_now
from dispatch_to_pipedrive.migration.resolve import Owners, Wanted
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.values import KeptEdit, Manifest, Quarantined
from dispatch_to_pipedrive.migration.window import Draft
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema


@dataclass(frozen=True)
class Load:
    """One entity of one batch, with all that its records need to become wire bodies."""

    session: Session
    schema: AccountSchema
    entity_map: EntityMap
    owners: Owners
    manifest: Manifest
    retry_quarantined: bool = False
    on_progress: Callable[[int, int], None] = lambda _done, _all: None
    reader: Reader = field(init=False, repr=False)
    fetch: Fetch | None = None
    """Where the bytes of files come from; needed where files are wanted."""

    def __post_init__(self) -> None:
        users = self.session.ledger.user_names(self.session.scope.account)
        reader = Reader(self.schema, users, self.manifest.key, utc_now())
        object.__setattr__(self, "reader", reader)

    def source_wins(self) -> frozenset[str]:
        """Logical names of the fields in which the source wins over people."""
        return frozenset(name for name, field in self.entity_map.fields.items() if field.source_wins)


@dataclass
class Step:
    """What the wanted records of one round need."""

    drafts: list[Draft] = field(default_factory=list)
    unproven: list[Wanted] = field(default_factory=list)
    held: list[Wanted] = field(default_factory=list)
    unfinished: set[str] = field(default_factory=set)
    overwritten: list[KeptEdit] = field(default_factory=list)


@dataclass
class LoadReport:
    """What one entity of one batch came to.

    `kept` counts fields that people had edited and that stayed theirs, `overwritten` those in which the source wins.
    """

    entity: str
    wanted: int
    created: int = 0
    updated: int = 0
    equal: int = 0
    newer: int = 0
    gone: int = 0
    kept: int = 0
    overwritten: int = 0
    settled: int = 0
    quarantined: list[Quarantined] = field(default_factory=list)
