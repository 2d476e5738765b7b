"""What was paid: in full, in part, twice, for two invoices at once, or given back; whole cents until rendered."""

from dataclasses import dataclass

import numpy as np

from ..draw import Draw, Flags, count_up
from ..table import Columns, Record
from ..times import DAY, HOUR, Ints, trimmed, write_dates, write_many
from .catalog import ROLES, UNIT, UNITS
from .customers import CUSTOMER, FRACTIONS, Customers, last_touched
from .edges import PAID, PARTLY, REFUNDED, TWICE, UNPAID
from .invoices import Invoices, text
from .jobs import INVOICE, JOB

PAYMENT, APPLIED = 570_000_000, 575_000_000
METHODS = (("Credit Card", "16"), ("Check", "2"), ("Cash", "1"), ("ACH", "21"))


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


def customer_balances(people: Customers, invoices: Invoices, paid: Ints) -> Ints:
    """What each customer still owes."""
    owed = np.zeros(len(people), dtype=np.int64)
    counted = (invoices.customer >= 0) & invoices.active
    np.add.at(owed, invoices.customer[counted], (invoices.total - paid)[counted])
    return owed


def payment_columns(people: Customers, invoices: Invoices, payments: Payments) -> Columns:
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
