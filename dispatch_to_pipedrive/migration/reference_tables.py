"""Which tables is the reference data exported in, and from which fields of the source do their columns come?

A row for each record, retired ones included. Ids stand as names, lists are joined.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dispatch_to_pipedrive.mapping.destinations import (
    PRIORITY_FIELD,
    custom_field_destinations,
    in_words,
)
from dispatch_to_pipedrive.mapping.model import Maps, folded


@dataclass(frozen=True)
class Column:
    """A column of a table: the field of the source, and the feed whose names stand for its ids, if it holds ids."""

    path: str
    names_of: str = ""


@dataclass(frozen=True)
class Table:
    """One kind of reference data. name: the feed whose records are its rows; columns: heading → field of the source."""

    name: str
    title: str
    columns: Mapping[str, Column]
    about: str = ""


def _columns(*plain: str, **more: Column) -> dict[str, Column]:
    """Headings: those that are named as on the wire, and those with a name of their own."""
    return {**{_heading(path): Column(path) for path in plain}, **more}


def _heading(path: str) -> str:
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in path)
    return words.replace("[]", "").replace(".", "_")


_TIMES = ("createdOn", "modifiedOn")
_REASON = _columns("id", "name", "active", *_TIMES)
_DEFINITION = _columns("id", "name", "dataType", "dataTypeOptions[]", *_TIMES)
_UNITS = Column("businessUnitIds[]", "business_units")
_TAGS = Column("tagTypeIds[]", "tag_types")

TABLES: tuple[Table, ...] = (
    Table(
        "job_types",
        "Job types with their configuration",
        _columns(
            *("id", "name", "active", "class", "priority", "duration", "soldThreshold", "noCharge"),
            *(
                "isSmartDispatched",
                "enforceRecurringServiceEventSelection",
                "invoiceSignaturesRequired",
                "skills[]",
                "summary",
                *_TIMES,
            ),
            business_units=_UNITS,
            tags=_TAGS,
        ),
        "Duration in seconds; is_smart_dispatched: enabled for Dispatch Pro.",
    ),
    Table(
        "zones",
        "Zones",
        _columns(
            *("id", "name", "active", "zips[]", "cities[]", "territoryNumbers[]", "locnNumbers[]"),
            *("serviceDaysEnabled", "serviceDays[]", *_TIMES),
            business_units=Column("businessUnits[]", "business_units"),
            technicians=Column("technicians[]", "technicians"),
        ),
    ),
    Table(
        "technician_shifts",
        "Shifts",
        _columns(
            *("id", "active", "shiftType", "title", "note", "start", "end", "timesheetCodeId", *_TIMES),
            technician_id=Column("technicianId"),
            name=Column("technicianId", "technicians"),
        ),
    ),
    Table(
        "technicians",
        "Technicians",
        _columns(
            *(
                "id",
                "name",
                "active",
                "email",
                "team",
                "status",
                "isManagedTech",
                "licenseType",
                "positions[]",
            ),
            *("userId", "startDate", *_TIMES),
            business_unit=Column("businessUnitId", "business_units"),
            main_zone=Column("mainZoneId", "zones"),
            zones=Column("zoneIds[]", "zones"),
            skills=Column("skills[].name"),
        ),
        "Without pay rates, goals, home address, phone numbers, login, biography and memo: they are private.",
    ),
    Table(
        "business_units",
        "Business units",
        _columns(
            *("id", "name", "active", "officialName", "email", "phoneNumber", "currency", "defaultTaxRate"),
            *("address.street", "address.unit", "address.city", "address.state", "address.zip"),
            *("address.country", "quickbooksClass", "accountCode", *_TIMES),
            trade=Column("trade.name"),
            division=Column("division.name"),
            tags=_TAGS,
        ),
    ),
    Table(
        "tag_types",
        "Tag types",
        _columns(
            *("id", "name", "active", "color", "code", "importance", "isConversionOpportunity"),
            *("isVisibleOnDispatchBoard", *_TIMES),
        ),
    ),
    Table("job_cancel_reasons", "Cancel reasons", _REASON),
    Table("job_hold_reasons", "Hold reasons", _REASON),
    Table(
        "arrival_windows",
        "Arrival windows",
        _columns("id", "active", "start", "duration", business_units=_UNITS),
    ),
    Table(
        "business_hours",
        "Business hours",
        _columns(
            "id",
            *(f"{day}[].{end}Hour" for day in ("weekdays", "saturday", "sunday") for end in ("from", "to")),
        ),
        "Hours from and to; where a day has a break, several of each.",
    ),
    Table(
        "capacity",
        "Capacity",
        _columns(
            *(
                "id",
                "timeStamp",
                "start",
                "end",
                "startUtc",
                "endUtc",
                "totalAvailability",
                "openAvailability",
            ),
            *(
                "isAvailable",
                "isExceedingIdealBookingPercentage",
                "technicians[].name",
                "technicians[].status",
            ),
            "technicians[].hasRequiredSkills",
            business_units=_UNITS,
        ),
        "Hours that could be booked, as they stood when they were read.",
    ),
    Table("teams", "Teams", _columns("id", "name", "active", *_TIMES)),
    Table(
        "technician_skills",
        "Skills of technicians",
        _columns(
            *("id", "name", "active", *_TIMES),
            technician_id=Column("technicianId"),
            technician=Column("technicianId", "technicians"),
            job_types=Column("jobTypeIds[]", "job_types"),
        ),
    ),
    Table("customer_custom_field_types", "Custom fields of customers", _DEFINITION),
    Table("location_custom_field_types", "Custom fields of locations", _DEFINITION),
    Table("job_custom_field_types", "Custom fields of jobs", _DEFINITION),
)
"""The tables with a row for each record of a feed; `priorities` comes on top."""

DEFINES = {f"{one}_custom_field_types": f"{one}s.custom_fields" for one in ("customer", "location", "job")}
"""Table of definitions → the feed of the custom fields that they define."""
PRIORITIES = "priorities"
PRIORITY_COLUMNS = ("name", "kind", "defined", "jobs")


def own_tables(
    rows: Mapping[str, pd.DataFrame], priorities: pd.DataFrame, maps: Maps
) -> dict[str, pd.DataFrame]:
    """Every table with its own columns; of a custom field's definition, `read_by` names the map's fields that read it.

    rows: feed → its records, a column a field under its path (lists as lists). priorities: see `priority_rows`.
    """
    own = {table.name: _own_columns(table, rows) for table in TABLES if table.name in rows}
    for name, feed in DEFINES.items():
        if name in own:
            own[name] = own[name].assign(read_by=_read_by(own[name]["name"], feed, maps))
    return {**own, PRIORITIES: priorities}


def fields_exported() -> dict[str, str]:
    """Which table holds which field of the source: `job_types.skills[]` → `job_types`."""
    return {
        f"{table.name}.{column.path}": table.name for table in TABLES for column in table.columns.values()
    }


def priority_rows(profile: pd.DataFrame, options: Iterable[str]) -> pd.DataFrame:
    """The priorities: name, kind (job priority, bucket), whether the bucket's field defines it, and how many jobs.

    profile: see placement's `source_profile`. options: those of the custom field that holds the bucket, in order.
    """
    used = profile[profile["value"].notna()]
    native = used[(used["feed"] == "jobs") & (used["field"] == "priority")]
    bucket = used[(used["feed"] == "jobs.custom_fields") & (used["field"] == PRIORITY_FIELD)]
    counts = dict(zip(bucket["value"], bucket["count"], strict=True))
    defined = list(dict.fromkeys(options))
    names = [*defined, *(name for name in counts if name not in defined)]
    found = [
        (name, "job priority", False, count)
        for name, count in zip(native["value"], native["count"], strict=True)
    ]
    found += [(name, "bucket", name in defined, counts.get(name, 0)) for name in names]
    frame = pd.DataFrame(found, columns=list(PRIORITY_COLUMNS))
    return frame.astype({"name": "string", "kind": "string", "defined": "boolean", "jobs": "Int64"})


def _own_columns(table: Table, rows: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    source = rows[table.name]
    return pd.DataFrame(
        {
            heading: _plain(source[column.path], column.names_of, rows)
            for heading, column in table.columns.items()
        },
        index=source.index,
    )


def _read_by(names: pd.Series, feed: str, maps: Maps) -> pd.Series:
    """The fields of the map that read the custom fields of these names."""
    known = custom_field_destinations(maps)
    told = {name: in_words(known.get((feed, folded(name)), ())) for name in names.dropna().unique()}
    return names.map(told).astype("string").fillna("")


def _plain(values: pd.Series, names_of: str, rows: Mapping[str, pd.DataFrame]) -> pd.Series:
    """Values as a table shows them: ids as names where a feed knows them, lists joined."""
    names = None
    if names_of:
        named = rows[names_of].drop_duplicates("id").set_index("id")["name"].astype("string")
        names = named.dropna().to_dict()
    if values.dtype != object:
        return (
            values
            if names is None
            else values.map(names).astype("string").fillna("#" + values.astype("string"))
        )
    return values.map(lambda items: _joined(items, names)).astype("string")


def _joined(items: Any, names: Mapping[Hashable, str] | None) -> str:
    if not isinstance(items, list):
        return ""
    known = [
        names.get(item, f"#{item}") if names is not None else str(item) for item in items if not pd.isna(item)
    ]
    return "; ".join(known)


def titles() -> Sequence[tuple[str, str, str]]:
    """Each table's name, title and what is to be known about it."""
    return (
        *((table.name, table.title, table.about) for table in TABLES),
        (
            PRIORITIES,
            "Priorities and priority buckets",
            "How many jobs have each; buckets of the custom field.",
        ),
    )
