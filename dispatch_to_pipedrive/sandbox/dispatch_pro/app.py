"""What the Dispatch Pro server answers where: routes of the vendor and the control room, over one tenant."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import numpy as np
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..clock import Clock
from .auth import Door
from .bundles import call_bundles
from .control import control_routes
from .errors import ApiError, not_found
from .export import EXPORT_PAGE, Feeds, export_page
from .files import file_bytes, media_type
from .listing import child_page, list_page, without
from .resources import RESOURCES, Parent, Resource, T
from .table import Record
from .tenant import Tenant, generate
from .times import TICKS, ticks_of
from .traffic import Traffic

EXPORT_LAG = 900
Answer = Callable[[Request], tuple[Response, int]]


def build_app(
    clock: Clock,
    *,
    customers: int,
    seed: int,
    now: datetime,
    export_lag: float = EXPORT_LAG,
    limits: bool = True,
    latency_ms: float = 0,
    export_page_size: int = EXPORT_PAGE,
) -> tuple[Starlette, Tenant]:
    """The server of a freshly made tenant, and the tenant."""
    tenant = generate(customers, seed, now)
    rules = Feeds(export_page_size, int(export_lag * TICKS))
    traffic = Traffic(limits=limits, latency_ms=latency_ms)
    door = Door(clock, tenant.credentials)
    token = Route("/connect/token", _token(door, traffic), methods=["POST"])
    routes = [token, *control_routes(tenant, clock, traffic)]
    for resource in RESOURCES:
        for path, answer in _answers(tenant, clock, rules, resource):
            routes.append(Route(path, _guarded(answer, path, door, traffic), methods=["GET"]))
    download = f"/forms/v2{T}/jobs/attachment/{{id:int}}"
    routes.append(Route(download, _guarded(_download(tenant), download, door, traffic), methods=["GET"]))
    app = Starlette(routes=routes, exception_handlers={404: _unknown, 405: _unknown})
    app.state.traffic = traffic
    return app, tenant


def _answers(tenant: Tenant, clock: Clock, rules: Feeds, resource: Resource) -> list[tuple[str, Answer]]:
    """The routes of one resource; fixed paths before those with an id."""
    table = tenant.tables[resource.feed]
    routes: list[tuple[str, Answer]] = []

    def shape(records: list[Record]) -> list[Record]:
        return call_bundles(tenant.tables, records) if resource.bundled else without(records, resource.drop)

    def listed(request: Request) -> tuple[Response, int]:
        return _json(*list_page(table, resource, request.query_params, shape))

    def exported(request: Request) -> tuple[Response, int]:
        return _json(*export_page(table, resource, request.query_params, rules, ticks_of(clock.now())))

    def one(request: Request) -> tuple[Response, int]:
        found = table.get(request.path_params["id"])
        if found is None:
            raise not_found(resource.feed, request.path_params["id"])
        return _json(orjson.dumps(without([found], resource.drop)[0]), 1)

    def of_parent(parent: Parent) -> Answer:
        def answer(request: Request) -> tuple[Response, int]:
            owner = request.path_params["id"]
            if tenant.tables[parent.feed].row(owner) is None:
                raise not_found(parent.feed, owner)
            return _json(*child_page(table, resource, request.query_params, parent, owner))

        return answer

    if resource.export_path:
        routes.append((resource.export_path, exported))
    if resource.list_path:
        routes.append((resource.list_path, listed))
    if resource.one:
        routes.append((f"{resource.list_path}/{{id:int}}", one))
    routes += [(parent.path.replace("{id}", "{id:int}"), of_parent(parent)) for parent in resource.parents]
    return routes


def _download(tenant: Tenant) -> Answer:
    table = tenant.tables["job_attachments"]

    def answer(request: Request) -> tuple[Response, int]:
        wanted = request.path_params["id"]
        row = table.row(wanted)
        if row is None:
            raise not_found("attachment", wanted)
        rows = np.array([row], dtype=np.int64)
        name = str(table.read(rows)[0]["fileName"])
        size = tenant.sizes[wanted] if wanted in tenant.sizes else int(tenant.first_sizes(rows)[0])
        return Response(file_bytes(tenant.seed, wanted, name, size), media_type=media_type(name)), 1

    return answer


def _guarded(
    answer: Answer, template: str, door: Door, traffic: Traffic
) -> Callable[[Request], Awaitable[Response]]:
    """A route of the vendor: limits, faults and the door come before its answer; each call is counted."""
    shown = template.replace(":int}", "}")

    async def endpoint(request: Request) -> Response:
        rows = 0
        try:
            traffic.admit()
            response = await traffic.delay_or_fail(request)
            if response is None:
                door.check(request)
                response, rows = answer(request)
        except ApiError as error:
            response = error.response()
        traffic.count(request.method, shown, response.status_code)
        traffic.rows[shown] += rows
        return response

    return endpoint


def _token(door: Door, traffic: Traffic) -> Callable[[Request], Awaitable[Response]]:
    """The token's route: faults and counting as elsewhere, but no limit of calls."""

    async def endpoint(request: Request) -> Response:
        try:
            response = await traffic.delay_or_fail(request) or await door.token(request)
        except ApiError as error:
            response = error.response()
        traffic.count("POST", "/connect/token", response.status_code)
        return response

    return endpoint


def _json(body: bytes, rows: int) -> tuple[Response, int]:
    return Response(body, media_type="application/json"), rows


async def _unknown(request: Request, error: Exception) -> Response:
    status = int(getattr(error, "status_code", 404))
    return ApiError(
        status, "The resource was not found." if status == 404 else "Method not allowed."
    ).response()
