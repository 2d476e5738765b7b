"""How the people of a customer change: named contacts, their numbers and addresses, whom they belong to."""

from collections.abc import Sequence
from typing import Any

from .generator.named_contacts import TYPE_NAMES
from .hand import ChangeError, Hand
from .table import Record


def add_named_contact(
    hand: Hand,
    name: str | None,
    title: str | None = None,
    customer: Any = None,
    location: Any = None,
    methods: Sequence[Sequence[str]] = (),
) -> Record:
    """A person of a customer, of a location, or of nobody yet; `methods` are pairs of type and value."""
    made = hand.add(
        "named_contacts", {"name": name, "title": title, "referenceId": None, "isArchived": False}
    )
    for kind, value in methods:
        add_method(hand, made["id"], kind, value)
    if customer is not None:
        relate(hand, made["id"], customer=customer)
    if location is not None:
        relate(hand, made["id"], location=location)
    return made


def archive_contact(hand: Hand, contact: str, archived: bool = True) -> Record:
    """Archive a person, or take that back."""
    return hand.change("named_contacts", contact, {"isArchived": archived})


def add_method(hand: Hand, contact: str, type: str, value: str, memo: str | None = None) -> Record:
    """A phone number or e-mail address of a person; the person's `modifiedOn` does not move."""
    of = hand.get("named_contacts", contact)["id"]
    return hand.add(
        "contact_methods",
        {"contactId": of, "type": type, "value": value, "memo": memo, "referenceId": None},
    )


def remove_method(hand: Hand, id: str) -> Record:
    """Delete a phone number or e-mail address of a person: it is no longer listed."""
    return _remove(hand, "contact_methods", id)


def relate(hand: Hand, contact: str, customer: Any = None, location: Any = None) -> Record:
    """Let a person belong to a customer or a location (too)."""
    if (customer is None) == (location is None):
        raise ChangeError("a relation is to a customer or to a location")
    slug, feed = ("customer", "customers") if location is None else ("location", "locations")
    related = hand.get(feed, customer if location is None else location)["id"]
    of = hand.get("named_contacts", contact)["id"]
    return hand.add(
        "contact_relationships",
        {"contactId": of, "relatedEntityId": related, "typeSlug": slug, "typeName": TYPE_NAMES[slug]},
    )


def unrelate(hand: Hand, contact: str, entity: Any) -> Record:
    """Take a person's relation to a customer or location (its id) away: it is no longer listed."""
    for relation in hand.of("contact_relationships", "contactId", contact):
        if relation["relatedEntityId"] == int(entity):
            return _remove(hand, "contact_relationships", relation["id"])
    raise ChangeError(f"contact {contact} has no relation to {entity}")


def _remove(hand: Hand, feed: str, record_id: str) -> Record:
    record = hand.get(feed, record_id)
    hand.table(feed).remove(record_id)
    return record
