"""The feeds: where each kind of record is read, which of its fields are keys, and whose it is.

An export feed goes on from a cursor (`continueFrom`) and brings inactive and deleted records too. A list
exists where the vendor has no export: read whole each time, or, where it grows without end, from its last
modification less an overlap. What the vendor lists for one parent at a time is read parent by parent; a reading
is complete, so what it lacks is deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

HORIZON = timedelta(minutes=15)
"""So late a feed shows a change, unless it is asked for recent changes."""
How = Literal["export", "list", "parent", "contacts", "object", "capacity", "mail"]


@dataclass(frozen=True)
class Feed:
    """One kind of source record.

    `keys`: key column of a segment → JSON path in the record ("job.id"; "appliedTo.0.appliedTo" is the first
    item's). `root`: the key columns that lead to the owning customer; the first that has a value decides,
    none means the house root. `overlap`: for lists read by modification time, how far back each reading
    begins. `parent`: the feed whose records are asked one by one; "{parent}" in the path is their id.
    `hashed`: ids are texts, so segments bear a number made from them. `optional`: a tenant may not have such a
    thing at all, then the vendor answers 404.
    """

    name: str
    path: str
    kind: How = "export"
    params: Mapping[str, str] = field(default_factory=dict)
    id_field: str = "id"
    modified_field: str | None = "modifiedOn"
    active_field: str | None = "active"
    keys: Mapping[str, str] = field(default_factory=dict)
    root: tuple[str, ...] = ()
    overlap: timedelta | None = None
    parent: str = ""
    hashed: bool = False
    optional: bool = False


_CRM, _JPM, _DISPATCH = "/crm/v2/tenant/{tenant}", "/jpm/v2/tenant/{tenant}", "/dispatch/v2/tenant/{tenant}"
_ACCOUNTING, _SETTINGS = "/accounting/v2/tenant/{tenant}", "/settings/v2/tenant/{tenant}"
_PAYROLL, _TELECOM = "/payroll/v2/tenant/{tenant}", "/telecom/v2/tenant/{tenant}"
_FORMS = "/forms/v2/tenant/{tenant}"

ATTACHMENT = f"{_FORMS}/jobs/attachment/{{id}}"
"""Where the bytes of a job's attachment are."""
METHODS = f"{_CRM}/contacts/contact-methods"
"""All ways to reach named contacts, in one list."""

_ANY = {"active": "Any"}
_BY_ID = {"sort": "+Id"}
_JOB = {"job_id": "jobId"}
_VISIT = {**_JOB, "appointment_id": "appointmentId"}
_NESTED = {"job_id": "job.id", "customer_id": "customer.id", "location_id": "location.id"}
_NESTED_ROOT = ("job_id", "customer_id", "location_id")


def _per_parent(name: str, path: str, parent: str, key: tuple[str, str]) -> Feed:
    """A feed with one row for each parent whose records were read completely."""
    column, field_name = key
    keys = {
        column: field_name,
        "item_count": "count",
        "byte_count": "bytes",
        "problem_count": "problems",
    }
    return Feed(
        name,
        path,
        "parent",
        id_field=field_name,
        modified_field=None,
        active_field=None,
        keys=keys,
        root=(column,),
        parent=parent,
    )


_ROOT_BOUND = (
    Feed("customers", f"{_CRM}/export/customers", keys={"merged_to_id": "mergedToId"}, root=("id",)),
    Feed(
        "customer_contacts",
        f"{_CRM}/export/customers/contacts",
        keys={"customer_id": "customerId"},
        root=("customer_id",),
    ),
    Feed(
        "locations",
        f"{_CRM}/export/locations",
        keys={"customer_id": "customerId", "merged_to_id": "mergedToId"},
        root=("customer_id",),
    ),
    Feed(
        "location_contacts",
        f"{_CRM}/export/locations/contacts",
        keys={"location_id": "locationId"},
        root=("location_id",),
    ),
    Feed(
        "jobs",
        f"{_JPM}/export/jobs",
        keys={"customer_id": "customerId", "location_id": "locationId"},
        root=("customer_id",),
    ),
    # What hangs on a job stands where the job stands, even while its own customer field lags behind a move.
    Feed(
        "appointments",
        f"{_JPM}/export/appointments",
        params={"active": "Any"},
        keys={**_JOB, "customer_id": "customerId"},
        root=("job_id", "customer_id"),
    ),
    Feed(
        "appointment_assignments",
        f"{_DISPATCH}/export/appointment-assignments",
        params={"active": "Any"},  # active only, if not asked otherwise
        keys=_VISIT,
        root=("job_id",),
    ),
    Feed("invoices", f"{_ACCOUNTING}/export/invoices", keys=_NESTED, root=_NESTED_ROOT),
    Feed(
        "payments",
        f"{_ACCOUNTING}/export/payments",
        keys={"customer_id": "customer.id", "invoice_id": "appliedTo.0.appliedTo"},
        root=("invoice_id", "customer_id"),
    ),
    Feed("job_timesheets", f"{_PAYROLL}/export/jobs/timesheets", keys=_VISIT, root=("job_id",)),
    Feed("job_notes", f"{_JPM}/export/job-notes", keys=_JOB, root=("job_id",)),
    Feed(
        "job_canceled_logs",
        f"{_JPM}/export/job-canceled-logs",
        modified_field=None,
        keys=_JOB,
        root=("job_id",),
    ),
    Feed("calls", f"{_TELECOM}/export/calls", keys=_NESTED, root=_NESTED_ROOT),
    _per_parent("job_attachments", f"{_FORMS}/jobs/{{parent}}/attachments", "jobs", ("job_id", "jobId")),
    _per_parent(
        "customer_notes", f"{_CRM}/customers/{{parent}}/notes", "customers", ("customer_id", "customerId")
    ),
    _per_parent(
        "location_notes", f"{_CRM}/locations/{{parent}}/notes", "locations", ("location_id", "locationId")
    ),
    Feed(
        "named_contacts",
        f"{_CRM}/contacts",
        "contacts",
        _BY_ID,
        active_field=None,
        keys={"customer_id": "customerId", "location_id": "locationId"},
        root=("customer_id", "location_id"),
        overlap=timedelta(hours=1),
        hashed=True,
        optional=True,
    ),
    # Dispatch Pro has no feed of e-mails: what people exported stands in its place.
    Feed(
        "emails",
        "",
        "mail",
        modified_field=None,
        active_field=None,
        keys={"job_id": "jobId", "customer_id": "customerId"},
        root=("job_id", "customer_id"),
        hashed=True,
    ),
)

_REFERENCE = (
    Feed("job_types", f"{_JPM}/job-types", "list", _ANY),
    Feed("technicians", f"{_SETTINGS}/export/technicians"),
    Feed("employees", f"{_SETTINGS}/export/employees"),
    Feed("business_units", f"{_SETTINGS}/export/business-units"),
    Feed("tag_types", f"{_SETTINGS}/export/tag-types"),
    Feed("job_cancel_reasons", f"{_JPM}/job-cancel-reasons", "list", {**_ANY, **_BY_ID}),
    Feed("zones", f"{_DISPATCH}/zones", "list", {**_ANY, **_BY_ID}),
    # A reading by ids in ascending order loses nothing: what changes meanwhile can only be read twice.
    Feed(
        "technician_shifts",
        f"{_DISPATCH}/technician-shifts",
        "list",
        {**_ANY, **_BY_ID},
        overlap=timedelta(hours=1),
    ),
    Feed(
        "customer_custom_field_types",
        f"{_CRM}/customers/custom-fields",
        "list",
        _BY_ID,
        active_field=None,
    ),
    Feed(
        "location_custom_field_types",
        f"{_CRM}/locations/custom-fields",
        "list",
        _BY_ID,
        active_field=None,
    ),
    Feed("job_custom_field_types", f"{_JPM}/jobs/custom-fields", "list", _BY_ID, active_field=None),
    Feed("job_hold_reasons", f"{_JPM}/job-hold-reasons", "list", {**_ANY, **_BY_ID}, optional=True),
    Feed(
        "technician_skills",
        f"{_DISPATCH}/technician-skills",
        "list",
        {**_ANY, **_BY_ID},
        hashed=True,
        optional=True,
    ),
    Feed("arrival_windows", f"{_DISPATCH}/arrival-windows", "list", _ANY, modified_field=None, optional=True),
    Feed("teams", f"{_DISPATCH}/teams", "list", {"includeInactive": "true", **_BY_ID}, optional=True),
    Feed(
        "business_hours",
        f"{_DISPATCH}/business-hours",
        "object",
        modified_field=None,
        active_field=None,
        optional=True,
    ),
    # A list of what is free changes with every booking: it is taken once, and again with a full sweep.
    Feed(
        "capacity",
        f"{_DISPATCH}/capacity",
        "capacity",
        modified_field=None,
        active_field=None,
        hashed=True,
        optional=True,
    ),
)

FEEDS: Mapping[str, Feed] = {feed.name: feed for feed in (*_ROOT_BOUND, *_REFERENCE)}
ROOT_BOUND: tuple[str, ...] = tuple(feed.name for feed in _ROOT_BOUND)
REFERENCE: tuple[str, ...] = tuple(feed.name for feed in _REFERENCE)

SWEPT: tuple[str, ...] = tuple(feed.name for feed in FEEDS.values() if feed.kind in ("parent", "contacts"))
"""Feeds of which some changes show only when all is read again: asked parent by parent, or silent about deletions."""

CUSTOM_FIELD_DEFINITIONS: Mapping[str, str] = {
    "customers": "customer_custom_field_types",
    "locations": "location_custom_field_types",
    "jobs": "job_custom_field_types",
}
"""Feed → the feed that defines its records' custom fields; of technicians' Dispatch Pro tells no definitions."""
