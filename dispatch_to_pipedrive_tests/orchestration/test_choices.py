from pathlib import Path

from dispatch_to_pipedrive.mapping import load_maps
from dispatch_to_pipedrive.orchestration.choices import custom_choices
from dispatch_to_pipedrive_tests.mapping.test_load import copy
from dispatch_to_pipedrive_tests.totals.world import MAPPINGS, world

FIELD = """  {name}__c:
    type: {type}
    from: {column}
    transform: custom_field
    args: {{name: {field}}}
    unmapped: add_option
"""


def test_a_custom_field_that_becomes_options_tells_every_value_in_the_tenant(tmp_path: Path) -> None:
    made = world()
    copy(tmp_path, {})
    (tmp_path / "accepted").mkdir()
    fields = [
        FIELD.format(name="Permit", type="option", column="custom_fields", field="permit  NEEDED"),
        FIELD.format(name="Roof", type="option", column="site_custom_fields", field="Roof Type"),
        FIELD.format(name="Number", type="text", column="custom_fields", field="Permit Number"),
    ]
    (tmp_path / "accepted" / "deals.yaml").write_text("entity: deals\nfields:\n" + "".join(fields))
    found = custom_choices(load_maps(tmp_path), made.data, made.segments, 1)
    assert set(found) == {"deals.custom_fields.permit needed", "deals.site_custom_fields.roof type"}
    raw = made.frames()["jobs.custom_fields"]
    values = raw.loc[raw["name"] == "Permit Needed", "value"].dropna().str.strip()
    assert found["deals.custom_fields.permit needed"] == tuple(sorted(set(values) - {""}))
    assert custom_choices(load_maps(MAPPINGS), made.data, (), 1) == {}
