"""The fields of each Dispatch Pro record that the migration reads, and their kinds.

A shape is written as the vendor's JSON is: names as on the wire, objects as dicts, lists as one-item lists.
What is not named here stays in the verbatim record of the raw segment and is read by nobody.

What is read parent by parent stands in its segments as `READINGS` say; its shape is that of one item, with the
parent's id and, for attachments, what the program found out about the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias


@dataclass(frozen=True)
class Kind:
    """The type of one field; `required` means that a record without it cannot be understood."""

    name: Literal["id", "count", "text", "time", "flag", "money", "number"]
    required: bool = False


Shape: TypeAlias = Mapping[str, "Kind | Shape | list[Any]"]


@dataclass(frozen=True)
class Reading:
    """All items of one parent: the field that names the parent, an item's shape, and that of facts about it."""

    parent: str
    item: Shape
    facts: Shape | None = None

    @property
    def shape(self) -> Shape:
        """The whole record."""
        facts = {} if self.facts is None else {"facts": [{"id": ID, **self.facts}]}
        return {self.parent: KEY, "items": [self.item], **facts}


KEY = Kind("id", required=True)  # int64 that must be there: the record's own id, or its parent's
ID = Kind("id")  # int64
COUNT = Kind("count")  # int64 that counts or lasts
TEXT = Kind("text")
NAME = Kind("text", required=True)
TIME = Kind("time")  # verbatim string, UTC, 0 to 7 fractional digits
FLAG = Kind("flag")
MONEY = Kind("money")  # a number in crm and jpm, a string in accounting: both become decimal(18, 4)
NUMBER = Kind("number")

_CUSTOM_FIELD: Shape = {"typeId": ID, "name": TEXT, "value": TEXT}
_ADDRESS: Shape = {"street": TEXT, "unit": TEXT, "city": TEXT, "state": TEXT, "zip": TEXT, "country": TEXT}
_PLACE: Shape = {**_ADDRESS, "latitude": NUMBER, "longitude": NUMBER}
_NAMED: Shape = {"id": ID, "name": TEXT}
_CONTACT: Shape = {
    "id": KEY,
    "active": FLAG,
    "type": NAME,
    "value": TEXT,
    "memo": TEXT,
    "phoneSettings": {"phoneNumber": TEXT, "doNotText": FLAG},
    "createdOn": TIME,
    "modifiedOn": TIME,
}
_FIELD_TYPE: Shape = {
    "id": KEY,
    "name": TEXT,
    "dataType": TEXT,
    "dataTypeOptions": [TEXT],
    "createdOn": TIME,
    "modifiedOn": TIME,
}
_HOURS: Shape = {"fromHour": COUNT, "toHour": COUNT}
_PERSONNEL: Shape = {
    "id": KEY,
    "userId": ID,
    "active": FLAG,
    "name": TEXT,
    "firstName": TEXT,
    "lastName": TEXT,
    "email": TEXT,
    "phoneNumber": TEXT,
    "loginName": TEXT,
    "businessUnitId": ID,
    "roleIds": [ID],
    "customFields": [_CUSTOM_FIELD],
    "startDate": TIME,
    "createdOn": TIME,
    "modifiedOn": TIME,
}

_CUSTOMER_SIDE: dict[str, Shape] = {
    "customers": {
        "id": KEY,
        "active": FLAG,
        "name": NAME,
        "type": NAME,
        "address": _PLACE,
        "balance": MONEY,
        "creditLimit": MONEY,
        "creditLimitBalance": MONEY,
        "taxExempt": FLAG,
        "doNotMail": FLAG,
        "doNotService": FLAG,
        "nationalAccount": FLAG,
        "paymentTermId": ID,
        "mergedToId": ID,
        "tagTypeIds": [ID],
        "customFields": [_CUSTOM_FIELD],
        "externalData": [{"key": TEXT, "value": TEXT}],
        "createdById": ID,
        "createdOn": TIME,
        "modifiedOn": TIME,
    },
    "customer_contacts": {"customerId": KEY, **_CONTACT},
    "locations": {
        "id": KEY,
        "customerId": KEY,
        "active": FLAG,
        "name": TEXT,
        "address": _PLACE,
        "mergedToId": ID,
        "zoneId": ID,
        "taxZoneId": ID,
        "taxExempt": FLAG,
        "tagTypeIds": [ID],
        "customFields": [_CUSTOM_FIELD],
        "externalData": [{"key": TEXT, "value": TEXT}],
        "createdById": ID,
        "createdOn": TIME,
        "modifiedOn": TIME,
    },
    "location_contacts": {"locationId": KEY, **_CONTACT},
}

_WORK: dict[str, Shape] = {
    "jobs": {
        "id": KEY,
        "jobNumber": TEXT,
        "customerId": KEY,
        "locationId": ID,
        "projectId": ID,
        "active": FLAG,
        "jobStatus": NAME,
        "priority": TEXT,
        "jobTypeId": ID,
        "businessUnitId": ID,
        "campaignId": ID,
        "soldById": ID,
        "recallForId": ID,
        "warrantyId": ID,
        "jobGeneratedLeadSource": {"jobId": ID, "employeeId": ID},
        "leadCallId": ID,
        "bookingId": ID,
        "membershipId": ID,
        "createdFromEstimateId": ID,
        "invoiceId": ID,
        "appointmentCount": COUNT,
        "firstAppointmentId": ID,
        "lastAppointmentId": ID,
        "total": MONEY,
        "noCharge": FLAG,
        "notificationsEnabled": FLAG,
        "isAutoDispatched": FLAG,
        "customerPo": TEXT,
        "summary": TEXT,
        "summaryOfWork": TEXT,
        "tagTypeIds": [ID],
        "estimateIds": [ID],
        "customFields": [_CUSTOM_FIELD],
        "externalData": [{"key": TEXT, "value": TEXT}],
        "completedOn": TIME,
        "createdById": ID,
        "createdOn": TIME,
        "modifiedOn": TIME,
    },
    "appointments": {
        "id": KEY,
        "jobId": KEY,
        "customerId": ID,
        "appointmentNumber": TEXT,
        "active": FLAG,
        "unused": FLAG,
        "isConfirmed": FLAG,
        "status": NAME,
        "start": TIME,
        "end": TIME,
        "arrivalWindowStart": TIME,
        "arrivalWindowEnd": TIME,
        "specialInstructions": TEXT,
        "createdById": ID,
        "createdOn": TIME,
        "modifiedOn": TIME,
    },
    "appointment_assignments": {
        "id": KEY,
        "jobId": KEY,
        "appointmentId": KEY,
        "technicianId": ID,
        "technicianName": TEXT,
        "status": TEXT,
        "isPaused": FLAG,
        "active": FLAG,
        "assignedById": ID,
        "assignedOn": TIME,
        "createdOn": TIME,
        "modifiedOn": TIME,
    },
    "job_timesheets": {
        "id": KEY,
        "jobId": KEY,
        "appointmentId": ID,
        "technicianId": ID,
        "active": FLAG,
        "dispatchedOn": TIME,
        "arrivedOn": TIME,
        "canceledOn": TIME,
        "doneOn": TIME,
        "createdOn": TIME,
        "modifiedOn": TIME,
    },
    "job_notes": {
        "id": KEY,
        "jobId": KEY,
        "active": FLAG,
        "text": TEXT,
        "isPinned": FLAG,
        "createdById": ID,
        "createdOn": TIME,
        "modifiedOn": TIME,
    },
    "job_canceled_logs": {
        "id": KEY,
        "jobId": KEY,
        "active": FLAG,
        "reasonId": ID,
        "memo": TEXT,
        "createdById": ID,
        "createdOn": TIME,
    },
    "calls": {
        "id": KEY,
        "customer": _NAMED,
        "location": _NAMED,
        "job": {"id": ID, "number": TEXT},
        "active": FLAG,
        "direction": TEXT,
        "status": TEXT,
        "type": TEXT,
        "duration": TEXT,
        "from": TEXT,
        "to": TEXT,
        "reason": _NAMED,
        "campaign": _NAMED,
        "agent": _NAMED,
        "createdBy": _NAMED,
        "lead": {"id": ID},
        "excuseMemo": TEXT,
        "tag": TEXT,
        "recordingUrl": TEXT,
        "voiceMailPath": TEXT,
        "createdOn": TIME,
        "modifiedOn": TIME,
    },
}

_NOTE: Shape = {
    "id": KEY,
    "text": TEXT,
    "isPinned": FLAG,
    "createdById": ID,
    "createdOn": TIME,
    "modifiedOn": TIME,
}
_ATTACHMENT: Shape = {"id": KEY, "fileName": TEXT, "createdById": ID, "createdOn": TIME}
_FACTS: Shape = {"size": COUNT, "mediaType": TEXT, "sha256": TEXT, "problem": TEXT}

_BESIDE: dict[str, Shape] = {
    "job_attachments": {"jobId": KEY, **_ATTACHMENT, **_FACTS},
    "customer_notes": {"customerId": KEY, **_NOTE},
    "location_notes": {"locationId": KEY, **_NOTE},
    "named_contacts": {
        "id": NAME,
        "referenceId": TEXT,
        "name": TEXT,
        "title": TEXT,
        "isArchived": FLAG,
        "customerId": ID,
        "locationId": ID,
        "isGone": FLAG,
        "methods": [
            {
                "id": TEXT,
                "contactId": TEXT,
                "referenceId": TEXT,
                "type": TEXT,
                "value": TEXT,
                "memo": TEXT,
                "createdOn": TIME,
                "createdBy": ID,
                "modifiedOn": TIME,
                "modifiedBy": ID,
            }
        ],
        "relationships": [
            {
                "id": TEXT,
                "relatedEntityId": ID,
                "typeName": TEXT,
                "typeSlug": TEXT,
                "createdOn": TIME,
                "createdBy": ID,
            }
        ],
        "createdOn": TIME,
        "createdBy": ID,
        "modifiedOn": TIME,
        "modifiedBy": ID,
    },
    "emails": {
        "id": NAME,
        "customerId": ID,
        "jobId": ID,
        "sentAt": TIME,
        "sender": TEXT,
        "recipients": TEXT,
        "subject": TEXT,
        "body": TEXT,
        "isHtml": FLAG,
        "matchedBy": TEXT,
        "attachments": COUNT,
    },
}

READINGS: Mapping[str, Reading] = {
    "job_attachments": Reading("jobId", _ATTACHMENT, _FACTS),
    "customer_notes": Reading("customerId", _NOTE),
    "location_notes": Reading("locationId", _NOTE),
}
"""What a row of a per-parent segment holds."""

_MONEY_SIDE: dict[str, Shape] = {
    "invoices": {
        "id": KEY,
        "job": {"id": ID, "number": TEXT, "type": TEXT},
        "customer": _NAMED,
        "location": _NAMED,
        "businessUnit": _NAMED,
        "invoiceType": _NAMED,
        "projectId": ID,
        "adjustmentToId": ID,
        "active": FLAG,
        "referenceNumber": TEXT,
        "invoiceConfiguration": TEXT,
        "summary": TEXT,
        "subTotal": MONEY,
        "salesTax": MONEY,
        "discountTotal": MONEY,
        "total": MONEY,
        "balance": MONEY,
        "syncStatus": TEXT,
        "sentStatus": TEXT,
        "reviewStatus": TEXT,
        "termName": TEXT,
        "createdBy": TEXT,
        "invoiceDate": TIME,
        "dueDate": TIME,
        "paidOn": TIME,
        "depositedOn": TIME,
        "customFields": [{"name": TEXT, "value": TEXT}],
        "createdOn": TIME,
        "modifiedOn": TIME,
    },
    "payments": {
        "id": KEY,
        "customer": _NAMED,
        "businessUnit": _NAMED,
        "active": FLAG,
        "type": TEXT,
        "typeId": TEXT,
        "total": MONEY,
        "unappliedAmount": MONEY,
        "refundedPaymentId": ID,
        "referenceNumber": TEXT,
        "checkNumber": TEXT,
        "memo": TEXT,
        "syncStatus": TEXT,
        "createdBy": TEXT,
        "date": TIME,
        "appliedTo": [
            {
                "appliedId": ID,
                "appliedTo": ID,
                "appliedAmount": MONEY,
                "appliedToReferenceNumber": TEXT,
                "appliedBy": TEXT,
                "appliedOn": TIME,
            }
        ],
        "customFields": [{"name": TEXT, "value": TEXT}],
        "createdOn": TIME,
        "modifiedOn": TIME,
    },
}

_REFERENCE: dict[str, Shape] = {
    "job_types": {
        "id": KEY,
        "active": FLAG,
        "name": TEXT,
        "class": TEXT,
        "priority": TEXT,
        "duration": COUNT,
        "soldThreshold": MONEY,
        "summary": TEXT,
        "noCharge": FLAG,
        "isSmartDispatched": FLAG,
        "invoiceSignaturesRequired": FLAG,
        "enforceRecurringServiceEventSelection": FLAG,
        "businessUnitIds": [ID],
        "skills": [TEXT],
        "tagTypeIds": [ID],
        "createdOn": TIME,
        "modifiedOn": TIME,
    },
    "technicians": {
        **_PERSONNEL,
        "team": TEXT,
        "isManagedTech": FLAG,
        "licenseType": TEXT,
        "status": TEXT,
        "mobilePhone": TEXT,
        "mainZoneId": ID,
        "zoneIds": [ID],
        "skills": [_NAMED],
        "positions": [TEXT],
        "home": _PLACE,
        "dailyGoal": MONEY,
        "hourlyRate": MONEY,
        "accountLocked": FLAG,
        "bio": TEXT,
        "memo": TEXT,
    },
    "employees": {
        **_PERSONNEL,
        "role": TEXT,
        "managerId": ID,
        "terminationDate": TIME,
        "accountLocked": FLAG,
    },
    "business_units": {
        "id": KEY,
        "active": FLAG,
        "name": TEXT,
        "officialName": TEXT,
        "email": TEXT,
        "phoneNumber": TEXT,
        "currency": TEXT,
        "defaultTaxRate": NUMBER,
        "address": _PLACE,
        "quickbooksClass": TEXT,
        "accountCode": TEXT,
        "trade": _NAMED,
        "division": _NAMED,
        "tenant": _NAMED,
        "tagTypeIds": [ID],
        "createdOn": TIME,
        "modifiedOn": TIME,
    },
    "tag_types": {
        "id": KEY,
        "active": FLAG,
        "name": TEXT,
        "color": TEXT,
        "code": TEXT,
        "importance": TEXT,
        "isConversionOpportunity": FLAG,
        "isVisibleOnDispatchBoard": FLAG,
        "createdOn": TIME,
        "modifiedOn": TIME,
    },
    "job_cancel_reasons": {"id": KEY, "active": FLAG, "name": TEXT, "createdOn": TIME, "modifiedOn": TIME},
    "zones": {
        "id": KEY,
        "active": FLAG,
        "name": TEXT,
        "zips": [TEXT],
        "cities": [TEXT],
        "territoryNumbers": [TEXT],
        "locnNumbers": [TEXT],
        "serviceDaysEnabled": FLAG,
        "serviceDays": [TEXT],
        "businessUnits": [ID],
        "technicians": [ID],
        "createdOn": TIME,
        "modifiedOn": TIME,
    },
    "technician_shifts": {
        "id": KEY,
        "technicianId": ID,
        "active": FLAG,
        "shiftType": TEXT,
        "title": TEXT,
        "note": TEXT,
        "start": TIME,
        "end": TIME,
        "timesheetCodeId": ID,
        "createdOn": TIME,
        "modifiedOn": TIME,
    },
    "customer_custom_field_types": _FIELD_TYPE,
    "location_custom_field_types": _FIELD_TYPE,
    "job_custom_field_types": _FIELD_TYPE,
    "job_hold_reasons": {"id": KEY, "active": FLAG, "name": TEXT, "createdOn": TIME, "modifiedOn": TIME},
    "technician_skills": {
        "id": NAME,
        "name": TEXT,
        "active": FLAG,
        "technicianId": ID,
        "jobTypeIds": [ID],
        "createdOn": TIME,
        "modifiedOn": TIME,
    },
    "arrival_windows": {
        "id": KEY,
        "start": TEXT,
        "duration": TEXT,
        "businessUnitIds": [ID],
        "active": FLAG,
    },
    "teams": {
        "id": KEY,
        "active": FLAG,
        "name": TEXT,
        "createdBy": ID,
        "createdOn": TIME,
        "modifiedOn": TIME,
    },
    "business_hours": {"id": KEY, "weekdays": [_HOURS], "saturday": [_HOURS], "sunday": [_HOURS]},
    "capacity": {
        "id": NAME,
        "timeStamp": TIME,
        "start": TIME,
        "end": TIME,
        "startUtc": TIME,
        "endUtc": TIME,
        "businessUnitIds": [ID],
        "totalAvailability": NUMBER,
        "openAvailability": NUMBER,
        "technicians": [{"id": ID, "name": TEXT, "status": TEXT, "hasRequiredSkills": FLAG}],
        "isAvailable": FLAG,
        "isExceedingIdealBookingPercentage": FLAG,
    },
}

ROOT_BOUND: Mapping[str, Shape] = {**_CUSTOMER_SIDE, **_WORK, **_MONEY_SIDE, **_BESIDE}
REFERENCE: Mapping[str, Shape] = _REFERENCE
SHAPES: Mapping[str, Shape] = {**ROOT_BOUND, **REFERENCE}
