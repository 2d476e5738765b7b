"""How a record of the tenant is changed: read, written anew, stamped by the sandbox's clock.

No two changes share a stamp: a feed's cursor may stand between any two of them.
"""

import copy
from typing import Any

from ..clock import Clock
from .table import Record, Table
from .tenant import Tenant
from .times import ticks_of, write_ticks

SINGULAR = {
    "customer": "customers",
    "location": "locations",
    "job": "jobs",
    "appointment": "appointments",
    "invoice": "invoices",
    "payment": "payments",
    "technician": "technicians",
    "employee": "employees",
    "tag": "tag_types",
    "job_type": "job_types",
    "business_unit": "business_units",
    "call": "calls",
    "named_contact": "named_contacts",
}


class ChangeError(ValueError):
    """A change that cannot be made; the text says why."""


class Hand:
    """Changes one tenant."""

    def __init__(self, tenant: Tenant, clock: Clock) -> None:
        self.tenant = tenant
        self._clock = clock
        self._last = 0
        self.touched: list[dict[str, Any]] = []

    def now(self) -> int:
        """The clock's time in ticks, always later than the change before."""
        self._last = max(ticks_of(self._clock.now()), self._last + 1)
        return self._last

    def table(self, feed: str) -> Table:
        """A table by its feed name."""
        if feed not in self.tenant.tables:
            raise ChangeError(f"there is no feed {feed!r}; there are {', '.join(sorted(self.tenant.tables))}")
        return self.tenant.tables[feed]

    def get(self, feed: str, record_id: Any) -> Record:
        """A copy of a record, safe to change."""
        found = self.table(feed).get(record_id)
        if found is None:
            raise ChangeError(f"{feed} has no record {record_id}")
        return copy.deepcopy(found)

    def of(self, feed: str, key: str, value: int | str) -> list[Record]:
        """Copies of the records with this key."""
        table = self.table(feed)
        return copy.deepcopy(table.read(table.where(key, value)))

    def put(self, feed: str, record: Record) -> Record:
        """Write a record with a new stamp."""
        at = self.now()
        if "modifiedOn" in record:
            record["modifiedOn"] = write_ticks(at)
        self.table(feed).put(record, modified=at)
        self.touched.append({"feed": feed, "id": record["id"], "modifiedOn": write_ticks(at)})
        return record

    def add(self, feed: str, fields: Record) -> Record:
        """A new record like the table's first one, with `fields` in place, active, made now."""
        table = self.table(feed)
        if not len(table.ids):
            raise ChangeError(f"{feed} has no record to model a new one on")
        model = copy.deepcopy(table.read(table.rows()[:1])[0])
        record = {**model, **fields, "id": table.new_id()}
        if "active" in record:
            record["active"] = fields.get("active", True)
        record["createdOn"] = fields.get("createdOn", write_ticks(self.now()))
        return self.put(feed, record)

    def change(self, feed: str, record_id: Any, fields: Record) -> Record:
        """Set fields of a record; a dotted name reaches into an object (`address.city`)."""
        record = self.get(feed, record_id)
        for name, value in fields.items():
            *path, last = name.split(".")
            place: Any = record
            for part in path:
                place = place[part]
            place[last] = value
        return self.put(feed, record)
