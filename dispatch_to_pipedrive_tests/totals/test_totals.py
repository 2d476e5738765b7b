from functools import cache
from pathlib import Path

import orjson
import pandas as pd
import pytest
from upath import UPath

from dispatch_to_pipedrive.mapping import ENTITIES, RenderOptions, load_maps, render
from dispatch_to_pipedrive.migration.totals import (
    compare_totals,
    totals_of_mapped,
    totals_of_raw,
    totals_of_records,
)
from dispatch_to_pipedrive.normalize import NormalizeOptions, normalize
from dispatch_to_pipedrive.sandbox.dispatch_pro.tenant import generate
from dispatch_to_pipedrive_tests.normalize.source import Source, address
from dispatch_to_pipedrive_tests.totals.world import MAPPINGS, World, land, later, world


@cache
def found(made: World, roots: tuple[int, ...] | None = None) -> dict[str, pd.DataFrame]:
    frames = made.frames() if roots is None else made.frames(roots)
    return render(
        load_maps(MAPPINGS), normalize(frames, made.reference(), NormalizeOptions()), RenderOptions("USD")
    )


@pytest.mark.promise("R021", "R048")
def test_both_ways_give_the_same_totals_for_a_generated_tenant() -> None:
    made = world()
    expected = totals_of_raw(made.data, 1, made.segments, made.roots)
    differences = compare_totals(expected, totals_of_mapped(found(made)))
    assert differences.to_dict("records") == []
    assert len(expected) > 30 * 100
    assert set(ENTITIES) == set(expected["entity"])


def test_a_batch_of_some_roots_has_the_totals_of_those_roots() -> None:
    made = world()
    some = made.roots[10:40:3]
    expected = totals_of_raw(made.data, 1, made.segments, some)
    assert set(expected["root"]) == set(some)
    assert len(compare_totals(expected, totals_of_mapped(found(made, some)))) == 0


def test_a_later_generation_has_the_totals_of_what_changed(tmp_path: Path) -> None:
    made = land(UPath(tmp_path), 40, 11)
    tenant = generate(40, 11)
    at = {"modifiedOn": "2030-01-01T00:00:00Z"}
    appointments = [orjson.loads(record) for record in tenant.records("appointments")][::3]
    customers = [orjson.loads(record) for record in tenant.records("customers")]
    winner, loser = (customer for customer in customers[:2])
    tags = [orjson.loads(record) for record in tenant.records("tag_types")]
    after = later(
        made,
        {
            "appointments": [
                orjson.dumps({**one, **at, "start": "2029-05-05T05:05:05Z"}) for one in appointments
            ],
            "customers": [orjson.dumps({**loser, **at, "active": False, "mergedToId": winner["id"]})],
            "tag_types": [orjson.dumps({**one, **at, "name": one["name"] + "!"}) for one in tags],
        },
    )
    before, now = (
        totals_of_raw(one.data, one.generation, after.segments, made.roots) for one in (made, after)
    )
    assert len(compare_totals(before, totals_of_mapped(found(made)))) == 0
    assert len(compare_totals(now, totals_of_mapped(found(after)))) == 0
    assert len(compare_totals(before, now)) > len(appointments)
    assert loser["id"] not in set(now["root"])


def test_no_roots_have_no_totals() -> None:
    made = world()
    assert len(totals_of_raw(made.data, 1, made.segments, [])) == 0
    assert len(totals_of_mapped({})) == 0


def changed(
    frames: dict[str, pd.DataFrame], entity: str, field: str, value: object
) -> dict[str, pd.DataFrame]:
    frame = frames[entity]
    at = frame.index[frame[field].notna()][3]
    values = [value if row == at else old for row, old in frame[field].items()]
    return {**frames, entity: frame.assign(**{field: pd.Series(values, index=frame.index, dtype=object)})}


@pytest.mark.parametrize(
    ("entity", "field", "value", "measure"),
    [
        ("deals", "value", 12345.67, "value in cents"),
        ("deals", "org_id", None, "edges org_id"),
        ("deals", "owner_id", "somebody@else.example", "owner somebody@else.example"),
        ("deals", "Job_Type__c", "Something else", "Job_Type__c Something else"),
        ("activities", "duration", "09:59", "minutes"),
        ("activities", "due_date", "1999-01-01", "first due"),
        ("persons", "phones", [], "phones"),
        ("organizations", "Original_Created_At__c", "1999-01-01T00:00:00Z", "first created"),
    ],
)
def test_a_changed_field_shows_in_its_measure(entity: str, field: str, value: object, measure: str) -> None:
    frames = found(world())
    differences = compare_totals(
        totals_of_mapped(frames), totals_of_mapped(changed(frames, entity, field, value))
    )
    assert (entity, measure) in set(zip(differences["entity"], differences["measure"], strict=True))


def test_a_missing_record_shows_in_its_count() -> None:
    frames = found(world())
    fewer = {**frames, "activities": frames["activities"].drop(index=5)}
    differences = compare_totals(totals_of_mapped(frames), totals_of_mapped(fewer))
    assert "count" in set(differences["measure"])
    assert set(differences["entity"]) == {"activities"}


def mess() -> Source:
    """What real tenants have and the generator seldom draws."""
    source = Source()
    source.named("tag_types", 1, "VIP")
    source.named("tag_types", 2, "VIP")
    source.named("job_types", 1, "No Cooling")
    source.named("business_units", 1, "HVAC")
    source.named("job_cancel_reasons", 5, " Too expensive ")
    source.technician(601, " Tech.One@Example.com")
    source.technician(602, None)
    source.customer(1, "Acme", "Commercial", tagTypeIds=[1, 2, 77], address=address("PO Box 5"))
    source.customer(2, "Loser", mergedToId=1, active=False)
    source.customer(3, "Jane", createdOn="2025-10-24T07:59:42.1-07:00")
    for number, target in ((10, 11), (11, 12), (12, 10), (13, 12)):
        source.location(number, 1, f"Store {number}", mergedToId=target)
    source.location(14, 1, "Gate", address=address("9 Elm St"))
    source.location(15, 1, "No address", address=address("", city="", state="", zip="", country=""))
    source.location(30, 3, address=address(" 123  MAIN St "))
    source.contact(100, 1, "Email", "Office@Acme.example")
    source.contact(101, 2, "Email", " office@acme.EXAMPLE")
    source.contact(102, 1, "Phone", "(555) 010-1000")
    source.contact(103, 3, "Phone", "no digits")
    source.contact(104, 3, "Phone", "NO digits")
    source.contact(105, 3, "Email", None)  # type: ignore[arg-type]
    source.contact(106, 3, "MobilePhone", "", phoneSettings={"phoneNumber": "5550199"})
    source.site_contact(110, 12, "Fax", "5550101000")
    source.site_contact(111, 14, "Email", "gate@acme.example")
    source.site_contact(112, 14, "Email", "office@acme.example")
    source.site_contact(113, 30, "Email", "jane@example.com", active=False)
    source.job(
        500, 2, 13, "Completed", completedOn="2025-10-24T21:10:05.9999999Z", tagTypeIds=[2, 1], total=7.005
    )
    source.job(501, 1, 14, "Canceled", soldById=602, total=-7.005)
    source.job(502, 3, 30, "Hold", soldById=0, jobTypeId=99)
    source.job(503, 3, 14, "InProgress", createdOn="0001-01-01T00:00:00Z", customFields=[
        {"typeId": 1, "name": "Dispatch Pro Priority", "value": " "},
        {"typeId": 2, "name": " dispatch pro PRIORITY", "value": " P3 "},
    ])  # fmt: skip
    source.job(504, 3, 30, active=False)
    source.add("job_canceled_logs", 1, jobId=501, reasonId=5, createdOn="2025-01-01T00:00:00Z")
    source.add(
        "job_canceled_logs", 2, jobId=501, reasonId=9, memo="Went away", createdOn="2025-01-01T00:00:00.5Z"
    )
    source.visit(600, 500, "Done", end="2025-10-24T21:00:59.9Z")
    source.visit(601, 500, "Canceled", end="2025-10-24T18:00:00Z")
    source.visit(602, 501, end="2025-10-27T18:00:00Z")
    source.visit(603, 502, "Hold")
    source.visit(604, 502, "Done", unused=True)
    source.visit(605, 503, end=None)
    source.visit(606, 503, start=None)
    source.visit(607, 504)
    source.assign(900, 600, 500, 601, "2025-01-02T00:00:00.1Z")
    source.assign(901, 600, 500, 602, "2025-01-02T00:00:00Z")
    source.assign(902, 603, 502, 699, "2025-01-02T00:00:00Z")
    source.assign(903, 605, 503, 601, active=False)
    source.invoice(700, 501, "10.005")
    source.invoice(701, 501, "-30.01")
    source.invoice(702, 502, "100.00")
    source.invoice(703, 502, "50.00", active=False)
    source.payment(800, (702, "40.00"), (702, "60.00"))
    source.payment(801, (702, "-5.00"))
    source.payment(802, (701, "1.00"), active=False)
    return source


@pytest.mark.promise("R048")
def test_both_ways_give_the_same_totals_for_a_messy_tenant() -> None:
    source = mess()
    rows = [
        {"feed": feed, "root": source.root(feed, record), "record": orjson.dumps(record).decode()}
        for feed, records in source.records.items()
        for record in records
    ]
    everything = pd.DataFrame(rows)
    reference = everything["feed"].isin(
        ["tag_types", "job_types", "business_units", "job_cancel_reasons", "technicians"]
    )
    expected = totals_of_records(everything[~reference], everything[reference])
    made = render(load_maps(MAPPINGS), source.normalize(), RenderOptions("USD"))
    assert compare_totals(expected, totals_of_mapped(made)).to_dict("records") == []
    counts = expected[expected["measure"] == "count"].set_index(["root", "entity"])["value"].to_dict()
    assert counts[1, "persons"] == "2"
    assert counts[3, "activities"] == "4"
