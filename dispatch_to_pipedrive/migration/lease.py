"""Who may write to the account now: one process, for as long as its heartbeat reaches the ledger.

The heartbeat runs in a thread, so that a busy event loop does not cost the lease. What decides before a request is
a deadline on the boot clock (it goes on while the process or the machine sleeps), taken *before* the heartbeat was
sent: a process that was stopped and overtaken finds its deadline past, whatever the ledger says by then.
"""

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Self

import psutil

from dispatch_to_pipedrive.migration.errors import LeaseHeld, LeaseLost
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.values import LeaseHolder

log = logging.getLogger(__name__)

BEAT = 1 / 6
"""Part of the lease's length between two heartbeats."""


def boot_clock() -> float:
    """Seconds on a clock that no setting of the time and no sleep of the machine can stop."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def is_dead(holder: LeaseHolder) -> bool:
    """Whether the holder ran on this host and its process is gone."""
    if holder.host != socket.gethostname():
        return False
    try:
        started = psutil.Process(holder.pid).create_time()
        status = psutil.Process(holder.pid).status()
    except psutil.NoSuchProcess:
        return True
    return status == psutil.STATUS_ZOMBIE or abs(started - holder.process_started) > 1


class _Heartbeat:
    """Calls `beat` six times a lease in a thread of its own, until it says False or is stopped."""

    def __init__(self, name: str, seconds: float, beat: Callable[[], bool]) -> None:
        self._pause = seconds * BEAT
        self._call = beat
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        while not self._ended.wait(self._pause):
            try:
                if not self._call():
                    return
            except Exception as error:
                # A ledger out of reach is no reason to give up at once: what was granted stands as it is.
                log.warning("%s failed: %s", self._thread.name, type(error).__name__)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()


class Lease:
    """A held lease; a context manager that beats until it is left."""

    def __init__(
        self,
        ledger: Ledger,
        account: str,
        holder: LeaseHolder,
        seconds: float,
        deadline: float,
        on_readers: Callable[[int], None],
    ) -> None:
        self._ledger = ledger
        self._account = account
        self._seconds = seconds
        self._deadline = deadline
        self._on_readers = on_readers
        self._lost = False
        self.fence = holder.fence
        self.others_heard = boot_clock() - holder.others_silent
        self._heartbeat = _Heartbeat("heartbeat of the lease", seconds, self._beat)

    def assert_outlives(self, seconds: float) -> None:
        """Raise LeaseLost unless the lease lasts longer than a request may take."""
        if self._lost or boot_clock() + seconds >= self._deadline:
            raise LeaseLost(
                "the lease would run out before the request: nothing more is sent by this process"
            )

    def _beat(self) -> bool:
        before = boot_clock()
        try:
            readers = self._ledger.beat(self._account, self.fence, self._seconds)
        except LeaseLost:
            self._lost = True
            return False
        self._deadline = before + self._seconds
        self._on_readers(readers)
        return True

    def __enter__(self) -> Self:
        self._heartbeat.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._heartbeat.stop()
        self._ledger.give_back(self._account, self.fence)


def acquire(
    ledger: Ledger,
    account: str,
    *,
    purpose: str,
    seconds: float,
    wait: bool = True,
    on_readers: Callable[[int], None] = lambda _count: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Lease:
    """Take the lease of the account; wait for its holder (saying for whom), or raise LeaseHeld."""
    me = LeaseHolder(
        owner=uuid.uuid4().hex,
        purpose=purpose,
        host=socket.gethostname(),
        pid=os.getpid(),
        process_started=psutil.Process().create_time(),
        fence=0,
        seconds_left=seconds,
    )
    told = ""
    while True:
        before = boot_clock()
        holder = ledger.take_lease(account, me, seconds, is_dead)
        if holder.owner == me.owner:
            return Lease(ledger, account, holder, seconds, before + seconds, on_readers)
        if not wait or should_stop():
            raise LeaseHeld(holder)
        if told != holder.owner:
            log.warning("waiting for the lease of account %s, held by %s", account, holder)
            told = holder.owner
        time.sleep(min(0.5, seconds / 4))


class Reading:
    """A registered reader outside of the lease; a context manager that beats until it is left."""

    def __init__(self, ledger: Ledger, account: str, seconds: float) -> None:
        self._ledger = ledger
        self._account = account
        self._seconds = seconds
        self._owner = uuid.uuid4().hex
        self._heartbeat = _Heartbeat("heartbeat of the reader", seconds, self._register)

    def _register(self) -> bool:
        self._ledger.register_reader(self._account, self._owner, self._seconds)
        return True

    def __enter__(self) -> Self:
        self._register()
        self._heartbeat.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._heartbeat.stop()
        self._ledger.unregister_reader(self._account, self._owner)
