"""May the app read every kind of record? One small request a feed, and the scope to tick where it is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from dispatch_to_pipedrive.dispatch_pro.errors import Forbidden, NotFound, RequestFailed
from dispatch_to_pipedrive.dispatch_pro.feeds import Feed

SCOPES: Mapping[str, str] = {
    "customers": "tn.crm.customers:r",
    "customer_contacts": "tn.crm.customers:r",
    "locations": "tn.crm.locations:r",
    "location_contacts": "tn.crm.locations:r",
    "jobs": "tn.jpm.jobs:r",
    "appointments": "tn.jpm.appointments:r",
    "appointment_assignments": "tn.dis.appointmentassignments:r",
    "invoices": "tn.acc.invoices:r",
    "payments": "tn.acc.payments:r",
    "job_notes": "tn.jpm.jobnotes:r",
    "job_canceled_logs": "tn.jpm.jobcanceledlogs:r",
    "job_types": "tn.jpm.jobtypes:r",
    "job_cancel_reasons": "tn.jpm.jobcancelreasons:r",
    "zones": "tn.dis.zones:r",
    "technician_shifts": "tn.dis.technicianshifts:r",
    "job_attachments": "tn.frm.jobs:r",
    "customer_notes": "tn.crm.customers:r",
    "location_notes": "tn.crm.locations:r",
    "job_hold_reasons": "tn.jpm.jobholdreasons:r",
    "technician_skills": "tn.dis.technicianskills:r",
    "arrival_windows": "tn.dis.arrivalwindows:r",
    "teams": "tn.dis.teams:r",
    "business_hours": "tn.dis.businesshours:r",
    "capacity": "tn.dis.capacity:w",  # a question that is posted, so the vendor calls it writing
}
"""Scopes as the vendor's pages write them; those of the other feeds are named by what they let read."""


class Getter(Protocol):
    """What asking needs of the client."""

    async def get(
        self, path: str, params: Mapping[str, str] | None = None, question: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The JSON object at `path`, or the answer to a question that is posted there."""


def scope_of(feed: Feed) -> str:
    """The read scope that a feed needs, in words where its name is not published."""
    return (
        SCOPES.get(feed.name)
        or f"the read scope of {feed.name.replace('_', ' ')} ({feed.path.split('/', 2)[1]})"
    )


async def unreadable(client: Getter, feeds: Iterable[Feed], since: datetime) -> dict[str, str]:
    """Feed → the scope that it lacks, for those that the app may not read.

    since: a moment from which exports are asked, so that a page is small. Raises Unauthorized, or the refusal itself
    where the app may read nothing at all, and Unavailable.
    """
    asked = [feed for feed in feeds if feed.kind != "mail"]
    # The first alone: where nobody is let in at all, it is not asked two dozen times at once.
    first = await _refusal(client, asked[0], since)
    refusals = [first, *await asyncio.gather(*(_refusal(client, feed, since) for feed in asked[1:]))]
    found = [(feed, refusal) for feed, refusal in zip(asked, refusals, strict=True) if refusal is not None]
    if found and len(found) == len(asked):
        raise found[0][1]
    return {feed.name: scope_of(feed) for feed, _ in found}


async def _refusal(client: Getter, feed: Feed, since: datetime) -> RequestFailed | None:
    """None also where something is not there that need not be: a parent of any id, or what a tenant may lack."""
    begin = since.strftime("%Y-%m-%dT%H:%M:%SZ")
    params: dict[str, str] = {"page": "1", "pageSize": "1"}
    question = None
    if feed.kind == "export":
        params = {"from": begin}
    elif feed.kind == "object":
        params = {}
    elif feed.kind == "capacity":
        params = {}
        end = (since + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        question = {"startsOnOrAfter": begin, "endsOnOrBefore": end, "skillBasedAvailability": False}
    try:
        await client.get(feed.path.replace("{parent}", "1"), {**feed.params, **params}, question)
    except NotFound as refusal:
        return None if feed.optional or feed.kind == "parent" else refusal
    except Forbidden as refusal:
        return refusal
    return None
