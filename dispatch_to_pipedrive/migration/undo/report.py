"""What did carrying out an undo come to?"""

from dataclasses import dataclass


@dataclass
class UndoReport:
    """Records deleted, restored, kept, and gone before we came (others deleted or merged them); tokens spent."""

    deleted: int = 0
    restored: int = 0
    kept: int = 0
    gone: int = 0
    tokens: int = 0
