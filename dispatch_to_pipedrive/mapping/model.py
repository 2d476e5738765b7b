"""What may stand in a map: the strict models of one `mappings/<entity>.yaml`.

A map only describes. `load` reads it and tells every mistake in it, `catalogue` compares it with what the tenant has
and with what the account has. The descriptions of the keys here are those of the documentation and of the JSON Schema.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

ENTITIES = ("organizations", "persons", "deals", "activities", "files", "notes")
"""The destination's entities, in the order in which they are loaded (foreign-key order; a note links files)."""

EntityName = Literal["organizations", "persons", "deals", "activities", "files", "notes"]

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
    "hosted_html",
    "content",
    "author",
    "visibility",
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

    name: str = Field(
        min_length=1, description="The pipeline's name in Pipedrive; it is made if it is missing"
    )
    stages: list[str] = Field(
        min_length=1, description="Its stages from left to right; missing ones are made"
    )


class FieldMap(Strict):
    """One destination field: where its value comes from and how it is made."""

    type: FieldType = Field(description="What kind of value the field holds")
    from_: str | list[str] = Field(
        default_factory=list,
        alias="from",
        description="The source column, or a list of columns where the transform takes several",
    )
    transform: str = Field(
        default="copy", description="How the value is made of the columns: a word of the vocabulary"
    )
    args: dict[str, Any] = Field(default_factory=dict, description="The transform's arguments")
    value_map: dict[str, Scalar] | None = Field(
        default=None,
        description="Source value → destination value, applied to what the transform gives. Values are compared as "
        "they are written; an option needs a source value of its own. Of labels, each is looked up, and those that "
        "are not named stay as they are",
    )
    default: Scalar = Field(default=None, description="What stands where there is no value otherwise")
    unmapped: Literal["stop", "warn", "add_option"] = Field(
        default="stop",
        description="What becomes of a value that the value map does not name. stop: nothing is loaded until it is "
        "named. warn: the field stays empty (or gets its default), and the record is listed. add_option: the value "
        "passes as it is, and an option field gets an option of that name. Without a value map every value passes",
    )
    to: EntityName | None = Field(
        default=None, description="For reference and participants: the entity whose records are looked up"
    )
    required: bool = Field(
        default=False,
        description="A record without a value for this field is not sent but set aside, and listed",
    )
    create_only: bool = Field(
        default=False, description="Sent with a new record only, never with a change of it"
    )
    capability: Literal["deal_add_time", "close_times_with_status"] | None = Field(
        default=None,
        description="Names, for the reader, what the account may refuse; the load finds out by the first record that "
        "needs it, and goes on without",
    )
    adopts: str | None = Field(
        default=None,
        min_length=1,
        description="The name of a custom field that people keep in the account already: it is filled, and no new one "
        "is made",
    )
    follows_renames: bool = Field(
        default=False,
        description="An option or label that copies the name of a tag, job type, business unit or cancel reason is "
        "renamed with it, for all records at once; without this the old name stays and a new option is added. Of "
        "other fields it only says, for the reader, that they are meant to follow: a rename alone loads no record "
        "again",
    )
    conflict: Literal["people", "source"] = Field(
        default="people",
        description="Who wins where people changed in Pipedrive what the migration wrote. people: their value stays, "
        "and is listed. source: the next load of the record writes the source's value over it, and lists what stood "
        "there",
    )
    description: str = Field(
        default="", description="For readers; Pipedrive shows it beside a deal's custom field"
    )

    @property
    def source_wins(self) -> bool:
        """Whether what people changed is overwritten."""
        return self.conflict == "source"

    @property
    def sources(self) -> tuple[str, ...]:
        """The names under `from`, in their order."""
        return (self.from_,) if isinstance(self.from_, str) else tuple(self.from_)


class EntityMap(Strict):
    """The map of one destination entity; `fields` has logical names as keys, in the order of the file."""

    entity: EntityName = Field(description="The entity, as the file is named")
    description: str = Field(default="", description="What one record of it stands for")
    pipeline: PipelineMap | None = Field(
        default=None, description="Deals only: the pipeline that they stand in"
    )
    fields: dict[str, FieldMap] = Field(
        min_length=1,
        description="Destination field → how it is filled. A name that ends in __c is a custom field, which is made "
        "if it is missing; others are Pipedrive's own",
    )

    def custom_fields(self) -> dict[str, FieldMap]:
        """The fields that an account must get made, by logical name."""
        return {name: field for name, field in self.fields.items() if is_custom(name)}


class Additions(Strict):
    """What people accepted for one entity, in a file of its own under `accepted/`: fields, and values of fields."""

    entity: EntityName = Field(description="The entity, as the file is named")
    description: str = Field(default="", description="For readers")
    fields: dict[str, FieldMap] = Field(
        default_factory=dict, description="Further destination fields, as in the curated map"
    )
    values: dict[str, dict[str, Scalar]] = Field(
        default_factory=dict, description="Field → further rows of its value map"
    )


def is_custom(name: str) -> bool:
    """Whether a logical field name is that of a custom field (they end in `__c`)."""
    return name.endswith(CUSTOM_SUFFIX)


def folded(name: str) -> str:
    """A custom field's name of the source as it is compared: without case, any run of blanks as one."""
    return " ".join(name.split()).casefold()


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
