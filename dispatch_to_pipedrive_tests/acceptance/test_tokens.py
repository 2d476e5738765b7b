"""What a migration costs in tokens, counted by the account itself, and that it never hits a limit."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dispatch_to_pipedrive_tests.acceptance.accounts import ENTITIES
from dispatch_to_pipedrive_tests.acceptance.world import APPROVED, Migration

OF_RECORDS = re.compile(rf"/api/v[12]/({'|'.join(ENTITIES)})(/|$)")
CREATE = CLOSE = 5
CREATE_V1 = 10


class Bill(NamedTuple):
    """Tokens from the first record written to the last read back.

    `floor` is 5 for each record (10 for a file or a note), and 5 for each deal that is won or lost, because the account
    does not take a closing time with the creation. `total` is everything that was asked of the account in that time,
    whatever for; `reading` are all readings of records in it, but for the bytes of files, of which people choose how
    many are read back.
    """

    floor: int
    total: int
    reading: int


def _template(path: str) -> str:
    return re.sub(r"/(\d+|[0-9a-f]{40})(?=/|$)", "/{id}", path)


def _bill(exchanges: list[dict[str, Any]], stats: Mapping[str, Any], deals: list[dict[str, Any]]) -> Bill:
    asked: Counter[str] = Counter()
    for line, count in stats["requests"].items():
        asked[line.rpartition(" ")[0]] += count
    prices = {call: tokens / asked[call] for call, tokens in stats["tokens_by"].items()}
    of_records = [i for i, e in enumerate(exchanges) if OF_RECORDS.match(e["path"])]
    written = [i for i in of_records if exchanges[i]["method"] == "POST" and exchanges[i]["status"] < 300]
    counted = exchanges[written[0] : of_records[-1] + 1]
    costs = [(e, prices[f"{e['method']} {_template(e['path'])}"]) for e in counted]
    closed = sum(deal["status"] in ("won", "lost") for deal in deals)
    return Bill(
        floor=sum(CREATE_V1 if "/api/v1/" in exchanges[i]["path"] else CREATE for i in written)
        + CLOSE * closed,
        total=round(sum(cost for _, cost in costs)),
        reading=round(
            sum(
                cost
                for e, cost in costs
                if e["method"] == "GET"
                and OF_RECORDS.match(e["path"])
                and not e["path"].endswith("/download")
            )
        ),
    )


@pytest.mark.promise("R064")
@pytest.mark.parametrize(
    ("customers", "limits"),
    [(200, False), (3_000, True)],
    ids=["200", "3000"],
)
@pytest.mark.soak
def test_tokens_stay_near_the_floor(
    customers: int, limits: bool, migration: Callable[..., Migration], tmp_path: Path
) -> None:
    """200 customers are about the smallest tenant in which two listings of four entities are 2 % of the whole."""
    plan = {} if limits else {"PIPEDRIVE_PLAN": "unlimited"}
    large = migration(customers=customers, no_limits=not limits, env=plan)
    recorded = tmp_path / "exchanges.jsonl"
    large.account("record", {"path": str(recorded)})
    ended = large.start("migrate", "--through", "full", *APPROVED).wait(seconds=3_000)
    assert ended.code == 0, ended.said
    with recorded.open(encoding="utf-8") as lines:
        exchanges = [{k: e[k] for k in ("method", "path", "status")} for e in map(json.loads, lines)]
    stats = large.account("stats")
    bill = _bill(exchanges, stats, large.account("dump")["entities"]["deals"])
    print(
        f"\n{customers} customers: {bill}, {bill.total / bill.floor:.4f} × floor, {bill.reading / bill.total:.4f} read"
    )
    assert bill.total <= 1.07 * bill.floor, bill
    assert bill.reading <= 0.02 * bill.total, bill
    assert stats["responses_429"] == stats["responses_403_html"] == 0


@pytest.mark.promise("R064")
@pytest.mark.soak
def test_no_plan_is_ever_asked_too_fast(migration: Callable[..., Migration]) -> None:
    """The smallest plan to the largest, all at once; so small a tenant is its own sample. Premium is met with 3,000."""
    plans = {
        "lite": migration(plan="lite", seats=1, customers=2, no_limits=False),
        "growth": migration(plan="growth", seats=1, customers=4, no_limits=False),
        "ultimate": migration(plan="ultimate", seats=1, customers=4, no_limits=False),
    }
    under_way = {plan: one.start("migrate", "--through", "sample", *APPROVED) for plan, one in plans.items()}
    for plan, running in under_way.items():
        ended = running.wait()
        stats = plans[plan].account("stats")
        assert ended.code == 0, f"{plan}: {ended.said}"
        assert stats["responses_429"] == stats["responses_403_html"] == 0, plan
        assert stats["writes"] > 0
