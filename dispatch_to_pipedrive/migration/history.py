"""What ever happened to a record? Asked by source key, by the source's id, or by Pipedrive's; told from the ledger."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import orjson

from dispatch_to_pipedrive.migration.compare import flat
from dispatch_to_pipedrive.migration.errors import WrongRecord
from dispatch_to_pipedrive.migration.kept import LENGTH
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope
from dispatch_to_pipedrive.migration.resolve import entity_of
from dispatch_to_pipedrive.migration.values import ENTITIES, Approval, Event, KeptEdit, Link, Quarantined

_SINGULAR = {
    "organization": "organizations",
    "person": "persons",
    "deal": "deals",
    "activity": "activities",
    "file": "files",
    "note": "notes",
}
_ASKED = re.compile(r"\s*([a-z_]+)\s*[ /:#]\s*([0-9a-f-]+)\s*", re.IGNORECASE)
_DIGITS = 18
"""More than any number of Pipedrive has, and as many as the ledger's integers take."""


class Change(NamedTuple):
    """One field of an operation, by its logical name: what stood there as far as was known, and what was sent."""

    field: str
    old: str
    new: str


@dataclass(frozen=True)
class RecordHistory:
    """Everything that the ledger knows of the records that were asked for."""

    asked: str
    links: Sequence[Link]
    events: Sequence[tuple[Event, Sequence[Change]]]
    edits: Sequence[KeptEdit]
    quarantined: Sequence[Quarantined]
    approvals: Sequence[Approval]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "asked": self.asked,
            "links": [link._asdict() for link in self.links],
            "operations": [
                {
                    **{k: v for k, v in asdict(event).items() if k not in ("body", "before")},
                    "changes": [change._asdict() for change in changes],
                }
                for event, changes in self.events
            ],
            "edits": [edit._asdict() for edit in self.edits],
            "quarantined": [one._asdict() for one in self.quarantined],
            "approvals": [
                {"subject": one.subject, "name": one.name, "at": one.at, "digest": one.digest}
                for one in self.approvals
            ],
        }


def history(ledger: Ledger, scope: Scope, asked: str) -> RecordHistory:
    """All that happened to what was asked for. Raises WrongRecord where the ledger knows no such record."""
    keys = _keys(ledger, scope, asked)
    by_entity: dict[str, set[str]] = {}
    for entity, key in keys:
        by_entity.setdefault(entity, set()).add(key)
    names, things = _names(ledger, scope.account)
    events = [
        (event, list(_changes(event, names, things)))
        for entity in by_entity
        for event in ledger.events(scope, entity, by_entity[entity])
    ]
    edits = [edit for entity in by_entity for edit in ledger.kept_edits(scope, entity, by_entity[entity])]
    newest = {one.subject: one for one in ledger.approvals(scope.account)}
    return RecordHistory(
        asked=asked,
        links=ledger.links_of(scope, keys),
        events=sorted(events, key=lambda one: one[0].number),
        edits=edits,
        quarantined=[q for q in ledger.quarantined(scope) if (q.entity, q.source_key) in keys],
        approvals=list(newest.values()),
    )


def _keys(ledger: Ledger, scope: Scope, asked: str) -> set[tuple[str, str]]:
    """The records that are meant, by entity and source key."""
    text = asked.strip()
    keys: set[tuple[str, str]] = set()
    if ":" in text and "/" in text:
        keys = {one for one in ledger.keys_of_source(scope, text.rpartition("/")[0]) if one[1] == text}
        _known_role(text)
    elif found := _ASKED.fullmatch(text):
        kind, number = found[1].lower(), found[2]
        entity = kind if kind in ENTITIES else _SINGULAR.get(kind)
        if entity is not None and number.isdigit() and len(number) <= _DIGITS:
            keys = ledger.keys_of_number(scope, entity, int(number))
        elif entity is None:
            keys = ledger.keys_of_source(scope, f"{kind}:{number}")
    else:
        raise WrongRecord(
            f"{asked!r} names no record: give a source key (job:7/deal), a record of the source (customer 41000123), "
            "or one of Pipedrive (deal 123 or deals/123)"
        )
    if not keys:
        raise WrongRecord(
            f"the ledger knows nothing of {text}: nothing was ever written for it, or it is another account's"
        )
    return keys


def _known_role(source_key: str) -> None:
    try:
        entity_of(source_key)
    except KeyError:
        raise WrongRecord(
            f"{source_key!r} is no source key: it ends in a role such as /organization, /person or /deal"
        ) from None


def _names(ledger: Ledger, account: str) -> tuple[Mapping[str, str], Mapping[tuple[str, str], str]]:
    """Field code → logical name, and ("stage_id", id) → name of what the migration made in the account."""
    made = ledger.schema_objects(account)
    fields = {one.code: one.name for one in made if one.kind == "field"}
    places = {"stage": "stage_id", "pipeline": "pipeline_id"}
    return fields, {(places[one.kind], one.code): one.name for one in made if one.kind in places}


def _changes(
    event: Event, names: Mapping[str, str], things: Mapping[tuple[str, str], str]
) -> Iterator[Change]:
    before = flat(event.before) if event.verb == "update" else {}
    for name, value in flat(event.body).items():
        yield Change(names.get(name, name), _text(things, name, before.get(name)), _text(things, name, value))


def _text(things: Mapping[tuple[str, str], str], name: str, value: Any) -> str:
    if value is None:
        return ""
    known = things.get((name, str(value)))
    text = known or (value if isinstance(value, str) else orjson.dumps(value).decode())
    return text if len(text) <= LENGTH else f"{text[: LENGTH - 1]}…"
