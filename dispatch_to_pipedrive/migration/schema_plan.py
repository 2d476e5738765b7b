"""What will the account's schema become? One row for each thing that the maps need, and what is done about it.

For people to review before anything is made; nothing is written. Technicians stand there as well, for who owns what is
part of what an account must have, and so does what the plan has to allow.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from dispatch_to_pipedrive.mapping.model import folded
from dispatch_to_pipedrive.mapping.needs import FieldNeed, SchemaNeeds
from dispatch_to_pipedrive.migration.drift import (
    Drift,
    drift,
    made_of,
    options_needed,
    options_of,
)
from dispatch_to_pipedrive.migration.owners import FALLBACK, SETTLED
from dispatch_to_pipedrive.migration.values import NAME, OPTION, OwnerRow, SchemaObject
from dispatch_to_pipedrive.migration.visibility import impossible
from dispatch_to_pipedrive.pipedrive.account import Structure
from dispatch_to_pipedrive.pipedrive.plans import Plan
from dispatch_to_pipedrive.pipedrive.schema import LABELS, AccountSchema, Rename, fitting

MAKE, ADOPT, RENAME, STANDS, DIFFERS = "make", "adopt", "rename", "stands", "differs"
COLUMNS = ("kind", "entity", "name", "type", "options", "action", "key", "what_to_do")

Row = tuple[str, str, str, str, str, str, str, str]


@dataclass(frozen=True)
class Allowed:
    """The account's plan, and the map's word for who sees the records of each entity."""

    plan: Plan
    visible_to: Mapping[str, str]


def schema_plan_of(
    needs: SchemaNeeds,
    recorded: Sequence[SchemaObject],
    structure: Structure,
    owners: Sequence[OwnerRow],
    allowed: Allowed | None = None,
) -> pd.DataFrame:
    """What the plan must allow, pipelines, stages, fields, options, labels and technicians (columns COLUMNS, string).

    recorded: what the ledger knows of the account's schema; structure: the account as it is; owners: the ledger's rows,
    none where technicians were not matched yet. `key` is empty for what is still to be made.
    """
    names = options_of(recorded, NAME)
    schema = AccountSchema(structure, made_of(recorded), options_of(recorded), names, needs.sources)
    drifts = drift(recorded, structure, options_needed(needs))
    plan = _Plan(needs, schema, drifts)
    rows = [*plan.pipeline(), *plan.fields(), *plan.labels(), *_technicians(owners)]
    if allowed is not None:
        new = sum(kind == "field" and action == MAKE for kind, _, _, _, _, action, _, _ in rows)
        rows = [_room(structure.custom_fields, new, allowed.plan), *_visibility(allowed), *rows]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="string")


def _room(there: int, new: int, plan: Plan) -> Row:
    """Whether the account has room for the custom fields that are to be made."""
    most = plan.custom_fields
    limit = "any number" if most is None else f"{most:,}"
    words = f"{there:,} stand there, {new:,} are to be made, {plan.name} allows {limit} in all"
    fits = most is None or there + new <= most
    if not fits:
        words += (
            ": take fields out of the map, delete unused ones in Pipedrive, or use a larger plan "
            "(PIPEDRIVE_PLAN)"
        )
    return ("plan", "account", "custom fields", "", "", STANDS if fits else DIFFERS, "", words)


def _visibility(allowed: Allowed) -> Iterable[Row]:
    """Who sees the records of each entity, and whether the plan knows such a group."""
    for entity, word in allowed.visible_to.items():
        words = impossible(word, allowed.plan.name)
        words += ": change it in the map, or name the account's plan (PIPEDRIVE_PLAN)" if words else ""
        yield ("visibility", entity, word, "", "", DIFFERS if words else STANDS, "", words)


def to_do_first(plan: pd.DataFrame) -> pd.DataFrame:
    """The rows that differ, then those to be made, then what stands; options and labels after all else."""
    order = plan["action"].map({DIFFERS: 0, MAKE: 1, ADOPT: 1, RENAME: 1, STANDS: 2})
    small = plan["kind"].isin([OPTION, "label"]) & ~plan["action"].isin([DIFFERS, RENAME])
    return plan.assign(order=order, small=small).sort_values(["small", "order"], kind="stable")[list(COLUMNS)]


class _Plan:
    def __init__(self, needs: SchemaNeeds, schema: AccountSchema, drifts: Iterable[Drift]) -> None:
        self._needs, self._schema = needs, schema
        self._drifts: dict[tuple[str, str, str], list[Drift]] = {}
        for one in drifts:
            self._drifts.setdefault((one.kind, one.entity, one.name), []).append(one)
        self._keys: dict[tuple[str, str, str], str] = {(m.kind, m.entity, m.name): m.key for m in schema.made}

    def pipeline(self) -> Iterable[Row]:
        """The pipeline, and its stages in order."""
        structure, need = self._schema.structure, self._needs.pipeline
        namesakes = {p.name for p in structure.pipelines}
        yield self._thing("pipeline", "pipelines", need.name, "", namesakes)
        for place, stage in enumerate(need.stages, start=1):
            yield self._thing("stage", "stages", stage, f"{place} of {need.name}", set())

    def fields(self) -> Iterable[Row]:
        """Each custom field, and after it its options."""
        for need in self._needs.fields:
            if need.field_type in ("enum", "set") and not need.options:
                words = "made as soon as a record has a value for it"
                yield ("field", need.entity, need.name, need.field_type, "", MAKE, "", words)
                continue
            fields = self._schema.structure.fields.get(need.entity, {})
            namesakes = {field.field_name for field in fields.values()}
            yield self._thing("field", need.entity, need.name, need.field_type, namesakes, need)
            yield from self._choices(OPTION, need.entity, need.name, need.options)

    def labels(self) -> Iterable[Row]:
        """Each label of each entity."""
        for entity, labels in self._needs.labels.items():
            yield from self._choices("label", entity, LABELS, labels)

    def _choices(self, kind: str, entity: str, name: str, labels: Iterable[str]) -> Iterable[Row]:
        there = name == LABELS or self._schema.has_field(entity, name)
        gone = any(one.change == "vanished" for one in self._drifts.get(("field", entity, name), ()))
        readable = there and not gone
        renames = {one.new: one for one in self._schema.standing(entity, name).renames} if readable else {}
        for label in labels:
            number = self._schema.own_number_of(entity, name, label) if readable else None
            told = [one.words for one in self._drifts.get((OPTION, entity, f"{name}: {label}"), ())]
            action = DIFFERS if told else STANDS if number is not None else MAKE
            if rename := renames.get(label):
                action, told = _renamed(rename)
            if fitting(label) != label:
                told = [*told, f"longer than Pipedrive's labels, so it is called {fitting(label)!r} there"]
            key = "" if number is None else str(number)
            type_ = "" if name == LABELS else name
            yield (kind, entity, label, type_, "", action, key, "; ".join(told))

    def _thing(
        self,
        kind: str,
        entity: str,
        name: str,
        type_: str,
        namesakes: Collection[str],
        need: FieldNeed | None = None,
    ) -> Row:
        options = "" if need is None else "; ".join(need.options)
        key = self._keys.get((kind, entity, name), "")
        if key:
            found = self._drifts.get((kind, entity, name), ())
            told = [one.words for one in found if not _bears_its_own_name(one, need)]
            return (kind, entity, name, type_, options, DIFFERS if told else STANDS, key, "; ".join(told))
        if need is not None and need.adopts:
            words = f"the account's own field {need.adopts!r} serves; none is made"
            return (kind, entity, name, type_, options, ADOPT, "", words)
        words = f"another {kind} of that name stands there and is left alone" if name in namesakes else ""
        return (kind, entity, name, type_, options, MAKE, "", words)


def _renamed(one: Rename) -> tuple[str, list[str]]:
    """What becomes of an option that has another name at the source."""
    if one.by_people:
        return STANDS, [f"people call it {one.called!r}, and it keeps that name"]
    if one.called == fitting(one.new):
        return STANDS, []
    return RENAME, [f"is called {one.called!r} until now, and follows its new name in Dispatch Pro"]


def _bears_its_own_name(one: Drift, need: FieldNeed | None) -> bool:
    """Whether it is a field of people's own under the name by which it was adopted."""
    return need is not None and one.change == "renamed" and folded(one.now) == folded(need.adopts)


def _technicians(owners: Sequence[OwnerRow]) -> Iterable[Row]:
    if not owners:
        words = "technicians were not matched yet: run the job `match_technicians`"
        yield ("user", "users", "(technicians)", "", "", DIFFERS, "", words)
    for row in owners:
        name = row.name if row.verdict == FALLBACK else f"{row.name} ({row.technician_id})"
        if row.verdict in SETTLED:
            words = f"{row.verdict}: {row.owner_email}" if row.owner_email else row.verdict
            yield ("user", "users", name, row.email, "", STANDS, str(row.user_id or ""), words)
        else:
            words = f"{row.verdict}: create the user in Pipedrive, or decide in `technicians.csv`"
            yield ("user", "users", name, row.email, "", DIFFERS, "", words)
