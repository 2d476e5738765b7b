"""What the migration needs of an account's schema, what of it is missing, and how each missing thing is made.

Each step is one write, so that the ledger can note intent and outcome around it; a lost answer is settled by
`find_made`, which takes only what was not there before the step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal, Self

from dispatch_to_pipedrive.pipedrive.account import LABEL_CODES, Field, Option, Pipeline, Stage, Structure
from dispatch_to_pipedrive.pipedrive.client import Answer, PipedriveClient
from dispatch_to_pipedrive.pipedrive.recorded import (
    LABELS,
    AccountSchema,
    CannotAdopt,
    Change,
    Made,
    MadeOption,
    NotInSchema,
    SchemaChanged,
    adopt,
    changes_of,
    read_account_schema,
)

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
    "SchemaChanged",
    "SchemaNeeds",
    "SchemaOutcome",
    "SchemaStep",
    "adopt",
    "apply_step",
    "changes_of",
    "fields_needed",
    "find_made",
    "learn",
    "plan_schema",
    "read_account_schema",
]

StepKind = Literal["pipeline", "stage", "field", "adopt", "options", "labels"]


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
    """All that must stand before the first record is written."""

    pipelines: tuple[PipelineNeed, ...] = ()
    fields: tuple[FieldNeed, ...] = ()
    labels: tuple[LabelNeed, ...] = ()


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
    target: the field_code to which options are added or that is adopted, or the pipeline's id for a stage.
    labels: the option labels that the step adds.
    before: keys of the same kind known before the step, by which a settled one is told from older namesakes.
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

    def as_dict(self) -> dict[str, Any]:
        """Plain values for the ledger."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The step that `as_dict` wrote down."""
        return cls(**{**values, "labels": tuple(values["labels"]), "before": tuple(values["before"])})


@dataclass(frozen=True, slots=True)
class SchemaOutcome:
    """What a step brought; `made` is to be recorded (None for options and labels: found by label)."""

    step: SchemaStep
    made: Made | None
    record: Mapping[str, Any]
    tokens: int
    date: datetime | None


def plan_schema(
    schema: AccountSchema, needs: SchemaNeeds, capabilities: Capabilities | None = None
) -> tuple[SchemaStep, ...]:
    """The writes that are still missing, in the order in which they must be made; none if the needs are met.

    Only the first step can be relied on: apply it, `learn` its outcome and plan again. A field of choices
    that has no choice yet is left until it has one, since the vendor refuses it without. Raises CannotAdopt.
    """
    through_v2 = capabilities is not None and capabilities.label_options_v2 is True
    return (
        *_pipeline_steps(schema, needs.pipelines),
        *(step for need in needs.fields for step in _field_steps(schema, need)),
        *(step for need in needs.labels for step in _label_steps(schema, need, through_v2)),
    )


def fields_needed(steps: Iterable[SchemaStep]) -> int:
    """Custom fields that the steps would add to what the plan's cap counts."""
    return sum(step.kind == "field" for step in steps)


async def apply_step(client: PipedriveClient, step: SchemaStep) -> SchemaOutcome:
    """Make one thing; after an `Ambiguous` error read the structure again and ask `find_made`."""
    if step.kind == "pipeline":
        answer = await client.create("pipelines", {"name": step.name})
    elif step.kind == "stage":
        answer = await client.create("stages", {"name": step.name, "pipeline_id": int(step.target)})
    elif step.kind == "field":
        answer = await client.create_field(step.entity, _field_body(step))
    elif step.kind == "adopt":
        return SchemaOutcome(step, _made(step, {"field_code": step.target}), {}, 0, None)
    elif step.kind == "options" or step.through_v2:
        answer = await client.add_options(step.entity, step.target, step.labels)
    else:
        return await _put_labels(client, step)
    return SchemaOutcome(step, _made(step, answer.record), answer.record, answer.tokens, answer.date)


def find_made(structure: Structure, step: SchemaStep) -> tuple[SchemaOutcome, ...]:
    """What the account now holds that the step may have made: none, one, or several candidates."""
    records: list[dict[str, Any]] = []
    if step.kind == "pipeline":
        records = [p.model_dump() for p in structure.pipelines if _is_new(step, p.name, str(p.id))]
    elif step.kind == "stage":
        records = [
            s.model_dump()
            for s in structure.stages
            if str(s.pipeline_id) == step.target and _is_new(step, s.name, str(s.id))
        ]
    elif step.kind == "field":
        records = [
            f.model_dump()
            for f in structure.fields.get(step.entity, {}).values()
            if f.field_type == step.detail and _is_new(step, f.field_name, f.field_code)
        ]
    else:
        field = structure.fields.get(step.entity, {}).get(step.target)
        if field is not None and (step.kind == "adopt" or set(step.labels) <= set(field.option_ids)):
            records = [field.model_dump()]
    return tuple(SchemaOutcome(step, _made(step, record), record, 0, None) for record in records)


def learn(schema: AccountSchema, outcome: SchemaOutcome) -> AccountSchema:
    """The schema after a step, without reading the account again."""
    structure, record = schema.structure, outcome.record
    step = outcome.step
    if step.kind == "pipeline":
        structure = replace(structure, pipelines=(*structure.pipelines, Pipeline.model_validate(record)))
    elif step.kind == "stage":
        structure = replace(structure, stages=(*structure.stages, Stage.model_validate(record)))
    elif step.kind == "field":
        structure = _with_field(structure, step.entity, Field.model_validate(record))
    elif step.kind != "adopt":
        field = structure.fields[step.entity][step.target]
        new = [Option.model_validate(option) for option in record.get("options") or ()]
        known = {option.id for option in new}
        kept = tuple(option for option in field.options or () if option.id not in known)
        field = field.with_options((*kept, *new))
        for label in step.labels:
            if label not in field.option_ids:
                # Planning again would send the same label for ever.
                raise NotInSchema(f"option of {field.field_name} after it was added", step.entity, label)
        structure = _with_field(structure, step.entity, field)
    made = schema.made if outcome.made is None else (*schema.made, outcome.made)
    return AccountSchema(structure, made, schema.options)


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
        )
        return
    field = fields.get(code)
    if field is None or field.field_type != need.field_type:
        made = Made("field", need.entity, need.name, code, need.field_type)
        raise SchemaChanged([Change(made, None if field is None else field.field_type)])
    standing = schema.standing(need.entity, need.name)
    missing = tuple(label for label in labels if label not in standing)
    if missing:
        yield SchemaStep("options", need.entity, need.name, target=code, labels=missing)


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
    standing = schema.standing(need.entity, LABELS)
    missing = tuple(label for label in dict.fromkeys(need.labels) if label not in standing)
    if missing:
        code = field.field_code
        yield SchemaStep("labels", need.entity, code, target=code, labels=missing, through_v2=through_v2)


async def _put_labels(client: PipedriveClient, step: SchemaStep) -> SchemaOutcome:
    """Add labels by v1, which takes the full list: read it right before, keep every entry as it is."""
    fields = await client.v1_fields(step.entity)
    codes = (step.target, *LABEL_CODES)
    field = min(
        (f for f in fields if f.get("key") in codes), key=lambda f: codes.index(str(f["key"])), default=None
    )
    if field is None:
        raise NotInSchema("label field (v1)", step.entity, step.target)
    standing = list(field.get("options") or ())
    known = {option["label"] for option in standing}
    added = [{"label": label} for label in step.labels if label not in known]
    if not added:
        return SchemaOutcome(step, None, field, 0, None)
    answer: Answer = await client.put_options(step.entity, int(field["id"]), [*standing, *added])
    return SchemaOutcome(step, None, answer.record, answer.tokens, answer.date)


def _field_body(step: SchemaStep) -> dict[str, Any]:
    body: dict[str, Any] = {"field_name": step.name, "field_type": step.detail}
    if step.labels:
        body["options"] = [{"label": label} for label in step.labels]
    if step.description and step.entity == "deals":
        body["description"] = step.description  # Pipedrive: only deal fields take one
    return body


def _made(step: SchemaStep, record: Mapping[str, Any]) -> Made | None:
    if step.kind in ("field", "adopt"):
        return Made("field", step.entity, step.name, str(record["field_code"]), step.detail)
    if step.kind == "stage":
        return Made("stage", step.entity, step.name, str(record["id"]), step.detail)
    if step.kind == "pipeline":
        return Made("pipeline", step.entity, step.name, str(record["id"]))
    return None


def _is_new(step: SchemaStep, name: str, key: str) -> bool:
    return name == step.name and key not in step.before


def _with_field(structure: Structure, entity: str, field: Field) -> Structure:
    fields = {**structure.fields, entity: {**structure.fields[entity], field.field_code: field}}
    return replace(structure, fields=fields)
