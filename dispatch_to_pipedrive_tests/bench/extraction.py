"""How much of the source's 60 calls a second does an export use, without one refusal?

All feeds advance at once against a sandbox with its limits on. The steady state begins a second after the first page
and ends when so few feeds are left that the answers' own time bounds them: at nine tenths of the pages.
"""

from pathlib import Path

from dispatch_to_pipedrive_tests.bench import tenants
from dispatch_to_pipedrive_tests.bench.child import in_own_process
from dispatch_to_pipedrive_tests.bench.figures import Figure
from dispatch_to_pipedrive_tests.bench.watching import Watch

LIMIT = 60
GOAL = 0.95 * LIMIT
CUSTOMERS = 20_000
WARM_UP = 1.0
MOST = 0.9


def extraction_rate(folder: Path, customers: int = CUSTOMERS) -> list[Figure]:
    """Calls a second that the source served in the steady state, and how many it refused."""
    with tenants.exporting(customers, no_limits=False) as sandbox:
        with Watch(lambda: int(sandbox.control("dispatch", "stats")["total"])) as watch:
            took = in_own_process(tenants.export, env=sandbox.env, home=str(folder / "extraction"))
        stats = sandbox.control("dispatch", "stats")
    pages = took.result["pages"]
    rate = watch.rate(pages[0] + WARM_UP, pages[int(MOST * len(pages))])
    detail = f"{len(pages)} pages, {took.result['rows']} records, peak {took.peak >> 20} MiB"
    return [
        Figure("extraction", rate, GOAL, "calls/s", at_least=True, detail=detail),
        Figure("extraction: refused calls", stats["responses_429"], 0, "429s"),
    ]
