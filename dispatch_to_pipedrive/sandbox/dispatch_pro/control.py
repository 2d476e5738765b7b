"""How tests and rehearsals steer the tenant: clock, changes, faults and counters under `/_control/`."""

import json
from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..clock import Clock, ClockError
from .changes import ACTIONS
from .hand import ChangeError, Hand
from .tenant import Tenant
from .traffic import Traffic


def control_routes(tenant: Tenant, clock: Clock, traffic: Traffic) -> list[Route]:
    """The control endpoints: no token, no limits, no faults; mistakes are answered 400 with `error`."""
    hand = Hand(tenant, clock)

    async def show_clock(request: Request) -> Response:
        return JSONResponse(clock.state())

    async def set_clock(request: Request) -> Response:
        return await _obey(request, clock.command)

    async def change(request: Request) -> Response:
        return await _obey(request, lambda body: apply(hand, body))

    async def faults(request: Request) -> Response:
        return await _obey(request, traffic.command)

    async def stats(request: Request) -> Response:
        return JSONResponse(traffic.stats())

    async def reset(request: Request) -> Response:
        traffic.reset()
        return JSONResponse(traffic.stats())

    async def describe(request: Request) -> Response:
        counts = {name: len(table) for name, table in sorted(tenant.tables.items())}
        return JSONResponse(
            {"tenant_id": tenant.credentials.tenant_id, "counts": counts, "people": tenant.people()}
        )

    async def record(request: Request) -> Response:
        table = tenant.tables.get(request.path_params["feed"])
        found = table.get(request.path_params["id"]) if table is not None else None
        return Response(orjson.dumps(found), 404 if found is None else 200, media_type="application/json")

    return [
        Route("/_control/clock", show_clock, methods=["GET"]),
        Route("/_control/clock", set_clock, methods=["POST"]),
        Route("/_control/tenant", describe, methods=["GET"]),
        Route("/_control/tenant", change, methods=["POST"]),
        Route("/_control/tenant/{feed}/{id:int}", record, methods=["GET"]),
        Route("/_control/faults", faults, methods=["POST"]),
        Route("/_control/stats", stats, methods=["GET"]),
        Route("/_control/stats/reset", reset, methods=["POST"]),
    ]


def apply(hand: Hand, body: Any) -> dict[str, Any]:
    """`{"action": name, …its parameters}` or `{"actions": [those]}`, one after the other.

    Answers the record of the (last) action and each change made: feed, id, modifiedOn.
    """
    if not isinstance(body, dict):
        raise ChangeError("expected a JSON object")
    hand.touched = []
    record: Any = None
    for step in body.get("actions", [body]):
        arguments = {key: value for key, value in step.items() if key != "action"}
        action = ACTIONS.get(str(step.get("action")))
        if action is None:
            raise ChangeError(f"no action {step.get('action')!r}; there are {', '.join(sorted(ACTIONS))}")
        try:
            record = action(hand, **arguments)
        except TypeError as error:
            raise ChangeError(f"{step['action']}: {error}") from error
    return {"record": record, "changes": hand.touched}


async def _obey(request: Request, command: Callable[[Any], dict[str, Any]]) -> Response:
    try:
        answer = command(json.loads(await request.body()))
    except (ChangeError, ClockError, ValueError, KeyError) as error:
        return JSONResponse({"error": str(error)}, 400)
    return Response(orjson.dumps(answer), media_type="application/json")
