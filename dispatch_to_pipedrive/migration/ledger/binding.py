"""Which accounts does the ledger know, of which tenant, and which of them do the settings lead to?

One ledger may hold several accounts of one tenant (a rehearsal and the real one): what is read from the source is
shared, all that concerns the destination bears the account. The settings name an account by address and token, which
the account answers with its company id; so that this can be told without asking, the answer is remembered under a
digest of both.
"""

import sqlalchemy as sa

from dispatch_to_pipedrive.migration.errors import WrongAccount
from dispatch_to_pipedrive.migration.ledger import tables as t
from dispatch_to_pipedrive.migration.ledger.database import Database, Scope, digest_of, utc_now


def door_of(api_url: str, token: str) -> str:
    """What an address and a token are remembered by: 16 hexadecimal digits from which no token can be told."""
    return digest_of(["dispatch-to-pipedrive", api_url.rstrip("/"), token])[:16] if api_url and token else ""


class Binding(Database):
    """The accounts of one tenant."""

    def __init__(self, url: str, door: str = "") -> None:
        """Open the ledger; `door` (see `door_of`) is the account that the settings lead to, without it the last met."""
        super().__init__(url)
        self._door = door

    def bind(self, scope: Scope, company: str, door: str = "") -> None:
        """Remember an account of the ledger's tenant, and the door it was met by; another tenant is refused."""
        now = utc_now()
        with self._write() as conn:
            known = conn.execute(sa.select(t.binding)).all()
            if other := next((row for row in known if row.tenant != scope.tenant), None):
                raise WrongAccount(
                    f"this ledger belongs to Dispatch Pro tenant {other.tenant} (first met with Pipedrive company "
                    f"{other.account}, {other.company}), but the settings name tenant {scope.tenant}: correct "
                    "DISPATCH_PRO_TENANT_ID, or use another MIGRATION_HOME"
                )
            if all(row.account != scope.account for row in known):
                row = {"account": scope.account, "tenant": scope.tenant, "company": company, "bound_at": now}
                conn.execute(t.binding.insert(), row)
            last = conn.execute(sa.select(t.door).order_by(t.door.c.met_at.desc()).limit(1)).first()
            if last is None or (last.door, last.account) != (door, scope.account):
                self._upsert(conn, t.door, [{"door": door, "account": scope.account, "met_at": now}])

    def bound_scope(self, door: str = "") -> Scope | None:
        """The account that the settings (or `door`) lead to, with its tenant; None if it was not met yet."""
        with self._read() as conn:
            known = conn.execute(sa.select(t.binding).order_by(t.binding.c.bound_at)).all()
            doors = conn.execute(sa.select(t.door).order_by(t.door.c.met_at)).all()
        account = _account_behind(
            door or self._door, [(row.door, row.account) for row in doors], [row.account for row in known]
        )
        return next((Scope(row.account, row.tenant) for row in known if row.account == account), None)

    def bound_accounts(self) -> dict[str, str]:
        """Account → the name of its company, in the order in which they were met."""
        with self._read() as conn:
            known = conn.execute(sa.select(t.binding).order_by(t.binding.c.bound_at))
            return {row.account: row.company for row in known}

    def bound_company(self) -> str | None:
        """The name of the company that the settings lead to."""
        scope = self.bound_scope()
        return None if scope is None else self.bound_accounts()[scope.account]


def _account_behind(door: str, doors: list[tuple[str, str]], accounts: list[str]) -> str | None:
    """The account that was last met through a door; without a door the one that was met last of all.

    A door that nobody came through yet leads nowhere: with a new token it may be another account. (A ledger that has
    no doors at all is one of the time when it held one account only.)
    """
    if not doors:
        return accounts[0] if accounts else None
    through = [account for name, account in doors if name == door or not door]
    return through[-1] if through else None
