"""What was billed: one invoice when a job is booked, further ones and credits; whole cents until rendered."""

from dataclasses import dataclass

import numpy as np

from ..draw import Draw, Flags, count_up
from ..table import Columns, Record
from ..times import DAY, HOUR, NEVER, Ints, write_dates, write_many
from . import names
from .catalog import JOB_TYPES, ROLES, TECHNICIAN, UNIT, UNITS
from .customers import CUSTOMER, LOCATION, Customers, last_touched
from .edges import CANCELED, COMPLETED
from .jobs import INVOICE, JOB, PROJECT, Jobs

ITEM = 560_000_000
HOUSE, SHOP = -2, -1


@dataclass(frozen=True)
class Invoices:
    """All invoices by row: `job` is -1 for a sale over the counter, -2 for one without a customer. Cents."""

    seed: int
    now: int
    start: Ints
    job: Ints
    ordinal: Ints
    customer: Ints
    site: Ints
    subtotal: Ints
    tax: Ints
    active: Flags
    created: Ints
    state: Ints

    @property
    def total(self) -> Ints:
        """Subtotal and tax."""
        return self.subtotal + self.tax

    def __len__(self) -> int:
        return len(self.job)


def make_invoices(people: Customers, jobs: Jobs) -> Invoices:
    """One invoice for each job when it is booked, some further ones and credits, 1 % without a job."""
    draw = Draw(people.seed, "invoices")
    every = np.arange(len(jobs), dtype=np.int64)
    counts = draw.weighted("count", every, (94.5, 4.5, 1)) + 1
    for row, hand in jobs.by_hand:
        counts[row] = len(hand.invoices) if hand.invoices else counts[row]
    start, job, ordinal = count_up(counts)
    loose = max(len(people) // 45, 2)
    sales = np.arange(loose, dtype=np.int64)
    buyer = draw.below("buyer", sales, len(people))
    job = np.concatenate((job, np.where(sales % 2 == 0, SHOP, HOUSE)))
    ordinal = np.concatenate((ordinal, np.zeros(loose, dtype=np.int64)))
    rows = np.arange(len(job), dtype=np.int64)
    with_job = job >= 0
    of = np.maximum(job, 0)
    tail = np.zeros(len(rows), dtype=np.int64)
    tail[len(rows) - loose :] = buyer
    customer = np.where(with_job, of_rows(jobs.customer, of), np.where(job == SHOP, tail, -1))
    site = np.where(with_job, of_rows(jobs.site, of), np.where(job == SHOP, people.site_start[tail], -1))

    big = np.isin(of_rows(jobs.kind, of), (4, 5, 8, 9, 10)) & with_job
    price = np.exp(4.2 + draw.unit("price", rows) * np.where(big, 5.2, 2.6)) * 100
    cents = np.floor(price).astype(np.int64) + 1
    status = np.where(with_job, of_rows(jobs.status, of), COMPLETED)
    free = draw.chance("free", rows, 0.28) | ((status == CANCELED) & ~draw.chance("fee", rows, 0.05))
    free |= (status > CANCELED) & ~draw.chance("deposit", rows, 0.1)
    cents = np.where(free, 0, cents)
    credit = (ordinal > 0) & draw.chance("credit", rows, 0.3)
    cents = np.where(credit, -(cents // 10) - 100, cents)
    tax = np.where(draw.chance("taxed", rows, 0.3), np.round(cents * 0.086).astype(np.int64), 0)
    state = draw.weighted("state", rows, (76, 8, 14, 1, 1))
    active = ~((ordinal > 0) & draw.chance("void", rows, 0.08))
    for row, hand in jobs.by_hand:
        first = int(start[row])
        if hand.invoices:
            cents[first : first + len(hand.invoices)] = hand.invoices
            tax[first : first + len(hand.invoices)] = 0
            active[first : first + len(hand.invoices)] = True
        if hand.paid is not None:
            state[first : first + int(counts[row])] = hand.paid
    booked = np.where(
        with_job, of_rows(jobs.created, of), people.now - 30 * DAY - draw.below("sold", rows, 900 * DAY)
    )
    later = np.where(of_rows(jobs.completed, of) != NEVER, of_rows(jobs.completed, of), booked) + HOUR
    created = np.where(
        (ordinal > 0) & with_job, np.minimum(later, people.now - 2 * HOUR), booked + 12_345_670
    )
    return Invoices(
        seed=people.seed,
        now=people.now,
        start=start,
        job=job,
        ordinal=ordinal,
        site=site,
        customer=customer,
        subtotal=cents,
        tax=tax,
        active=active,
        created=created,
        state=state,
    )


def job_totals(jobs: Jobs, invoices: Invoices) -> Ints:
    """The sum of each job's active invoices."""
    totals = np.zeros(len(jobs), dtype=np.int64)
    counted = (invoices.job >= 0) & invoices.active
    np.add.at(totals, invoices.job[counted], invoices.total[counted])
    return totals


def invoice_columns(
    people: Customers, jobs: Jobs, invoices: Invoices, paid: Ints, staff: tuple[str, ...]
) -> Columns:
    """The vendor's invoices; money and quantities are text."""
    draw = Draw(invoices.seed, "invoices")
    every = np.arange(len(invoices), dtype=np.int64)
    modified = last_touched(draw, every, invoices.created, invoices.now)
    no_date = draw.chance("no date", every, 0.01)

    def render(rows: Ints) -> list[Record]:
        customers = invoices.customer[rows]
        homes = names.addresses(
            Draw(people.seed, "locations"), np.maximum(invoices.site[rows], 0), whole=False
        )
        job = invoices.job[rows]
        kinds = np.where(job >= 0, of_rows(jobs.kind, np.maximum(job, 0)), 0)
        columns = zip(
            rows.tolist(),
            job.tolist(),
            invoices.ordinal[rows].tolist(),
            customers.tolist(),
            people.names(np.maximum(customers, 0)),
            invoices.site[rows].tolist(),
            homes,
            kinds.tolist(),
            of_rows(jobs.project, np.maximum(job, 0)).tolist(),
            invoices.subtotal[rows].tolist(),
            invoices.tax[rows].tolist(),
            paid[rows].tolist(),
            invoices.active[rows].tolist(),
            draw.below("looks", rows, 1 << 20).tolist(),
            write_many(invoices.created[rows]),
            write_many(modified[rows]),
            write_dates(np.where(no_date[rows], NEVER, invoices.created[rows])),
            strict=True,
        )
        return [_invoice(staff, *values) for values in columns]

    keys = {
        "jobId": np.where(invoices.job >= 0, JOB + invoices.job, 0),
        "customerId": np.where(invoices.customer >= 0, CUSTOMER + invoices.customer, 0),
    }
    return Columns(INVOICE + every, invoices.created, modified, invoices.active.copy(), render, keys)


def _invoice(
    staff: tuple[str, ...],
    row: int,
    job: int,
    ordinal: int,
    customer: int,
    name: str,
    site: int,
    address: Record,
    kind: int,
    project: int,
    subtotal: int,
    tax: int,
    paid: int,
    active: bool,
    looks: int,
    created: str,
    modified: str,
    date: str | None,
) -> Record:
    total = subtotal + tax
    unit = JOB_TYPES[kind][1]
    technician = looks % len(staff)
    number = str(JOB + job) + (f"-{ordinal}" if ordinal else "") if job >= 0 else f"CS{row}"
    business_unit = {"id": UNIT + unit, "name": UNITS[unit][0]}
    place = address if site >= 0 else None
    return {
        "summary": names.SUMMARIES[looks % len(names.SUMMARIES)],
        "items": _items(row, subtotal, looks, unit, technician, created, modified),
        "customFields": None,
        "active": active,
        "discountTotal": "0.00",
        "importId": None,
        "exportId": None,
        "materialSkuId": None,
        "membershipId": None,
        "paidOn": date if paid == total else None,
        "invoiceConfiguration": "JobInvoice" if job >= 0 else "CounterSales",
        "id": INVOICE + row,
        "syncStatus": ("Pending", "Posted", "Exported")[looks % 3],
        "budgetCodeId": None,
        "referenceNumber": number,
        "invoiceDate": date,
        "dueDate": date,
        "subTotal": text(subtotal),
        "salesTax": text(tax),
        "salesTaxCode": {"id": 61, "name": "AZ", "taxRate": 0.086} if tax else None,
        "taxZoneId": None,
        "total": text(total),
        "balance": text(total - paid),
        "invoiceType": None,
        "customer": {"id": CUSTOMER + customer, "name": name} if customer >= 0 else None,
        "customerAddress": place,
        "location": {"id": LOCATION + site, "name": name} if site >= 0 else None,
        "locationAddress": place,
        "businessUnit": business_unit,
        "termName": "Due Upon Receipt",
        "createdBy": ROLES[looks % 4].lower(),
        "batch": None,
        "depositedOn": None,
        "createdOn": created,
        "modifiedOn": modified,
        "adjustmentToId": INVOICE + row - ordinal if ordinal and subtotal < 0 else None,
        "job": {"id": JOB + job, "number": str(JOB + job), "type": JOB_TYPES[kind][0]} if job >= 0 else None,
        "projectId": PROJECT + project if project >= 0 and job >= 0 else None,
        "royalty": {"status": "Pending", "date": None, "sentOn": None, "memo": None},
        "employeeInfo": {"id": TECHNICIAN + technician, "name": staff[technician], "modifiedOn": created},
        "commissionEligibilityDate": None,
        "sentStatus": ("NotSent", "Sent", "Opened")[looks // 3 % 3],
        "reviewStatus": "NeedsReview",
        "assignedTo": None,
    }


def _items(
    row: int, subtotal: int, looks: int, unit: int, technician: int, created: str, modified: str
) -> list[Record]:
    """One or two line items whose totals add up to the subtotal; an empty invoice has none."""
    if not subtotal:
        return []
    shares = [subtotal] if looks % 3 else [subtotal // 3, subtotal - subtotal // 3]
    return [
        {
            **_BLANK_ITEM,
            "id": ITEM + row * 2 + at,
            "description": "<p>Replace dual run capacitor</p>" if at else "<p>Labor &amp; diagnosis</p>",
            "cost": text(share // 4),
            "totalCost": text(share // 4),
            "price": text(share),
            "type": "Material" if at else "Service",
            "skuName": "CAP-45-5" if at else "DIAG",
            "skuId": 99001 + at,
            "total": text(share),
            "displayName": "Dual Run Capacitor" if at else "Diagnosis",
            "createdOn": created,
            "modifiedOn": modified,
            "order": at + 1,
            "businessUnit": {"id": UNIT + unit, "name": UNITS[unit][0]},
            "createdById": TECHNICIAN + technician,
            "technicianId": TECHNICIAN + technician,
        }
        for at, share in enumerate(shares)
    ]


_BLANK_ITEM: Record = {
    "quantity": "1.0000000000",
    "budgetCodeId": None,
    "inventoryLocationId": None,
    "inventoryLocation": None,
    "inventory": False,
    "taxable": False,
    "isChargeable": True,
    "generalLedgerAccount": None,
    "costOfSaleAccount": None,
    "assetAccount": None,
    "membershipTypeId": 0,
    "itemGroup": None,
    "soldHours": 1.0,
    "serviceDate": None,
    "displayInAmount": None,
    "importId": None,
    "exportId": None,
    "inventoryStatus": None,
    "addOn": False,
    "memberPrice": None,
    "installedEquipmentId": None,
    "estimateItemId": None,
}


def text(cents: int) -> str:
    """An amount of cents as the vendor writes money."""
    return f"{cents / 100:.2f}"


def of_rows(values: Ints, rows: Ints) -> Ints:
    """`values[rows]`, zeros if there are no values at all."""
    return values[rows] if len(values) else np.zeros(len(rows), dtype=np.int64)
