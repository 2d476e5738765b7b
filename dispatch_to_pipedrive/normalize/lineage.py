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
_CHOSEN = (
    *_of("named_contacts", "id", "customerId", "locationId", "isArchived", "isGone"),
    *_of(
        "named_contacts",
        *(f"relationships[].{name}" for name in ("relatedEntityId", "typeSlug", "createdOn")),
    ),
)
_CALLS, _MAILS = _of("calls", "id", "active"), ("emails.id",)
_NOTES = (*_of("job_notes", "id", "jobId", "active"), "customer_notes.id", "location_notes.id")
_TEXTS = (*(f"{feed}.text" for feed in ("job_notes", "customer_notes", "location_notes")), "jobs.summary")
_ATTACHED = _of("job_attachments", "id", "jobId", "size")
_WROTE = tuple(f"{feed}.createdById" for feed in ("job_notes", "customer_notes", "location_notes", "jobs"))
_WRITERS = (*_WROTE, "job_attachments.createdById", "employees.userId", "technicians.userId")
_PINS = tuple(f"{feed}.isPinned" for feed in ("job_notes", "customer_notes", "location_notes"))
_OVERFLOW = ("locations.name", *_SITES, *_ADDRESSES)

RECORDS: Mapping[str, Fields] = {
    "organizations": _CUSTOMER,
    "persons": (*_CUSTOMER, *_SITE_PERSON, *_CHOSEN),
    "deals": (*_JOB, "customers.id"),
    "activities": (*_JOB, *_VISIT, *_CALLS, *_MAILS, "customers.id"),
    "files": (*_JOB, *_ATTACHED, *_NOTES, *_TEXTS, "customers.id"),
    "notes": (*_JOB, *_ATTACHED, *_NOTES, *_TEXTS, *_OVERFLOW, "customers.id"),
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
    "job_attachments.jobId",
    "customer_notes.customerId",
    "location_notes.locationId",
    *_of("named_contacts", "customerId", "locationId"),
    *_of("emails", "jobId", "customerId"),
)
"""Fields that tell to which customer a record belongs."""

_METHODS = _of("named_contacts", "methods[].value", "methods[].memo")
_CONTACTED = From((*_POINTS, *_MEMOS, *_METHODS), (*_REACHED, "named_contacts.methods[].type", *_CHOSEN))
_HELD = From(("technicians.email", *_TECHNICIAN), ("technicians.id", *_JOB, "jobs.createdOn", *_ASSIGNED))
_TALKERS = (
    *_of("calls", "from", "to", "direction"),
    *_of("emails", "sender", "recipients"),
    *_of("named_contacts", "methods[].type", "methods[].value"),
    *_CHOSEN,
)
_NOTED = tuple(f"{feed}.createdOn" for feed in ("job_notes", "customer_notes", "location_notes", "jobs"))
_ON_DEAL = From(("job_attachments.jobId", "job_notes.jobId"), ("jobs.id",))
_ON_CUSTOMER = From(("customers.id",), ("customers.type",))
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
        "owner_email": _HELD,
    },
    "persons": {
        "name": From(("customers.name", "locations.name", "named_contacts.name"), _CHOSEN),
        "title": From(("named_contacts.title",), _CHOSEN),
        "organization_key": _ON_CUSTOMER,
        "location_id": From(("locations.id",), _SITE_PERSON),
        "created_at": From(
            ("customers.createdOn", "locations.createdOn", "named_contacts.createdOn"), _CHOSEN
        ),
        "emails": _CONTACTED,
        "phones": _CONTACTED,
        "contact_memo": From(
            (*_CONTACTED.fields, "named_contacts.title", "customers.name", "locations.name", *_ADDRESSES),
            (*_CONTACTED.by, *_SITES, "customers.type"),
        ),
        "labels": _LABELS["customers"],
        "custom_fields": From(_of("customers", *_CUSTOM)),
        "site_custom_fields": From(_SITE_FIELDS, _NUMBERED),
        "additional_sites": From(("locations.name", *_ADDRESSES), (*_SITES, "customers.name")),
        "owner_email": _HELD,
    },
    "deals": {
        "job_id": From(("jobs.id",)),
        "job_number": From(_of("jobs", "jobNumber", "id")),
        "job_type": _JOB_TYPE,
        "business_unit": _UNIT,
        "customer_name": From(("customers.name",)),
        "organization_key": _ON_CUSTOMER,
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
        "recall_for": From(("jobs.recallForId",)),
        "warranty_for": From(("jobs.warrantyId",)),
        "project": From(("jobs.projectId",)),
    },
    "activities": {
        "kind": From((), (*_VISIT, *_CALLS, *_MAILS)),
        "stamp": From(("appointments.id", "calls.id", "emails.id")),
        "appointment_id": From(("appointments.id",)),
        "appointment_number": From(_of("appointments", "appointmentNumber", "id")),
        "deal_key": From(("appointments.jobId", "calls.job.id", "emails.jobId"), ("jobs.id",)),
        "organization_key": _ON_CUSTOMER,
        "participant_keys": From(
            ("customers.id", "jobs.locationId"), ("customers.type", *_PLACE, *_SITE_PERSON, *_TALKERS)
        ),
        "customer_name": From(("customers.name",)),
        "job_type": _JOB_TYPE,
        "business_unit": _UNIT,
        "status": From(("appointments.status",)),
        "visit": From((), (*_STANDS, *_of("appointments", "start", "end"))),
        "created_at": From(("appointments.createdOn", "calls.createdOn", "emails.sentAt")),
        "start": From(("appointments.start", "calls.createdOn", "emails.sentAt")),
        "end": From(("appointments.end", "calls.createdOn", "calls.duration")),
        "scheduled_start": From(("appointments.start",)),
        "scheduled_end": From(("appointments.end",)),
        "visit_start": From(("appointments.start", "calls.createdOn", "emails.sentAt"), _STANDS),
        "visit_end": From(("appointments.end", "calls.createdOn", "calls.duration"), _STANDS),
        "arrival_window_start": From(("appointments.arrivalWindowStart",)),
        "arrival_window_end": From(("appointments.arrivalWindowEnd",)),
        "arrived_at": From(("job_timesheets.arrivedOn",), _WORKED),
        "done_at": From(("job_timesheets.doneOn",), _WORKED),
        "special_instructions": From(("appointments.specialInstructions",)),
        "technician_id": From(("appointment_assignments.technicianId",), _ASSIGNED),
        "owner_email": From(_OWNER.fields, (*_HELD.by, "calls.job.id", "emails.jobId")),
        "technicians": From(_CREW, ("technicians.id", *_ASSIGNED)),
        **{f"location_{part}": From((f"locations.address.{part}",), _PLACE) for part in PARTS},
        "subject": From(("emails.subject",)),
        "body": From(("emails.body",)),
        "direction": From(("calls.direction",), ("emails.sender", *_POINTS, *_REACHED, *_TALKERS)),
        "call_from": From(("calls.from",)),
        "call_to": From(("calls.to",)),
        "agent": From(("calls.agent.name",)),
        "email_from": From(("emails.sender",)),
        "email_to": From(("emails.recipients",)),
    },
    "files": {
        "name": From(("job_attachments.fileName", *_TEXTS)),
        "size": From(("job_attachments.size",)),
        "media_type": From(("job_attachments.mediaType",)),
        "source": From(("job_attachments.id", *_TEXTS)),
        "attachment_id": From(("job_attachments.id",)),
        "deal_key": _ON_DEAL,
        "person_key": _ON_CUSTOMER,
        "organization_key": _ON_CUSTOMER,
        "created_at": From(("job_attachments.createdOn", *_NOTED)),
    },
    "notes": {
        "kind": From((), (*_NOTES, *_ATTACHED)),
        "record_id": From((*_NOTES, "job_attachments.id", "jobs.id", "customers.id")),
        "stamp": From((*_NOTES, "job_attachments.id", "jobs.id", "customers.id")),
        "deal_key": _ON_DEAL,
        "person_key": _ON_CUSTOMER,
        "organization_key": _ON_CUSTOMER,
        "content": From(
            (*_TEXTS, *_of("job_attachments", "id", "fileName", "size", "sha256"), *_OVERFLOW), _NOTES
        ),
        "place": From(("locations.name", *_ADDRESSES), ("location_notes.locationId", *_SITES)),
        "file_keys": From(_TEXTS, _NOTES),
        "created_at": From(("job_attachments.createdOn", "customers.createdOn", *_NOTED)),
        "author": From(("employees.name", "technicians.name"), _WRITERS),
        "author_email": From(("employees.email", "technicians.email"), _WRITERS),
        **{
            f"pinned_to_{one}": From(_PINS, ("customers.type",)) for one in ("deal", "person", "organization")
        },
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
