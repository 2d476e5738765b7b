"""What the Dispatch Pro server answers where: routes of the vendor and the control room, over one tenant."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from email.utils import formatdate

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..clock import Clock
from .auth import Door
from .bundles import call_bundles
from .capacity import capacity
from .control import control_routes
from .detours import Detours
from .errors import ApiError, not_found
from .export import EXPORT_PAGE, Feeds, export_page
from .generator.attachments import Plenty
from .generator.reference import HOURS
from .listing import child_page, list_page, without
from .resource import Parent, Resource, T
from .resources import RESOURCES
from .storage import Storage
from .table import Record
from .tenant import ORIGIN, Tenant, generate
from .times import TICKS, ticks_of
from .traffic import Traffic

EXPORT_LAG = 900
Answer = Callable[[Request], tuple[Response, int] | Awaitable[tuple[Response, int]]]


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
    origin: str = ORIGIN,
    extra_fields: bool = False,
    plenty: Plenty | None = None,
) -> tuple[Starlette, Tenant]:
    """The server of a freshly made tenant, and the tenant; `origin` is the address it answers at."""
    tenant = generate(customers, seed, now, origin=origin, extra_fields=extra_fields, plenty=plenty)
    rules = Feeds(export_page_size, int(export_lag * TICKS))
    traffic = Traffic(limits=limits, latency_ms=latency_ms)
    door = Door(clock, tenant.credentials)
    token = Route("/connect/token", _dated(_token(door, traffic), clock), methods=["POST"])
    detours = Detours()
    routes = [token, *control_routes(tenant, clock, traffic, detours)]
    for resource in RESOURCES:
        for path, answer in _answers(tenant, clock, rules, resource):
            guarded = _dated(_guarded(answer, path, door, traffic), clock)
            routes.append(Route(path, guarded, methods=["GET"]))
    routes += [
        Route(path, _dated(_guarded(answer, path, door, traffic), clock), methods=[method])
        for method, path, answer in _single(tenant, clock)
    ]
    routes += Storage(tenant, clock, door, traffic, detours).routes()
    app = Starlette(routes=routes, exception_handlers={404: _unknown, 405: _unknown})
    app.router.redirect_slashes = False
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
        routes.append((f"{resource.list_path}/{_id_of(tenant, resource.feed)}", one))
    return routes + [
        (parent.path.replace("{id}", _id_of(tenant, parent.feed)), of_parent(parent))
        for parent in resource.parents
    ]


def _id_of(tenant: Tenant, feed: str) -> str:
    """An id in a path: whole numbers only, but where the vendor writes texts."""
    return "{id}" if "id" in tenant.tables[feed].spelled else "{id:int}"


def _single(tenant: Tenant, clock: Clock) -> list[tuple[str, str, Answer]]:
    """What is no list of records: one object, and a question put as a POST."""

    def hours(request: Request) -> tuple[Response, int]:
        return _json(orjson.dumps(HOURS), 1)

    async def free(request: Request) -> tuple[Response, int]:
        return _json(*capacity(tenant, await request.body(), ticks_of(clock.now())))

    return [("GET", f"/dispatch/v2{T}/business-hours", hours), ("POST", f"/dispatch/v2{T}/capacity", free)]


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
                found = answer(request)
                response, rows = found if isinstance(found, tuple) else await found
        except ApiError as error:
            response = error.response()
        traffic.count(request.method, shown, response.status_code)
        traffic.rows[shown] += rows
        return response

    return endpoint


def _dated(
    endpoint: Callable[[Request], Awaitable[Response]], clock: Clock
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint whose answers say what time it is in the sandbox."""

    async def dated(request: Request) -> Response:
        response = await endpoint(request)
        response.headers["Date"] = formatdate(clock.timestamp(), usegmt=True)
        return response

    return dated


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
