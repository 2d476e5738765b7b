"""Mistakes in normalize and mapping, kept as patches: the second totals notice each of them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import orjson
import pandas as pd
import pytest

from dispatch_to_pipedrive.migration.totals import totals_of_raw
from dispatch_to_pipedrive_tests.totals import judge
from dispatch_to_pipedrive_tests.totals.world import MAPPINGS, World, later, world

PATCHES = sorted((Path(__file__).parents[1] / "mutations").glob("*.patch"))
PACKAGE = MAPPINGS.parent / "dispatch_to_pipedrive"
UNCHANGED = "unchanged"


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Patch → the measures that differ with it; one process looks at all copies."""
    home = tmp_path_factory.mktemp("mutations")
    made = with_contacts(world(90))
    expected = totals_of_raw(made.data, made.generation, made.segments, made.roots)
    pd.to_pickle((made.frames(), made.reference(), expected), home / "world.pickle")
    folders = [_copy(home / UNCHANGED), *(_mutated(home / patch.stem, patch) for patch in PATCHES)]
    found = subprocess.run(
        [sys.executable, judge.__file__, str(home / "world.pickle"), *map(str, folders)],
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
    )
    assert found.returncode == 0, found.stderr
    lines = map(json.loads, found.stdout.splitlines())
    return {Path(line["folder"]).name: line["measures"] for line in lines}


def with_contacts(made: World) -> World:
    """The tenant with two people of one customer by name."""
    people = [
        {
            "id": f"0000000{number}-0000-4000-8000-000000000000",
            "name": f"Person {number}",
            "isArchived": False,
            "customerId": made.roots[1],
            "createdOn": "2025-01-01T00:00:00Z",
            "modifiedOn": "2025-01-01T00:00:00Z",
            "methods": [],
            "relationships": [],
        }
        for number in (1, 2)
    ]
    return later(made, {"named_contacts": [orjson.dumps(one) for one in people]})


def _copy(folder: Path) -> Path:
    for room in ("", "normalize", "mapping"):
        target = folder / "dispatch_to_pipedrive" / room
        target.mkdir(parents=True, exist_ok=True)
        for file in (PACKAGE / room).glob("*.py"):
            shutil.copy(file, target / file.name)
    (folder / "dispatch_to_pipedrive" / "migration").mkdir()
    (folder / "dispatch_to_pipedrive" / "migration" / "__init__.py").touch()
    shutil.copy(PACKAGE / "migration" / "mapped_totals.py", folder / "dispatch_to_pipedrive" / "migration")
    shutil.copytree(MAPPINGS, folder / "mappings")
    return folder


def _mutated(folder: Path, patch: Path) -> Path:
    _copy(folder)
    alone = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    subprocess.run(["git", "apply", str(patch)], cwd=folder, check=True, env=alone)
    return folder


def test_there_are_ten() -> None:
    assert len(PATCHES) >= 10


def test_without_a_mutation_nothing_differs(verdicts: dict[str, list[str]]) -> None:
    assert verdicts[UNCHANGED] == []


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_the_second_totals_notice(patch: Path, verdicts: dict[str, list[str]]) -> None:
    assert verdicts[patch.stem] != []
