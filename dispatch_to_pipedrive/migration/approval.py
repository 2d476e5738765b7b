"""What does the approval of a sample sign, and what has changed since?

It signs the sample's payloads in logical form, each name of the account (option, label, stage, pipeline) with the id
that it had then, owners by the user's e-mail, parents by their source key. Rendered again, whatever alters a payload
shows: the map, the code, who owns what, and a name that people gave to another id. A rename at the source that the
option has followed does not: approved is the tag, not its name.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import orjson
import pandas as pd

from dispatch_to_pipedrive.mapping.model import FieldMap, Maps, is_custom
from dispatch_to_pipedrive.migration.errors import MigrationError, RunStopped
from dispatch_to_pipedrive.migration.files import source_name
from dispatch_to_pipedrive.migration.ledger import canonical_json, digest_of
from dispatch_to_pipedrive.migration.owners import decided, emails_of
from dispatch_to_pipedrive.migration.resolve import Owners, is_missing
from dispatch_to_pipedrive.migration.values import OwnerRow
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema, NotInSchema, fitting

MAP, SAMPLE = "map", "sample"
"""What is approved."""
NOBODY = "(nobody)"
_NAMED = ("option", "options", "labels", "stage", "pipeline")
"""Types whose values are names that the account holds under ids of its own."""
_SHOWN = 6
"""Groups of changes that words name; the rest is counted."""
_LENGTH = 80
"""Code points of a value in words."""


class CannotRender(MigrationError):
    """The sample's payloads cannot be made as things stand; the text says why."""


@dataclass(frozen=True)
class Rendering:
    """The sample's payloads. records: entity → source key → field → value; fields without a value are left out.

    names: "deals.Job_Type__c" → name → the id it stands for and what the account calls that id; None where it is gone.
    """

    generation: int
    records: Mapping[str, Mapping[str, Mapping[str, Any]]]
    names: Mapping[str, Mapping[str, Sequence[Any]]] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """One text for all of it."""
        return digest_of(self.document())

    def document(self) -> dict[str, Any]:
        """Plain values, as the approval keeps them."""
        return {"generation": self.generation, "records": self.records, "names": self.names}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Rendering":
        """What `document` wrote down."""
        return cls(int(document["generation"]), document["records"], document["names"])

    @property
    def orphans(self) -> list[str]:
        """Source keys of the records that nobody would own."""
        rows = [pair for found in self.records.values() for pair in found.items()]
        return [key for key, row in rows if row.get("owner_id") == NOBODY]

    @property
    def count(self) -> int:
        """Records in it."""
        return sum(map(len, self.records.values()))


class Change(NamedTuple):
    """One field of one record that would be written differently; `field` is empty for the record as a whole."""

    entity: str
    source_key: str
    field: str
    old: str
    new: str


def render(
    maps: Maps,
    frames: Mapping[str, pd.DataFrame],
    schema: AccountSchema,
    owners: Sequence[OwnerRow],
    generation: int,
) -> Rendering:
    """The payloads that mapped frames (logical form, by entity) come to on one account."""
    users, emails = decided(owners), emails_of(owners)
    records: dict[str, dict[str, dict[str, Any]]] = {}
    names: dict[str, dict[str, list[Any]]] = {}
    for entity, entity_map in maps.items():
        frame = frames[entity]
        keys = [str(key) for key in frame["source_key"]]
        rows: dict[str, dict[str, Any]] = {key: {} for key in keys}
        for name, field_map in entity_map.fields.items():
            values = [None if is_missing(value) else value for value in frame[name].tolist()]
            if field_map.type == "user":
                values = [_owner(users, emails, value) for value in values]
            elif field_map.type == "content":  # what is signed is kept: no bytes, no signature of a link
                values = [None if value is None else source_name(str(value)) for value in values]
            elif field_map.type in _NAMED:
                known = _known(schema, entity, name, field_map, _distinct(values))
                if known:
                    names[f"{entity}.{name}"] = known
            for key, value in zip(keys, values, strict=True):
                if value is not None:
                    rows[key][name] = sorted(value) if field_map.type in ("options", "labels") else value
        records[entity] = rows
    plain: Any = orjson.loads(orjson.dumps(records, option=orjson.OPT_SERIALIZE_NUMPY))
    return Rendering(generation, plain, names)


def _owner(users: Owners, emails: Mapping[int, str], value: object) -> str:
    try:
        user = users.user(value)
    except RunStopped:
        return NOBODY
    return emails.get(user, f"user {user}")


def _distinct(values: Iterable[Any]) -> list[str]:
    found: dict[str, None] = {}
    for value in values:
        found.update(
            dict.fromkeys(value if isinstance(value, list | tuple) else [] if value is None else [value])
        )
    return sorted(found)


def _known(
    schema: AccountSchema, entity: str, name: str, field_map: FieldMap, values: Sequence[str]
) -> dict[str, list[Any]]:
    """Name → the id that it stands for, and what the account calls that id."""
    found: dict[str, list[Any]] = {}
    for value in values:
        try:
            if field_map.type == "stage":
                number: int | None = schema.stage_id(value)
            elif field_map.type == "pipeline":
                number = schema.pipeline_id(value)
            elif field_map.type == "labels":
                number = schema.label_id(entity, value)
            else:
                number = schema.option_id(entity, name, value)
        except NotInSchema:
            number = None
        found[value] = [number, None if number is None else _called(schema, entity, name, number, value)]
    return found


def _called(schema: AccountSchema, entity: str, name: str, number: int, value: str) -> str | None:
    """What the account calls an id; the value itself where nobody but this program, by the source, named the option.

    So a tag that has another name today is the tag that was approved, and a name that people gave it shows.
    """
    now = standing_name(schema, entity, name, number)
    ours = (o.label for o in schema.options if (o.entity, o.field, o.id) == (entity, name, number))
    return value if now is not None and now == fitting(next(ours, value)) else now


def standing_name(schema: AccountSchema, entity: str, name: str, number: int) -> str | None:
    """What the account calls an id of a field (a logical name) now; None if it holds it no longer."""
    structure = schema.structure
    if name == "stage_id":
        return next((stage.name for stage in structure.stages if stage.id == number), None)
    if name == "pipeline_id":
        return next((pipeline.name for pipeline in structure.pipelines if pipeline.id == number), None)
    try:
        found = schema.field(entity, name) if is_custom(name) else structure.label_field(entity)
    except NotInSchema:
        return None
    return next((o.label for o in (found.options if found else None) or () if o.id == number), None)


def changes(approved: Rendering, now: Rendering, schema: AccountSchema) -> list[Change]:
    """What would be written differently than was approved; empty if nothing would."""
    found: list[Change] = []
    for entity in dict.fromkeys((*approved.records, *now.records)):
        before, after = approved.records.get(entity, {}), now.records.get(entity, {})
        for key in dict.fromkeys((*before, *after)):
            if key not in after or key not in before:
                words = (
                    ("in the sample", "no longer") if key in before else ("not in the sample", "there now")
                )
                found.append(Change(entity, key, "", *words))
                continue
            for name in dict.fromkeys((*before[key], *after[key])):
                old, new = before[key].get(name), after[key].get(name)
                if old == new and _same_names(approved, now, f"{entity}.{name}", old):
                    continue
                shown = _Shown(approved, now, schema, entity, name)
                found.append(Change(entity, key, name, shown.old(old), shown.new(new)))
    return found


def same_but_for_ids(approved: Rendering, now: Rendering) -> bool:
    """Whether the same payloads would be written under the same names, though the account has other ids for these."""

    def called(one: Rendering) -> dict[str, dict[str, Any]]:
        return {
            where: {name: shown for name, (_, shown) in names.items()} for where, names in one.names.items()
        }

    return approved.records == now.records and called(approved) == called(now)


def _same_names(approved: Rendering, now: Rendering, where: str, value: Any) -> bool:
    before, after = approved.names.get(where, {}), now.names.get(where, {})
    named = value if isinstance(value, list) else [value]
    return all(list(before.get(x, ())) == list(after.get(x, ())) for x in named if isinstance(x, str))


@dataclass(frozen=True)
class _Shown:
    """How the values of one field read in words: by what the ids that were approved are called now."""

    approved: Rendering
    now: Rendering
    schema: AccountSchema
    entity: str
    name: str

    def old(self, value: Any) -> str:
        where = f"{self.entity}.{self.name}"
        known = self.approved.names.get(where, {})
        return self._text(value, lambda name: str(known.get(name, (None, None))[1] or name))

    def new(self, value: Any) -> str:
        return self._text(value, self._called)

    def _called(self, name: str) -> str:
        where = f"{self.entity}.{self.name}"
        number, called = self.now.names.get(where, {}).get(name, (None, None))
        approved = self.approved.names.get(where, {}).get(name, (None, None))[0]
        if approved is not None and approved != number:
            called = standing_name(self.schema, self.entity, self.name, int(approved))
            if called in (None, name):
                return f"{name} (made anew)" if number is not None else f"{name} (not in the account)"
            return str(called)
        return f"{name} (not in the account)" if called is None else str(called)

    def _text(self, value: Any, called: Callable[[str], str]) -> str:
        if f"{self.entity}.{self.name}" in {**self.approved.names, **self.now.names}:
            names = value if isinstance(value, list) else [] if value is None else [value]
            return ", ".join(called(name) for name in names) or "(empty)"
        if value is None:
            return "(empty)"
        return value if isinstance(value, str) else canonical_json(value)


def told(found: Sequence[Change], *, shown: int = _SHOWN) -> str:
    """The changes in words: how many fields of how many records, then `entity.field: old → new ×n`, field by field."""
    records = len({(change.entity, change.source_key) for change in found})
    groups = Counter(
        (f"{c.entity}.{c.field}" if c.field else f"{c.entity}", _short(c.old), _short(c.new)) for c in found
    )
    most = _each_field_first(sorted(groups.items(), key=lambda item: (-item[1], item[0])))
    lines = [f"{where}: {old} → {new} ×{count}" for (where, old, new), count in most[:shown]]
    more = f"; and {len(most) - shown} more" if len(most) > shown else ""
    fields = sum(bool(change.field) for change in found)
    what = f"{fields} fields of {records} records" if fields else f"{records} records"
    return f"{what} changed ({'; '.join(lines)}{more})"


def _each_field_first(
    groups: Sequence[tuple[tuple[str, str, str], int]],
) -> list[tuple[tuple[str, str, str], int]]:
    """The groups in their order, but of every field one before the second of any."""
    seen: Counter[str] = Counter()
    ranked = []
    for group in groups:
        ranked.append((seen[group[0][0]], group))
        seen[group[0][0]] += 1
    return [group for _, group in sorted(ranked, key=lambda one: one[0])]


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LENGTH else text[: _LENGTH - 1] + "…"


def refused(now: Rendering, report: Mapping[str, Any] | None) -> str:
    """Why a sample cannot be approved as it is rendered now; '' if it can.

    report: what reading the sample back came to last (`blocking`, and the digest of the `rendering` that it compared).
    """
    again = "load the batch `sample` (job `load`), reconcile it (job `reconcile`), look at its diff, and approve then"
    if report is None:
        return f"the sample was not reconciled yet: {again}"
    if report.get("blocking"):
        return (
            f"reading the sample back found {report['blocking']} blocking differences: look at `reconciliation` of "
            f"the batch `sample`, mend them, then {again}"
        )
    if report.get("rendering") != now.digest:
        return f"map, code, owners or account changed since the sample was reconciled: {again}"
    return ""
