"""How the frames of a batch become the normalized frames, and what of them is not carried."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from dispatch_to_pipedrive.normalize import custom_fields, schemas
from dispatch_to_pipedrive.normalize.activities import carried_visits, of_visits
from dispatch_to_pipedrive.normalize.addresses import sites
from dispatch_to_pipedrive.normalize.contacts import points
from dispatch_to_pipedrive.normalize.custom_fields import Read
from dispatch_to_pipedrive.normalize.customers import roots
from dispatch_to_pipedrive.normalize.deals import carried_jobs, deals
from dispatch_to_pipedrive.normalize.files import carried_attachments, files
from dispatch_to_pipedrive.normalize.leftovers import left, together
from dispatch_to_pipedrive.normalize.named_contacts import people
from dispatch_to_pipedrive.normalize.notes import notes
from dispatch_to_pipedrive.normalize.organizations import organizations
from dispatch_to_pipedrive.normalize.persons import persons
from dispatch_to_pipedrive.normalize.sources import SourceHosts
from dispatch_to_pipedrive.normalize.talks import calls, emails, newest_owner
from dispatch_to_pipedrive.normalize.technicians import crew


@dataclass(frozen=True)
class NormalizeOptions:
    """How to normalize.

    `sites`: how many sites have columns of their own; `priority_field`: the job custom field with the bucket; `reads`:
    the custom fields that the maps read, so that they do not count as left behind; `hosts`: where links into Dispatch
    Pro lead; `file_limit`: bytes of the largest file that is moved.
    """

    sites: int = 4
    priority_field: str = "Dispatch Pro Priority"
    reads: frozenset[Read] = frozenset()
    hosts: SourceHosts = field(default_factory=SourceHosts)
    file_limit: int = 25_000_000


@dataclass(frozen=True)
class Normalized:
    """The frames for the destination's entities, sorted by root and key.

    `not_carried`: feed, id, key, root, reason.
    """

    organizations: pd.DataFrame
    persons: pd.DataFrame
    deals: pd.DataFrame
    activities: pd.DataFrame
    files: pd.DataFrame
    notes: pd.DataFrame
    not_carried: pd.DataFrame


def normalize(
    frames: Mapping[str, pd.DataFrame], reference: Mapping[str, pd.DataFrame], options: NormalizeOptions
) -> Normalized:
    """Source frames of whole roots (every record of a root is there) → normalized frames, checked by schema.

    Raises `BadTimestamp`, and pandera's SchemaError where a frame breaks what `schemas` promises.
    """
    customers, merged = roots(frames, reference)
    places = sites(frames, customers, options.sites)
    named = people(frames, customers, places)
    contacts, unused = points(frames, customers, places.survivor, named)
    everyone = persons(customers, places, contacts, named)
    jobs, lost_jobs = carried_jobs(frames, customers, places.survivor)
    visits, lost_visits = carried_visits(frames, jobs)
    assigned = crew(frames, reference, visits)
    sales, unsold = deals(jobs, frames, reference, assigned, options.priority_field, options.hosts)
    visited, unworked = of_visits(visits, jobs, sales, everyone, frames, assigned, places, options.hosts)
    called, unheard = calls(frames, customers, jobs, sales, everyone)
    mailed, unread = emails(frames, customers, jobs, sales, everyone, options.hosts)
    attached, oversized, unattached = carried_attachments(frames, jobs, options.file_limit)
    written = notes(frames, reference, customers, jobs, places, oversized, options.hosts)
    owners = newest_owner(sales)
    source = {**frames, **reference}
    fields = {feed: custom_fields.filled(source[f"{feed}.custom_fields"]) for feed in custom_fields.FEEDS}
    made = {
        "organizations": _owned(organizations(customers, places), owners),
        "persons": _owned(everyone, owners),
        "deals": sales,
        "activities": schemas.stacked("activities", (visited, called, mailed)),
        "files": files(attached, written.images),
        "notes": schemas.stacked("notes", (written.notes,)),
    }
    leftovers = [
        *merged,
        *places.leftovers,
        *named.leftovers,
        *unused,
        *lost_jobs,
        *lost_visits,
        *assigned.leftovers,
        *unsold,
        *unworked,
        *unheard,
        *unread,
        *unattached,
        *written.leftovers,
        *_not_in_the_map(frames, fields, made, options),
    ]
    checked = {
        entity: schemas.checked(entity, custom_fields.bearing(entity, frame, fields), options.sites)
        for entity, frame in made.items()
    }
    return Normalized(**checked, not_carried=together(leftovers))


def _owned(records: pd.DataFrame, owners: pd.Series) -> pd.DataFrame:
    """Records of customers with the owner of the customer's newest job; missing where it has no job."""
    return records.assign(owner_email=records["root"].map(owners).astype("string"))


def _not_in_the_map(
    frames: Mapping[str, pd.DataFrame],
    fields: Mapping[str, pd.DataFrame],
    made: Mapping[str, pd.DataFrame],
    options: NormalizeOptions,
) -> list[pd.DataFrame]:
    """What lands nowhere: custom fields that no map reads, those without a name, and the tags of locations."""
    found = []
    for feed in ("customers", "locations", "jobs"):
        priority = (custom_fields.folded(options.priority_field),) if feed == "jobs" else ()
        found += custom_fields.unread(feed, fields[feed], made, options.reads, priority)
        custom = frames[f"{feed}.custom_fields"]
        nameless = (custom["name"].fillna("").str.strip() == "") & (
            custom["value"].fillna("").str.strip() != ""
        )
        found.append(left(f"{feed}.custom_fields", custom, nameless, "custom field without a name"))
    tagged = frames["locations.tag_type_ids"]
    everywhere = pd.Series(True, index=tagged.index)
    found.append(left("locations.tag_type_ids", tagged, everywhere, "tags of locations have no place"))
    return found
