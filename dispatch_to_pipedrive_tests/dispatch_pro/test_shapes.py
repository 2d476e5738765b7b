"""Every field that we read is a field that the vendor documents, of the kind that we take it for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS
from dispatch_to_pipedrive.dispatch_pro.records import frames_from_records
from dispatch_to_pipedrive.dispatch_pro.segments import key_shape
from dispatch_to_pipedrive.dispatch_pro.shapes import REFERENCE, ROOT_BOUND, SHAPES, Kind, Shape

from ..contract import dispatch_documents

SCHEMAS = {
    "customers": "Crm.V2.ExportCustomerResponse",
    "customer_contacts": "Crm.V2.ExportCustomerContactResponse",
    "locations": "Crm.V2.ExportLocationsResponse",
    "location_contacts": "Crm.V2.ExportLocationContactResponse",
    "jobs": "Jpm.V2.ExportJobsResponse",
    "appointments": "Jpm.V2.ExportAppointmentsResponse",
    "appointment_assignments": "Dispatch.V2.ExportAppointmentAssignmentsResponse",
    "invoices": "Accounting.V2.ExportInvoiceResponse",
    "payments": "Accounting.V2.ExportPaymentResponse",
    "job_timesheets": "Payroll.V2.Timesheets.JobTimesheetExportResponse",
    "job_notes": "Jpm.V2.ExportJobNotesResponse",
    "job_canceled_logs": "Jpm.V2.ExportJobCanceledLogResponse",
    "calls": "Telecom.V2.ExportCallResponse",
    "job_types": "Jpm.V2.JobTypeResponse",
    "technicians": "TenantSettings.V2.ExportTechnicianResponse",
    "employees": "TenantSettings.V2.ExportEmployeeResponse",
    "business_units": "TenantSettings.V2.ExportBusinessUnitResponse",
    "tag_types": "TenantSettings.V2.ExportTagTypeResponse",
    "job_cancel_reasons": "Jpm.V2.JobCancelReasonResponse",
    "zones": "Dispatch.V2.ZoneResponse",
    "technician_shifts": "Dispatch.V2.TechnicianShiftResponse",
    "customer_custom_field_types": "Crm.V2.Customers.CustomFieldTypeResponse",
    "location_custom_field_types": "Crm.V2.Customers.CustomFieldTypeResponse",
    "job_custom_field_types": "Jpm.V2.CustomFieldTypeResponse",
}
# Sent since May 2026, later than the documents.
NEWER = {"jobs.isAutoDispatched", "jobs.summaryOfWork"}
TYPES = {
    "id": {"integer"},
    "count": {"integer"},
    "text": {"string"},
    "time": {"string"},
    "flag": {"boolean"},
    "money": {"number", "string"},
    "number": {"number"},
}


def unknown(where: str, shape: Shape, schema: Mapping[str, Any], all_: Mapping[str, Any]) -> Iterator[str]:
    """Fields of a shape that the schema lacks or that are of another kind there."""
    for name, field in shape.items():
        found = _resolved(schema.get("properties", {}).get(name), all_)
        if isinstance(field, list):
            found, field = _resolved((found or {}).get("items"), all_), field[0]
        if found is None:
            yield f"{where}.{name}"
        elif isinstance(field, Kind):
            types = found.get("type", "string")
            if not TYPES[field.name] & set([types] if isinstance(types, str) else types):
                yield f"{where}.{name} is {types}"
        else:
            yield from unknown(f"{where}.{name}", field, found, all_)


def _resolved(schema: Any, all_: Mapping[str, Any]) -> Any:
    while isinstance(schema, dict) and not schema.get("properties"):
        inner = schema.get("$ref") or next(
            (
                one.get("$ref")
                for part in ("allOf", "anyOf", "oneOf")
                for one in schema.get(part, [])
                if "$ref" in one
            ),
            None,
        )
        if inner is None:
            break
        schema = all_[inner.removeprefix("#/$defs/")]
    return schema


@pytest.mark.parametrize("feed", sorted(SHAPES))
def test_shapes_and_keys_name_documented_fields(feed: str) -> None:
    dispatch_documents.require_documents()
    bundle = json.loads((dispatch_documents.FOLDER / "servicetitan-jsonschema-bundle.json").read_bytes())
    schema = bundle[SCHEMAS[feed]]
    for shape in (SHAPES[feed], key_shape(FEEDS[feed])):
        assert set(unknown(feed, shape, _resolved(schema, schema["$defs"]), schema["$defs"])) <= NEWER


def test_the_vendors_samples_become_frames() -> None:
    dispatch_documents.require_documents()
    file = dispatch_documents.FOLDER / "servicetitan-samples" / "synthetic-entities.json"
    samples = json.loads(file.read_bytes())["samples"]
    for feed, schema in SCHEMAS.items():
        if schema in samples:
            frame = frames_from_records(feed, [json.dumps(sample) for sample in samples[schema]])[feed]
            assert frame["id"].tolist() == [sample["id"] for sample in samples[schema]]


def test_every_feed_has_a_shape_and_every_shape_a_feed() -> None:
    assert list(FEEDS) == [
        *(name for name in FEEDS if name in ROOT_BOUND),
        *(name for name in FEEDS if name in REFERENCE),
    ]
    assert set(FEEDS) == set(SHAPES) == set(SCHEMAS)
