"""What all assets say about themselves."""

from collections.abc import Sequence
from typing import TypedDict

OWNERS = ["team:migration"]
FRAMES = "frames"
"""Key of the IO manager that keeps frames."""
SOURCE_POOL = "dispatch_pro"
ACCOUNT_POOL = "pipedrive"
ENTITIES = ("organizations", "persons", "deals", "activities", "files", "notes")


class About(TypedDict):
    """What stands beside an asset's name in the UI."""

    group_name: str
    kinds: set[str]
    owners: Sequence[str]


def described(group: str, *kinds: str) -> About:
    """Group, kinds and owners, as every asset decorator takes them."""
    return {"group_name": group, "kinds": set(kinds), "owners": OWNERS}
