"""Which source key does a record of the account bear?

In the custom field `Source_Key__c` where the entity has them; an activity has none and bears a visible provenance
line, the last of its note.
"""

import re
from typing import Any

from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

STAMP_FIELD = "Source_Key__c"
_PROVENANCE = re.compile(r"\[Dispatch Pro appointment (\d+)\]")


def stamp_of(schema: AccountSchema, entity: str, record: dict[str, Any]) -> str | None:
    """The source key that a record bears, or None."""
    if entity == "activities":
        found = _PROVENANCE.findall(record.get("note") or "")
        return f"appointment:{found[-1]}/activity" if found else None
    code = schema.field_code(entity, STAMP_FIELD)
    value = (record.get("custom_fields") or {}).get(code)
    return str(value) if value else None
