"""From which fields of the source does each column of the normalized frames come?

Data beside the code that it describes; a test changes each field of the source in turn and compares what changes.
A field is written `feed.path`, with the vendor's own names: `jobs.customFields[].value`. Two kinds of fields have no
column of their own: those that decide which records there are (`RECORDS`), and those that tell whose they are, which
placement has read before (`OWNERS`).
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dispatch_to_pipedrive.normalize.addresses import PARTS

Fields = tuple[str, ...]


class From(NamedTuple):
    """Where a column comes from: the fields whose values land in it, and those that decide which of them do."""

    fields: Fields
    by: Fields = ()


def _of(feed: str, *paths: str) -> Fields:
    return tuple(f"{feed}.{path}" for path in paths)


_CUSTOMER = _of("customers", "id", "type")
_CUSTOM = ("customFields[].name", "customFields[].value")
_SITES = _of("locations", "id", "active", "mergedToId")
_ADDRESSES = tuple(f"{feed}.address.{part}" for feed in ("customers", "locations") for part in PARTS)
_NUMBERED = (*_SITES, *_ADDRESSES)
_REACHED = (
    *_of("customer_contacts", "active", "type"),
    *_of("location_contacts", "active", "type", "locationId"),
)
_POINTS = (
    *_of("customer_contacts", "value", "phoneSettings.phoneNumber"),
    *_of("location_contacts", "value", "phoneSettings.phoneNumber"),
)
_MEMOS = ("customer_contacts.memo", "location_contacts.memo")
_SITE_PERSON = (*_POINTS, *_REACHED, *_SITES)
_JOB = _of("jobs", "id", "active")
_VISIT = _of("appointments", "id", "jobId", "active")
_ASSIGNED = (*_of("appointment_assignments", "id", "appointmentId", "active", "assignedOn"), *_VISIT)
_TECHNICIAN = ("appointment_assignments.technicianId", "jobs.soldById")
_CREW = (*_of("appointment_assignments", "technicianId", "technicianName"), "technicians.name")
_CANCELED = ("jobs.jobStatus", *_of("job_canceled_logs", "id", "jobId", "active", "createdOn"))
_BILLED = _of("invoices", "id", "job.id", "active")
_WORKED = _of("job_timesheets", "appointmentId", "active")
_STANDS = (*_of("appointments", "unused", "status"), "jobs.jobStatus")
_PLACE = ("jobs.locationId", *_SITES)

RECORDS: Mapping[str, Fields] = {
    "organizations": _CUSTOMER,
    "persons": (*_CUSTOMER, *_SITE_PERSON),
    "deals": (*_JOB, "customers.id"),
    "activities": (*_JOB, *_VISIT, "customers.id"),
}
"""Entity → the fields that decide which of its records there are; whatever they hold may change with them."""

OWNERS: Fields = (
    *_of("customers", "id", "mergedToId"),
    "customer_contacts.customerId",
    *_of("locations", "customerId", "mergedToId"),
    "location_contacts.locationId",
    *_of("jobs", "customerId", "locationId"),
    *_of("appointments", "jobId", "customerId"),
    *_of("appointment_assignments", "jobId", "appointmentId"),
    *_of("invoices", "job.id", "customer.id", "location.id"),
    *_of("payments", "customer.id", "appliedTo[].appliedTo"),
    *_of("job_timesheets", "jobId", "appointmentId"),
    "job_notes.jobId",
    "job_canceled_logs.jobId",
    *_of("calls", "job.id", "customer.id", "location.id"),
)
"""Fields that tell to which customer a record belongs."""

_CONTACTED = From((*_POINTS, *_MEMOS), _REACHED)
_LABELS = {
    feed: From((f"{feed}.tagTypeIds[]", "tag_types.name"), ("tag_types.id",))
    for feed in ("customers", "jobs")
}
_JOB_TYPE = From(("jobs.jobTypeId", "job_types.name"), ("job_types.id",))
_UNIT = From(("jobs.businessUnitId", "business_units.name"), ("business_units.id",))
_OWNER = From(("technicians.email", *_TECHNICIAN), ("technicians.id", *_ASSIGNED))
_SITE_FIELDS = _of("locations", *_CUSTOM)

_COLUMNS: Mapping[str, Mapping[str, From]] = {
    "organizations": {
        "name": From(("customers.name",)),
        "created_at": From(("customers.createdOn",)),
        "labels": _LABELS["customers"],
        "custom_fields": From(_of("customers", *_CUSTOM)),
        "site_custom_fields": From(_SITE_FIELDS, _NUMBERED),
        "additional_sites": From(("locations.name", *_ADDRESSES), (*_SITES, "customers.name")),
    },
    "persons": {
        "name": From(("customers.name", "locations.name")),
        "organization_key": From(("customers.id",), ("customers.type",)),
        "location_id": From(("locations.id",), _SITE_PERSON),
        "created_at": From(("customers.createdOn", "locations.createdOn")),
        "emails": _CONTACTED,
        "phones": _CONTACTED,
        "contact_memo": _CONTACTED,
        "labels": _LABELS["customers"],
        "custom_fields": From(_of("customers", *_CUSTOM)),
        "site_custom_fields": From(_SITE_FIELDS, _NUMBERED),
        "additional_sites": From(("locations.name", *_ADDRESSES), (*_SITES, "customers.name")),
    },
    "deals": {
        "job_id": From(("jobs.id",)),
        "job_number": From(_of("jobs", "jobNumber", "id")),
        "job_type": _JOB_TYPE,
        "business_unit": _UNIT,
        "customer_name": From(("customers.name",)),
        "organization_key": From(("customers.id",), ("customers.type",)),
        "person_key": From(("customers.id",)),
        "job_status": From(("jobs.jobStatus",)),
        "priority": From(("jobs.priority",)),
        "priority_bucket": From(("jobs.customFields[].value",), ("jobs.customFields[].name",)),
        "labels": _LABELS["jobs"],
        "custom_fields": From(_of("jobs", *_CUSTOM)),
        "site_custom_fields": From(_SITE_FIELDS, _PLACE),
        "technician_custom_fields": From(
            _of("technicians", *_CUSTOM), ("technicians.id", *_TECHNICIAN, *_ASSIGNED)
        ),
        "created_at": From(("jobs.createdOn",)),
        "value": From(("invoices.total", "jobs.total"), _BILLED),
        "payment_status": From(
            ("invoices.total", "payments.appliedTo[].appliedAmount"),
            (*_BILLED, *_of("payments", "id", "active", "appliedTo[].appliedTo")),
        ),
        "won_at": From(("jobs.completedOn",), ("jobs.jobStatus",)),
        "lost_at": From(("job_canceled_logs.createdOn",), _CANCELED),
        "cancel_reason": From(
            ("job_canceled_logs.reasonId", "job_cancel_reasons.name"), ("job_cancel_reasons.id", *_CANCELED)
        ),
        "cancel_memo": From(("job_canceled_logs.memo",), _CANCELED),
        "technician_id": From(_TECHNICIAN, _ASSIGNED),
        "owner_email": _OWNER,
        "technicians": From(_CREW, ("technicians.id", "jobs.soldById", *_ASSIGNED)),
        "summary": From(("jobs.summary",)),
    },
    "activities": {
        "appointment_id": From(("appointments.id",)),
        "appointment_number": From(_of("appointments", "appointmentNumber", "id")),
        "deal_key": From(("appointments.jobId",), ("jobs.id",)),
        "organization_key": From(("customers.id",), ("customers.type",)),
        "participant_keys": From(
            ("customers.id", "jobs.locationId"), ("customers.type", *_PLACE, *_SITE_PERSON)
        ),
        "customer_name": From(("customers.name",)),
        "job_type": _JOB_TYPE,
        "business_unit": _UNIT,
        "status": From(("appointments.status",)),
        "visit": From((), (*_STANDS, *_of("appointments", "start", "end"))),
        "created_at": From(("appointments.createdOn",)),
        "start": From(("appointments.start",)),
        "end": From(("appointments.end",)),
        "visit_start": From(("appointments.start",), _STANDS),
        "visit_end": From(("appointments.end",), _STANDS),
        "arrival_window_start": From(("appointments.arrivalWindowStart",)),
        "arrival_window_end": From(("appointments.arrivalWindowEnd",)),
        "arrived_at": From(("job_timesheets.arrivedOn",), _WORKED),
        "done_at": From(("job_timesheets.doneOn",), _WORKED),
        "special_instructions": From(("appointments.specialInstructions",)),
        "technician_id": From(("appointment_assignments.technicianId",), _ASSIGNED),
        "owner_email": _OWNER,
        "technicians": From(_CREW, ("technicians.id", *_ASSIGNED)),
        **{f"location_{part}": From((f"locations.address.{part}",), _PLACE) for part in PARTS},
    },
}

_NOWHERE = From(())


def lineage(entity: str, columns: Iterable[str]) -> dict[str, From]:
    """The given columns of an entity's frame, numbered sites included, and from where each comes."""
    known = _COLUMNS.get(entity, {})
    found: dict[str, From] = {}
    for column in columns:
        part = column.rpartition("_")[2]
        if column.startswith("site_") and part in PARTS:
            values = (f"locations.address.{part}", f"customers.address.{part}")
            found[column] = From(values, _NUMBERED)
        else:
            found[column] = known.get(column, _NOWHERE)
    return found
