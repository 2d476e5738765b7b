"""How do the bytes of files reach the window? Fetched while earlier ones are sent, and few of them on disk at a time.

What an intent says of a file (name, parent, size, SHA-256) is known before it is committed, so that an upload whose
answer is lost can be found again. Nothing here holds a file's bytes.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from dispatch_to_pipedrive.migration import faults
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.window import Draft
from dispatch_to_pipedrive.pipedrive.streams import LocalFile

log = logging.getLogger(__name__)

SPOOLED = 16
"""Files on disk at a time: fetched, waiting, or on their way."""
PARENTS = {"deal_id": "deals", "person_id": "persons", "org_id": "organizations"}
"""Reference of a file or a note → the entity that it hangs on."""


class Unfetchable(Exception):
    """The source gives no bytes for one file; `words` say why, and name the host where one was refused."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


@dataclass(frozen=True, slots=True)
class Fetched:
    """One file on this machine: size in bytes, SHA-256 in hex. Whoever sent it deletes it."""

    path: Path
    size: int
    sha256: str
    media_type: str


Fetch = Callable[[str], Awaitable[Fetched]]
"""Source of a file, as the normalized frame names it → the file. Raises Unfetchable; SourceAway if nothing comes."""


@dataclass
class Spool:
    """Files on their way: `groups` are drafts whose file is here, `unfetchable` those that have none, with words."""

    session: Session
    fetch: Fetch
    drafts: Sequence[Draft]
    unfetchable: list[tuple[Draft, str]] = field(default_factory=list)
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SPOOLED))
    _ready: "asyncio.Queue[Draft | BaseException | None]" = field(default_factory=asyncio.Queue)
    _here: set[Path] = field(default_factory=set)

    async def groups(self) -> AsyncIterator[Sequence[Draft]]:
        """The drafts as they become ready, each time all that are."""
        ended = 0
        while ended < SPOOLED:
            got = [await self._ready.get()]
            while not self._ready.empty():
                got.append(self._ready.get_nowait())
            ended += got.count(None)
            group = [one for one in got if isinstance(one, Draft)]
            failed = next((one for one in got if isinstance(one, BaseException)), None)
            if group and failed is None:
                yield group
            if failed is not None:
                raise failed

    async def take(self, left: "asyncio.Queue[Draft]") -> None:
        """Fetch for one draft after the other until none is left."""
        try:
            while not left.empty():
                await self._places.acquire()
                if left.empty():
                    self._places.release()
                    break
                await self._one(left.get_nowait())
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # told where the drafts are taken, which ends the load
            self._ready.put_nowait(error)
        self._ready.put_nowait(None)

    async def _one(self, draft: Draft) -> None:
        if draft.intent.verb != "create":
            self._places.release()
            self._ready.put_nowait(draft)
            return
        body = draft.intent.body or {}
        try:
            file = await self.fetch(str(body["content"]))
        except Unfetchable as error:
            self._places.release()
            self.unfetchable.append((draft, error.words))
            return
        self._here.add(file.path)
        faults.point("file_fetched")
        known = {"content": source_name(str(body["content"])), "size": file.size, "sha256": file.sha256}
        now = self.session.client.budget.server_now().isoformat(timespec="seconds")
        intent = replace(draft.intent, body={**body, **known}, server_date=now)
        content = LocalFile(file.path, file.media_type)
        self._ready.put_nowait(
            draft._replace(intent=intent, content=content, release=lambda: self._release(file.path))
        )

    def _release(self, path: Path) -> None:
        if path in self._here:
            self._here.discard(path)
            path.unlink(missing_ok=True)
            self._places.release()

    def clear(self) -> None:
        """Delete what is still here."""
        for path in list(self._here):
            self._release(path)


@asynccontextmanager
async def spooled(session: Session, fetch: Fetch, drafts: Sequence[Draft]) -> AsyncIterator[Spool]:
    """Fetch what the creates among the drafts need, until the block is left; nothing of it stays on disk."""
    spool = Spool(session, fetch, drafts)
    left: asyncio.Queue[Draft] = asyncio.Queue()
    for draft in drafts:
        left.put_nowait(draft)
    tasks = [asyncio.create_task(spool.take(left)) for _ in range(SPOOLED)]
    try:
        yield spool
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        spool.clear()


def source_name(source: str) -> str:
    """Where a file comes from, as the ledger keeps it: no bytes of a data: address, no signature of a link."""
    if source.startswith("data:"):
        return f"data:{source[5:].partition(',')[0].partition(';')[0]}"
    parts = urlsplit(source)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}" if parts.netloc else source
