"""A migration to run engine tests in: a real sandbox account with the schema made, and a ledger beside it."""

import asyncio
import hashlib
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from dispatch_to_pipedrive.mapping.load import load_maps
from dispatch_to_pipedrive.mapping.model import Maps, is_custom
from dispatch_to_pipedrive.mapping.needs import schema_needs
from dispatch_to_pipedrive.migration import faults
from dispatch_to_pipedrive.migration.editors import put_on_record
from dispatch_to_pipedrive.migration.files import Fetch, Fetched, Unfetchable
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.listing import take_listing
from dispatch_to_pipedrive.migration.load import load_entity
from dispatch_to_pipedrive.migration.loading import Load, LoadReport
from dispatch_to_pipedrive.migration.prepare import apply_schema, read_schema
from dispatch_to_pipedrive.migration.resolve import Owners
from dispatch_to_pipedrive.migration.retire import retire
from dispatch_to_pipedrive.migration.session import AccountAccess, Session, reading, writing
from dispatch_to_pipedrive.migration.strays import stray_sweep
from dispatch_to_pipedrive.migration.undo.carry_out import undo
from dispatch_to_pipedrive.migration.undo.plan import UndoPlan, undo_plan
from dispatch_to_pipedrive.migration.undo.report import UndoReport
from dispatch_to_pipedrive.migration.values import ENTITIES
from dispatch_to_pipedrive.migration.verify import Expectation, Verdicts, verify_batch
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema
from dispatch_to_pipedrive_tests.migration.tenants import Tenant, bytes_of

HTTP = httpx.Client(timeout=60)
MAPPINGS = Path(__file__).parents[2] / "mappings"


class Crash(BaseException):
    """The process dies here."""


def dies_at(count: int | None) -> Callable[[str], None] | None:
    """A hook that lets `count` points pass and dies at the next."""
    if count is None:
        return None
    left = [count]

    def hook(name: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Crash(name)

    return hook


@dataclass
class World:
    """One account behind a URL, one ledger, one map."""

    access: AccountAccess
    ledger_url: str
    maps: Maps
    folder: Path
    base: dict[str, Any] = field(default_factory=dict, repr=False)
    unfetchable: dict[str, str] = field(default_factory=dict)
    """Sources that give no bytes, with the words why."""
    fetched: list[str] = field(default_factory=list)
    fetching: Fetch | None = None
    """Fetches instead of `fetch`."""
    schema: AccountSchema | None = field(default=None, repr=False)

    def reset(self) -> None:
        """Put the account back to where only its schema was made, without faults."""
        self.control("faults", {"clear": True})
        self.control("load", self.base)

    def control(self, path: str, body: Any = None) -> Any:
        method = "GET" if body is None else "POST"
        answer = HTTP.request(method, f"{self.access.api_url}/_control/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, with connections of its own as in a new process."""
        ledger = _opened(self.ledger_url)
        try:
            yield ledger
        finally:
            ledger.close()

    def make_schema(self) -> None:
        needs = schema_needs(self.maps, {("deals", "Job_Type__c"): ("Repair", "Install")})

        async def make() -> None:
            with self.ledger() as ledger:
                async with writing(ledger, self.access, purpose="schema") as session:
                    await apply_schema(session, needs)

        asyncio.run(make())

    def load(
        self,
        tenant: Tenant,
        roots: Sequence[int],
        generation: int,
        *,
        batch: str = "wave-0001",
        crash: Callable[[str], None] | None = None,
        retry_quarantined: bool = False,
    ) -> list[LoadReport]:
        """One batch the whole way: all entities, then retiring. `crash` may raise at any named point."""

        async def run() -> list[LoadReport]:
            with self.ledger() as ledger:
                async with writing(ledger, self.access, purpose="test", batch=batch) as session:
                    return await self._load(session, tenant, roots, generation, batch, retry_quarantined)

        faults.install(crash)
        try:
            return asyncio.run(run())
        finally:
            faults.install(None)

    async def _load(
        self,
        session: Session,
        tenant: Tenant,
        roots: Sequence[int],
        generation: int,
        batch: str,
        retry: bool,
    ) -> list[LoadReport]:
        schema = await self._schema(session)
        manifest = tenant.manifest(roots, generation, batch)
        frames = tenant.frames(roots, generation)
        owners = Owners({}, session.user_id)
        reports = [
            await load_entity(
                Load(
                    session,
                    schema,
                    self.maps[entity],
                    owners,
                    manifest,
                    retry,
                    fetch=self.fetching or self.fetch,
                ),
                frames[entity],
            )
            for entity in ENTITIES
        ]
        wanted = {entity: set(frames[entity]["source_key"]) for entity in ENTITIES}
        fields = {entity: list(self.maps[entity].fields) for entity in ENTITIES}
        await retire(session, schema, manifest, wanted, fields)
        return reports

    def undo_plan(self, batches: Sequence[str] | None = None, *, force: bool = False) -> UndoPlan:
        """What undoing would do, by a process that only reads."""

        async def run() -> UndoPlan:
            with self.ledger() as ledger:
                async with reading(ledger, self.access, purpose="plan an undo") as session:
                    schema = await self._schema(session)
                    return await undo_plan(session, schema, self._mapped(schema), batches, force=force)

        return asyncio.run(run())

    def undo(
        self,
        batches: Sequence[str] | None = None,
        *,
        force: bool = False,
        crash: Callable[[str], None] | None = None,
        planned: bool = False,
    ) -> UndoReport:
        """Plan, unless it was `planned` before, and carry out, in one process. `crash` may raise at any named point."""

        async def run() -> UndoReport:
            with self.ledger() as ledger:
                async with writing(ledger, self.access, purpose="undo", undoing=True) as session:
                    schema = await self._schema(session)
                    mapped = self._mapped(schema)
                    plan = UndoPlan(tuple(batches or ()), force=force, maps_fields=mapped)
                    if not planned:
                        plan = await undo_plan(session, schema, mapped, batches, force=force)
                    return await undo(session, schema, plan)

        faults.install(crash)
        try:
            return asyncio.run(run())
        finally:
            faults.install(None)

    async def _schema(self, session: Session) -> AccountSchema:
        return self.schema or await read_schema(session)

    def learn_schema(self) -> "World":
        """The same, for tests in which nobody changes the schema: it is read once."""

        async def run() -> AccountSchema:
            with self.ledger() as ledger:
                async with reading(ledger, self.access, purpose="schema") as session:
                    return await read_schema(session)

        return replace(self, schema=asyncio.run(run()))

    def _mapped(self, schema: AccountSchema) -> dict[str, list[str]]:
        return {
            entity: [
                schema.field_code(entity, name) if is_custom(name) else name
                for name in self.maps[entity].fields
                if not is_custom(name) or schema.has_field(entity, name)
            ]
            for entity in ENTITIES
        }

    async def fetch(self, source: str) -> Fetched:
        """The bytes of a source, as a file in the spool."""
        await asyncio.sleep(0)
        self.fetched.append(source)
        if source in self.unfetchable:
            raise Unfetchable(self.unfetchable[source])
        content = bytes_of(source)
        path = self.spool / uuid.uuid4().hex
        path.write_bytes(content)
        return Fetched(path, len(content), hashlib.sha256(content).hexdigest(), "image/jpeg")

    @property
    def spool(self) -> Path:
        """Where fetched files wait."""
        folder = self.folder / "spool"
        folder.mkdir(exist_ok=True)
        return folder

    def verify(self, tenant: Tenant, roots: Sequence[int], generation: int) -> Verdicts:
        """Every record of the roots at a generation, and the stray sweep."""

        async def run() -> Verdicts:
            with self.ledger() as ledger:
                async with reading(ledger, self.access, purpose="verify") as session:
                    schema = await self._schema(session)
                    listing = await take_listing(session, schema, self.folder / "listing")
                    expected = Expectation(
                        tenant.manifest(roots, generation, "all"),
                        self.maps,
                        tenant.frames(roots, generation),
                        schema,
                        Owners({}, session.user_id),
                    )
                    verdicts = await verify_batch(session, expected, listing)
                    merged = verdicts.merged([stray_sweep(session, listing)])
                    await put_on_record(session, schema, merged.edits, merged.over)
                    return merged

        return asyncio.run(run())

    def alive(self) -> dict[str, int]:
        """Records of each entity that are not deleted, as the account itself counts them."""
        dump = self.control("dump")
        return {
            entity: sum(not r.get("is_deleted") for r in _rows(dump["entities"][entity]))
            for entity in ENTITIES
        }


@cache
def _opened(url: str) -> Ledger:
    """One a database: SQLAlchemy compiles each statement once an engine, which takes longer than to run it here."""
    return Ledger(url)


def _rows(entity: Any) -> list[dict[str, Any]]:
    return list(entity.values()) if isinstance(entity, dict) else list(entity)


def prepared(url: str, token: str, folder: Path, ledger_url: str = "", **access: Any) -> World:
    """A world whose account has its schema; the ledger is a file in the folder, if no other is named."""
    settings = AccountAccess(
        api_url=url,
        api_token=token,
        tenant="1",
        plan="unlimited",
        seats=1,
        reserve=0,
        request_timeout=5,
        lease_seconds=20,
        grace=0.3,
        concurrency=8,
    )
    world = World(
        replace(settings, **access),
        ledger_url or f"sqlite:///{folder / 'ledger.db'}",
        load_maps(MAPPINGS),
        folder,
    )
    world.make_schema()
    return replace(world, base=world.control("dump"))


def fresh_ledger(world: World) -> World:
    """The same account with a copy of the ledger file, so that an example starts from the prepared state."""
    folder = world.folder / "example"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(world.folder / "ledger.db", folder / "ledger.db")
    return replace(world, ledger_url=f"sqlite:///{folder / 'ledger.db'}", folder=folder)
