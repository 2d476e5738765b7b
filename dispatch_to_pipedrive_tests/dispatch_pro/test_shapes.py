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
    "customer_notes": "Crm.V2.NoteResponse",
    "location_notes": "Crm.V2.NoteResponse",
    "named_contacts": "Crm.V2.ContactResponse",
    "named_contacts.methods": "Crm.V2.ContactMethodResponse",
    "named_contacts.relationships": "Crm.V2.ContactRelationshipResponse",
    "job_hold_reasons": "Jpm.V2.JobHoldReasonResponse",
    "technician_skills": "Dispatch.V2.TechnicianSkillResponse",
    "arrival_windows": "Dispatch.V2.ArrivalWindowResponse",
    "teams": "Dispatch.V2.TeamResponse",
}
OTHERWISE = {"job_attachments", "emails", "business_hours", "capacity"}
"""Feeds whose records have no schema, or none of their own."""
OURS = {
    "customer_notes": {"customerId"},
    "location_notes": {"locationId"},
    "named_contacts": {"customerId", "locationId", "isGone", "methods", "relationships"},
}
"""What the program adds to the vendor's records."""
READ_WHOLE = ("customer_notes", "location_notes", "named_contacts", "teams", "technician_skills")
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


def shape_of(name: str) -> Shape:
    """The vendor's part of a feed's shape, or of the items of one of its lists."""
    feed, _, items = name.partition(".")
    if items:
        listed = SHAPES[feed][items]
        assert isinstance(listed, list) and isinstance(listed[0], Mapping)
        return listed[0]
    return {key: field for key, field in SHAPES[feed].items() if key not in OURS.get(feed, ())}


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_shapes_and_keys_name_documented_fields(name: str) -> None:
    dispatch_documents.require_documents()
    bundle = json.loads((dispatch_documents.FOLDER / "servicetitan-jsonschema-bundle.json").read_bytes())
    schema = bundle[SCHEMAS[name]]
    shapes = [shape_of(name)]
    if name in FEEDS and name not in OURS:
        shapes.append(key_shape(FEEDS[name]))
    for shape in shapes:
        assert set(unknown(name, shape, _resolved(schema, schema["$defs"]), schema["$defs"])) <= NEWER


@pytest.mark.parametrize("name", [*READ_WHOLE, "named_contacts.methods", "named_contacts.relationships"])
def test_of_notes_and_contacts_every_documented_field_is_read(name: str) -> None:
    dispatch_documents.require_documents()
    bundle = json.loads((dispatch_documents.FOLDER / "servicetitan-jsonschema-bundle.json").read_bytes())
    schema = bundle[SCHEMAS[name]]
    assert set(_resolved(schema, schema["$defs"])["properties"]) == set(shape_of(name))


def test_hours_and_capacity_name_documented_fields() -> None:
    dispatch_documents.require_documents()
    document = json.loads((dispatch_documents.FOLDER / "servicetitan-dispatch-v2.json").read_bytes())
    schemas = document["components"]["schemas"]
    all_ = {f"#/components/schemas/{name}": schema for name, schema in schemas.items()}
    hours = {key: field for key, field in SHAPES["business_hours"].items() if key != "id"}
    free = {key: field for key, field in SHAPES["capacity"].items() if key not in ("id", "timeStamp")}
    for shape, name in ((hours, "BusinessHourModel"), (free, "CapacityResponseAvailability")):
        schema = schemas[f"Dispatch.V2.{name}"]
        assert set(unknown(name, shape, schema, all_)) == set()
        assert set(schema["properties"]) == set(shape)


def test_the_vendors_samples_become_frames() -> None:
    dispatch_documents.require_documents()
    file = dispatch_documents.FOLDER / "servicetitan-samples" / "synthetic-entities.json"
    samples = json.loads(file.read_bytes())["samples"]
    for feed, schema in SCHEMAS.items():
        if schema in samples:
            if feed not in FEEDS or FEEDS[feed].kind == "parent":
                continue
            frame = frames_from_records(feed, [json.dumps(sample) for sample in samples[schema]])[feed]
            assert frame["id"].tolist() == [sample["id"] for sample in samples[schema]]


def test_every_feed_has_a_shape_and_every_shape_a_feed() -> None:
    assert list(FEEDS) == [
        *(name for name in FEEDS if name in ROOT_BOUND),
        *(name for name in FEEDS if name in REFERENCE),
    ]
    assert set(FEEDS) == set(SHAPES) == {name.partition(".")[0] for name in SCHEMAS} | OTHERWISE
