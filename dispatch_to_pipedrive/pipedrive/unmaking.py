"""How one thing of the schema is taken away again, and how the account shows that it is gone.

Deleted fields, stages and pipelines are only marked as deleted, but no call brings them back, and a field's key never
returns. Whoever removes options takes them from every record that bears them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, Self

from dispatch_to_pipedrive.pipedrive.account import Structure
from dispatch_to_pipedrive.pipedrive.answers import Answer
from dispatch_to_pipedrive.pipedrive.client import FIELD_RESOURCES, Entity, PipedriveClient
from dispatch_to_pipedrive.pipedrive.making import v1_label_field
from dispatch_to_pipedrive.pipedrive.prices import PRICES, price

RemovalKind = Literal["labels", "options", "field", "stage", "pipeline"]
_RECORDS: Mapping[str, Entity] = {"stage": "stages", "pipeline": "pipelines"}


@dataclass(frozen=True, slots=True)
class Removal:
    """One deletion, made of plain values for the intent.

    name: the logical name of a field, or what the ledger calls a stage or pipeline. key: the field_code (of labels that
    of the built-in field), or the id of a stage or pipeline. options: the ids that go, each with its label, of labels
    and options. number: v1's number of the entity's label field, where it is known.
    """

    kind: RemovalKind
    entity: str
    name: str
    key: str
    options: tuple[tuple[int, str], ...] = ()
    number: str = ""

    @property
    def ids(self) -> frozenset[int]:
        """The options that go."""
        return frozenset(number for number, _ in self.options)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for the ledger."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The removal that `as_dict` wrote down."""
        options = tuple((int(number), str(label)) for number, label in values["options"])
        return cls(**{**values, "options": options})


@dataclass(frozen=True, slots=True)
class Removed:
    """What a removal brought; `date` is None where nothing had to be sent."""

    record: Mapping[str, Any]
    tokens: int
    date: datetime | None


async def remove(client: PipedriveClient, removal: Removal) -> Removed:
    """Take one thing away; after an `Ambiguous` error read the structure again and ask `is_gone`.

    Raises NotFound where it is gone already.
    """
    if removal.kind == "labels":
        return await _put_fewer_labels(client, removal)
    if removal.kind == "options":
        answer = await client.delete_options(removal.entity, removal.key, sorted(removal.ids))
    elif removal.kind == "field":
        answer = await client.delete_field(removal.entity, removal.key)
    else:
        answer = await client.delete(_RECORDS[removal.kind], int(removal.key))
    return _removed(answer)


def is_gone(structure: Structure, removal: Removal) -> bool:
    """Whether the account shows none of what was to be removed."""
    if removal.kind == "stage":
        return all(str(stage.id) != removal.key for stage in structure.stages)
    if removal.kind == "pipeline":
        return all(str(pipeline.id) != removal.key for pipeline in structure.pipelines)
    field = structure.fields.get(removal.entity, {}).get(removal.key)
    if field is None or removal.kind == "field":
        return field is None
    return not removal.ids & {option.id for option in field.options or ()}


def tokens_of(removal: Removal) -> int:
    """What a removal costs, the reading right before it included."""
    if removal.kind in _RECORDS:
        return price("delete", _RECORDS[removal.kind])
    name = FIELD_RESOURCES[removal.entity]
    if removal.kind == "labels":
        look = "/{id}" if removal.number else ""
        return PRICES["GET", f"/api/v1/{name}{look}"] + PRICES["PUT", f"/api/v1/{name}/{{id}}"]
    tail = "/options" if removal.kind == "options" else ""
    return PRICES["DELETE", f"/api/v2/{name}/{{field_code}}{tail}"]


async def _put_fewer_labels(client: PipedriveClient, removal: Removal) -> Removed:
    """Pipedrive's v1 takes the whole list: it is read right before, so that what people added meanwhile survives."""
    field = await v1_label_field(client, removal.entity, removal.key, removal.number)
    standing = list(field.get("options") or ())
    staying = [option for option in standing if option["id"] not in removal.ids]
    if staying == standing:
        return Removed({"id": field["id"], "options": standing}, 0, None)
    return _removed(await client.put_options(removal.entity, int(field["id"]), staying))


def _removed(answer: Answer) -> Removed:
    return Removed(answer.record, answer.tokens, answer.date)
