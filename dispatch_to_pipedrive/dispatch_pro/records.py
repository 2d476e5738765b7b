"""How verbatim JSON records become typed frames.

One frame per feed, one more per list inside its records. Column names are the vendor's in snake_case, objects
are flattened with "_" (`address.street` → `address_street`, an invoice's `job.id` → `job_id`). A list becomes
the frame "<feed>.<list>" with `id` (of the parent record), `root`, `position` (in the list) and the item's
columns (an id of its own as `item_id`), or `value` for a list of plain values: "jobs.tag_type_ids",
"customers.custom_fields".

Feeds that are read parent by parent have one row for each item of the parents' readings; contacts that the vendor
no longer lists have none, and of what is free for booking only the newest answer counts.

dtypes: ids and counts Int64 (ids that the vendor writes as text: string), text string, flags boolean,
coordinates Float64, money decimal128(18, 4), exact from number or string (further digits are rounded half away
from zero), timestamps the verbatim string. `root` is there for feeds that belong to a customer. A frame exists
with all its columns also without rows.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from dispatch_to_pipedrive.dispatch_pro.errors import BadRecord
from dispatch_to_pipedrive.dispatch_pro.kinds import ID, Kind, Shape
from dispatch_to_pipedrive.dispatch_pro.shapes import READINGS, REFERENCE, ROOT_BOUND, SHAPES

MONEY = pa.decimal128(18, 4)
_WIRE_MONEY = pa.decimal128(38, 10)
_ARROW: Mapping[str, pa.DataType] = {
    "id": pa.int64(),
    "count": pa.int64(),
    "text": pa.string(),
    "time": pa.string(),
    "flag": pa.bool_(),
    "money": _WIRE_MONEY,
    "number": pa.float64(),
}
_PANDAS: Mapping[pa.DataType, Any] = {
    pa.int64(): pd.Int64Dtype(),
    pa.string(): pd.StringDtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.float64(): pd.Float64Dtype(),
    MONEY: pd.ArrowDtype(MONEY),
}
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def snake(name: str) -> str:
    """`appointmentNumber` → `appointment_number`."""
    return _WORD.sub("_", name).lower()


def frame_names(feed: str) -> tuple[str, ...]:
    """The feed's frame and those of its lists, e.g. ("zones", "zones.zips", …)."""
    lists = (f"{feed}.{snake(name)}" for name, field in SHAPES[feed].items() if isinstance(field, list))
    return (feed, *lists)


def empty_frame(frame: str) -> pd.DataFrame:
    """The named frame ("jobs", "jobs.tag_type_ids") with all its columns and no rows."""
    return frames_from_records(frame.partition(".")[0], [], [])[frame]


def empty_frames() -> dict[str, pd.DataFrame]:
    """Every root-bound frame without rows: what an empty batch looks like."""
    return {name: frame for feed in ROOT_BOUND for name, frame in frames_from_records(feed, [], []).items()}


def empty_reference() -> dict[str, pd.DataFrame]:
    """Every reference frame without rows."""
    return {name: frame for feed in REFERENCE for name, frame in frames_from_records(feed, []).items()}


def frames_from_records(
    feed: str, records: Iterable[bytes | str], roots: Sequence[int] | None = None
) -> dict[str, pd.DataFrame]:
    """Typed frames of one feed's records, in the order given.

    `roots` (one for each record) fills the column `root` of a root-bound feed; without them it is empty.
    Raises BadRecord, naming feed, id and field, for a record that does not have the documented shape.
    """
    encoded = [record.encode() if isinstance(record, str) else record for record in records]
    table = read_json(feed, encoded, wire_shape(feed))
    return frames_from_table(feed, table, None if roots is None else pa.array(roots, pa.int64()))


def frames_from_table(feed: str, table: pa.Table, roots: pa.Array | None) -> dict[str, pd.DataFrame]:
    """The frames of a table that `read_json` gave."""
    if feed in READINGS:
        return {feed: _items_of_readings(feed, table, roots)}
    if feed in _KEPT:
        kept = _KEPT[feed](table)
        table, roots = table.filter(kept), None if roots is None else roots.filter(kept)
    lead: dict[str, pa.Array] = {"id": table["id"].combine_chunks()}
    if feed in ROOT_BOUND:
        lead["root"] = pa.nulls(len(table), pa.int64()) if roots is None else roots
    columns = dict(lead)
    frames: dict[str, pd.DataFrame] = {}
    for name, field in SHAPES[feed].items():
        column = table[name].combine_chunks()
        if isinstance(field, list):
            frames[f"{feed}.{snake(name)}"] = _to_pandas(_items(column, field[0], lead))
        elif name != "id":
            columns.update(_flatten(snake(name), column, field))
    return {feed: _to_pandas(columns), **frames}


def wire_shape(feed: str) -> Shape:
    """What one row of the feed's segments holds."""
    return READINGS[feed].shape if feed in READINGS else SHAPES[feed]


def _items_of_readings(feed: str, table: pa.Table, roots: pa.Array | None) -> pd.DataFrame:
    """One row for each item of the parents' readings, with what was found out about it."""
    of = READINGS[feed]
    row = pa.array(range(len(table)), pa.int64())
    lead = {
        "row": row,
        "root": pa.nulls(len(table), pa.int64()) if roots is None else roots,
        snake(of.parent): table[of.parent].combine_chunks(),
    }
    items = _to_pandas(_items(table["items"].combine_chunks(), of.item, lead, own_id="id"))
    if of.facts is not None:
        told = table["facts"].combine_chunks()
        facts = _to_pandas(_items(told, {"id": ID, **of.facts}, {"row": row}, own_id="id"))
        facts = facts.drop(columns="position").drop_duplicates(["row", "id"], keep="last")
        items = items.merge(facts, on=["row", "id"], how="left")
    first = ["id", "root", snake(of.parent)]
    return items[[*first, *(name for name in items if name not in (*first, "row", "position"))]]


def _still_there(table: pa.Table) -> pa.Array:
    return pc.invert(pc.fill_null(table["isGone"], False)).combine_chunks()


def _newest(table: pa.Table) -> pa.Array:
    return pc.fill_null(pc.equal(table["timeStamp"], pc.max(table["timeStamp"])), False).combine_chunks()


_KEPT = {"named_contacts": _still_there, "capacity": _newest}


def read_json(feed: str, records: Sequence[bytes], shape: Shape) -> pa.Table:
    """The records' fields named in `shape`, parsed by Arrow; money never passes through a float."""
    schema = pa.schema([pa.field(name, _arrow_type(field)) for name, field in shape.items()])
    if not records:
        return schema.empty_table()
    text = b"\n".join(records)
    longest = max(map(len, records))
    try:
        table = pj.read_json(
            io.BytesIO(text),
            read_options=pj.ReadOptions(block_size=max(1 << 22, 2 * longest)),
            parse_options=pj.ParseOptions(
                explicit_schema=schema,
                newlines_in_values=text.count(b"\n") >= len(records),
                unexpected_field_behavior="ignore",
            ),
        )
    except pa.ArrowInvalid as error:
        raise _explain(feed, records, shape, str(error)) from None
    if len(table) != len(records):
        raise _explain(feed, records, shape, f"{len(records)} records were read as {len(table)}")
    for path, column in _required(table, shape):
        if column.null_count:
            record = records[pc.index(pc.is_null(column), True).as_py()]
            raise BadRecord(feed, _id_of(record), path, "is missing")
    return table


def _arrow_type(field: Kind | Shape | list[Any]) -> pa.DataType:
    if isinstance(field, list):
        return pa.list_(_arrow_type(field[0]))
    if isinstance(field, Kind):
        return _ARROW[field.name]
    return pa.struct([pa.field(name, _arrow_type(inner)) for name, inner in field.items()])


def _flatten(prefix: str, column: pa.Array, field: Kind | Shape | list[Any]) -> dict[str, pa.Array]:
    """The column itself, or the columns of an object; decimals brought to four digits."""
    if isinstance(field, Kind):
        if field.name == "money":
            column = pc.round(column, 4, "half_towards_infinity").cast(MONEY)
        return {prefix: column}
    assert isinstance(field, Mapping), prefix
    flat: dict[str, pa.Array] = {}
    for name, inner in field.items():
        # struct_field, unlike Array.field, lets a missing object make its members missing.
        flat.update(_flatten(f"{prefix}_{snake(name)}", pc.struct_field(column, name), inner))
    return flat


def _items(
    column: pa.ListArray, field: Kind | Shape, lead: Mapping[str, pa.Array], own_id: str = "item_id"
) -> dict[str, pa.Array]:
    """One row for each item of a list column, after the columns of the record it stands in."""
    parents = pc.list_parent_indices(column)
    values = column.flatten()
    position = _position(parents)
    columns = {name: array.take(parents) for name, array in lead.items()} | {"position": position}
    if isinstance(field, Kind):
        return columns | _flatten("value", values, field)
    for name, inner in field.items():
        columns |= _flatten(own_id if name == "id" else snake(name), pc.struct_field(values, name), inner)
    return columns


def _position(parents: pa.Array) -> pa.Array:
    """0, 1, 2 … within each run of the same parent."""
    series = parents.to_pandas()
    return pa.array(series.groupby(series).cumcount(), pa.int64())


def _to_pandas(columns: Mapping[str, pa.Array]) -> pd.DataFrame:
    table = pa.table(dict(columns))
    return cast("pd.DataFrame", table.to_pandas(types_mapper=_PANDAS.get))


def _required(table: pa.Table, shape: Shape) -> Iterator[tuple[str, pa.ChunkedArray]]:
    for name, field in shape.items():
        if isinstance(field, Kind) and field.required:
            yield name, table[name]


def _id_of(record: bytes) -> str | None:
    try:
        value = orjson.loads(record).get("id")
    except (orjson.JSONDecodeError, AttributeError):
        return None
    return None if value is None else str(value)


def _explain(feed: str, records: Sequence[bytes], shape: Shape, fallback: str) -> BadRecord:
    """The first record and field that do not fit: the slow walk after the fast parser refused."""
    for record in records:
        try:
            value = orjson.loads(record)
        except orjson.JSONDecodeError:
            return BadRecord(feed, None, "record", f"is not JSON: {record[:80]!r}")
        if not isinstance(value, dict):
            return BadRecord(feed, None, "record", f"is not an object: {record[:80]!r}")
        if problem := _misfit(feed, record, value, shape):
            return problem
    return BadRecord(feed, None, "records", fallback)


def _misfit(feed: str, record: bytes, value: Mapping[str, Any], shape: Shape) -> BadRecord | None:
    for name, field in shape.items():
        if name not in value:
            continue
        one = pa.schema([pa.field(name, _arrow_type(field))])
        options = pj.ParseOptions(
            explicit_schema=one, newlines_in_values=True, unexpected_field_behavior="ignore"
        )
        try:
            pj.read_json(
                io.BytesIO(record), pj.ReadOptions(block_size=max(1 << 16, 2 * len(record))), options
            )
        except pa.ArrowInvalid:
            found = orjson.dumps(value[name])[:60].decode(errors="replace")
            kind = field.name if isinstance(field, Kind) else "list" if isinstance(field, list) else "object"
            return BadRecord(feed, _id_of(record), name, f"should be of kind {kind}, found {found}")
    return None
