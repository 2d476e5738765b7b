"""The inventory starts from the fields, so none can be missing: moved, reference, left for a reason, or unaccounted."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dispatch_to_pipedrive.dispatch_pro.paths import fields_of
from dispatch_to_pipedrive.dispatch_pro.shapes import SHAPES
from dispatch_to_pipedrive.mapping import Maps, load_maps
from dispatch_to_pipedrive.migration.inventory import (
    CUSTOM,
    DECIDES,
    LEFT,
    MOVED,
    OBJECT,
    REFERENCE,
    UNACCOUNTED,
    Sources,
    counts_of,
    inventory,
    unaccounted,
)
from dispatch_to_pipedrive.migration.inventory.left_out import LEFT_OUT, covers
from dispatch_to_pipedrive.migration.reference_tables import fields_exported
from dispatch_to_pipedrive.normalize.lineage import OWNERS, RECORDS
from dispatch_to_pipedrive.orchestration.reference import lineages, shapes

MAPS = load_maps(Path(__file__).parents[2] / "mappings")
Seen = tuple[str, str, int]
Profiled = tuple[str, str, str | None, int, int, int]


def sources(seen: Iterable[Seen] = (), profile: Iterable[Profiled] = ()) -> Sources:
    values, choosers = lineages()
    return Sources(
        fields=shapes(),
        seen=pd.DataFrame(list(seen), columns=["feed", "field", "records"]),
        profile=pd.DataFrame(
            list(profile), columns=["feed", "field", "value", "count", "distinct", "records"]
        ).astype({"feed": "string", "field": "string", "value": "string"}),
        values=values,
        choosers=choosers,
        decides=RECORDS,
        owners=OWNERS,
        exported=fields_exported(),
    )


def row(found: pd.DataFrame, feed: str, field: str) -> dict[str, Any]:
    mine = found[(found["object"] == feed) & (found["field"] == field)]
    assert len(mine) == 1, f"{feed}.{field}: {len(mine)} rows"
    return {str(name): value for name, value in mine.iloc[0].items()}


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    return inventory(sources(), MAPS)


@pytest.mark.promise("R006", "R068")
def test_every_field_of_every_shape_has_its_row_and_is_accounted_for(found: pd.DataFrame) -> None:
    rows = found[found["kind"] == "field"]
    assert len(rows) == sum(len(fields_of(feed)) for feed in SHAPES)
    assert unaccounted(found) == []
    assert counts_of(found)[MOVED] > 100


@pytest.mark.promise("R006")
def test_a_moved_field_names_its_destination_and_the_column_it_goes_through(found: pd.DataFrame) -> None:
    number = row(found, "jobs", "jobNumber")
    assert (number["state"], number["destination"]) == (MOVED, "Deal: title")
    assert number["through"] == "deals.job_number"
    street = row(found, "locations", "address.street")
    assert "organizations.site_N_street" in street["through"]
    assert "Organization: " in street["destination"]
    assert row(found, "jobs", "active")["destination"].startswith(f"{DECIDES} ")
    merged = row(found, "customers", "mergedToId")["destination"]
    assert merged == f"{DECIDES} whose the record is"


@pytest.mark.promise("R015", "R049")
def test_reference_names_its_table_and_what_stays_its_reason(found: pd.DataFrame) -> None:
    skills = row(found, "job_types", "skills[]")
    assert (skills["state"], skills["table"]) == (REFERENCE, "job_types")
    rate = row(found, "technicians", "hourlyRate")
    assert rate["state"] == LEFT
    assert "Private" in rate["why"]
    assert found.loc[found["state"] == LEFT, "why"].str.len().min() > 10
    assert {"memberships", "sales", "forms", "pricebook", "equipment systems"} <= set(
        found.loc[found["kind"] == OBJECT, "object"]
    )


def without(entity: str, *names: str) -> Maps:
    fields = {name: one for name, one in MAPS[entity].fields.items() if name not in names}
    return Maps({**MAPS.by_entity, entity: MAPS[entity].model_copy(update={"fields": fields})})


def test_a_field_whose_place_has_left_the_map_is_unaccounted_for(found: pd.DataFrame) -> None:
    lost = inventory(sources(), without("deals", "lost_reason"))
    assert {"job_canceled_logs.memo", "job_canceled_logs.reasonId"} <= set(unaccounted(lost))
    assert "deals.cancel_memo" in row(lost, "job_canceled_logs", "memo")["why"]


def test_that_a_value_decides_something_besides_is_no_account_of_it() -> None:
    lost = inventory(sources(), without("persons", "emails", "phones", "Contact_Memo__c"))
    assert {"customer_contacts.value", "location_contacts.value"} <= set(unaccounted(lost))
    assert row(lost, "customer_contacts", "type")["state"] == MOVED


def test_a_field_that_nobody_has_heard_of_is_unaccounted_for_and_its_records_are_counted() -> None:
    seen = [
        ("jobs", "hologram.seed", 3),
        ("jobs", "summary", 9),
        ("holograms", "id", 2),
        ("jobs", "hologram", 1),
    ]
    told = inventory(sources(seen), MAPS)
    assert unaccounted(told) == ["jobs.hologram.seed", "holograms.id"]
    assert row(told, "jobs", "hologram.seed")["records"] == 3
    assert row(told, "jobs", "summary")["records"] == 9
    assert row(told, "jobs", "jobNumber")["records"] == 0


def test_an_object_that_is_empty_in_some_record_is_no_field_of_its_own() -> None:
    seen = [
        ("invoices", "job", 3),
        ("invoices", "items[]", 1),
        ("invoices", "items[].id", 5),
        ("customers", "externalData[]", 2),
    ]
    told = inventory(sources(seen), MAPS)
    assert not told["field"].isin(["job", "items[]", "externalData[]"]).any()
    assert row(told, "invoices", "items[].id")["state"] == LEFT


@pytest.mark.promise("R006", "R068")
def test_forty_custom_fields_that_no_map_knows_are_told_one_by_one() -> None:
    names = [f"Extra {number:02}" for number in range(40)]
    profile: list[Profiled] = [("jobs.custom_fields", name, None, 4, 3, 10) for name in names]
    profile.append(("jobs.custom_fields", "Dispatch Pro Priority", None, 0, 3, 10))
    profile.append(("invoices.custom_fields", "Batch", None, 9, 1, 10))
    given = sources(profile=profile)
    proposed = {
        ("jobs.custom_fields", name.casefold()): "create in proposed/deals.yaml" for name in names[:39]
    }
    told = inventory(replace(given, proposed=proposed), MAPS)
    mine = told[told["kind"] == CUSTOM]
    assert len(mine) == 42
    assert unaccounted(told) == []
    assert row(told, "jobs", "Dispatch Pro Priority")["destination"] == "Deal: Dispatch_Pro_Priority__c"
    assert mine["why"].str.startswith("Open: create in proposed/deals.yaml").sum() == 39
    assert "6 keep it in the export" in row(told, "jobs", "Extra 39")["why"]
    assert "1 keep it" in row(told, "invoices", "Batch")["why"]


def test_reasons_are_given_for_nothing_that_moves_and_none_stands_twice(found: pd.DataFrame) -> None:
    known = [
        (feed, path) for feed, reasons in LEFT_OUT.items() for paths in reasons.values() for path in paths
    ]
    assert len(known) == len(set(known))
    taken = found[found["state"].isin([MOVED, REFERENCE])]
    fields = zip(taken["object"], taken["field"], strict=True)
    twice = [f"{feed}.{path}" for feed, path in fields if _left_out(known, feed, path)]
    assert twice == []


def _left_out(known: Sequence[tuple[str, str]], feed: str, path: str) -> bool:
    return any(of == feed and covers(above, path) for of, above in known)


def test_unaccounted_is_the_only_state_without_a_word() -> None:
    told = inventory(sources([("jobs", "hologram", 1)]), MAPS)
    assert row(told, "jobs", "hologram")["state"] == UNACCOUNTED
    assert "no reason is given" in row(told, "jobs", "hologram")["why"]
