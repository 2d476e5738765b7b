"""When is an account again what it was? Its dump without what is deleted, and without the vendor's own counters."""

from collections.abc import Mapping
from typing import Any

_COUNTERS = {"next_option", "next_field", "now", "bases", "pending", "limits"}


def without_what_is_gone(dump: Mapping[str, Any]) -> dict[str, Any]:
    """The account as people see it: what was deleted only counts on, and is left out."""
    kept = {name: value for name, value in dump.items() if name not in _COUNTERS}
    return {
        **kept,
        "pipelines": [one for one in dump["pipelines"] if not one["is_deleted"]],
        "stages": [one for one in dump["stages"] if not one["is_deleted"]],
        "fields": {
            entity: [_field(one) for one in fields if not one["deleted"]]
            for entity, fields in dump["fields"].items()
        },
        "entities": {
            entity: [one for one in records if one is not None and not one.get("is_deleted")]
            for entity, records in dump["entities"].items()
        },
    }


def _field(field: Mapping[str, Any]) -> dict[str, Any]:
    """A field without the order among its fellows, which counts deleted ones too."""
    return {name: value for name, value in field.items() if name != "order"}
