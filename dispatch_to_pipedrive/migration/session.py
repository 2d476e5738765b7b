"""What a process has in hand while it writes to (or reads) one account."""

import asyncio
import logging
import signal
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dispatch_to_pipedrive.migration import faults
from dispatch_to_pipedrive.migration.errors import GateClosed, Interrupted, LeaseLost, MigrationError
from dispatch_to_pipedrive.migration.lease import BEAT, Lease, Reading, acquire, boot_clock
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope, door_of, utc_now
from dispatch_to_pipedrive.migration.lifecycle import require_may_write
from dispatch_to_pipedrive.migration.values import Intent
from dispatch_to_pipedrive.migration.visibility import sees_all
from dispatch_to_pipedrive.pipedrive.account import Me
from dispatch_to_pipedrive.pipedrive.budget import READER_SHARE, WRITER_SHARE, TokenBudget
from dispatch_to_pipedrive.pipedrive.burst import Burst
from dispatch_to_pipedrive.pipedrive.client import PipedriveClient
from dispatch_to_pipedrive.pipedrive.errors import PipedriveError
from dispatch_to_pipedrive.pipedrive.plans import BURST_SECONDS

log = logging.getLogger(__name__)

_STOPPED = "stopped by a person; run again to go on"
LOOK = 2.0
"""Seconds after which a writer looks again whether somebody has paused."""


@dataclass(frozen=True)
class AccountAccess:
    """How to reach the account and how much of it may be used; seconds and tokens as numbers."""

    api_url: str
    api_token: str = field(repr=False)
    tenant: str
    plan: str
    seats: int
    reserve: float
    request_timeout: float
    lease_seconds: float
    grace: float
    concurrency: int = 32

    @property
    def door(self) -> str:
        """What the ledger remembers this access by."""
        return door_of(self.api_url, self.api_token)

    @property
    def timeout(self) -> float:
        """Seconds a request may take: so few that a beating lease always outlives it."""
        return min(self.request_timeout, self.lease_seconds / 2)


@dataclass
class Session:
    """An account that has said who it is; with a lease where it is written to."""

    ledger: Ledger
    scope: Scope
    client: PipedriveClient
    user_id: int
    default_currency: str
    company_domain: str
    sees_all: bool
    """Whether the token's user sees every record, so that one which cannot be read was deleted or merged."""
    grace: float
    concurrency: int
    run: str
    lease: Lease | None = None
    batch: str = ""
    quiet_since: float = 0.0
    why_stop: Callable[[], MigrationError | None] = lambda: None
    """Why no further group of intents may be begun: Ctrl-C, or the account may not be written to any more."""
    _told: dict[str, int] = field(default_factory=dict)

    @property
    def fence(self) -> int:
        """The fencing number under which this process writes to the ledger."""
        if self.lease is None:
            raise RuntimeError("a session without a lease only reads")
        return self.lease.fence

    def should_stop(self) -> bool:
        """Whether no further group of intents may be begun."""
        return self.why_stop() is not None

    def intent(
        self, verb: str, entity: str, source_key: str, *, root: int = 0, generation: int = 0
    ) -> Intent:
        """An intent of this session, without body and id."""
        return Intent(
            verb=verb,
            entity=entity,
            source_key=source_key,
            pipedrive_id=None,
            body=None,
            before=None,
            root=root,
            generation=generation,
            batch=self.batch,
            run=self.run,
            at=utc_now(),
            server_date=self.client.budget.server_now().isoformat(timespec="seconds"),
        )

    def grace_left(self, intents: Sequence[Intent]) -> float:
        """Seconds until the last of the intents cannot be carried out any more.

        Counted from now for our own requests, and for those of the holder before from when it could send its last.
        """
        ours = any(intent.run == self.run for intent in intents)
        return self.grace - (0.0 if ours else boot_clock() - self.quiet_since)

    def untold_tokens(self) -> tuple[str, dict[str, int]]:
        """The server's day, and by kind what was spent since the last call: what the ledger does not know yet."""
        now = dict(self.client.budget.by_kind)
        fresh = {kind: count - self._told.get(kind, 0) for kind, count in now.items()}
        self._told = now
        day = self.client.budget.day or datetime.now(UTC).date()
        return day.isoformat(), {kind: count for kind, count in fresh.items() if count}

    def tell_tokens(self) -> None:
        """Write down what was spent outside of commits."""
        day, tokens = self.untold_tokens()
        if tokens:
            self.ledger.add_tokens(self.scope.account, day, tokens)


@asynccontextmanager
async def writing(
    ledger: Ledger,
    access: AccountAccess,
    *,
    purpose: str,
    run: str = "",
    batch: str = "",
    wait: bool = True,
    undoing: bool = False,
) -> AsyncIterator[Session]:
    """A session that holds the lease. Waits for another holder, or raises LeaseHeld; Ctrl-C or a pause stops it.

    `undoing`: as for `require_may_write`.
    """
    with _stop_on_interrupt() as interrupted:
        async with _account(ledger, access, run) as session:
            session.batch = batch
            session.why_stop = _Stop(ledger, session.scope.account, interrupted, undoing)
            budget = session.client.budget

            def on_readers(count: int) -> None:
                budget.set_share(WRITER_SHARE if count else 1.0)

            lease = await asyncio.to_thread(
                acquire,
                ledger,
                session.scope.account,
                purpose=purpose,
                seconds=access.lease_seconds,
                wait=wait,
                on_readers=on_readers,
                should_stop=interrupted,
            )
            session.lease = lease
            # On the boot clock: a holder sends nothing that its lease would not outlive by a timeout.
            last = lease.others_heard + access.lease_seconds - access.timeout
            session.quiet_since = min(boot_clock(), last)

            def look() -> None:
                lease.assert_outlives(access.timeout)
                faults.point("last_look")

            session.client.before_send = look
            with lease, _counted(session):
                yield session
        if interrupted():  # while the session closed: what comes next is not begun either
            raise Interrupted(_STOPPED)


@contextmanager
def _counted(session: Session) -> Iterator[None]:
    """Leave in the ledger how many writes were accepted, beside the log that says which."""
    ledger, account, name = session.ledger, session.scope.account, uuid.uuid4().hex
    ledger.count_begins(account, name, session.run)
    whole = False
    try:
        yield
        whole = True
    except (MigrationError, PipedriveError) as error:
        whole = not isinstance(error, LeaseLost)  # who was overtaken may have answers that nobody wrote down
        raise
    finally:
        ledger.count_ends(account, name, session.client.accepted, whole=whole)


@asynccontextmanager
async def reading(ledger: Ledger, access: AccountAccess, *, purpose: str) -> AsyncIterator[Session]:
    """A session that only reads: with a tenth of the burst while another process writes, with all of it otherwise."""
    bound = ledger.bound_scope(access.door)
    holder = ledger.lease_holder(bound.account) if bound else None
    if bound is None or holder is None:
        async with _account(ledger, access, "") as session:
            yield session
        return
    log.info("%s takes a tenth of the burst beside %s", purpose, holder)
    # Before the first call: the writer gives the tenth up with its next heartbeat, and its window runs out after that.
    with Reading(ledger, bound.account, access.lease_seconds):
        opening = access.lease_seconds * BEAT + BURST_SECONDS
        async with _account(ledger, access, "", share=READER_SHARE, opening=opening) as session:
            yield session


_bursts: dict[str, Burst] = {}
"""Account access → the burst of this process's last session there."""


@asynccontextmanager
async def _account(
    ledger: Ledger, access: AccountAccess, run: str, *, share: float = 1.0, opening: float = 0.0
) -> AsyncIterator[Session]:
    budget = TokenBudget(
        access.plan, seats=access.seats, reserve=access.reserve, share=share, opening=opening
    )
    if earlier := _bursts.get(access.door):
        budget.burst.continue_from(earlier)
    _bursts[access.door] = budget.burst
    async with PipedriveClient(
        access.api_url,
        access.api_token,
        budget,
        concurrency=access.concurrency,
        request_timeout=access.timeout,
    ) as client:
        answer = await client.me()
        me = answer.record
        scope = Scope(account=str(me["company_id"]), tenant=access.tenant)
        ledger.bind(scope, str(me.get("company_name") or me.get("company_domain") or ""), access.door)
        budget.carry(sum(ledger.tokens(scope.account, answer.date.date().isoformat()).values()))
        session = Session(
            ledger=ledger,
            scope=scope,
            client=client,
            user_id=int(me["id"]),
            default_currency=str(me.get("default_currency") or ""),
            company_domain=str(me.get("company_domain") or ""),
            sees_all=sees_all(Me.model_validate(me)),
            grace=access.grace,
            concurrency=access.concurrency,
            run=run or uuid.uuid4().hex,
        )
        try:
            yield session
        finally:
            session.tell_tokens()


class _Stop:
    """Why a writer stops: asked before every group of intents, so the ledger is asked only every few seconds."""

    def __init__(self, ledger: Ledger, account: str, interrupted: Callable[[], bool], undoing: bool) -> None:
        self._ledger, self._account = ledger, account
        self._interrupted, self._undoing = interrupted, undoing
        self._asked = time.monotonic()
        self._closed: GateClosed | None = None

    def __call__(self) -> MigrationError | None:
        if self._interrupted():
            return Interrupted(_STOPPED)
        if self._closed is None and time.monotonic() - self._asked >= LOOK:
            self._asked = time.monotonic()
            try:
                require_may_write(self._ledger, self._account, undoing=self._undoing)
            except GateClosed as closed:
                self._closed = closed
        return self._closed


@contextmanager
def _stop_on_interrupt() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a question that the window asks; the second one ends the process as usual."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        log.warning("stopping after the open window; interrupt again to end at once")
        stopped.set()
        loop.remove_signal_handler(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    try:
        loop.add_signal_handler(signal.SIGINT, stop)
    except (ValueError, NotImplementedError, RuntimeError):  # not the main thread, or not a POSIX system
        yield stopped.is_set
        return
    try:
        yield stopped.is_set
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)
