from pathlib import Path

import pytest

from dispatch_to_pipedrive.mapping import load_maps
from dispatch_to_pipedrive.mapping.objects import Compatibility, compatibility, object_table
from dispatch_to_pipedrive_tests.mapping.test_load import MAPPINGS, copy


def row(folder: Path, source: str) -> dict[str, str]:
    table = object_table(load_maps(folder)).set_index("source")
    return {str(name): str(value) for name, value in table.loc[source].items()}


@pytest.mark.promise("R003")
def test_r003_eight_of_ten_objects_map_one_to_one() -> None:
    assert compatibility(load_maps(MAPPINGS)) == Compatibility(one_to_one=8, objects=10, moved=10)
    assert row(MAPPINGS, "Customer")["kind"] == "1:n"
    assert row(MAPPINGS, "Location / site address")["kind"] == "n:1"


@pytest.mark.promise("R003")
def test_r003_the_number_follows_the_map(tmp_path: Path) -> None:
    gone = "  Job_Type__c:\n    type: option\n    from: job_type\n    unmapped: add_option\n    follows_renames: true\n"
    copy(tmp_path, {"deals": (gone, "")})
    assert compatibility(load_maps(tmp_path)) == Compatibility(7, 10, 9)
    left = row(tmp_path, "Job type / service category")
    assert (left["destination"], left["kind"], left["moved"]) == ("not in the map", "", "no")


@pytest.mark.promise("R025")
def test_r025_each_row_tells_transforms_lookups_and_schema() -> None:
    technician = row(MAPPINGS, "Technician / operator")
    assert technician["destination"] == (
        "Organization: owner_id; Person: owner_id; Deal: owner_id, Technician_ID__c, Technicians__c; Activity: owner_id"
    )
    assert technician["transforms"] == "join, lookup, template"
    assert technician["lookups"] == "owner_id → User"
    assert technician["schema"] == "Technician_ID__c (varchar), Technicians__c (text)"
    assert row(MAPPINGS, "Job")["lookups"] == "org_id → Organization, person_id → Person"
    assert "pipeline Dispatch Pro Jobs (6 stages)" in row(MAPPINGS, "Job")["schema"]


@pytest.mark.promise("R057")
def test_r057_all_ten_objects_move_files_among_them() -> None:
    assert (object_table(load_maps(MAPPINGS))["moved"] == "yes").all()
    files = row(MAPPINGS, "Attachments / photos")
    assert (files["kind"], files["moved"]) == ("1:1", "yes")
    assert files["destination"].startswith("File: ")


def test_an_accepted_custom_field_counts_to_what_bears_it(tmp_path: Path) -> None:
    copy(tmp_path, {})
    (tmp_path / "accepted").mkdir()
    (tmp_path / "accepted" / "deals.yaml").write_text(
        "entity: deals\nfields:\n  Roof__c:\n    type: option\n    from: site_custom_fields\n"
        "    transform: custom_field\n    args: {name: Roof Type}\n    unmapped: add_option\n"
    )
    assert "Deal: Roof__c" in row(tmp_path, "Location / site address")["destination"]
