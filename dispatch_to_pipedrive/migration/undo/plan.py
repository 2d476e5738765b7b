"""What would undoing batches do to the account, and what can it not give back?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

DELETE, RESTORE, KEEP = "delete", "restore", "keep"
Action = Literal["delete", "restore", "keep"]


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to one record.

    `batch` is the batch whose operation on the record is undone (of several, the first); `why` says in words what
    decided it. `fields` are logical names: of a restore those that get their values from before back, of a record that
    is kept those that people edited.
    """

    entity: str
    source_key: str
    pipedrive_id: int
    action: Action
    batch: str
    why: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class UndoPlan:
    """What undoing `batches` comes to, as the account stood when it was read.

    `cuts_into` are later batches of whose operations some go too. `irreversible` is one line a record that the API
    cannot bring back to what it was. `tokens` is the price of carrying it out (reading included), `days` how many days'
    budgets that fills. `digest` is that of all that is shown: two plans with the same digest do the same.
    """

    batches: tuple[str, ...]
    cuts_into: tuple[str, ...] = ()
    deletes: tuple[Step, ...] = ()
    restores: tuple[Step, ...] = ()
    keeps: tuple[Step, ...] = ()
    irreversible: tuple[str, ...] = ()
    tokens: int = 0
    days: float = 0.0
    digest: str = ""
    force: bool = False
    maps_fields: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    """Entity → wire names that the map fills, as the plan was asked for; carrying it out looks at them again."""

    @property
    def undone(self) -> tuple[str, ...]:
        """All batches that count as rolled back afterwards."""
        return (*self.batches, *self.cuts_into)
