"""What can happen in a tenant while it runs: one function for each action of the control endpoint."""

from collections.abc import Callable, Mapping
from typing import Any

from . import bookkeeping, filing, naming
from .hand import SINGULAR, ChangeError, Hand
from .table import Record
from .times import HOUR, parse_ticks, write_ticks


def create(hand: Hand, entity: str, fields: Record | None = None, **more: Any) -> Record:
    """A new record. A customer comes with a location, a job with an appointment and an invoice.

    `entity` is a singular or a feed name; fields not given are those of the feed's first record.
    """
    given = dict(fields or {})
    makers: Mapping[str, Callable[..., Record]] = {
        "customers": _new_customer,
        "locations": _new_location,
        "jobs": _new_job,
        "appointments": _new_appointment,
    }
    feed = SINGULAR.get(entity, entity)
    if feed == "invoices" and "job" in more:
        return bookkeeping.add_invoice(hand, **more, **given)
    if feed == "payments" and "invoice" in more:
        return bookkeeping.add_payment(hand, **more, **given)
    maker = makers.get(feed)
    return maker(hand, given, **more) if maker else hand.add(feed, {**more, **given})


def _new_customer(hand: Hand, fields: Record, email: str | None = None, phone: str | None = None) -> Record:
    blank: Record = {
        "mergedToId": None,
        "tagTypeIds": [],
        "customFields": [],
        "balance": 0.0,
        "type": "Residential",
    }
    customer = hand.add("customers", {**blank, "name": "New Customer", **fields})
    _new_location(hand, {"name": customer["name"], "address": customer["address"]}, customer=customer["id"])
    if phone:
        add_contact(hand, "MobilePhone", phone, customer=customer["id"])
    if email:
        add_contact(hand, "Email", email, customer=customer["id"])
    return customer


def _new_location(hand: Hand, fields: Record, customer: Any = None) -> Record:
    owner = hand.get("customers", fields.get("customerId", customer))
    blank: Record = {"mergedToId": None, "tagTypeIds": [], "customFields": [], "name": owner["name"]}
    return hand.add("locations", {**blank, **fields, "customerId": owner["id"]})


def _new_job(
    hand: Hand,
    fields: Record,
    customer: Any = None,
    location: Any = None,
    technician: Any = None,
    start: str | None = None,
) -> Record:
    owner = hand.get("customers", fields.get("customerId", customer))
    sites = [site for site in hand.of("locations", "customerId", owner["id"]) if site["active"]]
    place = fields.get("locationId", location) or (sites[0]["id"] if sites else None)
    if place is None or hand.get("locations", place)["customerId"] != owner["id"]:
        raise ChangeError(f"customer {owner['id']} has no active location, or location {place} is not theirs")
    job_id, visit_id = hand.table("jobs").next_id(), hand.table("appointments").next_id()
    empty = dict.fromkeys(("completedOn", "recallForId", "warrantyId", "projectId", "leadCallId", "soldById"))
    job = hand.add(
        "jobs",
        {
            **empty,
            "jobNumber": str(job_id),
            "jobStatus": "Scheduled",
            "appointmentCount": 1,
            "firstAppointmentId": visit_id,
            "lastAppointmentId": visit_id,
            "invoiceId": hand.table("invoices").next_id(),
            "tagTypeIds": [],
            "customFields": [],
            "total": 0.0,
            **fields,
            "customerId": owner["id"],
            "locationId": place,
        },
    )
    visit = _new_appointment(hand, {}, job=job["id"], start=start, counted=True)
    bookkeeping.add_invoice(hand, job["id"])
    if technician:
        reassign(hand, visit["id"], technician)
    return hand.get("jobs", job["id"])


def _new_appointment(
    hand: Hand,
    fields: Record,
    job: Any = None,
    start: str | None = None,
    hours: float = 2,
    counted: bool = False,
) -> Record:
    of_job = hand.get("jobs", fields.get("jobId", job))
    begins = parse_ticks(start) if start else hand.now() // HOUR * HOUR + 24 * HOUR
    number = len(hand.of("appointments", "jobId", of_job["id"])) + 1
    visit = hand.add(
        "appointments",
        {
            "appointmentNumber": f"{of_job['jobNumber']}-{number}",
            "start": write_ticks(begins),
            "end": write_ticks(begins + int(hours * HOUR)),
            "arrivalWindowStart": write_ticks(begins),
            "arrivalWindowEnd": write_ticks(begins + 4 * HOUR),
            "status": "Scheduled",
            "specialInstructions": None,
            "unused": False,
            "isConfirmed": False,
            **fields,
            "customerId": of_job["customerId"],
            "jobId": of_job["id"],
        },
    )
    if not counted:
        _count_visits(hand, of_job["id"])
    return visit


def edit(hand: Hand, entity: str, id: Any, fields: Record) -> Record:
    """Set any fields of a record (dotted names reach into objects)."""
    return hand.change(SINGULAR.get(entity, entity), id, fields)


def rename(hand: Hand, entity: str, id: Any, name: str) -> Record:
    """Give a tag type, job type, technician, … another name."""
    return hand.change(SINGULAR.get(entity, entity), id, {"name": name})


def cancel(hand: Hand, job: Any, reason: Any = None, memo: str | None = None) -> Record:
    """Cancel a job with its open appointments; a log entry says why."""
    why = reason or int(hand.table("job_cancel_reasons").ids[0])
    job_id = hand.get("jobs", job)["id"]
    hand.add("job_canceled_logs", {"jobId": job_id, "reasonId": why, "memo": memo})
    for visit in hand.of("appointments", "jobId", job_id):
        if visit["active"] and visit["status"] != "Done":
            hand.change("appointments", visit["id"], {"status": "Canceled"})
    return hand.change("jobs", job_id, {"jobStatus": "Canceled", "completedOn": None})


def uncancel(hand: Hand, job: Any) -> Record:
    """Take a cancellation back: the job and its appointments are scheduled again, the log entry is inactive."""
    of_job = hand.get("jobs", job)
    if of_job["jobStatus"] != "Canceled":
        raise ChangeError(f"job {job} is not canceled")
    for entry in hand.of("job_canceled_logs", "jobId", of_job["id"]):
        if entry["active"]:
            bookkeeping.set_active(hand, "job_canceled_logs", entry["id"], False)
    for visit in hand.of("appointments", "jobId", of_job["id"]):
        if visit["active"] and visit["status"] == "Canceled":
            hand.change("appointments", visit["id"], {"status": "Scheduled"})
    return hand.change("jobs", job, {"jobStatus": "Scheduled"})


def complete(hand: Hand, job: Any, on: str | None = None) -> Record:
    """Finish a job and its open appointments."""
    job_id = hand.get("jobs", job)["id"]
    for visit in hand.of("appointments", "jobId", job_id):
        if visit["active"] and visit["status"] != "Canceled":
            hand.change("appointments", visit["id"], {"status": "Done"})
    return hand.change("jobs", job, {"jobStatus": "Completed", "completedOn": on or write_ticks(hand.now())})


def merge(hand: Hand, loser: Any, winner: Any, entity: str = "customer", move: bool = False) -> Record:
    """Merge two customers or two locations: the loser is inactive and names the winner.

    `move` also gives the winner what hangs on the loser; without it the records keep naming the loser.
    """
    feed = SINGULAR.get(entity, entity)
    if feed not in ("customers", "locations") or int(loser) == int(winner):
        raise ChangeError("merge takes two different customers or two different locations")
    kept = hand.get(feed, winner)
    if move and feed == "customers":
        for site in hand.of("locations", "customerId", int(loser)):
            hand.change("locations", site["id"], {"customerId": kept["id"]})
        for job in hand.of("jobs", "customerId", int(loser)):
            _move_job(hand, job, kept["id"], job["locationId"])
    if move and feed == "locations":
        for job in hand.of("jobs", "locationId", int(loser)):
            _move_job(hand, job, kept["customerId"], kept["id"])
    return hand.change(feed, loser, {"active": False, "mergedToId": kept["id"]})


def move(hand: Hand, job: Any, customer: Any, location: Any = None) -> Record:
    """Give a job, its appointments and its invoices to another customer."""
    sites = [site["id"] for site in hand.of("locations", "customerId", int(customer)) if site["active"]]
    place = int(location) if location else (sites[0] if sites else None)
    if place is None or hand.get("locations", place)["customerId"] != int(customer):
        raise ChangeError(f"customer {customer} has no active location, or location {location} is not theirs")
    return _move_job(hand, hand.get("jobs", job), int(customer), place)


def _move_job(hand: Hand, job: Record, customer: int, location: int) -> Record:
    name = hand.get("customers", customer)["name"]
    for visit in hand.of("appointments", "jobId", job["id"]):
        hand.change("appointments", visit["id"], {"customerId": customer})
    for invoice in hand.of("invoices", "jobId", job["id"]):
        places = {"customer": {"id": customer, "name": name}, "location": {"id": location, "name": name}}
        hand.change("invoices", invoice["id"], places)
    return hand.change("jobs", job["id"], {"customerId": customer, "locationId": location})


def deactivate(hand: Hand, entity: str, id: Any) -> Record:
    """Make a record inactive (customers, locations, contacts, invoices, payments, tags, technicians, …)."""
    return bookkeeping.set_active(hand, SINGULAR.get(entity, entity), id, False)


def activate(hand: Hand, entity: str, id: Any) -> Record:
    """Make a record active again."""
    return bookkeeping.set_active(hand, SINGULAR.get(entity, entity), id, True)


def delete_appointment(hand: Hand, appointment: Any) -> Record:
    """Delete an appointment (it stays in the feed, inactive), unless it is its job's only one."""
    visit = hand.get("appointments", appointment)
    others = [
        v for v in hand.of("appointments", "jobId", visit["jobId"]) if v["active"] and v["id"] != visit["id"]
    ]
    if not others:
        raise ChangeError(f"appointment {appointment} is the only one of its job")
    gone = hand.change("appointments", appointment, {"active": False})
    for row in hand.of("appointment_assignments", "appointmentId", visit["id"]):
        if row["active"]:
            hand.change("appointment_assignments", row["id"], {"active": False})
    _count_visits(hand, visit["jobId"])
    return gone


def reassign(hand: Hand, appointment: Any, technician: Any) -> Record:
    """Take everybody off an appointment and send another technician."""
    visit, who = hand.get("appointments", appointment), hand.get("technicians", technician)
    for row in hand.of("appointment_assignments", "appointmentId", visit["id"]):
        if row["active"]:
            hand.change("appointment_assignments", row["id"], {"active": False})
    return hand.add(
        "appointment_assignments",
        {
            "technicianId": who["id"],
            "technicianName": who["name"],
            "assignedOn": write_ticks(hand.now()),
            "status": "Done" if visit["status"] == "Done" else "Scheduled",
            "isPaused": False,
            "jobId": visit["jobId"],
            "appointmentId": visit["id"],
        },
    )


def add_contact(
    hand: Hand, type: str, value: str, customer: Any = None, location: Any = None, memo: str | None = None
) -> Record:
    """A phone number or e-mail address of a customer or a location; its owner's `modifiedOn` does not move."""
    if (customer is None) == (location is None):
        raise ChangeError("a contact belongs to a customer or to a location")
    feed, key = (
        ("customer_contacts", "customerId") if location is None else ("location_contacts", "locationId")
    )
    owner = hand.get(
        "customers" if location is None else "locations", customer if location is None else location
    )
    phone = {"phoneNumber": "" if type == "Email" else value, "doNotText": False}
    return hand.add(
        feed, {"type": type, "value": value, "memo": memo, "phoneSettings": phone, key: owner["id"]}
    )


def add_tag(hand: Hand, entity: str, id: Any, tag: Any) -> Record:
    """Put a tag on a customer, a location or a job."""
    feed = SINGULAR.get(entity, entity)
    tags = hand.get(feed, id)["tagTypeIds"]
    tag_id = hand.get("tag_types", tag)["id"]
    return hand.change(feed, id, {"tagTypeIds": tags if tag_id in tags else [*tags, tag_id]})


def remove_tag(hand: Hand, entity: str, id: Any, tag: Any) -> Record:
    """Take a tag off again."""
    feed = SINGULAR.get(entity, entity)
    return hand.change(
        feed, id, {"tagTypeIds": [t for t in hand.get(feed, id)["tagTypeIds"] if t != int(tag)]}
    )


def set_custom_field(hand: Hand, entity: str, id: Any, name: str, value: str | None) -> Record:
    """Give a custom field of a customer, a location or a job a value; None takes it away."""
    feed = SINGULAR.get(entity, entity)
    types = hand.table(f"{feed.removesuffix('s')}_custom_field_types")
    known = {field["name"]: field["id"] for field in types.read(types.rows())}
    if name not in known:
        raise ChangeError(f"{feed} have no custom field {name!r}; there are {', '.join(known)}")
    fields = [field for field in hand.get(feed, id)["customFields"] if field["name"] != name]
    if value is not None:
        fields.append({"typeId": known[name], "name": name, "value": value})
    return hand.change(feed, id, {"customFields": fields})


def _count_visits(hand: Hand, job: int) -> None:
    visits = sorted(v["id"] for v in hand.of("appointments", "jobId", job) if v["active"])
    ends = {"firstAppointmentId": visits[0], "lastAppointmentId": visits[-1]}
    hand.change("jobs", job, {"appointmentCount": len(visits), **ends})


ACTIONS: Mapping[str, Callable[..., Record]] = {
    action.__name__: action
    for action in (
        create,
        edit,
        rename,
        cancel,
        uncancel,
        complete,
        merge,
        move,
        deactivate,
        activate,
        delete_appointment,
        reassign,
        add_contact,
        add_tag,
        remove_tag,
        set_custom_field,
        filing.add_note,
        filing.delete_note,
        filing.add_attachment,
        filing.delete_attachment,
        filing.add_call,
        naming.add_named_contact,
        naming.archive_contact,
        naming.add_method,
        naming.remove_method,
        naming.relate,
        naming.unrelate,
        bookkeeping.add_invoice,
        bookkeeping.add_payment,
    )
}
