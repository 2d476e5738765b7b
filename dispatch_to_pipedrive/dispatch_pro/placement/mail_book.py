"""Whom does an e-mail belong to? Jobs by their numbers, customers by their ids and e-mail addresses, from segments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import duckdb
import pyarrow as pa
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.placement.build import ends_of_merges
from dispatch_to_pipedrive.dispatch_pro.placement.engine import address, engine, parquet
from dispatch_to_pipedrive.dispatch_pro.placement.index import CommittedSegment

LOOKED_UP = ("jobs", "customers", "customer_contacts")

_ORDER = "(coalesce(s.modified_on, -9223372036854775808), g.generation, s.position)"
_ARRIVED = "FROM stored s JOIN generations g ON g.address = s.filename GROUP BY 1"
_TABLES = {
    "jobs": f"""
CREATE TEMP TABLE jobs AS
SELECT CAST(s.id AS BIGINT) AS id, max_by(trim(s.record->>'$.jobNumber'), {_ORDER}) AS number {_ARRIVED}
""",
    "customers": f"""
CREATE TEMP TABLE customers AS
SELECT CAST(s.id AS BIGINT) AS id, max_by(s.merged_to_id, {_ORDER}) AS merged_to_id {_ARRIVED}
""",
    "customer_contacts": f"""
CREATE TEMP TABLE addresses AS SELECT DISTINCT won.customer_id AS customer_id, won.address AS address FROM (
    SELECT CAST(s.id AS BIGINT) AS id, max_by({{
        'customer_id': s.customer_id, 'address': lower(trim(s.record->>'$.value')),
        'counts': s.active IS DISTINCT FROM false AND lower(s.record->>'$.type') = 'email'
    }}, {_ORDER}) AS won {_ARRIVED}
) WHERE won.counts AND won.address <> ''
""",  # noqa: S608  (our own words)
}
_EMPTY = {
    "jobs": "CREATE TEMP TABLE jobs (id BIGINT, number VARCHAR)",
    "customers": "CREATE TEMP TABLE customers (id BIGINT, merged_to_id BIGINT)",
    "customer_contacts": "CREATE TEMP TABLE addresses (customer_id BIGINT, address VARCHAR)",
}
_BY_NUMBER = """
SELECT a.question, min(j.id) FROM asked a JOIN jobs j ON j.number = a.text
GROUP BY a.question HAVING count(DISTINCT j.id) = 1
"""
_BY_ADDRESS = """
SELECT a.question, min(coalesce(m.target, d.customer_id))
FROM asked a JOIN addresses d ON d.address = a.text LEFT JOIN merged m ON m.id = d.customer_id
GROUP BY a.question HAVING count(DISTINCT coalesce(m.target, d.customer_id)) = 1
"""

By = Literal["job", "customer", "address"]


@dataclass(frozen=True)
class Question:
    """What an e-mail says of whom it belongs to: explicit first, then numbers in its subject, then addresses."""

    job_number: str | None
    customer_id: int | None
    numbers: tuple[str, ...]
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Match:
    """Whom it belongs to; all None for nobody."""

    job_id: int | None = None
    customer_id: int | None = None
    by: By | None = None


class MailBook:
    """Answers questions from the tenant's winning records."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, raw: UPath, segments: Sequence[CommittedSegment]
    ) -> None:
        self._connection = connection
        for feed in LOOKED_UP:
            mine = [segment for segment in segments if segment.feed == feed]
            if not mine:
                connection.execute(_EMPTY[feed])
                continue
            files = [raw / segment.path for segment in mine]
            known = pa.table(
                {"address": [address(file) for file in files], "generation": [s.generation for s in mine]}
            )
            self._keep("generations", known)
            parquet(connection, files, filename=True).create_view("stored", True)
            connection.execute(_TABLES[feed])
        rows = connection.execute("SELECT id, merged_to_id FROM customers WHERE merged_to_id IS NOT NULL")
        ends = ends_of_merges(dict(rows.fetchall()))
        columns = {
            "id": pa.array(list(ends), pa.int64()),
            "target": pa.array(list(ends.values()), pa.int64()),
        }
        self._keep("merged", pa.table(columns))

    def matches(self, questions: Sequence[Question]) -> list[Match]:
        """One answer for each question, in their order; what fits several jobs or customers fits none."""
        explicit = self._asked(_BY_NUMBER, [[q.job_number] if q.job_number else [] for q in questions])
        named = self._customers({q.customer_id for q in questions if q.customer_id is not None})
        subject = self._asked(_BY_NUMBER, [q.numbers for q in questions])
        addresses = self._asked(_BY_ADDRESS, [q.addresses for q in questions])
        found: list[Match] = []
        for number, question in enumerate(questions):
            if (job := explicit.get(number)) is not None:
                found.append(Match(job, None, "job"))
            elif question.customer_id in named:
                found.append(Match(None, question.customer_id, "customer"))
            elif (job := subject.get(number)) is not None:
                found.append(Match(job, None, "job"))
            elif (customer := addresses.get(number)) is not None:
                found.append(Match(None, customer, "address"))
            else:
                found.append(Match())
        return found

    def _asked(self, query: str, texts: Sequence[Sequence[str]]) -> dict[int, int]:
        pairs = [(number, text) for number, several in enumerate(texts) for text in several]
        if not pairs:
            return {}
        asked = pa.table(
            {
                "question": pa.array([number for number, _ in pairs], pa.int64()),
                "text": pa.array([text for _, text in pairs], pa.string()),
            }
        )
        self._keep("asked", asked)
        return dict(self._connection.execute(query).fetchall())

    def _customers(self, ids: set[int]) -> set[int]:
        if not ids:
            return set()
        self._keep("wanted", pa.table({"id": pa.array(sorted(ids), pa.int64())}))
        rows = self._connection.execute("SELECT id FROM wanted SEMI JOIN customers USING (id)").fetchall()
        return {id_ for (id_,) in rows}

    def _keep(self, name: str, table: pa.Table) -> None:
        self._connection.register("incoming", table)
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM incoming")  # noqa: S608
        self._connection.unregister("incoming")


@contextmanager
def mail_book(raw: UPath, segments: Sequence[CommittedSegment]) -> Iterator[MailBook]:
    """Whom the tenant's jobs, customers and addresses belong to, as of these segments."""
    with engine(raw) as connection:
        yield MailBook(connection, raw, segments)
