"""How much of a plan's burst does a load use at 100 ms a call, without one refusal?

The whole of a batch counts (four entities, one after the other), but for the first window, which starts empty.
"""

from pathlib import Path

from dispatch_to_pipedrive.pipedrive.plans import BURST_SECONDS, plan_named
from dispatch_to_pipedrive_tests.bench import loading
from dispatch_to_pipedrive_tests.bench.child import in_own_process
from dispatch_to_pipedrive_tests.bench.figures import Figure
from dispatch_to_pipedrive_tests.bench.watching import Watch
from dispatch_to_pipedrive_tests.sandbox_process import start_sandbox

SHARE = 0.95
LATENCY_MS = 100
RECORDS = 500
ENTITIES = ("organizations", "persons", "deals", "activities")


def burst_rate(folder: Path, prepared: str, plan: str) -> list[Figure]:
    """Requests a second that the account served, and how many it refused."""
    limit = (plan_named(plan).burst or 0) / BURST_SECONDS
    home = folder / f"burst-{plan}"
    with start_sandbox(customers=3, seed=7, plan=plan, seats=20, latency_ms=0) as sandbox:
        in_own_process(loading.make_schema, env=sandbox.env, home=str(home), prepared=prepared, plan=plan)
        sandbox.control("pipedrive", "plan", {"latency_ms": LATENCY_MS})
        with Watch(lambda: sum(sandbox.control("pipedrive", "stats")["requests"].values())) as watch:
            took = in_own_process(
                loading.load,
                env=sandbox.env,
                home=str(home),
                prepared=prepared,
                entities=ENTITIES,
                plan=plan,
                most=RECORDS,
            )
        stats = sandbox.control("pipedrive", "stats")
    result = took.result
    rate = watch.rate(result["began"] + BURST_SECONDS, result["ended"])
    detail = f"{result['requests']} writes at {LATENCY_MS} ms, {100 * rate / limit:.1f} % of the burst"
    return [
        Figure(f"load, {plan}", rate, SHARE * limit, "requests/s", at_least=True, detail=detail),
        Figure(f"load, {plan}: refused requests", stats["responses_429"], 0, "429s"),
    ]
