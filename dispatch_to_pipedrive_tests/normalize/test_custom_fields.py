from typing import Any

from dispatch_to_pipedrive.normalize.custom_fields import Read
from dispatch_to_pipedrive_tests.normalize.source import Source, reasons, row


def field(name: str | None, value: str | None) -> dict[str, Any]:
    return {"typeId": 7, "name": name, "value": value}


def tenant() -> Source:
    source = Source()
    source.customer(1, "Acme", "Commercial", customFields=[field("Gate Code", "#1"), field("Empty", " ")])
    source.customer(2, customFields=[field("Gate  code", "#2"), field(None, "?"), field("GATE CODE", "#3")])
    source.location(10, 1, customFields=[field("Roof", "Tile")])
    source.location(11, 1, "Store 2", customFields=[field("Roof", "Flat")])
    source.location(20, 2, address={}, customFields=[field("Roof", "Shingle")])
    source.site_contact(100, 11, "Phone", "5550101")
    source.add("technicians", 601, name="Tech", email="t@x.example", customFields=[field("Van", "12")])
    source.job(500, 1, 11, customFields=[field("Permit", "P-1"), field("Dispatch Pro Priority", "P1")])
    source.job(501, 2, 20, soldById=601)
    source.job(502, 1)
    source.visit(600, 500)
    source.assign(900, 600, 500, 601)
    return source


def test_records_bear_the_custom_fields_of_what_they_stand_for() -> None:
    made = tenant().normalize()
    acme = row(made.organizations, "customer:1/organization")
    assert acme["custom_fields"] == [{"name": "Gate Code", "value": "#1"}]
    assert acme["site_custom_fields"] == [{"name": "Roof", "value": "Tile"}]
    first, shop, jane = (
        row(made.persons, key) for key in ("customer:1/person", "location:11/person", "customer:2/person")
    )
    assert first["custom_fields"] == acme["custom_fields"]
    assert first["site_custom_fields"] == acme["site_custom_fields"]
    assert (shop["custom_fields"], shop["site_custom_fields"]) == (None, [{"name": "Roof", "value": "Flat"}])
    assert [one["value"] for one in jane["custom_fields"]] == ["#2", "#3"]
    assert jane["site_custom_fields"] == [{"name": "Roof", "value": "Shingle"}]
    deals = [row(made.deals, f"job:{number}/deal") for number in (500, 501, 502)]
    assert [one["name"] for one in deals[0]["custom_fields"]] == ["Permit", "Dispatch Pro Priority"]
    assert [deal["custom_fields"] for deal in deals[1:]] == [None, None]
    assert deals[0]["site_custom_fields"] == [{"name": "Roof", "value": "Flat"}]
    assert deals[1]["site_custom_fields"] == [{"name": "Roof", "value": "Shingle"}]
    van = [{"name": "Van", "value": "12"}]
    assert [deal["technician_custom_fields"] for deal in deals] == [van, van, None]


def test_only_custom_fields_that_no_map_reads_are_left_behind() -> None:
    left = tenant().normalize().not_carried
    left = left[left["feed"].str.endswith("custom_fields")]
    assert sorted(left[["feed", "id"]].itertuples(index=False, name=None)) == [
        ("customers.custom_fields", 1),
        *[("customers.custom_fields", 2)] * 3,
        ("jobs.custom_fields", 500),
        *[("locations.custom_fields", number) for number in (10, 11, 20)],
    ]
    reads = {
        Read("organizations", "custom_fields", "gate code"),
        Read("deals", "site_custom_fields", "roof"),
        Read("deals", "custom_fields", "permit"),
    }
    made = tenant().normalize(reads=frozenset(reads))
    # The residential customer has no organization, and no job is done at the commercial one's first site.
    gates = made.not_carried[made.not_carried["feed"] == "customers.custom_fields"]["reason"].tolist()
    assert sorted(gates) == [
        "custom field not in the map: GATE CODE",
        "custom field not in the map: Gate  code",
        "custom field without a name",
    ]
    assert reasons(made, "locations.custom_fields") == {10: "custom field not in the map: Roof"}
    assert reasons(made, "jobs.custom_fields") == {}
    made = tenant().normalize(reads=frozenset({*reads, Read("persons", "custom_fields", "gate code")}))
    gates = made.not_carried[made.not_carried["feed"] == "customers.custom_fields"]["reason"].tolist()
    assert sorted(gates) == ["a second custom field of the name GATE CODE", "custom field without a name"]
