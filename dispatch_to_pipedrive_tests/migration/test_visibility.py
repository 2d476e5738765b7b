"""What the reader of an account may not see is not taken for being there."""

import pytest

from dispatch_to_pipedrive.mapping.model import FieldMap, Maps
from dispatch_to_pipedrive.migration.verify import BLOCKING
from dispatch_to_pipedrive.migration.visibility import hidden, impossible, visible_to
from dispatch_to_pipedrive.pipedrive.account import Access, Me
from dispatch_to_pipedrive_tests.migration.tenants import RootVersion, Tenant
from dispatch_to_pipedrive_tests.migration.world import World, fresh_ledger


@pytest.mark.promise("R063")
@pytest.mark.parametrize(
    ("status", "admin", "verdict"), [(404, False, "missing"), (403, True, "missing"), (404, True, "gone")]
)
def test_a_record_that_cannot_be_read_is_gone_only_for_who_sees_everything(
    world: World, status: int, admin: bool, verdict: str
) -> None:
    world.reset()
    account = fresh_ledger(world)
    tenant = Tenant({1: [RootVersion(True, 1, ((0, 1),), 0)]}, world.maps)
    account.load(tenant, [1], 1)
    with account.ledger() as ledger:
        scope = ledger.bound_scope()
        assert scope is not None
        number = ledger.links(scope, "deals", ["job:100/deal"])["job:100/deal"].pipedrive_id
    account.control("edit", {"entity": "deals", "id": number, "action": "delete", "purge": True})
    words = {"success": False, "error": "Deal is not visible to you"}
    asked = {"kind": "status", "method": "GET", "path": f"/deals/{number}$", "status": status, "body": words}
    account.control("faults", asked)
    account.control("capabilities", {"admin": admin})
    found = account.verify(tenant, [1], 1)
    assert [(one.entity, one.source_key, one.verdict) for one in found.differences if not one.field] == [
        ("deals", "job:100/deal", verdict)
    ]
    assert "missing" in BLOCKING
    assert bool(found.blocking) is (verdict == "missing")


@pytest.mark.promise("R063")
def test_who_sees_the_records_is_read_from_the_map_and_held_against_plan_and_user(world: World) -> None:
    group = FieldMap.model_validate(
        {"type": "visibility", "transform": "constant", "args": {"value": "group"}}
    )
    deals = world.maps["deals"]
    changed = deals.model_copy(update={"fields": {**deals.fields, "visible_to": group}})
    words = visible_to(Maps({**world.maps.by_entity, "deals": changed}))
    assert words["deals"] == "group"
    assert impossible("group", "premium") == impossible("everyone", "lite") == ""
    assert "owner or everyone" in impossible("group", "lite")
    user = Me(id=1, name="Ada", company_id=7)
    assert "deals" in hidden(words, user)
    assert "persons" not in hidden({"deals": "owner", "persons": "everyone"}, user)
    admin = user.model_copy(update={"access": (Access(app="sales", admin=True),)})
    assert hidden(words, admin) == []
