"""What the ledger knows of the account: its links, what is set aside, its schema and owners."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson
import sqlalchemy as sa

from dispatch_to_pipedrive.migration.ledger import tables as t
from dispatch_to_pipedrive.migration.ledger.database import Database, Scope, chunks, utc_now
from dispatch_to_pipedrive.migration.past import Past, after_relink, after_write
from dispatch_to_pipedrive.migration.values import (
    ALIVE,
    ENTITIES,
    RELINK,
    AccountUser,
    Link,
    OwnerRow,
    Quarantined,
    SchemaObject,
    key_after,
    key_before,
)


class AccountRecords(Database):
    """Links, pasts, quarantine, capabilities, schema and technicians."""

    def links(self, scope: Scope, entity: str, source_keys: Iterable[str]) -> dict[str, Link]:
        """Source key → link, for the keys that have one."""
        found: dict[str, Link] = {}
        with self._read() as conn:
            for keys in chunks(source_keys):
                query = _links(scope, entity).where(t.link.c.source_key.in_(keys))
                found.update({row.source_key: _link(row) for row in conn.execute(query)})
        return found

    def links_of_roots(self, scope: Scope, entity: str, roots: Iterable[int]) -> dict[str, Link]:
        """Source key → link of every record that hangs on one of the roots."""
        found: dict[str, Link] = {}
        with self._read() as conn:
            for chunk in chunks(roots):
                query = _links(scope, entity).where(t.link.c.root.in_(chunk))
                found.update({row.source_key: _link(row) for row in conn.execute(query)})
        return found

    def newer_roots(self, scope: Scope, roots: Iterable[int], generation: int) -> set[int]:
        """Those of the roots that a batch of a newer generation has brought."""
        query = sa.select(t.link.c.root).where(
            t.link.c.account == scope.account,
            t.link.c.tenant == scope.tenant,
            t.link.c.entity.in_(ENTITIES),  # the index of roots begins with it
            t.link.c.generation > generation,
        )
        found: set[int] = set()
        with self._read() as conn:
            for chunk in chunks(roots):
                found.update(conn.scalars(query.where(t.link.c.root.in_(chunk)).distinct()))
        return found

    def linked_ids(self, scope: Scope, entity: str, ids: Iterable[int]) -> set[int]:
        """Those of the ids that some link names."""
        found: set[int] = set()
        with self._read() as conn:
            for chunk in chunks(ids):
                query = sa.select(t.link.c.pipedrive_id).where(
                    t.link.c.account == scope.account,
                    t.link.c.entity == entity,
                    t.link.c.pipedrive_id.in_(chunk),
                )
                found.update(conn.scalars(query))
        return found

    def links_of_ids(self, scope: Scope, entity: str, ids: Iterable[int]) -> dict[int, Link]:
        """Pipedrive id → the link that names it, for those that have one."""
        found: dict[int, Link] = {}
        with self._read() as conn:
            for chunk in chunks(ids):
                query = _links(scope, entity).where(t.link.c.pipedrive_id.in_(chunk))
                found.update({row.pipedrive_id: _link(row) for row in conn.execute(query)})
        return found

    def shared(self, scope: Scope, entity: str, source_keys: Iterable[str]) -> set[str]:
        """Those of the keys whose record stands for another key, too, that is alive: people merged two of ours."""
        return self._also_named(scope, entity, source_keys, ALIVE)

    def stand_ins(self, scope: Scope, entity: str, source_keys: Iterable[str]) -> set[str]:
        """Those of the keys whose record has another one's place, too: what hung on that one hangs on it."""
        return self._also_named(scope, entity, source_keys, (*ALIVE, "gone"))

    def _also_named(
        self, scope: Scope, entity: str, source_keys: Iterable[str], states: Sequence[str]
    ) -> set[str]:
        """Those of the keys whose record a link of another key in one of the states names."""
        mine, other = t.link.alias("mine"), t.link.alias("other")
        query = sa.select(mine.c.source_key).join(
            other,
            sa.and_(
                other.c.account == mine.c.account,
                other.c.entity == mine.c.entity,
                other.c.pipedrive_id == mine.c.pipedrive_id,
                other.c.source_key != mine.c.source_key,
                other.c.state.in_(states),
            ),
        )
        query = query.where(
            mine.c.account == scope.account, mine.c.tenant == scope.tenant, mine.c.entity == entity
        )
        found: set[str] = set()
        with self._read() as conn:
            for keys in chunks(source_keys):
                found.update(conn.scalars(query.where(mine.c.source_key.in_(keys))))
        return found

    def links_to(self, scope: Scope, entity: str, pipedrive_id: int) -> list[Link]:
        """Every link that names a record, whatever its state."""
        with self._read() as conn:
            rows = conn.execute(_links(scope, entity).where(t.link.c.pipedrive_id == pipedrive_id))
            return [_link(row) for row in rows]

    def relinked(self, scope: Scope, entity: str, source_keys: Iterable[str]) -> set[str]:
        """Those of the keys that people connected with a record which this program did not make."""
        c = t.operation.c
        query = (
            sa.select(c.source_key)
            .where(c.account == scope.account, c.entity == entity, c.verb == RELINK, c.event == "outcome")
            .distinct()
        )
        found: set[str] = set()
        with self._read() as conn:
            for keys in chunks(source_keys):
                found.update(conn.scalars(query.where(c.source_key.in_(keys))))
        return found

    def link_counts(self, scope: Scope) -> dict[tuple[str, str], int]:
        """(entity, state) → number of links."""
        query = sa.select(t.link.c.entity, t.link.c.state, sa.func.count()).where(
            t.link.c.account == scope.account, t.link.c.tenant == scope.tenant
        )
        with self._read() as conn:
            rows = conn.execute(query.group_by(t.link.c.entity, t.link.c.state))
            return {(entity, state): count for entity, state, count in rows}

    def past(self, scope: Scope, entity: str, source_keys: Iterable[str]) -> dict[str, Past]:
        """Source key → what the record was told and what it answered, its writes laid one over the other.

        A record that was replaced has its own past under the key that it stays known by (see `key_before`), and under
        its first key again where a rollback deleted its successor.
        """
        intent, outcome = t.intent, t.outcome
        query = (
            sa.select(
                *(intent.c.source_key, intent.c.verb, intent.c.body, outcome.c.echo, outcome.c.server_date),
                sa.case((intent.c.verb == "create", intent.c.before)).label("before"),
            )
            .join(outcome, outcome.c.intent == intent.c.number)
            .where(
                intent.c.account == scope.account,
                intent.c.entity == entity,
                outcome.c.status.in_(("done", "settled")),
                sa.or_(
                    sa.and_(intent.c.verb.in_(("create", "update", RELINK)), outcome.c.echo.is_not(None)),
                    sa.and_(intent.c.verb == "delete", intent.c.undoes.is_not(None)),
                ),
            )
            .order_by(intent.c.number)
        )
        found: dict[str, Past] = {}
        replaced: dict[str, str] = {}
        with self._read() as conn:
            for keys in chunks({key_after(key) for key in source_keys}):
                for row in conn.execute(query.where(intent.c.source_key.in_(keys))):
                    if row.verb == "delete":
                        if old := replaced.pop(row.source_key, None):
                            found[row.source_key] = found[old]
                        continue
                    body, echo = orjson.loads(row.body), orjson.loads(row.echo)
                    before = found.get(row.source_key)
                    if row.verb == RELINK:
                        if before is not None:
                            found[row.source_key] = after_relink(before, echo, row.server_date)
                        continue
                    if row.verb == "create":
                        replaced.pop(row.source_key, None)
                    if row.verb == "create" and row.before is not None and before is not None:
                        old = key_before(row.source_key, int(orjson.loads(row.before)["id"]))
                        found[old], replaced[row.source_key] = before, old
                    before = None if row.verb == "create" else before
                    found[row.source_key] = after_write(before, body, echo, row.server_date)
        return found

    def quarantined(self, scope: Scope) -> list[Quarantined]:
        """Everything that is set aside."""
        query = sa.select(t.quarantine).where(
            t.quarantine.c.account == scope.account, t.quarantine.c.tenant == scope.tenant
        )
        with self._read() as conn:
            rows = conn.execute(query.order_by(t.quarantine.c.entity, t.quarantine.c.source_key))
            return [Quarantined(*(getattr(r, name) for name in Quarantined._fields)) for r in rows]

    def capabilities(self, account: str) -> dict[str, bool]:
        """What the account has shown that it can or cannot do."""
        with self._read() as conn:
            rows = conn.execute(sa.select(t.capability).where(t.capability.c.account == account))
            return {row.name: row.granted for row in rows}

    def schema_objects(self, account: str) -> list[SchemaObject]:
        """Pipelines, stages, fields, options and labels recorded for the account."""
        with self._read() as conn:
            rows = conn.execute(sa.select(t.schema_object).where(t.schema_object.c.account == account))
            return [SchemaObject(r.kind, r.entity, r.name, r.code, r.field_type, r.source) for r in rows]

    def owners(self, account: str) -> list[OwnerRow]:
        """Who stands for each technician, as last matched."""
        query = sa.select(t.technician_owner).where(t.technician_owner.c.account == account)
        with self._read() as conn:
            rows = conn.execute(query.order_by(t.technician_owner.c.technician_id))
            return [
                OwnerRow(r.technician_id, r.name, r.email, r.user_id, r.verdict, r.owner_email) for r in rows
            ]

    def owners_matched_with(self, account: str) -> str | None:
        """The digest of the decisions that the technicians were last matched with; None before the first time."""
        with self._read() as conn:
            query = sa.select(t.owner_matching.c.decisions).where(t.owner_matching.c.account == account)
            found: str | None = conn.scalar(query)
            return found

    def save_owners(self, account: str, owners: Sequence[OwnerRow], decisions: str = "") -> None:
        """Replace who stands for the technicians; `decisions` is the digest of what people had decided then."""
        with self._write() as conn:
            conn.execute(t.technician_owner.delete().where(t.technician_owner.c.account == account))
            if owners:
                conn.execute(t.technician_owner.insert(), [{"account": account, **asdict(o)} for o in owners])
            self._upsert(
                conn, t.owner_matching, [{"account": account, "decisions": decisions, "at": utc_now()}]
            )

    def proven_files(self, account: str) -> dict[int, str]:
        """Pipedrive id → SHA-256 of every file whose bytes were read back and found equal."""
        query = sa.select(t.proven_file).where(t.proven_file.c.account == account)
        with self._read() as conn:
            return {row.pipedrive_id: row.sha256 for row in conn.execute(query)}

    def prove_files(self, account: str, digests: Mapping[int, str]) -> None:
        """Keep that the bytes of files were read back: Pipedrive id → SHA-256."""
        rows = [
            {"account": account, "pipedrive_id": number, "sha256": sha256, "at": utc_now()}
            for number, sha256 in digests.items()
        ]
        with self._write() as conn:
            self._upsert(conn, t.proven_file, rows)

    def save_users(self, account: str, users: Iterable[AccountUser]) -> None:
        """Replace what is known of the account's users."""
        rows = [{"account": account, **user._asdict()} for user in users]
        with self._write() as conn:
            conn.execute(t.account_user.delete().where(t.account_user.c.account == account))
            if rows:
                conn.execute(t.account_user.insert(), rows)

    def authors(self, account: str) -> dict[str, int]:
        """Folded e-mail → the active user who has it; an e-mail that several have names nobody."""
        query = sa.select(t.account_user.c.email, sa.func.min(t.account_user.c.id).label("id")).where(
            t.account_user.c.account == account, t.account_user.c.active, t.account_user.c.email != ""
        )
        with self._read() as conn:
            rows = conn.execute(query.group_by(t.account_user.c.email).having(sa.func.count() == 1))
            return {row.email: row.id for row in rows}


def _links(scope: Scope, entity: str) -> sa.Select[Any]:
    return sa.select(t.link).where(
        t.link.c.account == scope.account, t.link.c.tenant == scope.tenant, t.link.c.entity == entity
    )


def _link(row: Any) -> Link:
    return Link(
        row.entity,
        row.source_key,
        row.pipedrive_id,
        row.state,
        row.root,
        row.generation,
        row.digest,
    )
