"""A small tenant written by hand: vendor-shaped records with sensible defaults, and what normalize makes of them."""

from collections import defaultdict
from typing import Any

import numpy as np
import orjson
import pandas as pd

from dispatch_to_pipedrive.dispatch_pro.records import empty_frames, empty_reference, frames_from_records
from dispatch_to_pipedrive.normalize import Normalized, NormalizeOptions, normalize

CREATED = "2025-10-24T14:59:42.10313Z"
HOME = {
    "street": "123 Main St",
    "unit": None,
    "city": "Phoenix",
    "state": "AZ",
    "zip": "85001",
    "country": "USA",
}


def address(street: str, **parts: str | None) -> dict[str, str | None]:
    return {**HOME, "street": street, **parts}


class Source:
    def __init__(self) -> None:
        self.records: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def add(self, feed: str, id: int, **fields: Any) -> int:
        self.records[feed].append(
            {"id": id, "active": True, "createdOn": CREATED, "modifiedOn": CREATED, **fields}
        )
        return id

    def customer(self, id: int, name: str = "Jane Doe", type: str = "Residential", **fields: Any) -> int:
        return self.add(
            "customers", id, **{"name": name, "type": type, "address": HOME, "tagTypeIds": [], **fields}
        )

    def location(self, id: int, customer: int, name: str = "Jane Doe", **fields: Any) -> int:
        return self.add("locations", id, customerId=customer, **{"name": name, "address": HOME, **fields})

    def contact(self, id: int, customer: int, type: str, value: str, **fields: Any) -> int:
        return self.add("customer_contacts", id, customerId=customer, type=type, value=value, **fields)

    def site_contact(self, id: int, location: int, type: str, value: str, **fields: Any) -> int:
        return self.add("location_contacts", id, locationId=location, type=type, value=value, **fields)

    def job(
        self, id: int, customer: int, location: int | None = None, status: str = "Scheduled", **fields: Any
    ) -> int:
        defaults = {
            "jobNumber": str(id),
            "priority": "Normal",
            "jobTypeId": 1,
            "businessUnitId": 1,
            "tagTypeIds": [],
        }
        return self.add(
            "jobs", id, customerId=customer, locationId=location, jobStatus=status, **{**defaults, **fields}
        )

    def visit(self, id: int, job: int, status: str = "Scheduled", **fields: Any) -> int:
        times = {"start": "2025-10-24T19:00:00Z", "end": "2025-10-24T21:00:00Z"}
        number = {"appointmentNumber": f"{job}-1", "unused": False}
        return self.add("appointments", id, jobId=job, status=status, **{**times, **number, **fields})

    def assign(self, id: int, visit: int, job: int, technician: int, at: str = CREATED, **fields: Any) -> int:
        fields = {"technicianName": f"Tech {technician}", "status": "Scheduled", **fields}
        return self.add(
            "appointment_assignments",
            id,
            appointmentId=visit,
            jobId=job,
            technicianId=technician,
            assignedOn=at,
            **fields,
        )

    def invoice(self, id: int, job: int | None, total: str | None, **fields: Any) -> int:
        return self.add("invoices", id, job=None if job is None else {"id": job}, total=total, **fields)

    def payment(self, id: int, *applied: tuple[int, str], **fields: Any) -> int:
        items = [{"appliedTo": invoice, "appliedAmount": amount} for invoice, amount in applied]
        return self.add("payments", id, appliedTo=items, **fields)

    def technician(self, id: int, email: str | None, **fields: Any) -> int:
        return self.add("technicians", id, name=f"Tech {id}", email=email, **fields)

    def note(self, feed: str, id: int, parent: int, text: str | None, **fields: Any) -> int:
        """A note of a job, or an item of the reading of a customer's or location's notes."""
        note = {"text": text, "isPinned": False, "createdById": 301, **fields}
        if feed == "job_notes":
            return self.add(feed, id, jobId=parent, **note)
        return self._item(feed, parent, {"id": id, "createdOn": CREATED, "modifiedOn": CREATED, **note})

    def attachment(self, id: int, job: int, name: str | None, size: int | None = 10, **facts: Any) -> int:
        item = {"id": id, "fileName": name, "createdById": 301, "createdOn": CREATED}
        return self._item(
            "job_attachments", job, item, {"id": id, "size": size, "mediaType": "image/jpeg", **facts}
        )

    def call(self, id: int, customer: int | None, job: int | None = None, **fields: Any) -> int:
        of = {"id": job, "number": str(job)} if job is not None else None
        by = {"id": customer, "name": "Jane"} if customer is not None else None
        told = {"direction": "Inbound", "from": "555-0101", "to": "555-0900", "duration": "00:03:20"}
        return self.add("calls", id, job=of, customer=by, **{**told, **fields})

    def email(self, id: str, customer: int | None, job: int | None = None, **fields: Any) -> str:
        told = {"sentAt": CREATED, "sender": "jane@example.com", "recipients": "office@us.example"}
        told |= {"subject": "Hello", "body": "<p>Hi</p>", **fields}
        self.records["emails"].append({"id": id, "customerId": customer, "jobId": job, **told})
        return id

    def person(self, number: int, customer: int | None, name: str | None, **fields: Any) -> str:
        """A named contact, related to a customer and to what `also` names: (slug, id, created on)."""
        guid = f"{number:08d}-0000-4000-8000-00000000ABCD"
        related = [("customer", customer, CREATED)] if customer is not None else []
        relations = [
            {"id": f"r{number}", "relatedEntityId": of, "typeSlug": slug, "createdOn": at}
            for slug, of, at in [*related, *fields.pop("also", ())]
        ]
        methods = [{"type": kind, "value": value} for kind, value in fields.pop("methods", ())]
        first = {"customerId": customer, "locationId": None, "isArchived": False, "createdOn": CREATED}
        made = {"id": guid, "name": name, **first, "relationships": relations, "methods": methods, **fields}
        self.records["named_contacts"].append(made)
        return guid

    def _item(self, feed: str, parent: int, item: dict[str, Any], facts: dict[str, Any] | None = None) -> int:
        key = {"job_attachments": "jobId", "customer_notes": "customerId", "location_notes": "locationId"}[
            feed
        ]
        readings = self.records[feed]
        reading = next((one for one in readings if one[key] == parent), None)
        if reading is None:
            reading = {key: parent, "items": [], "facts": []}
            readings.append(reading)
        reading["items"].append(item)
        reading["facts"] += [facts] if facts else []
        return int(item["id"])

    def named(self, feed: str, id: int, name: str) -> int:
        return self.add(feed, id, name=name)

    def frames(self) -> dict[str, pd.DataFrame]:
        frames = empty_frames()
        for feed, records in self.records.items():
            if feed in frames:
                frames |= frames_from_records(
                    feed, map(orjson.dumps, records), [self.root(feed, r) for r in records]
                )
        return frames

    def reference(self) -> dict[str, pd.DataFrame]:
        frames = empty_reference()
        for feed, records in self.records.items():
            if feed in frames:
                frames |= frames_from_records(feed, map(orjson.dumps, records))
        return frames

    def normalize(self, **options: Any) -> Normalized:
        return normalize(self.frames(), self.reference(), NormalizeOptions(**options))

    def root(self, feed: str, record: dict[str, Any]) -> int:
        """Where placement would put the record."""
        if feed == "customers":
            following = record["mergedToId"] if record.get("mergedToId") else None
            return record["id"] if following is None else self._of("customers", following)
        for key, parent in (("locationId", "locations"), ("jobId", "jobs"), ("customerId", "customers")):
            if record.get(key) is not None and feed not in (("jobs",) if key == "locationId" else ()):
                return self._of(parent, record[key])
        for name in ("job", "customer"):
            of = record.get(name) if feed in ("invoices", "calls") else None
            if of and (found := self._of(f"{name}s", of["id"])):
                return found
        return self._of("invoices", record["appliedTo"][0]["appliedTo"]) if record.get("appliedTo") else 0

    def _of(self, feed: str, id: int) -> int:
        return next(
            (self.root(feed, record) for record in self.records.get(feed, []) if record["id"] == id), 0
        )


def row(frame: pd.DataFrame, key: str) -> dict[str, Any]:
    """One row by its source key, missing values as None, lists as Python lists."""
    found = frame[frame["source_key"] == key]
    assert len(found) == 1, f"{key}: {len(found)} rows of {list(frame['source_key'])}"
    return {name: _plain(found[name]) for name in found}


def _plain(values: pd.Series) -> Any:
    value = values.array[0]
    if isinstance(value, list | np.ndarray):
        return [dict(item) if isinstance(item, dict) else item for item in value]
    return None if pd.isna(value) else value


def reasons(normalized: Normalized, feed: str) -> dict[int, str]:
    left = normalized.not_carried
    return dict(left.loc[left["feed"] == feed, ["id", "reason"]].itertuples(index=False, name=None))
