"""Which fields of a record did people edit since our last word on each?

All fields that a person can edit count, whether a map fills them or not: deleting the record would lose them all.
"""

from collections.abc import Collection, Mapping
from typing import Any

from dispatch_to_pipedrive.migration.compare import edited_names, flat
from dispatch_to_pipedrive.migration.past import Past
from dispatch_to_pipedrive.pipedrive.canonical import NATIVE
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

FOLLOWING: Mapping[str, frozenset[str]] = {
    "persons": frozenset({"first_name", "last_name"}),
    "deals": frozenset({"close_time", "archive_time"}),
    "activities": frozenset({"person_id"}),
}
"""Fields that Pipedrive itself keeps in step with others, and that therefore say nothing of people."""


def touched_fields(
    schema: AccountSchema, entity: str, mapped: Collection[str], past: Past | None, record: Mapping[str, Any]
) -> list[str]:
    """Wire names of the fields that no longer hold what the account answered to us, in their order.

    mapped: wire names that the map fills; fields that it does not fill are looked at besides.
    """
    base, now = flat(past.base) if past else {}, flat(record)
    custom = {*(record.get("custom_fields") or {}), *((past.base if past else {}).get("custom_fields") or {})}
    names = {*mapped, *NATIVE[entity], *custom} - FOLLOWING.get(entity, frozenset())
    return sorted(edited_names(schema, entity, names, base, now))


def logical(schema: AccountSchema, entity: str, names: Collection[str]) -> tuple[str, ...]:
    """Wire names as people know them: our custom fields by their names, others' by their codes."""
    customs = schema.customs(entity)
    return tuple(customs[name][0] if name in customs else name for name in names)
