"""Which transforms a map may name: the closed vocabulary, each one vectorised over a whole column.

A transform reads columns of one normalized frame and gives one column of the same index. Timestamps in normalized
frames are texts in UTC ending in Z, at the source's precision, so parts of them are cut out, never computed anew.
Missing is missing: a transform invents nothing unless its arguments say so.
"""

import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from dispatch_to_pipedrive.mapping.arguments import (
    ConstantArgs,
    CustomFieldArgs,
    HtmlBodyArgs,
    JoinArgs,
    LinesArgs,
    NoArgs,
    RulesArgs,
    SettingArgs,
    TemplateArgs,
    placeholders,
)
from dispatch_to_pipedrive.mapping.model import Scalar, Strict, folded
from dispatch_to_pipedrive.mapping.names import file_name
from dispatch_to_pipedrive.mapping.text import cut_html, html_to_text, too_long

LONGEST_DURATION = 23 * 60 + 59
"""Minutes; a duration is a time of day for Pipedrive."""

NOTE_BYTES = 100_000
"""Pipedrive: an activity's note holds 100 KB."""

LONGEST_CUT = 1_500
"""Code points that each column keeps in a note that is too long."""

ADDRESS_PARTS = ("street", "unit", "city", "state", "zip", "country")
"""An address named `site_1` stands in the columns site_1_street, site_1_unit and so on."""

FIELD_LIST = pa.list_(pa.struct([("name", pa.string()), ("value", pa.string())]))
"""How normalized frames hold custom fields: a list of names and values for each record."""

Values = pd.Series


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a transform works on: the frame, the columns named under `from`, its arguments, the run's settings."""

    frame: pd.DataFrame
    sources: tuple[str, ...]
    args: Any
    settings: Mapping[str, Scalar] = field(default_factory=dict)

    def column(self, number: int = 0) -> Values:
        """The column that stands at `number` under `from`."""
        return self.frame[self.sources[number]]


@dataclass(frozen=True, slots=True)
class Transform:
    """One word of the vocabulary. `most` is None where any number of columns may stand under `from`."""

    name: str
    doc: str
    least: int
    most: int | None
    args: type[Strict]
    run: Callable[[Inputs], Values]
    columns: Callable[[Sequence[str]], tuple[str, ...]] = tuple
    named: Callable[[Any], tuple[str, ...]] = lambda args: ()

    def parse(self, args: Mapping[str, Any]) -> Strict:
        """The arguments as this transform's model; pydantic's ValidationError where they are wrong."""
        return self.args.model_validate(dict(args))

    def arity(self) -> str:
        """How many columns stand under `from`, in words."""
        if self.most == 0:
            return "no column"
        if self.least == self.most:
            return "one column" if self.most == 1 else f"{self.most} columns"
        return "one or more columns" if self.least == 1 else f"{self.least} or more columns"


def plain(values: Values) -> Values:
    """A column of Arrow lists as Python lists, missing as None; other columns as they are."""
    if isinstance(values.dtype, pd.ArrowDtype) and pa.types.is_nested(values.dtype.pyarrow_dtype):
        return pd.Series(pa.array(values).to_pylist(), index=values.index, dtype=object)
    return values


def text_of(values: Values) -> Values:
    """Any column as text; the items of a list are joined by a comma, missing stays missing."""
    if isinstance(values.dtype, pd.ArrowDtype) or values.dtype == object:
        values = plain(values).map(_joined, na_action="ignore")
    return values.astype("string")


def _joined(value: Any, separator: str = ", ") -> str | None:
    return str(value) if isinstance(value, str | int | float) else separator.join(map(str, value)) or None


def _constant(inputs: Inputs) -> Values:
    return pd.Series([inputs.args.value] * len(inputs.frame), index=inputs.frame.index, dtype=object)


def _setting(inputs: Inputs) -> Values:
    value = inputs.settings[inputs.args.name]
    return pd.Series([value] * len(inputs.frame), index=inputs.frame.index, dtype=object)


def _filled(template: str, columns: Mapping[str, Values], index: pd.Index) -> Values:
    result = pd.Series("", index=index, dtype="string")
    for literal, name, _, _ in string.Formatter().parse(template):
        result = result + literal
        if name is not None:
            result = result + columns[name]
    return result


def _template(inputs: Inputs) -> Values:
    columns = {}
    for name in _template_names(inputs.args):
        column = text_of(inputs.frame[name])
        columns[name] = column.fillna(inputs.args.missing[name]) if name in inputs.args.missing else column
    result = _filled(inputs.args.template, columns, inputs.frame.index)
    for template in inputs.args.otherwise:
        result = result.where(result.notna(), _filled(template, columns, inputs.frame.index))
    return result


def _template_names(args: Any) -> tuple[str, ...]:
    return tuple(name for template in (args.template, *args.otherwise) for name in placeholders(template))


def _first(inputs: Inputs) -> Values:
    result = inputs.column()
    for number in range(1, len(inputs.sources)):
        result = result.where(result.notna(), inputs.column(number))
    return result


def _join(inputs: Inputs) -> Values:
    separator = inputs.args.separator
    return plain(inputs.column()).map(lambda items: _joined(items, separator), na_action="ignore")


def _sum(inputs: Inputs) -> Values:
    """Added as decimals with as many digits as the most exact column has."""
    columns = [_decimals(inputs.column(number)) for number in range(len(inputs.sources))]
    kind = pa.decimal128(18, max(column.type.scale for column in columns))
    total, *others = (column.cast(kind) for column in columns)
    for column in others:
        both = pc.add(pc.fill_null(total, 0), pc.fill_null(column, 0)).cast(kind)
        total = pc.if_else(pc.and_(pc.is_null(total), pc.is_null(column)), pa.scalar(None, kind), both)
    return pd.Series(total, index=inputs.frame.index, dtype=pd.ArrowDtype(kind))


def _decimals(values: Values) -> pa.Array:
    """A number column as decimals: of its own scale, whole numbers of none, floats to six digits."""
    array = pa.array(values)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if pa.types.is_decimal(array.type):
        return array
    return array.cast(pa.decimal128(19, 0) if pa.types.is_integer(array.type) else pa.decimal128(28, 6))


def _custom_field(inputs: Inputs) -> Values:
    """The first value that is not blank among the fields of that name."""
    column = inputs.column()
    lists = pa.array(column, type=FIELD_LIST)
    lists = lists.combine_chunks() if isinstance(lists, pa.ChunkedArray) else lists
    items = lists.flatten()
    rows = pd.DataFrame(
        {
            "row": pc.list_parent_indices(lists).to_pandas(),
            "name": pd.Series(items.field("name"), dtype="string"),
            "value": _blank_as_missing(pd.Series(items.field("value"), dtype="string")),
        }
    )
    wanted = folded(inputs.args.name)
    names = [name for name in rows["name"].dropna().unique() if folded(name) == wanted]
    rows = rows[rows["name"].isin(names) & rows["value"].notna()].drop_duplicates("row")
    found = pd.Series(rows["value"].to_numpy(), index=column.index[rows["row"].to_numpy()], dtype="string")
    return found.reindex(column.index)


def _rules(inputs: Inputs) -> Values:
    keys = inputs.frame.loc[:, list(inputs.sources)]
    groups = keys.groupby(list(inputs.sources), dropna=False, sort=False).ngroup()
    distinct = keys[~groups.duplicated()].to_dict("records")
    decided = [next((rule.then for rule in inputs.args.rules if rule.holds(row)), None) for row in distinct]
    return groups.map(dict(enumerate(decided))).astype(object)


def _date(inputs: Inputs) -> Values:
    return inputs.column().astype("string").str.slice(0, 10)


def _time(inputs: Inputs) -> Values:
    return inputs.column().astype("string").str.slice(11, 16)


def _datetime(inputs: Inputs) -> Values:
    return inputs.column().astype("string").str.slice(0, 19) + "Z"


def _duration(inputs: Inputs) -> Values:
    start, end = (pd.to_datetime(inputs.column(n), format="ISO8601", utc=True) for n in (0, 1))
    minutes = (end - start) // pd.Timedelta(minutes=1)
    minutes = minutes.where(minutes >= 0).clip(upper=LONGEST_DURATION)
    return minutes.map(lambda value: f"{int(value) // 60:02d}:{int(value) % 60:02d}", na_action="ignore")


def address_columns(sources: Sequence[str]) -> tuple[str, ...]:
    """The six columns of the address that stands under `from`."""
    return tuple(f"{sources[0]}_{part}" for part in ADDRESS_PARTS)


def address_text(
    street: Values, unit: Values, city: Values, state: Values, code: Values, country: Values
) -> Values:
    """One line: `123 Main St, Unit 4, Phoenix, AZ 85001, USA`; missing where every part is."""
    region = (state.fillna("") + " " + code.fillna("")).str.strip()
    parts = [street, unit, city, region, country]
    line = pd.Series("", index=street.index, dtype="string")
    for part in parts:
        filled = part.fillna("")
        line = line + filled.where(filled == "", ", " + filled)
    line = line.str.slice(2)
    return line.where(line != "")


def _address(inputs: Inputs) -> Values:
    columns = [_blank_as_missing(inputs.frame[name]) for name in address_columns(inputs.sources)]
    street, unit, city, state, code, country = columns
    parts = pd.DataFrame(
        {
            "value": address_text(*columns),
            "route": street,
            "subpremise": unit,
            "locality": city,
            "admin_area_level_1": state,
            "postal_code": code,
            "country": country,
        }
    )
    present = parts["value"].notna()
    dicts = parts[present].astype(object).where(parts[present].notna(), None).to_dict("records")
    made = [{key: value for key, value in parts.items() if value is not None} for parts in dicts]
    result = pd.Series(None, index=inputs.frame.index, dtype=object)
    result[present] = pd.Series(made, index=parts.index[present], dtype=object)
    return result


def _blank_as_missing(values: Values) -> Values:
    stripped = values.astype("string").str.strip()
    return stripped.where(stripped != "")


def _html_to_text(inputs: Inputs) -> Values:
    values = inputs.column().astype("string")
    marked = values.str.contains("[<&]", na=False)
    distinct = values[marked].unique()
    texts = {value: html_to_text(value) for value in distinct}
    return _blank_as_missing(values.where(~marked, values[marked].map(texts)))


def _html_lines(inputs: Inputs) -> Values:
    return cut_notes(inputs)[0]


def cut_notes(inputs: Inputs) -> tuple[Values, Values]:
    """The notes of `html_lines` or `html_body`, and which of them take more than Pipedrive holds: those are cut."""
    note = _note_of(inputs, None)
    long = too_long(note, NOTE_BYTES)
    return (note.where(~long, _note_of(inputs, LONGEST_CUT)) if long.any() else note), long


def _note_of(inputs: Inputs, limit: int | None) -> Values:
    """The lines below the body, if there is one; with a limit each column keeps so many code points."""
    columns = {}
    for name in dict.fromkeys(_line_names(inputs.args)):
        text = text_of(inputs.frame[name])
        columns[name] = _escaped(text if limit is None else _cut(text, limit))
    lines = _note(inputs.args.lines, columns, inputs.frame.index)
    if not isinstance(inputs.args, HtmlBodyArgs):
        return lines
    body = _blank_as_missing(inputs.frame[inputs.args.body])
    if limit is not None:
        long = too_long(body, NOTE_BYTES // 2)
        body = body.where(~long, body.where(long).map(cut_html, na_action="ignore").astype("string"))
    return (body.fillna("") + ("<br>" + lines).where(body.notna(), lines).fillna("")).replace("", pd.NA)


def _note(lines: Sequence[str], columns: Mapping[str, Values], index: pd.Index) -> Values:
    note = pd.Series("", index=index, dtype="string")
    for line in lines:
        filled = _filled(line, columns, index)
        note = note + ("<br>" + filled).fillna("")
    note = note.str.slice(len("<br>"))
    return note.where(note != "")


def _cut(values: Values, limit: int) -> Values:
    return values.where(values.str.len().fillna(0) <= limit, values.str.slice(0, limit - 1) + "…")


def _escaped(values: Values) -> Values:
    values = _blank_as_missing(values)
    special = values.str.contains("[&<>\r\n]", na=False)
    made = {value: _as_html(value) for value in values[special].unique()}
    return values.where(~special, values[special].map(made))


def _as_html(value: str) -> str:
    return "<br>".join(escape(value, quote=False).splitlines())


def _file_name(inputs: Inputs) -> Values:
    return file_names(inputs.column())[0]


def file_names(values: Values) -> tuple[Values, Values]:
    """Names under which files can stand in any folder, and which of them are not as they were in the source."""
    names = values.astype("string")
    made = {name: file_name(name) for name in names.dropna().unique()}
    safe = names.map(made).astype("string")
    return safe, (safe != names).fillna(False).astype(bool)


def _line_names(args: Any) -> tuple[str, ...]:
    return tuple(name for line in args.lines for name in placeholders(line))


def _body_names(args: Any) -> tuple[str, ...]:
    return (args.body, *_line_names(args))


def _rule_names(args: Any) -> tuple[str, ...]:
    return tuple(name for rule in args.rules for name in rule.when)


TRANSFORMS: Mapping[str, Transform] = {
    transform.name: transform
    for transform in (
        Transform("copy", "the column as it is", 1, 1, NoArgs, Inputs.column),
        Transform("constant", "the same value for every record", 0, 0, ConstantArgs, _constant),
        Transform("setting", "a setting of the run, such as the currency", 0, 0, SettingArgs, _setting),
        Transform(
            "template",
            "text with the columns' values in the places of {column}; nothing if one is empty and has no stand-in",
            1,
            None,
            TemplateArgs,
            _template,
            named=lambda args: (*_template_names(args), *args.missing),
        ),
        Transform("first", "the first of the columns that is not empty", 2, None, NoArgs, _first),
        Transform("join", "the items of a list, with a separator between them", 1, 1, JoinArgs, _join),
        Transform(
            "sum",
            "the exact sum of number columns; what is empty counts as nothing, and all empty stays empty",
            2,
            None,
            NoArgs,
            _sum,
        ),
        Transform(
            "custom_field",
            "the text of one of the tenant's custom fields, out of a column that holds them all",
            1,
            1,
            CustomFieldArgs,
            _custom_field,
        ),
        Transform(
            "lookup",
            "a record or user by the source key or e-mail in the column: the ledger knows which of Pipedrive's it is",
            1,
            1,
            NoArgs,
            Inputs.column,
        ),
        Transform(
            "rules",
            "a table of rows; the first row whose columns all match decides",
            1,
            None,
            RulesArgs,
            _rules,
            named=_rule_names,
        ),
        Transform("date", "the UTC date of a timestamp", 1, 1, NoArgs, _date),
        Transform("time", "the UTC hour and minute of a timestamp", 1, 1, NoArgs, _time),
        Transform("datetime", "a timestamp to the second, in UTC", 1, 1, NoArgs, _datetime),
        Transform(
            "duration",
            "whole minutes between two timestamps as HH:MM, at most 23:59; nothing if the end comes first",
            2,
            2,
            NoArgs,
            _duration,
        ),
        Transform(
            "address",
            "the six columns street, unit, city, state, zip, country of an address as Pipedrive's parts, and its line",
            1,
            1,
            NoArgs,
            _address,
            columns=address_columns,
        ),
        Transform("html_to_text", "HTML as plain text, paragraphs as lines", 1, 1, NoArgs, _html_to_text),
        Transform(
            "html_lines",
            "templates as lines of HTML, values escaped; a line with an empty column is left out",
            1,
            None,
            LinesArgs,
            _html_lines,
            named=_line_names,
        ),
        Transform(
            "html_body",
            "a column that is safe HTML already, and below it templates as lines, as html_lines makes them",
            1,
            None,
            HtmlBodyArgs,
            _html_lines,
            named=_body_names,
        ),
        Transform(
            "file_name",
            "a name for a file: what belongs to paths, controls and hidden characters become _, at most 255 bytes",
            1,
            1,
            NoArgs,
            _file_name,
        ),
    )
}
"""Every transform by its name in the map."""


def argument_mistakes(
    transform: Transform, args: Mapping[str, Any]
) -> list[tuple[tuple[int | str, ...], str, str]]:
    """What is wrong with a transform's arguments: (place below `args`, pydantic's kind of error, its words)."""
    try:
        transform.parse(args)
    except ValidationError as wrong:
        return [(error["loc"], error["type"], error["msg"]) for error in wrong.errors()]
    return []
