"""How the frames of a batch become the four normalized frames, and what of them is not carried."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from dispatch_to_pipedrive.normalize import schemas
from dispatch_to_pipedrive.normalize.activities import activities, carried_visits
from dispatch_to_pipedrive.normalize.addresses import sites
from dispatch_to_pipedrive.normalize.contacts import points
from dispatch_to_pipedrive.normalize.customers import roots
from dispatch_to_pipedrive.normalize.deals import carried_jobs, deals
from dispatch_to_pipedrive.normalize.leftovers import left, together
from dispatch_to_pipedrive.normalize.organizations import organizations
from dispatch_to_pipedrive.normalize.persons import persons
from dispatch_to_pipedrive.normalize.technicians import crew


@dataclass(frozen=True)
class NormalizeOptions:
    """`sites`: how many sites have columns of their own; `priority_field`: the job custom field with the bucket."""

    sites: int = 4
    priority_field: str = "Dispatch Pro Priority"


@dataclass(frozen=True)
class Normalized:
    """The frames for the destination's entities, sorted by root and key, and `not_carried`: feed, id, root, reason."""

    organizations: pd.DataFrame
    persons: pd.DataFrame
    deals: pd.DataFrame
    activities: pd.DataFrame
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
    leftovers = [
        *merged,
        *places.leftovers,
        *unused,
        *lost_jobs,
        *lost_visits,
        *assigned.leftovers,
        *unsold,
        *unworked,
        *_not_in_the_map(frames, options.priority_field),
    ]
    return Normalized(
        organizations=schemas.checked("organizations", organizations(customers, places), options.sites),
        persons=schemas.checked("persons", people, options.sites),
        deals=schemas.checked("deals", sales, options.sites),
        activities=schemas.checked("activities", done, options.sites),
        not_carried=together(leftovers),
    )


def _not_in_the_map(frames: Mapping[str, pd.DataFrame], priority_field: str) -> list[pd.DataFrame]:
    """What no normalized column holds: custom fields but the priority's, and the tags of locations."""
    found = []
    for feed in ("customers", "locations", "jobs"):
        custom = frames[f"{feed}.custom_fields"]
        taken = custom["name"].str.strip().str.casefold() == priority_field.casefold()
        here = custom["value"].fillna("").str.strip() != ""
        open_ = here & ~taken.fillna(False) if feed == "jobs" else here
        name = custom["name"].fillna("without a name")
        found.append(left(f"{feed}.custom_fields", custom, open_, "custom field not in the map: " + name))
    tagged = frames["locations.tag_type_ids"]
    everywhere = pd.Series(True, index=tagged.index)
    found.append(left("locations.tag_type_ids", tagged, everywhere, "tags of locations have no place"))
    return found
