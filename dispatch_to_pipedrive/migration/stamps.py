"""Which source key does a record of the account bear, and how?

In the custom field `Source_Key__c` where the entity has them. Activities and notes have none and bear a visible
provenance line, the last of their text. A file bears nothing: parent, name and size stand for it.
"""

import re
from collections.abc import Mapping
from typing import Any

from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

STAMP_FIELD = "Source_Key__c"
_ACTIVITIES = {"appointment": "appointment", "call": "call", "e-mail": "email"}
_NOTES = {
    "job note": "job_note",
    "customer note": "customer_note",
    "location note": "location_note",
    "job summary": "job",
    "sites of customer": "customer",
    "attachment": "attachment",
}
_WORDS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "activities": (_ACTIVITIES, "activity"),
    "notes": (_NOTES, "note"),
}
"""Entity → (words of a stamp → kind of the source's record, role)."""
_TEXT = {"activities": "note", "notes": "content"}


def _pattern(words: Mapping[str, str]) -> re.Pattern[str]:
    return re.compile(rf"\[Dispatch Pro ({'|'.join(words)}) ([0-9a-f]+)(?: part (\d+))?\]")


_PROVENANCE = {entity: _pattern(words) for entity, (words, _) in _WORDS.items()}


def stamp_of(schema: AccountSchema, entity: str, record: Mapping[str, Any]) -> str | None:
    """The source key that a record bears, or None."""
    if entity == "files":
        return None
    if entity in _TEXT:
        return key_of(entity, str(record.get(_TEXT[entity]) or ""))
    code = schema.field_code(entity, STAMP_FIELD)
    value = (record.get("custom_fields") or {}).get(code)
    return str(value) if value else None


def key_of(entity: str, text: str) -> str | None:
    """The source key whose stamp is the last in a text, or None."""
    found = _PROVENANCE[entity].findall(text)
    if not found:
        return None
    words, number, part = found[-1]
    kinds, role = _WORDS[entity]
    return f"{kinds[words]}:{number}/{role}{f'-{part}' if part else ''}"


def stamp_for(source_key: str) -> str:
    """The stamp of an activity or a note, without the brackets that it stands in; a ValueError for other keys."""
    record, _, role = source_key.partition("/")
    kind, _, number = record.partition(":")
    name, _, part = role.partition("-")
    for kinds, of_role in _WORDS.values():
        words = next((words for words, one in kinds.items() if one == kind), None)
        if of_role == name and words is not None:
            return f"Dispatch Pro {words} {number}{f' part {part}' if part else ''}"
    raise ValueError(f"{source_key} bears no stamp")
