"""An account as the ledger's records show it: which of its fields, pipelines and stages are ours.

Nothing is recognised by its name: names are not unique, and a field of that name may be somebody else's. What the
program made (or was told to adopt) is known by the key that the ledger recorded, a `Made`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from dispatch_to_pipedrive.pipedrive.account import Field, Structure, read_structure
from dispatch_to_pipedrive.pipedrive.client import PipedriveClient
from dispatch_to_pipedrive.pipedrive.standing import MadeOption, Sources, Standing, fitting, stand


@dataclass(frozen=True, slots=True)
class Made:
    """One thing of the schema as the ledger records it.

    kind pipeline: key is its id. kind stage: key is its id, detail the pipeline's name. kind field: key is
    the field_code, detail the field_type. kind labels: key is the number that v1 gives an entity's label field.
    """

    kind: Literal["pipeline", "stage", "field", "labels"]
    entity: str
    name: str
    key: str
    detail: str = ""


LABELS = "label_ids"
"""The name under which the labels of an entity's records are recorded."""


@dataclass(frozen=True, slots=True)
class Change:
    """A recorded thing that is no longer what it was."""

    made: Made
    found: str | None

    def __str__(self) -> str:
        now = "is gone" if self.found is None else f"is now of type {self.found}"
        where = f"{self.made.entity} " if self.made.kind == "field" else ""
        was = f" (type {self.made.detail})" if self.made.kind == "field" else ""
        return f"{where}{self.made.kind} {self.made.name!r}, recorded as {self.made.key}{was}, {now}"


class SchemaChanged(Exception):
    """Recorded keys vanished or changed their type: nothing may be written until people have decided."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self.changes = tuple(changes)
        lines = "; ".join(map(str, self.changes))
        super().__init__(
            f"the account's schema changed: {lines}. Restore it in Pipedrive or adopt another field"
        )


class NotInSchema(LookupError):
    """A name that the account's schema does not hold."""

    def __init__(self, what: str, entity: str, name: str) -> None:
        self.what, self.entity, self.name = what, entity, name
        super().__init__(f"{entity}: no {what} {name!r} in the account's schema: make the schema first")


class CannotAdopt(NotInSchema):
    """The field of people's own that a map names cannot serve as ours."""

    def __init__(self, entity: str, name: str, wanted: str, found: Sequence[str]) -> None:
        self.wanted, self.found = wanted, tuple(found)
        super().__init__("field to adopt", entity, name)

    def __str__(self) -> str:
        if not self.found:
            why = f"the account has no custom field {self.name!r} that is not in use already"
        elif len(self.found) > 1:
            why = f"the account has {len(self.found)} custom fields named {self.name!r}"
        else:
            why = f"the account's custom field {self.name!r} is of type {self.found[0]}, not {self.wanted}"
        return f"{self.entity}: {why}: change `adopts` in the map, or the field in Pipedrive"


@dataclass(frozen=True)
class AccountSchema:
    """An account as the ledger's records show it: logical names → this account's keys."""

    structure: Structure
    made: tuple[Made, ...] = ()
    options: tuple[MadeOption, ...] = ()
    names: tuple[MadeOption, ...] = ()
    sources: Sources = dataclasses.field(default_factory=dict)
    """What bore which name at the source when the records were read that this schema is asked for."""

    def at_source(self, sources: Sources) -> AccountSchema:
        """The same account, asked by the names that the source gave at some time."""
        return replace(self, sources=sources)

    @cached_property
    def _standing(self) -> dict[tuple[str, str], Standing]:
        return {}

    def standing(self, entity: str, name: str) -> Standing:
        """The options of a custom field, or of an entity's LABELS, by the names that they stand for."""
        if (entity, name) not in self._standing:
            called = self.called(entity, name)
            mine = [o for o in self.options if (o.entity, o.field) == (entity, name) and o.id in called]
            names = [o for o in self.names if (o.entity, o.field) == (entity, name)]
            self._standing[entity, name] = stand(mine, names, called, self.sources.get((entity, name), {}))
        return self._standing[entity, name]

    def called(self, entity: str, name: str) -> Mapping[int, str]:
        """Id → label, as the account has the options of a custom field or an entity's LABELS."""
        found = self.structure.label_field(entity) if name == LABELS else self.field(entity, name)
        options = (found.options if found else None) or ()
        return {option.id: option.label for option in options if isinstance(option.id, int)}

    def number_of(self, entity: str, name: str, label: str) -> int | None:
        """The id of the option that stands for a label; None if there is none."""
        return _of(self.standing(entity, name).every, label)

    def own_number_of(self, entity: str, name: str, label: str) -> int | None:
        """The id of the option that is called by a label, or will be; None if one is to be made."""
        return _of(self.standing(entity, name).own, label)

    @cached_property
    def _codes(self) -> Mapping[tuple[str, str], str]:
        return {(m.entity, m.name): m.key for m in self.made if m.kind == "field"}

    @cached_property
    def _pipelines(self) -> Mapping[str, int]:
        return {m.name: int(m.key) for m in self.made if m.kind == "pipeline"}

    @cached_property
    def _stages(self) -> Mapping[tuple[str, str], int]:
        return {(m.detail, m.name): int(m.key) for m in self.made if m.kind == "stage"}

    @cached_property
    def _customs(self) -> Mapping[str, Mapping[str, tuple[str, str]]]:
        customs: dict[str, dict[str, tuple[str, str]]] = {}
        for m in self.made:
            if m.kind == "field":
                customs.setdefault(m.entity, {})[m.key] = (m.name, m.detail)
        return customs

    def customs(self, entity: str) -> Mapping[str, tuple[str, str]]:
        """field_code → (logical name, field_type) of our custom fields."""
        return self._customs.get(entity, {})

    def has_field(self, entity: str, name: str) -> bool:
        """Whether the ledger recorded a custom field of that name."""
        return (entity, name) in self._codes

    def field_code(self, entity: str, name: str) -> str:
        """The key of a custom field in this account."""
        try:
            return self._codes[entity, name]
        except KeyError:
            raise NotInSchema("custom field", entity, name) from None

    def field_type(self, entity: str, name: str) -> str:
        """Pipedrive's type of a custom field."""
        return self.field(entity, name).field_type

    def field(self, entity: str, name: str) -> Field:
        """The custom field as the account has it."""
        code = self.field_code(entity, name)
        try:
            return self.structure.fields[entity][code]
        except KeyError:
            raise NotInSchema("custom field", entity, name) from None

    def option_id(self, entity: str, name: str, label: str) -> int:
        """The id of a custom field's option."""
        found = self.number_of(entity, name, label)
        if found is None:
            raise NotInSchema(f"option of {name}", entity, label)
        return found

    def label_id(self, entity: str, label: str) -> int:
        """The id of a label."""
        found = self.number_of(entity, LABELS, label)
        if found is None:
            raise NotInSchema("label", entity, label)
        return found

    def pipeline_id(self, name: str | None = None) -> int:
        """The id of a pipeline; without a name, of the only one."""
        if name is None and len(self._pipelines) == 1:
            return next(iter(self._pipelines.values()))
        try:
            return self._pipelines[name or ""]
        except KeyError:
            raise NotInSchema("pipeline", "deals", name or "") from None

    def stage_id(self, name: str, pipeline: str | None = None) -> int:
        """The id of a stage; without a pipeline, the stage of that name in whichever of ours has it."""
        found = [
            key for (owner, stage), key in self._stages.items() if stage == name and pipeline in (None, owner)
        ]
        if not found:
            raise NotInSchema("stage", "deals", name)
        return found[0]


def _of(standing: Mapping[str, int], label: str) -> int | None:
    found = standing.get(label)
    return standing.get(fitting(label)) if found is None else found


def names_to_keep(schema: AccountSchema, *, anew: bool = False) -> list[MadeOption]:
    """Which option stands for which name, with all that bears it, as far as the ledger does not know that yet.

    anew: what is called otherwise by now no longer stands for a name where another option is called so.
    """
    known = {(o.entity, o.field, o.label, frozenset(o.sources)): o.id for o in schema.names}
    found = []
    for (entity, name), asked in schema.sources.items():
        if name != LABELS and not schema.has_field(entity, name):
            continue
        for label, bearers in asked.items():
            number = schema.number_of(entity, name, label)
            if anew:
                number = schema.own_number_of(entity, name, label) or number
            if number is not None and known.get((entity, name, label, frozenset(bearers))) != number:
                found.append(MadeOption(entity, name, label, number, tuple(sorted(bearers))))
    return found


async def read_account_schema(
    client: PipedriveClient, made: Iterable[Made] = (), options: Iterable[MadeOption] = ()
) -> AccountSchema:
    """Read the account's structure (40 tokens) and look at it through the recorded keys.

    Raises SchemaChanged if a recorded key has vanished or has another type.
    """
    schema = AccountSchema(await read_structure(client), tuple(made), tuple(options))
    if changes := changes_of(schema):
        raise SchemaChanged(changes)
    return schema


def changes_of(schema: AccountSchema) -> tuple[Change, ...]:
    """The recorded things that the account no longer holds as they were recorded."""
    pipelines = {str(p.id) for p in schema.structure.pipelines}
    stages = {str(s.id) for s in schema.structure.stages}
    changes: list[Change] = []
    for made in schema.made:
        if made.kind == "field":
            field = schema.structure.fields.get(made.entity, {}).get(made.key)
            if field is None or field.field_type != made.detail:
                changes.append(Change(made, None if field is None else field.field_type))
        elif made.kind == "labels":
            continue  # a shortcut to a field that every account has; who takes it looks whether it still leads there
        elif made.key not in (pipelines if made.kind == "pipeline" else stages):
            changes.append(Change(made, None))
    return tuple(changes)


def adopt(structure: Structure, entity: str, name: str, field_code: str) -> Made:
    """The record by which a field that people confirmed serves as ours."""
    try:
        field = structure.fields[entity][field_code]
    except KeyError:
        raise NotInSchema("field to adopt", entity, field_code) from None
    return Made("field", entity, name, field_code, field.field_type)
