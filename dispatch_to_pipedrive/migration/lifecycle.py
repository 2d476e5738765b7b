"""Where does the migration stand, and what may be done to the account now? Whatever started a process.

The milestones decide what is in force; with the plan, the batches' reports and the approvals they make the one state.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dispatch_to_pipedrive.migration.errors import GateClosed, Paused
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.values import ENTITIES, TENANT, Manifest, Milestone

NOT_STARTED, ASSESSED, MAPPED, SAMPLED = "not started", "assessed", "mapped", "sampled"
MIGRATING, IN_DELTA, VERIFIED, SIGNED_OFF = "migrating", "in delta", "verified", "signed off"
ROLLING_BACK, ROLLED_BACK = "rolling back", "rolled back"
STATES = (
    *(NOT_STARTED, ASSESSED, MAPPED, SAMPLED, MIGRATING, IN_DELTA, VERIFIED, SIGNED_OFF),
    *(ROLLING_BACK, ROLLED_BACK),
)
LOADED = (*ENTITIES, "retired")
"""The stages of a batch whose reports together say that it was loaded."""
UNDONE = "rolled_back"
"""The stage under which a batch that was rolled back has its only report."""
Reports = Mapping[tuple[str, str], Mapping[str, Any]]
"""(batch, stage) → its latest report."""


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


@dataclass(frozen=True)
class Lifecycle:
    """The one state (see `STATES`), and what is true beside it.

    `undone` are the batches that were rolled back and not applied again, `differing` those that reading back found
    wrong.
    """

    state: str
    force: Standing
    undone: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()

    @property
    def flags(self) -> tuple[str, ...]:
        """What is true beside the state: "paused", "differences"."""
        paused = ("paused",) if self.force.pause is not None else ()
        return (*paused, *(("differences",) if self.differing else ()))

    @property
    def words(self) -> tuple[str, ...]:
        """What is in force and since when, and what to do about it; one line each."""
        force, lines = self.force, []
        if force.sign_off is not None:
            lines.append(_signed_off(force.sign_off))
            if digest := force.sign_off.details.get("digest"):
                lines.append(f"evidence/{force.sign_off.details.get('evidence')}, its digest: {digest}")
        if force.rollback is not None:
            lines.append(_rolling_back(force.rollback))
        if force.pause is not None:
            lines.append(_paused(force.pause))
        if self.undone:
            lines.append(f"rolled back: {_listed(self.undone)}; `reapply --as NAME` brings them again")
        if self.differing:
            lines.append(f"differs from what was meant: {_listed(self.differing)}; see `verify`")
        return tuple(lines)


def lifecycle(
    milestones: Sequence[Milestone],
    manifests: Sequence[Manifest],
    reports: Reports,
    *,
    map_confirmed: bool,
    now: str,
) -> Lifecycle:
    """Where the migration stands. now: ISO, UTC; a window whose time is over is closed."""
    force = standing(milestones)
    undone = tuple(m.key for m in manifests if (m.key, UNDONE) in reports)
    verdicts = {m.key: reports.get((m.key, "reconciliation")) for m in manifests}
    differing = tuple(key for key, verdict in verdicts.items() if verdict and verdict["blocking"])
    if force.sign_off is not None:
        state = SIGNED_OFF
    elif force.rollback is not None:
        state = ROLLING_BACK
    else:
        begun = {m.key for m in manifests if any((m.key, stage) in reports for stage in LOADED)}
        if undone and not begun:
            state = ROLLED_BACK
        else:
            open_ = force.freeze is None and window_open(force, now)
            state = _progress(manifests, reports, begun, open_, bool(differing))
            if undone and state in (IN_DELTA, VERIFIED):
                state = MIGRATING
            if not begun and state in (NOT_STARTED, ASSESSED) and map_confirmed:
                state = MAPPED
    return Lifecycle(state, force, undone, differing)


def _progress(
    manifests: Sequence[Manifest], reports: Reports, begun: Collection[str], window: bool, differing: bool
) -> str:
    """How far the batches have come, whatever people have put in force."""
    waves = [m.key for m in manifests if m.kind == "wave"]
    deltas = [m.key for m in manifests if m.kind == "delta"]
    if waves and all(loaded(reports, key) for key in waves):
        if window:
            return IN_DELTA
        if not differing and all(reconciled(reports, key) for key in (*waves, *deltas)):
            return VERIFIED
        return IN_DELTA if deltas else MIGRATING
    if any(key in begun for key in (*waves, *deltas)):
        return MIGRATING
    if any((m.key, "reconciliation") in reports for m in manifests):
        return SAMPLED
    if begun:
        return MAPPED
    return ASSESSED if (TENANT, "preflight") in reports else NOT_STARTED


def window_open(force: Standing, now: str) -> bool:
    """Whether the cutover window is open at a time (ISO, UTC)."""
    return force.window is not None and str(force.window.details.get("closes_at") or now) >= now


def loaded(reports: Reports, batch: str) -> bool:
    """Whether all stages of a batch have ended."""
    return all((batch, stage) in reports for stage in LOADED)


def reconciled(reports: Reports, batch: str) -> bool:
    """Whether a batch was read back after it was last loaded."""
    verdict = reports.get((batch, "reconciliation"))
    return (
        verdict is not None
        and loaded(reports, batch)
        and all(reports[batch, stage]["at"] <= verdict["at"] for stage in LOADED)
    )


def signed_off(ledger: Ledger, account: str) -> bool:
    """Whether the migration of an account is signed off, and was not opened again."""
    return standing(ledger.milestones(account)).sign_off is not None


def require_may_write(ledger: Ledger, account: str, *, undoing: bool = False) -> None:
    """Raise GateClosed, with what to do, where the account may not be written to now.

    `undoing`: the write is part of a rollback, which goes on where it was begun.
    """
    now = standing(ledger.milestones(account))
    if now.sign_off is not None:
        raise GateClosed(f"the migration was {_signed_off(now.sign_off)}")
    if now.rollback is not None and not undoing:
        raise GateClosed(_rolling_back(now.rollback))
    if now.pause is not None:
        raise Paused(_paused(now.pause))


def require_may_mark(ledger: Ledger, account: str, name: str) -> None:
    """Raise GateClosed, with what to do, where a milestone of this name makes no sense now."""
    now = standing(ledger.milestones(account))
    if name == "reopened":
        if now.sign_off is None:
            raise GateClosed(
                "the migration is not signed off, so there is nothing to open again: see `status`"
            )
        return
    if now.sign_off is not None:
        raise GateClosed(f"the migration was {_signed_off(now.sign_off)}")
    if name == "resumed" and now.pause is None:
        raise GateClosed("the migration is not paused, so there is nothing to resume: see `status`")
    if now.pause is not None and name in ("paused", "rollback_begun", "reapply_asked", "signed_off"):
        raise GateClosed(_paused(now.pause))
    if now.rollback is not None and name in ("window_opened", "frozen", "reapply_asked", "signed_off"):
        raise GateClosed(_rolling_back(now.rollback))


def _signed_off(one: Milestone) -> str:
    return f"signed off by {one.by} on {one.at[:10]}, and nothing is written after that: `reopen --as NAME` lifts it"


def _rolling_back(one: Milestone) -> str:
    return f"a rollback begun by {one.by} at {one.at[:16]} has not ended: run `rollback` again until it has"


def _paused(one: Milestone) -> str:
    return f"paused by {one.by} at {one.at[:16]}: `resume --as NAME` lets writing go on"


def _listed(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
    return ", ".join(keys[:5]) + more
