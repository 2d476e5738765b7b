"""What a tenant is: credentials, tables by feed name, and the people who shall be Pipedrive users."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

import orjson

from ..clock import DEFAULT_NOW
from .files import File
from .generator import (
    attachments,
    calls,
    contacts,
    customers,
    invoices,
    jobs,
    named_contacts,
    notes,
    payments,
    visits,
)
from .generator.attachments import Attachments, Plenty
from .generator.catalog import fields_of
from .generator.company import make_company
from .table import Columns, Table
from .times import ticks_of

ORIGIN = "http://sandbox"

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
    origin: str
    first_files: Attachments
    files: dict[int, File] = field(default_factory=dict)

    @property
    def storage(self) -> str:
        """The address of the tenant's storage."""
        return storage_of(self.origin, self.credentials.tenant_id)

    def file(self, attachment: int) -> File | None:
        """What an attachment holds; None if there is no such attachment."""
        record = self.tables["job_attachments"].get(attachment)
        if record is None:
            return None
        if attachment in self.files:
            return self.files[attachment]
        return self.first_files.file(attachment - attachments.ATTACHMENT, record["fileName"])

    def people(self) -> list[tuple[str, str, bool]]:
        """(name, e-mail, active) of technicians who are Pipedrive users."""
        return list(self.users)

    def records(self, feed: str) -> Iterator[bytes]:
        """The records of a feed as JSON, in the order of the export."""
        for block in self.tables[feed].blocks():
            yield from map(orjson.dumps, block)


def generate(
    customer_count: int,
    seed: int,
    now: datetime = DEFAULT_NOW,
    *,
    origin: str = ORIGIN,
    extra_fields: bool = False,
    plenty: Plenty | None = None,
) -> Tenant:
    """A tenant with that many customers, as it stands at `now`; the same arguments give the same bytes.

    `origin` is where its storage answers, `extra_fields` gives it 40 more custom fields, `plenty` other attachments.
    """
    if customer_count < 1:
        raise ValueError(f"a tenant needs at least one customer, not {customer_count}")
    at = ticks_of(now)
    credentials = _credentials(seed)
    storage = storage_of(origin, credentials.tenant_id)
    company = make_company(seed, credentials.tenant_id, customer_count, at, extra_fields=extra_fields)
    fields = {feed: fields_of(feed, extra=extra_fields) for feed in ("customers", "locations", "jobs")}
    staff = company.technicians
    people = customers.make_customers(seed, customer_count, at)
    work = jobs.make_jobs(people)
    trips = visits.make_visits(work)
    crews = visits.make_assignments(work, trips, len(staff))
    bills = invoices.make_invoices(people, work)
    receipts = payments.make_payments(bills)
    paid = payments.paid_cents(bills, receipts)
    phone = calls.make_calls(people, work)
    files = attachments.make_attachments(work, plenty)
    named = named_contacts.named_contact_columns(people)
    balances = payments.customer_balances(people, bills, paid)
    columns: dict[str, Columns] = {
        "customers": customers.customer_columns(people, balances, fields["customers"]),
        "customer_contacts": contacts.customer_contact_columns(people),
        "locations": customers.location_columns(people, fields["locations"]),
        "location_contacts": contacts.location_contact_columns(people),
        "jobs": jobs.job_columns(
            work,
            bills.start,
            invoices.job_totals(work, bills),
            phone.lead,
            len(staff),
            fields=fields["jobs"],
            storage=storage,
        ),
        "appointments": visits.appointment_columns(work, trips),
        "appointment_assignments": visits.assignment_columns(trips, crews, staff),
        "job_timesheets": visits.timesheet_columns(trips, crews),
        "invoices": invoices.invoice_columns(people, work, bills, paid, staff),
        "payments": payments.payment_columns(people, bills, receipts),
        "job_notes": notes.job_note_columns(work, storage),
        "customer_notes": notes.customer_note_columns(people, storage),
        "location_notes": notes.location_note_columns(people, storage),
        "job_canceled_logs": notes.canceled_log_columns(work),
        "calls": calls.call_columns(people, work, phone),
        "job_attachments": attachments.attachment_columns(work, files),
        "named_contacts": named.contacts,
        "contact_methods": named.methods,
        "contact_relationships": named.relationships,
        **company.tables,
    }
    tables = {name: Table(name, made, _NESTED.get(name)) for name, made in columns.items()}
    return Tenant(seed, credentials, tables, company.people, origin, files)


def storage_of(origin: str, tenant_id: int) -> str:
    """Where a tenant's files lie."""
    return f"{origin}/storage/{tenant_id}"


def _credentials(seed: int) -> Credentials:
    def letters(what: str, size: int) -> str:
        return blake2b(f"{seed}/{what}".encode(), digest_size=size).hexdigest()

    return Credentials(
        tenant_id=1_000_000_000 + int(letters("tenant", 4), 16) % 1_000_000_000,
        client_id=f"cid.{letters('client', 12)}",
        client_secret=f"cs1.{letters('secret', 24)}",
        app_key=f"ak1.{letters('app', 12)}",
    )
