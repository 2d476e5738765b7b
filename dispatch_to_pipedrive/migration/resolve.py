"""What does a mapped record look like on the wire of this one account?

Logical names become hash keys, labels option ids, source keys Pipedrive ids, e-mails users, files in a note links. A
record whose parent has no live link is *held*: it says for whom it waits, and is not sent.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

import pandas as pd

from dispatch_to_pipedrive.mapping.model import EntityMap, FieldMap, is_custom
from dispatch_to_pipedrive.migration.errors import RunStopped
from dispatch_to_pipedrive.migration.hosted import Hosted, file_keys, with_links
from dispatch_to_pipedrive.migration.ledger import digest_of
from dispatch_to_pipedrive.migration.values import Body, Link
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

_ENTITY_OF_ROLE = {
    "organization": "organizations",
    "person": "persons",
    "deal": "deals",
    "activity": "activities",
    "file": "files",
    "image": "files",
    "note": "notes",
}
_LISTS = ("labels", "emails", "phones", "participants")


def entity_of(source_key: str) -> str:
    """The destination entity that a source key's role names."""
    return _ENTITY_OF_ROLE[source_key.rsplit("/", 1)[1].partition("-")[0]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a batch means one record to be: the wire body, with None where a mapped field is empty.

    `digest` leaves out what can only be said on creation. `held` names what the record waits for.
    """

    entity: str
    source_key: str
    root: int
    body: Body
    digest: str
    held: str | None


@dataclass(frozen=True)
class Owners:
    """E-mail of a technician (case and space folded) → user id, and who stands in for the others."""

    by_email: Mapping[str, int]
    fallback: int | None

    def user(self, email: object) -> int:
        """The user who owns what this technician did."""
        folded = fold_email(email)
        found = self.by_email.get(folded, self.fallback) if folded else self.fallback
        if found is None:
            raise RunStopped(
                f"technician {folded or '(none)'} has no Pipedrive user and there is no fallback owner: "
                "set FALLBACK_OWNER_EMAIL or create the user, then materialize technician_owners"
            )
        return found


def fold_email(email: object) -> str:
    """An e-mail as it is compared: without case and surrounding space."""
    return email.strip().casefold() if isinstance(email, str) else ""


@dataclass(frozen=True)
class Resolver:
    """One account's ids and keys; `parents` gives the Pipedrive id of each live parent by source key.

    authors: folded e-mail → id of an active user. plan: the account's, by name. hosted: what the files that notes
    show have become, by source key. gone: links of parents that people deleted or merged.
    """

    schema: AccountSchema
    owners: Owners
    parents: Mapping[str, int]
    authors: Mapping[str, int] = dataclass_field(default_factory=dict)
    plan: str = ""
    hosted: Mapping[str, Hosted] = dataclass_field(default_factory=dict)
    gone: Mapping[str, Link] = dataclass_field(default_factory=dict)

    def wanted(self, entity_map: EntityMap, frame: pd.DataFrame) -> Iterator[Wanted]:
        """Each row of a mapped frame on the wire, in the frame's order."""
        entity = entity_map.entity
        columns = [
            (
                name,
                self._wire_name(entity, name),
                field,
                self._converter(entity, name, field),
                frame[name].tolist(),
            )
            for name, field in entity_map.fields.items()
            # A pick-list without a choice is not made, and nothing can be said in it.
            if not (is_custom(name) and frame[name].isna().all() and not self.schema.has_field(entity, name))
        ]
        once = {name for name, field in entity_map.fields.items() if field.create_only}
        keys, roots = frame["source_key"].tolist(), frame["root"].tolist()
        for i, key in enumerate(keys):
            body: Body = {}
            custom: Body = {}
            held = None
            for name, wire_name, field, convert, values in columns:
                value = None if is_missing(values[i]) else values[i]
                try:
                    wire = convert(value)
                except MissingParent as missing:
                    wire = None
                    held = held or str(missing)
                (custom if is_custom(name) else body)[wire_name] = wire
                if field.required and wire in (None, []) and held is None:
                    held = f"{name} is empty"
            if custom:
                body["custom_fields"] = custom
            lasting = {k: v for k, v in body.items() if k not in once}
            yield Wanted(entity, key, int(roots[i]), body, digest_of(lasting), held)

    def _wire_name(self, entity: str, name: str) -> str:
        return self.schema.field_code(entity, name) if is_custom(name) else name

    def _converter(self, entity: str, name: str, field: FieldMap) -> Callable[[Any], Any]:
        if field.type == "user":
            return self.owners.user
        by_type: dict[str, Callable[[Any], Any]] = {
            "option": lambda v: self.schema.option_id(entity, name, v),
            "options": lambda v: sorted(self.schema.option_id(entity, name, x) for x in v) or None,
            "labels": lambda v: sorted(self.schema.label_id(entity, x) for x in v),
            "reference": self._parent,
            "participants": lambda v: [
                {"person_id": self._parent(x), "primary": i == 0} for i, x in enumerate(v)
            ],
            "pipeline": self.schema.pipeline_id,
            "stage": self.schema.stage_id,
            "number": _number,
            "boolean": bool,
            "emails": list,
            "phones": list,
            "address": dict,
            "money": dict,
            "hosted_html": lambda v: with_links(str(v), self.hosted),
            "author": lambda v: self.authors.get(fold_email(v)),
            "visibility": lambda v: visible_to(str(v), self.plan),
        }
        convert = by_type.get(field.type, str)
        # A list is emptied by an empty list: the vendor takes no null for it.
        empty: list[Any] | None = [] if field.type in _LISTS else None
        return lambda value: empty if value is None else convert(value)

    def _parent(self, source_key: str) -> int:
        try:
            return self.parents[source_key]
        except KeyError:
            lost = self.gone.get(source_key)
            if lost is None:
                raise MissingParent(f"waits for {source_key}") from None
            raise MissingParent(
                f"waits for {source_key}, which people deleted or merged in Pipedrive ({lost.entity} "
                f"{lost.pipedrive_id}): `relink {source_key} ID --as NAME` names what took its place"
            ) from None


VISIBLE_TO: Mapping[str, Mapping[str, int]] = {
    "lite": {"owner": 1, "everyone": 3},
    "growth": {"owner": 1, "everyone": 3},
    "premium": {"owner": 1, "group": 3, "subgroups": 5, "everyone": 7},
    "ultimate": {"owner": 1, "group": 3, "subgroups": 5, "everyone": 7},
}
"""Plan → who sees a record → Pipedrive's number for it: 3 is everyone on small plans and a group on large ones."""


def visible_to(word: str, plan: str) -> int:
    """Pipedrive's number for who sees a record; RunStopped where the plan knows no such thing."""
    numbers = VISIBLE_TO.get(plan, VISIBLE_TO["premium"])
    if word not in numbers:
        raise RunStopped(
            f"visible_to: {word!r} is not possible on Pipedrive's plan {plan}: "
            f"change it to one of {', '.join(numbers)} in the map, or set PIPEDRIVE_PLAN"
        )
    return numbers[word]


def _number(value: Any) -> int | float:
    """Whole numbers without a fraction: Pipedrive takes nothing else for a head count or a yearly revenue."""
    number = float(value)
    return int(number) if number.is_integer() else number


class MissingParent(Exception):
    """A parent has no live link."""


def is_missing(value: object) -> bool:
    """Whether a value of a mapped frame stands for nothing."""
    return (
        value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))
    )


def parent_keys(entity_map: EntityMap, frame: pd.DataFrame) -> dict[str, set[str]]:
    """Entity → source keys that the frame's rows refer to."""
    found: dict[str, set[str]] = {}
    for name, field in entity_map.fields.items():
        if field.type == "reference":
            keys = set(frame[name].dropna())
        elif field.type == "participants":
            keys = {key for row in frame[name] if not is_missing(row) for key in row}
        elif field.type == "hosted_html":
            keys = {key for text in frame[name] if not is_missing(text) for key in file_keys(str(text))}
        else:
            continue
        for key in keys:
            found.setdefault(entity_of(key), set()).add(key)
    return found
