"""Which objects can be read where, and by which parameters: the vendor's routes, as its documents give them.

Documented parameters that this sandbox does not simulate are refused (501), so that nothing is filtered by accident;
parameters nobody documents are ignored, as the vendor ignores them.
"""

from .generator.reference import UNSHOWN
from .resource import BY_TIME, Filter, Parent, Resource, T

_MADE = frozenset({"createdBefore", "createdOnOrAfter"})
_TIMES = _MADE | {"modifiedBefore", "modifiedOnOrAfter"}


def _is(*names: str) -> dict[str, Filter]:
    return {name: Filter((name,)) for name in names}


_EXTERNAL = ("externalDataApplicationGuid", "externalDataKey", "externalDataValues")
_ADDRESS = {
    name: Filter(("address", name), "text") for name in ("street", "unit", "city", "state", "zip", "country")
}

RESOURCES: tuple[Resource, ...] = (
    Resource(
        "customers",
        f"/crm/v2{T}/customers",
        f"/crm/v2{T}/export/customers",
        ids=True,
        one=True,
        sort=BY_TIME,
        filters={"name": Filter(("name",), "text"), **_ADDRESS},
        refused=(
            "excludeAccountingChangesFromModifiedDateRange",
            "latitude",
            "longitude",
            "phone",
            *_EXTERNAL,
        ),
    ),
    Resource(
        "customer_contacts",
        f"/crm/v2{T}/customers/contacts",
        f"/crm/v2{T}/export/customers/contacts",
        active=None,
        filters={"customerIds": Filter(("customerId",), "in")},
        drop=("active",),
        parents=(
            Parent(
                f"/crm/v2{T}/customers/{{id}}/contacts", "customers", "customerId", ("active", "customerId")
            ),
        ),
    ),
    Resource(
        "locations",
        f"/crm/v2{T}/locations",
        f"/crm/v2{T}/export/locations",
        ids=True,
        one=True,
        sort=BY_TIME,
        filters={"name": Filter(("name",), "text"), **_is("customerId"), **_ADDRESS},
        refused=("latitude", "longitude", *_EXTERNAL),
    ),
    Resource(
        "location_contacts",
        f"/crm/v2{T}/locations/contacts",
        f"/crm/v2{T}/export/locations/contacts",
        active=None,
        filters={"locationIds": Filter(("locationId",), "in")},
        drop=("active",),
        parents=(
            Parent(
                f"/crm/v2{T}/locations/{{id}}/contacts", "locations", "locationId", ("active", "locationId")
            ),
        ),
    ),
    Resource(
        "customer_notes",
        parents=(
            Parent(
                f"/crm/v2{T}/customers/{{id}}/notes",
                "customers",
                "customerId",
                ("active", "customerId"),
                _TIMES,
            ),
        ),
    ),
    Resource(
        "location_notes",
        parents=(
            Parent(
                f"/crm/v2{T}/locations/{{id}}/notes",
                "locations",
                "locationId",
                ("active", "locationId"),
                _TIMES,
            ),
        ),
    ),
    Resource(
        "jobs",
        f"/jpm/v2{T}/jobs",
        f"/jpm/v2{T}/export/jobs",
        ids=True,
        one=True,
        sort=("Id", "ModifiedOn", "CreatedOn", "Priority"),
        active=None,
        filters={
            **_is("projectId", "jobStatus", "priority", "customerId", "locationId", "soldById", "jobTypeId"),
            **_is("campaignId", "businessUnitId", "invoiceId", "bookingId", "createdFromEstimateId"),
            "number": Filter(("jobNumber",)),
            "completedOnOrAfter": Filter(("completedOn",), "from"),
            "completedBefore": Filter(("completedOn",), "before"),
            "tagTypeIds": Filter(("tagTypeIds",), "any"),
            "estimateIds": Filter(("estimateIds",), "any"),
        },
        drop=("active",),
        refused=(
            "appointmentStatus",
            "firstAppointmentStartsOnOrAfter",
            "firstAppointmentStartsBefore",
            "appointmentStartsOnOrAfter",
            "appointmentStartsBefore",
            "technicianId",
            "hasUnusedAppointments",
            *_EXTERNAL,
        ),
    ),
    Resource(
        "appointments",
        f"/jpm/v2{T}/appointments",
        f"/jpm/v2{T}/export/appointments",
        ids=True,
        one=True,
        sort=BY_TIME,
        export_active="Any",
        filters={
            **_is("jobId", "status", "customerId"),
            "number": Filter(("appointmentNumber",)),
            "startsOnOrAfter": Filter(("start",), "from"),
            "startsBefore": Filter(("start",), "before"),
            "unused": Filter(("unused",), "flag"),
        },
        refused=("projectId", "technicianId"),
    ),
    Resource(
        "appointment_assignments",
        f"/dispatch/v2{T}/appointment-assignments",
        f"/dispatch/v2{T}/export/appointment-assignments",
        ids=True,
        sort=BY_TIME,
        export_active="True",
        filters={"appointmentIds": Filter(("appointmentId",), "in"), **_is("jobId")},
    ),
    Resource(
        "job_types",
        f"/jpm/v2{T}/job-types",
        ids=True,
        one=True,
        filters={"name": Filter(("name",), "text"), **_is("priority")},
        refused=("minDuration", "maxDuration", "orderBy", "orderByDirection", "externalDataApplicationGuid"),
    ),
    Resource(
        "technicians",
        f"/settings/v2{T}/technicians",
        f"/settings/v2{T}/export/technicians",
        ids=True,
        one=True,
        filters={"name": Filter(("name",), "text"), "userIds": Filter(("userId",), "in")},
    ),
    Resource(
        "employees",
        f"/settings/v2{T}/employees",
        f"/settings/v2{T}/export/employees",
        ids=True,
        one=True,
        filters={
            "name": Filter(("name",), "text"),
            "userIds": Filter(("userId",), "in"),
            "email": Filter(("email",)),
        },
    ),
    Resource(
        "business_units",
        f"/settings/v2{T}/business-units",
        f"/settings/v2{T}/export/business-units",
        ids=True,
        one=True,
        filters={"name": Filter(("name",), "text")},
        refused=("externalDataApplicationGuid",),
    ),
    Resource("tag_types", f"/settings/v2{T}/tag-types", f"/settings/v2{T}/export/tag-types", sort=BY_TIME),
    Resource(
        "invoices",
        f"/accounting/v2{T}/invoices",
        f"/accounting/v2{T}/export/invoices",
        ids=True,
        sort=BY_TIME,
        active="activeState",
        filters={
            "jobId": Filter(("job", "id")),
            "jobNumber": Filter(("job", "number")),
            "businessUnitId": Filter(("businessUnit", "id")),
            "customerId": Filter(("customer", "id")),
            "invoicedOnOrAfter": Filter(("invoiceDate",), "from"),
            "invoicedOnBefore": Filter(("invoiceDate",), "before"),
            "dueDateOnOrAfter": Filter(("dueDate",), "from"),
            "dueDateBefore": Filter(("dueDate",), "before"),
            "number": Filter(("referenceNumber",)),
            "statuses": Filter(("syncStatus",), "in"),
            **_is("adjustmentToId"),
        },
        refused=(
            "batchId",
            "batchNumber",
            "customField.Fields",
            "customField.Operator",
            "totalGreater",
            "totalLess",
            "balanceFilter.Balance",
            "balanceFilter.Comparer",
            "orderBy",
            "orderByDirection",
            "reviewStatuses",
            "assignedToIds",
            "invoiceConfigurations",
        ),
    ),
    Resource(
        "payments",
        f"/accounting/v2{T}/payments",
        f"/accounting/v2{T}/export/payments",
        ids=True,
        sort=BY_TIME,
        active="activeState",
        filters={
            "customerId": Filter(("customer", "id")),
            "businessUnitIds": Filter(("businessUnit", "id"), "in"),
            "statuses": Filter(("syncStatus",), "in"),
            "paidOnAfter": Filter(("date",), "from"),
            "paidOnBefore": Filter(("date",), "before"),
        },
        refused=(
            "appliedToInvoiceIds",
            "appliedToReferenceNumber",
            "batchId",
            "batchNumber",
            "customField.Fields",
            "customField.Operator",
            "depositIds",
            "totalGreater",
            "totalLess",
            "transactionType",
        ),
    ),
    Resource(
        "job_timesheets",
        f"/payroll/v2{T}/jobs/timesheets",
        f"/payroll/v2{T}/export/jobs/timesheets",
        sort=BY_TIME,
        filters={"jobIds": Filter(("jobId",), "in"), **_is("technicianId")},
        refused=("startedOn", "endedOn"),
        parents=(
            Parent(
                f"/payroll/v2{T}/jobs/{{id}}/timesheets",
                "jobs",
                "jobId",
                understands=_TIMES | {"active", "technicianId", "startedOn", "endedOn", "sort"},
            ),
        ),
    ),
    Resource(
        "job_notes",
        export_path=f"/jpm/v2{T}/export/job-notes",
        parents=(Parent(f"/jpm/v2{T}/jobs/{{id}}/notes", "jobs", "jobId", ("id", "active", "jobId")),),
    ),
    Resource(
        "job_canceled_logs",
        export_path=f"/jpm/v2{T}/export/job-canceled-logs",
        parents=(Parent(f"/jpm/v2{T}/jobs/{{id}}/canceled-log", "jobs", "jobId"),),
    ),
    Resource("job_cancel_reasons", f"/jpm/v2{T}/job-cancel-reasons", sort=BY_TIME, active_default="Any"),
    Resource(
        "calls",
        f"/telecom/v3{T}/calls",
        f"/telecom/v2{T}/export/calls",
        ids=True,
        sort=BY_TIME,
        filters={
            "campaignId": Filter(("campaign", "id")),
            "agentId": Filter(("agent", "id")),
            "agentName": Filter(("agent", "name")),
            "phoneNumberCalled": Filter(("to",)),
            "callerPhoneNumber": Filter(("from",)),
            "tag": Filter(("tag",)),
        },
        refused=("createdAfter", "modifiedAfter", "minDuration", "agentIsExternal", "agentExternalId", "sid"),
        bundled=True,
    ),
    Resource("job_hold_reasons", f"/jpm/v2{T}/job-hold-reasons", sort=("Id",), active_default="Any"),
    Resource(
        "contact_methods",
        f"/crm/v2{T}/contacts/contact-methods",
        sort=BY_TIME,
        active=None,
        filters=_is("contactId", "referenceId", "type", "value"),
        parents=(
            Parent(
                f"/crm/v2{T}/contacts/{{id}}/contact-methods",
                "named_contacts",
                "contactId",
                understands=_TIMES | {"referenceId", "type", "value", "sort"},
            ),
        ),
    ),
    Resource(
        "contact_relationships",
        sort=BY_TIME,
        active=None,
        filters=_is("relatedEntityId", "typeSlug", "typeName"),
        parents=(
            Parent(
                f"/crm/v2{T}/contacts/{{id}}/relationships",
                "named_contacts",
                "contactId",
                ("contactId",),
                _MADE | {"relatedEntityId", "typeSlug", "typeName", "sort"},
            ),
        ),
    ),
    Resource(
        "named_contacts",
        f"/crm/v2{T}/contacts",
        one=True,
        sort=BY_TIME,
        active=None,
        filters={
            **{name: Filter((name,), "text") for name in ("name", "title")},
            **_is("referenceId", "isArchived"),
        },
    ),
    Resource(
        "technician_skills",
        f"/dispatch/v2{T}/technician-skills",
        one=True,
        sort=BY_TIME,
        filters=_is("technicianId"),
    ),
    Resource("arrival_windows", f"/dispatch/v2{T}/arrival-windows", one=True, drop=UNSHOWN),
    Resource("teams", f"/dispatch/v2{T}/teams", one=True, sort=("Id",), active="includeInactive"),
    Resource("zones", f"/dispatch/v2{T}/zones", one=True, sort=BY_TIME),
    Resource(
        "technician_shifts",
        f"/dispatch/v2{T}/technician-shifts",
        one=True,
        sort=BY_TIME,
        filters={
            "startsOnOrAfter": Filter(("start",), "from"),
            "endsOnOrBefore": Filter(("end",), "until"),
            "titleContains": Filter(("title",), "text"),
            "noteContains": Filter(("note",), "text"),
            **_is("shiftType", "technicianId"),
        },
    ),
    Resource(
        "customer_custom_field_types",
        f"/crm/v2{T}/customers/custom-fields",
        sort=BY_TIME,
        active=None,
        page_zero=False,
    ),
    Resource(
        "location_custom_field_types",
        f"/crm/v2{T}/locations/custom-fields",
        sort=BY_TIME,
        active=None,
        page_zero=False,
    ),
    Resource(
        "job_custom_field_types", f"/jpm/v2{T}/jobs/custom-fields", sort=BY_TIME, active=None, page_zero=False
    ),
    Resource(
        "job_attachments",
        sort=BY_TIME,
        parents=(
            Parent(f"/forms/v2{T}/jobs/{{id}}/attachments", "jobs", "jobId", ("jobId",), _MADE | {"sort"}),
        ),
    ),
)
