"""What may stand in a map: the strict models of one `mappings/<entity>.yaml`.

A map only describes. That its columns exist is checked by `load.check_columns`, that the account has its fields by
whoever compares `needs.schema_needs` with an account.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

ENTITIES = ("organizations", "persons", "deals", "activities")
"""The four destination entities, in the order in which they are loaded (foreign-key order)."""

EntityName = Literal["organizations", "persons", "deals", "activities"]

FieldType = Literal[
    "text",
    "long_text",
    "number",
    "money",
    "date",
    "time",
    "duration",
    "datetime",
    "boolean",
    "option",
    "options",
    "labels",
    "reference",
    "participants",
    "user",
    "pipeline",
    "stage",
    "activity_type",
    "address",
    "emails",
    "phones",
    "html",
]
FIELD_TYPES: tuple[str, ...] = get_args(FieldType)

CUSTOM_FIELD_TYPES: Mapping[str, str] = {
    "text": "varchar",
    "long_text": "text",
    "number": "double",
    "money": "monetary",
    "date": "date",
    "time": "time",
    "option": "enum",
    "options": "set",
    "address": "address",
}
"""A map's type → the type of the Pipedrive custom field made for it; other types have no custom field."""

CUSTOM_SUFFIX = "__c"

Scalar = str | int | float | bool | None


class Strict(BaseModel):
    """A model that refuses what it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PipelineMap(Strict):
    """The pipeline that deals stand in, and its stages in order."""

    name: str = Field(min_length=1)
    stages: list[str] = Field(min_length=1)


class FieldMap(Strict):
    """One destination field: where its value comes from and how it is made."""

    type: FieldType
    from_: str | list[str] = Field(default_factory=list, alias="from")
    transform: str = "copy"
    args: dict[str, Any] = Field(default_factory=dict)
    value_map: dict[str, Scalar] | None = None
    default: Scalar = None
    unmapped: Literal["stop", "warn", "add_option"] = "stop"
    to: EntityName | None = None
    required: bool = False
    create_only: bool = False
    capability: str | None = None
    follows_renames: bool = False
    people_win: bool = True
    description: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """The names under `from`, in their order."""
        return (self.from_,) if isinstance(self.from_, str) else tuple(self.from_)


class EntityMap(Strict):
    """The map of one destination entity; `fields` has logical names as keys, in the order of the file."""

    entity: EntityName
    description: str = ""
    pipeline: PipelineMap | None = None
    fields: dict[str, FieldMap] = Field(min_length=1)

    def custom_fields(self) -> dict[str, FieldMap]:
        """The fields that an account must get made, by logical name."""
        return {name: field for name, field in self.fields.items() if is_custom(name)}


def is_custom(name: str) -> bool:
    """Whether a logical field name is that of a custom field (they end in `__c`)."""
    return name.endswith(CUSTOM_SUFFIX)


@dataclass(frozen=True, slots=True)
class Maps(Mapping[str, EntityMap]):
    """The maps of all entities: `maps["deals"].fields["title"]`. Iterates in load order."""

    by_entity: Mapping[str, EntityMap]

    def __getitem__(self, entity: str) -> EntityMap:
        return self.by_entity[entity]

    def __iter__(self) -> Iterator[str]:
        return (entity for entity in ENTITIES if entity in self.by_entity)

    def __len__(self) -> int:
        return len(self.by_entity)
