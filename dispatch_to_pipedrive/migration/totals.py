"""What each customer should add up to, computed a second time: SQL straight from raw, without normalize or mapping.

The rules of the road are written here once more in another language, on purpose: what the program means to load
(`totals_of_mapped`, from the logical frames) must add up to what the source's own records say (`totals_of_raw`).
Totals are rows of root, entity, measure, value: counts, money in cents, minutes, first and last times, and the number
of each edge, by name where the other end is a person or an option. What they cannot see: texts, addresses word by
word, and which of a root's own records an edge connects.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import duckdb
import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.migration.mapped_totals import compare_totals, sorted_totals, totals_of_mapped

__all__ = ["compare_totals", "totals_of_mapped", "totals_of_raw", "totals_of_records"]

PRIORITY_FIELD = "Dispatch Pro Priority"
MEMORY = "500MB"


class Committed(Protocol):
    """A segment that a generation made visible; `path` is relative to the raw folder."""

    @property
    def generation(self) -> int: ...
    @property
    def feed(self) -> str: ...
    @property
    def path(self) -> str: ...


def totals_of_raw(
    data: UPath, generation: int, segments: Iterable[Committed], roots: Iterable[int]
) -> pd.DataFrame:
    """The totals of these roots as of a generation: root, entity, measure, value; sorted.

    Reads the placement of that generation for which record belongs to whom, and the records where it says they stand:
    in the segments under `raw`, or in the copy of the first history that is clustered by root. `segments` are the
    committed ones; those of later generations are passed over.
    """
    with _engine(data) as connection:
        _read_winners(connection, data, generation, sorted(set(roots)))
        _read_reference(connection, data, [one for one in segments if one.generation <= generation])
        return _totals(connection)


def totals_of_records(bound: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """The same from records in memory: `bound` has feed, root, record; `reference` has feed, record."""
    with duckdb.connect() as connection:
        connection.register("bound_frame", bound)
        connection.register("reference_frame", reference)
        connection.execute(
            "CREATE TABLE winner AS SELECT feed, root, record::JSON AS record FROM bound_frame"
        )
        connection.execute(
            "CREATE TABLE reference AS SELECT feed, record::JSON AS record FROM reference_frame"
        )
        return _totals(connection)


@contextmanager
def _engine(data: UPath) -> Iterator[duckdb.DuckDBPyConnection]:
    """A small DuckDB that spills to a folder of its own, and reads folders and object stores."""
    with TemporaryDirectory(prefix="totals-") as spill:
        settings: dict[str, Any] = {"memory_limit": MEMORY, "threads": 2, "temp_directory": spill}
        with duckdb.connect(":memory:", config=settings) as connection:
            connection.execute("SET enable_progress_bar = false")
            if not _local(data):
                connection.register_filesystem(data.fs)
            yield connection


def _local(path: UPath) -> bool:
    return path.protocol in ("", "file", "local")


def _address(path: UPath) -> str:
    return str(Path(path.path)) if _local(path) else str(path)


_PLACED = (
    "CREATE OR REPLACE TEMP TABLE placed AS SELECT p.root, p.id, p.path, p.position, p.home "
    "FROM read_parquet(?) p SEMI JOIN chosen USING (root) WHERE p.root BETWEEN ? AND ?"
)
_CLUSTERED = (
    "INSERT INTO winner SELECT ?, p.root, c.record::JSON FROM read_parquet(?) c "
    "JOIN placed p ON c.root = p.home AND c.id = p.id WHERE c.root BETWEEN ? AND ?"
)
_SEGMENTS = (
    "SELECT path, min(position), max(position) FROM placed WHERE home IS NULL GROUP BY path ORDER BY path"
)
_SEGMENT = (
    "INSERT INTO winner SELECT ?, p.root, s.record::JSON FROM read_parquet(?) s "
    "JOIN placed p ON s.position = p.position WHERE p.home IS NULL AND p.path = ? "
    "AND s.position BETWEEN ? AND ?"
)
_REFERENCE = (
    "INSERT INTO reference SELECT ?, arg_max(record, (modified, generation, position))::JSON "
    "FROM version GROUP BY id"
)


def _read_winners(
    connection: duckdb.DuckDBPyConnection, data: UPath, generation: int, roots: Sequence[int]
) -> None:
    """The table `winner` (feed, root, record): the winning version of every record of these roots."""
    connection.execute("CREATE TABLE winner (feed VARCHAR, root BIGINT, record JSON)")
    connection.execute("CREATE TEMP TABLE chosen AS SELECT unnest(?::BIGINT[]) AS root", [list(roots)])
    index = json.loads((data / "placement" / f"{generation:06d}" / "index.json").read_text())
    for feed in BOUND if roots else ():
        places = _meeting(index["files"].get(feed, ()), roots)
        if not places:
            continue
        files = [_address(data / path) for path in places]
        connection.execute(_PLACED, [files, roots[0], roots[-1]])
        homes = connection.execute(
            "SELECT DISTINCT home FROM placed WHERE home IS NOT NULL ORDER BY 1"
        ).fetchall()
        if homes:
            ranges = [home for (home,) in homes]
            clustered = [_address(data / path) for path in _meeting(index["clustered"][feed], ranges)]
            connection.execute(_CLUSTERED, [feed, clustered, ranges[0], ranges[-1]])
        for path, first, last in connection.execute(_SEGMENTS).fetchall():
            connection.execute(_SEGMENT, [feed, _address(data / "raw" / path), path, first, last])


def _meeting(spans: Iterable[dict[str, Any]], roots: Sequence[int]) -> list[str]:
    """The files whose first and last root may enclose one of these."""
    return [
        span["path"]
        for span in spans
        if span["first"] is not None
        and span["first"] <= roots[-1]
        and (span["last"] is None or span["last"] >= roots[0])
    ]


def _read_reference(
    connection: duckdb.DuckDBPyConnection, data: UPath, segments: Sequence[Committed]
) -> None:
    """The table `reference` (feed, record): the winning version of every reference record."""
    connection.execute("CREATE TABLE reference (feed VARCHAR, record JSON)")
    for feed in REFERENCE:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE version (id VARCHAR, modified BIGINT, generation BIGINT, position BIGINT, "
            "record VARCHAR)"
        )
        for segment in segments:
            if segment.feed == feed:
                connection.execute(
                    "INSERT INTO version SELECT id, coalesce(modified_on, -9223372036854775808), ?, position, record "
                    "FROM read_parquet(?)",
                    [segment.generation, _address(data / "raw" / segment.path)],
                )
        connection.execute(_REFERENCE, [feed])


def _totals(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    for statement in (*MACROS, *VIEWS):
        connection.execute(statement)
    return sorted_totals(connection.execute("\nUNION ALL ".join(MEASURES)).df())


BOUND = (
    "customers",
    "customer_contacts",
    "locations",
    "location_contacts",
    "jobs",
    "appointments",
    "appointment_assignments",
    "invoices",
    "payments",
    "job_canceled_logs",
)
REFERENCE = ("job_types", "technicians", "business_units", "tag_types", "job_cancel_reasons")

MACROS = (
    "CREATE MACRO num(record, path) AS (record->>path)::BIGINT",
    "CREATE MACRO clean(value) AS nullif(regexp_replace(value, '^\\s+|\\s+$', '', 'g'), '')",
    "CREATE MACRO word(record, path) AS clean(record->>path)",
    "CREATE MACRO alive(record) AS coalesce((record->>'$.active')::BOOLEAN, true)",
    "CREATE MACRO moment(value) AS CASE WHEN clean(value) LIKE '0001-01-01%' THEN NULL "
    "WHEN clean(value) LIKE '%Z' OR length(clean(value)) = 19 THEN left(clean(value), 19) "
    "ELSE strftime(make_timestamp(epoch_us(clean(value)::TIMESTAMPTZ)), '%Y-%m-%dT%H:%M:%S') END",
    "CREATE MACRO ticks(value) AS epoch_us(moment(value)::TIMESTAMP) // 1000000 * 10000000 "
    "+ rpad(coalesce(nullif(regexp_extract(value, '\\.(\\d{1,7})', 1), ''), '0'), 7, '0')::BIGINT",
    "CREATE MACRO line(address) AS nullif(concat_ws(', ', word(address, '$.street'), word(address, '$.unit'), "
    "word(address, '$.city'), nullif(concat_ws(' ', word(address, '$.state'), word(address, '$.zip')), ''), "
    "word(address, '$.country')), '')",
    "CREATE MACRO folded(value) AS lower(regexp_replace(value, '\\s+', ' ', 'g'))",
)
"""Small words for the SQL below: fields of JSON records, trimmed texts, times to the second and to the tick."""

VIEWS = (
    "CREATE TEMP TABLE customer AS SELECT root, lower(record->>'$.type') = 'commercial' AS commercial, "
    "moment(record->>'$.createdOn') AS created, line(record->'$.address') AS line, record FROM winner "
    "WHERE feed = 'customers' AND num(record, '$.id') = root",
    # Locations: who survives a chain of merges; in a circle its lowest id.
    "CREATE TEMP TABLE place_of AS SELECT root, num(record, '$.id') AS id, num(record, '$.mergedToId') AS target, "
    "record FROM winner WHERE feed = 'locations'",
    "CREATE TEMP TABLE step AS SELECT a.root, a.id, a.target FROM place_of a "
    "JOIN place_of b ON b.id = a.target AND b.root = a.root",
    "CREATE TEMP TABLE survivor AS WITH RECURSIVE reach(root, id, here) AS (SELECT root, id, target FROM step "
    "UNION SELECT r.root, r.id, s.target FROM reach r JOIN step s ON s.root = r.root AND s.id = r.here), "
    "circle AS (SELECT root, id FROM reach WHERE id = here) "
    "SELECT p.root, p.id, coalesce(min(r.here) FILTER (r.here NOT IN (SELECT id FROM step)), "
    "min(r.here) FILTER (r.here IN (SELECT id FROM circle)), p.id) AS lives "
    "FROM place_of p LEFT JOIN reach r ON r.root = p.root AND r.id = p.id GROUP BY p.root, p.id",
    "CREATE TEMP TABLE site AS SELECT p.root, p.id, word(p.record, '$.name') AS name, "
    "line(p.record->'$.address') AS line, moment(p.record->>'$.createdOn') AS created "
    "FROM place_of p JOIN survivor s USING (root, id) JOIN customer c USING (root) WHERE s.lives = p.id",
    # Phones and e-mails: same key, same value.
    "CREATE TEMP TABLE contact AS WITH every AS ("
    "SELECT root, NULL::BIGINT AS site, record FROM winner WHERE feed = 'customer_contacts' UNION ALL "
    "SELECT w.root, coalesce(s.lives, num(w.record, '$.locationId')), w.record FROM winner w LEFT JOIN survivor s "
    "ON s.id = num(w.record, '$.locationId') WHERE feed = 'location_contacts'), "
    "read AS (SELECT e.root, e.site, c.commercial, CASE lower(e.record->>'$.type') WHEN 'email' THEN 'emails' "
    "WHEN 'phone' THEN 'phones' WHEN 'mobilephone' THEN 'phones' WHEN 'fax' THEN 'phones' END AS kind, "
    "coalesce(word(e.record, '$.value'), word(e.record, '$.phoneSettings.phoneNumber')) AS value "
    "FROM every e JOIN customer c USING (root) WHERE alive(e.record)) "
    "SELECT *, CASE WHEN kind = 'phones' THEN "
    "coalesce(nullif(regexp_replace(value, '[^0-9]', '', 'g'), ''), lower(value)) "
    "ELSE lower(value) END AS key FROM read WHERE kind IS NOT NULL AND value IS NOT NULL",
    "CREATE TEMP TABLE site_person AS SELECT DISTINCT c.root, c.site FROM contact c JOIN site s "
    "ON s.id = c.site AND s.root = c.root WHERE c.commercial AND NOT EXISTS (SELECT 1 FROM contact o "
    "WHERE o.root = c.root AND o.site IS NULL AND o.kind = c.kind AND o.key = c.key)",
    "CREATE TEMP TABLE person AS SELECT root, NULL::BIGINT AS site, commercial, created FROM customer UNION ALL "
    "SELECT p.root, p.site, true, s.created FROM site_person p JOIN site s ON s.id = p.site AND s.root = p.root",
    # Jobs, what they are billed, who did them.
    "CREATE TEMP TABLE job AS SELECT w.root, num(w.record, '$.id') AS id, w.record->>'$.jobStatus' AS status, "
    "s.lives AS site, moment(w.record->>'$.createdOn') AS created, c.commercial, w.record "
    "FROM winner w JOIN customer c USING (root) LEFT JOIN survivor s "
    "ON s.root = w.root AND s.id = num(w.record, '$.locationId') WHERE feed = 'jobs' AND alive(w.record)",
    "CREATE TEMP TABLE invoice AS SELECT w.root, num(w.record, '$.id') AS id, j.id AS job, "
    "coalesce((w.record->>'$.total')::DECIMAL(18, 4), 0) AS total FROM winner w JOIN job j "
    "ON j.root = w.root AND j.id = num(w.record, '$.job.id') WHERE feed = 'invoices' AND alive(w.record)",
    "CREATE TEMP TABLE paid AS SELECT i.job, sum(coalesce((a->>'$.appliedAmount')::DECIMAL(18, 4), 0)) AS paid "
    "FROM (SELECT root, unnest((record->'$.appliedTo')::JSON[]) AS a FROM winner "
    "WHERE feed = 'payments' AND alive(record) AND json_type(record->'$.appliedTo') = 'ARRAY') p "
    "JOIN invoice i ON i.root = p.root AND i.id = num(p.a, '$.appliedTo') GROUP BY i.job",
    "CREATE TEMP TABLE bill AS SELECT job, sum(total) AS total FROM invoice GROUP BY job",
    "CREATE TEMP TABLE visit AS SELECT w.root, num(w.record, '$.id') AS id, j.id AS job, j.site, j.commercial, "
    "w.record->>'$.status' AS status, w.record->>'$.start' AS begins, w.record->>'$.end' AS ends, "
    "NOT coalesce((w.record->>'$.unused')::BOOLEAN, false) "
    "AND NOT (lower(j.status) = 'hold' AND lower(w.record->>'$.status') = 'hold') AS stands "
    "FROM winner w JOIN job j ON j.root = w.root AND j.id = num(w.record, '$.jobId') "
    "WHERE feed = 'appointments' AND alive(w.record)",
    "CREATE TEMP TABLE duty AS SELECT v.job, v.id AS visit, num(w.record, '$.technicianId') AS technician, "
    "(coalesce(ticks(w.record->>'$.assignedOn'), 0), num(w.record, '$.id')) AS rank FROM winner w JOIN visit v "
    "ON v.root = w.root AND v.id = num(w.record, '$.appointmentId') WHERE feed = 'appointment_assignments' "
    "AND alive(w.record) AND num(w.record, '$.technicianId') IS NOT NULL",
    # Who has no e-mail is known by his id.
    "CREATE TEMP TABLE mail AS SELECT num(record, '$.id') AS id, "
    "coalesce(lower(word(record, '$.email')), record->>'$.id') AS email FROM reference WHERE feed = 'technicians'",
    "CREATE TEMP TABLE lead AS SELECT j.id AS job, coalesce(arg_max(d.technician, d.rank), "
    "any_value(nullif(num(j.record, '$.soldById'), 0))) AS technician FROM job j LEFT JOIN duty d ON d.job = j.id "
    "GROUP BY j.id",
    "CREATE TEMP TABLE visit_lead AS SELECT visit, arg_max(technician, rank) AS technician FROM duty GROUP BY visit",
    "CREATE TEMP TABLE canceled AS SELECT num(record, '$.jobId') AS job, "
    "arg_max(record, (coalesce(ticks(record->>'$.createdOn'), 0), num(record, '$.id'))) AS record "
    "FROM winner WHERE feed = 'job_canceled_logs' AND alive(record) GROUP BY 1",
    "CREATE TEMP TABLE tag AS SELECT num(record, '$.id') AS id, record->>'$.name' AS name FROM reference "
    "WHERE feed = 'tag_types' AND record->>'$.name' IS NOT NULL",
    "CREATE TEMP TABLE customer_tag AS SELECT DISTINCT c.root, c.commercial, t.name FROM (SELECT root, commercial, "
    "unnest((record->'$.tagTypeIds')::BIGINT[]) AS id FROM customer) c JOIN tag t USING (id)",
    "CREATE TEMP TABLE job_tag AS SELECT DISTINCT j.root, j.job, t.name FROM (SELECT root, id AS job, "
    "unnest((record->'$.tagTypeIds')::BIGINT[]) AS id FROM job) j JOIN tag t USING (id)",
    "CREATE TEMP TABLE deal AS SELECT j.root, j.id, j.created, j.commercial, j.status, "  # noqa: S608
    "round(coalesce(b.total, (j.record->>'$.total')::DECIMAL(18, 4), 0), 2) AS value, "
    "CASE WHEN b.total IS NULL THEN 'No invoice' WHEN b.total < 0 THEN 'Credit' "
    "WHEN b.total > 0 AND coalesce(p.paid, 0) <= 0 THEN 'Unpaid' "
    "WHEN b.total > 0 AND p.paid < b.total THEN 'Partially paid' ELSE 'Paid' END AS payment, "
    "CASE j.status WHEN 'Completed' THEN moment(j.record->>'$.completedOn') END AS won, "
    "CASE j.status WHEN 'Canceled' THEN moment(c.record->>'$.createdOn') END AS lost, "
    "CASE j.status WHEN 'Canceled' THEN coalesce(word(r.record, '$.name'), word(c.record, '$.memo')) END AS reason, "
    "word(k.record, '$.name') AS kind, l.technician, m.email, "
    "coalesce((SELECT clean(f->>'$.value') FROM (SELECT unnest((j.record->'$.customFields')::JSON[]) AS f) "
    f"WHERE lower(clean(f->>'$.name')) = lower('{PRIORITY_FIELD}') AND clean(f->>'$.value') IS NOT NULL LIMIT 1), "
    "word(j.record, '$.priority')) AS priority FROM job j LEFT JOIN bill b ON b.job = j.id "
    "LEFT JOIN paid p ON p.job = j.id LEFT JOIN canceled c ON c.job = j.id LEFT JOIN lead l ON l.job = j.id "
    "LEFT JOIN mail m ON m.id = l.technician "
    "LEFT JOIN reference k ON k.feed = 'job_types' AND num(k.record, '$.id') = num(j.record, '$.jobTypeId') "
    "LEFT JOIN reference r ON r.feed = 'job_cancel_reasons' AND num(r.record, '$.id') = num(c.record, '$.reasonId')",
    "CREATE TEMP TABLE act AS SELECT v.*, stands AND begins IS NOT NULL AND ends IS NOT NULL AS meets, "
    "CASE WHEN stands AND ticks(ends) >= ticks(begins) "
    "THEN least((ticks(ends) - ticks(begins)) // 600000000, 1439) ELSE 0 END AS minutes, "
    "replace(left(moment(begins), 10), 'T', ' ') || ' ' "
    "|| CASE WHEN stands THEN substr(moment(begins), 12, 5) ELSE '-' END AS due, "
    "CASE WHEN o.technician IS NOT NULL THEN m.email ELSE d.email END AS email FROM visit v "
    "LEFT JOIN visit_lead o ON o.visit = v.id LEFT JOIN mail m ON m.id = o.technician LEFT JOIN deal d ON d.id = v.job",
)
"""The tenant as the road should see it, one table a step."""


def _sum(table: str, entity: str, measure: str, value: str, where: str = "true") -> str:
    return (
        f"SELECT root, '{entity}' AS entity, '{measure}' AS measure, sum({value})::BIGINT::VARCHAR AS value "  # noqa: S608
        f"FROM {table} WHERE {where} GROUP BY root HAVING sum({value}) <> 0"
    )


def _each(table: str, entity: str, measure: str, name: str, where: str = "true") -> str:
    return (
        f"SELECT root, '{entity}', '{measure} ' || {name}, count(*)::VARCHAR FROM {table} "  # noqa: S608
        f"WHERE {name} IS NOT NULL AND {where} GROUP BY root, {name}"
    )


def _ends(table: str, entity: str, measure: str, value: str, where: str = "true") -> tuple[str, str]:
    return tuple(  # type: ignore[return-value]
        f"SELECT root, '{entity}', '{word} {measure}', {function}({value}) FROM {table} "  # noqa: S608
        f"WHERE {value} IS NOT NULL AND {where} GROUP BY root"
        for word, function in (("first", "min"), ("last", "max"))
    )


_STATUS = (
    "CASE WHEN status = 'Completed' THEN 'won' WHEN status = 'Canceled' THEN 'lost' "
    "WHEN status IN ('Scheduled', 'Dispatched', 'InProgress', 'Hold') THEN 'open' ELSE status END"
)
_STAGE = "CASE status WHEN 'InProgress' THEN 'In Progress' ELSE status END"
_SITES = (
    "(SELECT c.root, c.commercial, count(s.id) + (c.line IS NOT NULL AND NOT coalesce(bool_or("
    "folded(s.line) = folded(c.line)), false))::INT AS sites FROM customer c LEFT JOIN site s "
    "ON s.root = c.root AND coalesce(s.line, s.name) IS NOT NULL GROUP BY c.root, c.commercial, c.line)"
)
_POINTS = (
    "(SELECT DISTINCT c.root, p.site, c.kind, c.key FROM contact c LEFT JOIN site_person p "
    "ON p.root = c.root AND p.site = c.site WHERE c.site IS NULL OR NOT c.commercial OR p.site IS NOT NULL)"
)
_CREATED = tuple(
    (table, entity, where)
    for table, entity, where in (
        ("customer", "organizations", "commercial"),
        ("person", "persons", "true"),
        ("deal", "deals", "true"),
    )
)

MEASURES = (
    _sum("customer", "organizations", "count", "1", "commercial"),
    _sum("person", "persons", "count", "1"),
    _sum("deal", "deals", "count", "1"),
    _sum("act", "activities", "count", "1"),
    _sum(_SITES, "organizations", "sites", "sites", "commercial"),
    _sum(_SITES, "persons", "sites", "sites", "NOT commercial"),
    _sum("person", "persons", "edges org_id", "1", "commercial"),
    _sum("deal", "deals", "edges org_id", "1", "commercial"),
    _sum("act", "activities", "edges org_id", "1", "commercial"),
    _sum("deal", "deals", "edges person_id", "1"),
    _sum("act", "activities", "edges deal_id", "1"),
    _sum(
        "(SELECT a.root, 1 + (p.site IS NOT NULL)::INT AS n FROM act a LEFT JOIN site_person p USING (root, site))",
        "activities",
        "participants",
        "n",
    ),
    _sum(_POINTS, "persons", "emails", "1", "kind = 'emails'"),
    _sum(_POINTS, "persons", "phones", "1", "kind = 'phones'"),
    _each("customer_tag", "organizations", "label", "name", "commercial"),
    _each("customer_tag", "persons", "label", "name"),
    _each("job_tag", "deals", "label", "name"),
    *(sql for table, entity, where in _CREATED for sql in _ends(table, entity, "created", "created", where)),
    *(
        sql
        for table, entity, where in _CREATED
        for sql in _ends(table, entity, "created date", "left(created, 10)", where)
    ),
    _sum("deal", "deals", "value in cents", "value * 100"),
    _sum("deal", "deals", "invoiced in cents", "value * 100"),
    *_ends("deal", "deals", "won_time", "won"),
    *_ends("deal", "deals", "lost_time", "lost"),
    _each("deal", "deals", "status", _STATUS),
    _each("deal", "deals", "stage_id", _STAGE),
    _each("deal", "deals", "Job_Type__c", "kind"),
    _each("deal", "deals", "Dispatch_Pro_Priority__c", "priority"),
    _each("deal", "deals", "Payment_Status__c", "payment"),
    _each("deal", "deals", "lost_reason", "reason"),
    _each("deal", "deals", "technician", "technician"),
    _each("deal", "deals", "owner", "email"),
    _sum(
        "(SELECT DISTINCT d.root, d.id, u.technician FROM deal d JOIN duty u ON u.job = d.id "
        "WHERE u.technician IS DISTINCT FROM d.technician)",
        "deals",
        "other technicians",
        "1",
    ),
    _sum("act", "activities", "done", "1", "status IN ('Done', 'Canceled')"),
    _sum("act", "activities", "minutes", "minutes", "minutes IS NOT NULL"),
    _sum(
        "(SELECT a.root FROM act a JOIN site s ON s.root = a.root AND s.id = a.site WHERE s.line IS NOT NULL)",
        "activities",
        "with place",
        "1",
    ),
    *_ends("act", "activities", "due", "due"),
    _each("act", "activities", "type", "CASE WHEN meets THEN 'meeting' ELSE 'task' END"),
    _each("act", "activities", "owner", "email"),
)
"""One SELECT a measure; all have the columns root, entity, measure, value."""
