"""What the ledger knows of operations that are to be taken back, and what it forgets when they are."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from dispatch_to_pipedrive.migration.ledger import tables as t
from dispatch_to_pipedrive.migration.ledger.database import Scope, chunks
from dispatch_to_pipedrive.migration.ledger.operations import Operations
from dispatch_to_pipedrive.migration.undo.history import Op
from dispatch_to_pipedrive.migration.values import ALIVE, ENTITIES, TENANT, Link, key_after

_CARRIED_OUT = ("done", "settled")


class Undo(Operations):
    """Operations by batch, root and record."""

    def written_batches(self, account: str) -> list[str]:
        """Every batch that wrote records or was read back, in the order of their first operations."""
        c = t.operation.c
        first = (
            sa.select(c.batch, sa.func.min(c.number))
            .where(c.account == account, c.entity.in_(ENTITIES), c.batch != "")
            .group_by(c.batch)
            .order_by(sa.func.min(c.number))
        )
        reported = sa.select(t.batch_report.c.batch).where(
            t.batch_report.c.account == account, t.batch_report.c.batch != TENANT
        )
        with self._read() as conn:
            written = [batch for batch, _ in conn.execute(first)]
            return list(dict.fromkeys([*written, *sorted(conn.scalars(reported.distinct()))]))

    def batches_in_force(self, scope: Scope) -> set[str]:
        """The batches of whose writes anything is left: not taken back, on a record that stands or that we deleted."""
        intent, outcome = t.intent.c, t.outcome.c
        later, answer = t.operation.alias("later"), t.operation.alias("answer")
        taken_back = (
            sa.select(later.c.number)
            .join(answer, answer.c.intent == later.c.number)
            .where(
                later.c.account == scope.account,
                later.c.entity == intent.entity,
                later.c.source_key == intent.source_key,
                later.c.number > intent.number,
                later.c.undoes <= intent.number,
                answer.c.status.in_(_CARRIED_OUT),
            )
        )
        link = t.link.c
        wanted = sa.and_(link.state == "retired", link.generation >= intent.generation)
        query = (
            sa.select(intent.batch)
            .join(t.outcome, outcome.intent == intent.number)
            .join(
                t.link,
                (link.account == scope.account)
                & (link.tenant == scope.tenant)
                & (link.entity == intent.entity)
                & (link.source_key == intent.source_key),
            )
            .where(
                intent.account == scope.account,
                intent.entity.in_(ENTITIES),
                intent.batch != "",
                intent.undoes.is_(None),
                outcome.status.in_(_CARRIED_OUT),
                outcome.pipedrive_id.is_not(None),
                link.state.in_(ALIVE) | wanted,
                ~taken_back.exists(),
            )
        )
        with self._read() as conn:
            return set(conn.scalars(query.distinct()))

    def taken_back(self, account: str, since: str) -> Counter[str]:
        """Verb → how many writes have taken something back since a time (ISO, UTC)."""
        intent, outcome = t.intent.c, t.outcome.c
        query = (
            sa.select(intent.verb, sa.func.count())
            .join(t.outcome, outcome.intent == intent.number)
            .where(
                intent.account == account,
                intent.entity.in_(ENTITIES),
                intent.undoes.is_not(None),
                intent.at >= since,
                outcome.status.in_(_CARRIED_OUT),
                # What was gone when its change came was not changed.
                outcome.echo.is_not(None) | (intent.verb == "delete"),
            )
        )
        with self._read() as conn:
            return Counter(dict(conn.execute(query.group_by(intent.verb)).all()))

    def roots_of_batches(self, account: str, batches: Iterable[str]) -> list[int]:
        """The roots of all records that the batches wrote."""
        c = t.operation.c
        query = sa.select(c.root).where(c.account == account, c.entity.in_(ENTITIES))
        found: set[int] = set()
        with self._read() as conn:
            for some in chunks(batches):
                found.update(conn.scalars(query.where(c.batch.in_(some)).distinct()))
        return sorted(found)

    def keys_of_batches(
        self, account: str, batches: Collection[str], roots: Iterable[int]
    ) -> set[tuple[str, str]]:
        """Entity and source key of the records of these roots that the batches wrote."""
        c = t.operation.c
        query = sa.select(c.entity, c.source_key).where(c.account == account, c.entity.in_(ENTITIES))
        found: set[tuple[str, str]] = set()
        with self._read() as conn:
            for batch in batches:
                for some in chunks(roots):
                    rows = conn.execute(query.where(c.batch == batch, c.root.in_(some)).distinct())
                    found.update((row.entity, row.source_key) for row in rows)
        return found

    def carried_out(self, account: str, entity: str, source_keys: Iterable[str]) -> list[Op]:
        """All writes on the records that were carried out, in the order of their intents."""
        intent, outcome = t.intent, t.outcome
        query = (
            sa.select(
                *(intent.c.number, intent.c.verb, intent.c.source_key, intent.c.batch, intent.c.generation),
                *(intent.c.root, intent.c.body, intent.c.before, intent.c.undoes),
                *(outcome.c.pipedrive_id, outcome.c.echo, outcome.c.server_date),
            )
            .join(outcome, outcome.c.intent == intent.c.number)
            .where(
                intent.c.account == account,
                intent.c.entity == entity,
                outcome.c.status.in_(_CARRIED_OUT),
                outcome.c.pipedrive_id.is_not(None),
            )
        )
        found: list[Op] = []
        with self._read() as conn:
            for keys in chunks({key_after(key) for key in source_keys} | set(source_keys)):
                rows = conn.execute(query.where(intent.c.source_key.in_(keys)))
                found.extend(_op(entity, row) for row in rows)
        return sorted(found, key=lambda op: op.number)

    def ids_made(self, account: str, entity: str, source_keys: Iterable[str]) -> set[int]:
        """Ids of all records that were ever made for these source keys, deleted ones too."""
        c = t.operation.c
        query = sa.select(c.pipedrive_id).where(
            c.account == account,
            c.entity == entity,
            c.event == "outcome",
            c.verb == "create",
            c.status.in_(_CARRIED_OUT),
            c.pipedrive_id.is_not(None),
        )
        found: set[int] = set()
        with self._read() as conn:
            for keys in chunks(source_keys):
                found.update(int(number) for number in conn.scalars(query.where(c.source_key.in_(keys))))
        return found

    def put_back(self, scope: Scope, fence: int, links: Mapping[str, Link]) -> None:
        """Links under which replaced records stayed known (by source key) give way to the links they have again."""
        with self._write() as conn:
            self._assert_fence(conn, scope.account, fence)
            for key, link in links.items():
                self._upsert(
                    conn, t.link, [{"account": scope.account, "tenant": scope.tenant, **link._asdict()}]
                )
                conn.execute(
                    t.link.delete().where(
                        t.link.c.account == scope.account,
                        t.link.c.tenant == scope.tenant,
                        t.link.c.entity == link.entity,
                        t.link.c.source_key == key,
                    )
                )

    def free_batches(self, scope: Scope, fence: int, batches: Iterable[str], *, but: str) -> None:
        """Nothing that these batches set aside is set aside any more, except for the reason `but`."""
        c = t.quarantine.c
        with self._write() as conn:
            self._assert_fence(conn, scope.account, fence)
            for some in chunks(batches):
                conn.execute(
                    t.quarantine.delete().where(
                        c.account == scope.account,
                        c.tenant == scope.tenant,
                        c.batch.in_(some),
                        c.reason != but,
                    )
                )

    def forget_records(self, scope: Scope, fence: int, entity: str, links: Sequence[Link]) -> None:
        """What people did to records that are deleted now, and that bytes of files were read back, is past."""
        c = t.kept_edit.c
        with self._write() as conn:
            self._assert_fence(conn, scope.account, fence)
            for keys in chunks(link.source_key for link in links):
                conn.execute(
                    t.kept_edit.delete().where(
                        c.account == scope.account,
                        c.tenant == scope.tenant,
                        c.entity == entity,
                        c.source_key.in_(keys),
                    )
                )
            for ids in chunks(link.pipedrive_id for link in links if entity == "files"):
                conn.execute(
                    t.proven_file.delete().where(
                        t.proven_file.c.account == scope.account, t.proven_file.c.pipedrive_id.in_(ids)
                    )
                )


def _op(entity: str, row: Any) -> Op:
    return Op(
        number=row.number,
        verb=row.verb,
        entity=entity,
        source_key=row.source_key,
        pipedrive_id=row.pipedrive_id,
        batch=row.batch,
        generation=row.generation,
        root=row.root,
        body=orjson.loads(row.body or "{}"),
        before=orjson.loads(row.before or "{}"),
        echo=None if row.echo is None else orjson.loads(row.echo),
        server_date=row.server_date,
        undoes=row.undoes,
    )
