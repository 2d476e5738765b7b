"""Which fields of the destination does a column of the normalized frames fill, or a custom field of the tenant?"""

from collections.abc import Iterable

from dispatch_to_pipedrive.mapping.model import Maps, folded
from dispatch_to_pipedrive.mapping.objects import SINGULAR
from dispatch_to_pipedrive.mapping.proposal.slots import PLACES
from dispatch_to_pipedrive.mapping.reads import custom_field_of, read_columns

PRIORITY_FIELD = "Dispatch Pro Priority"
"""The custom field of jobs that has a column of its own, `deals.priority_bucket`."""


_MENTION = ("template", "html_lines", "html_body")
"""Transforms that write a text in which several columns are mentioned."""


def destinations(maps: Maps, *, mentioned: bool = True) -> dict[str, tuple[str, ...]]:
    """Column (`deals.job_type`) → the fields of the map that read it, as `Deal: Job_Type__c`.

    mentioned: whether a text that mentions the column among others (a title) counts, too.
    """
    found: dict[str, list[str]] = {}
    for entity, entity_map in maps.items():
        for name, field in entity_map.fields.items():
            columns = read_columns(field)
            for column in (
                columns if mentioned or len(columns) == 1 or field.transform not in _MENTION else ()
            ):
                found.setdefault(f"{entity}.{column}", []).append(f"{SINGULAR[entity]}: {name}")
    return {column: tuple(dict.fromkeys(names)) for column, names in found.items()}


def custom_field_destinations(maps: Maps) -> dict[tuple[str, str], tuple[str, ...]]:
    """(`jobs.custom_fields`, folded name of a custom field) → the fields of the map that read it."""
    of_column = {place: feed for feed, places in PLACES.items() for place in places}
    found: dict[tuple[str, str], list[str]] = {}
    for entity, entity_map in maps.items():
        for name, field in entity_map.fields.items():
            custom = custom_field_of(field)
            for column in field.sources if custom is not None else ():
                if feed := of_column.get((entity, column)):
                    found.setdefault((feed, str(custom)), []).append(f"{SINGULAR[entity]}: {name}")
    bucket = destinations(maps).get("deals.priority_bucket", ())
    if bucket:
        found.setdefault(("jobs.custom_fields", folded(PRIORITY_FIELD)), []).extend(bucket)
    return {key: tuple(dict.fromkeys(names)) for key, names in found.items()}


def in_words(places: Iterable[str]) -> str:
    """Fields by entity, each once: `Deal: title, Job_Type__c; Activity: subject`."""
    found: dict[str, dict[str, None]] = {}
    for place in places:
        entity, _, name = place.partition(": ")
        found.setdefault(entity, {})[name] = None
    return "; ".join(f"{entity}: {', '.join(names)}" for entity, names in found.items())
