"""Does reading a wave cost the wave's size, and not the tenant's?

The same number of roots from the middle of two tenants, each read by a fresh process that has read nothing else of
the home: `rchar` counts what it asked of the system, whether disk or page cache gave it.
"""

from typing import Any

from dispatch_to_pipedrive.dispatch_pro.placement import read_batch
from dispatch_to_pipedrive_tests.bench import tenants
from dispatch_to_pipedrive_tests.bench.child import bytes_read, in_own_process
from dispatch_to_pipedrive_tests.bench.figures import Figure

GOAL = 2.0
ROOTS = 1_500


def wave_bytes(small: str, large: str) -> Figure:
    """Bytes read for a wave of the large home over those for one as large in the small home."""
    found = []
    for home in (small, large):
        roots = in_own_process(tenants.roots_in_the_middle, home=home, count=ROOTS).result
        found.append(in_own_process(read_wave, home=home, roots=roots).result)
    less, more = (one["bytes"] for one in found)
    detail = "; ".join(f"{one['bytes'] / 2**20:.1f} MiB for {one['records']} records" for one in found)
    return Figure("bytes read for one wave, large tenant over small", more / less, GOAL, "×", detail=detail)


def read_wave(home: str, roots: list[int]) -> dict[str, Any]:
    """Read a wave as the road does; bytes, and records that came."""
    read_batch(tenants.data_of(home), tenants.GENERATION, [])  # what Python loads on first use
    before = bytes_read()
    frames, _ = tenants.source_frames(home, roots)
    rows = sum(len(frame) for name, frame in frames.items() if "." not in name)
    return {"bytes": bytes_read() - before, "records": rows}
