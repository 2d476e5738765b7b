"""The scored line on the interfaces' constraints names the vendors' limits, and is held to them."""

from inspect import signature

import pytest

from dispatch_to_pipedrive.dispatch_pro.client import DispatchProClient
from dispatch_to_pipedrive.migration.assessment import grade as g
from dispatch_to_pipedrive.migration.forecast import Account, forecast
from dispatch_to_pipedrive.migration.volume import SchemaSize, Volume

SCHEMA = SchemaSize(27, 6, 3)
CALLS_A_SECOND = signature(DispatchProClient).parameters["calls_per_second"].default


def line(volume: Volume, plan: str = "lite", schema: SchemaSize = SCHEMA) -> g.ScoredLine:
    ahead = forecast(volume, schema, Account(plan, 1))
    (found,) = [
        one
        for one in g.graded(g.Objects(10, 8, 8, 2), g.Clarity(1, 1), ahead).lines
        if one.name == g.CONSTRAINTS
    ]
    return found


@pytest.mark.promise("R094")
def test_the_line_names_calls_feeds_tokens_and_what_the_plan_lacks() -> None:
    small = line(Volume(0, 100, 100, 100, 100))
    assert f"{CALLS_A_SECOND} calls a second and export feeds" in small.words
    assert "no bulk interface" in small.words
    assert "30,000 a day are there" in small.words
    assert small.score == 100
    large = line(Volume(0, 100_000, 100, 100, 100))
    assert large.score < small.score
    capped = line(Volume(0, 100, 100, 100, 100), schema=SchemaSize(500, 6, 3))
    assert "lite allows" in capped.words
    assert capped.score == 100 - g.A_CAP
