"""What stands in the way is told before anything is read for nothing, and before anything is written."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ..program import environment, run
from ..sandbox_process import Sandbox


@pytest.mark.promise("R063")
def test_a_wrong_token_and_a_user_without_rights_stop_before_the_first_write(
    new_sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    """R063."""
    sandbox = new_sandbox(customers=2, seed=1, no_limits=True)
    settings = environment(sandbox, tmp_path / "home")
    sandbox.control("pipedrive", "capabilities", {"admin": False})
    go = ("migrate", "--through", "full", "--approve-as", "Ada")

    ended = run({**settings, "PIPEDRIVE_API_TOKEN": "f" * 40}, *go)
    assert ended.returncode == 2, ended.stderr
    assert "PIPEDRIVE_API_TOKEN" in ended.stderr
    assert sandbox.control("dispatch", "stats")["total"] == 0, (
        "the source is not read for a token that is wrong"
    )

    ended = run(settings, *go)
    assert ended.returncode == 1, ended.stderr
    assert "pipedrive admin: Ada Admin is no admin of the account" in ended.stderr
    assert "global admin rights" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert sandbox.control("pipedrive", "stats")["writes"] == 0
    assert (tmp_path / "home" / "reports" / "assessment" / "assessment.html").is_file()
