"""Who the people of a customer or a site are by name: contacts with their numbers, addresses and relations."""

from dataclasses import dataclass

import numpy as np

from ..draw import Draw, count_up
from ..ids import Guids
from ..table import Columns, Record
from ..times import HOUR, MINUTE, Ints, write_many
from . import names
from .catalog import USER_OF_OFFICE
from .customers import CUSTOMER, LOCATION, Customers, cases, last_touched
from .edges import ContactCase

CONTACT, METHOD, RELATION = 1_000, 5_000, 9_000
TITLES = ("Owner", "Facilities", "Accounts payable", "Site manager", "Assistant – mornings", None, None, "")
KINDS = ("Phone", "MobilePhone", "Email", "Fax")
TYPE_NAMES = {"customer": "Customer", "location": "Location"}


@dataclass(frozen=True)
class NamedContacts:
    """The three tables, and how their ids are written."""

    contacts: Columns
    methods: Columns
    relationships: Columns


def named_contact_columns(people: Customers) -> NamedContacts:
    """Three of ten firms have one to three, two of a hundred homes have one; the hand-written ones come first."""
    seed, now = people.seed, people.now
    draw = Draw(seed, "named contacts")
    hands = [(row, case) for row, known in enumerate(cases(len(people))) for case in known.contacts]
    every = np.arange(len(people), dtype=np.int64)
    some = np.where(
        people.commercial,
        draw.chance("firm", every, 0.3) * draw.between("count", every, 1, 4),
        draw.chance("home", every, 0.02),
    ).astype(np.int64)
    some[: len(cases(len(people)))] = 0
    _, drawn, _ = count_up(some)
    owner = np.concatenate((np.array([row for row, _ in hands], dtype=np.int64), drawn))
    rows = np.arange(len(owner), dtype=np.int64)
    created = people.joined[owner] + (rows % 5) * MINUTE
    modified = last_touched(draw, rows, created, now)
    by_hand = {at: case for at, (_, case) in enumerate(hands)}
    archived = draw.chance("archived", rows, 0.08)
    for row, case in by_hand.items():
        archived[row] = case.archived
    guids = Guids(seed, "contact")

    def render(wanted: Ints) -> list[Record]:
        looks = draw.below("looks", wanted, 1 << 20).tolist()
        columns = zip(
            wanted.tolist(),
            names.people(draw, wanted),
            looks,
            archived[wanted].tolist(),
            write_many(created[wanted]),
            write_many(modified[wanted]),
            strict=True,
        )
        made = []
        for row, name, look, gone, at, changed in columns:
            case = by_hand.get(row)
            title = case.title if case else TITLES[look % len(TITLES)]
            made.append(
                {
                    "id": guids.write(CONTACT + row),
                    "referenceId": f"ext-{look}" if look % 7 == 0 else None,
                    "name": case.name if case else (None if look % 20 == 3 else name),
                    "title": title,
                    "isArchived": gone,
                    "createdOn": at,
                    "createdBy": USER_OF_OFFICE + look % 4,
                    "modifiedOn": changed,
                    "modifiedBy": USER_OF_OFFICE + look // 4 % 4,
                }
            )
        return made

    active = np.ones(len(rows), dtype=np.bool_)
    contacts = Columns(CONTACT + rows, created, modified, active, render, spelled={"id": guids})
    return NamedContacts(
        contacts,
        _methods(people, draw, by_hand, created, guids),
        _relations(people, draw, by_hand, owner, created, guids),
    )


def _methods(
    people: Customers, draw: Draw, by_hand: dict[int, ContactCase], since: Ints, guids: Guids
) -> Columns:
    every = np.arange(len(since), dtype=np.int64)
    counts = draw.weighted("methods", every, (1, 4, 4, 1))
    for row, case in by_hand.items():
        counts[row] = len(case.methods)
    starts, contact, ordinal = count_up(counts)
    rows = np.arange(len(contact), dtype=np.int64)
    kind = draw.weighted("kind", rows, (2, 4, 4, 0.3))
    created = since[contact] + ordinal * MINUTE
    modified = last_touched(Draw(people.seed, "contact methods"), rows, created, people.now)
    written = {
        int(starts[row]) + at: pair for row, case in by_hand.items() for at, pair in enumerate(case.methods)
    }
    own = Guids(people.seed, "contact method")

    def render(wanted: Ints) -> list[Record]:
        columns = zip(
            wanted.tolist(),
            contact[wanted].tolist(),
            kind[wanted].tolist(),
            names.phones(draw, wanted),
            draw.below("memo", wanted, len(names.MEMOS) * 2).tolist(),
            write_many(created[wanted]),
            write_many(modified[wanted]),
            strict=True,
        )
        made = []
        for row, of, what, phone, memo, at, changed in columns:
            drawn = (KINDS[what], f"contact{row}@firm.example.com" if KINDS[what] == "Email" else phone)
            type_, value = written.get(row, drawn)
            made.append(
                {
                    "id": own.write(METHOD + row),
                    "contactId": guids.write(CONTACT + of),
                    "referenceId": None,
                    "type": type_,
                    "value": value,
                    "memo": names.MEMOS[memo] if memo < len(names.MEMOS) else None,
                    "createdOn": at,
                    "createdBy": USER_OF_OFFICE + memo % 4,
                    "modifiedOn": changed,
                    "modifiedBy": USER_OF_OFFICE + memo % 4,
                }
            )
        return made

    active = np.ones(len(rows), dtype=np.bool_)
    keys, spelled = {"contactId": CONTACT + contact}, {"id": own, "contactId": guids}
    return Columns(METHOD + rows, created, modified, active, render, keys, spelled)


def _relations(
    people: Customers,
    draw: Draw,
    by_hand: dict[int, ContactCase],
    owner: Ints,
    since: Ints,
    guids: Guids,
) -> Columns:
    """Of a customer; of its first site, too, or only; a few of another customer as well."""
    every = np.arange(len(owner), dtype=np.int64)
    how = draw.weighted("relation", every, (70, 12, 12, 6)).tolist()
    other = draw.below("other", every, len(people)).tolist()
    edges: list[tuple[int, int, str]] = []
    for row, of in enumerate(owner.tolist()):
        case = by_hand.get(row)
        if case is None:
            kind = how[row]
            case = ContactCase(
                None,
                customer=kind != 2,
                site=0 if kind in (1, 2) else None,
                also=(other[row],) if kind == 3 and other[row] != of else (),
            )
        if case.customer:
            edges.append((row, CUSTOMER + of, "customer"))
        if case.site is not None:
            edges.append((row, LOCATION + int(people.site_start[of]) + case.site, "location"))
        edges += [(row, CUSTOMER + also, "customer") for also in case.also if also < len(people)]
    contact = np.array([edge[0] for edge in edges], dtype=np.int64)
    related = np.array([edge[1] for edge in edges], dtype=np.int64)
    rows = np.arange(len(edges), dtype=np.int64)
    created = np.minimum(since[contact] + (rows % 3) * MINUTE, people.now - HOUR)
    own = Guids(people.seed, "contact relationship")

    def render(wanted: Ints) -> list[Record]:
        return [
            {
                "id": own.write(RELATION + row),
                "relatedEntityId": edges[row][1],
                "typeName": TYPE_NAMES[edges[row][2]],
                "typeSlug": edges[row][2],
                "createdOn": at,
                "createdBy": USER_OF_OFFICE + row % 4,
                "contactId": guids.write(CONTACT + edges[row][0]),
            }
            for row, at in zip(wanted.tolist(), write_many(created[wanted]), strict=True)
        ]

    active = np.ones(len(rows), dtype=np.bool_)
    keys = {"contactId": CONTACT + contact, "relatedEntityId": related}
    spelled = {"id": own, "contactId": guids}
    return Columns(RELATION + rows, created, created.copy(), active, render, keys, spelled)
