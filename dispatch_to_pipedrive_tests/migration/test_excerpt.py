"""A few records read by their ids are what a whole listing shows of them."""

import asyncio
from typing import Any

import httpx

from dispatch_to_pipedrive.migration.listing import excerpt_tokens, listing_tokens, take_excerpt, take_listing
from dispatch_to_pipedrive.migration.prepare import read_schema
from dispatch_to_pipedrive.migration.session import reading
from dispatch_to_pipedrive.migration.values import ENTITIES
from dispatch_to_pipedrive_tests.migration.tenants import RootVersion, Tenant
from dispatch_to_pipedrive_tests.migration.world import World, fresh_ledger


def _ask(world: World, method: str, path: str, body: Any = None) -> None:
    answer = httpx.request(
        method, f"{world.access.api_url}{path}", headers={"x-api-token": world.access.api_token}, json=body
    )
    answer.raise_for_status()


def test_an_excerpt_holds_what_the_whole_listing_shows_of_its_records(world: World) -> None:
    world.reset()
    world = fresh_ledger(world)
    one = RootVersion(commercial=True, contacts=1, jobs=((0, 2), (2, 1)), flavour=1, photos=2, remarks=1)
    tenant = Tenant({1: (one,), 2: (one,)}, world.maps)
    world.load(tenant, (1, 2), 1)
    with world.ledger() as ledger:
        scope = ledger.bound_scope()
        assert scope is not None
        ids = {
            entity: sorted(x.pipedrive_id for x in ledger.links_of_roots(scope, entity, [1]).values())
            for entity in ENTITIES
        }
    _ask(world, "PATCH", f"/api/v2/deals/{ids['deals'][0]}", {"is_archived": True})  # no plain list shows it
    _ask(world, "DELETE", f"/api/v2/activities/{ids['activities'][0]}")

    async def compare() -> tuple[int, int]:
        with world.ledger() as ledger:
            async with reading(ledger, world.access, purpose="a test") as session:
                schema = await read_schema(session)
                whole = await take_listing(session, schema, world.folder / "whole")
                before = sum(session.client.budget.by_kind.values())
                excerpt = await take_excerpt(session, schema, world.folder / "excerpt", ids)
                spent = sum(session.client.budget.by_kind.values()) - before
                for entity in ENTITIES:
                    shown = whole.records(entity, ids[entity])
                    assert excerpt.records(entity, ids[entity]) == shown, entity
                    assert shown
                    assert sum(len(group) for group in excerpt.each(entity)) == len(shown)
                assert ids["activities"][0] not in excerpt.records("activities", ids["activities"])
                assert ids["deals"][0] in excerpt.records("deals", ids["deals"])
                assert listing_tokens(session) > 0
                return spent, excerpt_tokens(ids)

    spent, foreseen = asyncio.run(compare())
    assert foreseen <= spent <= foreseen + 2  # the archived and the deleted one were asked for themselves
