"""What the maps need an account to have: custom fields with options, labels, the pipeline and its stages.

Options come from the tenant's reference data and from the values that records really have, never from a guess.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from dispatch_to_pipedrive.mapping.apply import UnmappedValues
from dispatch_to_pipedrive.mapping.model import CUSTOM_FIELD_TYPES, FieldMap, Maps, Scalar
from dispatch_to_pipedrive.mapping.reads import own_values, value_names

OPTION_LENGTH = 255
"""Code points; Pipedrive: an option's label has 1 to 255."""


Bearers = Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]]
"""(entity, logical field) → option or label → ids of what bears it at the source, such as `tag_type:7`."""


class OptionCollision(ValueError):
    """Two source values would land on one option, so the account could no longer tell them apart."""

    def __init__(self, entity: str, field: str, label: str, values: Iterable[str]) -> None:
        self.entity = entity
        self.field = field
        self.label = label
        self.values = tuple(values)
        listed = ", ".join(repr(value) for value in self.values)
        super().__init__(
            f"mappings/{entity}.yaml: {field}: the source values {listed} would all become the option {label!r}. "
            "Give each a label of its own in the field's value_map."
        )


@dataclass(frozen=True, slots=True)
class FieldNeed:
    """One custom field: `field_type` is Pipedrive's word, `name` the logical name that maps use.

    `adopts` is the name of the account's own field that serves instead of a new one, or nothing.
    """

    entity: str
    name: str
    field_type: str
    options: tuple[str, ...]
    description: str
    adopts: str = ""


@dataclass(frozen=True, slots=True)
class PipelineNeed:
    """The pipeline and its stages, in order."""

    name: str
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SchemaNeeds:
    """Everything that must stand in the account before the first record goes there; `sources` as `bearers_of` tells."""

    fields: tuple[FieldNeed, ...]
    labels: Mapping[str, tuple[str, ...]]
    pipeline: PipelineNeed
    sources: Bearers = dataclasses.field(default_factory=dict)


def schema_needs(
    maps: Maps,
    values: Mapping[tuple[str, str], Iterable[str]],
    identities: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None,
) -> SchemaNeeds:
    """The needs of all maps, given the distinct source values of each option and label field.

    `values`: (entity, logical field) → source values as they come out of the transform, before the value map;
    `option_values` collects them from normalized frames and reference data. A value map's own values are always
    options. `identities` are those of `bearers_of`. Raises `OptionCollision` and `UnmappedValues`.
    """
    fields = tuple(
        FieldNeed(
            entity=entity,
            name=name,
            field_type=CUSTOM_FIELD_TYPES[field.type],
            options=_options(entity, name, field, values.get((entity, name), ())),
            description=field.description,
            adopts=field.adopts or "",
        )
        for entity, entity_map in maps.items()
        for name, field in entity_map.custom_fields().items()
    )
    labels = {
        entity: _labels(field, values.get((entity, name), ()))
        for entity, entity_map in maps.items()
        for name, field in entity_map.fields.items()
        if field.type == "labels"
    }
    pipelines = [entity_map.pipeline for entity_map in maps.values() if entity_map.pipeline is not None]
    pipeline = PipelineNeed(pipelines[0].name, tuple(pipelines[0].stages))
    return SchemaNeeds(fields, labels, pipeline, bearers_of(maps, identities or {}))


def bearers_of(maps: Maps, identities: Mapping[str, Mapping[str, tuple[str, ...]]]) -> Bearers:
    """What bears each option and label at the source, for the fields that follow renames.

    `identities`: "deals.job_type" → value → ids of all that has that value; a field follows if it copies such a column.
    """
    return {
        (entity, name): _bearers(field_map, identities[f"{entity}.{field_map.sources[0]}"])
        for entity, entity_map in maps.items()
        for name, field_map in entity_map.fields.items()
        if follows(field_map) and f"{entity}.{field_map.sources[0]}" in identities
    }


def follows(field_map: FieldMap) -> bool:
    """Whether a field's options or labels take the new name of what they stand for, where the source knows it by id."""
    choices = field_map.type in ("option", "options", "labels")
    copied = field_map.transform == "copy" and len(field_map.sources) == 1
    return field_map.follows_renames and choices and copied


def _bearers(field_map: FieldMap, identities: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Option or label → the ids that the map brings to it."""
    value_map = field_map.value_map or {}
    found: dict[str, set[str]] = {}
    for value, ids in identities.items():
        label = value_map.get(value, value)
        if label is not None:
            found.setdefault(str(label), set()).update(ids)
    return {label: tuple(sorted(ids)) for label, ids in found.items()}


def option_values(maps: Maps, columns: Mapping[str, Iterable[str]]) -> dict[tuple[str, str], tuple[str, ...]]:
    """The distinct source values of each option and label field, gathered by the columns that it reads.

    `columns`: "deals.job_type" → every value that the normalized column can have (job types from the reference data,
    priorities as found, and so on); "deals.custom_fields.gate code" → those of a custom field (its name folded). What
    is not there counts as having no values. Where the map itself names the values (rules, a constant), those it is.
    """
    gathered: dict[tuple[str, str], tuple[str, ...]] = {}
    for entity, entity_map in maps.items():
        for name, field in entity_map.fields.items():
            if field.type in ("option", "options", "labels"):
                found = own_values(field)
                if found is None:
                    places = (f"{entity}.{column}" for column in value_names(field))
                    found = tuple(value for place in places for value in columns.get(place, ()))
                gathered[entity, name] = tuple(sorted({value for value in found if value}))
    return gathered


def distinct(values: pd.Series) -> tuple[str, ...]:
    """The distinct values of a text column, or of the lists in a column, sorted; missing and empty left out."""
    flat = values.explode().dropna().astype("string")
    return tuple(sorted(flat[flat != ""].unique()))


def _labels(field: FieldMap, values: Iterable[str]) -> tuple[str, ...]:
    """The labels that tags become: by the value map where it names them, else as they are."""
    value_map = field.value_map or {}
    return tuple(sorted({str(label) for v in values if (label := value_map.get(v, v)) is not None}))


def _options(entity: str, name: str, field: FieldMap, values: Iterable[str]) -> tuple[str, ...]:
    if field.type not in ("option", "options"):
        return ()
    by_value, strange = labels_of(field, values)
    if strange:
        raise UnmappedValues(entity, name, dict.fromkeys(strange, 0))
    for label, values_of in collapsing(by_value):
        raise OptionCollision(entity, name, label, values_of)
    default = () if field.default is None else (str(field.default),)
    return tuple(dict.fromkeys((*by_value.values(), *default)))


def labels_of(field: FieldMap, values: Iterable[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Source value → option, for the value map's own rows and the given values; and the values at which it stops."""
    value_map = field.value_map or {}
    by_value = {value: str(label) for value, label in value_map.items() if label is not None}
    open_ = [value for value in values if value not in value_map]
    if field.value_map is None or field.unmapped == "add_option":
        return {**by_value, **{value: value for value in open_}}, ()
    return by_value, tuple(open_) if field.unmapped == "stop" else ()


def collapsing(by_value: Mapping[str, Scalar]) -> list[tuple[str, list[str]]]:
    """Labels that several source values would share: Pipedrive's options differ by more than case and blanks."""
    folded: dict[str, list[str]] = {}
    for value, label in by_value.items():
        if label is not None:
            folded.setdefault(" ".join(str(label).split()).casefold()[:OPTION_LENGTH], []).append(value)
    return [(str(by_value[values[0]]), values) for values in folded.values() if len(values) > 1]
