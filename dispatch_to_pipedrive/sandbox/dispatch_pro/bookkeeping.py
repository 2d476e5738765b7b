"""What the books say after a change: invoices, payments, balances and job totals kept in step."""

from decimal import Decimal
from typing import Any

from .generator.invoices import text
from .hand import ChangeError, Hand
from .table import Record
from .times import write_ticks


def cents(amount: Any) -> int:
    """An amount as text or number in whole cents."""
    return int((Decimal(str(amount)) * 100).to_integral_value())


def add_invoice(hand: Hand, job: Any, total: Any = "0.00", tax: Any = "0.00", **fields: Any) -> Record:
    """A further invoice of a job; `total` includes `tax`; a negative one is a credit."""
    of_job = hand.get("jobs", job)
    customer = hand.get("customers", of_job["customerId"])
    location = hand.get("locations", of_job["locationId"])
    unit = hand.get("business_units", of_job["businessUnitId"])
    kind = hand.get("job_types", of_job["jobTypeId"])
    address = {key: location["address"][key] for key in ("street", "unit", "city", "state", "zip", "country")}
    day = write_ticks(hand.now())[:10] + "T00:00:00Z"
    amount = cents(total)
    invoice = hand.add(
        "invoices",
        {
            "summary": None,
            "items": [],
            "referenceNumber": of_job["jobNumber"],
            "invoiceDate": day,
            "dueDate": day,
            "paidOn": None,
            "subTotal": text(amount - cents(tax)),
            "salesTax": text(cents(tax)),
            "salesTaxCode": None,
            "total": text(amount),
            "balance": text(amount),
            "customer": {"id": customer["id"], "name": customer["name"]},
            "customerAddress": address,
            "location": {"id": location["id"], "name": location["name"]},
            "locationAddress": address,
            "businessUnit": {"id": unit["id"], "name": unit["name"]},
            "job": {"id": of_job["id"], "number": of_job["jobNumber"], "type": kind["name"]},
            "invoiceConfiguration": "JobInvoice",
            "adjustmentToId": None,
            "projectId": of_job["projectId"],
            **fields,
        },
    )
    settle_books(hand, of_job["id"])
    return invoice


def add_payment(hand: Hand, invoice: Any, amount: Any, **fields: Any) -> Record:
    """A payment applied to one invoice; a negative one is a refund."""
    of_invoice = hand.get("invoices", invoice)
    day = write_ticks(hand.now())
    payment = hand.add(
        "payments",
        {
            "appliedTo": [
                {
                    "appliedAmount": text(cents(amount)),
                    "appliedBy": "csr",
                    "appliedId": 579_000_000 + len(hand.touched),
                    "appliedOn": day,
                    "appliedTo": of_invoice["id"],
                    "appliedToReferenceNumber": of_invoice["referenceNumber"],
                }
            ],
            "customer": of_invoice["customer"],
            "businessUnit": of_invoice["businessUnit"],
            "date": day[:10] + "T00:00:00Z",
            "total": text(cents(amount)),
            "unappliedAmount": "0.00",
            "refundedPaymentId": None,
            **fields,
        },
    )
    _apply(hand, of_invoice, cents(amount))
    return payment


def set_active(hand: Hand, feed: str, record_id: Any, active: bool) -> Record:
    """Void or restore any record; invoices and payments take their amounts with them."""
    record = hand.get(feed, record_id)
    if "active" not in record:
        raise ChangeError(f"{feed} has no field active")
    was, record["active"] = record["active"], active
    record = hand.put(feed, record)
    if feed == "invoices" and record["job"]:
        settle_books(hand, record["job"]["id"])
    if feed == "payments" and was != active:
        for part in record["appliedTo"] or []:
            amount = cents(part["appliedAmount"])
            _apply(hand, hand.get("invoices", part["appliedTo"]), amount if active else -amount)
    return record


def settle_books(hand: Hand, job: Any) -> None:
    """The job's total is the sum of its active invoices."""
    of_job = hand.get("jobs", job)
    total = sum(cents(i["total"]) for i in hand.of("invoices", "jobId", of_job["id"]) if i["active"])
    if cents(of_job["total"] or 0) != total:
        hand.change("jobs", job, {"total": total / 100})


def _apply(hand: Hand, invoice: Record, amount: int) -> None:
    left = cents(invoice["balance"]) - amount
    paid_on = write_ticks(hand.now())[:10] + "T00:00:00Z" if left == 0 else None
    hand.change("invoices", invoice["id"], {"balance": text(left), "paidOn": paid_on})
    if invoice["customer"]:
        customer = hand.get("customers", invoice["customer"]["id"])
        hand.change("customers", customer["id"], {"balance": (cents(customer["balance"]) - amount) / 100})
