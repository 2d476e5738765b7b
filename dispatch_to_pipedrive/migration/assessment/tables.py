"""What is in the tenant, as tables: counts, values, what is missing, custom fields and whether the map reads them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from dispatch_to_pipedrive.mapping.model import FieldMap, Maps, folded
from dispatch_to_pipedrive.mapping.proposal.glossary import is_secret
from dispatch_to_pipedrive.mapping.reads import custom_fields_read, read_columns
from dispatch_to_pipedrive.migration.assessment.grade import Clarity

SHOWN_VALUES = 25
"""Values of a field that a table shows."""
SAMPLES = 3
HIDDEN = "not shown"
"""Stands for the values of a field that is named like a secret."""

PRIORITY_FIELD = "Dispatch Pro Priority"

CHOICES: tuple[tuple[str, str, str, str, str], ...] = (
    ("Job status", "jobs", "job_status", "deals", "job_status"),
    ("Job type", "jobs", "job_type_id", "deals", "job_type"),
    ("Job priority", "jobs", "priority", "deals", "priority"),
    ("Priority bucket", "jobs.custom_fields", PRIORITY_FIELD, "deals", "priority_bucket"),
    ("Payment state", "jobs", "payment_state", "deals", "payment_status"),
    ("Appointment status", "appointments", "status", "activities", "status"),
    ("Customer type", "customers", "type", "", ""),
    ("Job tags", "jobs.tag_type_ids", "value", "deals", "labels"),
    ("Customer tags", "customers.tag_type_ids", "value", "persons", "labels"),
    ("Business unit", "jobs", "business_unit_id", "activities", "business_unit"),
    ("Invoice review", "invoices", "review_status", "", ""),
    ("Invoice sent", "invoices", "sent_status", "", ""),
    ("Invoice exported to accounting", "invoices", "sync_status", "", ""),
    ("Kind of payment", "payments", "type", "", ""),
    ("Calls", "calls", "direction", "", ""),
    ("Kind of call", "calls", "type", "", ""),
    ("Files by size", "job_attachments", "size_class", "", ""),
    ("Files by type", "job_attachments", "media_type", "", ""),
    ("Files that cannot be had", "job_attachments", "problem", "", ""),
    ("E-mails belong to", "emails", "matched_by", "", ""),
)
"""Title, feed and field of the profile, and the normalized column that the map reads it from ('' where none is)."""


class Property(NamedTuple):
    """One custom field of the tenant; `place` is the field of the map that reads it, '' while it is open."""

    feed: str
    name: str
    kind: str
    filled: int
    records: int
    different: int
    samples: str
    place: str


class Counts(NamedTuple):
    """One field of the profile: records, how many lack it, how many different values, the most frequent of them."""

    records: int
    missing: int
    different: int
    frequent: tuple[tuple[str, int], ...]


Fields = Mapping[tuple[str, str], Counts]
"""(feed, field) → what the profile says of it."""
NOTHING = Counts(0, 0, 0, ())


def by_field(profile: pd.DataFrame) -> dict[tuple[str, str], Counts]:
    """The profile as a value for each field, in its order."""
    found: dict[tuple[str, str], Counts] = {}
    columns = [profile[name].tolist() for name in ("feed", "field", "value", "count", "distinct", "records")]
    for feed, field, value, count, different, records in zip(*columns, strict=True):
        known = found.get((feed, field), Counts(records, 0, different, ()))
        if pd.isna(value):
            known = known._replace(missing=count)
        else:
            known = known._replace(frequent=(*known.frequent, (value, count)))
        found[feed, field] = known
    return found


_GONE = {"active": "false", "is_archived": "true"}
"""Field → the value that says of a record that it is not in use any more."""


def counts(fields: Fields) -> list[dict[str, Any]]:
    """Feed → records, active and inactive ones (archived contacts are inactive); what has no such state is active."""
    records: dict[str, int] = {}
    inactive: dict[str, int] = {}
    for (feed, field), told in fields.items():
        if "." in feed or field in ("brings", "bytes", "kind"):
            continue
        records.setdefault(feed, told.records)
        if gone := _GONE.get(field):
            inactive[feed] = dict(told.frequent).get(gone, 0)
    return [
        {
            "feed": feed,
            "records": count,
            "active": count - inactive.get(feed, 0),
            "inactive": inactive.get(feed, 0),
        }
        for feed, count in records.items()
        if count or feed in inactive
    ]


def choices(fields: Fields) -> list[dict[str, Any]]:
    """The distinct values with counts of every field of `CHOICES` that the tenant has."""
    return [
        {
            "title": title,
            "feed": feed,
            "field": field,
            "records": told.records,
            "missing": told.missing,
            "distinct": told.different,
            "values": [{"value": value, "count": count} for value, count in told.frequent[:SHOWN_VALUES]],
        }
        for title, feed, field, *_ in CHOICES
        if (told := fields.get((feed, field)))
    ]


def missing(fields: Fields, maps: Maps, origins: Mapping[str, tuple[str, str]]) -> list[dict[str, Any]]:
    """How often the fields that the maps read are missing: one row a field of the source, with who reads it.

    origins: normalized column (`deals.job_type`) → feed and field of the profile whose value lands in it.
    """
    readers: dict[tuple[str, str], list[str]] = {}
    for entity, entity_map in maps.items():
        for name, field in entity_map.fields.items():
            for column in read_columns(field):
                if origin := origins.get(f"{entity}.{column}"):
                    readers.setdefault(origin, []).append(f"{entity}.{name}")
    return [
        {
            "feed": origin[0],
            "field": origin[1],
            "missing": told.missing,
            "records": told.records,
            "share": round(told.missing / told.records, 4),
            "read_by": list(dict.fromkeys(names)),
        }
        for origin, names in sorted(readers.items())
        if (told := fields.get(origin)) and told.records
    ]


def properties(fields: Fields, kinds: Mapping[tuple[str, str], str], maps: Maps) -> list[Property]:
    """The tenant's custom fields. kinds: (feed, name) → data type, as the definitions have it."""
    places = _places(maps)
    found = []
    for (feed, name), told in sorted(fields.items()):
        parent, dot, child = feed.partition(".")
        if dot and child == "custom_fields":
            found.append(
                Property(
                    feed=parent,
                    name=name,
                    kind=kinds.get((parent, name), "not defined"),
                    filled=told.records - told.missing,
                    records=told.records,
                    different=told.different,
                    samples=HIDDEN if is_secret(name) else ", ".join(v for v, _ in told.frequent[:SAMPLES]),
                    place=places.get((parent, folded(name)), ""),
                )
            )
    return found


def clarity(fields: Fields, found: Sequence[Property], maps: Maps) -> Clarity:
    """Custom fields that are filled, and the values of the choices that the map reads: how many have a place."""
    used = [one for one in found if one.filled]
    placed = sum(bool(one.place) for one in used)
    total = len(used)
    for _, feed, field, entity, column in CHOICES:
        if entity not in maps:
            continue
        readers = [
            one
            for one in maps[entity].fields.values()
            if column in one.sources and one.transform != "template"
        ]
        values = fields.get((feed, field), NOTHING).frequent
        total += len(values)
        placed += sum(any(_takes(one, value) for one in readers) for value, _ in values)
    return Clarity(placed, total)


def _takes(field: FieldMap, value: str) -> bool:
    """Whether a field has a place for a value: its value map names it, or it makes an option of every value."""
    if field.value_map is None or field.unmapped == "add_option":
        return True
    return value in field.value_map or _code(value) in field.value_map


def _code(state: str) -> str:
    """A payment state as normalized frames write it."""
    return state.casefold().replace(" ", "_")


_COLUMNS = {
    "custom_fields": {"organizations": "customers", "persons": "customers", "deals": "jobs"},
    "site_custom_fields": dict.fromkeys(("organizations", "persons", "deals"), "locations"),
    "technician_custom_fields": {"deals": "technicians"},
}


def _places(maps: Maps) -> dict[tuple[str, str], str]:
    """(feed, folded name of a custom field) → the fields of the map that read it."""
    found: dict[tuple[str, str], list[str]] = {}
    for entity, column, name in sorted(custom_fields_read(maps)):
        feed = _COLUMNS.get(column, {}).get(entity)
        if feed:
            found.setdefault((feed, folded(name)), []).append(entity)
    if "deals" in maps and any("priority_bucket" in f.sources for f in maps["deals"].fields.values()):
        found.setdefault(("jobs", folded(PRIORITY_FIELD)), []).append("deals")
    return {key: ", ".join(dict.fromkeys(entities)) for key, entities in found.items()}
