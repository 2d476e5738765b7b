"""How tests and rehearsals steer the tenant: clock, changes, faults and counters under `/_control/`."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..clock import Clock, ClockError
from .changes import ACTIONS
from .detours import Detours
from .hand import ChangeError, Hand
from .tenant import Tenant
from .traffic import Traffic


def control_routes(tenant: Tenant, clock: Clock, traffic: Traffic, detours: Detours) -> list[Route]:
    """The control endpoints: no token, no limits, no faults; mistakes are answered 400 with `error`.

    `tenant/{feed}` lists the ids of an object's records, `tenant/{feed}/{id}` shows one (404: there is none).
    `files` lists the attachments with size and hash, `downloads` shows or sets the rules by which files are handed out.
    """
    hand = Hand(tenant, clock)

    def describe() -> Any:
        counts = {name: len(table) for name, table in sorted(tenant.tables.items())}
        return {"tenant_id": tenant.credentials.tenant_id, "counts": counts, "people": tenant.people()}

    def reset(body: Any) -> Any:
        traffic.reset()
        return traffic.stats()

    async def ids(request: Request) -> Response:
        table = tenant.tables.get(request.path_params["feed"])
        found = None if table is None else table.all_ids()
        return Response(orjson.dumps(found), 404 if found is None else 200, media_type="application/json")

    async def record(request: Request) -> Response:
        table = tenant.tables.get(request.path_params["feed"])
        try:
            found = table.get(request.path_params["id"]) if table is not None else None
        except ValueError:
            found = None
        return Response(orjson.dumps(found), 404 if found is None else 200, media_type="application/json")

    return [
        _shown("clock", clock.state),
        _obeyed("clock", clock.command),
        _shown("tenant", describe),
        _obeyed("tenant", lambda body: apply(hand, body)),
        Route("/_control/tenant/{feed}", ids, methods=["GET"]),
        Route("/_control/tenant/{feed}/{id}", record, methods=["GET"]),
        _obeyed("faults", traffic.command),
        _shown("downloads", detours.state),
        _obeyed("downloads", detours.command),
        _shown("files", lambda: list(_files(tenant))),
        _shown("stats", traffic.stats),
        _obeyed("stats/reset", reset),
    ]


def _shown(name: str, state: Callable[[], Any]) -> Route:
    async def endpoint(request: Request) -> Response:
        return Response(orjson.dumps(state()), media_type="application/json")

    return Route(f"/_control/{name}", endpoint, methods=["GET"])


def _obeyed(name: str, command: Callable[[Any], dict[str, Any]]) -> Route:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        try:
            answer = command(json.loads(body) if body else {})
        except (ChangeError, ClockError, ValueError, KeyError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return Response(orjson.dumps(answer), media_type="application/json")

    return Route(f"/_control/{name}", endpoint, methods=["POST"])


def _files(tenant: Tenant) -> Iterator[dict[str, Any]]:
    """Every attachment as it should arrive: its job, name, size in bytes, hash and media type."""
    for block in tenant.tables["job_attachments"].blocks():
        for record in block:
            file = tenant.file(record["id"])
            if file is not None:
                facts = {"size": file.size, "sha256": file.sha256(), "mediaType": file.media_type}
                yield {"id": record["id"], "jobId": record["jobId"], "fileName": record["fileName"], **facts}


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
