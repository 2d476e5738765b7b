"""Which room may know which: the arrows of the design, read from the imports themselves."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "dispatch_to_pipedrive"
NAME = PACKAGE.name

LOWER = {"dispatch_pro", "pipedrive", "normalize", "mapping", "migration", "reports"}
MAY = {
    "settings": {"pipedrive"},  # the names of the plans
    "dispatch_pro": set(),
    "pipedrive": set(),
    "normalize": set(),
    "mapping": set(),
    "migration": {"pipedrive", "mapping"},
    "reports": set(),
    "sandbox": set(),
    "orchestration": {"settings", *LOWER},
    "definitions": {"orchestration"},
    "cli": {"commands"},
    "commands": {"settings", "orchestration", "migration", "mapping", "reports"},
    "demo": {"cli", "orchestration"},
}
OUTSIDE = {
    "dagster": {"orchestration", "definitions"},
    "duckdb": {"dispatch_pro", "migration"},
    "sqlalchemy": {"migration"},
    "httpx": {"dispatch_pro", "pipedrive", "demo"},
    "typer": {"cli", "commands", "sandbox"},
    "rich": {"commands", "reports"},
    "rapidfuzz": {"mapping"},
    "scipy": {"mapping"},
    "pydantic_ai": {"mapping"},
}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def modules() -> Iterator[Path]:
    return (path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py")


def imports(path: Path) -> Iterator[str]:
    """Absolute names of every import, wherever in the file it stands."""
    package = [NAME, *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = [*above, *(node.module.split(".") if node.module else [])]
            yield from (".".join([*base, alias.name]) for alias in node.names)


@pytest.mark.promise("R101")
@pytest.mark.parametrize("path", list(modules()), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_knows_only_the_rooms_its_own_may_know(path: Path) -> None:
    room = room_of(path)
    known = {
        name.split(".")[1] for name in imports(path) if name.startswith(f"{NAME}.") and name.count(".")
    } - {room, "__version__"}
    assert known <= MAY[room], f"{room} may not know {', '.join(sorted(known - MAY[room]))}"


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_libraries_stay_in_their_rooms(path: Path) -> None:
    tops = {name.split(".")[0] for name in imports(path)}
    room = room_of(path)
    stray = {top for top, rooms in OUTSIDE.items() if top in tops and room not in rooms and room != "sandbox"}
    assert not stray


def test_sql_on_the_ledger_stands_in_one_folder_and_duckdb_over_parquet_in_two_places() -> None:
    speaking = {
        library: {
            str(path.relative_to(PACKAGE))
            for path in modules()
            if room_of(path) != "sandbox" and any(name.split(".")[0] == library for name in imports(path))
        }
        for library in ("sqlalchemy", "duckdb")
    }
    assert {Path(name).parent.as_posix() for name in speaking["sqlalchemy"]} == {"migration/ledger"}
    assert all(
        name.startswith(("dispatch_pro/placement", "migration/totals", "dispatch_pro/store"))
        for name in speaking["duckdb"]
    ), speaking["duckdb"]


def test_every_room_of_the_design_is_there_and_no_other() -> None:
    rooms = {room_of(path) for path in modules()}
    assert rooms == set(MAY)
