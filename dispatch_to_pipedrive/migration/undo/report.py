"""What did carrying out an undo come to?"""

from dataclasses import dataclass, field


@dataclass
class UndoReport:
    """Records deleted, restored, kept, and gone before we came (others deleted or merged them); tokens spent.

    `refused` are records that Pipedrive refused to delete or to restore, each with its words: they are as they were.
    """

    deleted: int = 0
    restored: int = 0
    kept: int = 0
    gone: int = 0
    tokens: int = 0
    refused: list[str] = field(default_factory=list)
