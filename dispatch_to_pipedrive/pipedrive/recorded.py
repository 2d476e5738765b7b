"""An account as the ledger's records show it: which of its fields, pipelines and stages are ours.

Nothing is recognised by its name: names are not unique, and a field of that name may be somebody else's. What the
program made (or was told to adopt) is known by the key that the ledger recorded, a `Made`.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from dispatch_to_pipedrive.pipedrive.account import Field, Structure, read_structure
from dispatch_to_pipedrive.pipedrive.client import PipedriveClient
from dispatch_to_pipedrive.pipedrive.plans import OPTION_LABEL_LENGTH


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


Sources = Mapping[tuple[str, str], Mapping[str, Sequence[str]]]
"""(entity, custom field or LABELS) → label → what bears that name at the source, by id: `tag_type:7`.

Only for fields whose options follow renames at the source."""


@dataclass(frozen=True, slots=True)
class MadeOption:
    """The option (of a custom field by logical name, or of LABELS) that stands for a label.

    sources: all that it has ever stood for at the source; empty for one that people made, or whose field does not
    follow renames. An option that stands for one thing is renamed with it.
    """

    entity: str
    field: str
    label: str
    id: int
    sources: tuple[str, ...] = ()


def fitting(label: str) -> str:
    """A label as Pipedrive can hold it: cut where it is too long, and told from others that begin alike."""
    if len(label) <= OPTION_LABEL_LENGTH:
        return label
    mark = f"… [{hashlib.sha256(label.encode()).hexdigest()[:8]}]"
    return label[: OPTION_LABEL_LENGTH - len(mark)] + mark


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
    sources: Sources = dataclasses.field(default_factory=dict)
    """What bore which name at the source when the records were read that this schema is asked for."""

    def at_source(self, sources: Sources) -> AccountSchema:
        """The same account, asked by the names that the source gave at some time."""
        return replace(self, sources=sources)

    @cached_property
    def _standing(self) -> dict[tuple[str, str], Mapping[str, int]]:
        return {}

    def standing(self, entity: str, name: str) -> Mapping[str, int]:
        """Label → id of a custom field's options, or of an entity's LABELS.

        What follows renames is found by what bears the label at the source, however the option is called now. An option
        that people renamed still stands for what it was made for; a recorded one that is gone does not.
        """
        if (entity, name) not in self._standing:
            there = self.called(entity, name)
            ours = self.recorded(entity, name)
            mine = {option.id for option in ours}
            free: dict[str, int] = {}
            for number, label in there.items():
                if number not in mine:
                    free.setdefault(label, number)
            found = {**free, **{option.label: option.id for option in ours}}
            borne = _by_source(ours, self.sources.get((entity, name), {}))
            self._standing[entity, name] = {**found, **borne}
        return self._standing[entity, name]

    def called(self, entity: str, name: str) -> Mapping[int, str]:
        """Id → label, as the account has the options of a custom field or an entity's LABELS."""
        found = self.structure.label_field(entity) if name == LABELS else self.field(entity, name)
        options = (found.options if found else None) or ()
        return {option.id: option.label for option in options if isinstance(option.id, int)}

    def recorded(self, entity: str, name: str) -> list[MadeOption]:
        """The recorded options of a custom field or of LABELS that the account still has."""
        return list(self._ours(entity, name).values())

    @cached_property
    def _found(self) -> dict[tuple[str, str], Mapping[int, MadeOption]]:
        return {}

    def _ours(self, entity: str, name: str) -> Mapping[int, MadeOption]:
        if (entity, name) not in self._found:
            there = self.called(entity, name)
            mine = (o for o in self.options if (o.entity, o.field) == (entity, name))
            self._found[entity, name] = {option.id: option for option in mine if option.id in there}
        return self._found[entity, name]

    def number_of(self, entity: str, name: str, label: str) -> int | None:
        """The id of the option that stands for a label; None if there is none."""
        standing = self.standing(entity, name)
        found = standing.get(label)
        return standing.get(fitting(label)) if found is None else found

    def own_number_of(self, entity: str, name: str, label: str) -> int | None:
        """The id of the option that stands for a label; None also where the label has to do with one of another name.

        That is so where two things shared an option and one of them is called otherwise now.
        """
        found = self.number_of(entity, name, label)
        option = None if found is None else self._ours(entity, name).get(found)
        if option is None or option.label == label:
            return found
        bearers = self.sources.get((entity, name), {}).get(label, ())
        return found if set(option.sources) == set(bearers) else None

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


def _by_source(ours: Iterable[MadeOption], names: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Label → the option that stands for what bears it: for exactly that, else of that name, else for that and more."""
    if not names:
        return {}
    exact: dict[frozenset[str], MadeOption] = {}
    among: dict[str, MadeOption] = {}
    for one in ours:
        if one.sources:
            exact.setdefault(frozenset(one.sources), one)
            for source in one.sources:
                among.setdefault(source, one)
    by_label = {one.label: one for one in ours}
    found: dict[str, int] = {}
    for label, bearers in names.items():
        named = by_label.get(label)
        option: MadeOption | None = exact.get(frozenset(bearers))
        if option is None and named is not None and not set(named.sources).isdisjoint(bearers):
            option = named
        if option is None:
            option = next((among[source] for source in bearers if source in among), None)
        if option is not None:
            found[label] = option.id
    return found


def shared(schema: AccountSchema) -> list[MadeOption]:
    """Recorded options that now stand for more of the source than was recorded, with all of it."""
    found = []
    for (entity, name), names in schema.sources.items():
        if name != LABELS and not schema.has_field(entity, name):
            continue
        ours = {option.id: option for option in schema.recorded(entity, name) if option.sources}
        for label, bearers in names.items():
            option = ours.get(schema.number_of(entity, name, label) or 0)
            if option is not None and not set(bearers) <= set(option.sources):
                more = replace(option, sources=tuple(sorted({*option.sources, *bearers})))
                ours[option.id] = more
                found.append(more)
    return list({(o.entity, o.field, o.id): o for o in found}.values())


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
