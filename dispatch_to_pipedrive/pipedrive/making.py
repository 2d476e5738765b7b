"""How one step of the schema is made, found again after its answer was lost, and learnt without reading the account.

Pipedrive's v1 takes the whole list of an entity's labels and removes what it leaves out: the list is read again right
before it is written, so that what people did meanwhile survives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dispatch_to_pipedrive.pipedrive.account import LABEL_CODES, Field, Option, Pipeline, Stage, Structure
from dispatch_to_pipedrive.pipedrive.client import PipedriveClient
from dispatch_to_pipedrive.pipedrive.errors import NotFound
from dispatch_to_pipedrive.pipedrive.recorded import (
    LABELS,
    AccountSchema,
    Made,
    NotInSchema,
)
from dispatch_to_pipedrive.pipedrive.schema import SchemaStep
from dispatch_to_pipedrive.pipedrive.standing import MadeOption, fitting


@dataclass(frozen=True, slots=True)
class SchemaOutcome:
    """What a step brought; `made` and `options` are to be recorded.

    Options that stood there already are none of the step's: people made them.
    """

    step: SchemaStep
    made: Made | None
    record: Mapping[str, Any]
    tokens: int
    date: datetime | None
    options: tuple[MadeOption, ...] = ()


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
    elif step.kind == "rename" and (step.choices != LABELS or step.through_v2):
        return await _rename_options(client, step)
    elif step.kind == "options" or step.through_v2:
        answer = await client.add_options(step.entity, step.target, [fitting(label) for label in step.labels])
    else:
        return await _put_labels(client, step)
    made, options = _made(step, answer.record), options_made(step, answer.record, ())
    return SchemaOutcome(step, made, answer.record, answer.tokens, answer.date, options)


def options_made(
    step: SchemaStep, record: Mapping[str, Any], before: Iterable[object]
) -> tuple[MadeOption, ...]:
    """The options that a step made: those of its labels which were not there `before`, by id.

    record: what the account answered, or what the ledger kept of it.
    """
    known = {str(number) for number in before}
    ids = {
        option["label"]: int(option["id"])
        for option in record.get("options") or ()
        if str(option["id"]) not in known
    }
    sources = dict(zip(step.labels, step.sources, strict=False))
    new = [
        MadeOption(step.entity, step.choices, label, ids[fitting(label)], sources.get(label, ()))
        for label in step.labels
        if fitting(label) in ids
    ]
    return tuple(new)


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
        if field is not None and _stands(step, field):
            records = [field.model_dump()]
    return tuple(
        SchemaOutcome(step, _made(step, record), record, 0, None, options_made(step, record, step.before))
        for record in records
    )


def _stands(step: SchemaStep, field: Field) -> bool:
    """Whether a field that was there before shows what the step was to do to it."""
    if step.kind == "rename":
        called = {option.id: option.label for option in field.options or ()}
        return not any(called.get(number) == fitting(old) for number, old, _ in step.renames)
    return step.kind == "adopt" or {fitting(label) for label in step.labels} <= set(field.option_ids)


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
            if fitting(label) not in field.option_ids:
                # Planning again would send the same label for ever.
                raise NotInSchema(f"option of {field.field_name} after it was added", step.entity, label)
        structure = _with_field(structure, step.entity, field)
    made = schema.made
    if (thing := outcome.made) is not None:
        made = (*(m for m in made if _who(m) != _who(thing)), thing)
    now = {(o.entity, o.field, o.id): o for o in recorded_by(schema, outcome)}
    standing = {(o.entity, o.field, o.id): o for o in schema.options}
    options = tuple({**standing, **now}.values())
    return AccountSchema(structure, made, options, schema.names, schema.sources)


def _who(made: Made) -> tuple[str, str, str, str]:
    return made.kind, made.entity, made.name, made.detail


def recorded_by(schema: AccountSchema, outcome: SchemaOutcome) -> list[MadeOption]:
    """The options that the ledger is to know after a step: those it made, those that have another name now."""
    step = outcome.step
    names = {number: new for number, _, new in step.renames}
    renamed = [
        replace(option, label=names[option.id])
        for option in schema.options
        if (option.entity, option.field) == (step.entity, step.choices) and option.id in names
    ]
    return [*renamed, *outcome.options]


async def _put_labels(client: PipedriveClient, step: SchemaStep) -> SchemaOutcome:
    """Add or rename labels by v1, which takes the full list: read it right before, keep all else as it is."""
    field = await v1_label_field(client, step.entity, step.target, step.number)
    number = str(field["id"])
    made = None if number == step.number else Made("labels", step.entity, step.target, number)
    standing = list(field.get("options") or ())
    known = {option["label"] for option in standing}
    renamed = [_renamed(option, step) for option in standing]
    added = [{"label": fitting(label)} for label in step.labels if fitting(label) not in known]
    if renamed == standing and not added:
        return SchemaOutcome(step, made, field, 0, None)
    answer = await client.put_options(step.entity, int(field["id"]), [*renamed, *added])
    options = options_made(step, answer.record, (option["id"] for option in standing))
    return SchemaOutcome(step, made, answer.record, answer.tokens, answer.date, options)


async def v1_label_field(client: PipedriveClient, entity: str, target: str, number: str) -> Mapping[str, Any]:
    """An entity's label field as v1 shows it now: by its number, else out of the list. target: its field_code."""
    codes = (target, *LABEL_CODES)
    if number:
        with suppress(NotFound):
            answer = await client.v1_field(entity, int(number))
            if answer.record.get("key") in codes:
                return answer.record
    fields = await client.v1_fields(entity)
    found = min(
        (f for f in fields if f.get("key") in codes), key=lambda f: codes.index(str(f["key"])), default=None
    )
    if found is None:
        raise NotInSchema("label field (v1)", entity, target)
    return found


def _renamed(option: Mapping[str, Any], step: SchemaStep) -> dict[str, Any]:
    """An option under the name that a rename gives it; one that people called otherwise as it is."""
    names = {(number, fitting(old)): fitting(new) for number, old, new in step.renames}
    label = names.get((option["id"], option["label"]), option["label"])
    return {**option, "label": label}


async def _rename_options(client: PipedriveClient, step: SchemaStep) -> SchemaOutcome:
    """Rename options by v2; those that people have renamed by now keep their name."""
    field = (await client.field(step.entity, step.target)).record
    standing = field.get("options") or ()
    changed = [now for option in standing if (now := _renamed(option, step)) != option]
    if not changed:
        return SchemaOutcome(step, None, {"options": list(standing)}, 0, None)
    names = {int(option["id"]): str(option["label"]) for option in changed}
    answer = await client.rename_options(step.entity, step.target, names)
    return SchemaOutcome(step, None, answer.record, answer.tokens, answer.date)


def _field_body(step: SchemaStep) -> dict[str, Any]:
    body: dict[str, Any] = {"field_name": step.name, "field_type": step.detail}
    if step.labels:
        body["options"] = [{"label": fitting(label)} for label in step.labels]
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
