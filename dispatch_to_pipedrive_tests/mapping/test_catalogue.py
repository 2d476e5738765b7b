from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dispatch_to_pipedrive.mapping import ENTITIES, load_maps
from dispatch_to_pipedrive.mapping.catalogue import (
    AccountCatalogue,
    TenantCatalogue,
    TenantField,
    check_catalogue,
)
from dispatch_to_pipedrive.mapping.columns import check_columns
from dispatch_to_pipedrive.mapping.proposal.catalogue import AccountField
from dispatch_to_pipedrive.mapping.standard import STANDARD
from dispatch_to_pipedrive.normalize.schemas import kinds
from dispatch_to_pipedrive_tests.mapping.test_load import MAPPINGS, copy

COLUMNS = {entity: kinds(entity, 4) for entity in ENTITIES}
FIELDS = {
    "gate code": TenantField("Gate Code", "Text"),
    "square footage": TenantField("Square Footage", "Numeric"),
}
TENANT = TenantCatalogue(COLUMNS, {("organizations", "custom_fields"): FIELDS})
NATIVE = tuple(
    AccountField(entity, name, name, "varchar")
    for entity, fields in STANDARD.items()
    for name in fields
    if name not in ("participants", "busy", "public_description")
)
ACCOUNT = AccountCatalogue(NATIVE, ("call", "email", "meeting", "task"))
GATE = """  Gate_Code__c:
    type: {type}
    from: custom_fields
    transform: custom_field
    args: {{name: {name}}}
"""


def mistakes(
    folder: Path, tenant: TenantCatalogue = TENANT, account: AccountCatalogue = ACCOUNT
) -> list[tuple[str, str]]:
    found = check_catalogue(load_maps(folder), tenant, account, folder)
    for mistake in found:
        line = Path(mistake.file).read_text(encoding="utf-8").splitlines()[mistake.line - 1]
        assert mistake.key.split(".")[-1] in line or mistake.key.split(".")[1] in line, (mistake, line)
    return [(mistake.key, str(mistake).partition(": ")[2].partition(": ")[2]) for mistake in found]


def with_field(folder: Path, lines: str, entity: str = "organizations") -> Path:
    copy(folder, {})
    with (folder / f"{entity}.yaml").open("a", encoding="utf-8") as file:
        file.write(lines)
    return folder


def theirs(name: str, kind: str, ours: str = "") -> AccountCatalogue:
    field = AccountField("organizations", "abc123", name, kind, (), True, ours)
    return replace(ACCOUNT, fields=(*NATIVE, field))


def test_the_base_maps_fit_an_empty_account() -> None:
    assert mistakes(MAPPINGS) == []
    assert mistakes(MAPPINGS, replace(TENANT, custom_fields=None)) == []


@pytest.mark.parametrize(
    ("kind", "name", "key", "words"),
    [
        ("text", "gate  CODE", None, ""),
        ("number", "Square Footage", None, ""),
        ("text", "Gate Cod", "args.name", "no custom field 'Gate Cod' there. Did you mean 'Gate Code'?"),
        ("number", "Gate Code", "type", "'Gate Code' is a Text field in Dispatch Pro"),
    ],
)
def test_custom_fields_exist_and_numbers_are_numbers(
    kind: str, name: str, key: str | None, words: str, tmp_path: Path
) -> None:
    found = mistakes(with_field(tmp_path, GATE.format(type=kind, name=name)))
    assert [one for one, _ in found] == ([f"fields.Gate_Code__c.{key}"] if key else [])
    assert all(words in told for _, told in found)


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (theirs("Other", "varchar"), None),
        (theirs("Renamed by people", "varchar", ours="Gate_Code__c"), None),
        (theirs("gate_code__C", "varchar"), "is not the migration's (abc123): say adopts: gate_code__C"),
        (theirs("Gate_Code__c", "double"), "is not the migration's (abc123): give one of them another name"),
        (theirs("Gate_Code__c", "double", ours="Gate_Code__c"), "stands in the account with type double"),
        (theirs("Gate_Code__c", "", ours="Gate_Code__c"), "is gone from the account: restore it there"),
    ],
)
def test_a_custom_field_is_made_or_is_ours(
    account: AccountCatalogue, words: str | None, tmp_path: Path
) -> None:
    found = mistakes(with_field(tmp_path, GATE.format(type="text", name="Gate Code")), account=account)
    assert len(found) == (words is not None)
    assert all(words is not None and words in told for _, told in found)


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (theirs("gate code", "varchar"), None),
        (theirs("Gate cod", "varchar"), "no custom field 'Gate code' of its own. Did you mean 'Gate cod'?"),
        (theirs("Gate code", "text"), "is of type text in the account, not varchar"),
    ],
)
def test_a_field_to_adopt_exists_once_and_has_the_type(
    account: AccountCatalogue, words: str | None, tmp_path: Path
) -> None:
    field = GATE.format(type="text", name="Gate Code") + "    adopts: Gate code\n"
    found = mistakes(with_field(tmp_path, field), account=account)
    assert len(found) == (words is not None)
    assert all(words is not None and words in told for _, told in found)


def test_a_standard_field_that_the_account_lacks_is_named() -> None:
    fewer = replace(ACCOUNT, fields=tuple(one for one in NATIVE if one.code != "lost_reason"))
    assert mistakes(MAPPINGS, account=fewer) == [
        ("fields.lost_reason", "this account has no such standard field.")
    ]


def test_an_activity_type_that_the_account_lacks_is_named() -> None:
    found = mistakes(MAPPINGS, account=replace(ACCOUNT, activity_types=("call", "email", "meetings", "task")))
    assert {told for _, told in found} == {
        "the account has no activity type 'meeting'. Did you mean 'meetings'?"
    }
    assert len(found) == 5


@pytest.mark.promise("R043", "R061")
@pytest.mark.parametrize(
    ("field", "values", "words"),
    [
        (
            "Job_Type__c",
            ["No Heat", "no  heat"],
            "'No Heat', 'no  heat' would all become the option 'No Heat'",
        ),
        ("Payment_Status__c", ["paid", "written off"], "the value map has no entry for 'written off'"),
        ("Job_Type__c", ["No Heat", "No Cooling"], None),
    ],
)
def test_every_source_value_gets_an_option_of_its_own(
    field: str, values: Sequence[str], words: str | None
) -> None:
    found = mistakes(MAPPINGS, replace(TENANT, values={("deals", field): values}))
    assert len(found) == (words is not None)
    assert all(words is not None and words in told for _, told in found)


@pytest.mark.parametrize(
    ("entity", "lines", "key", "words"),
    [
        ("deals", "type: number\n from: job_type", "type", "gives text, which a field of type number does not"),
        ("deals", "type: text\n from: technicians", "type", "gives lists, which a field of type text"),
        ("deals", "type: date\n from: created_at", "type", "gives timestamps, which"),
        ("deals", "type: option\n from: customer_name", "type", "nobody knows every value of customer_name"),
        ("deals", "type: option\n from: business_unit", None, ""),
        ("deals", "type: date\n from: job_type\n transform: date", "from", "date reads timestamps, and job_type"),
        ("deals", "type: number\n from: [value, summary]\n transform: sum", "from", "sum reads numbers, and summary"),
        ("deals", "type: text\n from: custom_fields", "type", "use transform: custom_field"),
        ("deals", "type: number\n from: [value, technician_id]\n transform: sum", None, ""),
        ("organizations", "type: address\n from: site_9\n transform: address", "from", "site_9_street is no column"),
        ("persons", "type: text\n from: organization_key", None, ""),
    ],
)  # fmt: skip
def test_what_a_column_holds_fits_the_field(
    entity: str, lines: str, key: str | None, words: str, tmp_path: Path
) -> None:
    with_field(tmp_path, "  X__c:\n    " + lines.replace("\n ", "\n    ") + "\n", entity)
    found = check_columns(load_maps(tmp_path), COLUMNS, tmp_path)
    assert {mistake.key for mistake in found} == ({f"fields.X__c.{key}"} if key else set())
    assert any(words in str(mistake) for mistake in found) or not key


def test_a_lookup_names_a_record_of_the_right_entity(tmp_path: Path) -> None:
    copy(tmp_path, {"deals": ("    from: person_key", "    from: organization_key")})
    [mistake] = check_columns(load_maps(tmp_path), COLUMNS, tmp_path)
    assert "organization_key holds keys of organizations, not of persons" in str(mistake)
