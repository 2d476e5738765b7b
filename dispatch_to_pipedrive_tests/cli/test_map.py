"""`map check`, `map show`, `map schema`, as people and scripts call them."""

import json
import shutil
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from dispatch_to_pipedrive.cli import app

from ..program import ROOT, run
from .conftest import Migrated

MAPPINGS = ROOT / "mappings"


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    folder = tmp_path / "maps"
    shutil.copytree(MAPPINGS, folder)
    return folder


def call(*arguments: str) -> tuple[int, str, str]:
    ended = CliRunner().invoke(app, ["map", *arguments])
    return ended.exit_code, ended.stdout, ended.stderr


def test_maps_that_are_in_order_are_told_so(maps: Path) -> None:
    code, said, complained = call("check", str(maps))
    assert (code, complained) == (0, "")
    assert "6 maps with" in said and "no mistake" in said


def test_every_mistake_comes_at_once_with_its_place_and_code_2(maps: Path) -> None:
    deals = maps / "deals.yaml"
    text = deals.read_text(encoding="utf-8")
    deals.write_text(
        text.replace("type: money", "type: mony").replace("from: summary", "from: sumary"), encoding="utf-8"
    )
    (maps / "persons.yaml").unlink()
    code, _, complained = call("check", str(maps))
    assert code == 2
    lines = complained.splitlines()
    assert any(line.endswith("Did you mean 'money'?") and "deals.yaml:" in line for line in lines)
    assert any("persons.yaml:1: persons: this file is missing" in line for line in lines)
    assert "Traceback" not in complained
    assert call("show", str(maps))[0] == 2
    assert call("check", str(maps / "none"))[0] == 2


def test_a_column_that_is_not_there_is_told_too(maps: Path) -> None:
    deals = maps / "deals.yaml"
    deals.write_text(
        deals.read_text(encoding="utf-8").replace("from: summary", "from: sumary"), encoding="utf-8"
    )
    code, _, complained = call("check", str(maps))
    assert (code, len(complained.splitlines())) == (2, 1)
    assert complained.rstrip().endswith("sumary is no column of deals. Did you mean 'summary'?")


@pytest.mark.promise("R003", "R025")
def test_the_object_table_is_shown_for_people_and_for_documents(maps: Path) -> None:
    code, said, _ = call("show", str(maps))
    assert code == 0
    assert "8 of 10 objects map one to one; 10 of 10 move" in said
    code, said, _ = call("show", "--markdown", str(maps))
    assert code == 0
    assert said in (ROOT / "docs" / "map.md").read_text(encoding="utf-8")


def test_the_schema_is_the_committed_one() -> None:
    code, said, _ = call("schema")
    assert code == 0
    assert json.loads(said) == json.loads((MAPPINGS / "schema.json").read_text(encoding="utf-8"))


def test_live_names_what_does_not_fit_this_account_and_tenant(migrated: Migrated, maps: Path) -> None:
    told = run(migrated.settings, "map", "check", "--live")
    assert told.returncode == 0, told.stderr
    assert "they fit the account of" in told.stdout
    with (maps / "organizations.yaml").open("a", encoding="utf-8") as file:
        file.write(
            "  Gate_Code__c: {type: text, from: custom_fields, transform: custom_field, args: {name: Gate Cde}}\n"
        )
    field = "  Source_Key_2__c: {type: text, from: source_key}\n"
    with (maps / "persons.yaml").open("a", encoding="utf-8") as file:
        file.write(field)
    code = _foreign(migrated, "Source_Key_2__c")
    try:
        told = run(migrated.settings, "map", "check", "--live", str(maps))
    finally:
        _away(migrated, code)
    assert told.returncode == 2, told.stdout + told.stderr
    lines = told.stderr.splitlines()
    assert len(lines) == 2, told.stderr
    assert "no custom field 'Gate Cde' there. Did you mean 'Gate Code'?" in lines[0]
    assert f"is not the migration's ({code}): say adopts: Source_Key_2__c" in lines[1]


def _foreign(migrated: Migrated, name: str) -> str:
    """A custom field that somebody else made."""
    answer = httpx.post(
        f"{migrated.sandbox.pipedrive_url}/api/v2/personFields",
        headers=_token(migrated),
        json={"field_name": name, "field_type": "varchar"},
    )
    return str(answer.raise_for_status().json()["data"]["field_code"])


def _away(migrated: Migrated, code: str) -> None:
    url = f"{migrated.sandbox.pipedrive_url}/api/v2/personFields/{code}"
    httpx.delete(url, headers=_token(migrated)).raise_for_status()


def _token(migrated: Migrated) -> dict[str, str]:
    return {"x-api-token": migrated.sandbox.env["PIPEDRIVE_API_TOKEN"]}
