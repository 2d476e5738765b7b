"""Every error literal of the table is one that the account sends, and it sends no other."""

from ..contract import error_literals
from .pipedrive_world import World, serve


def _provoke(world: World) -> set[str]:
    found = []

    def ask(method: str, path: str, body: object = None, **headers: str) -> None:
        answer = world.client.request(method, path, json=body, headers=headers)
        literal = error_literals.check(answer.status_code, answer.json())
        assert literal is not None
        found.append(literal.name)

    ask("POST", "/api/v2/deals", {"foo": 1})
    ask("POST", "/api/v2/persons", {"name": "A", "first_name": "A"})
    ask("POST", "/api/v1/notes", {})
    ask("GET", "/api/v2/deals", None, **{"x-api-token": "wrong"})
    ask("POST", "/api/v2/persons", {"name": "A", "birthday": "2000-01-01"})
    ask("GET", "/api/v2/deals/1000000")
    ask("GET", "/api/v1/users/1000000")
    ask("GET", "/api/v2/unicorns")
    ask("PUT", "/api/v2/deals")
    world.control("plan", {"open_deals": 0, "custom_fields": 0, "burst": 0})
    ask("POST", "/api/v2/deals", {"title": "x"})
    ask("POST", "/api/v2/dealFields", {"field_name": "x", "field_type": "varchar"})
    world.control("plan", {"limits": True})
    ask("GET", "/api/v2/deals")
    return set(found)


def test_every_literal_is_sent_and_none_beside_them() -> None:
    with serve() as world:
        assert _provoke(world) == {one.name for one in error_literals.LITERALS}
