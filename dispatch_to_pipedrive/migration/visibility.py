"""Who may see the records: what the map says for each entity, and whether account and token's user allow it."""

from collections.abc import Mapping

from dispatch_to_pipedrive.mapping.model import Maps
from dispatch_to_pipedrive.migration.resolve import VISIBLE_TO
from dispatch_to_pipedrive.pipedrive.account import Me

OWNER, EVERYONE = "owner", "everyone"


def visible_to(maps: Maps) -> dict[str, str]:
    """Entity → the map's word for who sees its records (everyone, group, subgroups, owner)."""
    return {
        entity: str(field.args.get("value"))
        for entity, entity_map in maps.items()
        for field in entity_map.fields.values()
        if field.type == "visibility" and field.transform == "constant"
    }


def impossible(word: str, plan: str) -> str:
    """Why a plan knows no such visibility, and which it knows; '' where it does."""
    known = VISIBLE_TO.get(plan)
    if known is None or word in known:
        return ""
    return f"Pipedrive's plan {plan} knows no visibility {word!r}, `visible_to` may be {' or '.join(known)}"


def hidden(words: Mapping[str, str], me: Me) -> list[str]:
    """The entities whose records of other owners the token's user might not see, so that nobody could read them back.

    A deals admin sees everything; of others Pipedrive's lists leave out what their user may not see, without a word.
    """
    return [] if sees_all(me) else [entity for entity, word in words.items() if word != EVERYONE]


def sees_all(me: Me) -> bool:
    """Whether a user sees every record of the account, as a deals admin does."""
    return any(entry.app == "sales" and entry.admin for entry in me.access)
