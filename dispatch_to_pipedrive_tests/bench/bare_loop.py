"""Is the engine nearly as quick as a loop that remembers nothing? Both send the same bodies to the same sandbox.

The account is put back before every turn to where organizations and persons stand; deals and activities are timed.
Each turn is a process of its own, they alternate, and the median of the pairs' ratios counts.
"""

import shutil
from pathlib import Path
from typing import Any

from dispatch_to_pipedrive_tests.bench import loading
from dispatch_to_pipedrive_tests.bench.child import in_own_process
from dispatch_to_pipedrive_tests.bench.figures import Figure, median
from dispatch_to_pipedrive_tests.bench.tenants import control
from dispatch_to_pipedrive_tests.sandbox_process import start_sandbox

GOAL = 0.8
PAIRS = 5
BEFORE, TIMED = ("organizations", "persons"), ("deals", "activities")


def against_a_bare_loop(folder: Path, prepared: str, pairs: int = PAIRS) -> Figure:
    """The engine's requests a second over the bare loop's."""
    with start_sandbox(customers=3, seed=7, no_limits=True, plan="premium") as sandbox:
        env, url = sandbox.env, sandbox.pipedrive_url
        control(url, "capabilities", {"deal_add_time": True, "won_with_time": True})
        start = folder / "before"
        start.mkdir()
        in_own_process(loading.make_schema, env=env, home=str(start), prepared=prepared)
        in_own_process(
            loading.load, env=env, home=str(start), prepared=prepared, entities=BEFORE, plan="unlimited"
        )
        base = control(url, "dump")
        rates: list[tuple[float, float]] = []
        for number in range(pairs):
            home = folder / f"pair-{number}"
            shutil.copytree(start, home)
            control(url, "load", base)
            loaded = in_own_process(
                loading.load, env=env, home=str(home), prepared=prepared, entities=TIMED, plan="unlimited"
            )
            loading.keep_requests(str(home), TIMED)
            control(url, "load", base)
            posted = in_own_process(loading.post, env=env, requests=str(home))
            rates.append((_rate(loaded.result), _rate(posted.result)))
    ratio = median([engine / bare for engine, bare in rates])
    ours, theirs = (median(list(side)) for side in zip(*rates, strict=True))
    ratios = " ".join(f"{engine / bare:.2f}" for engine, bare in rates)
    return Figure(
        "load with limits off, over a bare httpx loop",
        ratio,
        GOAL,
        "×",
        at_least=True,
        detail=f"{ours:.0f} against {theirs:.0f} requests/s; pairs {ratios}",
    )


def _rate(result: dict[str, Any]) -> float:
    return float(result["requests"] / (result["ended"] - result["began"]))
