"""How customers and sites are reached: one phone number or e-mail address a row, as the vendor keeps them."""

import numpy as np

from ..draw import Draw, count_up
from ..table import Columns, Record
from ..times import MINUTE, Ints, write_many
from . import names
from .customers import CUSTOMER, LOCATION, Customers, cases, last_touched
from .edges import CASES

CUSTOMER_CONTACT, LOCATION_CONTACT = 420_000_000, 440_000_000
KINDS = ("Phone", "MobilePhone", "Email", "Fax")
PHONE, MOBILE, EMAIL, FAX = range(4)


def customer_contact_columns(people: Customers) -> Columns:
    """Phones and e-mails of customers: none, one or several; 2 % share an e-mail with the customer before."""
    draw = Draw(people.seed, "customer contacts")
    every = np.arange(len(people), dtype=np.int64)
    phones = np.array([0, 1, 2, 3], dtype=np.int64)[draw.weighted("phones", every, (5, 60, 30, 5))]
    emails = np.array([0, 1, 2, 3], dtype=np.int64)[draw.weighted("emails", every, (18, 70, 10, 2))]
    for row, case in enumerate(cases(len(people))):
        phones[row], emails[row] = case.phones, case.emails
    _, parent, ordinal = count_up(phones + emails)
    rows = np.arange(len(parent), dtype=np.int64)
    kind = np.where(
        ordinal < phones[parent], np.where(draw.chance("mobile", rows, 0.6), MOBILE, PHONE), EMAIL
    )
    kind = np.where((kind == PHONE) & draw.chance("fax", rows, 0.03), FAX, kind)
    nth = ordinal - phones[parent]
    return _contacts(people, draw, rows, parent, kind, nth, people.joined[parent], "customerId")


def location_contact_columns(people: Customers) -> Columns:
    """Phones and e-mails of sites: copies of the customer's, and at some sites people the customer lacks."""
    draw = Draw(people.seed, "location contacts")
    sites = np.arange(len(people.site_customer), dtype=np.int64)
    owner = people.site_customer
    counts = np.array([0, 1, 2], dtype=np.int64)[draw.weighted("copies", sites, (35, 45, 20))]
    guests = draw.chance("guests", sites, 0.08)
    for row, case in enumerate(cases(len(people))):
        if case.guests:
            guests[owner == row] = True
    counts = counts + 2 * guests
    _, site, ordinal = count_up(counts)
    rows = np.arange(len(site), dtype=np.int64)
    own = guests[site] & (ordinal >= counts[site] - 2)
    kind = np.where(
        own, np.where(ordinal == counts[site] - 2, MOBILE, EMAIL), np.where(ordinal % 2 == 0, PHONE, EMAIL)
    )
    nth = np.where(own, 1_000 + site, 0)
    return _contacts(people, draw, rows, site, kind, nth, people.joined[owner[site]], "locationId")


def _contacts(
    people: Customers, draw: Draw, rows: Ints, parent: Ints, kind: Ints, nth: Ints, since: Ints, key: str
) -> Columns:
    of_site = key == "locationId"
    created = since + (rows % 7) * MINUTE
    modified = last_touched(draw, rows, created, people.now)
    active = ~draw.chance("deleted", rows, 0.02)
    owner = people.site_customer[parent] if of_site else parent
    base, parents = (LOCATION_CONTACT, LOCATION) if of_site else (CUSTOMER_CONTACT, CUSTOMER)

    def render(wanted: Ints) -> list[Record]:
        columns = zip(
            wanted.tolist(),
            parent[wanted].tolist(),
            kind[wanted].tolist(),
            nth[wanted].tolist(),
            _emails(people, owner[wanted], nth[wanted]),
            names.phones(draw, np.where(nth[wanted] < 1_000, owner[wanted] * 4 + kind[wanted], wanted)),
            draw.below("memo", wanted, len(names.MEMOS) * 60).tolist(),
            active[wanted].tolist(),
            write_many(created[wanted]),
            write_many(modified[wanted]),
            strict=True,
        )
        made = []
        for row, of, what, n, email, phone, memo, is_active, at, changed in columns:
            value = email if what == EMAIL else phone
            guest = of_site and n >= 1_000
            made.append(
                {
                    "modifiedOn": changed,
                    "phoneSettings": {
                        "phoneNumber": "" if what == EMAIL else value,
                        "doNotText": memo % 20 == 0,
                    },
                    "createdOn": at,
                    "preferences": {
                        "jobRemindersEnabled": memo % 3 != 0,
                        "marketingUpdatesEnabled": memo % 4 != 0,
                        "invoiceStatementNotification": False,
                    }
                    if memo % 5
                    else None,
                    "id": base + row,
                    "type": KINDS[what],
                    "value": value,
                    "memo": names.FAMILIES[of % len(names.FAMILIES)]
                    if guest
                    else names.MEMOS[memo % len(names.MEMOS)],
                    key: parents + of,
                    "active": is_active,
                }
            )
        return made

    return Columns(base + rows, created, modified, active.copy(), render, {key: parents + parent})


def _emails(people: Customers, owner: Ints, nth: Ints) -> list[str]:
    """The nth e-mail of a customer. A shared one is the first of the customer before, in other letters."""
    draw = Draw(people.seed, "e-mails")
    shares = draw.chance("shared", owner, 0.02) & (owner > 0)
    hand = np.array([case.shares_email for case in CASES], dtype=np.bool_)
    shares = np.where(owner < len(CASES), hand[np.minimum(owner, len(CASES) - 1)] & (owner > 0), shares)
    shares &= nth <= 0
    first = names.emails(draw, np.where(shares, owner - 1, owner))
    written = []
    for email, n, shared in zip(first, nth.tolist(), shares.tolist(), strict=True):
        name, host = email.split("@")
        text = email if n <= 0 else f"site{n - 1_000}@{host}" if n >= 1_000 else f"{name}+{n}@{host}"
        written.append(text.upper() if shared and text.islower() else text.title() if shared else text)
    return written
