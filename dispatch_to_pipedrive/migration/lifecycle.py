"""What may be done to the account now? The milestones decide it, whatever started a process."""

from collections.abc import Sequence
from dataclasses import dataclass

from dispatch_to_pipedrive.migration.errors import GateClosed
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.values import Milestone


@dataclass(frozen=True)
class Standing:
    """Which milestones are in force: each None where it is not."""

    window: Milestone | None = None
    freeze: Milestone | None = None
    pause: Milestone | None = None
    rollback: Milestone | None = None
    sign_off: Milestone | None = None


_ENDS = {
    "window_opened": ("window_closed", "signed_off"),
    "frozen": ("window_opened", "signed_off"),
    "paused": ("resumed",),
    "rollback_begun": ("rollback_ended",),
    "signed_off": ("reopened",),
}


def standing(milestones: Sequence[Milestone]) -> Standing:
    """What is in force after all the milestones, oldest first."""
    force: dict[str, Milestone] = {}
    for one in milestones:
        for name, ends in _ENDS.items():
            if one.name in ends:
                force.pop(name, None)
        if one.name in _ENDS:
            force[one.name] = one
    return Standing(
        window=force.get("window_opened"),
        freeze=force.get("frozen"),
        pause=force.get("paused"),
        rollback=force.get("rollback_begun"),
        sign_off=force.get("signed_off"),
    )


def require_may_write(ledger: Ledger, account: str, *, undoing: bool = False) -> None:
    """Raise GateClosed, with what to do, where the account may not be written to now.

    `undoing`: the write is part of a rollback, which goes on where it was begun.
    """
    now = standing(ledger.milestones(account))
    if now.sign_off is not None:
        raise GateClosed(
            f"the migration was signed off by {now.sign_off.by} on {now.sign_off.at[:10]}, and nothing is written "
            "after that: `reopen --as NAME` lifts it"
        )
    if now.rollback is not None and not undoing:
        raise GateClosed(
            f"a rollback begun by {now.rollback.by} at {now.rollback.at[:16]} has not ended: run `rollback` again "
            "until it has"
        )
    if now.pause is not None:
        raise GateClosed(
            f"paused by {now.pause.by} at {now.pause.at[:16]}: `resume --as NAME` lets writing go on"
        )
