"""What does a map read of the source? Columns of the normalized frames, and the tenant's custom fields in them."""

from dispatch_to_pipedrive.mapping.arguments import ConstantArgs, CustomFieldArgs, RulesArgs
from dispatch_to_pipedrive.mapping.model import FieldMap, Maps, folded
from dispatch_to_pipedrive.mapping.transforms import TRANSFORMS


def read_columns(field: FieldMap) -> tuple[str, ...]:
    """The columns of the normalized frame that a field reads."""
    return TRANSFORMS[field.transform].columns(field.sources)


def custom_field_of(field: FieldMap) -> str | None:
    """The folded name of the custom field that a field reads; None where it reads none."""
    args = TRANSFORMS[field.transform].parse(field.args)
    return folded(args.name) if isinstance(args, CustomFieldArgs) else None


def value_names(field: FieldMap) -> tuple[str, ...]:
    """Where a field's values come from: its columns, or `custom_fields.gate code` for a custom field."""
    name = custom_field_of(field)
    return field.sources if name is None else tuple(f"{column}.{name}" for column in field.sources)


def own_values(field: FieldMap) -> tuple[str, ...] | None:
    """The values that a field can have where the map itself names them; None where they come from the source."""
    args = TRANSFORMS[field.transform].parse(field.args)
    if isinstance(args, RulesArgs):
        named = [rule.then for rule in args.rules]
    elif isinstance(args, ConstantArgs):
        named = [args.value]
    else:
        return None
    return tuple(dict.fromkeys(str(value) for value in named if value is not None))


def custom_fields_read(maps: Maps) -> frozenset[tuple[str, str, str]]:
    """Every custom field that the maps read: (entity, column of the normalized frame, folded name)."""
    return frozenset(
        (entity, column, name)
        for entity, entity_map in maps.items()
        for field in entity_map.fields.values()
        if (name := custom_field_of(field)) is not None
        for column in field.sources
    )
