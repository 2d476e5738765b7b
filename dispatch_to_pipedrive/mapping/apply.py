"""What the destination's fields hold: a map applied to a normalized frame, in logical form.

Logical form means names and source keys, never ids or hash keys: an option is its label, a deal's organization its
source key, an owner a technician's e-mail.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from dispatch_to_pipedrive.mapping.model import EntityMap, FieldMap, Maps, Scalar
from dispatch_to_pipedrive.mapping.transforms import TRANSFORMS, Inputs, cut_notes, file_names, plain

LIMITS: Mapping[str, int] = {"text": 255, "long_text": 65_000}
"""Code points that Pipedrive's varchar and text fields hold."""

FORMS: Mapping[str, str] = {
    "number": r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)",
    "money": r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)",
    "date": r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])",
    "time": r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?",
}
"""What a text must look like to stand in a field of that type; Pipedrive refuses a record for anything else."""


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """What the maps take from the run: the ISO code of the currency that all money is in."""

    currency: str

    def settings(self) -> Mapping[str, Scalar]:
        """The settings that a map's `setting` transform may name."""
        return {"currency": self.currency}


RENAMED = "no name for a file as it is, changed"
"""The problem of a file whose name had to be changed."""

SETTINGS = frozenset(RenderOptions("USD").settings())


class UnmappedValues(ValueError):
    """Values that a field's value map does not name, and the map says to stop at them."""

    def __init__(self, entity: str, field: str, counts: Mapping[str, int]) -> None:
        self.entity = entity
        self.field = field
        self.counts = dict(counts)
        values = ", ".join(f"{value!r} ({count} records)" for value, count in self.counts.items())
        super().__init__(
            f"mappings/{entity}.yaml: the value map of {field} has no entry for {values}. "
            "Add them to its value_map, or set unmapped to warn or add_option."
        )


class Normalized(Protocol):
    """The normalized frames."""

    @property
    def organizations(self) -> pd.DataFrame: ...
    @property
    def persons(self) -> pd.DataFrame: ...
    @property
    def deals(self) -> pd.DataFrame: ...
    @property
    def activities(self) -> pd.DataFrame: ...

    @property
    def files(self) -> pd.DataFrame: ...

    @property
    def notes(self) -> pd.DataFrame: ...


@dataclass(frozen=True)
class Applied:
    """A map's frame in logical form, and what of it could not be carried whole.

    frame: one row a record: source_key, root, and each of the map's fields in the file's order; missing is None.
    problems: source_key, root, field, problem, value: texts that Pipedrive's field cannot hold (they are cut and end
    in …), names that no file can have (they are changed), texts that are no number, date or time where one belongs
    (they are left out), required fields without a value, and values without an entry in a value map whose `unmapped`
    is warn.
    """

    frame: pd.DataFrame
    problems: pd.DataFrame


def render(maps: Maps, normalized: Normalized, options: RenderOptions) -> dict[str, pd.DataFrame]:
    """Every entity's frame in logical form, by entity, in load order."""
    return {entity: apply(maps[entity], getattr(normalized, entity), options) for entity in maps}


def apply(entity_map: EntityMap, frame: pd.DataFrame, options: RenderOptions) -> pd.DataFrame:
    """The frame of `applied` alone."""
    return applied(entity_map, frame, options).frame


def applied(entity_map: EntityMap, frame: pd.DataFrame, options: RenderOptions) -> Applied:
    """A normalized frame through its entity's map.

    Raises `UnmappedValues` for a value that a value map should name and does not.
    """
    columns: dict[str, Any] = {"source_key": frame["source_key"].astype(object), "root": frame["root"]}
    problems = [_no_problems()]
    for name, field in entity_map.fields.items():
        made = _mapped(entity_map.entity, name, field, frame, options)
        columns[name] = _finished(field, made.values, options)
        problems += _rows(frame, name, made.unmapped.notna(), "no entry in the value map", made.unmapped)
        problems += _rows(frame, name, made.strange.notna(), f"no {field.type}, left out", made.strange)
        if field.required:
            problems += _rows(frame, name, columns[name].isna(), "required, and empty", None)
        words = RENAMED if field.transform == "file_name" else "too long for Pipedrive, cut"
        problems += _rows(frame, name, made.long, words, made.original)
    together = pd.concat(problems, ignore_index=True)
    return Applied(pd.DataFrame(columns, index=frame.index).reset_index(drop=True), together)


class _Made(NamedTuple):
    """A field's values after transform, value map and default; beside them what went wrong, missing where nothing did.

    `unmapped`: values that no value map names (policy warn); `strange`: texts that are none of the field's type;
    `long`: whether a value is cut or changed, `original`: what it was.
    """

    values: pd.Series
    unmapped: pd.Series
    strange: pd.Series
    long: pd.Series
    original: pd.Series


def _mapped(entity: str, name: str, field: FieldMap, frame: pd.DataFrame, options: RenderOptions) -> _Made:
    transform = TRANSFORMS[field.transform]
    inputs = Inputs(frame, field.sources, transform.parse(field.args), options.settings())
    nothing = pd.Series(pd.NA, index=frame.index, dtype="object")
    unmapped, strange = nothing, nothing
    if field.transform in ("html_lines", "html_body"):
        values, long = cut_notes(inputs)
    elif field.transform == "file_name":
        values, long = file_names(inputs.column())
    else:
        values, long = transform.run(inputs), pd.Series(False, index=frame.index)
    if field.value_map is not None:
        values, unmapped = _through(entity, name, field, field.value_map, values)
    if field.default is not None:
        values = values.astype(object).where(values.notna(), field.default)
    if field.type in FORMS and not isinstance(values.dtype, pd.ArrowDtype) and values.dtype == "string":
        text = values.str.strip()
        text = text.where(text != "")
        fits = text.str.fullmatch(FORMS[field.type]).fillna(False).astype(bool)
        strange = nothing.where(fits | text.isna(), text.astype(object))
        values = text.where(fits)
    if field.type in LIMITS:
        values = values.astype("string")
        long = long | (values.str.len().fillna(0) > LIMITS[field.type])
    original = inputs.column() if field.transform == "file_name" else values
    return _Made(values, unmapped, strange, long, original)


def _through(
    entity: str, name: str, field: FieldMap, value_map: Mapping[str, Scalar], values: pd.Series
) -> tuple[pd.Series, pd.Series]:
    """Values through a value map; and those that it does not name, where the policy is to warn."""
    if field.type == "labels":
        return _relabeled(values, value_map), pd.Series(pd.NA, index=values.index, dtype="object")
    keys = values.astype("string")
    known = keys.isin(list(value_map)).fillna(False).astype(bool)
    strange = keys[~known & keys.notna()]
    mapped = keys[known].map(value_map).astype(object).reindex(keys.index)
    if len(strange) and field.unmapped == "stop":
        counts = {str(value): int(count) for value, count in strange.value_counts().items()}
        raise UnmappedValues(entity, name, counts)
    if field.unmapped == "add_option":
        mapped = mapped.where(known, keys.astype(object))
    warned = strange if field.unmapped == "warn" else strange[:0]
    return mapped, warned.astype(object).reindex(keys.index)


def _relabeled(values: pd.Series, value_map: Mapping[str, Scalar]) -> pd.Series:
    """Lists of labels, each label through the value map if that names it, no label twice."""
    lists = pa.array(values, type=pa.list_(pa.string()))
    lists = lists.combine_chunks() if isinstance(lists, pa.ChunkedArray) else lists
    items = pd.DataFrame(
        {"row": pc.list_parent_indices(lists).to_pandas(), "label": lists.flatten().to_pandas()}
    )
    named = {label: value_map.get(label, label) for label in items["label"].unique()}
    items = items.assign(label=items["label"].map(named)).dropna().drop_duplicates()
    found = items.groupby("row", sort=True)["label"].agg(list)
    return found.set_axis(values.index[found.index.to_numpy()]).reindex(values.index).astype(object)


@cache
def _no_problems() -> pd.DataFrame:
    columns = ("source_key", "field", "problem", "value")
    return pd.DataFrame({name: pd.Series(dtype="object") for name in columns}).assign(
        root=pd.Series(dtype="Int64")
    )


def _rows(
    frame: pd.DataFrame, name: str, where: pd.Series, problem: str, values: pd.Series | None
) -> list[pd.DataFrame]:
    chosen = where.to_numpy(dtype=bool)
    if not chosen.any():
        return []
    hit = frame.loc[chosen, ["source_key", "root"]]
    value = None if values is None else values[chosen].astype(object).to_numpy()
    rows = hit.assign(field=name, problem=problem, value=value)
    rows = rows[["source_key", "root", "field", "problem", "value"]]
    return [rows.astype({"source_key": object, "root": "Int64", "value": object})]


def _finished(field: FieldMap, values: pd.Series, options: RenderOptions) -> pd.Series:
    """Values in the form of the field's type, as Python objects, None where missing."""
    if field.type in LIMITS:
        return _objects(_cut(values.astype("string"), LIMITS[field.type]))
    if field.type == "money":
        amounts = _numbers(values)
        return amounts.map(lambda amount: {"value": amount, "currency": options.currency}, na_action="ignore")
    return _objects(FINISH.get(field.type, _as_text)(values))


def _as_text(values: pd.Series) -> pd.Series:
    text = values.astype("string")
    return text.where(text != "")


def _cut(values: pd.Series, limit: int) -> pd.Series:
    values = values.where(values != "")
    return values.where(values.str.len().fillna(0) <= limit, values.str.slice(0, limit - 1) + "…")


def _as_is(values: pd.Series) -> pd.Series:
    return values


def _lists(values: pd.Series) -> pd.Series:
    """Lists of texts; a text alone is a list of one."""
    return plain(values).map(
        lambda items: [items] if isinstance(items, str) else list(items) if len(items) else None,
        na_action="ignore",
    )


def _contact_points(values: pd.Series) -> pd.Series:
    return plain(values).map(lambda items: [dict(item) for item in items] or None, na_action="ignore")


def _numbers(values: pd.Series) -> pd.Series:
    """Floats, each the one nearest to the exact decimal (an integer over a power of ten); None where missing."""
    if isinstance(values.dtype, pd.ArrowDtype) and pa.types.is_decimal(values.dtype.pyarrow_dtype):
        scale = values.dtype.pyarrow_dtype.scale
        ten = pa.scalar(10**scale, pa.decimal128(scale + 1, 0))
        whole = pc.multiply(pa.array(values, type=pa.decimal128(18, scale)), ten).cast(pa.int64())
        floats = pd.Series(whole, index=values.index, dtype=pd.ArrowDtype(pa.int64())).astype("Float64")
        return _objects(floats / float(10**scale))
    return _objects(pd.to_numeric(values).astype("Float64"))


def _objects(values: pd.Series) -> pd.Series:
    plain = values.astype(object)
    return plain.where(values.notna(), None)


FINISH: Mapping[str, Callable[[pd.Series], pd.Series]] = {
    "number": _numbers,
    "boolean": _as_is,
    "address": _as_is,
    "emails": _contact_points,
    "phones": _contact_points,
    "labels": _lists,
    "options": _lists,
    "participants": _lists,
}
