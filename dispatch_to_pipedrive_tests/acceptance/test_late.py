"""A write that the vendor carries out later than the stated bound cannot be prevented; it is named."""

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from dispatch_to_pipedrive_tests.acceptance.accounts import stamps
from dispatch_to_pipedrive_tests.acceptance.world import Migration

LATE = {"kind": "hold_commit", "method": "POST", "path": "/api/v2/persons$", "nth": [2], "seconds": 20}
"""Far beyond the grace period of these tests, in which the program has settled and written again."""


@pytest.mark.soak
def test_a_commit_later_than_the_bound_is_named_by_the_stray_sweep(
    migration: Callable[..., Migration], tmp_path: Path
) -> None:
    late = migration(customers=2)
    late.account("faults", LATE)
    late.sample()
    deadline = time.monotonic() + 60
    # Two equal photos of one job are two files; a person comes twice only by this fault.
    while not (
        twice := [s for s, n in Counter(stamps(late.account("dump"))).items() if n > 1 and s[0] == "persons"]
    ):
        assert time.monotonic() < deadline, "the late commit never came"
        time.sleep(0.3)

    file = tmp_path / "differences.json"
    ended = late.run("verify", "--json", str(file))
    assert ended.code == 1, ended.said
    rows = json.loads(file.read_text(encoding="utf-8"))
    assert [(r["entity"], r["source_key"], r["verdict"]) for r in rows] == [(*twice[0], "extra")]
    persons = [p["id"] for p in late.account("dump")["entities"]["persons"]]
    assert rows[0]["pipedrive_id"] == max(persons)
