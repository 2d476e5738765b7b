"""What does a profile tell that stands in no single record? States and classes worked out across feeds.

    ("jobs", "payment_state")        the five states of a job's invoices, by the rule of the deals' payment status
    ("locations", "per_customer")    sites a customer: 1, 2, 3, 4, 5–10, 11+; counted are customers after merges
    (feed, "carried_as")             what the records become; those without a value give no record of their own
    (feed, "brings")                 records that come on top: files for pictures in a text, a note to show them
    ("job_attachments", "size_class") files by their size, ("job_attachments", "bytes"): what of it is "known",
                                     and ("job_attachments", "kind"): files to move by ending and size

Of each feed only the columns are kept that these need: numbers, and of contacts a hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import duckdb
import pyarrow as pa

from dispatch_to_pipedrive.dispatch_pro.placement.build import ends_of_merges

PAYMENT_STATES = ("No invoice", "Unpaid", "Partially paid", "Paid", "Credit")
SITE_CLASSES = ("1", "2", "3", "4", "5–10", "11+")
ORGANIZATION, PERSON = "organization and person", "person"
OPEN_DEAL, CLOSED_DEAL = "open deal", "won or lost deal"
ACTIVITY = "activity"
FILE, NOTE = "file", "note"
SIZE_CLASSES = ("up to 1 MB", "1 to 5 MB", "5 to 25 MB", "above 25 MB", "not known")
EMPTY = "empty"
KNOWN = "known"
MOST_KINDS = 100
"""Kinds of files that a profile names, the most frequent: whatever stands behind a last dot may be an ending."""

_CONTACT = ("active", "type", "value", "phone_settings_phone_number")
NEEDED: Mapping[str, tuple[str, ...]] = {
    "customers": ("type",),
    "customer_contacts": _CONTACT,
    "locations": ("merged_to_id",),
    "location_contacts": (*_CONTACT, "location_id"),
    "jobs": ("active", "job_status", "summary"),
    "appointments": ("active", "job_id"),
    "invoices": ("active", "job_id", "total"),
    "payments": ("active",),
    "job_notes": ("active", "job_id", "text"),
    "calls": ("active",),
    "job_attachments": ("job_id", "file_name", "size", "sha256"),
    "customer_notes": ("text",),
    "location_notes": ("text",),
    "named_contacts": ("customer_id", "is_archived", "is_gone"),
}
"""Columns of `profiled` that must hold the values themselves."""

Row = tuple[str | None, int, int, int]
"""value, count, distinct, records."""

# Equal for equal contacts: e-mails but for case, phones by their digits.
_POINTS = """
SELECT root, {location} AS location_id,
       hash(kind, CASE WHEN kind = 'phone' AND digits <> '' THEN digits ELSE lower(text) END) AS point
FROM (
    SELECT *, regexp_replace(text, '[^0-9]', '', 'g') AS digits,
           CASE WHEN lower(type) = 'email' THEN 'email'
                WHEN lower(type) IN ('phone', 'mobilephone', 'fax') THEN 'phone' END AS kind
    FROM (SELECT *, coalesce(trim(value), trim(phone_settings_phone_number)) AS text FROM profiled)
)
WHERE active IS DISTINCT FROM 'false' AND kind IS NOT NULL AND text IS NOT NULL
"""
_PICTURES = (
    "len(list_distinct(regexp_extract_all({text}, "
    "'<img\\b[^<>]*?\\bsrc\\s*=\\s*[\"'']?\\s*([^\"''<>\\s?#]+)', 1, 'i')))"
)
_NOTES = (
    "SELECT root, {job} AS job_id, {active} AS active, text IS NOT NULL AS filled, "  # noqa: S608  (our own names)
    "coalesce(" + _PICTURES.format(text="text") + ", 0) AS pictures FROM profiled"
)
_FACTS: Mapping[str, str] = {
    "customers": "SELECT id, root, lower(type) = 'commercial' AS commercial FROM profiled",
    "customer_contacts": _POINTS.format(location="NULL::BIGINT"),
    "locations": "SELECT id, root, TRY_CAST(merged_to_id AS BIGINT) AS merged_to_id FROM profiled",
    "location_contacts": _POINTS.format(location="TRY_CAST(location_id AS BIGINT)"),
    "jobs": "SELECT id, root, active IS DISTINCT FROM 'false' AS active, "  # noqa: S608
    "lower(job_status) IN ('completed', 'canceled') AS closed, "
    "coalesce(" + _PICTURES.format(text="summary") + ", 0) AS pictures FROM profiled",
    "appointments": "SELECT TRY_CAST(job_id AS BIGINT) AS job_id, active IS DISTINCT FROM 'false' AS active "
    "FROM profiled",
    "invoices": "SELECT id, TRY_CAST(job_id AS BIGINT) AS job_id, TRY_CAST(total AS DECIMAL(18, 4)) AS total "
    "FROM profiled WHERE active IS DISTINCT FROM 'false' AND job_id IS NOT NULL",
    "payments": 'SELECT TRY_CAST(a."appliedTo" AS BIGINT) AS invoice_id, '
    'TRY_CAST(a."appliedAmount" AS DECIMAL(18, 4)) AS amount '
    "FROM (SELECT unnest(applied_to) AS a FROM profiled WHERE active IS DISTINCT FROM 'false')",
    "job_notes": _NOTES.format(job="TRY_CAST(job_id AS BIGINT)", active="active IS DISTINCT FROM 'false'"),
    "customer_notes": _NOTES.format(job="NULL::BIGINT", active="true"),
    "location_notes": _NOTES.format(job="NULL::BIGINT", active="true"),
    "calls": "SELECT root, active IS DISTINCT FROM 'false' AS active FROM profiled",
    "emails": "SELECT root, true AS active FROM profiled",
    "named_contacts": "SELECT root, customer_id IS NOT NULL AS of_customer, "
    "coalesce(is_archived = 'true', false) OR coalesce(is_gone = 'true', false) AS archived FROM profiled",
    # Only of a file that is too large to move the hash is known beforehand.
    "job_attachments": "SELECT TRY_CAST(job_id AS BIGINT) AS job_id, TRY_CAST(size AS BIGINT) AS size, "
    "sha256 IS NOT NULL AS oversized, regexp_extract(lower(file_name), '[.]([a-z][a-z0-9]{1,4})$', 1) AS ending "
    "FROM profiled",
}
_MADE = "SELECT root FROM customers_facts WHERE id = root"
_DEALS = f"SELECT j.* FROM jobs_facts j SEMI JOIN ({_MADE}) c ON c.root = j.root WHERE j.active"  # noqa: S608

_STATES = """
WITH received AS (
    SELECT i.job_id, sum(coalesce(a.amount, 0)) AS amount
    FROM payments_facts a JOIN invoices_facts i ON i.id = a.invoice_id GROUP BY 1
), billed AS (
    SELECT job_id, sum(coalesce(total, 0)) AS total FROM invoices_facts GROUP BY 1
)
SELECT CASE
    WHEN b.job_id IS NULL THEN 'No invoice'
    WHEN b.total < 0 THEN 'Credit'
    WHEN b.total > 0 AND coalesce(r.amount, 0) <= 0 THEN 'Unpaid'
    WHEN b.total > 0 AND r.amount < b.total THEN 'Partially paid'
    ELSE 'Paid' END, count(*)
FROM jobs_facts j LEFT JOIN billed b ON b.job_id = j.id LEFT JOIN received r ON r.job_id = j.id
GROUP BY 1
"""
_SITES = """
SELECT CASE WHEN s.sites IS NULL THEN NULL WHEN s.sites <= 4 THEN s.sites::VARCHAR
            WHEN s.sites <= 10 THEN '5–10' ELSE '11+' END, count(*)
FROM (SELECT root FROM customers_facts WHERE id = root) c
LEFT JOIN (SELECT root, count(*) AS sites FROM locations_facts WHERE merged_to_id IS NULL GROUP BY 1) s USING (root)
GROUP BY 1
"""
_CARRIED: Mapping[str, str] = {
    "customers": f"""
SELECT CASE WHEN id <> root THEN NULL WHEN commercial THEN '{ORGANIZATION}' ELSE '{PERSON}' END, count(*)
FROM customers_facts GROUP BY 1
""",  # noqa: S608
    "locations": f"""
WITH theirs AS (
    SELECT p.root, coalesce(m.survivor, p.location_id) AS location_id, p.point
    FROM location_contacts_facts p LEFT JOIN survivors m ON m.id = p.location_id
), persons AS (
    SELECT DISTINCT t.location_id AS id
    FROM theirs t
    SEMI JOIN (SELECT root FROM customers_facts WHERE id = root AND commercial) c ON c.root = t.root
    ANTI JOIN customer_contacts_facts o ON o.root = t.root AND o.point = t.point
)
SELECT CASE WHEN p.id IS NOT NULL THEN '{PERSON}' END, count(*)
FROM locations_facts l LEFT JOIN persons p USING (id) GROUP BY 1
""",  # noqa: S608
    "jobs": f"""
SELECT CASE WHEN c.root IS NULL THEN NULL WHEN j.closed THEN '{CLOSED_DEAL}' ELSE '{OPEN_DEAL}' END, count(*)
FROM jobs_facts j LEFT JOIN (SELECT root FROM customers_facts WHERE id = root) c ON c.root = j.root AND j.active
GROUP BY 1
""",  # noqa: S608
    "appointments": f"""
SELECT CASE WHEN j.id IS NOT NULL THEN '{ACTIVITY}' END, count(*)
FROM appointments_facts a
LEFT JOIN (
    SELECT j.id FROM jobs_facts j SEMI JOIN (SELECT root FROM customers_facts WHERE id = root) c ON c.root = j.root
    WHERE j.active
) j ON j.id = a.job_id AND a.active
GROUP BY 1
""",  # noqa: S608
}
_NOTE_FEEDS = ("job_notes", "customer_notes", "location_notes")
_TALK = f"""
SELECT CASE WHEN c.root IS NOT NULL AND t.active THEN '{ACTIVITY}' END, count(*)
FROM {{feed}}_facts t LEFT JOIN ({_MADE}) c ON c.root = t.root GROUP BY 1
"""  # noqa: S608
_CARRIED_NOTES = f"""
SELECT CASE WHEN c.root IS NOT NULL AND n.active AND n.filled AND (n.job_id IS NULL OR j.id IS NOT NULL)
       THEN '{NOTE}' END, count(*)
FROM {{feed}}_facts n LEFT JOIN ({_MADE}) c ON c.root = n.root LEFT JOIN ({_DEALS}) j ON j.id = n.job_id GROUP BY 1
"""  # noqa: S608
_PICTURES_OF_NOTES = f"""
SELECT '{FILE}', coalesce(sum(n.pictures), 0)::BIGINT
FROM {{feed}}_facts n SEMI JOIN ({_MADE}) c ON c.root = n.root LEFT JOIN ({_DEALS}) j ON j.id = n.job_id
WHERE n.active AND (n.job_id IS NULL OR j.id IS NOT NULL)
"""  # noqa: S608
_PICTURES_OF_JOBS = f"""
SELECT '{FILE}', coalesce(sum(pictures), 0)::BIGINT FROM ({_DEALS}) UNION ALL
SELECT '{NOTE}', count(*) FILTER (pictures > 0) FROM ({_DEALS})
"""  # noqa: S608
_CARRIED_FILES = f"""
SELECT CASE WHEN j.id IS NULL THEN NULL WHEN f.oversized THEN '{NOTE}' ELSE '{FILE}' END, count(*)
FROM job_attachments_facts f LEFT JOIN ({_DEALS}) j ON j.id = f.job_id GROUP BY 1
"""  # noqa: S608
# A customer's first contact gives the customer's person its name; each further one is a person of its own.
_CARRIED_CONTACTS = f"""
WITH kept AS (
    SELECT t.* FROM named_contacts_facts t SEMI JOIN ({_MADE}) c ON c.root = t.root WHERE NOT t.archived
), persons AS (SELECT count(*) - count(DISTINCT root) FILTER (of_customer) AS number FROM kept)
SELECT '{PERSON}', number FROM persons UNION ALL
SELECT NULL, (SELECT count(*) FROM named_contacts_facts) - number FROM persons
"""  # noqa: S608
_OF_SIZE = f"""
CASE WHEN size IS NULL THEN '{SIZE_CLASSES[4]}' WHEN size <= 1000000 THEN '{SIZE_CLASSES[0]}'
     WHEN size <= 5000000 THEN '{SIZE_CLASSES[1]}' WHEN size <= 25000000 THEN '{SIZE_CLASSES[2]}'
     ELSE '{SIZE_CLASSES[3]}' END
"""
_SIZE_CLASS = f"SELECT {_OF_SIZE}, count(*) FROM job_attachments_facts GROUP BY 1"  # noqa: S608
_KINDS = f"""
SELECT f.ending || ', ' || CASE WHEN size = 0 THEN '{EMPTY}' ELSE {_OF_SIZE} END, count(*)
FROM job_attachments_facts f SEMI JOIN ({_DEALS}) j ON j.id = f.job_id WHERE NOT f.oversized
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_KINDS}
"""  # noqa: S608
_BYTES = f"""
SELECT '{KNOWN}', coalesce(sum(f.size), 0)::BIGINT
FROM job_attachments_facts f SEMI JOIN ({_DEALS}) j ON j.id = f.job_id WHERE NOT f.oversized
"""  # noqa: S608
_BESIDE: tuple[tuple[str, str, str], ...] = (
    ("job_attachments", "carried_as", _CARRIED_FILES),
    *((feed, "carried_as", _CARRIED_NOTES.format(feed=feed)) for feed in _NOTE_FEEDS),
    *((feed, "carried_as", _TALK.format(feed=feed)) for feed in ("calls", "emails")),
    ("named_contacts", "carried_as", _CARRIED_CONTACTS),
    ("jobs", "brings", _PICTURES_OF_JOBS),
    *((feed, "brings", _PICTURES_OF_NOTES.format(feed=feed)) for feed in _NOTE_FEEDS),
    ("job_attachments", "size_class", _SIZE_CLASS),
    ("job_attachments", "bytes", _BYTES),
)
"""Feed, field, and SQL for (value, count): files, notes, calls and e-mails, and what texts bring along."""
_ORDER = (ORGANIZATION, PERSON, OPEN_DEAL, CLOSED_DEAL, ACTIVITY, FILE, NOTE, *SIZE_CLASSES, KNOWN)


def remember(connection: duckdb.DuckDBPyConnection, feed: str) -> None:
    """Keep of the feed that stands in `profiled` what the derived fields need."""
    if feed in _FACTS:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {feed}_facts AS {_FACTS[feed]}")


def derived(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str, list[Row]]]:
    """(feed, field, rows) of each derived field, when every feed has been remembered."""
    _keep_survivors(connection)
    yield "jobs", "payment_state", _rows(connection, _STATES, PAYMENT_STATES)
    yield "locations", "per_customer", _rows(connection, _SITES, SITE_CLASSES)
    for feed, query in _CARRIED.items():
        yield feed, "carried_as", _rows(connection, query, _ORDER)
    for feed, field, query in _BESIDE:
        yield feed, field, _rows(connection, query, _ORDER)
    kinds = connection.execute(_KINDS).fetchall()
    yield (
        "job_attachments",
        "kind",
        _rows(connection, _KINDS, [kind for kind, _ in kinds if kind is not None]),
    )


def _keep_survivors(connection: duckdb.DuckDBPyConnection) -> None:
    """The table `survivors`: for each merged location the one at the end of its merges."""
    merged = connection.execute(
        "SELECT id, merged_to_id FROM locations_facts WHERE merged_to_id IS NOT NULL"
    ).fetchall()
    ends = ends_of_merges(dict(merged))
    incoming = pa.table(
        {
            "id": pa.array(list(ends), pa.int64()),
            "survivor": pa.array(list(ends.values()), pa.int64()),
        }
    )
    connection.register("incoming", incoming)
    connection.execute("CREATE OR REPLACE TEMP TABLE survivors AS SELECT * FROM incoming")
    connection.unregister("incoming")


def _rows(connection: duckdb.DuckDBPyConnection, query: str, classes: Sequence[str]) -> list[Row]:
    counts = dict(connection.execute(query).fetchall())
    there = [name for name in classes if counts.get(name)]
    records = sum(counts.values())
    lacking: Row = (None, counts.get(None, 0), len(there), records)
    return [lacking, *((name, counts[name], len(there), records) for name in there)]
