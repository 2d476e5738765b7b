"""What each batch came to, and who signed what."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from dispatch_to_pipedrive.migration.ledger import tables as t
from dispatch_to_pipedrive.migration.ledger.database import canonical_json, utc_now
from dispatch_to_pipedrive.migration.ledger.log import Log

ROLLED_BACK = "rolled_back"
"""The stage under which a batch that was undone has its only report."""


class MovedFiles(NamedTuple):
    """Files that were sent, and of them those whose bytes were read back and found equal; each with its bytes."""

    files: int = 0
    bytes: int = 0
    read_back: int = 0
    bytes_read_back: int = 0


class Reports(Log):
    """Reports of batches and sign-offs."""

    def batch_operations(self, account: str) -> dict[tuple[str, str, str, str], tuple[int, int]]:
        """(batch, entity, verb, status) → (number of outcomes, their tokens)."""
        c = t.operation.c
        query = (
            sa.select(c.batch, c.entity, c.verb, c.status, sa.func.count(), sa.func.sum(c.tokens))
            .where(c.account == account, c.event == "outcome")
            .group_by(c.batch, c.entity, c.verb, c.status)
        )
        with self._read() as conn:
            return {(b, e, v, s): (int(n), int(k)) for b, e, v, s, n, k in conn.execute(query)}

    def moved_files(self, account: str) -> MovedFiles:
        """What was sent of files, and what of it was proven."""
        c = t.operation.c
        sent = sa.select(c.echo).where(
            c.account == account,
            c.entity == "files",
            c.event == "outcome",
            c.verb == "create",
            c.status.in_(("done", "settled")),
            c.echo.is_not(None),
        )
        proven = sa.select(t.proven_file.c.pipedrive_id).where(t.proven_file.c.account == account)
        files = size = read_back = read_size = 0
        with self._read() as conn:
            known = set(conn.scalars(proven))
            for echo in conn.scalars(sent):
                record = orjson.loads(echo)
                files, size = files + 1, size + int(record.get("size") or 0)
                if record.get("id") in known:
                    read_back, read_size = read_back + 1, read_size + int(record.get("size") or 0)
        return MovedFiles(files, size, read_back, read_size)

    def report_batch(self, account: str, batch: str, stage: str, run: str, report: Mapping[str, Any]) -> None:
        """Keep what the latest run of a batch's stage came to."""
        row = {"account": account, "batch": batch, "stage": stage, "at": utc_now(), "run": run}
        with self._write() as conn:
            self._upsert(conn, t.batch_report, [{**row, "report": canonical_json(dict(report))}])

    def batch_reports(self, account: str) -> dict[tuple[str, str], dict[str, Any]]:
        """(batch, stage) → its latest report, with `at` and `run`."""
        with self._read() as conn:
            rows = conn.execute(sa.select(t.batch_report).where(t.batch_report.c.account == account))
            return {(r.batch, r.stage): {**orjson.loads(r.report), "at": r.at, "run": r.run} for r in rows}

    def roll_back_batch(
        self, account: str, batch: str, run: str, report: Mapping[str, Any], *, fence: int
    ) -> None:
        """Forget what the batch's stages came to and keep instead that it was undone; both or neither.

        Raises LeaseLost for a process that was overtaken: the batch may have been applied again since.
        """
        row = {"account": account, "batch": batch, "stage": ROLLED_BACK, "at": utc_now(), "run": run}
        with self._write() as conn:
            self._assert_fence(conn, account, fence)
            self._forget_reports(conn, account, batch)
            self._upsert(conn, t.batch_report, [{**row, "report": canonical_json(dict(report))}])

    def forget_report(self, account: str, batch: str, stage: str) -> None:
        """What a stage came to is not so any more."""
        c = t.batch_report.c
        with self._write() as conn:
            conn.execute(
                t.batch_report.delete().where(c.account == account, c.batch == batch, c.stage == stage)
            )

    def rolled_back(self, account: str) -> set[str]:
        """The batches that were undone and not asked for again."""
        c = t.batch_report.c
        with self._read() as conn:
            query = sa.select(c.batch).where(c.account == account, c.stage == ROLLED_BACK)
            return set(conn.scalars(query))

    def take_up_again(self, account: str, batches: Iterable[str]) -> None:
        """Batches that were undone count as planned and not run, as before their first load."""
        with self._write() as conn:
            for batch in batches:
                self._forget_reports(conn, account, batch)

    def _forget_reports(self, conn: sa.Connection, account: str, batch: str) -> None:
        c = t.batch_report.c
        conn.execute(t.batch_report.delete().where(c.account == account, c.batch == batch))

    def sign(self, account: str, stage: str, generation: int, name: str) -> None:
        """Keep who approved a stage, as of which generation, at which head of the chain."""
        head = self.chain_head()
        row = {"account": account, "stage": stage, "generation": generation, "name": name}
        with self._write() as conn:
            self._upsert(conn, t.sign_off, [{**row, "at": utc_now(), "head": head}])

    def sign_offs(self, account: str) -> list[dict[str, Any]]:
        """Who approved what, oldest first."""
        with self._read() as conn:
            rows = conn.execute(
                sa.select(t.sign_off).where(t.sign_off.c.account == account).order_by(t.sign_off.c.at)
            )
            return [
                {"stage": r.stage, "generation": r.generation, "name": r.name, "at": r.at, "head": r.head}
                for r in rows
            ]
