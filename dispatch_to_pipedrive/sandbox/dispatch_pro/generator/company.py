"""What does the company itself look like: units, job types, tags, technicians, office, zones, shifts, field types?

Small tables, the same for every size of tenant but for the number of technicians. The vendor's shapes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..draw import Draw
from ..table import Columns, Record
from ..times import DAY, HOUR, Ints, parse_ticks, write_ticks
from . import names

UNIT, JOB_TYPE, TAG, TECHNICIAN, OFFICE, ZONE, REASON, CAMPAIGN = 1201, 2201, 3301, 601, 301, 7101, 91, 8801
USER_OF_TECHNICIAN, USER_OF_OFFICE = 1601, 1301
PRIORITY_FIELD = 931

# name, trade, division
UNITS = (
    ("HVAC - Service", "HVAC", "Service"),
    ("HVAC - Install", "HVAC", "Install"),
    ("Plumbing - Service", "Plumbing", "Service"),
    ("Plumbing - Install", "Plumbing", "Replacement"),
    ("Electrical", "Electrical", "Service"),
    ("Sales", "HVAC", "Sales"),
)
# name, unit, class, priority, hours, enabled for Dispatch Pro, active, weight
JOB_TYPES: tuple[tuple[str, int, str, str, int, bool, bool, int], ...] = (
    ("No Cooling", 0, "Service", "High", 2, True, True, 18),
    ("No Heat", 0, "Service", "Urgent", 2, True, True, 10),
    ("AC Tune-Up", 0, "Maintenance", "Low", 1, True, True, 18),
    ("Furnace Tune-Up", 0, "Maintenance", "Low", 1, True, True, 10),
    ("System Replacement", 1, "Installation", "Normal", 8, False, True, 6),
    ("Heat Pump Installation", 1, "Installation", "Normal", 8, False, True, 3),
    ("Drain Clearing", 2, "Service", "High", 2, True, True, 9),
    ("Leak Repair", 2, "Service", "Urgent", 2, True, True, 7),
    ("Water Heater Replacement", 3, "Installation", "Normal", 4, False, True, 4),
    ("Panel Upgrade", 4, "Installation", "Normal", 6, False, True, 2),
    ("EV Charger “Quick” <240V> & Install", 4, "Installation", "Normal", 4, False, True, 1),
    ("Estimate - HVAC", 5, "Sales", "Normal", 1, True, True, 5),
    ("Site Visit – Plumbing", 5, "Sales", "Normal", 1, False, True, 3),
    ("Warranty Repair", 0, "Warranty", "High", 2, True, True, 2),
    ("Recall / Callback", 0, "Recall", "High", 1, True, True, 2),
    ("Old Service Type", 2, "", "Normal", 1, False, False, 1),
)
PRIORITIES = ("Low", "Normal", "High", "Urgent")
BUCKETS = (
    "P1 Emergency",
    "P2 No heat or cooling",
    "P3 Same day",
    "P4 Next day",
    "P5 This week",
    "P6 Planned",
    "P7 Flexible",
    "P8 Whenever",
)
# name, importance, active
TAGS: tuple[tuple[str, str | None, bool], ...] = (
    ("VIP", "High", True),
    ("Do Not Call", "High", True),
    ("Net 30, PO required", None, True),
    ("Señor discount", None, True),
    ("🔥 Hot lead", "Medium", True),
    ("Warranty", None, True),
    ("Recall", "Medium", True),
    ("Financing", None, True),
    ("O'Brien territory", None, True),
    ("عميل مميز", None, True),
    ("vip ", None, True),
    ("Retired tag", None, False),
)
# id, name, data type, options: the vendor's three data types, for each kind of record
CUSTOMER_FIELDS = (
    (901, "Gate Code", "Text", None),
    (902, "Lead Source", "Dropdown", ["Google", "Referral", "Truck, seen", "Yard sign"]),
    (903, "Square Footage", "Numeric", None),
)
LOCATION_FIELDS = (
    (911, "Access Notes", "Text", None),
    (912, "Roof Type", "Dropdown", ["Tile", "Shingle", "Flat"]),
    (913, "System Age", "Numeric", None),
)
JOB_FIELDS = (
    (PRIORITY_FIELD, "Dispatch Pro Priority", "Dropdown", list(BUCKETS)),
    (932, "Permit Number", "Text", None),
    (933, "Estimated Hours", "Numeric", None),
    (934, "Permit Needed", "Dropdown", ["Yes", "No", "Unknown"]),
)
CANCEL_REASONS = (
    "Customer request",
    "No show",
    "Duplicate",
    "Weather",
    "Price – too high",
    "Other <unlisted>",
)
CAMPAIGNS = ("Google LSA", "Referral", "Direct Mail", "Radio")
ROLES = ("CSR", "Dispatch", "Accounting", "Owner", "GeneralOffice", "SalesManager")
SKILLS = ("HVAC Service", "HVAC Install", "Plumbing", "Electrical", "Sales")


@dataclass(frozen=True)
class Company:
    """The company's tables by feed name, and what the rest of the generator needs of them."""

    tables: Mapping[str, Columns]
    technicians: tuple[str, ...]
    technician_active: tuple[bool, ...]
    people: tuple[tuple[str, str, bool], ...]
    office: tuple[str, ...]


def make_company(seed: int, tenant_id: int, customers: int, now: int) -> Company:
    """The company of a tenant with that many customers."""
    draw = Draw(seed, "company")
    technicians = _technicians(draw, now, min(80, 9 + customers // 1500))
    office = _office(draw, now)
    tables = {
        "business_units": _fixed(_unit(now, i, tenant_id) for i in range(len(UNITS))),
        "job_types": _fixed(_job_type(now, i) for i in range(len(JOB_TYPES))),
        "tag_types": _fixed(_tag(now, i) for i in range(len(TAGS))),
        "technicians": _fixed(technicians),
        "employees": _fixed(office),
        "zones": _fixed(_zone(now, i, len(technicians)) for i in range(len(names.CITIES))),
        "job_cancel_reasons": _fixed(_reason(now, i) for i in range(len(CANCEL_REASONS))),
        "customer_custom_field_types": _fixed(_field(now, *field) for field in CUSTOMER_FIELDS),
        "location_custom_field_types": _fixed(_field(now, *field) for field in LOCATION_FIELDS),
        "job_custom_field_types": _fixed(_field(now, *field) for field in JOB_FIELDS),
        "technician_shifts": _shifts(draw, len(technicians), now),
    }
    return Company(
        tables=tables,
        technicians=tuple(t["name"] for t in technicians),
        technician_active=tuple(t["active"] for t in technicians),
        people=_pipedrive_people(technicians),
        office=tuple(e["loginName"] for e in office),
    )


def _fixed(records: Any) -> Columns:
    rows: list[Record] = list(records)
    return Columns(
        ids=np.array([r["id"] for r in rows], dtype=np.int64),
        created=np.array([parse_ticks(r["createdOn"]) for r in rows], dtype=np.int64),
        modified=np.array([parse_ticks(r["modifiedOn"]) for r in rows], dtype=np.int64),
        active=np.array([r.get("active", True) for r in rows], dtype=np.bool_),
        render=lambda wanted: [rows[at] for at in wanted.tolist()],
    )


def _times(now: int, at: int) -> Record:
    born = now - 7 * 365 * DAY + at * HOUR + 1
    modified = now - 660 * DAY + at * 37 * DAY // 36 if at % 3 else born
    return {"createdOn": write_ticks(born), "modifiedOn": write_ticks(modified)}


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
            **{"street": "9 Shop Rd", "unit": None, "city": "Phoenix", "state": "AZ", "zip": "85003"},
            **{"country": "USA", "latitude": None, "longitude": None},
            **{"isManualCoordinates": False, "isMilitary": False},
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
            **{"id": tenant_id, "name": "saguaro", "accountCode": None, "franchiseId": None},
            **{"conceptCode": None, "modifiedOn": write_ticks(now - 7 * 365 * DAY)},
        },
        **_times(now, at),
        "externalData": [],
    }


def _job_type(now: int, at: int) -> Record:
    name, unit, kind, priority, hours, smart, active, _ = JOB_TYPES[at]
    return {
        "id": JOB_TYPE + at,
        "name": name,
        "businessUnitIds": [UNIT + unit],
        "skills": [SKILLS[min(unit, len(SKILLS) - 1)]],
        "tagTypeIds": [TAG + 5] if kind == "Warranty" else [],
        "priority": priority,
        "duration": hours * 3600,
        "soldThreshold": 200.0 if kind == "Service" else None,
        "class": kind,
        "summary": "",
        "noCharge": kind in ("Warranty", "Recall"),
        "enforceRecurringServiceEventSelection": None,
        "invoiceSignaturesRequired": kind != "Sales",
        **_times(now, at),
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
        **_times(now, at),
    }


def _zone(now: int, at: int, technicians: int) -> Record:
    name, code, _, _ = names.CITIES[at]
    return {
        **{"id": ZONE + at, "active": at != 5, "name": name, "zips": [code], "cities": [name]},
        **{"territoryNumbers": [], "locnNumbers": [], "createdBy": USER_OF_OFFICE + 3, **_times(now, at)},
        **{"serviceDaysEnabled": False, "serviceDays": [], "businessUnits": [UNIT + at % len(UNITS)]},
        "technicians": [TECHNICIAN + t for t in range(at, technicians, len(names.CITIES))],
    }


def _reason(now: int, at: int) -> Record:
    return {"id": REASON + at, "name": CANCEL_REASONS[at], "active": at != 3, **_times(now, at)}


def _field(now: int, record_id: int, name: str, kind: str, options: list[str] | None) -> Record:
    times = _times(now, record_id % 10)
    return {"id": record_id, "name": name, "dataType": kind, "dataTypeOptions": options, **times}


def _technicians(draw: Draw, now: int, count: int) -> list[Record]:
    """Among them: other case and stray spaces in e-mails, one without any, one nobody knows, one who has left."""
    rows = np.arange(count, dtype=np.int64)
    first = draw.below("first", rows, len(names.FIRST)).tolist()
    last = draw.below("last", rows, len(names.LAST)).tolist()
    homes = names.addresses(draw, rows)
    made = []
    for at in range(count):
        email: str | None = f"tech{at + 1}@saguaro.example.com"
        if at == 1:
            email = f"Tech{at + 1}@Saguaro.Example.COM"
        elif at == 2:
            email = f" tech{at + 1}@saguaro.example.com "
        elif at == 6:
            email = None
        unit = at % len(UNITS)
        name = f"{names.FIRST[first[at]]} {names.LAST[last[at]]}"
        home = homes[at]
        made.append(
            {
                **{"id": TECHNICIAN + at, "userId": USER_OF_TECHNICIAN + at, "name": name, "roleIds": [21]},
                **{
                    "businessUnitId": UNIT + unit if at % 4 else None,
                    "mainZoneId": ZONE + at % len(names.CITIES),
                },
                **{"zoneIds": [ZONE + at % len(names.CITIES)], **_times(now, at), "email": email},
                **{"phoneNumber": f"60255501{at:02d}", "loginName": f"tech{at + 1}"},
                "home": {key: home[key] for key in ("street", "unit", "country", "city", "state", "zip")}
                | {
                    "streetAddress": home["street"],
                    "latitude": home["latitude"],
                    "longitude": home["longitude"],
                },
                **{"dailyGoal": 2000.0, "isManagedTech": at % 3 != 2},
                **{
                    "licenseType": ("ManagedTech", "ManagedInstaller", "NonManagedTech")[at % 3],
                    "customFields": [],
                },
                **{"active": at != 4, "aadUserId": None, "burdenRate": 0.0, "team": UNITS[unit][0]},
                **{
                    "jobFilter": "AllScheduledDispatchedWorkingToday",
                    "permissions": [],
                    "accountLocked": False,
                },
                **{"commissionRate": 0.0, "currentValue": 0.0, "firstName": names.FIRST[first[at]]},
                **{"lastName": names.LAST[last[at]], "hourlyRate": 24.5 + at % 9, "jobId": None},
                **{"mobilePhone": f"60255501{at:02d}", "outboundCallerId": None, "payrollId": None},
                **{
                    "payrollProfileId": None,
                    "appoitmentId": None,
                    "shiftStart": "07:00:00",
                    "shiftEnd": "16:00:00",
                },
                **{"soldByRate": 0.0, "startDate": None, "status": "Idle"},
                "skills": [{"id": 771 + unit, "name": SKILLS[min(unit, len(SKILLS) - 1)]}],
                "positions": ["Sales"] if unit == 5 else ["Installer"] if unit in (1, 3) else ["Service"],
                "location": {"latitude": None, "longitude": None, "coordinatesUpdatedOn": None},
                **{"bio": None, "memo": "<p>Left the company</p>" if at == 4 else None},
            }
        )
    return made


def _pipedrive_people(technicians: list[Record]) -> tuple[tuple[str, str, bool], ...]:
    """Who shall be a Pipedrive user: all with an e-mail but number 5 and each ninth; who has left is inactive."""
    users = []
    for at, technician in enumerate(technicians):
        if technician["email"] is None or at == 5 or at % 9 == 8:
            continue
        email = technician["email"].strip().lower()
        users.append(
            (technician["name"], email.replace("tech", "Tech") if at == 3 else email, technician["active"])
        )
    return tuple(users)


def _office(draw: Draw, now: int) -> list[Record]:
    rows = np.arange(1000, 1000 + len(ROLES), dtype=np.int64)
    first = draw.below("first", rows, len(names.FIRST)).tolist()
    last = draw.below("last", rows, len(names.LAST)).tolist()
    return [
        {
            **{"id": OFFICE + at, "userId": USER_OF_OFFICE + at},
            "name": f"{names.FIRST[first[at]]} {names.LAST[last[at]]}",
            **{"firstName": names.FIRST[first[at]], "lastName": names.LAST[last[at]], "managerId": None},
            **{"role": role, "roleIds": [11], "businessUnitId": None, **_times(now, at)},
            **{"email": f"{role.lower()}@saguaro.example.com" if at != 4 else None, "phoneNumber": None},
            **{"loginName": role.lower(), "active": at != 4, "aadUserId": None, "accountLocked": False},
            **{"home": None, "agentId": 0, "startDate": None, "terminationDate": None, "hourlyRate": 0.0},
            **{"overtimeProfileId": None, "customFields": [], "permissions": []},
        }
        for at, role in enumerate(ROLES)
    ]


def _shifts(draw: Draw, technicians: int, now: int) -> Columns:
    """Ten days of shifts around `now` for each technician."""
    days = 10
    count = technicians * days
    rows = np.arange(count, dtype=np.int64)
    technician: Ints = TECHNICIAN + rows // days
    start: Ints = (now // DAY - 5 + rows % days) * DAY + 14 * HOUR
    kind = draw.weighted("shift", rows, (90, 5, 5))
    created = start - 30 * DAY
    kinds, titles = ("Normal", "OnCall", "TimeOff"), ("Day", "On call", "Vacation")

    def render(wanted: Ints) -> list[Record]:
        return [
            {
                **{
                    "id": 590_000_000 + row,
                    "shiftType": kinds[kind[row]],
                    "title": titles[kind[row]],
                    "note": None,
                },
                **{
                    "active": True,
                    "technicianId": int(technician[row]),
                    "start": write_ticks(int(start[row])),
                },
                **{"end": write_ticks(int(start[row]) + 9 * HOUR), "timesheetCodeId": None},
                **{"createdOn": write_ticks(int(created[row])), "modifiedOn": write_ticks(int(created[row]))},
            }
            for row in wanted.tolist()
        ]

    keys = {"technicianId": technician}
    return Columns(590_000_000 + rows, created, created.copy(), np.ones(count, dtype=np.bool_), render, keys)
