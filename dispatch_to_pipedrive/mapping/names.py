"""Under which name can a file of the source stand anywhere? Names are data of strangers."""

import re
import unicodedata
from pathlib import PurePosixPath

LONGEST_NAME = 255
"""Bytes of UTF-8 that file systems hold."""

LONGEST_SUFFIX = 20
"""Bytes of an ending that is kept when a name is cut."""

NAMELESS = "file"
_STRANGE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode's kinds of controls, of characters that turn or hide what is read, and of line ends."""
_JOINER = "\u200d"
"""Holds the parts of one emoji together; it hides nothing."""
_PATH = re.compile(r'[\\/:*?"<>|]')


def file_name(name: str) -> str:
    """A name without path, controls and hidden characters (each becomes _), of 1 to 255 bytes, its ending kept."""
    plain = "".join("_" if _is_strange(letter) else letter for letter in name)
    plain = _PATH.sub("_", plain).strip()
    if not plain.strip(f"._ {_JOINER}"):
        plain = NAMELESS if not plain.strip(f". {_JOINER}") else plain.replace(".", "_")
    if len(plain.encode()) <= LONGEST_NAME:
        return plain
    suffix = PurePosixPath(plain).suffix
    if len(suffix.encode()) > LONGEST_SUFFIX:
        suffix = ""
    room = LONGEST_NAME - len(suffix.encode())
    stem = plain.removesuffix(suffix).encode()[:room].decode(errors="ignore")
    return stem.rstrip(f"{_JOINER} ") + suffix


def _is_strange(letter: str) -> bool:
    return letter != _JOINER and unicodedata.category(letter) in _STRANGE
