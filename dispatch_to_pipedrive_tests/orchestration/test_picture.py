"""The picture in the README is the graph of today."""

from pathlib import Path

from dispatch_to_pipedrive.definitions import defs
from dispatch_to_pipedrive.orchestration.picture import mermaid

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_readme_shows_the_asset_graph() -> None:
    drawn = (ROOT / "README.md").read_text(encoding="utf-8").split("```mermaid\n")[1].split("\n```")[0]
    assert drawn == mermaid(defs)
