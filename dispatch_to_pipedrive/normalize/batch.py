"""How the frames of a batch become the normalized frames, and what of them is not carried."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from dispatch_to_pipedrive.normalize import custom_fields, schemas
from dispatch_to_pipedrive.normalize.activities import activities, carried_visits
from dispatch_to_pipedrive.normalize.addresses import sites
from dispatch_to_pipedrive.normalize.contacts import points
from dispatch_to_pipedrive.normalize.custom_fields import Read
from dispatch_to_pipedrive.normalize.customers import roots
from dispatch_to_pipedrive.normalize.deals import carried_jobs, deals
from dispatch_to_pipedrive.normalize.leftovers import left, together
from dispatch_to_pipedrive.normalize.organizations import organizations
from dispatch_to_pipedrive.normalize.persons import persons
from dispatch_to_pipedrive.normalize.technicians import crew


@dataclass(frozen=True)
class NormalizeOptions:
    """How to normalize.

    `sites`: how many sites have columns of their own; `priority_field`: the job custom field with the bucket; `reads`:
    the custom fields that the maps read, so that they do not count as left behind.
    """

    sites: int = 4
    priority_field: str = "Dispatch Pro Priority"
    reads: frozenset[Read] = frozenset()


@dataclass(frozen=True)
class Normalized:
    """The frames for the destination's entities, sorted by root and key, and `not_carried`: feed, id, root, reason."""

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
    contacts, unused = points(frames, customers, places.survivor)
    people = persons(customers, places, contacts)
    jobs, lost_jobs = carried_jobs(frames, customers, places.survivor)
    visits, lost_visits = carried_visits(frames, jobs)
    assigned = crew(frames, reference, visits)
    sales, unsold = deals(jobs, frames, reference, assigned, options.priority_field)
    done, unworked = activities(visits, jobs, sales, people, frames, assigned, places)
    source = {**frames, **reference}
    fields = {feed: custom_fields.filled(source[f"{feed}.custom_fields"]) for feed in custom_fields.FEEDS}
    made = {
        "organizations": organizations(customers, places),
        "persons": people,
        "deals": sales,
        "activities": done,
        "files": schemas.empty("files"),
        "notes": schemas.empty("notes"),
    }
    leftovers = [
        *merged,
        *places.leftovers,
        *unused,
        *lost_jobs,
        *lost_visits,
        *assigned.leftovers,
        *unsold,
        *unworked,
        *_not_in_the_map(frames, fields, made, options),
    ]
    checked = {
        entity: schemas.checked(entity, custom_fields.bearing(entity, frame, fields), options.sites)
        for entity, frame in made.items()
    }
    return Normalized(**checked, not_carried=together(leftovers))


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
