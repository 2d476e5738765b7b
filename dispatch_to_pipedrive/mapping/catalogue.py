"""Do the maps fit what the tenant has and what the account has?"""

from collections.abc import Collection, Mapping
from pathlib import Path

from dispatch_to_pipedrive.mapping.mistakes import Mistake, nearest
from dispatch_to_pipedrive.mapping.model import Maps
from dispatch_to_pipedrive.mapping.places import read_source
from dispatch_to_pipedrive.mapping.reads import read_columns


def check_columns(maps: Maps, columns: Mapping[str, Collection[str]], directory: Path) -> list[Mistake]:
    """The places where a map names a source column that the entity's normalized frame does not have."""
    mistakes = []
    for entity, entity_map in maps.items():
        source = read_source(directory, entity)
        for name, field in entity_map.fields.items():
            missing = [column for column in read_columns(field) if column not in columns[entity]]
            mistakes += [
                source.mistake(
                    ("fields", name, "from"),
                    f"{column} is no column of {entity}",
                    nearest(column, columns[entity]),
                )
                for column in missing
            ]
    return mistakes
