"""What did carrying out an undo come to?"""

from dataclasses import dataclass, field

from dispatch_to_pipedrive.migration.undo.steps import Step


@dataclass
class UndoReport:
    """Records deleted, restored, and gone before we came (others deleted or merged them); those kept; tokens spent.

    `refused` are records that Pipedrive refused to delete or to restore, each with its words: they are as they were.
    """

    deleted: int = 0
    restored: int = 0
    gone: int = 0
    tokens: int = 0
    keeps: list[Step] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def kept(self) -> int:
        """How many were kept."""
        return len(self.keeps)
