"""What of the schema that the program made can go, and what stays because somebody else uses it?

Ours is what the ledger has an operation for. A value in a record that stays, a deal in a stage, an option or a stage
that people added: each keeps what it hangs on. What was only adopted, and options that people had made, stay in the
account and are forgotten by the ledger.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dispatch_to_pipedrive.migration.drift import made_of, options_of, split_option
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.values import NAME, OPTION, Intent, Outcome, SchemaObject
from dispatch_to_pipedrive.pipedrive.account import Field, Structure
from dispatch_to_pipedrive.pipedrive.client import FIELD_RESOURCES
from dispatch_to_pipedrive.pipedrive.errors import Forbidden, NotFound, Rejected
from dispatch_to_pipedrive.pipedrive.making import options_made
from dispatch_to_pipedrive.pipedrive.prices import LIST, LIST_SMALL
from dispatch_to_pipedrive.pipedrive.schema import LABELS, AccountSchema, SchemaStep
from dispatch_to_pipedrive.pipedrive.unmaking import Removal, tokens_of

Leaving = Mapping[str, frozenset[int]]
"""Entity → ids of records that will be gone before the schema goes."""
_STRUCTURE = len(FIELD_RESOURCES) * LIST + 2 * LIST_SMALL
_EMPTY: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class Staying:
    """Something of ours that stays in the account, in words, and why."""

    what: str
    why: str


@dataclass(frozen=True)
class SchemaUndo:
    """What undoing the schema comes to.

    `forget` are the rows of the ledger that go without a write: what people had before us, and what they deleted
    themselves. `tokens` is the price of the removals, of the listings that they were decided by, and of reading the
    structure for it.
    """

    removals: tuple[Removal, ...] = ()
    stays: tuple[Staying, ...] = ()
    forget: tuple[SchemaObject, ...] = ()
    tokens: int = 0


@dataclass
class Use:
    """How many records that stay bear which field, option and label, and how many deals stand in which stage."""

    fields: Counter[tuple[str, str]] = field(default_factory=Counter)
    options: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    stages: Counter[int] = field(default_factory=Counter)
    pipelines: Counter[int] = field(default_factory=Counter)
    tokens: int = 0
    unseen: str = ""
    """Why the leads could not be read, which bear the fields of deals."""


@dataclass(frozen=True)
class Ours:
    """What the ledger's operations say that the program made: (kind, id or field_code), and options."""

    things: frozenset[tuple[str, str]]
    options: frozenset[tuple[str, str, int]]


def made_by_us(operations: Iterable[tuple[Intent, Outcome]]) -> Ours:
    """What the writes to the schema made; an option is (entity, field or LABELS, id)."""
    things: set[tuple[str, str]] = set()
    options: set[tuple[str, str, int]] = set()
    for intent, outcome in operations:
        if intent.verb != "create" or outcome.echo is None:
            continue
        step = SchemaStep.from_dict(intent.body or {})
        if step.kind in ("pipeline", "stage"):
            things.add((step.kind, str(outcome.echo["id"])))
        elif step.kind == "field":
            things.add((step.kind, str(outcome.echo["field_code"])))
        # A step that found its labels there already has sent nothing: people made them.
        if step.labels and (outcome.tokens or outcome.status == "settled"):
            made = options_made(step, outcome.echo, step.before)
            options |= {(one.entity, one.field, one.id) for one in made}
    return Ours(frozenset(things), frozenset(options))


def standing_schema(ledger: Ledger, account: str, structure: Structure) -> AccountSchema:
    """The account as the ledger knows it, without what people have deleted or retyped since: nothing hinders undoing.

    The schema that loads are given raises for these; here they only cannot be compared any more.
    """
    recorded = ledger.schema_objects(account)
    there = {("pipeline", str(p.id)) for p in structure.pipelines}
    there |= {("stage", str(s.id)) for s in structure.stages}
    types = {
        (entity, code): one.field_type
        for entity, fields in structure.fields.items()
        for code, one in fields.items()
    }
    made = tuple(
        one
        for one in made_of(recorded)
        if (types.get((one.entity, one.key)) == one.detail if one.kind == "field" else True)
        and (one.kind not in ("pipeline", "stage") or (one.kind, one.key) in there)
    )
    return AccountSchema(structure, made, options_of(recorded), options_of(recorded, NAME))


async def plan_schema_undo(
    session: Session, structure: Structure, leaving: Leaving | None = None
) -> SchemaUndo:
    """What can go and what stays; lists organizations, persons, deals and leads once, writes nothing.

    leaving: records that are not there any more by then. Those that the ledger knows as deleted never count.
    """
    ledger, account = session.ledger, session.scope.account
    recorded = ledger.schema_objects(account)
    ours = made_by_us(ledger.schema_operations(account))
    if not ours.things and not ours.options:
        return SchemaUndo(forget=tuple(recorded))
    use = await _use(session, recorded, leaving or {})
    return _decided(recorded, structure, ours, use)


async def _use(session: Session, recorded: Sequence[SchemaObject], leaving: Leaving) -> Use:
    use = Use()
    codes: dict[str, set[str]] = {entity: set() for entity in FIELD_RESOURCES}
    for one in recorded:
        if one.kind == "field":
            codes[one.entity].add(one.code)
    for entity in FIELD_RESOURCES:
        for archived in (False, True) if entity == "deals" else (False,):
            async for page in session.client.list(entity, archived=archived):  # type: ignore[arg-type]
                use.tokens += page.tokens
                ids = [int(record["id"]) for record in page.records]
                links = session.ledger.links_of_ids(session.scope, entity, ids)
                gone = {number for number, link in links.items() if link.state == "retired"}
                gone |= leaving.get(entity, frozenset()).intersection(ids)
                for record in page.records:
                    if int(record["id"]) not in gone:
                        _count(use, entity, record, codes[entity])
    if any(x.kind == "field" and x.entity == "deals" for x in recorded):
        await _count_leads(session, use, codes["deals"])
    return use


async def _count_leads(session: Session, use: Use, codes: Collection[str]) -> None:
    spent = sum(session.client.budget.by_kind.values())
    try:
        for archived in (False, True):
            for lead in await session.client.leads(archived=archived):
                _count(use, "leads", {"custom_fields": lead}, codes)
    except (Forbidden, NotFound, Rejected) as error:
        use.unseen = f"leads share the fields of deals, and cannot be read: {error.words}"
    use.tokens += sum(session.client.budget.by_kind.values()) - spent


def _count(use: Use, entity: str, record: Mapping[str, Any], codes: Collection[str]) -> None:
    bearing = "deals" if entity == "leads" else entity
    for code, value in (record.get("custom_fields") or {}).items():
        if code in codes and value not in _EMPTY:
            use.fields[bearing, code] += 1
            for number in value if isinstance(value, list) else [value]:
                if isinstance(number, int):
                    use.options[bearing, code, number] += 1
    for number in record.get("label_ids") or ():
        use.options[entity, LABELS, int(number)] += 1
    if entity == "deals":
        use.stages[int(record.get("stage_id") or 0)] += 1
        use.pipelines[int(record.get("pipeline_id") or 0)] += 1


def _decided(recorded: Sequence[SchemaObject], structure: Structure, ours: Ours, use: Use) -> SchemaUndo:
    found = _Found(recorded, structure, ours, use)
    for entity in FIELD_RESOURCES:
        found.labels(entity)
    for one in (x for x in recorded if x.kind == "field"):
        found.field(one)
    for one in (x for x in recorded if x.kind == "pipeline"):
        found.pipeline(one)
    order = ("labels", "options", "field", "stage", "pipeline")
    removals = sorted(found.removals, key=lambda one: order.index(one.kind))
    going = {row for one in removals for row in rows_of(one, recorded)}
    forget = [one for one in recorded if one not in going and one not in found.staying]
    tokens = _STRUCTURE + use.tokens + sum(map(tokens_of, removals))
    return SchemaUndo(tuple(removals), tuple(found.stays), tuple(forget), tokens)


def rows_of(removal: Removal, recorded: Iterable[SchemaObject]) -> list[SchemaObject]:
    """The rows of the ledger that go with a removal."""
    if removal.kind in ("stage", "pipeline"):
        return [one for one in recorded if (one.kind, one.code) == (removal.kind, removal.key)]
    name = LABELS if removal.kind == "labels" else removal.name
    of_field = [
        one
        for one in recorded
        if one.kind in (OPTION, NAME) and (one.entity, split_option(one.name)[0]) == (removal.entity, name)
    ]
    if removal.kind != "field":
        return [one for one in of_field if int(one.code) in removal.ids]
    itself = [
        one for one in recorded if (one.kind, one.entity, one.code) == ("field", removal.entity, removal.key)
    ]
    return itself + of_field


@dataclass
class _Found:
    """What was decided so far; `staying` are the rows of what stays because it is used."""

    recorded: Sequence[SchemaObject]
    structure: Structure
    ours: Ours
    use: Use
    removals: list[Removal] = field(default_factory=list)
    stays: list[Staying] = field(default_factory=list)
    staying: set[SchemaObject] = field(default_factory=set)

    def labels(self, entity: str) -> None:
        """Labels that we added to the vendor's field: each goes that no record bears."""
        there = self.structure.label_field(entity)
        if there is not None:
            number = next((x.code for x in self.recorded if (x.kind, x.entity) == ("labels", entity)), "")
            self._options(entity, LABELS, LABELS, there, number)

    def field(self, one: SchemaObject) -> None:
        """A custom field: it goes whole, or without the options that nobody needs, or it was never ours."""
        there = self.structure.fields.get(one.entity, {}).get(one.code)
        if there is None:
            return
        what = f"{one.entity} field {there.field_name!r}"
        if ("field", one.code) not in self.ours.things:
            self._options(one.entity, one.name, one.code, there)
            return
        bearing = self.use.fields[one.entity, one.code]
        theirs = [
            option.label
            for option in there.options or ()
            if (one.entity, one.name, option.id) not in self.ours.options
        ]
        unseen = self.use.unseen if one.entity == "deals" else ""
        if not bearing and not theirs and not unseen:
            self.removals.append(Removal("field", one.entity, one.name, one.code))
            return
        why = [_said(bearing, "record has a value in it", "records have a value in it")] if bearing else []
        why += [f"people added the options {', '.join(map(repr, theirs))}"] if theirs else []
        why += [unseen] if unseen else []
        self.stays.append(Staying(what, "; ".join(why)))
        self.staying.add(one)
        self._options(one.entity, one.name, one.code, there)

    def _options(self, entity: str, name: str, code: str, there: Field, number: str = "") -> None:
        """Options of a field that stays: ours go, unless records bear them."""
        going = []
        for option in there.options or ():
            if not isinstance(option.id, int) or (entity, name, option.id) not in self.ours.options:
                continue
            bearing = self.use.options[entity, code, option.id]
            if not bearing:
                going.append((option.id, option.label))
                continue
            what = (
                f"label {option.label!r} of {entity}"
                if name == LABELS
                else f"option {option.label!r} of {entity}.{name}"
            )
            self.stays.append(Staying(what, _said(bearing, "record bears it", "records bear it")))
            self.staying |= set(
                rows_of(Removal("options", entity, name, code, ((option.id, ""),)), self.recorded)
            )
        if going and name == LABELS:
            removal = Removal("labels", entity, LABELS, there.field_code, tuple(going), number)
            self.removals.append(removal)
        elif going:
            self.removals.append(Removal("options", entity, name, code, tuple(going)))

    def pipeline(self, one: SchemaObject) -> None:
        """A pipeline of ours with its stages: those go that no deal stands in, and it itself when all of them do."""
        if all(str(there.id) != one.code for there in self.structure.pipelines):
            return
        rows = {x.code: x for x in self.recorded if x.kind == "stage" and x.field_type == one.name}
        mine = {int(code) for kind, code in self.ours.things if kind == "stage" and code in rows}
        left = []
        for stage in (s for s in self.structure.stages if str(s.pipeline_id) == one.code):
            deals = self.use.stages[stage.id]
            # What is older than our first stage came with the pipeline: nobody had time to add it.
            ours = stage.id in mine or stage.id < min(mine, default=0)
            if ours and not deals:
                self.removals.append(Removal("stage", "stages", stage.name, str(stage.id)))
                continue
            left.append(stage.name)
            why = _said(deals, "deal stands in it", "deals stand in it") if deals else "people added it"
            self.stays.append(Staying(f"stage {stage.name!r}", why))
            self.staying |= {rows[str(stage.id)]} if str(stage.id) in rows else set()
        deals = self.use.pipelines[int(one.code)]
        if not left and not deals:
            self.removals.append(Removal("pipeline", "pipelines", one.name, one.code))
            return
        why = (
            f"its stages {', '.join(map(repr, left))} stay"
            if left
            else _said(deals, "deal is in it", "deals are in it")
        )
        self.stays.append(Staying(f"pipeline {one.name!r}", why))
        self.staying.add(one)


def _said(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"
