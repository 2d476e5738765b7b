"""The demonstration: a whole migration on simulators, by one command, without an account."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..program import clean

TEN_MINUTES = 600


@pytest.mark.promise("R100")
@pytest.mark.soak
def test_the_demo_ends_well_within_ten_minutes(tmp_path: Path) -> None:
    """It is given no setting at all, so it can know no account."""
    environment = clean({"PATH": os.environ["PATH"], "COLUMNS": "200"})
    ended = subprocess.run(
        [sys.executable, "-m", "dispatch_to_pipedrive.demo", "run"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TEN_MINUTES,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    for step in (
        *("migrate --through assess", "confirm-map", "approve-sample", "migrate --through full"),
        *("window open", "migrate --through delta", "status", "rollback --batch delta-0001", "reapply"),
        *("window freeze", "migrate --through signoff", "sign-off", "evidence check"),
    ):
        assert f"$ dispatch-to-pipedrive {step}" in ended.stdout
    everything_else = ended.stdout.partition("$ dispatch-to-pipedrive migrate --through full")[2]
    assert "sample" not in everything_else.partition("Migration")[0], "it is whole, so it is passed over"
    assert "differences: 0" in ended.stdout
    assert "are as they were written" in ended.stdout
    assert (tmp_path / ".demo" / "latest" / "migration" / "ledger.db").is_file()
