"""What the migration needs of an account's schema, what of it is missing, and how each missing thing is made.

Each step is one write, so that the ledger can note intent and outcome around it; a lost answer is settled by
`find_made`, which takes only what was not there before the step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from dispatch_to_pipedrive.pipedrive.account import LABEL_CODES
from dispatch_to_pipedrive.pipedrive.recorded import (
    LABELS,
    AccountSchema,
    CannotAdopt,
    Change,
    Made,
    NotInSchema,
    SchemaChanged,
    adopt,
    changes_of,
    names_to_keep,
    read_account_schema,
)
from dispatch_to_pipedrive.pipedrive.standing import MadeOption, Rename, Sources, fitting

__all__ = [
    "LABELS",
    "AccountSchema",
    "CannotAdopt",
    "Capabilities",
    "Change",
    "FieldNeed",
    "LabelNeed",
    "Made",
    "MadeOption",
    "NotInSchema",
    "PipelineNeed",
    "Rename",
    "SchemaChanged",
    "SchemaNeeds",
    "SchemaStep",
    "Sources",
    "adopt",
    "changes_of",
    "fields_needed",
    "fitting",
    "names_to_keep",
    "plan_schema",
    "read_account_schema",
]

StepKind = Literal["pipeline", "stage", "field", "adopt", "options", "labels", "rename"]


@dataclass(frozen=True, slots=True)
class FieldNeed:
    """A custom field: `name` is the logical name, `field_type` Pipedrive's.

    adopts: the name of a field that people keep in the account, which serves instead of a new one.
    """

    entity: str
    name: str
    field_type: str
    options: tuple[str, ...] = ()
    description: str = ""
    adopts: str = ""


@dataclass(frozen=True, slots=True)
class LabelNeed:
    """Labels that an entity's records bear."""

    entity: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PipelineNeed:
    """A pipeline with its stages in order."""

    name: str
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SchemaNeeds:
    """All that must stand before the first record is written; `sources` of fields whose options follow renames."""

    pipelines: tuple[PipelineNeed, ...] = ()
    fields: tuple[FieldNeed, ...] = ()
    labels: tuple[LabelNeed, ...] = ()
    sources: Sources = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the vendor's documents leave open: None until the account has shown it."""

    deal_add_time: bool | None = None
    close_times_with_status: bool | None = None
    label_options_v2: bool | None = None


@dataclass(frozen=True, slots=True)
class SchemaStep:
    """One write that brings the account nearer to the needs, made of plain values for the intent.

    kind adopt: nothing is written to the account, the ledger only notes that people's field serves as ours.
    kind rename: options take the names that their sources have now; those that people renamed keep theirs.
    target: the field_code to which options are added or that is adopted, or the pipeline's id for a stage.
    labels: the option labels that the step adds; sources: to each what it stands for at the source.
    renames: (id, name that the ledger recorded, new name) of the options that a rename gives one.
    before: keys of the same kind known before the step, by which a settled one is told from older namesakes.
    number: v1's number of the entity's label field, where it is known.
    """

    kind: StepKind
    entity: str
    name: str
    detail: str = ""
    target: str = ""
    labels: tuple[str, ...] = ()
    description: str = ""
    through_v2: bool = False
    before: tuple[str, ...] = ()
    sources: tuple[tuple[str, ...], ...] = ()
    renames: tuple[tuple[int, str, str], ...] = ()
    number: str = ""

    @property
    def choices(self) -> str:
        """The name under which the options of the step are recorded."""
        of_labels = self.kind == "labels" or self.target in LABEL_CODES
        return LABELS if of_labels else self.name

    def as_dict(self) -> dict[str, Any]:
        """Plain values for the ledger."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The step that `as_dict` wrote down."""
        lists = {name: tuple(values[name]) for name in ("labels", "before")}
        pairs = {name: tuple(map(tuple, values.get(name, ()))) for name in ("sources", "renames")}
        return cls(**{**values, **lists, **pairs})


def plan_schema(
    schema: AccountSchema, needs: SchemaNeeds, capabilities: Capabilities | None = None
) -> tuple[SchemaStep, ...]:
    """The writes that are still missing, in the order in which they must be made; none if the needs are met.

    Only the first step can be relied on: apply it, `learn` its outcome and plan again. A field of choices
    that has no choice yet is left until it has one, since the vendor refuses it without. Raises CannotAdopt.
    """
    through_v2 = capabilities is not None and capabilities.label_options_v2 is True
    schema = schema.at_source(needs.sources)
    return (
        *_pipeline_steps(schema, needs.pipelines),
        *(step for need in needs.fields for step in _field_steps(schema, need)),
        *(step for need in needs.labels for step in _label_steps(schema, need, through_v2)),
    )


def fields_needed(steps: Iterable[SchemaStep]) -> int:
    """Custom fields that the steps would add to what the plan's cap counts."""
    return sum(step.kind == "field" for step in steps)


def _pipeline_steps(schema: AccountSchema, needs: Sequence[PipelineNeed]) -> Iterable[SchemaStep]:
    pipelines = {m.name: m.key for m in schema.made if m.kind == "pipeline"}
    stages = {(m.detail, m.name) for m in schema.made if m.kind == "stage"}
    for need in needs:
        if need.name not in pipelines:
            before = tuple(str(p.id) for p in schema.structure.pipelines)
            yield SchemaStep("pipeline", "pipelines", need.name, before=before)
        target = pipelines.get(need.name, "")
        before = tuple(str(s.id) for s in schema.structure.stages if str(s.pipeline_id) == target)
        for stage in need.stages:
            if (need.name, stage) not in stages:
                yield SchemaStep("stage", "stages", stage, detail=need.name, target=target, before=before)


def _field_steps(schema: AccountSchema, need: FieldNeed) -> Iterable[SchemaStep]:
    labels = tuple(dict.fromkeys(need.options))
    code = next(
        (m.key for m in schema.made if m.kind == "field" and (m.entity, m.name) == (need.entity, need.name)),
        None,
    )
    fields = schema.structure.fields[need.entity]
    if code is None and need.adopts:
        yield _adopting(schema, need)
        return
    if code is None:
        if need.field_type in ("enum", "set") and not labels:
            return
        yield SchemaStep(
            "field",
            need.entity,
            need.name,
            detail=need.field_type,
            labels=labels,
            description=need.description,
            before=tuple(fields),
            sources=_bearing(schema, need.entity, need.name, labels),
        )
        return
    field = fields.get(code)
    if field is None or field.field_type != need.field_type:
        made = Made("field", need.entity, need.name, code, need.field_type)
        raise SchemaChanged([Change(made, None if field is None else field.field_type)])
    known = tuple(map(str, schema.called(need.entity, need.name)))
    if renames := schema.standing(need.entity, need.name).renames:
        yield SchemaStep("rename", need.entity, need.name, target=code, renames=_triples(renames))
    if missing := [x for x in labels if schema.own_number_of(need.entity, need.name, x) is None]:
        yield SchemaStep(
            "options",
            need.entity,
            need.name,
            target=code,
            labels=tuple(missing),
            before=known,
            sources=_bearing(schema, need.entity, need.name, missing),
        )


def _triples(renames: Iterable[Rename]) -> tuple[tuple[int, str, str], ...]:
    return tuple((one.id, one.old, one.new) for one in renames)


def _bearing(
    schema: AccountSchema, entity: str, name: str, labels: Iterable[str]
) -> tuple[tuple[str, ...], ...]:
    """To each label what it stands for at the source."""
    names = schema.sources.get((entity, name), {})
    return tuple(tuple(names.get(label, ())) for label in labels)


def _adopting(schema: AccountSchema, need: FieldNeed) -> SchemaStep:
    """The one field of people's own that bears the name and has the type."""
    wanted = " ".join(need.adopts.split()).casefold()
    taken = {m.key for m in schema.made if m.kind == "field" and m.entity == need.entity}
    named = [
        field
        for field in schema.structure.fields[need.entity].values()
        if field.is_custom_field
        and field.field_code not in taken
        and " ".join(field.field_name.split()).casefold() == wanted
    ]
    if len(named) != 1 or named[0].field_type != need.field_type:
        raise CannotAdopt(need.entity, need.adopts, need.field_type, [field.field_type for field in named])
    return SchemaStep("adopt", need.entity, need.name, detail=need.field_type, target=named[0].field_code)


def _label_steps(schema: AccountSchema, need: LabelNeed, through_v2: bool) -> Iterable[SchemaStep]:
    field = schema.structure.label_field(need.entity)
    if field is None:
        raise NotInSchema("label field", need.entity, LABEL_CODES[0])
    code = field.field_code
    number = next((m.key for m in schema.made if (m.kind, m.entity) == ("labels", need.entity)), "")
    if renames := schema.standing(need.entity, LABELS).renames:
        yield SchemaStep(
            "rename",
            need.entity,
            code,
            target=code,
            renames=_triples(renames),
            through_v2=through_v2,
            number=number,
        )
    labels = dict.fromkeys(need.labels)
    if missing := [label for label in labels if schema.own_number_of(need.entity, LABELS, label) is None]:
        yield SchemaStep(
            "labels",
            need.entity,
            code,
            target=code,
            labels=tuple(missing),
            through_v2=through_v2,
            before=tuple(map(str, schema.called(need.entity, LABELS))),
            sources=_bearing(schema, need.entity, LABELS, missing),
            number=number,
        )
