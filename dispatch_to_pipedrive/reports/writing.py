"""How does a report get into its folder? Each file whole or not at all, so that nobody opens half a page."""

from collections.abc import Mapping
from pathlib import Path


def write_report(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write the files (name → content) into the folder, which is made; a file that is there is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        unfinished = folder / f"{name}.tmp"
        unfinished.write_bytes(content)
        unfinished.replace(folder / name)
