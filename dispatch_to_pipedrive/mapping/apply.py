"""What the destination's fields hold: a map applied to a normalized frame, in logical form.

Logical form means names and source keys, never ids or hash keys: an option is its label, a deal's organization its
source key, an owner a technician's e-mail.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from dispatch_to_pipedrive.mapping.model import EntityMap, FieldMap, Maps, Scalar
from dispatch_to_pipedrive.mapping.transforms import TRANSFORMS, Inputs, plain, too_long_notes, whole_note

LIMITS: Mapping[str, int] = {"text": 255, "long_text": 65_000}
"""Code points that Pipedrive's varchar and text fields hold."""


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """What the maps take from the run: the ISO code of the currency that all money is in."""

    currency: str

    def settings(self) -> Mapping[str, Scalar]:
        """The settings that a map's `setting` transform may name."""
        return {"currency": self.currency}


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
    """The four normalized frames."""

    @property
    def organizations(self) -> pd.DataFrame: ...
    @property
    def persons(self) -> pd.DataFrame: ...
    @property
    def deals(self) -> pd.DataFrame: ...
    @property
    def activities(self) -> pd.DataFrame: ...


def render(maps: Maps, normalized: Normalized, options: RenderOptions) -> dict[str, pd.DataFrame]:
    """Every entity's frame in logical form, by entity, in load order."""
    return {entity: apply(maps[entity], getattr(normalized, entity), options) for entity in maps}


def apply(entity_map: EntityMap, frame: pd.DataFrame, options: RenderOptions) -> pd.DataFrame:
    """One row a record: source_key, root, and each of the map's fields in the file's order; missing is None.

    Raises `UnmappedValues` for a value that a value map should name and does not.
    """
    columns: dict[str, Any] = {"source_key": frame["source_key"].astype(object), "root": frame["root"]}
    for name, field in entity_map.fields.items():
        columns[name] = _finished(field, _mapped(entity_map.entity, name, field, frame, options)[0], options)
    return pd.DataFrame(columns, index=frame.index).reset_index(drop=True)


def all_problems(maps: Maps, frames: Mapping[str, pd.DataFrame], options: RenderOptions) -> pd.DataFrame:
    """The problems of every entity's frame: entity, source_key, root, field, problem, value."""
    found = [problems(maps[entity], frames[entity], options).assign(entity=entity) for entity in maps]
    together = pd.concat(found, ignore_index=True)
    return together[["entity", "source_key", "root", "field", "problem", "value"]]


def problems(entity_map: EntityMap, frame: pd.DataFrame, options: RenderOptions) -> pd.DataFrame:
    """What `apply` could not carry whole: source_key, root, field, problem, value.

    Texts that Pipedrive's field cannot hold (they are cut and end in …), required fields without a value, and values
    without an entry in a value map whose `unmapped` is warn.
    """
    found = [_no_problems()]
    for name, field in entity_map.fields.items():
        if not (field.required or field.type in LIMITS or field.type == "html" or field.unmapped == "warn"):
            continue
        values, unmapped = _mapped(entity_map.entity, name, field, frame, options)
        found.append(_rows(frame, name, unmapped.notna(), "no entry in the value map", unmapped))
        if field.required:
            found.append(_rows(frame, name, values.isna(), "required, and empty", None))
        long = _too_long(field, values, frame)
        found.append(_rows(frame, name, long, "too long for Pipedrive, cut", values))
    return pd.concat(found, ignore_index=True)


@cache
def _no_problems() -> pd.DataFrame:
    columns = ("source_key", "field", "problem", "value")
    return pd.DataFrame({name: pd.Series(dtype="object") for name in columns}).assign(
        root=pd.Series(dtype="Int64")
    )


def _rows(
    frame: pd.DataFrame, name: str, where: pd.Series, problem: str, values: pd.Series | None
) -> pd.DataFrame:
    chosen = where.to_numpy(dtype=bool)
    if not chosen.any():
        return _no_problems()
    hit = frame.loc[chosen, ["source_key", "root"]]
    value = None if values is None else values[chosen].astype(object).to_numpy()
    return hit.assign(field=name, problem=problem, value=value)[
        ["source_key", "root", "field", "problem", "value"]
    ].astype({"source_key": object, "root": "Int64", "value": object})


def _too_long(field: FieldMap, values: pd.Series, frame: pd.DataFrame) -> pd.Series:
    if field.type in LIMITS:
        return values.astype("string").str.len().fillna(0) > LIMITS[field.type]
    if field.transform == "html_lines":
        args = TRANSFORMS[field.transform].parse(field.args)
        return too_long_notes(whole_note(Inputs(frame, field.sources, args)))
    return pd.Series(False, index=values.index)


def _mapped(
    entity: str, name: str, field: FieldMap, frame: pd.DataFrame, options: RenderOptions
) -> tuple[pd.Series, pd.Series]:
    """A field's values after transform, value map and default; and the values no value map names (policy warn)."""
    transform = TRANSFORMS[field.transform]
    inputs = Inputs(frame, field.sources, transform.parse(field.args), options.settings())
    values = transform.run(inputs)
    nothing = pd.Series(pd.NA, index=frame.index, dtype="object")
    if field.value_map is not None:
        keys = values.astype("string")
        known = keys.isin(list(field.value_map)).fillna(False).astype(bool)
        strange = keys[~known & keys.notna()]
        mapped = keys[known].map(field.value_map).astype(object).reindex(frame.index)
        if len(strange) and field.unmapped == "stop":
            counts = {str(value): int(count) for value, count in strange.value_counts().items()}
            raise UnmappedValues(entity, name, counts)
        if field.unmapped == "add_option":
            mapped = mapped.where(known, keys.astype(object))
        elif field.unmapped == "warn":
            nothing = strange.astype(object).reindex(frame.index)
        values = mapped
    if field.default is not None:
        values = values.astype(object).where(values.notna(), field.default)
    return values, nothing


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
    return plain(values).map(lambda items: list(items) if len(items) else None, na_action="ignore")


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
