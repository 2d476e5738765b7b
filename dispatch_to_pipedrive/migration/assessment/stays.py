"""What of the tenant does not move, how much of it there is, and what to do instead?"""

from collections.abc import Callable
from typing import NamedTuple

from dispatch_to_pipedrive.migration.assessment.tables import Fields

OPTIMISATION = (
    "Dispatch Pro's optimisation does not carry over: jobs keep the technician whom they had, and nobody reassigns "
    "them in Pipedrive. Who owns what before and after is told by the technicians' table and by the deals; "
    "no optimisation is imitated."
)


class Stays(NamedTuple):
    """One thing that does not move; `number` None where the interface does not tell it."""

    what: str
    number: int | None
    why: str
    instead: str


Count = Callable[[Fields], int | None]


def records(feed: str) -> Count:
    """Number of records of a feed."""
    return lambda fields: told.records if (told := fields.get((feed, "active"))) else None


def having(feed: str, field: str, value: str) -> Count:
    """Number of records with this value."""
    return lambda fields: dict(told.frequent).get(value, 0) if (told := fields.get((feed, field))) else None


def distinct(feed: str, field: str) -> Count:
    """Number of different values of a field."""
    return lambda fields: told.different if (told := fields.get((feed, field))) else None


def filled(feed: str, field: str) -> Count:
    """Number of records that have the field."""
    return lambda fields: told.records - told.missing if (told := fields.get((feed, field))) else None


def unknown(_fields: Fields) -> None:
    """Not told by what is read."""


_THINGS: tuple[tuple[str, Count, str, str], ...] = (
    (
        "Scheduling and dispatch rules (job types enabled for Dispatch Pro)",
        having("job_types", "is_smart_dispatched", "true"),
        "The algorithm is part of Dispatch Pro; the interface tells only which job types it may dispatch.",
        "Decide in Pipedrive who owns new deals, by hand or by an automation on the field Job_Type__c.",
    ),
    (
        "Jobs that Dispatch Pro dispatched",
        having("jobs", "is_auto_dispatched", "true"),
        "That a job was dispatched automatically has no meaning in Pipedrive.",
        "Nothing: the technician stays with the deal.",
    ),
    (
        "Routing and zones",
        records("zones"),
        "Pipedrive has no territories with routes.",
        "Keep a routing tool, or a pick-list of zones filled by hand.",
    ),
    (
        "Technicians' shifts and capacity",
        records("technician_shifts"),
        "Pipedrive has no working-time calendar of field staff.",
        "Keep them where the rota is made.",
    ),
    (
        "Line items of invoices",
        distinct("invoices.items", "id"),
        "Amount and payment state move as fields of the deal; items would need Pipedrive's products, made by hand.",
        "Keep the invoices in the accounting system; the verbatim records stay in the export.",
    ),
    (
        "Payments as documents",
        records("payments"),
        "Pipedrive has no payments; their sum decides the deal's payment state.",
        "Keep them in the accounting system.",
    ),
    (
        "Accounting integrations (QuickBooks, Xero)",
        unknown,
        "They belong to the accounts on either side and are not touched.",
        "Set them up anew for Pipedrive, if it is to take part.",
    ),
    (
        "Sequences and automations",
        unknown,
        "Neither interface lists or makes them.",
        "Write down those in use and build them anew in Pipedrive; keep Pipedrive's paused while records are loaded.",
    ),
    (
        "Memberships and service agreements",
        distinct("jobs", "membership_id"),
        "They are read only as a number on jobs; Pipedrive has no recurring service.",
        "Keep them in the source, or sell them as recurring products.",
    ),
    (
        "Projects",
        distinct("jobs", "project_id"),
        "A deal stands for each of their jobs.",
        "Group the deals by a filter, or use Pipedrive's own projects.",
    ),
    (
        "Estimates that jobs were made from",
        distinct("jobs", "created_from_estimate_id"),
        "They are not read; the job they led to moves.",
        "Keep them as documents.",
    ),
    (
        "Tags of locations",
        filled("locations.tag_type_ids", "value"),
        "A location is an address in Pipedrive and bears no labels.",
        "Tag the customer or the job instead, before the move.",
    ),
    (
        "Employees who are no technicians",
        records("employees"),
        "Users are not made by the interface: they are seats.",
        "Invite them in Pipedrive.",
    ),
)


def what_stays(fields: Fields) -> list[Stays]:
    """Everything that does not move, with its number in this tenant."""
    return [Stays(what, count(fields), why, instead) for what, count, why, instead in _THINGS]
