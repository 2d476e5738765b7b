"""What a tenant is: credentials, tables by feed name, and the people who shall be Pipedrive users."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

import orjson

from ..clock import DEFAULT_NOW
from .generator import contacts, customers, invoices, jobs, payments, talk, visits
from .generator.company import make_company
from .table import Columns, Table
from .times import Ints, ticks_of

_NESTED = {
    "invoices": {"jobId": ("job", "id"), "customerId": ("customer", "id")},
    "payments": {"customerId": ("customer", "id")},
    "calls": {"jobId": ("job", "id"), "customerId": ("customer", "id")},
}


@dataclass(frozen=True)
class Credentials:
    """What an application needs to read the tenant."""

    tenant_id: int
    client_id: str
    client_secret: str = field(repr=False)
    app_key: str = field(repr=False)


@dataclass(frozen=True)
class Tenant:
    """One tenant. Tables bear the names of the feeds: customers, customer_contacts, jobs and so on."""

    seed: int
    credentials: Credentials
    tables: Mapping[str, Table]
    users: tuple[tuple[str, str, bool], ...]
    first_sizes: Callable[[Ints], Ints]
    sizes: dict[int, int] = field(default_factory=dict)

    def people(self) -> list[tuple[str, str, bool]]:
        """(name, e-mail, active) of technicians who are Pipedrive users."""
        return list(self.users)

    def records(self, feed: str) -> Iterator[bytes]:
        """The records of a feed as JSON, in the order of the export."""
        for block in self.tables[feed].blocks():
            yield from map(orjson.dumps, block)


def generate(customer_count: int, seed: int, now: datetime = DEFAULT_NOW) -> Tenant:
    """A tenant with that many customers, as it stands at `now`; the same arguments give the same bytes."""
    if customer_count < 1:
        raise ValueError(f"a tenant needs at least one customer, not {customer_count}")
    at = ticks_of(now)
    credentials = _credentials(seed)
    company = make_company(seed, credentials.tenant_id, customer_count, at)
    staff = company.technicians
    people = customers.make_customers(seed, customer_count, at)
    work = jobs.make_jobs(people)
    trips = visits.make_visits(work)
    crews = visits.make_assignments(work, trips, len(staff))
    bills = invoices.make_invoices(people, work)
    receipts = payments.make_payments(bills)
    paid = payments.paid_cents(bills, receipts)
    calls = talk.make_calls(people, work)
    attachments, sizes = talk.attachment_columns(work)
    columns: dict[str, Columns] = {
        "customers": customers.customer_columns(people, payments.customer_balances(people, bills, paid)),
        "customer_contacts": contacts.customer_contact_columns(people),
        "locations": customers.location_columns(people),
        "location_contacts": contacts.location_contact_columns(people),
        "jobs": jobs.job_columns(work, bills.start, invoices.job_totals(work, bills), calls.lead, len(staff)),
        "appointments": visits.appointment_columns(work, trips),
        "appointment_assignments": visits.assignment_columns(trips, crews, staff),
        "job_timesheets": visits.timesheet_columns(trips, crews),
        "invoices": invoices.invoice_columns(people, work, bills, paid, staff),
        "payments": payments.payment_columns(people, bills, receipts),
        "job_notes": talk.job_note_columns(work),
        "customer_notes": talk.customer_note_columns(people),
        "location_notes": talk.location_note_columns(people),
        "job_canceled_logs": talk.canceled_log_columns(work),
        "calls": talk.call_columns(people, work, calls),
        "job_attachments": attachments,
        **company.tables,
    }
    tables = {name: Table(name, made, _NESTED.get(name)) for name, made in columns.items()}
    return Tenant(seed, credentials, tables, company.people, sizes)


def _credentials(seed: int) -> Credentials:
    def letters(what: str, size: int) -> str:
        return blake2b(f"{seed}/{what}".encode(), digest_size=size).hexdigest()

    return Credentials(
        tenant_id=1_000_000_000 + int(letters("tenant", 4), 16) % 1_000_000_000,
        client_id=f"cid.{letters('client', 12)}",
        client_secret=f"cs1.{letters('secret', 24)}",
        app_key=f"ak1.{letters('app', 12)}",
    )
