"""When do a wire body and a record, or two bodies, say the same?

Values are compared in the canonical form of their field type, by wire name (native names and this account's codes).
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from dispatch_to_pipedrive.migration.values import Body
from dispatch_to_pipedrive.pipedrive.canonical import agree, canonical
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema


def flat(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body or record with its custom fields beside the native ones."""
    return {**{k: v for k, v in body.items() if k != "custom_fields"}, **(body.get("custom_fields") or {})}


def canonical_value(schema: AccountSchema, entity: str, name: str, value: Any) -> Hashable:
    """The canonical form of a field's value, by wire name."""
    custom = schema.customs(entity).get(name)
    return canonical(entity, custom[0] if custom else name, custom[1] if custom else None, value)


def shows(schema: AccountSchema, entity: str, body: Body, record: Mapping[str, Any]) -> bool:
    """Whether a record has every value of a wire body."""
    has = flat(record)
    return all(
        agree(
            canonical_value(schema, entity, name, value), canonical_value(schema, entity, name, has.get(name))
        )
        for name, value in flat(body).items()
    )


def changed_names(
    schema: AccountSchema,
    entity: str,
    names: Iterable[str],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> list[str]:
    """Of the named fields, those whose values mean something else in the two flat bodies."""
    return [
        name
        for name in names
        if canonical_value(schema, entity, name, before.get(name))
        != canonical_value(schema, entity, name, after.get(name))
    ]


def edited_names(
    schema: AccountSchema, entity: str, names: Iterable[str], base: Mapping[str, Any], now: Mapping[str, Any]
) -> list[str]:
    """Of the named fields, those that no longer hold what the base held; what the vendor added is no edit."""
    return [
        name
        for name in names
        if not agree(
            canonical_value(schema, entity, name, base.get(name)),
            canonical_value(schema, entity, name, now.get(name)),
        )
    ]


def part(body: Body, names: Iterable[str]) -> Body:
    """The part of a wire body that has the named fields."""
    chosen = set(names)
    custom = {k: v for k, v in (body.get("custom_fields") or {}).items() if k in chosen}
    rest = {k: v for k, v in body.items() if k in chosen}
    return {**rest, **({"custom_fields": custom} if custom else {})}


def without_nulls(body: Mapping[str, Any]) -> Body:
    """A body or record without empty fields: what a create says, and what an echo keeps."""
    rest = {k: v for k, v in body.items() if v is not None and v != [] and k != "custom_fields"}
    custom = {k: v for k, v in (body.get("custom_fields") or {}).items() if v is not None}
    return {**rest, **({"custom_fields": custom} if custom else {})}
