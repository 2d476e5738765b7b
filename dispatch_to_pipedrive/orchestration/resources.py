"""What assets are handed: settings, ledger, data folder and access to the account, opened when first asked for.

Nothing is read at import, so that definitions load without secrets.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.client import Credentials
from dispatch_to_pipedrive.mapping import Maps
from dispatch_to_pipedrive.migration import session as sessions
from dispatch_to_pipedrive.migration.approval import Rendering
from dispatch_to_pipedrive.migration.errors import GateClosed
from dispatch_to_pipedrive.migration.forecast import tokens_per_day
from dispatch_to_pipedrive.migration.lease import acquire
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.lifecycle import require_may_write
from dispatch_to_pipedrive.migration.plan import undone_first
from dispatch_to_pipedrive.migration.prepare import keep_names, schema_of
from dispatch_to_pipedrive.migration.session import AccountAccess, Session
from dispatch_to_pipedrive.orchestration.dead_runs import this_process
from dispatch_to_pipedrive.orchestration.homes import home_of
from dispatch_to_pipedrive.orchestration.reset import ACCOUNT
from dispatch_to_pipedrive.orchestration.road import maps_of, named_at
from dispatch_to_pipedrive.pipedrive.account import Structure, read_structure
from dispatch_to_pipedrive.pipedrive.plans import plan_named
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema
from dispatch_to_pipedrive.settings import Settings, WrongSettings, load_settings, on_this_machine


def access_of(settings: Settings) -> AccountAccess:
    """How to reach the account."""
    return AccountAccess(
        api_url=settings.pipedrive_api_url,
        api_token=settings.pipedrive_api_token.get_secret_value(),
        tenant=settings.dispatch_pro_tenant_id,
        plan=settings.pipedrive_plan,
        seats=settings.pipedrive_seats,
        reserve=settings.pipedrive_reserve,
        request_timeout=settings.migration_request_timeout,
        lease_seconds=settings.migration_lease,
        grace=settings.migration_grace,
    )


def credentials_of(settings: Settings) -> Credentials:
    """How to get into the tenant."""
    settings.require_source()
    return Credentials(
        auth_url=settings.dispatch_pro_auth_url,
        api_url=settings.dispatch_pro_api_url,
        tenant_id=settings.dispatch_pro_tenant_id,
        client_id=settings.dispatch_pro_client_id,
        client_secret=settings.dispatch_pro_client_secret.get_secret_value(),
        app_key=settings.dispatch_pro_app_key.get_secret_value(),
    )


def open_ledger(settings: Settings) -> Ledger:
    """The ledger, made if it is not there; WrongSettings where it cannot be."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongSettings([f"MIGRATION_HOME: {settings.home} cannot be made: {error.strerror}"]) from None
    return Ledger(settings.ledger_url, access_of(settings).door)


@asynccontextmanager
async def writing(
    ledger: Ledger,
    settings: Settings,
    *,
    purpose: str,
    run: str,
    batch: str = "",
    wait: bool = True,
    undoing: bool = False,
) -> AsyncIterator[Session]:
    """A session that may write; GateClosed for an account that the settings or its milestones do not allow."""
    settings.require_writable()
    if (known := ledger.bound_scope()) is not None:  # told before the lease is waited for
        require_may_begin(ledger, known.account, batch, undoing=undoing)
    async with sessions.writing(
        ledger, access_of(settings), purpose=purpose, run=run, batch=batch, wait=wait, undoing=undoing
    ) as session:
        allowed = settings.allow_real_account
        if not on_this_machine(settings.pipedrive_api_url) and allowed != session.scope.account:
            raise GateClosed(
                f"PIPEDRIVE_API_URL leads to company {session.scope.account}, but ALLOW_REAL_ACCOUNT names {allowed}"
            )
        require_may_begin(ledger, session.scope.account, batch, undoing=undoing)
        yield session
        if (why := session.why_stop()) is not None:
            raise why  # what comes next in this run is not begun either


def require_may_begin(ledger: Ledger, account: str, batch: str = "", *, undoing: bool = False) -> None:
    """Raise GateClosed where the account may not be written to, or what is rolled back was not asked for again."""
    require_may_write(ledger, account, undoing=undoing)
    if undoing:
        return
    if words := undone_first(ledger, account):
        raise GateClosed(words)
    if batch in ledger.rolled_back(account):
        raise GateClosed(
            f"batch {batch} was rolled back: `reapply --as NAME` brings it again, with all that were"
        )


@asynccontextmanager
async def reading(ledger: Ledger, settings: Settings, *, purpose: str) -> AsyncIterator[Session]:
    """A session that only reads."""
    settings.require_destination()
    async with sessions.reading(ledger, access_of(settings), purpose=purpose) as session:
        yield session


class Migration(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The migration that the environment describes."""

    _settings: Settings | None = PrivateAttr(default=None)
    _ledger: Ledger | None = PrivateAttr(default=None)
    _maps: Maps | None = PrivateAttr(default=None)
    _structure: Structure | None = PrivateAttr(default=None)
    _account_schema: AccountSchema | None = PrivateAttr(default=None)
    _rendering: Rendering | None = PrivateAttr(default=None)

    @classmethod
    def over(cls, settings: Settings, ledger: Ledger) -> Migration:
        """The migration of settings and a ledger that are open already; the ledger stays its owner's to close."""
        migration = cls()
        migration._settings, migration._ledger = settings, ledger
        return migration

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Migration]:
        """Tell which process a run is in as it begins, which account it was for as it ends, and close the ledger."""

        def tell(tags: dict[str, str]) -> None:
            if context.run is not None and context.instance is not None:
                context.instance.add_run_tags(context.run.run_id, tags)

        tell(this_process())
        try:
            yield self
        finally:
            if self._ledger is not None:
                if (scope := self._ledger.bound_scope()) is not None:
                    tell({ACCOUNT: scope.account})
                self._ledger.close()

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        if self._settings is None:
            self._settings = load_settings()
        return self._settings

    @property
    def ledger(self) -> Ledger:
        """The migration's memory."""
        if self._ledger is None:
            self._ledger = open_ledger(self.settings)
        return self._ledger

    @property
    def data(self) -> UPath:
        """The folder of segments, placements and frames."""
        return UPath(self.settings.data)

    @property
    def home(self) -> Path:
        """The folder for reports and listings of the account that the settings lead to."""
        return home_of(self.settings, self.ledger)

    @property
    def maps(self) -> Maps:
        """The maps."""
        if self._maps is None:
            self._maps = maps_of(self.settings)
        return self._maps

    @property
    def tokens_per_day(self) -> int | None:
        """Tokens that this program may spend a day, by plan, seats and reserve; None without limit.

        Raises WrongSettings for a reserve that leaves nothing.
        """
        plan, settings = plan_named(self.settings.pipedrive_plan), self.settings
        try:
            return tokens_per_day(plan, settings.pipedrive_seats, settings.pipedrive_reserve)
        except ValueError as error:
            raise WrongSettings([f"PIPEDRIVE_RESERVE: {error}"]) from None

    @property
    def requests_per_second(self) -> float | None:
        """The plan's burst as a steady rate; None without limit."""
        return plan_named(self.settings.pipedrive_plan).requests_per_second

    @contextmanager
    def source_to_myself(self, purpose: str, *, wait: bool = True) -> Iterator[None]:
        """Hold the source's lease: one process advances, places and plans at a time."""
        with acquire(
            self.ledger,
            f"source {self.settings.dispatch_pro_tenant_id}",
            purpose=purpose,
            seconds=self.settings.migration_lease,
            wait=wait,
        ):
            yield

    def currency(self, session: Session) -> str:
        """The currency that all money is in."""
        return self.settings.migration_currency or session.default_currency

    async def structure(self, session: Session) -> Structure:
        """The account's fields, pipelines and stages, read once a run (40 tokens)."""
        if self._structure is None:
            self._structure = await read_structure(session.client)
        return self._structure

    async def account_schema(self, session: Session) -> AccountSchema:
        """The account's schema as the ledger knows it; SchemaChanged if a recorded key has vanished or changed."""
        if self._account_schema is None:
            self._account_schema = schema_of(session, await self.structure(session))
        return self._account_schema

    async def schema_at(self, session: Session, generation: int) -> AccountSchema:
        """The account's schema, asked by the names that things had at the source at a generation.

        Whoever writes keeps them before: see `prepare.keep_names`.
        """
        schema = named_at(await self.account_schema(session), self.maps, self.data, self.ledger, generation)
        if session.lease is not None:
            schema = keep_names(session, schema)
            self._account_schema = schema.at_source({})
        return schema

    def forget_account(self, structure: Structure | None = None) -> None:
        """Read the account again where it is needed: its schema was prepared. structure: as it was left, if known."""
        self._structure, self._account_schema = structure, None

    def rendering(self, render: Callable[[], Rendering]) -> Rendering:
        """The sample's payloads as they would be now, rendered once a run."""
        if self._rendering is None:
            self._rendering = render()
        return self._rendering
