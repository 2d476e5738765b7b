"""What a process has in hand while it writes to (or reads) one account."""

import asyncio
import contextlib
import logging
import signal
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from dispatch_to_pipedrive.migration.lease import Lease, Reading, acquire
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope, utc_now
from dispatch_to_pipedrive.migration.values import Intent
from dispatch_to_pipedrive.pipedrive.budget import READER_SHARE, WRITER_SHARE, TokenBudget
from dispatch_to_pipedrive.pipedrive.client import PipedriveClient

log = logging.getLogger(__name__)


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
    grace: float
    concurrency: int
    run: str
    lease: Lease | None = None
    batch: str = ""
    should_stop: Callable[[], bool] = lambda: False
    _told: dict[str, int] = field(default_factory=dict)

    @property
    def fence(self) -> int:
        """The fencing number under which this process writes to the ledger."""
        if self.lease is None:
            raise RuntimeError("a session without a lease only reads")
        return self.lease.fence

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
        """Seconds until the last of the intents cannot be carried out any more."""
        latest = max(datetime.fromisoformat(x.at) for x in intents)
        return self.grace - (datetime.now(UTC) - latest).total_seconds()

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
    ledger: Ledger, access: AccountAccess, *, purpose: str, run: str = "", batch: str = "", wait: bool = True
) -> AsyncIterator[Session]:
    """A session that holds the lease. Waits for another holder, or raises LeaseHeld; Ctrl-C asks it to stop."""
    with _stop_on_interrupt() as should_stop:
        async with _account(ledger, access, run) as session:
            session = replace(session, batch=batch, should_stop=should_stop, _told={})
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
                should_stop=should_stop,
            )
            session.lease = lease
            session.client.before_send = lambda: lease.assert_outlives(access.timeout)
            with lease:
                try:
                    yield session
                finally:
                    session.tell_tokens()


@asynccontextmanager
async def reading(ledger: Ledger, access: AccountAccess, *, purpose: str) -> AsyncIterator[Session]:
    """A session that only reads: with a tenth of the burst while another process writes, with all of it otherwise."""
    async with _account(ledger, access, "") as session:
        account = session.scope.account
        holder = ledger.lease_holder(account)
        if holder is not None:
            log.info("%s takes a tenth of the burst beside %s", purpose, holder)
            session.client.budget.set_share(READER_SHARE)
        beside = Reading(ledger, account, access.lease_seconds) if holder else contextlib.nullcontext()
        with beside:
            try:
                yield session
            finally:
                session.tell_tokens()


@asynccontextmanager
async def _account(ledger: Ledger, access: AccountAccess, run: str) -> AsyncIterator[Session]:
    bound = ledger.bound_scope()
    spent = sum(ledger.tokens(bound.account, datetime.now(UTC).date().isoformat()).values()) if bound else 0
    budget = TokenBudget(access.plan, seats=access.seats, reserve=access.reserve, spent_today=spent)
    async with PipedriveClient(
        access.api_url,
        access.api_token,
        budget,
        concurrency=access.concurrency,
        request_timeout=access.timeout,
    ) as client:
        me = (await client.me()).record
        scope = Scope(account=str(me["company_id"]), tenant=access.tenant)
        ledger.bind(scope, str(me.get("company_name") or me.get("company_domain") or ""))
        yield Session(
            ledger=ledger,
            scope=scope,
            client=client,
            user_id=int(me["id"]),
            default_currency=str(me.get("default_currency") or ""),
            grace=access.grace,
            concurrency=access.concurrency,
            run=run or uuid.uuid4().hex,
        )


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
