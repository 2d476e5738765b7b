"""`pause`, `resume`, `reopen`: who puts the migration on hold and who lets it go on, under a name."""

from __future__ import annotations

from dispatch_to_pipedrive.commands.decide import Name
from dispatch_to_pipedrive.commands.endings import OUT, loud_warnings, plain_end, settings_of_process


def pause(name: Name) -> None:
    """Stop writing to the account: a running load ends after its open group, and nothing is begun."""
    _decide("paused", name, "`resume --as NAME` lets writing go on")


def resume(name: Name) -> None:
    """Let writing go on after a pause."""
    _decide("resumed", name, "writing may go on: `migrate` goes on where it ended")


def reopen(name: Name) -> None:
    """Open a migration that was signed off: it may be written to again, and needs another sign-off."""
    _decide("reopened", name, "the account may be written to again")


def _decide(milestone: str, name: str, then: str) -> None:
    with plain_end(), loud_warnings():
        settings = settings_of_process()
        from dispatch_to_pipedrive.orchestration import lifecycle

        done = lifecycle.decide(settings, milestone, name)
        words = f"{milestone} by {done.by} at {done.at[:19]}: {then}"
        OUT.print(words, highlight=False, markup=False, soft_wrap=True)
