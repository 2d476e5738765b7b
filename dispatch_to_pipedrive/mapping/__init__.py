"""The map's language: which normalized column lands in which Pipedrive field, and through which transform.

What belongs here: the strict models of `mappings/*.yaml`, the closed vocabulary of transforms, their application
to normalized frames, and what the maps need an account to have. What does not: clients, hash keys, ids.
"""

from dispatch_to_pipedrive.mapping.apply import Applied, RenderOptions, UnmappedValues, applied, apply, render
from dispatch_to_pipedrive.mapping.columns import check_columns
from dispatch_to_pipedrive.mapping.load import load_maps
from dispatch_to_pipedrive.mapping.mistakes import MapError, Mistake
from dispatch_to_pipedrive.mapping.model import ENTITIES, EntityMap, FieldMap, Maps, PipelineMap
from dispatch_to_pipedrive.mapping.needs import (
    FieldNeed,
    OptionCollision,
    PipelineNeed,
    SchemaNeeds,
    option_values,
    schema_needs,
)
from dispatch_to_pipedrive.mapping.objects import Compatibility, compatibility, object_table
from dispatch_to_pipedrive.mapping.reads import custom_fields_read

__all__ = [
    "ENTITIES",
    "Applied",
    "Compatibility",
    "EntityMap",
    "FieldMap",
    "FieldNeed",
    "MapError",
    "Maps",
    "Mistake",
    "OptionCollision",
    "PipelineMap",
    "PipelineNeed",
    "RenderOptions",
    "SchemaNeeds",
    "UnmappedValues",
    "applied",
    "apply",
    "check_columns",
    "compatibility",
    "custom_fields_read",
    "load_maps",
    "object_table",
    "option_values",
    "render",
    "schema_needs",
]
