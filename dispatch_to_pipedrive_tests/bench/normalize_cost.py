"""Does normalizing cost the same for each row, however many there are?

Source frames of whole customers, normalized and mapped, a few times each way; the processor's seconds count, so that
a busy machine does not, and of each way the median.
"""

import time
from typing import Any

from dispatch_to_pipedrive.mapping import load_maps
from dispatch_to_pipedrive_tests.bench import tenants
from dispatch_to_pipedrive_tests.bench.child import in_own_process
from dispatch_to_pipedrive_tests.bench.figures import Figure, median

GOAL = 1.2
FEW, MANY = 10_000, 200_000
FEW_TIMES, MANY_TIMES = 9, 3
JOBS_OF_A_CUSTOMER = 2.1
"""A little fewer than the generator gives, so that the roots taken surely have as many jobs as meant."""


def normalize_cost(home: str) -> Figure:
    """Seconds a row at many jobs over those at few, in a home that holds enough."""
    few = in_own_process(normalizing, home=home, jobs=FEW, times=FEW_TIMES).result
    many = in_own_process(normalizing, home=home, jobs=MANY, times=MANY_TIMES).result
    small, large = (1e6 * found["seconds"] / found["rows"] for found in (few, many))
    detail = f"{small:.1f} µs a row of {few['jobs']} jobs' frames, {large:.1f} of {many['jobs']}"
    return Figure("normalize and map, cost a row", large / small, GOAL, "×", detail=detail)


def normalizing(home: str, jobs: int, times: int) -> dict[str, Any]:
    """Normalize and map the frames of so many jobs; rows, jobs and seconds of one run."""
    roots = tenants.roots_in_the_middle(home, round(jobs / JOBS_OF_A_CUSTOMER))
    frames, reference = tenants.source_frames(home, roots)
    maps = load_maps(tenants.MAPPINGS)
    seconds: list[float] = []
    for _ in range(times):
        began = time.process_time()
        tenants.in_logical_form(maps, frames, reference)
        seconds.append(time.process_time() - began)
    rows = sum(len(frame) for name, frame in frames.items() if "." not in name)
    return {"rows": rows, "jobs": len(frames["jobs"]), "seconds": median(seconds)}
