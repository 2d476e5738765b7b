"""Which fields of the source does nobody carry over, and why?

A path stands for everything below it, too. A field that a map reads all the same counts as moved: what stands here is
the reason for those that none reads.
"""

from collections.abc import Mapping

CHANGED = "Tells which version of the record is the newest; Pipedrive keeps its own time of change."
MADE = "When the entry itself was made; what it belongs to bears its own creation."
WHO = "Who typed it in; Pipedrive keeps the user of the interface as the maker, and no other can be set."
NUMBER = "A number of Dispatch Pro's own that nothing in Pipedrive refers to."
FOREIGN = "Data of other applications; the interface shows it only to the application that wrote it."
TYPE = "The custom field is told by its name; its definition is among the reference data."
COPY = "A copy of what the named record itself holds, which is read there."
TAX = "Taxes are reckoned where invoices are made; Pipedrive's deal has one amount."
MONEY = "Bookkeeping: it belongs to the accounting system, which is not touched."
PRIVATE = "Private data of staff: it is neither moved nor exported."
STAFF = "Users are not made by the interface: invite those who need a seat."
MAP = "Pipedrive looks the address up itself; coordinates cannot be written."
MARKETING = "Marketing belongs to campaigns, which Pipedrive's deals do not know."
COUNTED = "Counted or found among the records that move: it says nothing of its own."
DISPATCH = "State of the dispatch board, which Pipedrive does not have."
ESTIMATES = "Estimates and memberships are not read; their numbers would lead nowhere."
ITEMS = (
    "Line items would need Pipedrive's products, made by hand; amount and payment state move with the deal."
)
CONSENT = "Consent is given to one sender: it is asked for again, not copied."
PERMISSION = "Rights are those of Dispatch Pro; Pipedrive has sets of its own."
RECORDING = "The recording lies at the telephone provider, behind Dispatch Pro's own sign-in."
LEFT_FIELD = (
    "No field of Pipedrive means the same, and none is made for it: it stays in the export, verbatim."
)
TAGGED = "A location is an address in Pipedrive and bears no labels: tag the customer or the job instead."
BY_HAND = "A mark that asks for a step by hand: the rebuild checklist tells how many customers bear it."
INACTIVE = "An inactive customer moves like any other: its history belongs to it."
INTERNAL = "The reading's own bookkeeping, made by this program."
KIND = "Pipedrive tells a file's type by its name."

Reasons = Mapping[str, tuple[str, ...]]
_PERSON_HISTORY = ("createdOn", "createdBy", "modifiedOn", "modifiedBy")
_RECORD: Reasons = {CHANGED: ("modifiedOn",), WHO: ("createdById", "createdBy")}
_CONTACT: Reasons = {
    NUMBER: ("id",),
    MADE: ("createdOn",),
    CHANGED: ("modifiedOn",),
    CONSENT: ("phoneSettings.doNotText", "preferences"),
}
_NOTE: Reasons = {CHANGED: ("modifiedOn",)}
_CUSTOM: Reasons = {TYPE: ("customFields[].typeId",), FOREIGN: ("externalData",)}

LEFT_OUT: Mapping[str, Reasons] = {
    "customers": {
        **_RECORD,
        **_CUSTOM,
        MAP: ("address.latitude", "address.longitude"),
        MONEY: ("balance", "creditLimit", "creditLimitBalance", "paymentTermId"),
        BY_HAND: ("doNotMail", "doNotService", "taxExempt"),
        LEFT_FIELD: ("nationalAccount",),
        INACTIVE: ("active",),
    },
    "customer_contacts": _CONTACT,
    "locations": {
        **_RECORD,
        **_CUSTOM,
        MAP: ("address.latitude", "address.longitude"),
        DISPATCH: ("zoneId",),
        TAX: ("taxZoneId", "taxExempt"),
        TAGGED: ("tagTypeIds[]",),
    },
    "location_contacts": _CONTACT,
    "jobs": {
        CHANGED: ("modifiedOn",),
        **_CUSTOM,
        MARKETING: ("campaignId", "jobGeneratedLeadSource", "leadCallId", "bookingId", "partnerLeadCallId"),
        ESTIMATES: ("membershipId", "createdFromEstimateId", "estimateIds[]"),
        COUNTED: ("invoiceId", "appointmentCount", "firstAppointmentId", "lastAppointmentId"),
        DISPATCH: ("isAutoDispatched", "notificationsEnabled"),
        MONEY: ("noCharge",),
        LEFT_FIELD: ("customerPo", "summaryOfWork", "equipmentIds"),
    },
    "appointments": {**_RECORD, DISPATCH: ("isConfirmed",), LEFT_FIELD: ("appointmentSummaries",)},
    "appointment_assignments": {
        MADE: ("createdOn",),
        CHANGED: ("modifiedOn",),
        DISPATCH: ("status", "isPaused", "assignedById"),
    },
    "job_timesheets": {
        NUMBER: ("id",),
        MADE: ("createdOn",),
        CHANGED: ("modifiedOn",),
        COUNTED: ("technicianId",),
        DISPATCH: ("dispatchedOn", "canceledOn"),
    },
    "job_notes": _NOTE,
    "customer_notes": {**_NOTE, INTERNAL: ("count", "bytes")},
    "location_notes": {**_NOTE, INTERNAL: ("count", "bytes")},
    "job_attachments": {INTERNAL: ("count", "bytes", "problem"), KIND: ("mediaType",)},
    "job_canceled_logs": {WHO: ("createdById",)},
    "calls": {
        CHANGED: ("modifiedOn",),
        COPY: ("customer.name", "location.name", "job.number"),
        DISPATCH: ("status", "type", "reason", "excuseMemo", "tag"),
        MARKETING: ("campaign", "lead"),
        NUMBER: ("agent.id",),
        WHO: ("createdBy",),
        RECORDING: ("recordingUrl", "voiceMailPath"),
    },
    "invoices": {
        MADE: ("createdOn",),
        CHANGED: ("modifiedOn",),
        COPY: (
            *("job.number", "job.type", "customer.name", "location.name", "businessUnit"),
            *("customerAddress", "locationAddress"),
        ),
        TAX: ("salesTax", "salesTaxCode", "taxZoneId"),
        ITEMS: ("items",),
        MONEY: (
            *("invoiceType", "projectId", "adjustmentToId", "referenceNumber", "invoiceConfiguration"),
            *("summary", "subTotal", "discountTotal", "balance", "syncStatus", "sentStatus", "reviewStatus"),
            *("termName", "invoiceDate", "dueDate", "paidOn", "depositedOn", "batch", "budgetCodeId"),
            *("commissionEligibilityDate", "exportId", "importId", "materialSkuId", "royalty", "assignedTo"),
        ),
        ESTIMATES: ("membershipId",),
        WHO: ("createdBy", "employeeInfo"),
        LEFT_FIELD: ("customFields",),
    },
    "payments": {
        MADE: ("createdOn",),
        CHANGED: ("modifiedOn",),
        COPY: ("customer.name", "businessUnit"),
        MONEY: (
            *("type", "typeId", "total", "unappliedAmount", "refundedPaymentId", "referenceNumber"),
            *("checkNumber", "memo", "syncStatus", "date", "authCode", "batch", "deposit"),
            *("generalLedgerAccount", "appliedTo[].appliedId", "appliedTo[].appliedToReferenceNumber"),
            *("appliedTo[].appliedBy", "appliedTo[].appliedOn"),
        ),
        WHO: ("createdBy",),
        LEFT_FIELD: ("customFields",),
    },
    "named_contacts": {
        NUMBER: (
            *("referenceId", "methods[].id", "methods[].contactId", "methods[].referenceId"),
            *("relationships[].id", "relationships[].typeName", "relationships[].createdBy"),
        ),
        WHO: ("createdBy", "modifiedBy"),
        CHANGED: ("modifiedOn",),
        MADE: tuple(f"methods[].{name}" for name in _PERSON_HISTORY),
    },
    "emails": {
        INTERNAL: ("matchedBy", "isHtml"),
        LEFT_FIELD: ("attachments",),
    },
    "technicians": {
        TYPE: ("customFields[].typeId",),
        NUMBER: ("skills[].id", "aadUserId", "payrollId", "payrollProfileId", "outboundCallerId"),
        COPY: ("firstName", "lastName"),
        PERMISSION: ("roleIds", "permissions", "accountLocked", "jobFilter"),
        DISPATCH: ("jobId", "appoitmentId", "currentValue", "shiftStart", "shiftEnd", "location"),
        PRIVATE: (
            *("phoneNumber", "mobilePhone", "loginName", "home", "dailyGoal", "hourlyRate", "burdenRate"),
            *("commissionRate", "soldByRate", "bio", "memo"),
        ),
    },
    "employees": {
        STAFF: (
            *("id", "active", "firstName", "lastName", "businessUnitId"),
            *("customFields", "startDate", "createdOn", "modifiedOn", "role", "managerId", "terminationDate"),
            *("agentId", "aadUserId", "overtimeProfileId"),
        ),
        PERMISSION: ("roleIds", "permissions", "accountLocked"),
        PRIVATE: ("phoneNumber", "loginName", "home", "hourlyRate"),
    },
    "business_units": {
        MAP: ("address.latitude", "address.longitude", "address.isManualCoordinates", "address.isMilitary"),
        NUMBER: (
            "trade.id",
            "division.id",
            "tenant",
            "franchiseId",
            "conceptCode",
            "corporateContractNumber",
        ),
        FOREIGN: ("externalData",),
        MONEY: ("materialSku", "invoiceHeader", "invoiceMessage"),
        LEFT_FIELD: ("authorizationParagraph", "acknowledgementParagraph"),
    },
    "job_types": {FOREIGN: ("externalData",)},
    "arrival_windows": {CHANGED: ("createdOn", "modifiedOn")},
    "tag_types": {LEFT_FIELD: ("allowToUseOnTimesheetActivity",)},
    "zones": {WHO: ("createdBy",)},
    "teams": {WHO: ("createdBy",)},
    "capacity": {NUMBER: ("technicians[].id",)},
}
"""Feed → reason → the paths that it holds for."""


def why_left_out(feed: str, path: str) -> str:
    """The reason why a field is left out; empty where none is given."""
    for reason, paths in LEFT_OUT.get(feed, {}).items():
        if any(covers(one, path) for one in paths):
            return reason
    return ""


def covers(above: str, path: str) -> bool:
    """Whether a path is the other or stands below it: `items` covers `items[].id`."""
    return path == above or path.startswith((f"{above}.", f"{above}[]"))
