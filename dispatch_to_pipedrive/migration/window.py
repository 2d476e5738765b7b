"""How writes go out: a sliding window of requests, each with a committed intent ahead of it.

Intents are committed in small groups ahead of their requests, requests run concurrently, outcomes are committed as
they arrive. A request whose outcome is unknown keeps its intent open: it is in doubt until it is settled. What is to be
sent may come in groups of its own, as files do, of which only a few wait at a time.
"""

import asyncio
import contextlib
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple

from dispatch_to_pipedrive.migration import faults
from dispatch_to_pipedrive.migration.compare import without_nulls
from dispatch_to_pipedrive.migration.errors import (
    LeaseLost,
    MigrationError,
    RunStopped,
    SourceAway,
)
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.values import Intent, Link, Outcome
from dispatch_to_pipedrive.pipedrive.client import Answer
from dispatch_to_pipedrive.pipedrive.errors import (
    Ambiguous,
    Forbidden,
    NotFound,
    PipedriveError,
    PlanCap,
    Rejected,
)
from dispatch_to_pipedrive.pipedrive.notes import PARENTS
from dispatch_to_pipedrive.pipedrive.streams import LocalFile

log = logging.getLogger(__name__)

GROUP = 200
"""Intents a commit: at most so many are in doubt after a crash, beside those that are under way."""
PAUSE = 0.15
"""Seconds for which answers are gathered before they are committed: a process that is stopped in the middle of a
commit keeps the ledger's lock, so commits are few and short."""
SAME_REFUSALS = 20
"""So often the same words must come, and for a quarter of the records, before the run is blamed and not the records."""
_PARTICULARS = re.compile(r"'[^']*'|\"[^\"]*\"|\b[0-9a-f]{40}\b|\d+")
_TOO_LARGE = re.compile(r"\btoo (?:large|big|long)\b|\bsize\b", re.IGNORECASE)
_ARCHIVED = re.compile(r"\barchived\b", re.IGNORECASE)
"""Words about the record itself, however many share the fault: of files and notes, and of deals."""
_LOST_FIELD = re.compile(r"[0-9a-f]{40}' is not allowed|Unknown key '[0-9a-f]{40}'")


class Draft(NamedTuple):
    """A write that is meant; `digest` and `state` are what the link will say when it is done.

    The digest is empty while more is to follow. `content` is the file that goes with it; `release` is called when it
    is not needed any more.
    """

    intent: Intent
    digest: str
    state: str = "live"
    content: LocalFile | None = None
    release: Callable[[], None] = lambda: None


Groups = AsyncIterator[Sequence[Draft]]
"""Drafts as they become ready: each group's intents are committed together, and before the next group is asked for."""


@dataclass
class Sent:
    """What became of the drafts that did not simply succeed, and how many did."""

    done: Counter[str] = field(default_factory=Counter)
    in_doubt: list[Intent] = field(default_factory=list)
    rejected: list[tuple[Draft, str]] = field(default_factory=list)
    unfetchable: list[tuple[Draft, str]] = field(default_factory=list)
    gone: list[Draft] = field(default_factory=list)


async def send_all(
    session: Session, drafts: Sequence[Draft] | Groups, on_progress: Callable[[int], None] = lambda _n: None
) -> Sent:
    """Send every draft once.

    Raises what stopped the window (the day's budget, a lost lease, a plan cap, the same refusal of many, Ctrl-C, that
    somebody has paused), after the requests under way have been answered and their outcomes committed.
    """
    window = _Window(session, on_progress)
    try:
        async with asyncio.TaskGroup() as tasks:
            groups = _grouped(drafts) if isinstance(drafts, Sequence) else drafts
            tasks.create_task(window.commit_intents(groups))
            tasks.create_task(window.commit_outcomes())
            senders = [tasks.create_task(window.send()) for _ in range(session.concurrency)]
            tasks.create_task(window.close_after(senders))
    except BaseExceptionGroup as group:
        raise _first(group) from None
    if window.stopped is not None:
        raise window.stopped
    return window.sent


async def _grouped(drafts: Sequence[Draft]) -> Groups:
    for start in range(0, len(drafts), GROUP):
        yield drafts[start : start + GROUP]


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class _Done(NamedTuple):
    draft: Draft
    outcome: Outcome
    links: tuple[Link, ...] = ()


class _Window:
    def __init__(self, session: Session, on_progress: Callable[[int], None]) -> None:
        self.session = session
        self.sent = Sent()
        self.stopped: PipedriveError | MigrationError | None = None
        self._on_progress = on_progress
        self._to_send: asyncio.Queue[Draft | None] = asyncio.Queue(maxsize=2 * GROUP)
        self._answered: asyncio.Queue[_Done | None] = asyncio.Queue()
        self._closed = asyncio.Event()
        self._attempts = 0
        self._refusals: Counter[str] = Counter()
        self._causes: dict[str, set[object]] = {}

    async def commit_intents(self, groups: Groups) -> None:
        session = self.session
        try:
            async for group in groups:
                self.stopped = self.stopped or session.why_stop()
                if self.stopped is not None:
                    break
                intents, _ = await asyncio.to_thread(
                    session.ledger.record, session.scope, session.fence, intents=[d.intent for d in group]
                )
                faults.point("intents_committed")
                for draft, intent in zip(group, intents, strict=True):
                    await self._to_send.put(draft._replace(intent=intent))
        except SourceAway as error:
            self.stopped = self.stopped or error
        await self._to_send.put(None)

    async def send(self) -> None:
        while (draft := await self._to_send.get()) is not None:
            if self.stopped is not None:
                self._finish(draft, "unsent")
            else:
                await self._send_one(draft)
            draft.release()
        await self._to_send.put(None)

    async def close_after(self, senders: Sequence[asyncio.Task[None]]) -> None:
        await asyncio.wait(senders)
        self._answered.put_nowait(None)
        self._closed.set()

    async def commit_outcomes(self) -> None:
        ended = False
        while not ended:
            done = [await self._answered.get()]
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), PAUSE)
            while not self._answered.empty():
                done.append(self._answered.get_nowait())
            ended = done[-1] is None
            outcomes = [d for d in done if d is not None]
            if outcomes and not isinstance(self.stopped, LeaseLost):
                await self._commit(outcomes)

    async def _commit(self, done: Sequence[_Done]) -> None:
        session = self.session
        day, tokens = session.untold_tokens()
        await asyncio.to_thread(
            session.ledger.record,
            session.scope,
            session.fence,
            outcomes=[d.outcome for d in done],
            links=[link for d in done for link in d.links],
            release=[(link.entity, link.source_key) for d in done for link in d.links],
            day=day,
            tokens=tokens,
        )
        faults.point("outcomes_committed")
        self._on_progress(len(done))

    async def _send_one(self, draft: Draft) -> None:
        self._attempts += 1
        faults.point("request_sending")
        try:
            answer = await _request(self.session, draft)
        except Ambiguous as error:
            log.debug("in doubt: %s", error)
            self.sent.in_doubt.append(draft.intent)
        except NotFound as error:
            self._not_found(draft, error)
        except PlanCap as error:
            self._stop(draft, error)
        except (Rejected, Forbidden) as error:
            self._refused(draft, error)
        except (PipedriveError, LeaseLost) as error:
            self._stop(draft, error)
        else:
            faults.point("response_received")
            self._accepted(draft, answer)

    def _accepted(self, draft: Draft, answer: Answer) -> None:
        intent = draft.intent
        state = "retired" if intent.verb == "delete" else draft.state
        pipedrive_id = intent.pipedrive_id or int(answer.record["id"])
        self.sent.done[intent.verb] += 1
        self._finish(
            draft,
            "done",
            tokens=answer.tokens,
            pipedrive_id=pipedrive_id,
            echo=without_nulls(answer.record),
            server_date=answer.date.isoformat(timespec="seconds"),
            state=state,
        )

    def _not_found(self, draft: Draft, error: NotFound) -> None:
        if draft.intent.verb == "create":
            self._refused(draft, error)
            return
        self.sent.gone.append(draft)
        state = "retired" if draft.intent.verb == "delete" else "gone"
        self._finish(draft, "done", pipedrive_id=draft.intent.pipedrive_id, words=error.words, state=state)

    def _refused(self, draft: Draft, error: PipedriveError) -> None:
        self.sent.rejected.append((draft, error.words))
        self._finish(draft, "rejected", words=error.words)
        kind = _PARTICULARS.sub("…", error.words)
        self._refusals[kind] += 1
        causes = self._causes.setdefault(kind, set())
        causes.add(cause_of(draft.intent, error.words, unknown=error.status == HTTPStatus.NOT_FOUND))
        unauthorized = error.status in (401, 402)
        if (
            unauthorized
            or _LOST_FIELD.search(error.words)
            or (
                len(causes) >= SAME_REFUSALS
                and 4 * self._refusals[kind] >= self._attempts
                and not _of_the_record_itself(draft.intent.entity, error)
            )
        ):
            self._blame_run(error)

    def _blame_run(self, error: PipedriveError) -> None:
        if self.stopped is None:
            self.stopped = RunStopped(
                f"{error} — refused for {self._refusals.total()} of {self._attempts} records: the fault is not theirs. "
                "Nothing was quarantined; mend the map, the schema or the token and run again"
            )

    def _stop(self, draft: Draft, error: PipedriveError | MigrationError) -> None:
        if self.stopped is None or isinstance(error, LeaseLost):
            self.stopped = error
        self._finish(draft, "unsent", words=type(error).__name__)

    def _finish(
        self,
        draft: Draft,
        status: str,
        *,
        tokens: int = 0,
        pipedrive_id: int | None = None,
        echo: dict[str, object] | None = None,
        words: str | None = None,
        server_date: str | None = None,
        state: str | None = None,
    ) -> None:
        intent = draft.intent
        outcome = Outcome(intent, status, tokens, pipedrive_id, echo, words, server_date)
        links: list[Link] = []
        if state is not None and pipedrive_id is not None:
            links.append(
                Link(
                    intent.entity,
                    intent.source_key,
                    pipedrive_id,
                    state,
                    intent.root,
                    intent.generation,
                    draft.digest,
                )
            )
            links += [] if intent.replaced is None else [intent.replaced]
        self._answered.put_nowait(_Done(draft, outcome, tuple(links)))


def cause_of(intent: Intent, words: str, *, unknown: bool = False) -> object:
    """What a refusal counts once for: a parent that people deleted, with all that hangs on it; else the record.

    unknown: the account found nothing to hang the record on, and need not have said which parent it missed.
    """
    body = intent.body or {}
    parents = {int(body[name]) for name in PARENTS if body.get(name)}
    named = parents & {int(number) for number in re.findall(r"\d+", words)}
    if named or unknown:
        return frozenset(named or parents)
    return intent.source_key


def _of_the_record_itself(entity: str, error: PipedriveError) -> bool:
    """Whether many may be refused alike without a fault of the run: files and notes for size, deals as archived."""
    if entity == "deals" and _ARCHIVED.search(error.words):
        return True
    return entity in ("files", "notes") and (error.status == 413 or bool(_TOO_LARGE.search(error.words)))


async def _request(session: Session, draft: Draft) -> Answer:
    client, intent = session.client, draft.intent
    if intent.verb == "create":
        return await client.create(intent.entity, intent.body or {}, draft.content)  # type: ignore[arg-type]
    if intent.pipedrive_id is None:
        raise ValueError(f"{intent.verb} of {intent.source_key} names no record")
    if intent.verb == "update":
        return await client.update(intent.entity, intent.pipedrive_id, intent.body or {})  # type: ignore[arg-type]
    return await client.delete(intent.entity, intent.pipedrive_id)  # type: ignore[arg-type]
