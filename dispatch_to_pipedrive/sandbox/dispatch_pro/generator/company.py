"""What the company itself looks like: units, job types, tags, technicians, office, zones, shifts, field types.

Small tables, the same for every size of tenant but for the number of technicians. The vendor's shapes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ..draw import Draw
from ..table import Columns, Record
from ..times import DAY, write_ticks
from . import names, reference, staff
from .catalog import (
    CANCEL_REASONS,
    FEWEST,
    JOB_TYPE,
    JOB_TYPE_SUMMARIES,
    JOB_TYPES,
    REASON,
    TAG,
    TAGS,
    TECHNICIAN,
    UNIT,
    UNITS,
    USER_OF_OFFICE,
    ZONE,
    Field,
    fields_of,
    settled_times,
)


@dataclass(frozen=True)
class Company:
    """The company's tables by feed name, and what the rest of the generator needs of them."""

    tables: Mapping[str, Columns]
    technicians: tuple[str, ...]
    technician_active: tuple[bool, ...]
    people: tuple[tuple[str, str, bool], ...]
    office: tuple[str, ...]


def make_company(
    seed: int, tenant_id: int, customers: int, now: int, *, extra_fields: bool = False
) -> Company:
    """The company of a tenant with that many customers; `extra_fields` are 40 more custom fields."""
    draw = Draw(seed, "company")
    count = min(80, FEWEST + customers // 1500)
    technicians = staff.technicians(draw, now, count, fields_of("technicians", extra=extra_fields))
    office = staff.office(draw, now)
    tables = {
        "business_units": reference.fixed(_unit(now, i, tenant_id) for i in range(len(UNITS))),
        "job_types": reference.fixed(_job_type(now, i) for i in range(len(JOB_TYPES))),
        "tag_types": reference.fixed(_tag(now, i) for i in range(len(TAGS))),
        "technicians": reference.fixed(technicians),
        "employees": reference.fixed(office),
        "zones": reference.fixed(_zone(now, i, len(technicians)) for i in range(len(names.CITIES))),
        "job_cancel_reasons": reference.fixed(_reason(now, i) for i in range(len(CANCEL_REASONS))),
        "customer_custom_field_types": _field_types(now, fields_of("customers", extra=extra_fields)),
        "location_custom_field_types": _field_types(now, fields_of("locations", extra=extra_fields)),
        "job_custom_field_types": _field_types(now, fields_of("jobs", extra=extra_fields)),
        "technician_shifts": staff.shifts(draw, len(technicians), now),
        **reference.tables(technicians, now),
    }
    return Company(
        tables=tables,
        technicians=tuple(t["name"] for t in technicians),
        technician_active=tuple(t["active"] for t in technicians),
        people=staff.pipedrive_people(technicians),
        office=tuple(e["loginName"] for e in office),
    )


def _unit(now: int, at: int, tenant_id: int) -> Record:
    name, trade, division = UNITS[at]
    return {
        "id": UNIT + at,
        "active": True,
        "name": name,
        "officialName": "Saguaro Home Services",
        "email": "office@example.com",
        "currency": "USD",
        "phoneNumber": "6025550100",
        "invoiceHeader": "<p>Saguaro Home Services</p>",
        "invoiceMessage": "",
        "defaultTaxRate": 0.0,
        "authorizationParagraph": "",
        "acknowledgementParagraph": "",
        "address": {
            "street": "9 Shop Rd",
            "unit": None,
            "city": "Phoenix",
            "state": "AZ",
            "zip": "85003",
            "country": "USA",
            "latitude": None,
            "longitude": None,
            "isManualCoordinates": False,
            "isMilitary": False,
        },
        "materialSku": None,
        "quickbooksClass": name.replace(" - ", " "),
        "accountCode": None,
        "franchiseId": None,
        "conceptCode": "",
        "corporateContractNumber": None,
        "trade": {"id": 1 + at // 2, "name": trade},
        "division": {"id": 10 + at, "name": division},
        "tagTypeIds": [],
        "tenant": {
            "id": tenant_id,
            "name": "saguaro",
            "accountCode": None,
            "franchiseId": None,
            "conceptCode": None,
            "modifiedOn": write_ticks(now - 7 * 365 * DAY),
        },
        **settled_times(now, at),
        "externalData": [],
    }


def _job_type(now: int, at: int) -> Record:
    name, unit, kind, priority, hours, smart, active, _ = JOB_TYPES[at]
    return {
        "id": JOB_TYPE + at,
        "name": name,
        "businessUnitIds": [UNIT + unit],
        "skills": [reference.skill_of(unit), "Permits & “codes”"]
        if hours > 4
        else [reference.skill_of(unit)],
        "tagTypeIds": {"Warranty": [TAG + 5], "Recall": [TAG + 6], "Sales": [TAG + 7, TAG + 2]}.get(kind, []),
        "priority": priority,
        "duration": hours * 3600,
        "soldThreshold": 200.0 if kind == "Service" else None,
        "class": kind,
        "summary": JOB_TYPE_SUMMARIES.get(name, ""),
        "noCharge": kind in ("Warranty", "Recall"),
        "enforceRecurringServiceEventSelection": True if kind == "Maintenance" else None,
        "invoiceSignaturesRequired": kind != "Sales",
        **settled_times(now, at),
        "externalData": [],
        "active": active,
        "isSmartDispatched": smart,
    }


def _tag(now: int, at: int) -> Record:
    name, importance, active = TAGS[at]
    return {
        "id": TAG + at,
        "name": name,
        "color": f"#{(at * 0x2F1B3D) & 0xFFFFFF:06X}",
        "code": name[:3].strip(),
        "importance": importance,
        "isConversionOpportunity": "lead" in name,
        "allowToUseOnTimesheetActivity": False,
        "isVisibleOnDispatchBoard": active,
        "active": active,
        **settled_times(now, at),
    }


def _zone(now: int, at: int, technicians: int) -> Record:
    name, code, _, _ = names.CITIES[at]
    return {
        "id": ZONE + at,
        "active": at != 5,
        "name": name,
        "zips": [code],
        "cities": [name],
        "territoryNumbers": [],
        "locnNumbers": [],
        "createdBy": USER_OF_OFFICE + 3,
        **settled_times(now, at),
        "serviceDaysEnabled": False,
        "serviceDays": [],
        "businessUnits": [UNIT + at % len(UNITS)],
        "technicians": [TECHNICIAN + t for t in range(at, technicians, len(names.CITIES))],
    }


def _reason(now: int, at: int) -> Record:
    return {"id": REASON + at, "name": CANCEL_REASONS[at], "active": at != 3, **settled_times(now, at)}


def _field_types(now: int, fields: tuple[Field, ...]) -> Columns:
    return reference.fixed(
        {
            "id": record_id,
            "name": name,
            "dataType": kind,
            "dataTypeOptions": options,
            **settled_times(now, record_id % 10),
        }
        for record_id, name, kind, options in fields
    )
