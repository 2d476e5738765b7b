"""What became of every field of every record of a batch: source value, mapped value, value read back, verdict.

For people who approve: ids are shown as what they stand for in the account. The verdicts are those of `verify`;
nothing is compared a second time, so what stops a batch and what people see are one and the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa

from dispatch_to_pipedrive.mapping.model import FieldMap, Maps, is_custom
from dispatch_to_pipedrive.mapping.text import html_to_text
from dispatch_to_pipedrive.mapping.transforms import TRANSFORMS
from dispatch_to_pipedrive.migration.compare import canonical_value, flat
from dispatch_to_pipedrive.migration.resolve import VISIBLE_TO, Owners
from dispatch_to_pipedrive.migration.values import Link
from dispatch_to_pipedrive.migration.verify import Difference
from dispatch_to_pipedrive.pipedrive.account import Field
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

COLUMNS = (
    "entity",
    "source_key",
    "pipedrive_id",
    "field",
    "section",
    "source_columns",
    "source_value",
    "transform",
    "mapped",
    "read_back",
    "verdict",
)

VERDICTS: Mapping[str, str] = {
    "missing": "The record, or the field's value, is not in Pipedrive although the migration wrote it.",
    "wrong": "Pipedrive holds another value than the one that was meant, and nobody there has edited the record.",
    "extra": "Pipedrive holds a record of the migration that the source does not ask for.",
    "quarantined": "The record was set aside: Pipedrive refused it, or it waits for a record that is missing.",
    "gone": "Somebody deleted or merged the record in Pipedrive after it was written.",
    "kept": "Somebody edited the field in Pipedrive after it was written; their value stays.",
    "newer": "A later batch has brought the record up to date since; its own reading back tells.",
    "equal": "Pipedrive holds what was meant.",
    "not taken": "This account takes no such value with a new record; a custom field of the record holds it.",
}
"""Verdict → what it means; the first that stand here are what people should look at first."""

SECTIONS = ("job types", "priorities", "owners", "addresses")
"""What gets a section of its own; every other field stands in its entity's."""

_OWNER_COLUMNS = {"technician_id", "owner_email", "technicians", "technician_custom_fields"}
_PRIORITY_COLUMNS = {"priority", "priority_bucket"}
_NAMES = {
    "organizations": "name",
    "persons": "name",
    "deals": "title",
    "activities": "subject",
    "files": "name",
}
"""Entity → the field by which its records are named; nothing refers to a note."""
_RECORD = "(record)"
_OF_BYTES = ("size", "sha-256")
"""What reading back says of a file's content."""


@dataclass(frozen=True)
class Sides:
    """Both sides of a batch, and what gives the account's ids their names.

    source: the normalized frames; mapped: the same rows in logical form. links: source key → link, by entity;
    records: Pipedrive id → record as listed, by entity. users: id → e-mail. not_taken: entity → wire names of
    fields that the account does not take. sent: source key of a file → what was sent of it (size, sha256). plan: the
    account's, which decides what the numbers of `visible_to` mean.
    """

    maps: Maps
    source: Mapping[str, pd.DataFrame]
    mapped: Mapping[str, pd.DataFrame]
    links: Mapping[str, Mapping[str, Link]]
    records: Mapping[str, Mapping[int, Mapping[str, Any]]]
    schema: AccountSchema
    owners: Owners
    users: Mapping[int, str]
    generation: int
    not_taken: Mapping[str, frozenset[str]] = dataclass_field(default_factory=dict)
    sent: Mapping[str, Mapping[str, Any]] = dataclass_field(default_factory=dict)
    plan: str = ""


def field_diff(sides: Sides, differences: Iterable[Difference]) -> pd.DataFrame:
    """One row for each field of each record (columns as in COLUMNS; pipedrive_id Int64, all others string).

    After the fields come the differences that belong to no wanted record: extra ones, and totals.
    """
    told = [d._replace(field="content") if d.field in _OF_BYTES else d for d in differences]
    names = _Names(sides)
    verdicts = {(d.entity, d.source_key, d.field): d.verdict for d in told if d.verdict != "extra"}
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for entity in sides.maps:
        for row in _entity_rows(sides, names, entity, verdicts):
            for name, value in zip(COLUMNS, row, strict=True):
                columns[name].append(value)
    for d in told:
        mapped = sides.maps[d.entity].fields if d.entity in sides.maps else {}
        if d.verdict == "extra" or (d.field and d.field not in mapped):
            section = d.entity if d.verdict == "extra" else "totals"
            row = (d.entity, d.source_key, d.pipedrive_id, d.field or _RECORD, section)
            for name, value in zip(COLUMNS, (*row, "", "", "", d.expected, d.found, d.verdict), strict=True):
                columns[name].append(value)
    frame = pd.DataFrame(columns)
    return frame.astype({name: "Int64" if name == "pipedrive_id" else "string" for name in COLUMNS})


def worst_first(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with differences before all others, in the order of VERDICTS; otherwise in their own order."""
    rank = rows["verdict"].map({verdict: place for place, verdict in enumerate(VERDICTS)})
    return rows.iloc[rank.argsort(kind="stable")]


def distinct_lines(rows: pd.DataFrame) -> pd.DataFrame:
    """One line for each distinct value of the sections of their own: how it was mapped, what was read back.

    Columns: section, entity, field, source_value, mapped, read_back, verdict, records; fields in the maps' order, the
    most frequent values first.
    """
    mine = rows[rows["section"].isin(SECTIONS)]
    # An empty field tells nothing about how values are translated.
    mine = mine[(mine["source_value"] != "") | (mine["mapped"] != "") | (mine["verdict"] != "equal")]
    keys = ["section", "entity", "field", "source_value", "mapped", "read_back", "verdict"]
    lines = mine.groupby(keys, sort=False, dropna=False).size().rename("records").reset_index()
    fields = {
        pair: place
        for place, pair in enumerate(dict.fromkeys(zip(rows["entity"], rows["field"], strict=True)))
    }
    order = pd.DataFrame(
        {
            "section": lines["section"].map({name: place for place, name in enumerate(SECTIONS)}),
            "field": [fields[pair] for pair in zip(lines["entity"], lines["field"], strict=True)],
            "records": -lines["records"],
        },
        index=lines.index,
    )
    return lines.loc[order.sort_values(["section", "field", "records"]).index].reset_index(drop=True)


def section_of(entity: str, field: FieldMap) -> str:
    """Where a field is shown: job types, priorities, owners, addresses, else its entity's section."""
    sources = set(field.sources)
    if field.type in ("option", "activity_type") and "job_type" in sources:
        return "job types"
    if sources & _PRIORITY_COLUMNS:
        return "priorities"
    if field.type == "user" or (sources and sources <= _OWNER_COLUMNS):
        return "owners"
    if field.type == "address" or sources == {"additional_sites"}:
        return "addresses"
    return entity


def _entity_rows(
    sides: Sides, names: "_Names", entity: str, verdicts: Mapping[tuple[str, str, str], str]
) -> Iterable[tuple[Any, ...]]:
    source, mapped = sides.source[entity], sides.mapped[entity]
    fields = sides.maps[entity].fields
    links, listed = sides.links[entity], sides.records[entity]
    keys = [str(key) for key in mapped["source_key"]]
    shown = {name: _source_texts(field, source) for name, field in fields.items()}
    values = {name: mapped[name].tolist() for name in fields}
    for i, key in enumerate(keys):
        link = links.get(key)
        number = None if link is None or link.state == "retired" else link.pipedrive_id
        record = flat(listed.get(number, {})) if number is not None else {}
        whole = verdicts.get((entity, key, ""))
        if whole is None and link is not None and link.generation > sides.generation:
            whole = "newer"
        for name, field in fields.items():
            verdict = whole or verdicts.get((entity, key, name))
            if verdict is None:
                refused = name in sides.not_taken.get(entity, ())
                verdict = "not taken" if refused else "equal"
            raw = verdict in ("wrong", "kept")
            yield (
                entity,
                key,
                number,
                name,
                section_of(entity, field),
                ", ".join(field.sources),
                shown[name][i],
                field.transform,
                _bytes(sides.sent.get(key, {}))
                if field.type == "content"
                else names.mapped(field, values[name][i], raw=raw),
                names.found(entity, name, field, record, raw=raw) if record else "",
                verdict,
            )


# The source's side


def _source_texts(field: FieldMap, frame: pd.DataFrame) -> list[str]:
    """What a field's source columns hold, as text: one column's value, or `column: value` lines of several."""
    columns = TRANSFORMS[field.transform].columns(field.sources)
    texts = {name: _texts(frame[name], field.args.get("name")) for name in columns}
    if field.type == "content":
        return [_place(text) for text in next(iter(texts.values()))]
    if field.transform == "address":
        return [", ".join(filter(None, parts)) for parts in zip(*texts.values(), strict=True)]
    if len(texts) == 1:
        return next(iter(texts.values()))
    lines = ([f"{name}: {texts[name][i]}" for name in texts if texts[name][i]] for i in range(len(frame)))
    # Of columns that stand in for each other only the one that decided is shown.
    return ["\n".join(told[:1] if field.transform == "first" else told) for told in lines]


def _texts(values: pd.Series, named: object = None) -> list[str]:
    if isinstance(values.dtype, pd.ArrowDtype) and pa.types.is_nested(values.dtype.pyarrow_dtype):
        return [_items(items, named) for items in pa.array(values).to_pylist()]
    return [
        "" if value is None else _plain(value) for value in values.astype(object).where(values.notna(), None)
    ]


def _place(source: str) -> str:
    """Where a file comes from, without the bytes of a `data:` address."""
    return f"{source.partition(',')[0]},…" if source.startswith("data:") else source


def _items(items: list[Any] | None, named: object) -> str:
    """The items of a list: texts, phones and e-mails, or custom fields (only the named one, where one is named)."""
    if not items:
        return ""
    if isinstance(items[0], Mapping) and "name" in items[0]:
        wanted = None if named is None else " ".join(str(named).split()).casefold()
        mine = [x for x in items if wanted in (None, " ".join(str(x["name"]).split()).casefold())]
        return "\n".join(
            str(x["value"] or "") if wanted else f"{x['name']}: {x['value'] or ''}" for x in mine
        )
    return _points(items) if isinstance(items[0], Mapping) else ", ".join(map(str, items))


def _points(items: Iterable[Any]) -> str:
    """Phones or e-mails, the primary one named."""
    lines = []
    for item in items:
        point = item if isinstance(item, Mapping) else {"value": item}
        about = [str(point["label"])] if point.get("label") else []
        about += ["primary"] if point.get("primary") else []
        value = str(point.get("value") or "")
        lines.append(f"{value} ({', '.join(about)})" if about else value)
    return "\n".join(lines)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _number(value) if isinstance(value, float) else str(value)


def _number(value: float) -> str:
    text = format(Decimal(str(value)).normalize(), "f")
    return "0" if text == "-0" else text


# The account's side


class _Names:
    """Readable values: what was meant, and what the account's answer stands for."""

    def __init__(self, sides: Sides) -> None:
        self._schema, self._owners, self._users = sides.schema, sides.owners, sides.users
        words = VISIBLE_TO.get(sides.plan, VISIBLE_TO["premium"])
        self._seen_by = {number: word for word, number in words.items()}
        self._keys = {
            (entity, link.pipedrive_id): key
            for entity, links in sides.links.items()
            for key, link in links.items()
            if link.state != "retired"
        }
        self._titles = {
            str(key): str(title)
            for entity, frame in sides.mapped.items()
            if entity in _NAMES
            for key, title in zip(frame["source_key"], frame[_NAMES[entity]], strict=True)
            if title is not None
        }

    def mapped(self, field: FieldMap, value: Any, *, raw: bool) -> str:
        """A logical value; `raw` shows markup and parts that are left out otherwise."""
        if field.type == "user":
            return self._user(self._owners.user(value))
        if value is None or value is pd.NA or value != value:
            return ""
        if field.type == "reference":
            return self._titled(str(value))
        if field.type == "participants":
            return "\n".join(map(self._titled, value))
        return _shown(field, value, raw=raw)

    def found(self, entity: str, name: str, field: FieldMap, record: Mapping[str, Any], *, raw: bool) -> str:
        """A value of a listed record (custom fields beside the native ones)."""
        if is_custom(name) and not self._schema.has_field(entity, name):
            return ""
        if field.type == "content":
            return _bytes(record)
        wire_name = self._schema.field_code(entity, name) if is_custom(name) else name
        value = record.get(wire_name)
        if value is None or value == [] or value == "":
            return ""
        meant = canonical_value(self._schema, entity, wire_name, value)
        if field.type in ("user", "author"):
            return self._user(meant)
        if field.type == "visibility":
            return self._seen_by.get(value, str(value))
        if field.type == "reference":
            return self._linked(field.to or "", meant)
        if field.type == "participants":
            people = [p.get("person_id") if isinstance(p, Mapping) else p for p in value]
            return "\n".join(self._linked("persons", person) for person in people)
        if field.type in ("option", "options", "labels"):
            options = self._options(entity, name, field.type)
            return ", ".join(
                _label(options, one) for one in (meant if isinstance(meant, tuple) else (meant,))
            )
        if field.type in ("stage", "pipeline"):
            return self._standing(field.type, meant)
        if field.type in ("datetime", "number"):
            return str(meant)
        return _shown(field, value, raw=raw)

    def _titled(self, source_key: str) -> str:
        title = self._titles.get(source_key)
        return f"{title} ({source_key})" if title else source_key

    def _linked(self, entity: str, number: object) -> str:
        key = self._keys.get((entity, number))  # type: ignore[arg-type]
        return self._titled(key) if key else f"{entity} record {number}"

    def _user(self, number: object) -> str:
        return self._users.get(number) or f"user {number}"  # type: ignore[call-overload]

    def _options(self, entity: str, name: str, kind: str) -> Mapping[str, str]:
        field: Field | None
        field = (
            self._schema.structure.label_field(entity)
            if kind == "labels"
            else self._schema.field(entity, name)
        )
        return {str(option.id): option.label for option in (field.options if field else None) or ()}

    def _standing(self, kind: str, number: object) -> str:
        structure = self._schema.structure
        things = structure.stages if kind == "stage" else structure.pipelines
        return next((thing.name for thing in things if thing.id == number), f"{kind} {number}")


def _bytes(file: Mapping[str, Any]) -> str:
    """How large a file is, and the hash of its bytes where it is known."""
    if file.get("size") is None:
        return ""
    known = f", sha256 {file['sha256']}" if file.get("sha256") else ""
    return f"{int(file['size']):,} bytes{known}"


def _label(options: Mapping[str, str], number: object) -> str:
    return options.get(str(number)) or f"option {number} (deleted)"


def _shown(field: FieldMap, value: Any, *, raw: bool) -> str:
    """A value in the form of its field's type, the same for what was meant and what was read."""
    if field.type in ("emails", "phones"):
        return _points(value)
    if field.type in ("labels", "options"):
        return ", ".join(map(str, value))
    if field.type == "address" and isinstance(value, Mapping):
        line = str(value.get("value") or "")
        parts = [f"{k}: {v}" for k, v in value.items() if k not in ("value", "formatted_address") and v]
        return "\n".join([line, *parts]) if raw else line
    if field.type == "money" and isinstance(value, Mapping):
        return f"{_plain(value.get('value'))} {value.get('currency') or ''}".strip()
    if field.type in ("html", "hosted_html"):
        return str(value) if raw else html_to_text(str(value))
    if field.type in ("time", "duration"):
        text = str(value.get("value") if isinstance(value, Mapping) else value)
        return text.removesuffix(":00") if text.count(":") == 2 else text
    if field.type == "boolean":
        return "yes" if value else "no"
    return _plain(value)
