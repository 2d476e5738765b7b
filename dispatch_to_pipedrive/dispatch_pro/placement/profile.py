"""What is in the tenant? For each field how many records have it, how many values it has, and which come most often.

One tidy frame: feed, field, value, count, distinct, records. Every field has one row without a value, which counts the
records that lack it; the others are its most frequent values. Fields whose values say nothing about the tenant as a
whole (names, texts, times, numbers) have that one row only. Counted are winning versions, inactive ones included, that
have a root; each feed is read once, and no more of it is held than DuckDB may hold.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.feeds import CUSTOM_FIELD_DEFINITIONS, REFERENCE, ROOT_BOUND
from dispatch_to_pipedrive.dispatch_pro.placement.derived import NEEDED, derived, remember
from dispatch_to_pipedrive.dispatch_pro.placement.engine import engine, parquet
from dispatch_to_pipedrive.dispatch_pro.placement.index import CommittedSegment, Index, read_index
from dispatch_to_pipedrive.dispatch_pro.placement.read import read_reference
from dispatch_to_pipedrive.dispatch_pro.placement.winning import view_winning
from dispatch_to_pipedrive.dispatch_pro.records import snake, wire_shape
from dispatch_to_pipedrive.dispatch_pro.shapes import READINGS, SHAPES, Kind, Shape

MOST_VALUES = 200
COLUMNS = ("feed", "field", "value", "count", "distinct", "records")
Row = tuple[str, str, str | None, int, int, int]

_VALUES: Mapping[str, tuple[str, ...]] = {
    "customers": (
        *("active", "type", "tax_exempt", "do_not_mail", "do_not_service", "national_account"),
        *("address_state", "address_country"),
    ),
    "customer_contacts": ("active", "type"),
    "locations": ("active", "tax_exempt", "address_state", "address_country"),
    "location_contacts": ("active", "type"),
    "jobs": (
        *("active", "job_status", "priority", "job_type_id", "business_unit_id", "sold_by_id"),
        *("no_charge", "is_auto_dispatched"),
    ),
    "appointments": ("active", "unused", "is_confirmed", "status"),
    "appointment_assignments": ("active", "status", "technician_id"),
    "job_timesheets": ("active", "technician_id"),
    "job_notes": ("active", "is_pinned"),
    "job_canceled_logs": ("active", "reason_id"),
    "calls": ("active", "direction", "status", "type", "reason_name", "campaign_name"),
    "invoices": (
        *("active", "sync_status", "sent_status", "review_status", "term_name"),
        *("invoice_type_name", "business_unit_name"),
    ),
    "payments": ("active", "type", "sync_status"),
    "job_attachments": ("media_type", "problem"),
    "customer_notes": ("is_pinned",),
    "location_notes": ("is_pinned",),
    "named_contacts": ("is_archived",),
    "emails": ("matched_by",),
    "job_types": ("active", "name", "class", "priority", "is_smart_dispatched", "no_charge"),
    "technicians": ("active", "status", "team", "business_unit_id", "is_managed_tech"),
    "business_units": ("active", "name", "currency"),
    "tag_types": ("active", "name", "importance"),
    "job_cancel_reasons": ("active", "name"),
    "job_hold_reasons": ("active", "name"),
    "teams": ("active", "name"),
    "technician_skills": ("active", "name"),
}
"""Fields whose values stand as rows."""

_MISSING_ONLY: Mapping[str, tuple[str, ...]] = {"technicians": ("email",)}
"""Fields of reference records of which it matters whether they are filled."""

_NAMED: Mapping[str, str] = {
    "job_type_id": "job_types",
    "business_unit_id": "business_units",
    "technician_id": "technicians",
    "sold_by_id": "technicians",
    "reason_id": "job_cancel_reasons",
    "tag_type_ids": "tag_types",
}
"""Ids that stand as names, and the feed that knows them."""

_COUNTED_ONLY = ("employees", "zones", "technician_shifts")
"""Reference feeds of which nothing but the number matters; shifts are many."""

_MORE: Mapping[str, Mapping[str, Any]] = {"invoices": {"items": [{"id": "VARCHAR"}]}}
"""What is read of records for counting alone, in DuckDB's notation."""


def source_profile(data: UPath, segments: Iterable[CommittedSegment], generation: int) -> pd.DataFrame:
    """The profile of a tenant as of a generation; the frame's columns are `COLUMNS`, its rows sorted.

    `segments` are the committed ones, those of later generations are passed over. Ids of job types, business units,
    tags, technicians and cancel reasons stand as their names. On top come the fields of `derived`, and
    ("invoices.items", "id"), whose distinct is the number of items. Raises PlacementMissing.
    """
    return _tidy(_rows(data, [one for one in segments if one.generation <= generation], generation))


def _rows(data: UPath, committed: Sequence[CommittedSegment], generation: int) -> Iterator[Row]:
    index = read_index(data, generation)
    named = [feed for feed in REFERENCE if feed not in _COUNTED_ONLY]
    reference = read_reference(data, committed, generation, named)
    for feed in named:
        if feed in _VALUES:
            yield from _of_reference(feed, reference)
    with engine(data) as connection:
        _keep_names(connection, reference)
        for feed in _COUNTED_ONLY:
            yield from _counted(connection, data, feed, committed)
        for feed in ROOT_BOUND:
            _read(connection, data, index, feed)
            yield from _of_feed(connection, feed, reference)
            remember(connection, feed)
        for feed, field, rows in derived(connection):
            yield from ((feed, field, *row) for row in rows)


def _read(connection: duckdb.DuckDBPyConnection, data: UPath, index: Index, feed: str) -> None:
    """The table `profiled`: id, root and one column a field; values as text, of the rest only what tells them apart."""
    view_winning(connection, data, index, feed)
    columns = ", ".join(_expressions(feed))
    structure = json.dumps({**_structure(wire_shape(feed)), **_MORE.get(feed, {})})
    rows = f"SELECT id, root, json_transform(record, '{structure}') AS r FROM winning"  # noqa: S608  (our own names)
    if feed in READINGS:
        rows = _items(feed, rows)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE profiled AS SELECT id, root, {columns} FROM ({rows})"  # noqa: S608
    )


def _items(feed: str, rows: str) -> str:
    """SQL for id, root and fields of each item of the readings in `rows`, and what was found out about it."""
    of = READINGS[feed]
    where = {name: "item" if name in of.item else "fact" for name in SHAPES[feed]} | {of.parent: ""}
    packed = ", ".join(
        f"'{name}': {place}.\"{name}\"" if place else f"'{name}': id::VARCHAR"
        for name, place in where.items()
    )
    fact = "NULL" if of.facts is None else "list_filter(r.facts, lambda f: f.id = item.id)[1]"
    return (
        f"SELECT item.id::BIGINT AS id, root, {{{packed}}} AS r "  # noqa: S608
        f"FROM (SELECT *, {fact} AS fact FROM (SELECT *, unnest(r.items) AS item FROM ({rows})))"
    )


def _structure(shape: Shape) -> dict[str, Any]:
    """The shape in the notation of DuckDB's json_transform; every plain value is text."""
    found: dict[str, Any] = {}
    for name, field in shape.items():
        if isinstance(field, Kind):
            found[name] = "VARCHAR"
        elif isinstance(field, list):
            inner = field[0]
            found[name] = ["VARCHAR" if isinstance(inner, Kind) else _structure(inner)]
        else:
            found[name] = _structure(field)
    return found


def _plain(shape: Shape, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...], Kind]]:
    """(column, where it stands in the record, kind) of every field that is no list."""
    for name, field in shape.items():
        place = (*prefix, name)
        if isinstance(field, Kind):
            yield "_".join(map(snake, place)), place, field
        elif not isinstance(field, list):
            yield from _plain(field, place)


def _lists(feed: str) -> list[str]:
    """The lists of the feed's records that are profiled, as they stand in the JSON."""
    return [name for name in SHAPES[feed] if name in ("customFields", "tagTypeIds", "appliedTo")]


def _fields(feed: str) -> list[str]:
    return [column for column, _, _ in _plain(SHAPES[feed]) if column != "id"]


def _expressions(feed: str) -> Iterator[str]:
    shown = {*_VALUES.get(feed, ()), *NEEDED.get(feed, ())}
    for column, place, kind in _plain(SHAPES[feed]):
        if column == "id":
            continue
        value = "r." + ".".join(f'"{name}"' for name in place)
        if kind.name == "id":
            value = f"nullif({value}, '0')"  # the vendor writes 0 where it means none
        kept = value if column in shown else f"hash({value})"
        yield f"CASE WHEN trim({value}) <> '' THEN {kept} END AS \"{column}\""
    for name in (*_lists(feed), *_MORE.get(feed, {})):
        yield f'r."{name}" AS "{snake(name)}"'


def _of_feed(
    connection: duckdb.DuckDBPyConnection, feed: str, reference: Mapping[str, pd.DataFrame]
) -> Iterator[Row]:
    (records,) = connection.execute("SELECT count(*) FROM profiled").fetchall()[0]
    shown = _VALUES.get(feed, ())
    for column in shown:
        yield from _values(connection, feed, column, _by_column(column), records)
    rest = [column for column in _fields(feed) if column not in shown]
    for start in range(0, len(rest), _AT_ONCE):
        columns = rest[start : start + _AT_ONCE]
        asked = ", ".join(f'count("{column}"), count(DISTINCT "{column}")' for column in columns)
        numbers = connection.execute(f"SELECT {asked} FROM profiled").fetchall()[0]  # noqa: S608
        for column, filled, distinct in zip(columns, numbers[::2], numbers[1::2], strict=True):
            yield (feed, column, None, records - filled, distinct, records)
    for name in _lists(feed):
        if name == "customFields":
            yield from _custom_fields(connection, feed, records, reference)
        elif name == "tagTypeIds":
            yield from _values(connection, f"{feed}.tag_type_ids", "value", _TAGS, records)
    if feed == "invoices":
        filled, items = connection.execute(_ITEMS).fetchall()[0]
        yield ("invoices.items", "id", None, records - filled, items or 0, records)


_AT_ONCE = 6
"""Fields whose different values are counted in one query: each takes memory of its own."""


def _by_column(column: str) -> str:
    """SQL for the rows (id, value) of a field, ids as names."""
    if feed := _NAMED.get(column):
        named = f"""coalesce(n.name, '#' || "{column}")"""
        return (
            f"""SELECT p.id, CASE WHEN "{column}" IS NOT NULL THEN {named} END AS value """  # noqa: S608
            f"""FROM profiled p LEFT JOIN names n ON n.feed = '{feed}' AND n.id = TRY_CAST("{column}" AS BIGINT)"""
        )
    return f'SELECT id, "{column}" AS value FROM profiled'  # noqa: S608


_TAGS = """
SELECT t.id, coalesce(n.name, '#' || t.tag) AS value
FROM (SELECT DISTINCT id, unnest(tag_type_ids) AS tag FROM profiled) t
LEFT JOIN names n ON n.feed = 'tag_types' AND n.id = TRY_CAST(t.tag AS BIGINT)
"""
_ITEMS = "SELECT count(*) FILTER (len(items) > 0), sum(coalesce(len(items), 0))::BIGINT FROM profiled"
_COUNTED = """
WITH counted AS (SELECT value, count(DISTINCT id) AS number FROM ({rows}) WHERE value IS NOT NULL GROUP BY value),
     holders AS (SELECT count(DISTINCT id) AS number FROM ({rows}) WHERE value IS NOT NULL)
SELECT c.value, c.number, count(*) OVER (), h.number FROM counted c, holders h
ORDER BY c.number DESC, c.value LIMIT {most}
"""
_CUSTOM = """
WITH worn AS (
    SELECT DISTINCT id, coalesce(f.name, '(without a name)') AS field, f.value
    FROM (SELECT id, unnest(custom_fields) AS f FROM profiled)
    WHERE trim(f.value) <> ''
), counted AS (
    SELECT field, value, count(*) AS count FROM worn GROUP BY ALL
), holders AS (
    SELECT field, count(DISTINCT id) AS holders FROM worn GROUP BY field
)
SELECT field, value, count, count(*) OVER (PARTITION BY field) AS different, holders
FROM counted JOIN holders USING (field)
QUALIFY row_number() OVER (PARTITION BY field ORDER BY count DESC, value) <= $most
"""


def _values(
    connection: duckdb.DuckDBPyConnection, feed: str, field: str, rows: str, records: int
) -> Iterator[Row]:
    """The rows of one field, from SQL for (id, value); a record may have several."""
    found = connection.execute(_COUNTED.format(rows=rows, most=MOST_VALUES)).fetchall()
    distinct, filled = (found[0][2], found[0][3]) if found else (0, 0)
    yield (feed, field, None, records - filled, distinct, records)
    for value, number, *_ in found:
        yield (feed, field, value, number, distinct, records)


def _custom_fields(
    connection: duckdb.DuckDBPyConnection, feed: str, records: int, reference: Mapping[str, pd.DataFrame]
) -> Iterator[Row]:
    """The custom fields of a feed: those that records have, and those that are defined and nobody filled."""
    name = f"{feed}.custom_fields"
    filled: dict[str, tuple[int, int]] = {}
    for field, value, number, different, holders in connection.execute(
        _CUSTOM, {"most": MOST_VALUES}
    ).fetchall():
        filled[field] = (holders, different)
        yield (name, field, value, number, different, records)
    defined = (
        reference[CUSTOM_FIELD_DEFINITIONS[feed]]["name"].dropna() if feed in CUSTOM_FIELD_DEFINITIONS else ()
    )
    for field in dict.fromkeys([*filled, *defined]):
        holders, different = filled.get(field, (0, 0))
        yield (name, field, None, records - holders, different, records)


def _keep_names(connection: duckdb.DuckDBPyConnection, reference: Mapping[str, pd.DataFrame]) -> None:
    """The table `names`: feed, id, name of every reference record that others name by id."""
    known = [
        reference[feed][["id", "name"]].drop_duplicates("id").assign(feed=feed)
        for feed in sorted(set(_NAMED.values()))
    ]
    names = pd.concat(known, ignore_index=True).dropna()
    incoming = pa.table(
        {
            "feed": pa.array(names["feed"], pa.string()),
            "id": pa.array(names["id"], pa.int64()),
            "name": pa.array(names["name"], pa.string()),
        }
    )
    connection.register("incoming", incoming)
    connection.execute("CREATE TEMP TABLE names AS SELECT * FROM incoming")
    connection.unregister("incoming")


_LATEST_FLAG = """
SELECT active, count(*) FROM (
    SELECT s.id, max_by(s.active, (coalesce(s.modified_on, -9223372036854775808), s.position)) AS active
    FROM stored s GROUP BY 1
) GROUP BY 1
"""


def _counted(
    connection: duckdb.DuckDBPyConnection, data: UPath, feed: str, committed: Sequence[CommittedSegment]
) -> Iterator[Row]:
    """The number of active and inactive records of a reference feed, from the keys of its segments alone."""
    files = [data / "raw" / path for path in sorted({x.path for x in committed if x.feed == feed})]
    counts: dict[bool | None, int] = {}
    if files:
        parquet(connection, files).create_view("stored", True)
        counts = dict(connection.execute(_LATEST_FLAG).fetchall())
    records, told = sum(counts.values()), [flag for flag in (True, False) if counts.get(flag)]
    yield (feed, "active", None, counts.get(None, 0), len(told), records)
    for flag in told:
        yield (feed, "active", str(flag).lower(), counts[flag], len(told), records)


def _of_reference(feed: str, reference: Mapping[str, pd.DataFrame]) -> Iterator[Row]:
    """The same rows of a reference feed, which is small enough for a frame."""
    frame = reference[feed]
    for column in _MISSING_ONLY.get(feed, ()):
        yield next(_counts(feed, column, _as_text(frame[column]), len(frame)))
    for column in _VALUES[feed]:
        values = _as_text(frame[column])
        if known := _NAMED.get(column):
            by_id = reference[known].drop_duplicates("id").set_index("id")["name"]
            values = frame[column].map(by_id).astype("string").fillna("#" + values)
        yield from _counts(feed, column, values, len(frame))
    if "customFields" in SHAPES[feed]:
        custom = reference[f"{feed}.custom_fields"].drop_duplicates(["id", "name", "value"])
        custom = custom.assign(value=_as_text(custom["value"]), name=_as_text(custom["name"]))
        for name, rows in custom.groupby(custom["name"].fillna("(without a name)"), sort=True):
            yield from _counts(f"{feed}.custom_fields", str(name), rows["value"], len(frame))


def _counts(feed: str, field: str, values: pd.Series, records: int) -> Iterator[Row]:
    counts = Counter(values.dropna())
    yield (feed, field, None, records - counts.total(), len(counts), records)
    for value, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_VALUES]:
        yield (feed, field, str(value), count, len(counts), records)


def _as_text(values: pd.Series) -> pd.Series:
    text = values.astype("string")
    if values.dtype == pd.BooleanDtype():
        text = text.str.lower()
    return text.where(text.str.strip() != "")


def _tidy(rows: Iterable[Row]) -> pd.DataFrame:
    """One frame in types and order: the row without a value first, then the most frequent values."""
    texts = dict.fromkeys(("feed", "field", "value"), "string")
    numbers = dict.fromkeys(("count", "distinct", "records"), "Int64")
    found = pd.DataFrame(list(rows), columns=list(COLUMNS)).astype({**texts, **numbers})
    found = found.assign(rank=found["value"].notna())
    keys = ["feed", "field", "rank", "count", "value"]
    ordered = found.sort_values(keys, ascending=[True, True, True, False, True], kind="stable")
    return ordered[list(COLUMNS)].reset_index(drop=True)
