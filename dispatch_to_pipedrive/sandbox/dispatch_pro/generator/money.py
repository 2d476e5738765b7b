"""What was billed and what was paid? Invoices and payments; amounts are whole cents until they are rendered."""

from dataclasses import dataclass

import numpy as np

from ..draw import Draw, Flags, count_up
from ..table import Columns, Record
from ..times import DAY, HOUR, NEVER, Ints, trimmed, write_dates, write_many
from . import names
from .company import JOB_TYPES, ROLES, TECHNICIAN, UNIT, UNITS
from .customers import CUSTOMER, FRACTIONS, LOCATION, Customers, last_touched
from .edges import CANCELED, COMPLETED, PAID, PARTLY, REFUNDED, TWICE, UNPAID
from .jobs import INVOICE, JOB, Jobs

ITEM, PAYMENT, APPLIED = 560_000_000, 570_000_000, 575_000_000
METHODS = (("Credit Card", "16"), ("Check", "2"), ("Cash", "1"), ("ACH", "21"))
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


@dataclass(frozen=True)
class Payments:
    """All payments by row: applied to `invoice`, and the part `second` to `invoice + 1`. Cents."""

    invoice: Ints
    amount: Ints
    second: Ints
    unapplied: Ints
    refunds: Ints
    active: Flags
    created: Ints


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
    customer = np.where(with_job, _of(jobs.customer, of), np.where(job == SHOP, tail, -1))
    site = np.where(with_job, _of(jobs.site, of), np.where(job == SHOP, people.site_start[tail], -1))

    big = np.isin(_of(jobs.kind, of), (4, 5, 8, 9, 10)) & with_job
    price = np.exp(4.2 + draw.unit("price", rows) * np.where(big, 5.2, 2.6)) * 100
    cents = np.floor(price).astype(np.int64) + 1
    status = np.where(with_job, _of(jobs.status, of), COMPLETED)
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
        with_job, _of(jobs.created, of), people.now - 30 * DAY - draw.below("sold", rows, 900 * DAY)
    )
    later = np.where(_of(jobs.completed, of) != NEVER, _of(jobs.completed, of), booked) + HOUR
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


def make_payments(invoices: Invoices) -> Payments:
    """Full, partial and double payments, refunds, and single payments for two invoices of a job."""
    draw = Draw(invoices.seed, "payments")
    every = np.arange(len(invoices), dtype=np.int64)
    total, state = invoices.total, invoices.state
    paying = (total > 0) & (state != UNPAID) & invoices.active
    with_previous = np.zeros(len(invoices), dtype=np.bool_)
    if len(invoices) > 1:
        joint = draw.chance("joint", every, 0.4) | (state == TWICE)
        with_previous[1:] = (joint & paying & (invoices.ordinal == 1) & (state != PARTLY))[1:] & paying[:-1]
    halves = draw.chance("two payments", every, 0.08) & (total > 1) & (state == PAID)
    counts = np.where(paying & ~with_previous, 1 + halves + (state == REFUNDED), 0)
    _, invoice, ordinal = count_up(counts)
    rows = np.arange(len(invoice), dtype=np.int64)
    due = total[invoice]
    part = np.maximum((due * (0.1 + 0.8 * draw.unit("part", rows))).astype(np.int64), 1)
    amount = np.where(state[invoice] == PARTLY, part, due)
    first_half = total // 3
    amount = np.where(
        halves[invoice], np.where(ordinal == 0, first_half[invoice], due - first_half[invoice]), amount
    )
    refund = (state[invoice] == REFUNDED) & (ordinal == 1)
    amount = np.where(refund, -due, amount)
    after = np.minimum(invoice + 1, len(invoices) - 1)
    last_of_invoice = ordinal == counts[invoice] - 1
    second = np.where(
        with_previous[after] & (after == invoice + 1) & last_of_invoice & ~refund, total[after], 0
    )
    unapplied = np.where(draw.chance("too much", rows, 0.01) & ~refund, 2500, 0)
    active = ~(draw.chance("void", rows, 0.01) & (second == 0) & ~refund & (invoice > 20))
    refunds = np.where(refund, rows - 1, -1)
    paid_on = invoices.created[invoice] + draw.below("paid after", rows, 20 * DAY)
    created = np.minimum(trimmed(paid_on, draw.weighted("digits", rows, FRACTIONS)), invoices.now - 2 * HOUR)
    return Payments(invoice, amount, second, unapplied, refunds, active, created)


def paid_cents(invoices: Invoices, payments: Payments) -> Ints:
    """What active payments applied to each invoice."""
    paid = np.zeros(len(invoices), dtype=np.int64)
    np.add.at(paid, payments.invoice, np.where(payments.active, payments.amount, 0))
    np.add.at(
        paid, np.minimum(payments.invoice + 1, len(paid) - 1), np.where(payments.active, payments.second, 0)
    )
    return paid


def job_totals(jobs: Jobs, invoices: Invoices) -> Ints:
    """The sum of each job's active invoices."""
    totals = np.zeros(len(jobs), dtype=np.int64)
    counted = (invoices.job >= 0) & invoices.active
    np.add.at(totals, invoices.job[counted], invoices.total[counted])
    return totals


def customer_balances(people: Customers, invoices: Invoices, paid: Ints) -> Ints:
    """What each customer still owes."""
    owed = np.zeros(len(people), dtype=np.int64)
    counted = (invoices.customer >= 0) & invoices.active
    np.add.at(owed, invoices.customer[counted], (invoices.total - paid)[counted])
    return owed


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
        kinds = np.where(job >= 0, _of(jobs.kind, np.maximum(job, 0)), 0)
        columns = zip(
            rows.tolist(),
            job.tolist(),
            invoices.ordinal[rows].tolist(),
            customers.tolist(),
            people.names(np.maximum(customers, 0)),
            invoices.site[rows].tolist(),
            homes,
            kinds.tolist(),
            _of(jobs.project, np.maximum(job, 0)).tolist(),
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
    place = (
        {key: address[key] for key in ("street", "unit", "city", "state", "zip", "country")}
        if site >= 0
        else None
    )
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
        "projectId": 620_000_000 + project if project >= 0 and job >= 0 else None,
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
    **{
        "quantity": "1.0000000000",
        "inventory": False,
        "taxable": False,
        "isChargeable": True,
        "addOn": False,
    },
    **dict.fromkeys(
        ("budgetCodeId", "inventoryLocationId", "inventoryLocation", "costOfSaleAccount", "assetAccount")
    ),
    **dict.fromkeys(
        ("itemGroup", "serviceDate", "displayInAmount", "importId", "exportId", "inventoryStatus")
    ),
    **dict.fromkeys(("memberPrice", "installedEquipmentId", "estimateItemId")),
    **{"generalLedgerAccount": None, "membershipTypeId": 0, "soldHours": 1.0},
}


def payment_columns(people: Customers, jobs: Jobs, invoices: Invoices, payments: Payments) -> Columns:
    """The vendor's payments, each with what it was applied to."""
    draw = Draw(invoices.seed, "payments")
    every = np.arange(len(payments.invoice), dtype=np.int64)
    modified = last_touched(draw, every, payments.created, invoices.now)

    def render(rows: Ints) -> list[Record]:
        invoice = payments.invoice[rows]
        customers = invoices.customer[invoice]
        job = invoices.job[invoice]
        columns = zip(
            rows.tolist(),
            invoice.tolist(),
            job.tolist(),
            invoices.ordinal[invoice].tolist(),
            payments.amount[rows].tolist(),
            payments.second[rows].tolist(),
            payments.unapplied[rows].tolist(),
            payments.refunds[rows].tolist(),
            payments.active[rows].tolist(),
            customers.tolist(),
            people.names(np.maximum(customers, 0)),
            draw.below("looks", rows, 1 << 20).tolist(),
            write_many(payments.created[rows]),
            write_many(modified[rows]),
            write_dates(payments.created[rows]),
            strict=True,
        )
        made = []
        for (
            row,
            at,
            of,
            k,
            amount,
            second,
            rest,
            refund,
            active,
            customer,
            name,
            looks,
            created,
            changed,
            day,
        ) in columns:
            number = str(JOB + of) if of >= 0 else f"CS{at}"
            applied = [(at, amount, number + (f"-{k}" if k and of >= 0 else ""))]
            if second:
                applied.append((at + 1, second, f"{number}-{k + 1}"))
            method, method_id = METHODS[looks % len(METHODS)]
            made.append(
                {
                    "active": active,
                    "appliedTo": [
                        {
                            "appliedAmount": text(part),
                            "appliedBy": ROLES[looks % 4].lower(),
                            "appliedId": APPLIED + row * 2 + n,
                            "appliedOn": created,
                            "appliedTo": INVOICE + target,
                            "appliedToReferenceNumber": reference,
                        }
                        for n, (target, part, reference) in enumerate(applied)
                    ],
                    "authCode": f"{looks:06d}" if method_id == "16" else None,
                    "batch": None,
                    "businessUnit": {"id": UNIT + looks % len(UNITS), "name": UNITS[looks % len(UNITS)][0]},
                    "checkNumber": str(looks % 9000 + 100) if method_id == "2" else None,
                    "createdBy": ROLES[looks % 4].lower(),
                    "createdOn": created,
                    "customer": {"id": CUSTOMER + customer, "name": name} if customer >= 0 else None,
                    "customFields": None,
                    "date": day,
                    "deposit": None,
                    "generalLedgerAccount": None,
                    "id": PAYMENT + row,
                    "memo": "Refund" if refund >= 0 else "",
                    "modifiedOn": changed,
                    "referenceNumber": None,
                    "refundedPaymentId": PAYMENT + refund if refund >= 0 else None,
                    "syncStatus": "Pending",
                    "total": text(amount + second + rest),
                    "type": method,
                    "typeId": method_id,
                    "unappliedAmount": text(rest),
                }
            )
        return made

    customer_of = invoices.customer[payments.invoice] if len(payments.invoice) else payments.invoice
    keys = {"customerId": np.where(customer_of >= 0, CUSTOMER + customer_of, 0)}
    return Columns(PAYMENT + every, payments.created, modified, payments.active.copy(), render, keys)


def text(cents: int) -> str:
    """An amount of cents as the vendor writes money."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _of(values: Ints, rows: Ints) -> Ints:
    """`values[rows]`, zeros if there are no values at all."""
    return values[rows] if len(values) else np.zeros(len(rows), dtype=np.int64)
