"""Small histories of a tenant, landed as segments, and a plain model of what their placement must be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS, Feed
from dispatch_to_pipedrive.dispatch_pro.placement import CommittedSegment
from dispatch_to_pipedrive.dispatch_pro.raw import land_records
from dispatch_to_pipedrive.dispatch_pro.readings import Fact, reading
from dispatch_to_pipedrive.sandbox.dispatch_pro.tenant import Tenant

Record = dict[str, Any]


def at(second: float) -> str:
    return f"2026-01-01T00:00:{second:010.7f}Z"


def customer(id_: int, second: float = 0, merged_to: int | None = None, **more: Any) -> Record:
    facts = {"id": id_, "name": f"Customer {id_}", "type": "Residential", "active": merged_to is None}
    return {**facts, "mergedToId": merged_to, "modifiedOn": at(second), **more}


def job(id_: int, customer_id: int, second: float = 0, **more: Any) -> Record:
    facts = {"id": id_, "customerId": customer_id, "jobStatus": "Scheduled", "jobNumber": str(id_)}
    return {**facts, "modifiedOn": at(second), "active": True, **more}


def appointment(id_: int, job_id: int, second: float = 0, **more: Any) -> Record:
    return {
        "id": id_,
        "jobId": job_id,
        "status": "Scheduled",
        "modifiedOn": at(second),
        "active": True,
        **more,
    }


def invoice(id_: int, job_id: int | None, customer_id: int | None, second: float = 0, **more: Any) -> Record:
    job_of = None if job_id is None else {"id": job_id, "number": str(job_id), "type": "x"}
    customer_of = None if customer_id is None else {"id": customer_id, "name": "x"}
    facts = {"id": id_, "job": job_of, "customer": customer_of, "total": "1.00", "active": True}
    return {**facts, "modifiedOn": at(second), **more}


def payment(
    id_: int, invoice_id: int | None, customer_id: int | None, second: float = 0, **more: Any
) -> Record:
    applied = (
        [] if invoice_id is None else [{"appliedTo": invoice_id, "appliedAmount": "1.00", "appliedId": 1}]
    )
    customer_of = None if customer_id is None else {"id": customer_id, "name": "x"}
    return {"id": id_, "appliedTo": applied, "customer": customer_of, "modifiedOn": at(second), **more}


def location(id_: int, customer_id: int, second: float = 0, **more: Any) -> Record:
    return {"id": id_, "customerId": customer_id, "modifiedOn": at(second), "active": True, **more}


Generation = Mapping[str, Sequence[Record]]


def land(data: UPath, generation: int, arrived: Generation, pieces: int = 1) -> list[CommittedSegment]:
    """Land one generation, each feed in up to `pieces` segments of one advance."""
    segments: list[CommittedSegment] = []
    for feed, records in arrived.items():
        texts = [orjson.dumps(record) for record in records]
        segments += [
            CommittedSegment(generation, feed, segment.path)
            for segment in land_records(
                data / "raw", FEEDS[feed], texts, rows=max(1, -(-len(texts) // pieces))
            )
        ]
    return segments


def as_landed(tenant: Tenant, feed: Feed) -> list[bytes]:
    """A generated tenant's records in the form in which an advance lands them; none of what it has no table for."""
    if feed.name not in tenant.tables or feed.kind not in ("export", "list", "parent"):
        return []
    if feed.kind != "parent":
        return list(tenant.records(feed.name))
    items: dict[int, list[bytes]] = defaultdict(list)
    for text in tenant.records(feed.name):
        record = orjson.loads(text)
        items[record.pop(feed.id_field)].append(orjson.dumps(record))
    return [reading(feed, parent, items[parent]) for parent in sorted(items)]


def read_of(feed: str, parent: int, *items: Record, facts: Sequence[Fact] = ()) -> Record:
    """A parent's reading, as a record to land."""
    found: Record = orjson.loads(reading(FEEDS[feed], parent, [orjson.dumps(item) for item in items], facts))
    return found


@dataclass(frozen=True)
class Version:
    order: tuple[str, int, int]
    record: Record = field(compare=False)


def model(generations: Iterable[tuple[int, Generation]]) -> dict[tuple[str, int], tuple[int | None, Record]]:
    """(feed, id) → (root or None if it waits, winning record), worked out one record at a time."""
    won: dict[tuple[str, int], Version] = {}
    for number, arrived in generations:
        for feed, records in arrived.items():
            for position, record in enumerate(records):
                version = Version((record["modifiedOn"], number, position), record)
                key = (feed, record["id"])
                if key not in won or won[key].order < version.order:
                    won[key] = version
    return {key: (_root(won, *key), version.record) for key, version in won.items()}


def _root(won: Mapping[tuple[str, int], Version], feed: str, id_: int) -> int | None:
    if (feed, id_) not in won:
        return None
    record = won[feed, id_].record
    if feed == "customers":
        return _end(won, id_)
    if feed in ("jobs", "locations"):
        return _root(won, "customers", record["customerId"])
    if feed == "appointments":
        return _root(won, "jobs", record["jobId"])
    if feed == "payments" and record["appliedTo"]:
        return _root(won, "invoices", record["appliedTo"][0]["appliedTo"])
    if record.get("job"):
        return _root(won, "jobs", record["job"]["id"])
    return _root(won, "customers", record["customer"]["id"]) if record["customer"] else 0


def _end(won: Mapping[tuple[str, int], Version], id_: int) -> int | None:
    way = [id_]
    while (version := won.get(("customers", way[-1]))) and (into := version.record["mergedToId"]):
        if into in way:
            return min(way[way.index(into) :])
        way.append(into)
    return way[-1] if ("customers", way[-1]) in won else None
