"""How much more memory does a migration take that moves 2 GB of attachments than the same one without any?

Both run whole, from an empty home to the last verdict, each in a process of its own. The account keeps hashes only.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dispatch_to_pipedrive.orchestration.bring import Wish
from dispatch_to_pipedrive.orchestration.migrate import run_migration
from dispatch_to_pipedrive.settings import Settings
from dispatch_to_pipedrive_tests.bench.child import Took, in_own_process
from dispatch_to_pipedrive_tests.bench.figures import Figure
from dispatch_to_pipedrive_tests.program import environment
from dispatch_to_pipedrive_tests.sandbox_process import start_sandbox

CUSTOMERS, FILES, SIZE = 40, 80, 25_000_000
GOAL = 64.0


def attachments_memory(folder: Path) -> list[Figure]:
    """The difference of the two peaks."""
    without, with_files = (_run(folder / name, count) for name, count in (("none", 0), ("many", FILES)))
    moved = with_files.result
    if moved["files"] - without.result["files"] != FILES or moved["bytes"] < FILES * SIZE:
        raise AssertionError(f"{moved} were moved, {FILES} files of {SIZE} bytes are there")
    more = (with_files.peak - without.peak) / 2**20
    return [
        Figure(
            "memory: 2 GB of attachments above none",
            more,
            GOAL,
            "MiB",
            detail=f"{with_files.peak / 2**20:.0f} against {without.peak / 2**20:.0f} MiB, "
            f"{with_files.cpu:.0f} against {without.cpu:.0f} s computing",
        )
    ]


def _run(home: Path, files: int) -> Took:
    with start_sandbox(
        customers=CUSTOMERS, seed=5, no_limits=True, attachments=files, attachment_bytes=SIZE
    ) as sandbox:
        sandbox.control("pipedrive", "habits", {"keep_file_bytes": False})
        settings = environment(
            sandbox, home, FILE_READBACK="0", MIGRATION_REQUEST_TIMEOUT="60", MIGRATION_LEASE="60"
        )
        return in_own_process(migrate, settings=settings)


def migrate(settings: Mapping[str, str]) -> dict[str, Any]:
    """A whole migration; what came of its files."""
    os.environ.update(settings)
    wish = Wish("full", approved_by="bench")
    outcome = run_migration(Settings(), wish, lambda _tick: None)
    if outcome.open_ends:
        raise AssertionError(outcome.open_ends)
    return dict(outcome.status.files)
