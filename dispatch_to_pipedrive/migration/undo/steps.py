"""What happens to one record when batches are undone?"""

from dataclasses import dataclass
from typing import Final, Literal

Action = Literal["delete", "restore", "keep"]
DELETE: Final = "delete"
RESTORE: Final = "restore"
KEEP: Final = "keep"


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
