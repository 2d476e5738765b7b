"""What gives a record back what it held before operations that are undone, and what can nothing give back?

A field gets back what we had told it before, or, where that was not what stood there, what stood there. A field that no
longer holds what we wrote was edited by people and stays theirs, unless force overrules them. Pipedrive takes no null
for some fields, clears others by itself together with a deal's state, and takes no deleted record as a parent: those
are named.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from dispatch_to_pipedrive.migration.changes import NEVER_CLEARED
from dispatch_to_pipedrive.migration.compare import canonical_value, edited_names, flat, part
from dispatch_to_pipedrive.migration.past import FOLLOWING
from dispatch_to_pipedrive.migration.undo.history import REFERENCES, History, Place, references
from dispatch_to_pipedrive.migration.undo.touched import logical
from dispatch_to_pipedrive.migration.values import Body
from dispatch_to_pipedrive.pipedrive.canonical import agree
from dispatch_to_pipedrive.pipedrive.notes import PARENTS, PINS
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

UNCLEARABLE = NEVER_CLEARED | {
    ("organizations", "address"),
    *(("deals", name) for name in ("won_time", "lost_time", "close_time", "expected_close_date")),
    *(("activities", name) for name in ("deal_id", "due_date", "due_time", "duration", "location")),
}
"""Fields for which the vendor's documents allow no null, or leave it open: one refusal would lose the whole write."""
_OF_STATE = ("won_time", "lost_time", "lost_reason")
_LISTS = ("label_ids", "emails", "phones", "participants")
_NOT_WRITTEN = ("formatted_address", "timezone_id")


@dataclass(frozen=True)
class Restoration:
    """The body that goes out (empty where nothing is to change), and by wire name what does not come back.

    `edited`: fields that people edited; `overruled` those that come back all the same. `lost`: field → why it cannot be
    given back.
    """

    body: Body
    edited: tuple[str, ...] = ()
    overruled: tuple[str, ...] = ()
    lost: Mapping[str, str] = field(default_factory=dict)


def restoration(
    schema: AccountSchema,
    history: History,
    remain: int,
    record: Mapping[str, Any],
    stands: Callable[[Place], bool],
    *,
    force: bool = False,
) -> Restoration:
    """What brings the record back to where `remain` of its operations stand.

    stands: whether a record that this one hung on is still there. force: fields come back though people edited them.
    """
    entity = history.link.entity
    names = _names(history, remain)
    now = flat(record)
    base = flat(history.now.base) if history.now else {}
    theirs = edited_names(schema, entity, names, base, now)
    edited, overruled = ([], theirs) if force else (theirs, [])
    if edited_names(schema, entity, PARENTS, base, now):
        # People hung a note on something else: to pin it where it was would put it back there.
        edited += [name for name in names if name in PINS and name not in edited]
    targets = {name: _target(schema, history, remain, name) for name in names if name not in edited}
    changing = {
        name: value
        for name, value in targets.items()
        if not agree(
            canonical_value(schema, entity, name, value), canonical_value(schema, entity, name, now.get(name))
        )
    }
    if "status" in changing:  # what belongs to a state goes with it
        changing = {k: v for k, v in changing.items() if k not in _OF_STATE or v is not None}
    lost = {
        name: why for name, value in changing.items() if (why := _why_not(entity, name, value, stands, now))
    }
    flat_body = {name: value for name, value in changing.items() if name not in lost}
    if flat_body.keys() & set(PINS):
        flat_body |= {name: now[name] for name in PARENTS if now.get(name)}
    native = {name: value for name, value in flat_body.items() if name not in _customs(schema, history)}
    custom = {name: value for name, value in flat_body.items() if name not in native}
    body = {**native, **({"custom_fields": custom} if custom else {})}
    return Restoration(part(body, flat_body), tuple(edited), tuple(overruled), lost)


def _customs(schema: AccountSchema, history: History) -> Collection[str]:
    told = [one.op.body.get("custom_fields") or {} for one in history.ops]
    return {*schema.customs(history.link.entity), *(name for custom in told for name in custom)}


def _names(history: History, remain: int) -> list[str]:
    """The fields that the undone operations wrote, and those that Pipedrive sets or clears together with them."""
    written = {name for one in history.ops[remain:] for name in flat(one.op.body)}
    before = history.ops[remain].before
    told = flat(before.told) if before else {}
    following = {name for one in written for name in FOLLOWING.get(one, ()) if told.get(name) is not None}
    return sorted(written | following)


def _target(schema: AccountSchema, history: History, remain: int, name: str) -> Any:
    entity = history.link.entity
    past = history.ops[remain].before
    told, base = (flat(past.told), flat(past.base)) if past else ({}, {})
    stood = base.get(name)
    for one in history.ops[remain:]:
        if name in one.op.before:
            stood = one.op.before[name]
        # Where the write of another field has set this one, what stood there then is our own doing.
        if name in flat(one.op.body) or any(name in FOLLOWING.get(other, ()) for other in one.op.body):
            break
    ours = told.get(name)
    same = agree(canonical_value(schema, entity, name, ours), canonical_value(schema, entity, name, stood))
    value = _writable(ours if ours is not None and same else stood)
    return [] if value is None and name in _LISTS else value


def _writable(value: Any) -> Any:
    """A value that the account has shown, in the form in which it takes it."""
    if isinstance(value, Mapping):
        return {k: v for k, v in value.items() if v is not None and k not in _NOT_WRITTEN}
    return value


def _why_not(
    entity: str, name: str, value: Any, stands: Callable[[Place], bool], now: Mapping[str, Any]
) -> str:
    if value is None and (entity, name) in UNCLEARABLE:
        return f"Pipedrive takes no empty {name} there"
    if name in REFERENCES or name == "participants":
        away = sorted(place for place in references({name: value}) if not stands(place))
        if away:
            return f"{' and '.join(f'{of} {number}' for of, number in away)} stands there no more"
    return ""


def lost_words(schema: AccountSchema, history: History, lost: Mapping[str, str]) -> str:
    """One line of what a record does not get back."""
    link = history.link
    parts = [f"{logical(schema, link.entity, [name])[0]} ({why})" for name, why in lost.items()]
    return f"{link.source_key}: keeps its {', '.join(parts)}"
