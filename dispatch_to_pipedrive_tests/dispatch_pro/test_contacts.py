"""Named contacts arrive with their ways to be reached, belong to somebody, and go when nobody lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.contacts import owner_of
from dispatch_to_pipedrive.dispatch_pro.errors import Forbidden
from dispatch_to_pipedrive.dispatch_pro.raw import Extent

from .shelves import CRM, Road
from .worlds import Record, at, customer, location

CONTACTS, METHODS = f"{CRM}/contacts", f"{CRM}/contacts/contact-methods"


def contact(id_: str, second: float = 0, **more: Any) -> Record:
    return {"id": id_, "name": id_.title(), "isArchived": False, "modifiedOn": at(second), **more}


def method(of: str, value: str) -> Record:
    return {"id": f"m-{value}", "contactId": of, "type": "Email", "value": value, "modifiedOn": at(0)}


def related(id_: int, slug: str = "customer", second: float = 0) -> Record:
    return {
        "id": f"r-{id_}-{slug}",
        "relatedEntityId": id_,
        "typeSlug": slug,
        "typeName": slug,
        "createdOn": at(second),
    }


@pytest.fixture
async def road(tmp_path: Path) -> Road:
    road = Road(UPath(tmp_path), "customers", "locations", "named_contacts")
    lists = road.shelves.lists
    lists[METHODS] = []
    lists[CONTACTS] = [contact("ann"), contact("bob", 5), contact("eve")]
    for id_ in ("ann", "bob", "eve"):
        lists[f"{CONTACTS}/{id_}/contact-methods"] = [method(id_, f"{id_}@example.com")]
        lists[f"{CONTACTS}/{id_}/relationships"] = []
    lists[f"{CONTACTS}/ann/relationships"] = [
        related(11, "location"),
        related(2, second=9),
        related(1, second=3),
    ]
    lists[f"{CONTACTS}/bob/relationships"] = [related(12, "location")]
    await road.advance(customers=[customer(1), customer(2)], locations=[location(11, 1), location(12, 2)])
    return road


@pytest.mark.promise("R033")
async def test_a_contact_stands_with_whom_it_was_connected_first(road: Road) -> None:
    frames = road.frames()
    contacts = frames["named_contacts"].set_index("id")
    assert contacts["root"].to_dict() == {"ann": 1, "bob": 2, "eve": 0}
    assert contacts.loc["ann", "customer_id"] == 1 and contacts.loc["bob", "location_id"] == 12
    methods = frames["named_contacts.methods"]
    assert dict(zip(methods["id"], methods["value"], strict=True)) == {
        id_: f"{id_}@example.com" for id_ in ("ann", "bob", "eve")
    }
    assert sorted(frames["named_contacts.relationships"]["related_entity_id"]) == [1, 2, 11, 12]


def test_a_customer_decides_before_a_site_and_the_older_before_the_newer() -> None:
    assert owner_of([related(5, "location"), related(7, second=2), related(8, second=1)]) == (8, None)
    assert owner_of([related(5, "booking"), related(6, "location", 2), related(9, "location")]) == (None, 9)
    assert owner_of([]) == owner_of([{**related(5), "relatedEntityId": None}]) == (None, None)


async def test_later_only_what_changed_is_read_and_what_is_the_same_lands_nothing(road: Road) -> None:
    lists = road.shelves.lists
    lists[CONTACTS] = [contact("bob", 5)]
    found = await road.advance()
    window = next(params for path, params in road.shelves.asked if path == CONTACTS)
    assert window["modifiedOnOrAfter"] < at(0)  # an hour before the last change
    assert road.asked(f"{CONTACTS}/ann") == [] and not found["named_contacts"].segments
    lists[f"{CONTACTS}/ann/contact-methods"] = [method("ann", "new@example.com")]
    lists[f"{CONTACTS}/ann"] = contact("ann")
    lists[METHODS] = [method("ann", "new@example.com"), method("gone", "gone@example.com")]
    found = await road.advance()
    assert found["named_contacts"].rows == 1
    methods = road.frames()["named_contacts.methods"]
    assert methods.loc[methods["id"] == "ann", "value"].tolist() == ["new@example.com"]


async def test_a_sweep_finds_new_connections_and_who_is_gone(road: Road) -> None:
    lists = road.shelves.lists
    lists[CONTACTS] = [contact("ann"), contact("eve")]
    lists[f"{CONTACTS}/eve/relationships"] = [related(2)]
    await road.advance(Extent(sweep=True))
    frames = road.frames()
    assert frames["named_contacts"].set_index("id")["root"].to_dict() == {"ann": 1, "eve": 2}
    assert set(frames["named_contacts.methods"]["id"]) == {"ann", "eve"}
    assert not (await road.advance(Extent(sweep=True)))["named_contacts"].segments


async def test_who_is_there_is_not_gone_because_a_page_missed_it(road: Road) -> None:
    """Bob is passed over by the listing; Ann's relationships cannot be had."""
    lists = road.shelves.lists
    lists[CONTACTS] = [contact("ann", 7), contact("eve")]
    lists[f"{CONTACTS}/bob"] = contact("bob", 5)
    del lists[f"{CONTACTS}/ann/relationships"]
    assert not (await road.advance(Extent(sweep=True)))["named_contacts"].segments
    assert road.frames()["named_contacts"].set_index("id")["root"].to_dict() == {"ann": 1, "bob": 2, "eve": 0}


async def test_a_contact_without_a_time_arrives_all_the_same(tmp_path: Path) -> None:
    road = Road(UPath(tmp_path), "named_contacts")
    lists = road.shelves.lists
    lists[CONTACTS], lists[METHODS] = [{"id": "ann"}], [{"id": "m", "value": "of nobody"}]
    lists[f"{CONTACTS}/ann/contact-methods"] = lists[f"{CONTACTS}/ann/relationships"] = []
    assert (await road.advance())["named_contacts"].rows == 1
    assert not (await road.advance())["named_contacts"].segments


async def test_a_refusal_behind_a_contact_is_told_as_it_is(tmp_path: Path) -> None:
    road = Road(UPath(tmp_path), "named_contacts")
    road.shelves.lists[CONTACTS] = [contact("ann")]
    road.shelves.refusals[f"{CONTACTS}/ann/contact-methods"] = Forbidden("/x", 403, "no")
    with pytest.raises(Forbidden):
        await road.advance()


async def test_a_tenant_without_them_says_so(tmp_path: Path) -> None:
    road = Road(UPath(tmp_path), "named_contacts")
    assert "404" in (await road.advance())["named_contacts"].remark
    road.shelves.lists[CONTACTS] = []
    assert "no named contacts" in (await road.advance())["named_contacts"].remark
    assert orjson.loads(road.cursors["named_contacts"]) == {"since": None}
