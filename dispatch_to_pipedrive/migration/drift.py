"""What of the recorded schema did people change in the account since it was made?

Recorded are pipelines, stages, fields, and for each choice and label the option that stood for it. What vanished or
changed its type, and options that records need and that were deleted, close the gate; what was renamed or moved is
told, for records go on to point at the same ids.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dispatch_to_pipedrive.mapping.needs import SchemaNeeds
from dispatch_to_pipedrive.migration.values import NAME, OPTION, SchemaObject
from dispatch_to_pipedrive.pipedrive.account import Field, Structure
from dispatch_to_pipedrive.pipedrive.schema import LABELS, AccountSchema, Made, MadeOption, fitting

Options = Collection[tuple[str, str, str]]
"""(entity, field or LABELS, label)."""


@dataclass(frozen=True)
class Drift:
    """One thing that is not as it was recorded. `now` is its name, type or order today, empty where it is gone."""

    kind: str
    entity: str
    name: str
    key: str
    change: Literal["vanished", "retyped", "renamed", "moved", "made anew"]
    now: str
    blocks: bool

    @property
    def what(self) -> str:
        """Its name for people: `option 'Repair' of deals.Job_Type__c`, `stage 'Hold'`."""
        if self.kind == OPTION:
            field, label = split_option(self.name)
            if field == LABELS:
                return f"label {label!r} of {self.entity}"
            return f"option {label!r} of {self.entity}.{field}"
        return f"{self.entity} field {self.name!r}" if self.kind == "field" else f"{self.kind} {self.name!r}"

    def __str__(self) -> str:
        return f"{self.what} {self.words}"

    @property
    def words(self) -> str:
        """What happened, and what to do where it closes the gate."""
        if self.change == "vanished" and self.kind == OPTION:
            undo = (
                "make one of that name there again, or take the value out of the map"
                if self.blocks
                else "no record needs it"
            )
            return f"was deleted in Pipedrive: {undo}"
        if self.change == "vanished":
            return f"(recorded as {self.key}) is gone: restore it in Pipedrive"
        if self.change == "retyped":
            return f"(recorded as {self.key}) is now of type {self.now}: restore it in Pipedrive"
        if self.change == "made anew":
            return f"was deleted and made anew (option {self.now} instead of {self.key})"
        if self.change == "moved":
            return f"has its stages in another order: {self.now}"
        return f"is called {self.now!r} now; records go on to use it under that name"


def drift(
    recorded: Sequence[SchemaObject], structure: Structure, needed: Options | None = None
) -> list[Drift]:
    """What people changed, that which closes the gate first.

    recorded: `ledger.schema_objects(account)`. structure: the account as it is (`read_structure`, or the structure of
    an AccountSchema). needed: the options that records need (`options_needed`); without it every recorded one.
    """
    found = [
        *_things(recorded, structure),
        *_order(recorded, structure),
        *_options(recorded, structure, needed),
    ]
    return sorted(found, key=lambda one: not one.blocks)


def options_needed(needs: SchemaNeeds) -> Options:
    """Every option that the needs of the maps name."""
    return {
        *((field.entity, field.name, label) for field in needs.fields for label in field.options),
        *((entity, LABELS, label) for entity, labels in needs.labels.items() for label in labels),
    }


def made_of(recorded: Iterable[SchemaObject]) -> tuple[Made, ...]:
    """The recorded pipelines, stages and fields."""
    return tuple(
        Made(x.kind, x.entity, x.name, x.code, x.field_type)  # type: ignore[arg-type]
        for x in recorded
        if x.kind not in (OPTION, NAME)
    )


def options_of(recorded: Iterable[SchemaObject], kind: str = OPTION) -> tuple[MadeOption, ...]:
    """The recorded options; of kind NAME, which of them has stood for which name at the source."""
    return tuple(
        MadeOption(x.entity, *split_option(x.name), int(x.code), tuple(x.source.split()))
        for x in recorded
        if x.kind == kind
    )


def as_recorded(option: MadeOption, kind: str = OPTION) -> SchemaObject:
    """An option, or a name that it stands for, as the ledger keeps it."""
    name = f"{option.field}: {option.label}"
    return SchemaObject(kind, option.entity, name, str(option.id), option.field, " ".join(option.sources))


def options_to_record(schema: AccountSchema, needed: Options) -> list[SchemaObject]:
    """Which option of the account stands for each needed one, as far as the ledger does not know it yet.

    These are options that people made: what the program makes is recorded with the step that makes it.
    """
    known = {(o.entity, o.field, o.id) for o in schema.options}
    standing = {
        (entity, field, label): schema.number_of(entity, field, label)
        for entity, field, label in sorted(needed)
        if field == LABELS or schema.has_field(entity, field)
    }
    return [
        as_recorded(MadeOption(entity, field, label, number))
        for (entity, field, label), number in standing.items()
        if number is not None and (entity, field, number) not in known
    ]


def split_option(name: str) -> tuple[str, str]:
    """Field and label of a recorded option's name."""
    field, _, label = name.partition(": ")
    return field, label


def _things(recorded: Sequence[SchemaObject], structure: Structure) -> Iterable[Drift]:
    pipelines = {str(p.id): p.name for p in structure.pipelines}
    stages = {str(s.id): s.name for s in structure.stages}
    for x in recorded:
        if x.kind == "field":
            field = structure.fields.get(x.entity, {}).get(x.code)
            if field is None:
                yield Drift(x.kind, x.entity, x.name, x.code, "vanished", "", True)
            elif field.field_type != x.field_type:
                yield Drift(x.kind, x.entity, x.name, x.code, "retyped", field.field_type, True)
            elif field.field_name != x.name:
                yield Drift(x.kind, x.entity, x.name, x.code, "renamed", field.field_name, False)
        elif x.kind in ("pipeline", "stage"):
            name = (pipelines if x.kind == "pipeline" else stages).get(x.code)
            if name is None:
                yield Drift(x.kind, x.entity, x.name, x.code, "vanished", "", True)
            elif name != x.name:
                yield Drift(x.kind, x.entity, x.name, x.code, "renamed", name, False)


def _order(recorded: Sequence[SchemaObject], structure: Structure) -> Iterable[Drift]:
    """Pipelines whose recorded stages no longer stand in the order in which they were made."""
    for pipeline in (x for x in recorded if x.kind == "pipeline"):
        ours = {x.code for x in recorded if x.kind == "stage" and x.field_type == pipeline.name}
        standing = [s for s in structure.stages if str(s.id) in ours]
        now = sorted(standing, key=lambda stage: (stage.order_nr, stage.id))
        if [s.id for s in now] != sorted(s.id for s in now):
            order = ", ".join(s.name for s in now)
            yield Drift(pipeline.kind, pipeline.entity, pipeline.name, pipeline.code, "moved", order, False)


def _options(
    recorded: Sequence[SchemaObject], structure: Structure, needed: Options | None
) -> Iterable[Drift]:
    codes = {(x.entity, x.name): x.code for x in recorded if x.kind == "field"}
    for x in recorded:
        if x.kind != OPTION:
            continue
        name, label = split_option(x.name)
        field = (
            structure.label_field(x.entity)
            if name == LABELS
            else structure.fields.get(x.entity, {}).get(codes.get((x.entity, name), ""))
        )
        if field is None:
            continue  # the field itself is gone, which is told already
        there = _labels(field)
        if x.code not in there:
            anew = next((number for number, called in there.items() if called == fitting(label)), None)
            if anew is not None:
                yield Drift(OPTION, x.entity, x.name, x.code, "made anew", anew, False)
            else:
                blocks = needed is None or (x.entity, name, label) in needed
                yield Drift(OPTION, x.entity, x.name, x.code, "vanished", "", blocks)
        elif there[x.code] != fitting(label):
            yield Drift(OPTION, x.entity, x.name, x.code, "renamed", there[x.code], False)


def _labels(field: Field) -> Mapping[str, str]:
    return {str(option.id): option.label for option in field.options or ()}
