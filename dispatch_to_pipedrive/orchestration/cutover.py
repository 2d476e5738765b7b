"""Who opens the delta window, who closes it, and who names the freeze? The same functions behind commands and jobs."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta

import dagster as dg
from pydantic import Field
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.client import DispatchProClient
from dispatch_to_pipedrive.dispatch_pro.feeds import HORIZON
from dispatch_to_pipedrive.dispatch_pro.placement import newest_change, newest_placed
from dispatch_to_pipedrive.dispatch_pro.ticks import instant
from dispatch_to_pipedrive.migration.errors import GateClosed, MigrationError
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.ledger.approvals import signature
from dispatch_to_pipedrive.migration.lifecycle import require_may_mark, standing
from dispatch_to_pipedrive.migration.values import Milestone
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.lifecycle import known_scope, show_state
from dispatch_to_pipedrive.orchestration.resources import Migration, credentials_of, open_ledger
from dispatch_to_pipedrive.settings import Settings

_AHEAD = timedelta(days=1)
"""So far ahead of the source's clock a freeze may be named."""
_NAME = "Your name, as it shall stand on record."


class WindowConfig(dg.Config):
    """How long the window stays open, and how often the source is read on meanwhile."""

    by: str = Field(description=_NAME)
    hours: float | None = Field(default=None, description="Hours until it closes; else DELTA_HOURS.")
    minutes: int | None = Field(default=None, description="Minutes between two advances; else DELTA_MINUTES.")


class CloseConfig(dg.Config):
    """Who closes the window."""

    by: str = Field(description=_NAME)


class FreezeConfig(dg.Config):
    """From when on nobody works in Dispatch Pro any more."""

    by: str = Field(description=_NAME)
    at: str = Field(default="", description="The moment by Dispatch Pro's clock, ISO with zone; empty: now.")


def open_window(
    settings: Settings, by: str, *, hours: float | None = None, minutes: int | None = None
) -> Milestone:
    """Open the delta window under a name; a window or a freeze in force is replaced by it.

    Raises GateClosed after a sign-off or during a rollback, MigrationError for times that make no window.
    """
    by, _ = signature(by)
    with closing(open_ledger(settings)) as ledger:
        return _open(ledger, settings, by, hours, minutes)


def close_window(settings: Settings, by: str) -> Milestone:
    """Close the delta window; GateClosed where none is open."""
    by, _ = signature(by)
    with closing(open_ledger(settings)) as ledger:
        return _close(ledger, by)


def freeze(settings: Settings, by: str, *, at: str = "") -> Milestone:
    """Name the moment from which on nothing happens in Dispatch Pro any more: `at` (ISO), else now by its own clock.

    Raises GateClosed after a sign-off or during a rollback, MigrationError for a moment that cannot be it,
    DispatchProError.
    """
    by, _ = signature(by)
    with closing(open_ledger(settings)) as ledger:
        return _freeze(ledger, settings, by, at)


def drained_from(moment: datetime) -> datetime:
    """When a reading that shall bring everything up to a freeze may begin at the earliest."""
    return moment + HORIZON


def _open(ledger: Ledger, settings: Settings, by: str, hours: float | None, minutes: int | None) -> Milestone:
    account = _account(ledger, "window_opened")
    hours = settings.delta_hours if hours is None else hours
    minutes = settings.delta_minutes if minutes is None else minutes
    if not 0 < hours <= 24 * 366 or not 1 <= minutes <= 24 * 60:
        raise MigrationError(
            f"a window of {hours:g} hours with an advance every {minutes} minutes is none: "
            "give more than 0 hours, and from 1 to 1440 minutes"
        )
    closes = (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")
    return ledger.mark(account, "window_opened", by, {"closes_at": closes, "minutes": minutes})


def _close(ledger: Ledger, by: str) -> Milestone:
    account = _account(ledger, "window_closed")
    if standing(ledger.milestones(account)).window is None:
        raise GateClosed("no delta window is open: `window open --as NAME` opens one")
    return ledger.mark(account, "window_closed", by)


def _freeze(ledger: Ledger, settings: Settings, by: str, at: str) -> Milestone:
    account = _account(ledger, "frozen")
    now = asyncio.run(source_time(settings))
    moment = _moment(at, now, _newest_change(ledger, settings)) if at.strip() else now
    return ledger.mark(account, "frozen", by, {"moment": moment.isoformat(timespec="seconds")})


def _account(ledger: Ledger, milestone: str) -> str:
    account = known_scope(ledger).account
    require_may_mark(ledger, account, milestone)
    return account


def _moment(text: str, now: datetime, newest: datetime | None) -> datetime:
    """The moment that a person named. now: the source's; newest: when anything that was read was changed last."""
    as_in = f"write it as {now:%Y-%m-%dT%H:%M:%SZ}"
    try:
        found = datetime.fromisoformat(text.strip())
        if found.tzinfo is None:
            raise MigrationError(f"{text!r} names no zone: {as_in} (Z is UTC), or with an offset like +02:00")
        found = found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise MigrationError(f"{text!r} is no moment: {as_in}") from None
    if found > now + _AHEAD:
        raise MigrationError(
            f"{text!r} is more than a day ahead of Dispatch Pro's clock, which shows {now:%Y-%m-%dT%H:%M:%SZ}"
        )
    if newest is not None and found < newest:
        raise MigrationError(
            f"{text!r} cannot be it, for somebody worked in Dispatch Pro at {newest:%Y-%m-%dT%H:%M:%SZ}: name a later "
            "moment, or none for now"
        )
    return found


def _newest_change(ledger: Ledger, settings: Settings) -> datetime | None:
    data = UPath(settings.data)
    placed = newest_placed(data, ledger.latest_generation())
    tick = None if placed is None else newest_change(data, placed)
    return None if tick is None else datetime.fromisoformat(instant(tick))


async def source_time(settings: Settings) -> datetime:
    """Now, by Dispatch Pro's clock. Raises DispatchProError."""
    credentials = credentials_of(settings)
    async with DispatchProClient(
        credentials, calls_per_second=settings.dispatch_pro_calls_per_second
    ) as client:
        return await client.time()


@dg.op(description="Open the delta window.")
def open_the_window(context: dg.OpExecutionContext, config: WindowConfig, migration: Migration) -> None:
    """Put the window on record."""
    with plain_words():
        by, _ = signature(config.by)
        found = _open(migration.ledger, migration.settings, by, config.hours, config.minutes)
        show_state(context, migration.ledger)
    context.log.info("open until %s, by %s", found.details["closes_at"], found.by)


@dg.op(description="Close the delta window.")
def close_the_window(context: dg.OpExecutionContext, config: CloseConfig, migration: Migration) -> None:
    """Put its end on record."""
    with plain_words():
        by, _ = signature(config.by)
        found = _close(migration.ledger, by)
        show_state(context, migration.ledger)
    context.log.info("closed by %s", found.by)


@dg.op(description="Name the moment of the freeze.")
def name_the_freeze(context: dg.OpExecutionContext, config: FreezeConfig, migration: Migration) -> None:
    """Put the freeze on record."""
    with plain_words():
        by, _ = signature(config.by)
        found = _freeze(migration.ledger, migration.settings, by, config.at)
        show_state(context, migration.ledger)
    context.log.info("frozen at %s, by %s", found.details["moment"], found.by)


@dg.job(
    name="open_window",
    description="Open the delta window: a schedule reads the source on, a sensor brings what changed.",
    tags={"dispatch/lane": "approval"},
)
def open_window_job() -> None:
    """One decision."""
    open_the_window()


@dg.job(
    name="close_window",
    description="Close the delta window before its time: the source is not read on any more.",
    tags={"dispatch/lane": "approval"},
)
def close_window_job() -> None:
    """One decision."""
    close_the_window()


@dg.job(
    name="freeze",
    description="Nobody works in Dispatch Pro any more: the last changes are awaited, and all parents swept once.",
    tags={"dispatch/lane": "approval"},
)
def freeze_job() -> None:
    """One decision."""
    name_the_freeze()
