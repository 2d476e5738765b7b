"""Many small tenants side by side, each complete, so that one field of the source can be changed in each of them.

A family is a commercial customer and a residential one with everything that hangs on them and reference data of
their own; no family knows of another, so a whole shape is tried in two calls of `normalize`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
import pandas as pd

from dispatch_to_pipedrive.dispatch_pro.records import empty_frames, empty_reference, frames_from_records
from dispatch_to_pipedrive.dispatch_pro.shapes import READINGS, ROOT_BOUND, SHAPES, Kind, Shape
from dispatch_to_pipedrive.normalize import Normalized, NormalizeOptions, normalize

CREATED = "2025-10-24T14:59:42.10313Z"
LATER = "2025-11-25T16:00:00Z"
PRIORITY_FIELD = "Dispatch Pro Priority"
SIZE = 1_000
"""Ids of one customer and all that is theirs."""
HALVES = (("Commercial", 0), ("Residential", 500))
Record = dict[str, Any]
Records = dict[str, list[Record]]


def full(shape: Shape, number: int = 1) -> Record:
    """A record with a value in every field; lists have one item."""
    return {name: _value(name, field, number) for name, field in shape.items()}


def _value(name: str, field: "Kind | Shape | list[Any]", number: int) -> Any:
    if isinstance(field, list):
        return [_value(name, field[0], number)]
    if not isinstance(field, Kind):
        return full(field, number)
    plain = {"id": None, "count": 3, "time": CREATED, "flag": False, "money": "10.00", "number": 1.5}
    return plain.get(field.name, f"{name} {number}")


def family(base: int) -> Records:
    """The records of a family, by feed."""
    found: Records = {feed: [] for feed in SHAPES}
    for kind, offset in HALVES:
        _half(found, base + offset, kind)
    return found


def _half(found: Records, r: int, kind: str) -> None:
    def add(feed: str, id_: Any, **fields: Any) -> None:
        record = {**full(SHAPES[feed], len(found[feed])), "id": id_, "active": True, **fields}
        found[feed].append({**record, "root": r} if feed in ROOT_BOUND else record)

    def read(feed: str, parent: tuple[str, int], *items: Record, **more: Any) -> None:
        """A reading of all items of one parent."""
        whole = [{**full(READINGS[feed].item), **item} for item in items]
        found[feed].append({parent[0]: parent[1], "items": whole, "root": r, **more})

    image = '<p>Look: <img src="https://api.servicetitan.io/images/roof.jpg"></p>'
    home = {
        "street": "1 Main St",
        "unit": "2",
        "city": "Phoenix",
        "state": "AZ",
        "zip": "85001",
        "country": "USA",
    }
    tags, custom = [r + 60], [{"typeId": r + 69, "name": "Gate", "value": "7"}]
    add(
        "customers",
        r,
        type=kind,
        name=f"Customer {r}",
        address=home,
        mergedToId=None,
        tagTypeIds=tags,
        customFields=custom,
    )
    add("customers", r + 1, type=kind, mergedToId=r, tagTypeIds=tags)
    for n, (merged, where) in enumerate([(None, home), (None, {**home, "street": "9 Oak"}), (r + 11, home)]):
        add(
            "locations", r + 10 + n, customerId=r, address=where, mergedToId=merged, active=n == 0,
            tagTypeIds=tags, customFields=custom,
        )  # fmt: skip
    phone = {"phoneNumber": "602 555 0111", "doNotText": False}
    long = "Ask for the manager on duty before noon, please ring twice"
    add("customer_contacts", r + 15, customerId=r, type="Phone", value="602 555 0100", memo=long)
    add("customer_contacts", r + 16, customerId=r, type="MobilePhone", value="", phoneSettings=phone)
    add("customer_contacts", r + 17, customerId=r, type="Email", value=f"own{r}@example.com")
    add("location_contacts", r + 18, locationId=r + 11, type="Email", value=f"site{r}@example.com", memo=long)
    add(
        "location_contacts",
        r + 19,
        locationId=r + 11,
        type="Phone",
        value="",
        phoneSettings={**phone, "phoneNumber": "602 555 0122"},
    )
    states = ("Completed", "Canceled", "Hold", "Scheduled")
    for n, state in enumerate(states):
        bucket = {"typeId": r + 68, "name": PRIORITY_FIELD, "value": "P1"}
        add(
            "jobs", r + 20 + n, customerId=r, locationId=r + 10 + n % 2, jobStatus=state, jobTypeId=r + 61,
            businessUnitId=r + 62, soldById=r + 63, tagTypeIds=tags, customFields=[*custom, bucket],
            recallForId=r + 20, warrantyId=r + 20, projectId=r + 67, createdById=r + 63,
            summary=image if n == 0 else "Leak",
        )  # fmt: skip
        visit = {"status": "Hold" if state == "Hold" else "Scheduled", "start": CREATED, "end": LATER}
        add("appointments", r + 30 + n, jobId=r + 20 + n, customerId=r, **visit)
        add("job_notes", r + 50 + n, jobId=r + 20 + n, createdById=r + 63, text="<b>Leak</b>")
        add("job_canceled_logs", r + 54 + n, jobId=r + 20 + n, reasonId=r + 64)
        if state != "Scheduled":
            for k, (technician, at) in enumerate([(r + 65, CREATED), (r + 66, LATER), (r + 67, CREATED)]):
                add(
                    "appointment_assignments", r + 34 + 3 * n + k, jobId=r + 20 + n, appointmentId=r + 30 + n,
                    technicianId=technician, assignedOn=at,
                )  # fmt: skip
            add("job_timesheets", r + 75 + n, jobId=r + 20 + n, appointmentId=r + 30 + n, technicianId=r + 65)
            add("invoices", r + 95 + n, job={"id": r + 20 + n}, customer={"id": r}, total="100.00")
            item = {"appliedTo": r + 95 + n, "appliedAmount": "40.00"}
            add("payments", r + 80 + n, customer={"id": r}, appliedTo=[item])
    parties = {
        "customer": {"id": r},
        "job": {"id": r + 20},
        "location": {"id": r + 10},
        "agent": {"id": r + 63},
    }
    facts = [{"id": r + 85 + n, "size": 1_000 + n, "mediaType": "image/jpeg", "sha256": None} for n in (0, 1)]
    facts[1] |= {"size": 99_000_000, "sha256": "ab" * 32}
    files = [{"id": r + 85 + n, "fileName": f"roof {n}.jpg", "createdById": r + 63} for n in (0, 1)]
    read("job_attachments", ("jobId", r + 20), *files, facts=facts)
    read("customer_notes", ("customerId", r), {"id": r + 87, "text": image, "createdById": r + 63})
    read("location_notes", ("locationId", r + 11), {"id": r + 88, "text": image, "createdById": r + 70})
    for n, (entity, slug) in enumerate([(r, "customer"), (r, "customer"), (r + 11, "location")]):
        method = {"id": f"m{r + n}", "type": "Email", "value": f"named{r + n}@example.com", "memo": "at home"}
        more = {"id": f"p{r + n}", "type": "Phone", "value": f"602 555 {r + n:07}", "memo": "at work"}
        tie = {
            "id": f"r{r + n}",
            "relatedEntityId": entity,
            "typeSlug": slug,
            "createdOn": (LATER, CREATED)[n == 1],
        }
        add(
            "named_contacts", f"{r + n:08}-0000-4000-8000-000000000000", name=f"Named {n}", isGone=None,
            customerId=r if slug == "customer" else None, locationId=r + 11 if slug == "location" else None,
            methods=[method, more], relationships=[tie], createdOn=(CREATED, LATER)[n == 1],
        )  # fmt: skip
    add(
        "emails",
        f"{r:016x}",
        customerId=r,
        jobId=r + 20,
        matchedBy="job",
        sentAt=CREATED,
        sender=f"named{r}@example.com",
    )
    add(
        "emails",
        f"{r + 1:016x}",
        customerId=r,
        jobId=None,
        matchedBy="customer",
        sentAt=LATER,
        recipients=f"own{r}@example.com",
    )
    spoken = {"duration": "00:05:00", "from": "602 555 0100", "to": f"602 555 {r + 1:07}", **parties}
    add("calls", r + 90, direction="Inbound", **spoken)
    named = {"job_types": 61, "business_units": 62, "tag_types": 60, "job_cancel_reasons": 64}
    for feed, n in named.items():
        add(feed, r + n)
    for n in (63, 65, 66):
        add("technicians", r + n, userId=r + n, email=f"tech{r + n}@example.com", customFields=custom)
    add("employees", r + 70, userId=r + 70, email=f"staff{r}@example.com")


def frames_of(families: Iterable[Records]) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Source frames and reference frames of all families together."""
    records: Records = {feed: [] for feed in SHAPES}
    roots: dict[str, list[int]] = {feed: [] for feed in ROOT_BOUND}
    for one in families:
        for feed, rows in one.items():
            records[feed] += rows
    bound, reference = empty_frames(), empty_reference()
    for feed, rows in records.items():
        texts = [orjson.dumps({k: v for k, v in row.items() if k != "root"}) for row in rows]
        if feed in ROOT_BOUND:
            roots[feed] = [row["root"] for row in rows]
            bound |= frames_from_records(feed, texts, roots[feed])
        else:
            reference |= frames_from_records(feed, texts)
    return bound, reference


def normalized(families: Iterable[Records]) -> Normalized:
    """What normalize makes of them, with one site in columns of its own."""
    return normalize(*frames_of(families), NormalizeOptions(sites=1, priority_field=PRIORITY_FIELD))


Change = Callable[[Any, Kind], Any]


def changed(records: Records, feed: str, path: str, change: Change) -> Records:
    """The same records with a field of a feed changed wherever it stands."""
    shape, steps = _where(feed, path)
    kind = _kind(shape, steps)
    return {**records, feed: [_at(record, steps, kind, change) for record in records[feed]]}


def _where(feed: str, path: str) -> tuple[Shape, list[str]]:
    """The shape of the feed's rows, and the steps that lead to the field in one of them."""
    steps = path.replace("[]", ".[]").split(".")
    reading = READINGS.get(feed)
    if reading is None:
        return SHAPES[feed], steps
    if path == reading.parent:
        return reading.shape, steps
    return reading.shape, ["items" if path in reading.item else "facts", "[]", *steps]


def _kind(shape: Any, steps: list[str]) -> Kind:
    for step in steps:
        shape = shape[0] if step == "[]" else shape[step]
    assert isinstance(shape, Kind)
    return shape


def _at(value: Any, steps: list[str], kind: Kind, change: Change) -> Any:
    if not steps:
        return change(value, kind)
    if steps[0] == "[]":
        return [_at(item, steps[1:], kind, change) for item in value or []]
    inner: Mapping[str, Any] = value or {}
    return {**inner, steps[0]: _at(inner.get(steps[0]), steps[1:], kind, change)}


def another(value: Any, kind: Kind) -> Any:
    """Another value of the same kind."""
    if kind.name == "id":
        return 999_000_000 + (value or 0)
    if kind.name == "flag":
        return not value
    if kind.name == "time" and value is not None:
        return "2026-02-03T04:05:06Z" if value < LATER else "2024-02-03T04:05:06Z"
    if kind.name == "money":
        return "177.25"
    if kind.name == "text":
        return (
            f"f{value[1:]}"
            if kind.required and value[-4:].isalnum() and value[0] == "0"
            else f"other {value}"
        )
    return (value or 0) + 7 if kind.name != "time" else LATER


def differences(
    before: Normalized, after: Normalized, entities: Iterable[str]
) -> dict[int, dict[str, set[str]]]:
    """Base of a family → entity → columns that differ; `*` where there are other records."""
    found: dict[int, dict[str, set[str]]] = {}
    for entity in entities:
        one, two = (_texts(getattr(frames, entity)) for frames in (before, after))
        for base in one.keys() | two.keys():
            mine, theirs = one.get(base, {}), two.get(base, {})
            if mine.get("source_key") != theirs.get("source_key"):
                found.setdefault(base, {})[entity] = {"*"}
            elif columns := {name for name in mine if mine[name] != theirs[name]}:
                found.setdefault(base, {})[entity] = columns
    return found


def _texts(frame: pd.DataFrame) -> dict[int, dict[str, list[str]]]:
    """Base of a family → column → its values as text."""
    columns = {str(name): [str(value) for value in values.tolist()] for name, values in frame.items()}
    bases = [root - root % SIZE for root in frame["root"].tolist()]
    found: dict[int, dict[str, list[str]]] = {}
    for row, base in enumerate(bases):
        mine = found.setdefault(base, {name: [] for name in columns})
        for name, values in columns.items():
            mine[name].append(values[row])
    return found
