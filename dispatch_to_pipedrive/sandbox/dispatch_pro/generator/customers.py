"""Who the customers are, what sites they have, and who was merged into whom."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..draw import Draw, Flags, count_up
from ..table import Columns, Record
from ..times import DAY, HOUR, Ints, trimmed, write_many
from . import names
from .catalog import TAG, TAGS, USER_OF_OFFICE, ZONE, Field
from .custom_values import custom_values
from .edges import CASES, CustomerCase

CUSTOMER, LOCATION = 410_000_000, 430_000_000
YEAR = 365 * DAY
FRACTIONS = (4, 2, 4, 10, 6, 8, 16, 50)


@dataclass(frozen=True)
class Customers:
    """All customers and their sites by row. `merged` and `site_merged` are rows, -1 for none."""

    seed: int
    now: int
    commercial: Flags
    active: Flags
    merged: Ints
    moved: Flags
    joined: Ints
    site_start: Ints
    site_count: Ints
    site_customer: Ints
    site_merged: Ints

    def __len__(self) -> int:
        return len(self.joined)

    def names(self, rows: Ints) -> list[str]:
        """Customers' names."""
        persons = names.people(Draw(self.seed, "customers"), rows)
        firms = names.companies(Draw(self.seed, "customers"), rows)
        commercial = self.commercial[rows].tolist()
        drawn = [firm if c else person for person, firm, c in zip(persons, firms, commercial, strict=True)]
        for at in np.flatnonzero(rows < len(CASES)).tolist():
            drawn[at] = CASES[int(rows[at])].name or drawn[at]
        return drawn

    def site_names(self, rows: Ints) -> list[str]:
        """Sites are named as their customer, further ones with a number."""
        owners = self.site_customer[rows]
        ordinals = (rows - self.site_start[owners]).tolist()
        owner_names = self.names(owners)
        return [
            name if not k else f"{name} – site {k + 1}" for name, k in zip(owner_names, ordinals, strict=True)
        ]


def cases(count: int) -> tuple[CustomerCase, ...]:
    """The hand-written cases a tenant of `count` customers has."""
    return CASES[:count]


def make_customers(seed: int, count: int, now: int) -> Customers:
    """`count` customers who joined in the six years before `now`."""
    draw = Draw(seed, "customers")
    rows = np.arange(count, dtype=np.int64)
    commercial = draw.chance("commercial", rows, 0.07)
    few = draw.weighted("home sites", rows, (90, 8, 2)) + 1
    many = np.array([1, 1, 1, 2, 2, 3, 4, 6, 9, 17, 40], dtype=np.int64)
    more = many[draw.weighted("business sites", rows, (40, 20, 10, 10, 8, 5, 3, 2, 1, 0.4, 0.1))]
    sites = np.where(commercial, more, few)
    lost = draw.chance("merged", rows, 0.015) & (rows < count - 1)
    merged = np.where(lost, np.minimum(rows + 1 + draw.below("winner", rows, 25), count - 1), -1)
    active = ~(lost | draw.chance("left", rows, 0.012))
    moved = draw.chance("moved", rows, 0.5) & lost
    for row, case in enumerate(cases(count)):
        commercial[row], sites[row], active[row] = case.commercial, case.sites, case.active
        target = case.merged_into if case.merged_into is not None and case.merged_into < count else None
        merged[row] = -1 if target is None else target
        moved[row] = case.moved and target is not None
    starts, owners, ordinals = count_up(sites)
    site_rows = np.arange(len(owners), dtype=np.int64)
    again = Draw(seed, "locations").chance("merged", site_rows, 0.03) & (ordinals > 0)
    site_merged = np.where(again, starts[owners], -1)
    site_merged = np.where(moved[owners], starts[np.maximum(merged[owners], 0)], site_merged)
    joined = now - 90 * DAY - (draw.unit("age", rows) * 6 * YEAR).astype(np.int64)
    joined = trimmed(joined, draw.weighted("joined digits", rows, FRACTIONS))
    return Customers(seed, now, commercial, active, merged, moved, joined, starts, sites, owners, site_merged)


def customer_columns(people: Customers, balance: Ints, fields: Sequence[Field]) -> Columns:
    """The vendor's customers; `balance` in cents."""
    draw = Draw(people.seed, "customers")
    every = np.arange(len(people), dtype=np.int64)
    modified = last_touched(draw, every, people.joined, people.now)

    def render(rows: Ints) -> list[Record]:
        sites = people.site_start[rows]
        homes = names.addresses(Draw(people.seed, "locations"), sites)
        offices = names.addresses(draw, rows)
        columns = zip(
            rows.tolist(),
            people.names(rows),
            people.commercial[rows].tolist(),
            people.active[rows].tolist(),
            people.merged[rows].tolist(),
            [
                office if c else home
                for office, home, c in zip(offices, homes, people.commercial[rows], strict=True)
            ],
            balance[rows].tolist(),
            custom_values(draw, rows, fields),
            _tags(draw, rows, 0.12),
            draw.below("flags", rows, 200).tolist(),
            write_many(people.joined[rows]),
            write_many(modified[rows]),
            strict=True,
        )
        return [
            {
                "id": CUSTOMER + row,
                "active": active,
                "name": name,
                "type": "Commercial" if commercial else "Residential",
                "address": address,
                "customFields": custom,
                "balance": owed / 100,
                "taxExempt": flags < 4,
                "tagTypeIds": tags,
                "doNotMail": flags % 20 == 0,
                "doNotService": flags == 7,
                "nationalAccount": commercial and flags % 9 == 0,
                "createdOn": created,
                "createdById": USER_OF_OFFICE + flags % 4,
                "modifiedOn": changed,
                "mergedToId": CUSTOMER + merged if merged >= 0 else None,
                "paymentTermId": 71 if commercial else None,
                "creditLimit": 5000.0 if commercial else None,
                "creditLimitBalance": (500_000 - owed) / 100 if commercial else None,
                "externalData": [],
            }
            for row, name, commercial, active, merged, address, owed, custom, tags, flags, created, changed in columns
        ]

    return Columns(CUSTOMER + every, people.joined, modified, people.active.copy(), render)


def location_columns(people: Customers, fields: Sequence[Field]) -> Columns:
    """The vendor's locations."""
    draw = Draw(people.seed, "locations")
    every = np.arange(len(people.site_customer), dtype=np.int64)
    created = people.joined[people.site_customer] + (every - people.site_start[people.site_customer]) * HOUR
    modified = last_touched(draw, every, created, people.now)
    left = draw.chance("closed", every, 0.01) & (every > people.site_start[people.site_customer])
    active = (people.site_merged < 0) & ~left & people.active[people.site_customer]

    def render(rows: Ints) -> list[Record]:
        columns = zip(
            rows.tolist(),
            people.site_customer[rows].tolist(),
            active[rows].tolist(),
            people.site_names(rows),
            names.addresses(draw, rows),
            custom_values(draw, rows, fields),
            people.site_merged[rows].tolist(),
            draw.below("zone", rows, len(names.CITIES) * 2).tolist(),
            draw.below("flags", rows, 200).tolist(),
            _tags(draw, rows, 0.03),
            write_many(created[rows]),
            write_many(modified[rows]),
            strict=True,
        )
        return [
            {
                "taxZoneId": None,
                "id": LOCATION + row,
                "customerId": CUSTOMER + owner,
                "active": is_active,
                "name": name,
                "address": address,
                "customFields": custom,
                "createdOn": since,
                "createdById": USER_OF_OFFICE + flags % 4,
                "modifiedOn": changed,
                "mergedToId": LOCATION + merged if merged >= 0 else None,
                "zoneId": ZONE + zone if zone < len(names.CITIES) else None,
                "taxExempt": flags < 4,
                "tagTypeIds": tags,
                "externalData": [],
            }
            for row, owner, is_active, name, address, custom, merged, zone, flags, tags, since, changed in columns
        ]

    keys = {"customerId": CUSTOMER + people.site_customer}
    return Columns(LOCATION + every, created, modified, active.copy(), render, keys)


def last_touched(draw: Draw, rows: Ints, earliest: Ints, now: int) -> Ints:
    """When each row was changed last: at once, later, or by one of two bulk edits that share a moment."""
    quiet = draw.chance("untouched", rows, 0.3)
    span = np.maximum(now - HOUR - earliest, 0)
    later = earliest + (draw.unit("touched", rows) ** 2 * span).astype(np.int64)
    later = np.maximum(trimmed(later, draw.weighted("touched digits", rows, FRACTIONS)), earliest)
    touched = np.where(quiet, earliest, later)
    for share, moment in ((0.03, now - 400 * DAY), (0.02, now - 20 * DAY - 4_200_000)):
        bulk = draw.chance(f"bulk {moment - now}", rows, share) & (earliest < moment)
        touched = np.where(bulk, moment, touched)
    return np.minimum(touched, np.maximum(now - HOUR, earliest))


def _tags(draw: Draw, rows: Ints, share: float) -> list[list[int]]:
    tagged = draw.chance("tagged", rows, share).tolist()
    first = draw.below("tag", rows, len(TAGS)).tolist()
    second = draw.below("second tag", rows, len(TAGS) * 2).tolist()
    tags = [
        ([TAG + a, TAG + b] if b < len(TAGS) and b != a else [TAG + a]) if given else []
        for given, a, b in zip(tagged, first, second, strict=True)
    ]
    if draw.room == "customers":
        for at in np.flatnonzero(rows < len(CASES)).tolist():
            tags[at] = [TAG + tag for tag in CASES[int(rows[at])].tags]
    return tags
