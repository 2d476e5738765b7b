"""Measures every figure, prints each with its goal, and exits 1 when one is missed.

`python -m dispatch_to_pipedrive_tests.bench [name …]` with the names of the table's sections measures only these.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dispatch_to_pipedrive_tests.bench import tenants
from dispatch_to_pipedrive_tests.bench.attachments import attachments_memory
from dispatch_to_pipedrive_tests.bench.bare_loop import against_a_bare_loop
from dispatch_to_pipedrive_tests.bench.burst import burst_rate
from dispatch_to_pipedrive_tests.bench.child import Took, in_own_process
from dispatch_to_pipedrive_tests.bench.extraction import extraction_rate
from dispatch_to_pipedrive_tests.bench.figures import Figure
from dispatch_to_pipedrive_tests.bench.memory import peaks
from dispatch_to_pipedrive_tests.bench.normalize_cost import normalize_cost
from dispatch_to_pipedrive_tests.bench.proposal import proposal
from dispatch_to_pipedrive_tests.bench.wave_bytes import wave_bytes

SMALL, LARGE = 10_000, 200_000
LOADED_CUSTOMERS = 1_600
WIDTH = 150  # columns, where no terminal tells
PAGE = 2_000
"""Records on a page while the large tenants are exported: there the number of calls is not what is measured."""


def extraction(folder: Path) -> list[Figure]:
    """The source's limit."""
    return extraction_rate(folder)


def load(folder: Path) -> list[Figure]:
    """The account's limits, and what the engine costs without them."""
    prepared = str(folder / "prepared")
    in_own_process(tenants.prepare_load, customers=LOADED_CUSTOMERS, home=prepared)
    return [
        *burst_rate(folder, prepared, "premium"),
        *burst_rate(folder, prepared, "ultimate"),
        against_a_bare_loop(folder, prepared),
    ]


def attachments(folder: Path) -> list[Figure]:
    """What large files take."""
    return attachments_memory(folder)


def scale(folder: Path) -> list[Figure]:
    """What grows with the tenant, and what may not."""
    small, large = str(folder / "small"), str(folder / "large")
    _tenant(small, SMALL)
    exported, placed = _tenant(large, LARGE)
    return [wave_bytes(small, large), normalize_cost(large), *peaks(large, exported, placed)]


def _tenant(home: str, customers: int) -> tuple[Took, Took]:
    with tenants.exporting(customers, export_page=PAGE) as sandbox:
        exported = in_own_process(tenants.export, env=sandbox.env, home=home)
    return exported, in_own_process(tenants.place, home=home)


SECTIONS: dict[str, Callable[[Path], list[Figure]]] = {
    section.__name__: section for section in (proposal, extraction, load, attachments, scale)
}


def main(names: Sequence[str]) -> int:
    """Measure the sections of these names, or all; the exit code."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    if unknown := set(names) - set(SECTIONS):
        console.print(f"no section {', '.join(sorted(unknown))}: there are {', '.join(SECTIONS)}")
        return 2
    began = time.monotonic()
    figures: list[Figure] = []
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        for name in names or SECTIONS:
            found = SECTIONS[name](folder)
            figures += found
            console.print(f"{name}: measured after {time.monotonic() - began:.0f} s")
            for figure in found:
                console.print(
                    f"  {figure.name}: {figure.value:.4g} {figure.unit} ({figure.detail})", soft_wrap=True
                )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.print(as_table(figures))
    missed = [figure.name for figure in figures if not figure.met]
    console.print(f"missed: {', '.join(missed)}" if missed else "every goal is met")
    return 1 if missed else 0


def as_table(figures: Sequence[Figure]) -> Table:
    """One row a figure."""
    table = Table("figure", "measured", "goal", "met", "in detail")
    for figure in figures:
        side = "≥" if figure.at_least else "≤"
        table.add_row(
            figure.name,
            f"{figure.value:.4g} {figure.unit}",
            f"{side} {figure.goal:.4g} {figure.unit}",
            "yes" if figure.met else "NO",
            figure.detail,
        )
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
