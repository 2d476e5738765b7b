"""A field may leave the map: what no field holds is not counted, and everything else still adds up."""

import orjson
import pandas as pd
import pytest

from dispatch_to_pipedrive.mapping import ENTITIES, EntityMap, Maps, RenderOptions, apply, load_maps
from dispatch_to_pipedrive.mapping.standard import INDISPENSABLE
from dispatch_to_pipedrive.migration.renamed_totals import renamed
from dispatch_to_pipedrive.migration.totals import compare_totals, totals_of_mapped, totals_of_records
from dispatch_to_pipedrive.normalize import Normalized
from dispatch_to_pipedrive_tests.totals.test_totals import mess
from dispatch_to_pipedrive_tests.totals.world import MAPPINGS

REFERENCE = ("tag_types", "job_types", "business_units", "job_cancel_reasons", "technicians")


@pytest.fixture(scope="module")
def both() -> tuple[pd.DataFrame, Normalized]:
    """The totals of a messy tenant by SQL, and its normalized frames."""
    source = mess()
    everything = pd.DataFrame(
        [
            {"feed": feed, "root": source.root(feed, record), "record": orjson.dumps(record).decode()}
            for feed, records in source.records.items()
            for record in records
        ]
    )
    reference = everything["feed"].isin(REFERENCE)
    return totals_of_records(everything[~reference], everything[reference]), source.normalize()


@pytest.mark.parametrize("entity", ENTITIES)
def test_what_no_field_holds_is_not_counted(entity: str, both: tuple[pd.DataFrame, Normalized]) -> None:
    maps, (raw, normalized) = load_maps(MAPPINGS), both
    raw = raw[raw["entity"] == entity].reset_index(drop=True)
    whole = apply(maps[entity], getattr(normalized, entity), RenderOptions("USD"))
    for gone in maps[entity].fields.keys() - set(INDISPENSABLE[entity]):
        kept = {name: field for name, field in maps[entity].fields.items() if name != gone}
        fewer = EntityMap.model_construct(**{**dict(maps[entity]), "fields": kept})
        left = totals_of_mapped({entity: whole.drop(columns=gone)})
        differences = compare_totals(renamed(raw, Maps({**maps, entity: fewer})), left)
        assert differences.to_dict("records") == [], gone
