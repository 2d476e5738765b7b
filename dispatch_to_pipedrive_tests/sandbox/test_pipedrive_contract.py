"""Every operation that the account offers, answered once with success, validates against the vendor's documents."""

from dispatch_to_pipedrive.sandbox.pipedrive.routes import build

from ..contract import pipedrive_documents as documents
from .pipedrive_world import World


def _offered() -> set[str]:
    names = set()
    for (api, path), methods in build().items():
        variable = "{field_code}" if api == "v2" and "Fields" in path else "{id}"
        names |= {f"{api} {method} /{path.replace('{id}', variable)}" for method in methods}
    return names


def _records(world: World) -> None:
    org, gone_org = (world.post("organizations", {"name": name})["id"] for name in "ab")
    person, gone_person = (world.post("persons", {"name": name, "org_id": org})["id"] for name in "ab")
    deal, gone_deal = (world.post("deals", {"title": name, "person_id": person})["id"] for name in "ab")
    body = {"subject": "s", "type": "call", "deal_id": deal, "participants": [{"person_id": person}]}
    activity = world.post("activities", body)["id"]
    ids = {"organizations": org, "persons": person, "deals": deal, "activities": activity}
    for entity, id_ in ids.items():
        world.get(entity)
        world.get(f"{entity}/{id_}")
        world.patch(f"{entity}/{id_}", {"owner_id": 2})
    for entity, one, other in (
        ("organizations", gone_org, org),
        ("persons", gone_person, person),
        ("deals", gone_deal, deal),
    ):
        world.get(f"{entity}/search", term="zz")
        world.get(f"/api/v1/{entity}/{other}/files")
        world.get(f"/api/v1/{entity}/{other}/changelog")
        world.ask("PUT", f"/api/v1/{entity}/{one}/merge", {"merge_with_id": other})
    world.ask("POST", f"/api/v1/deals/{deal}/duplicate")
    world.get("deals/archived")
    world.control(
        "edit", {"entity": "leads", "action": "create", "changes": {"title": "x", "person_id": person}}
    )
    assert world.get("/api/v1/leads")[0]["title"] == "x"
    world.get("/api/v1/leads/archived")
    world.get("itemSearch", term="zz")
    world.get("itemSearch/field", term="zz", entity_type="deal", field="title")
    _attachments(world, deal)
    for entity in ("activities", "deals", "persons", "organizations"):
        world.delete(f"{entity}/{ids[entity]}")


def _attachments(world: World, deal: int) -> None:
    note = world.post("/api/v1/notes", {"content": "x", "deal_id": deal})["id"]
    world.get("/api/v1/notes")
    world.get(f"/api/v1/notes/{note}")
    world.ask("PUT", f"/api/v1/notes/{note}", {"content": "y"})
    world.delete(f"/api/v1/notes/{note}")
    files = {"file": ("a.txt", b"a", "text/plain")}
    file = world.client.post("/api/v1/files", files=files, data={"deal_id": str(deal)}).json()["data"]["id"]
    world.get("/api/v1/files")
    world.get(f"/api/v1/files/{file}")
    assert world.client.get(f"/api/v1/files/{file}/download").content == b"a"
    assert world.client.put(f"/api/v1/files/{file}", data={"name": "b"}).status_code == 200
    world.delete(f"/api/v1/files/{file}")


def _schema(world: World) -> None:
    for kind, body in (("pipelines", {"name": "x"}), ("stages", {"name": "x", "pipeline_id": 1})):
        id_ = world.post(kind, body)["id"]
        world.get(kind)
        world.get(f"{kind}/{id_}")
        world.patch(f"{kind}/{id_}", {"name": "y"})
        world.delete(f"{kind}/{id_}")
    for name in ("dealFields", "personFields", "organizationFields"):
        field = {"field_name": "x", "field_type": "set", "options": [{"label": "a"}, {"label": "b"}]}
        made = world.post(name, field)
        path, option = f"{name}/{made['field_code']}", made["options"][0]["id"]
        world.get(name)
        world.get(path)
        world.patch(path, {"field_name": "y"})
        world.post(f"{path}/options", [{"label": "c"}])
        world.patch(f"{path}/options", [{"id": option, "label": "d"}])
        world.ask("DELETE", f"{path}/options", [{"id": option}])
        id_ = next(one["id"] for one in world.get(f"/api/v1/{name}") if one["key"] == made["field_code"])
        options = world.get(f"/api/v1/{name}/{id_}")["options"]
        world.ask("PUT", f"/api/v1/{name}/{id_}", {"options": options})
        world.delete(path)
    world.get("activityFields")
    world.get("activityFields/subject")
    world.get("/api/v1/activityFields")
    for name in ("users", "users/me", "users/1", "currencies", "activityTypes"):
        world.get(f"/api/v1/{name}")
    world.post("/api/v1/activityTypes", {"name": "x", "icon_key": "car"})


def test_every_operation_answers_as_the_documents_say(world: World) -> None:
    documents.require()
    offered = _offered()
    documents.seen_operations.clear()
    _records(world)
    _schema(world)
    assert offered - documents.seen_operations == set()
    assert documents.seen_without_schema <= documents.NO_SCHEMA
