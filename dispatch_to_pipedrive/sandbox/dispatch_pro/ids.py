"""How the vendor writes an id: most are numbers, those of its newer objects are texts."""

from hashlib import blake2b
from typing import Protocol

_MASK = 0x5DEECE66D1B7


class Spelling(Protocol):
    """Writes a number as an id and reads it back."""

    def write(self, number: int) -> str:
        """The id of a number."""

    def read(self, text: str) -> int:
        """The number of an id, -1 if it is none of ours."""


class Digits:
    """A number as text."""

    def write(self, number: int) -> str:
        """The id of a number."""
        return str(number)

    def read(self, text: str) -> int:
        """The number of an id, -1 if it is none of ours."""
        return int(text) if text.isascii() and text.isdigit() else -1


class Guids:
    """GUIDs that follow from the seed, in no order, and tell their number to whom knows how."""

    def __init__(self, seed: int, room: str) -> None:
        self._name = f"{seed}/{room}"

    def write(self, number: int) -> str:
        """The id of a number."""
        head = blake2b(f"{self._name}/{number}".encode(), digest_size=9).hexdigest()
        return f"{head[:8]}-{head[8:12]}-4{head[12:15]}-b{head[15:18]}-{number ^ _MASK:012x}"

    def read(self, text: str) -> int:
        """The number of an id, -1 if it is none of ours."""
        try:
            number = int(text[-12:], 16) ^ _MASK
        except ValueError:
            return -1
        return number if self.write(number) == text.lower() else -1
