"""What is told of a map that is wrong: the file, the line, the key, the words, and the nearest right one."""

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing wrong with a map."""

    file: str
    line: int
    key: str
    message: str
    suggestion: str | None = None

    def __str__(self) -> str:
        hint = f" Did you mean {self.suggestion!r}?" if self.suggestion else ""
        return f"{self.file}:{self.line}: {self.key}: {self.message}.{hint}"


class MapError(ValueError):
    """A map cannot be used; `mistakes` has every reason, in the order of files and lines."""

    def __init__(self, mistakes: Collection[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes, key=lambda mistake: (mistake.file, mistake.line, mistake.key)))
        super().__init__("\n".join(map(str, self.mistakes)))


def nearest(given: str, allowed: Collection[str]) -> str | None:
    """The allowed word that looks most like the given one, if any does."""
    folded = {name.casefold(): name for name in allowed}
    near = get_close_matches(given.casefold(), list(folded), n=1, cutoff=0.5)
    return folded[near[0]] if near else None
