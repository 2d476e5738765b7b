"""How the documentation of the map is written anew: `python -m dispatch_to_pipedrive.orchestration.document`."""

from pathlib import Path

from dispatch_to_pipedrive.mapping.documents import filled
from dispatch_to_pipedrive.orchestration.road import checked_maps, columns_of

_ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = _ROOT / "docs" / "map.md"


def map_document() -> str:
    """docs/map.md with its tables made of the project's own maps."""
    return filled(DOCUMENT.read_text(encoding="utf-8"), checked_maps(_ROOT / "mappings"), columns_of())


if __name__ == "__main__":
    DOCUMENT.write_text(map_document(), encoding="utf-8")
