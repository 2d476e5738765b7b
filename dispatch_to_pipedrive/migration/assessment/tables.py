"""What is in the tenant, as tables: counts, values, what is missing, custom fields and whether the map reads them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from dispatch_to_pipedrive.mapping.model import FieldMap, Maps, folded
from dispatch_to_pipedrive.mapping.reads import custom_fields_read, read_columns
from dispatch_to_pipedrive.migration.assessment.grade import Clarity

SHOWN_VALUES = 25
"""Values of a field that a table shows."""
SAMPLES = 3

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
)
"""Title, feed and field of the profile, and the normalized column that the map reads it from ('' where none is)."""

_PLACE = ("street", "unit", "city", "state", "zip", "country")
ORIGINS: Mapping[str, tuple[str, str]] = {
    **{f"{entity}.name": ("customers", "name") for entity in ("organizations", "persons")},
    **{f"{entity}.created_at": ("customers", "created_on") for entity in ("organizations", "persons")},
    **{f"{entity}.labels": ("customers.tag_type_ids", "value") for entity in ("organizations", "persons")},
    **{
        f"{entity}.site_{number}_{part}": ("locations", f"address_{part}")
        for entity in ("organizations", "persons")
        for number in range(1, 10)
        for part in _PLACE
    },
    "persons.emails": ("customer_contacts", "value"),
    "persons.phones": ("customer_contacts", "value"),
    "persons.contact_memo": ("customer_contacts", "memo"),
    "deals.job_number": ("jobs", "job_number"),
    "deals.job_type": ("jobs", "job_type_id"),
    "deals.business_unit": ("jobs", "business_unit_id"),
    "deals.customer_name": ("customers", "name"),
    "deals.job_status": ("jobs", "job_status"),
    "deals.priority": ("jobs", "priority"),
    "deals.priority_bucket": ("jobs.custom_fields", PRIORITY_FIELD),
    "deals.labels": ("jobs.tag_type_ids", "value"),
    "deals.created_at": ("jobs", "created_on"),
    "deals.value": ("invoices", "total"),
    "deals.payment_status": ("jobs", "payment_state"),
    "deals.won_at": ("jobs", "completed_on"),
    "deals.lost_at": ("job_canceled_logs", "created_on"),
    "deals.cancel_reason": ("job_canceled_logs", "reason_id"),
    "deals.cancel_memo": ("job_canceled_logs", "memo"),
    "deals.technician_id": ("appointment_assignments", "technician_id"),
    "deals.technicians": ("appointment_assignments", "technician_id"),
    "deals.owner_email": ("technicians", "email"),
    "deals.summary": ("jobs", "summary"),
    "activities.appointment_number": ("appointments", "appointment_number"),
    "activities.job_type": ("jobs", "job_type_id"),
    "activities.business_unit": ("jobs", "business_unit_id"),
    "activities.customer_name": ("customers", "name"),
    "activities.status": ("appointments", "status"),
    "activities.created_at": ("appointments", "created_on"),
    "activities.start": ("appointments", "start"),
    "activities.end": ("appointments", "end"),
    "activities.visit_start": ("appointments", "start"),
    "activities.visit_end": ("appointments", "end"),
    "activities.arrival_window_start": ("appointments", "arrival_window_start"),
    "activities.arrival_window_end": ("appointments", "arrival_window_end"),
    "activities.arrived_at": ("job_timesheets", "arrived_on"),
    "activities.done_at": ("job_timesheets", "done_on"),
    "activities.special_instructions": ("appointments", "special_instructions"),
    "activities.technician_id": ("appointment_assignments", "technician_id"),
    "activities.technicians": ("appointment_assignments", "technician_id"),
    "activities.owner_email": ("technicians", "email"),
    **{f"activities.location_{part}": ("locations", f"address_{part}") for part in _PLACE},
}
"""Normalized column → the field of the source that it comes from, where it is one field."""

COMPUTED = frozenset(
    {
        *(f"{entity}.source_key" for entity in ("organizations", "persons", "deals", "activities")),
        *("organizations.additional_sites", "persons.additional_sites", "persons.organization_key"),
        *("persons.location_id", "deals.job_id", "deals.organization_key", "deals.person_key"),
        *("activities.appointment_id", "activities.deal_key", "activities.organization_key"),
        *("activities.participant_keys", "activities.visit", "organizations.root", "persons.root"),
        *("organizations.custom_fields", "organizations.site_custom_fields"),
        *("persons.custom_fields", "persons.site_custom_fields"),
        *("deals.custom_fields", "deals.site_custom_fields", "deals.technician_custom_fields"),
    }
)
"""Normalized columns without one field of their own: keys, and what is worked out from several."""


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


def counts(profile: pd.DataFrame) -> list[dict[str, Any]]:
    """Feed → records, active and inactive ones."""
    rows = profile[(profile["field"] == "active") & ~profile["feed"].str.contains(".", regex=False)]
    found = []
    for feed, of_feed in rows.groupby("feed", sort=True):
        by_value = dict(zip(of_feed["value"].fillna(""), of_feed["count"], strict=True))
        records, inactive = int(of_feed["records"].iloc[0]), int(by_value.get("false", 0))
        found.append(
            {"feed": str(feed), "records": records, "active": records - inactive, "inactive": inactive}
        )
    return found


def choices(profile: pd.DataFrame) -> list[dict[str, Any]]:
    """The distinct values with counts of every field of `CHOICES` that the tenant has."""
    found = []
    for title, feed, field, *_ in CHOICES:
        rows = _of(profile, feed, field)
        if rows.empty:
            continue
        values = rows[rows["value"].notna()]
        first = rows.iloc[0]
        shown = values.head(SHOWN_VALUES)
        found.append(
            {
                "title": title,
                "feed": feed,
                "field": field,
                "records": int(first["records"]),
                "missing": int(rows.loc[rows["value"].isna(), "count"].sum()),
                "distinct": int(first["distinct"]),
                "values": [
                    {"value": str(value), "count": int(count)}
                    for value, count in zip(shown["value"], shown["count"], strict=True)
                ],
            }
        )
    return found


def missing(profile: pd.DataFrame, maps: Maps) -> list[dict[str, Any]]:
    """How often the fields that the maps read are missing: one row a field of the source, with who reads it."""
    readers: dict[tuple[str, str], list[str]] = {}
    for entity, entity_map in maps.items():
        for name, field in entity_map.fields.items():
            for column in read_columns(field):
                if origin := ORIGINS.get(f"{entity}.{column}"):
                    readers.setdefault(origin, []).append(f"{entity}.{name}")
    found = []
    for (feed, field_name), names in sorted(readers.items()):
        rows = _of(profile, feed, field_name)
        lacking = rows[rows["value"].isna()]
        if len(lacking) and int(lacking["records"].iloc[0]):
            number, records = int(lacking["count"].iloc[0]), int(lacking["records"].iloc[0])
            found.append(
                {
                    "feed": feed,
                    "field": field_name,
                    "missing": number,
                    "records": records,
                    "share": round(number / records, 4),
                    "read_by": list(dict.fromkeys(names)),
                }
            )
    return found


def properties(profile: pd.DataFrame, kinds: Mapping[tuple[str, str], str], maps: Maps) -> list[Property]:
    """The tenant's custom fields. kinds: (feed, name) → data type, as the definitions have it."""
    places = _places(maps)
    found = []
    rows = profile[profile["feed"].str.endswith(".custom_fields")]
    for (feed, name), values in rows.groupby(["feed", "field"], sort=True):
        lacking = values[values["value"].isna()]
        records = int(values["records"].iloc[0])
        samples = values["value"].dropna().head(SAMPLES)
        parent = str(feed).removesuffix(".custom_fields")
        found.append(
            Property(
                feed=parent,
                name=str(name),
                kind=kinds.get((parent, str(name)), "not defined"),
                filled=records - int(lacking["count"].sum()),
                records=records,
                different=int(values["distinct"].iloc[0]),
                samples=", ".join(samples),
                place=places.get((parent, folded(str(name))), ""),
            )
        )
    return found


def clarity(profile: pd.DataFrame, found: Sequence[Property], maps: Maps) -> Clarity:
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
        rows = _of(profile, feed, field)
        values = rows["value"].dropna()
        total += len(values)
        placed += sum(any(_takes(one, str(value)) for one in readers) for value in values)
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


def _of(profile: pd.DataFrame, feed: str, field: str) -> pd.DataFrame:
    return profile[(profile["feed"] == feed) & (profile["field"] == field)]
