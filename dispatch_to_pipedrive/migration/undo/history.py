"""Which of a record's operations are in force, and what did it hold before and after each of them?

A rollback's operation names the one that it takes back: that one and all later ones on the record are in force no more.
A record that was made anew elsewhere leaves its operations to the key that it stays known by (see `key_before`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dispatch_to_pipedrive.migration.past import Past, after_relink, after_write
from dispatch_to_pipedrive.migration.values import RELINK, Body, Link, key_before

Place = tuple[str, int]
"""Entity and Pipedrive id of a record."""
REFERENCES = {"org_id": "organizations", "person_id": "persons", "deal_id": "deals"}
"""Field by which a record hangs on another one → the entity of that one."""


@dataclass(frozen=True, slots=True)
class Op:
    """A write that was carried out; `pipedrive_id` is the record that it made or changed."""

    number: int
    verb: str
    entity: str
    source_key: str
    pipedrive_id: int
    batch: str
    generation: int
    root: int
    body: Body
    before: Body
    echo: Body | None
    server_date: str | None
    undoes: int | None = None

    @property
    def replaced(self) -> int | None:
        """The record that a create has replaced."""
        return int(self.before["id"]) if self.verb == "create" and self.before else None


class Done(NamedTuple):
    """An operation in force, and what the record was told and had answered before and after it."""

    op: Op
    before: Past | None
    after: Past | None


@dataclass(frozen=True)
class InForce:
    """By source key: operations in force, what stands there now, and the replaced record that has its place again."""

    operations: dict[str, list[Done]] = field(default_factory=dict)
    now: dict[str, Past | None] = field(default_factory=dict)
    put_back: dict[str, int] = field(default_factory=dict)


def in_force(ops: Iterable[Op]) -> InForce:
    """What is left of one entity's operations, which come in the order of their numbers."""
    left = InForce()
    for op in ops:
        key = op.source_key
        mine, now = left.operations.get(key, []), left.now.get(key)
        if op.verb == RELINK:  # people's word, which no rollback takes back
            if now is not None and op.echo is not None:
                left.now[key] = after_relink(now, op.echo, op.server_date)
            continue
        left.put_back.pop(key, None)
        after = _after(now, op)
        if op.undoes is not None:
            left.operations[key] = [one for one in mine if one.op.number < op.undoes]
            left.now[key] = after
            replaced = mine[0].op.replaced if mine and op.verb == "delete" else None
            if replaced is not None:
                old = key_before(key, replaced)
                left.operations[key] = left.operations.get(old, [])
                left.now[key] = left.now.get(old)
                left.put_back[key] = replaced
        elif op.verb == "create":
            if op.replaced is not None:
                old = key_before(key, op.replaced)
                left.operations[old], left.now[old] = mine, now
            left.operations[key], left.now[key] = [Done(op, None, after)], after
        else:
            left.operations[key] = [*mine, Done(op, now, after)]
            left.now[key] = after
    return left


def _after(now: Past | None, op: Op) -> Past | None:
    if op.verb == "create":
        return None if op.echo is None else after_write(None, op.body, op.echo, op.server_date)
    if op.verb == "update" and now is not None and op.echo is not None:
        return after_write(now, op.body, op.echo, op.server_date)
    return now


@dataclass(frozen=True)
class History:
    """A linked record, its operations in force, oldest first, and what it was told and had answered by now."""

    link: Link
    ops: Sequence[Done]
    now: Past | None

    @property
    def place(self) -> Place:
        """Entity and id of the record that is linked."""
        return self.link.entity, self.link.pipedrive_id

    @property
    def made_by_us(self) -> bool:
        """Whether the linked record is the one that the first operation made; people may have linked another."""
        return self.wrote(0)

    def wrote(self, remain: int) -> bool:
        """Whether what comes after so many operations was written to the linked record."""
        later = self.ops[remain:]
        return bool(later) and all(one.op.pipedrive_id == self.link.pipedrive_id for one in later)

    @property
    def retired(self) -> bool:
        """Whether the last operation in force deleted it."""
        return bool(self.ops) and self.ops[-1].op.verb == "delete"

    def hangs_on(self, remain: int) -> set[Place]:
        """The records that it hangs on when so many of its operations remain."""
        past = self.now if remain == len(self.ops) else self.ops[remain].before
        return set() if past is None else references(past.base)


def references(record: Mapping[str, Any]) -> set[Place]:
    """The records that a record or body of v2's form hangs on."""
    found = {(entity, int(record[name])) for name, entity in REFERENCES.items() if record.get(name)}
    return found | {("persons", int(one["person_id"])) for one in record.get("participants") or ()}
